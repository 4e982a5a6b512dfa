"""Why a quote is not used, in words."""

from collections.abc import Mapping, Sequence

REASON_WORDS: Mapping[str, str] = {
    "no_bid": "no bid",
    "no_ask": "no ask",
    "crossed": "bid above ask",
    "locked": "bid equal to ask",
    "wide_spread": "wide spread",
    "below_intrinsic": "below what exercise pays",
    "above_bound": "above what it can ever pay",
    "not_monotone": "contradicts another strike",
    "not_convex": "contradicts its neighbours",
}


def reasons_words(reasons: Sequence[str]) -> str:
    """`no bid, wide spread`; a reason without words of its own is told by its name."""
    return ", ".join(REASON_WORDS.get(reason, reason.replace("_", " ")) for reason in reasons)

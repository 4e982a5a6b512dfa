"""Which colour a hedge has: one of the house keeps its own on all pages, the owner's take what is left."""

from collections.abc import Iterable
from zlib import crc32

from vaultdash.ui.theme import HEDGE_COLOURS, UNHEDGED_COLOUR

UNHEDGED = "unhedged"  # the row and lane of the path without a hedge
HOUSE_COLOURS = HEDGE_COLOURS | {
    "collar_95_110": "#cf7a3e",
    "put_spread_95_80": "#7ea63a",
    "first_strike_above_call": "#3aa6b9",
    "rolling_quarterly_95": "#a0643c",
    "partial_50_otm_95": "#6f7fd0",
    "dynamic_rehedge_95": "#b58fd6",
    "repay_with_premium": "#a89f8d",
}
BENCH_COLOURS = ("#3f88c5", "#cf7a3e", "#7ea63a", "#c2568c")  # A to D on the workbench
SPARE = ("#2aa79b", "#b06ab3", "#5a9bd8", "#c49a3a", "#7b9e57", "#a58ae0", "#c98a5b", "#4f8a6b")


def hedge_colours(ids: Iterable[str]) -> dict[str, str]:
    """A colour for each hedge and for the path without one.

    One of the owner's has the colour that follows from its id, the next free one where two would share it: so it is
    mostly the same in every run.
    """
    ids = list(ids)
    found = {one: HOUSE_COLOURS[one] for one in ids if one in HOUSE_COLOURS}
    for one in ids:
        if one not in found:
            first = crc32(one.encode()) % len(SPARE)
            turns = [SPARE[(first + step) % len(SPARE)] for step in range(len(SPARE))]
            found[one] = next((colour for colour in turns if colour not in found.values()), turns[0])
    return found | {UNHEDGED: UNHEDGED_COLOUR}

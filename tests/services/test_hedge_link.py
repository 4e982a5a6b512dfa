"""A hedge as the text of a link: short, read back as it was, and hostile text refused in words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import ListedHedge, ListedOption, PriceBasis, leg_at
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.hedge_link import LONGEST_LINK, MOST_LINKED_LEGS, decode, encode
from vaultdash.services.workbench_request import HedgeRequest, LegRequest

SEPTEMBER = date(2026, 9, 18)
COLLAR = HedgeRequest(
    "410 put / 520 call, 18 Sep 2026",
    (LegRequest(Right.PUT, 410.0, SEPTEMBER, 10), LegRequest(Right.CALL, 520.0, SEPTEMBER, -5)),
)
SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def test_a_link_can_be_read_by_people() -> None:
    assert encode(COLLAR) == "h1~GLD~10P410-260918~-5C520-260918"
    assert decode("h1~GLD~10P410-260918~-5C520-260918", "GLD") == COLLAR


def test_sizes_prices_commission_and_funding_are_kept() -> None:
    hedge = HedgeRequest(
        "412.5 put / 400 put, 18 Sep 2026",
        (
            LegRequest(Right.PUT, 412.5, SEPTEMBER, 3, PriceBasis.OWN, 7.25, multiplier=10),
            LegRequest(Right.PUT, 400.0, SEPTEMBER, -3, PriceBasis.MID),
        ),
        commission=0.0,
        funding=PremiumFunding.SELL_GOLD,
    )
    assert encode(hedge) == "h1~GLD~3P412.5-260918x10-o7.25~-3P400-260918-m~gold~c0"
    assert decode(encode(hedge)) == hedge


def test_a_listed_hedge_is_linked_by_its_contracts_not_its_prices() -> None:
    put = ListedOption(Right.PUT, 410.0, SEPTEMBER, 9.0, 9.2)
    assert encode(ListedHedge("any title", (leg_at(put, 10),))) == "h1~GLD~10P410-260918"


legs = st.builds(
    LegRequest,
    right=st.sampled_from(Right),
    strike=st.integers(1, 99_999_000).map(lambda thousandths: thousandths / 1000),
    expiration=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    contracts=st.integers(1, 999_999) | st.integers(-999_999, -1),
    multiplier=st.integers(1, 10_000),
)
priced = st.tuples(legs, st.floats(0, 1e5)).map(
    lambda pair: LegRequest(
        pair[0].right, pair[0].strike, pair[0].expiration, pair[0].contracts, PriceBasis.OWN, round(pair[1], 4)
    )
)
hedges = st.builds(
    HedgeRequest,
    title=st.just("t"),
    legs=st.lists(legs | priced, min_size=1, max_size=12).map(tuple),
    commission=st.sampled_from((0.0, 0.65, 1.2, 12.5)),
    funding=st.sampled_from(PremiumFunding),
)


@given(hedges)
def test_every_hedge_is_read_back_as_it_was(hedge: HedgeRequest) -> None:
    text = encode(hedge)
    back = decode(text)
    assert (back.legs, back.commission, back.funding) == (hedge.legs, hedge.commission, hedge.funding)
    assert set(text) <= SAFE
    assert encode(back) == text


@given(st.text(max_size=200) | st.from_regex(r"h1~GLD~[-0-9PCx.om~]{0,60}", fullmatch=True))
def test_any_other_text_is_a_hedge_or_refused(text: str) -> None:
    try:
        read = decode(text)
    except InvalidInput as refused:
        assert str(refused)  # noqa: PT017  most texts are refused, some are hedges
    else:
        assert decode(encode(read)) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not of a kind that is known"),
        ("h2~GLD~10P410-260918", "not of a kind that is known"),
        ("h1~GLD", "must have 1 to 60 legs"),
        ("h1~GLD~10P410-261332", "names no day at its leg 1"),
        ("h1~GLD~10P0-260918", "names no strike at its leg 1"),
        ("h1~GLD~0P410-260918", "cannot be read at its leg 1"),
        ("h1~GLD~10P410-260918~x", "cannot be read at its leg 2"),
        ("h1~GLD~١٠P410-260918", "cannot be read at its leg 1"),
        ("h1~<script>~10P410-260918", "symbol must be"),
        ("h1~GLD~10P410-260918~c99999", "commission above"),
        ("h1~" + "1" * LONGEST_LINK, "at most"),
    ],
)
def test_hostile_text_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        decode(text)


def test_a_link_to_options_on_other_gold_is_refused() -> None:
    with pytest.raises(InvalidInput, match="options on IAU; your gold is valued by GLD"):
        decode("h1~IAU~10P50-260918", "GLD")


def test_what_no_link_carries_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to link to"):
        encode(HedgeRequest("none", ()))
    many = tuple(LegRequest(Right.PUT, 300.0 + n, SEPTEMBER, 1) for n in range(MOST_LINKED_LEGS + 1))
    with pytest.raises(InvalidInput, match="save the hedge as a template instead"):
        encode(HedgeRequest("many", many))
    assert len(encode(HedgeRequest("most", many[:-1]))) <= LONGEST_LINK

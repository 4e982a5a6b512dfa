"""Hedges on the workbench: how they are named, bent and priced, without a page."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import NOON
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import HedgeMarket, ListedHedge, ListedOption, PriceBasis, Rejected, leg_at
from vaultdash.domain.option import Right
from vaultdash.ui.components.workbench_draft import (
    Bench,
    HedgeDraft,
    LegDraft,
    Listed,
    contracts_over,
    draft_of,
    resolve,
    title_of,
)
from vaultdash.ui.pages.workbench_address import Asked, address_of

SEPTEMBER, JANUARY = date(2026, 9, 18), date(2027, 1, 15)
PUT, CALL = Right.PUT, Right.CALL


def an_option(
    strike: float, right: Right = PUT, on: date = SEPTEMBER, bid: float = 4.0, ask: float = 4.4
) -> ListedOption:
    return ListedOption(right, strike, on, bid, ask, open_interest=500)


def a_market(*options: ListedOption, rejected: tuple[Rejected, ...] = ()) -> HedgeMarket:
    return HedgeMarket("GLD", 460.0, NOON, "test", options, rejected=rejected, expirations=(SEPTEMBER, JANUARY))


def listed(*options: ListedOption, rejected: tuple[Rejected, ...] = ()) -> Listed:
    found = Listed()
    found.add(a_market(*options, rejected=rejected))
    return found


def a_leg(strike: float = 400.0, contracts: int = 22, right: Right = PUT, on: date = SEPTEMBER) -> LegDraft:
    return LegDraft(right, strike, on, contracts)


@pytest.mark.parametrize(
    ("legs", "title"),
    [
        ((), "no hedge"),
        ((a_leg(372.5),), "put 372.5"),
        ((a_leg(500, -3, CALL),), "sold call 500"),
        ((a_leg(400), a_leg(340, -22)), "put spread 400 / 340"),
        ((a_leg(420), a_leg(400)), "put ladder 420 / 400"),
        ((a_leg(400), a_leg(520, -22, CALL)), "collar 400 / 520"),
        ((a_leg(400), a_leg(340, -22), a_leg(520, -22, CALL)), "own legs 400 / 340 / 520"),
        (tuple(a_leg(400 - 5 * step) for step in range(6)), "put ladder of 6"),
    ],
)
def test_a_hedge_is_named_by_its_legs(legs: tuple[LegDraft, ...], title: str) -> None:
    assert title_of(HedgeDraft(legs)) == title


def test_a_bought_leg_costs_the_ask_and_a_sold_one_brings_the_bid() -> None:
    book = listed(an_option(400, bid=4.0, ask=4.4), an_option(520, CALL, bid=6.0, ask=6.5))
    found = resolve(HedgeDraft((a_leg(400, 22), a_leg(520, -21, CALL))), book)
    assert found.hedge is not None
    # 22 x 100 x 4.40 paid, 21 x 100 x 6.00 received, 43 contracts at 0.65
    assert found.hedge.net_cost == pytest.approx(9_680 - 12_600 + 27.95)
    assert found.problems == {}


def test_mid_and_an_own_price_are_taken_where_they_are_asked_for() -> None:
    book = listed(an_option(400, bid=4.0, ask=4.4))
    at_mid = resolve(HedgeDraft((replace(a_leg(400, 10), basis=PriceBasis.MID),)), book)
    own = resolve(HedgeDraft((replace(a_leg(400, 10), basis=PriceBasis.OWN, own=4.1),)), book)
    assert at_mid.hedge is not None
    assert own.hedge is not None
    assert at_mid.hedge.net_cost == pytest.approx(10 * 420 + 6.5)
    assert own.hedge.net_cost == pytest.approx(10 * 410 + 6.5)


def test_what_cannot_be_priced_says_why_leg_by_leg() -> None:
    book = listed(an_option(400), rejected=(Rejected(an_option(300, bid=0.0, ask=5.0), "no bid"),))
    legs = (a_leg(401), a_leg(300), a_leg(400, on=JANUARY), a_leg(400))
    found = resolve(HedgeDraft(legs), book)
    assert found.hedge is None
    assert found.problems == {
        0: "The 401 put of 18 Sep 2026 is not listed; take a strike that is.",
        1: "The 300 put of 18 Sep 2026 is left out: no bid.",
        2: "The quotes of the 400 put of 15 Jan 2027 are not read yet.",
    }


def test_a_contract_that_is_left_out_may_be_used_at_an_own_price() -> None:
    book = listed(an_option(400), rejected=(Rejected(an_option(300, bid=0.0, ask=5.0), "no bid"),))
    assert resolve(HedgeDraft((replace(a_leg(300), basis=PriceBasis.OWN, own=0.5),)), book).hedge is not None


def test_a_crossed_quote_is_no_price() -> None:
    found = resolve(HedgeDraft((a_leg(400),)), listed(an_option(400, bid=5.0, ask=4.0)))
    assert found.hedge is None
    assert "one of the two is old" in found.problems[0]


def test_a_strike_steps_to_its_listed_neighbours_and_not_beyond_the_last() -> None:
    book = listed(an_option(380), an_option(395), an_option(400), an_option(500, CALL))
    assert book.beside(a_leg(395), 1) == 400
    assert book.beside(a_leg(395), -1) == 380
    assert book.beside(a_leg(397), 1) == 400
    assert book.beside(a_leg(397), -1) == 395
    assert book.beside(a_leg(400), 1) == 400
    assert book.beside(a_leg(380), -1) == 380
    assert book.nearest(PUT, SEPTEMBER, 396) == 395
    assert book.nearest(PUT, JANUARY, 396) is None


def test_quotes_that_are_read_again_replace_those_of_their_day_alone() -> None:
    book = listed(an_option(400, ask=4.4), an_option(400, on=JANUARY, ask=9.0))
    book.add(a_market(an_option(405, ask=4.9)))
    assert book.strikes(PUT, SEPTEMBER) == (405,)
    assert book.strikes(PUT, JANUARY) == (400,)


def test_four_hedges_lie_side_by_side_and_a_fifth_takes_the_place_of_the_current() -> None:
    bench = Bench()
    for strike in (370, 380, 390, 400):
        bench.beside(HedgeDraft((a_leg(strike),)))
    assert [title_of(one) for one in bench.hedges] == ["put 370", "put 380", "put 390", "put 400"]
    bench.choose(1)
    bench.beside(HedgeDraft((a_leg(410),)))
    assert [title_of(one) for one in bench.hedges] == ["put 370", "put 410", "put 390", "put 400"]


def test_taking_one_away_keeps_the_one_that_is_worked_on() -> None:
    bench = Bench([HedgeDraft((a_leg(strike),)) for strike in (370, 380, 390)], chosen=2)
    bench.remove(0)
    assert title_of(bench.current) == "put 390"
    bench.remove(1)
    assert title_of(bench.current) == "put 380"
    bench.remove(0)
    assert bench.hedges == [HedgeDraft()]


def test_a_bent_hedge_says_that_it_was_changed_once() -> None:
    bench = Bench([HedgeDraft((a_leg(370),), origin="the cheapest hedge")])
    bench.change(0, lambda leg: replace(leg, contracts=10))
    bench.change(0, lambda leg: replace(leg, contracts=11))
    assert bench.current.legs[0].contracts == 11
    assert bench.current.origin == "the cheapest hedge, changed"


def test_a_hedge_has_at_most_twelve_legs() -> None:
    bench = Bench()
    for step in range(14):
        bench.add_leg(a_leg(300 + step))
    assert len(bench.current.legs) == 12


def test_a_draft_of_a_listed_hedge_follows_the_market_again() -> None:
    leg = leg_at(an_option(400, ask=4.4), 5)
    draft = draft_of(ListedHedge("any", (leg,)), "the frontier")
    assert draft.legs == (a_leg(400, 5),)
    found = resolve(draft, listed(an_option(400, ask=5.0)))
    assert found.hedge is not None
    assert found.hedge.legs[0].price == 5.0


def test_the_address_brings_the_same_hedges_back() -> None:
    drafts = [
        HedgeDraft((a_leg(372.5), replace(a_leg(520, -21, CALL), basis=PriceBasis.MID))),
        HedgeDraft(()),
        HedgeDraft((replace(a_leg(400, on=JANUARY), basis=PriceBasis.OWN, own=7.25),)),
    ]
    at = address_of(drafts, "GLD")
    assert at.startswith("/workbench?hedge=h1~GLD~")
    links = tuple(part.partition("=")[2] for part in at.partition("?")[2].split("&"))
    asked = Asked(links)
    assert asked.drafts("GLD", 2174.0) == [drafts[0], drafts[2]]
    assert asked.problem == ""


def test_a_contract_of_the_address_is_taken_over_all_shares() -> None:
    (draft,) = Asked(contract="GLD   260918P00400000").drafts("GLD", 2174.0)
    assert draft.legs == (a_leg(400, 22),)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(hedges=("nonsense",)), "The link to a hedge cannot be used"),
        (Asked(contract="nonsense"), "is no option symbol"),
        (Asked(contract="SLV   260918P00040000"), "is an option on SLV; your gold is valued by GLD"),
        (Asked(hedges=("h1~SLV~10P40-260918",)), "your gold is valued by GLD"),
    ],
)
def test_an_address_that_names_nonsense_says_so(asked: Asked, words: str) -> None:
    assert asked.drafts("GLD", 2174.0) == []
    assert words in asked.problem


@pytest.mark.parametrize(("units", "contracts"), [(2173.9, 22), (2200.0, 22), (2200.5, 23), (12.0, 1)])
def test_every_share_is_covered_by_whole_contracts(units: float, contracts: int) -> None:
    assert contracts_over(units) == contracts


def test_a_price_that_was_never_typed_is_missing() -> None:
    with pytest.raises(InvalidInput, match="an own price is asked for"):
        listed(an_option(400)).leg(replace(a_leg(400), basis=PriceBasis.OWN))

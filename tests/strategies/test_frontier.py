"""The frontier of listed hedges: which candidates there are, who makes whom pointless, and which is best."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from tests.strategies.listed_cases import AT, FAR, MID, SOON, a_case, a_market
from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.hedge_verdict import AlternativeKind, Frontier, FrontierPoint
from vaultdash.domain.listed_hedge import ListedHedge, leg_at
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.frontier import frontier
from vaultdash.strategies.listed_measure import measure_listed

MARKET = a_market()
CREDITED, AFTER_PAYMENT, IGNORED = HedgeCounting.CREDITED, HedgeCounting.AFTER_PAYMENT, HedgeCounting.IGNORED


def hedges(found: Frontier) -> list[FrontierPoint]:
    return [point for point in found.points if point.hedge is not None]


def sold(point: FrontierPoint) -> set[Right]:
    return {leg.option.right for leg in point.hedge.legs if leg.contracts < 0} if point.hedge else set()


def test_hundreds_of_hedges_stand_beside_what_is_no_option() -> None:
    found = frontier(MARKET, a_case())
    assert len(hedges(found)) > 300
    kinds = {point.alternative for point in found.points if point.hedge is None}
    assert kinds == set(AlternativeKind)
    assert found.points[0].alternative is AlternativeKind.NOTHING
    sizes = {len(point.hedge.legs) for point in hedges(found) if point.hedge}
    assert sizes == {1, 2, 3}
    assert {point.hedge.first_expiration for point in hedges(found) if point.hedge} == {SOON, MID, FAR}


def test_every_put_above_the_call_price_is_a_candidate_over_the_whole_gold() -> None:
    found = frontier(a_market(MID), a_case())
    whole = {
        point.hedge.legs[0].option.strike
        for point in hedges(found)
        if point.hedge and len(point.hedge.legs) == 1 and point.hedge.legs[0].contracts == 22
    }
    puts = {option.strike for option in a_market(MID) if option.right is Right.PUT}
    assert {strike for strike in whole if strike > 368} == {strike for strike in puts if 368 < strike <= 1.1 * 460}
    assert len([strike for strike in whole if strike <= 368]) == 8  # a few of those that pay only after the call


@pytest.mark.parametrize("counting", HedgeCounting)
def test_each_figure_is_that_of_the_measure_alone(counting: HedgeCounting) -> None:
    case = a_case(split_custody=False)
    found = frontier(MARKET, case, counting=counting)
    for point in hedges(found)[::37]:
        assert point.hedge is not None
        alone = measure_listed(point.hedge, case)
        kept = alone.countings[counting]
        assert (point.net_cost, point.cost_per_year) == (alone.net_cost, alone.cost_per_year)
        assert point.cost_per_year_pct == alone.cost_per_year_pct
        assert (point.deepest_fall, point.worst_ltv) == (kept.deepest_fall, kept.worst_ltv)
        assert point.upside_kept == alone.upside_kept


@pytest.mark.parametrize(("counting", "split"), list(product(HedgeCounting, [True, False])))
def test_who_is_dominated_is_as_every_pair_says(counting: HedgeCounting, split: bool) -> None:
    found = frontier(MARKET, a_case(split_custody=split), counting=counting)
    # in units of 1e-9, below which two figures are the same
    compared = {
        place: (
            round(point.cost_per_year_pct, 9),
            -round(-1.0 if point.deepest_fall is None else point.deepest_fall, 9),
            -round(point.upside_kept, 9),
        )
        for place, point in enumerate(found.points)
        if point.hedge is not None or place == 0
    }
    for place, point in enumerate(found.points):
        if place not in compared:
            assert point.dominated_by is None
            continue
        own = compared[place]
        better = [
            other
            for other, theirs in compared.items()
            if all(a <= b for a, b in zip(theirs, own, strict=True)) and (theirs != own or other < place)
        ]
        assert (point.dominated_by is None) == (not better)
        if point.dominated_by is not None:
            assert point.dominated_by in better
            assert compared[point.dominated_by][0] == min(compared[other][0] for other in better)


@pytest.mark.parametrize("counting", [CREDITED, AFTER_PAYMENT])
def test_no_number_of_any_one_put_is_cheaper_than_the_best(counting: HedgeCounting) -> None:
    case = a_case(counting)
    found = frontier(a_market(MID), case)
    assert found.best is not None
    best = found.points[found.best]
    assert best.hedge is not None
    assert measure_listed(best.hedge, case).as_counted.keeps
    single = []
    for option, count in product(a_market(MID), range(10, 30)):
        if option.right is Right.PUT and option.ask is not None and 368 < option.strike <= 420:
            hedge = ListedHedge("put", (leg_at(option, count),))
            if hedge.net_cost < best.net_cost:
                single.append(measure_listed(hedge, case).as_counted.keeps)
    assert single
    assert not any(single)


def test_the_best_gives_no_rise_away_however_much_a_call_would_bring() -> None:
    found = frontier(MARKET, a_case(split_custody=False))
    assert found.best is not None
    best = found.points[found.best]
    assert best.upside_kept == 1.0
    assert any(point.cost_per_year < best.cost_per_year and Right.CALL in sold(point) for point in found.points)


def test_calls_are_sold_only_where_the_gold_is_with_them_and_only_on_whole_contracts() -> None:
    assert not any(Right.CALL in sold(point) for point in frontier(MARKET, a_case()).points)
    assert "No collars" in " ".join(frontier(MARKET, a_case()).remarks)
    beside = frontier(MARKET, a_case(split_custody=False))
    collars = [point for point in beside.points if Right.CALL in sold(point)]
    assert collars
    assert {leg.contracts for point in collars if point.hedge for leg in point.hedge.legs} == {22, -21}


def test_a_lender_who_ignores_options_has_no_best_and_doing_nothing_beats_all_puts() -> None:
    found = frontier(MARKET, a_case(IGNORED))
    assert found.best is None
    assert all(point.dominated_by == 0 for point in hedges(found) if point.net_cost > 0)
    assert "no option keeps its call away" in found.remarks[0]
    assert frontier(MARKET, a_case(), counting=IGNORED).points == found.points


def test_alternatives_do_as_much_as_the_best_or_as_the_furthest() -> None:
    repaid = [point for point in frontier(MARKET, a_case()).points if point.alternative is AlternativeKind.REPAY]
    assert repaid[-1].deepest_fall == 0.6
    only_low = [option for option in a_market(MID) if option.strike <= 380]  # too few puts keep all away
    none = frontier([each for each in only_low if each.strike < 368], a_case())
    assert none.best is None
    assert "furthest keeps them away down to a fall of 20.0%" in none.remarks[0]
    last = [point for point in none.points if point.alternative is AlternativeKind.REPAY]
    assert all(point.capital in (30_000, 60_000, 120_000, 180_000, 300_000) or point.capital < 1 for point in last)


def test_a_loan_that_is_called_now_has_no_fall_to_keep() -> None:
    found = frontier(MARKET, a_case(units=1_700.0), counting=IGNORED)
    assert found.points[0].deepest_fall is None
    assert any(point.alternative is AlternativeKind.REPAY and point.deepest_fall for point in found.points)


def test_expirations_are_those_at_or_after_the_horizon_and_spread_over_the_listed() -> None:
    def of(horizon: date | None) -> set[date]:
        found = frontier(market, a_case(), horizon=horizon)
        return {
            point.hedge.first_expiration for point in hedges(found) if point.hedge and point.hedge.first_expiration
        }

    days = [AT.date() + timedelta(days=7 * week) for week in range(1, 15)]
    market = [option for day in days for option in a_market(day, step=40.0)]
    assert len(of(None)) == 6
    assert min(of(None)) == days[4]  # 35 days: the first at least 30 away
    assert max(of(None)) == days[-1]
    assert min(of(days[1])) == days[1]
    assert of(days[-1]) == {days[-1]}
    assert "expirations are listed in between" in frontier(market, a_case()).remarks[-1]
    soon = [option for option in market if option.expiration <= days[2]]
    assert {point.hedge.first_expiration for point in hedges(frontier(soon, a_case())) if point.hedge} == set(
        days[:3]
    )
    with pytest.raises(Refused, match="no listed contracts"):
        of(days[-1] + timedelta(days=1))


def test_quotes_that_cannot_be_traded_are_in_no_candidate() -> None:
    odd = [
        replace(option, ask=None)
        if option.strike == 400
        else replace(option, bid=99.0)
        if option.strike == 410
        else option
        for option in a_market(MID)
    ]
    used = {
        (leg.option.strike, leg.contracts > 0)
        for point in hedges(frontier(odd, a_case()))
        if point.hedge
        for leg in point.hedge.legs
    }
    assert (400.0, True) not in used
    assert not {(410.0, True), (410.0, False)} & used


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="price_range"):
        frontier(MARKET, a_case(), price_range=(0.5, -0.5))

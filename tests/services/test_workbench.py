"""The workbench: on which loan and contracts it stands, and what it says when they cannot be had."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.builders import NOON, a_contract, a_portfolio, a_quote, an_option_quote
from tests.services.conftest import House
from tests.services.workbench_house import DAYS, LEAPS, QUARTER, SPRING, USUAL, WINTER, Bench, a_bench
from vaultdash.domain.errors import InvalidInput, NotFound, Refused, Unavailable
from vaultdash.domain.listed_hedge import PriceBasis, StrategyKind
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark, PremiumFunding
from vaultdash.services.workbench_hedges import held_hedge
from vaultdash.services.workbench_request import CaseChange, CheapestRequest, HedgeRequest, LegRequest, ScenarioGrid
from vaultdash.storage.sql import SqlDatabase

GIVEN = CaseChange(spot=400.0, units=1000.0, loan_amount=240_000.0)


@pytest.fixture
async def bench(house: House, database: SqlDatabase) -> Bench:
    """With its first price: 460, on which the loan stands at 60 %."""
    await house.heartbeat.beat()
    return a_bench(house, database)


async def test_the_case_is_the_owners_loan_at_the_latest_price(bench: Bench) -> None:
    case, standing = await bench.workbench.case()
    assert (case.spot, case.units) == (460.0, pytest.approx(1_000_000 / 460))
    assert (case.ltv, case.call_price) == (pytest.approx(0.60), pytest.approx(368.0))
    assert (case.rate, case.at, case.split_custody, case.broker_margin) == (0.037, NOON, True, 0.0)
    assert (standing.withheld, standing.hypothetical) == (None, False)
    assert standing.quote is not None
    assert standing.quote.price == 460.0


async def test_a_change_is_applied_and_leaves_the_rest(bench: Bench) -> None:
    change = CaseChange(
        margin_call_ltv=0.65,
        counting=HedgeCounting.CREDITED,
        haircut=0.1,
        loan_amount=500_000,
        rate=0.02,
        split_custody=False,
        broker_margin=1_000.0,
    )
    case, standing = await bench.workbench.case(change)
    loan = case.loan
    assert (loan.amount, loan.margin_call_ltv, loan.hedge_counting, loan.hedge_haircut) == (
        500_000,
        0.65,
        HedgeCounting.CREDITED,
        0.1,
    )
    assert loan.warning_ltv < 0.65
    assert (case.rate, case.split_custody, case.broker_margin, case.spot) == (0.02, False, 1_000.0, 460.0)
    assert not standing.hypothetical
    assert any("not those of your settings" in remark for remark in standing.remarks)


async def test_a_given_price_is_hypothetical_and_withholds_nothing(bench: Bench) -> None:
    case, standing = await bench.workbench.case(CaseChange(spot=380.0))
    assert (case.spot, case.ltv) == (380.0, pytest.approx(0.60 * 460 / 380))
    assert (standing.hypothetical, standing.withheld) == (True, None)
    assert "the price of 380.00 was given; the market's is 460.00" in standing.remarks


async def test_figures_that_are_all_given_need_neither_price_nor_portfolio(
    house: House, database: SqlDatabase
) -> None:
    case, standing = await a_bench(house, database).workbench.case(GIVEN)
    assert (case.spot, case.units, case.loan.amount, case.loan.hedge_counting) == (
        400.0,
        1000.0,
        240_000.0,
        HedgeCounting.CREDITED,
    )
    assert standing.quote is None


async def test_without_a_price_it_says_so(house: House, database: SqlDatabase) -> None:
    with pytest.raises(Unavailable, match="There is no price yet"):
        await a_bench(house, database).workbench.case()


@pytest.mark.parametrize("change", [replace(GIVEN, loan_amount=400_000.0), CaseChange(loan_amount=1_000_001.0)])
async def test_a_loan_above_its_collateral_is_refused_in_words(bench: Bench, change: CaseChange) -> None:
    with pytest.raises(InvalidInput, match="100% of the collateral's value; a loan must be below 100 % of it"):
        await bench.workbench.case(change)


async def test_an_old_price_withholds_with_the_advisors_sentence(bench: Bench) -> None:
    bench.house.clock.go_on(3600)
    _, standing = await bench.workbench.case()
    assert standing.withheld == "The price is 60 minutes old: no recommendation until a new one arrives."
    assert any(remark.startswith("the price of 460.00 is 60 minutes old") for remark in standing.remarks)


async def test_a_loan_in_francs_is_counted_in_dollars(bench: Bench) -> None:
    house = bench.house
    house.market.dollar_costs["CHF=X"] = a_quote(0.8, "CHF=X", currency="CHF", previous_close=0.8)
    await house.book.open()
    await house.book.save(a_portfolio(loan=480_000, currency="CHF"), "test")
    await house.heartbeat.beat()
    case, standing = await bench.workbench.case()
    assert (case.loan.amount, case.loan.currency) == (pytest.approx(600_000), "USD")
    assert any("these options protect the price in dollars alone" in remark for remark in standing.remarks)


async def test_the_market_begins_a_third_of_a_year_ahead_and_takes_three_expirations(bench: Bench) -> None:
    market = await bench.workbench.market()
    assert sorted({option.expiration for option in market.options}) == [USUAL, WINTER, SPRING]
    assert market.expirations == DAYS
    assert (market.spot, market.source, market.is_stale, market.is_demo) == (460.0, "Scripted", False, False)
    put = next(o for o in market.options if (o.strike, o.right, o.expiration) == (430.0, Right.PUT, USUAL))
    assert put.volatility == pytest.approx(0.2, abs=0.02)
    assert put.mid is not None
    assert put.ask == pytest.approx(put.mid + 0.02)


async def test_a_horizon_and_a_last_day_choose_the_expirations(bench: Bench) -> None:
    market = await bench.workbench.market(QUARTER, latest=WINTER)
    assert sorted({option.expiration for option in market.options}) == [QUARTER, USUAL, WINTER]
    assert {o.expiration for o in (await bench.workbench.market(date(2027, 4, 1))).options} == {LEAPS}


@pytest.mark.parametrize(
    ("horizon", "latest", "words"),
    [
        (date(2028, 1, 1), None, "after the last expiration of GLD that is listed, 2027-06-17"),
        (date(2026, 6, 1), None, "has passed; give a day from 2026-06-10 on"),
        (WINTER, QUARTER, "is before the horizon"),
        (
            date(2026, 9, 19),
            date(2026, 9, 30),
            "leaves no expiration; the first at or after 2026-09-19 is 2026-10-16",
        ),
    ],
)
async def test_a_horizon_without_expirations_is_refused_in_words(
    bench: Bench, horizon: date, latest: date | None, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        await bench.workbench.market(horizon, latest=latest)


async def test_a_provider_that_is_down_is_told_in_words(bench: Bench) -> None:
    bench.listed.failure = Unavailable("Scripted does not answer")
    with pytest.raises(Unavailable, match=r"No option quotes of GLD can be had \(Scripted does not answer\)"):
        await bench.workbench.market()
    with pytest.raises(Unavailable, match="give contracts with their quotes"):
        await bench.workbench.cheapest(CheapestRequest(max_hedged_ltv=0.74))


async def test_old_quotes_are_marked_and_withhold_the_recommendation(bench: Bench) -> None:
    market = await bench.workbench.market()
    bench.listed.failure = Unavailable("Scripted does not answer")
    bench.house.clock.go_on(1800)
    bench.house.market.price = 460.0
    await bench.house.heartbeat.beat()
    market = await bench.workbench.market()
    assert market.is_stale
    assert "the quotes of 16 Oct 2026 are old, of 10 Jun 2026, 16:00 UTC" in market.remarks
    assert "newer quotes could not be had: Scripted does not answer" in market.remarks
    report = await bench.workbench.cheapest(CheapestRequest(max_hedged_ltv=0.74, credit=HedgeCounting.CREDITED))
    assert report.withheld is not None
    assert report.withheld.startswith("The option quotes are of 10 Jun 2026, 16:00 UTC, and newer ones are missing")


async def test_crossed_quotes_are_left_out_and_counted(bench: Bench) -> None:
    quotes = [
        an_option_quote(a_contract(430.0, Right.PUT, USUAL), bid=9.0, ask=8.0),
        an_option_quote(a_contract(440.0, Right.PUT, USUAL), bid=12.0, ask=12.2),
    ]
    bench.listed.quotes = tuple(quotes)
    market = await bench.workbench.market(USUAL, latest=USUAL)
    assert [option.strike for option in market.options] == [440.0]
    assert market.counts == {"bid above ask": 1}
    assert "1 contract is not used because its bid is above the ask: one of the two is old" in market.remarks


async def test_a_chain_where_nothing_can_be_used_is_an_answer(bench: Bench) -> None:
    bench.listed.quotes = (an_option_quote(a_contract(430.0, Right.PUT, USUAL), bid=0.0, ask=8.0),)
    report = await bench.workbench.cheapest(CheapestRequest(max_hedged_ltv=0.74, horizon=USUAL))
    assert report.found.status.value == "infeasible"
    assert report.found.reason.startswith("None of the 3 contracts can be used: 3 no bid")


async def test_legs_trade_at_the_quotes_of_the_chain_unless_theirs_are_given(bench: Bench) -> None:
    chain = await bench.workbench.market(USUAL, latest=USUAL)
    listed = {(option.right, option.strike): option for option in chain.options}
    hedge = await bench.workbench.resolve(
        HedgeRequest(
            "mixed",
            (
                LegRequest(Right.PUT, 430.0, USUAL, 10),
                LegRequest(Right.PUT, 400.0, USUAL, -10),
                LegRequest(Right.PUT, 420.0, USUAL, 1, PriceBasis.MID),
                LegRequest(Right.PUT, 431.5, USUAL, 2, bid=5.0, ask=5.2),
                LegRequest(Right.CALL, 500.0, USUAL, -3, PriceBasis.OWN, price=7.7),
            ),
            commission=1.0,
            funding=PremiumFunding.LOAN,
        )
    )
    prices = [leg.price for leg in hedge.legs]
    assert prices[0] == listed[Right.PUT, 430.0].ask
    assert prices[1] == listed[Right.PUT, 400.0].bid
    assert prices[2] == listed[Right.PUT, 420.0].mid
    assert prices[3:] == [5.2, 7.7]
    assert hedge.legs[4].option.volatility == listed[Right.CALL, 500.0].volatility
    assert (hedge.commission, hedge.funding) == (1.0, PremiumFunding.LOAN)


async def test_a_contract_that_is_not_listed_names_its_neighbours(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no 433 put of 16 Oct 2026 in the chain; the nearest strikes are 430 and 440"):
        await bench.workbench.resolve(HedgeRequest("x", (LegRequest(Right.PUT, 433.0, USUAL, 1),)))
    with pytest.raises(NotFound, match="no options of 17 Oct 2026; the nearest are 18 Sep 2026 and 16 Oct 2026"):
        await bench.workbench.resolve(HedgeRequest("x", (LegRequest(Right.PUT, 430.0, date(2026, 10, 17), 1),)))


async def test_an_own_price_needs_no_chain(bench: Bench) -> None:
    bench.listed.failure = Unavailable("Scripted does not answer")
    hedge = await bench.workbench.resolve(
        HedgeRequest("x", (LegRequest(Right.PUT, 430.0, USUAL, 1, PriceBasis.OWN, price=9.0),))
    )
    assert hedge.net_cost == pytest.approx(900.65)
    with pytest.raises(InvalidInput, match="say own"):
        await bench.workbench.resolve(
            HedgeRequest("x", (LegRequest(Right.PUT, 430.0, USUAL, 1, price=9.0, bid=8.9, ask=9.1),))
        )


async def test_a_strategy_is_built_from_the_live_chain(bench: Bench) -> None:
    hedge = await bench.workbench.build(StrategyKind.COLLAR, expiration=WINTER, strikes=(430.0, 510.0))
    assert [(leg.option.strike, leg.option.expiration, leg.contracts) for leg in hedge.legs] == [
        (430.0, WINTER, 22),
        (510.0, WINTER, -21),
    ]
    leaps = await bench.workbench.build(StrategyKind.LEAPS)
    assert leaps.first_expiration == LEAPS


async def test_a_hedge_saved_as_a_template_is_built_again_from_the_chain(bench: Bench) -> None:
    hedge = await bench.workbench.build(StrategyKind.PROTECTIVE_PUT, expiration=WINTER, strikes=(420.0,))
    kept = await bench.workbench.save_template(hedge, "Winter put")
    assert kept in await bench.templates.own()
    again = await bench.workbench.from_template(kept.id)
    assert [(leg.option, leg.contracts) for leg in again.legs] == [(leg.option, leg.contracts) for leg in hedge.legs]
    with pytest.raises(Refused, match="has that name already"):
        await bench.workbench.save_template(hedge, "Winter put")
    assert (await bench.workbench.from_template("no_hedge")).legs == ()


async def test_a_hedge_is_measured_in_every_counting(bench: Bench) -> None:
    request = HedgeRequest("put", (LegRequest(Right.PUT, 400.0, USUAL, 22, bid=4.0, ask=4.2),))
    report = await bench.workbench.measure([request, HedgeRequest("nothing", ())])
    put, nothing = report.measures
    assert put.net_cost == pytest.approx(22 * (420 + 0.65))
    units = 1_000_000 / 460
    worst = 600_000 / (units * 184 + 2200 * (400 - 184))  # at -60 %: the end of the range
    at_strike = 600_000 / (units * 400)
    assert put.countings[HedgeCounting.CREDITED].worst_ltv == pytest.approx(max(worst, at_strike))
    assert nothing.countings[HedgeCounting.CREDITED].worst_ltv == pytest.approx(0.6 / 0.4)
    assert (nothing.net_cost, nothing.countings[HedgeCounting.IGNORED].deepest_fall) == (0.0, pytest.approx(0.2))


def a_mark(held: HeldOption, price: float | None) -> OptionMark:
    return OptionMark(held, MarkBasis.QUOTE, price, price, NOON, "test", implied_volatility=0.2)


async def test_the_options_held_are_a_hedge_at_what_closing_them_brings(bench: Bench) -> None:
    put = a_contract(440.0, Right.PUT, USUAL)
    one, two = (HeldOption(name, put, count, 9.9, date(2026, 6, 1)) for name, count in (("a", 5), ("b", 3)))
    call = HeldOption("c", a_contract(500.0, Right.CALL, USUAL), -4, 6.0, date(2026, 6, 1))
    beat = bench.house.heartbeat.current()
    assert beat is not None
    assert beat.snapshot is not None
    held = held_hedge(
        replace(beat.snapshot, hedge=HedgeMark((a_mark(one, 11.0), a_mark(two, 11.0), a_mark(call, 7.0))))
    )
    assert [(leg.contracts, leg.price) for leg in held.legs] == [(8, 11.0), (-4, 7.0)]
    assert held.net_cost == pytest.approx(8 * 1100 - 4 * 700)
    assert (await bench.workbench.held()).legs == ()


async def test_a_grid_is_kept_in_order_replaced_and_removed(bench: Bench) -> None:
    made = await bench.workbench.keep_grid(ScenarioGrid(" Falls ", (0.0, -0.3, -0.1, -0.3), (0.1, 0.0), (90, 0)))
    assert made == ScenarioGrid("Falls", (-0.3, -0.1, 0.0), (0.0, 0.1), (0, 90))
    await bench.workbench.keep_grid(ScenarioGrid("A calm year", (0.0,), (0.0,), (365,)))
    await bench.workbench.keep_grid(ScenarioGrid("Falls", (-0.5,), (0.0,), (0,)))
    assert [(grid.name, grid.prices) for grid in await bench.workbench.grids()] == [
        ("A calm year", (0.0,)),
        ("Falls", (-0.5,)),
    ]
    await bench.workbench.remove_grid("Falls")
    with pytest.raises(NotFound, match="There is no grid 'Falls'; there are 'A calm year'"):
        await bench.workbench.remove_grid("Falls")


@pytest.mark.parametrize(
    ("grid", "argument"),
    [
        (ScenarioGrid("a/b", (0.0,), (0.0,), (0,)), "name"),
        (ScenarioGrid("", (0.0,), (0.0,), (0,)), "name"),
        (ScenarioGrid("x", (-1.0,), (0.0,), (0,)), "prices"),
        (ScenarioGrid("x", (), (0.0,), (0,)), "prices"),
        (ScenarioGrid("x", (float("nan"),), (0.0,), (0,)), "prices"),
        (ScenarioGrid("x", (0.0,), (3.0,), (0,)), "volatilities"),
        (ScenarioGrid("x", (0.0,), (0.0,), (-1,)), "days"),
        (ScenarioGrid("x", tuple(n / 100 for n in range(61)), (0.0,), (0,)), "prices"),
    ],
)
async def test_a_grid_that_makes_no_sense_is_refused(bench: Bench, grid: ScenarioGrid, argument: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await bench.workbench.keep_grid(grid)
    assert refused.value.argument == argument


async def test_a_rate_is_read_once_a_minute(bench: Bench) -> None:
    first = (await bench.workbench.case())[1].rate
    bench.house.clock.go_on(30)
    assert (await bench.workbench.case())[1].rate is first
    bench.house.clock.go_on(timedelta(minutes=2).total_seconds())
    assert (await bench.workbench.case())[1].rate == first

"""Replays on few days whose figures can be computed by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.backtest.books import normal, sigma_of
from tests.backtest.invented import Case, days_of
from tests.backtest.plain import FREE_OF_COST, a_put, a_scenario, bought, hedged
from vaultdash.backtest import engine
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.premiums import ObservedPremiums
from vaultdash.backtest.result import Ending, Reason
from vaultdash.backtest.scenario import Source, TradeAt
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import RollPolicy, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.pricing.compiled import ENGINES, Engine
from vaultdash.strategies.templates import NO_HEDGE, TEMPLATES, system_template

NOTHING = system_template(NO_HEDGE)
PUT = system_template("protective_put_otm_95")


def test_a_quiet_loan_is_never_called() -> None:
    market = days_of(np.array([100.0, 101.0, 99.0, 98.0]))
    said = engine.run(a_scenario(market, 0.6), NOTHING, market, "reference").summary
    assert said.survived
    assert said.ending is Ending.NO_CALL
    assert said.max_ltv == pytest.approx(60_000 / 98_000)
    assert said.max_ltv_on == market.days[3]
    assert said.least_headroom == pytest.approx(0.75 * 98_000 - 60_000)
    assert said.final_equity == pytest.approx(38_000)


def test_an_ltv_that_lands_exactly_on_the_limit_is_a_call() -> None:
    market = days_of(np.array([100.0, 80.0, 100.0, 100.0]))
    run = engine.run(a_scenario(market, 0.6), NOTHING, market, "reference")
    assert run.summary.first_breach_date == market.days[1]
    assert run.calls[0].ltv == pytest.approx(0.75)


def test_gold_is_sold_at_the_next_close_down_to_the_target() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0, 92.0]))
    scenario = a_scenario(market, 0.7, target_ltv=0.7, costs=replace(FREE_OF_COST, gold_slippage=0.01))
    run = engine.run(scenario, NOTHING, market, "reference")
    # 70,000 owed on 92,000: what is sold at 91.08 must satisfy (70,000 - 91.08 u) / (92,000 - 92 u) = 0.7
    units = (70_000 - 0.7 * 92_000) / (91.08 - 0.7 * 92)
    call = run.calls[0]
    assert call.called_on == market.days[1]
    assert call.deadline == market.days[3]
    assert call.ended_on == market.days[2]
    assert call.ending is Ending.CURED_WITH_GOLD
    assert call.units_sold == pytest.approx(units)
    assert call.from_gold == pytest.approx(units * 91.08)
    assert run.series.lender_ltv[2] == pytest.approx(0.7)
    # the cash of the sale is there at once, and repays a session later
    assert run.series.loan.tolist() == pytest.approx(
        [70_000, 70_000, 70_000, 70_000 - units * 91.08, 70_000 - units * 91.08]
    )
    assert run.series.cash[2] == pytest.approx(units * 91.08)
    assert run.series.cash[3] == pytest.approx(0.0, abs=1e-9)
    assert run.summary.days_in_breach == 1


def test_spare_cash_cures_before_gold() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0]))
    run = engine.run(a_scenario(market, 0.7, target_ltv=0.7, spare_cash=50_000), NOTHING, market, "reference")
    assert run.calls[0].ending is Ending.CURED_WITH_CASH
    assert run.calls[0].from_cash == pytest.approx(70_000 - 0.7 * 92_000)
    assert run.summary.units_end == 1_000
    assert run.series.cash[-1] == pytest.approx(50_000 - 5_600)


def test_a_price_that_rises_again_before_anything_is_sold_ends_the_call() -> None:
    market = days_of(np.array([100.0, 92.0, 99.0, 99.0]))
    run = engine.run(a_scenario(market), NOTHING, market, "reference")
    assert [call.ending for call in run.calls] == [Ending.CURED_BY_ITSELF]
    assert run.summary.units_end == 1_000
    assert not run.summary.survived


def test_at_the_close_out_limit_the_lender_sells_everything_at_once() -> None:
    market = days_of(np.array([100.0, 80.0, 120.0, 120.0]))
    scenario = a_scenario(market, costs=replace(FREE_OF_COST, gold_slippage=0.02))
    run = engine.run(scenario, NOTHING, market, "reference")
    call = run.calls[0]
    assert call.ending is Ending.LIQUIDATED
    assert call.ended_on == market.days[1]
    assert run.summary.max_ltv == pytest.approx(0.875)
    assert run.summary.units_end == 0
    assert run.summary.loan_end == 0
    assert run.series.equity[1:].tolist() == pytest.approx([1_000 * 80 * 0.98 - 70_000] * 3)
    assert np.isnan(run.series.lender_ltv[2:]).all()


def test_without_days_to_cure_the_call_is_the_sale() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0]))
    run = engine.run(a_scenario(market, cure_days=0), NOTHING, market, "reference")
    assert run.calls[0].ending is Ending.LIQUIDATED
    assert run.calls[0].deadline == market.days[1]


def test_money_that_arrives_after_the_deadline_is_too_late_where_options_are_ignored() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0, 92.0, 92.0]))
    template = hedged(a_put(1.1))
    in_time = a_scenario(market, cure_days=2, settlement_days=1, hedge_counting=HedgeCounting.IGNORED)
    late = replace(in_time, settlement_days=2)
    assert engine.run(in_time, template, market, "reference").calls[0].ending is Ending.CURED_BY_HEDGE
    assert engine.run(late, template, market, "reference").calls[0].ending is Ending.LIQUIDATED


def test_only_as_many_puts_are_sold_as_the_cure_needs_in_whole_contracts() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0, 92.0]))
    scenario = a_scenario(market, target_ltv=0.7, hedge_counting=HedgeCounting.IGNORED)
    run = engine.run(scenario, hedged(a_put(1.1)), market, "reference")
    sale = next(trade for trade in run.trades if trade.reason is Reason.CURE)
    # 70,000 - 0.7 * 92,000 = 5,600 at what a contract brought on the day of the decision, the same price a day older
    assert sale.contracts == -int(np.ceil(5_600 / (100 * sale.price)))
    assert run.calls[0].from_hedge == pytest.approx(-sale.contracts * 100 * sale.price)
    assert run.calls[0].ended_on == market.days[3]


def test_a_credited_put_that_is_sold_takes_its_credit_with_it() -> None:
    market = days_of(np.array([100.0, 70.0, 70.0, 70.0, 70.0, 70.0]), level=0.05, long_run=np.full(6, 0.05))
    scenario = a_scenario(
        market, 0.7, target_ltv=0.65, warning_ltv=0.7, hedge_counting=HedgeCounting.CREDITED, cure_days=5
    )
    run = engine.run(scenario, hedged(a_put(0.90), coverage=0.9), market, "reference")
    call = run.calls[0]
    pi = run.series.hedge_value[1]
    needed = 70_000 - 0.65 * (70_000 + pi)
    per_contract = pi / 9 * (1 - 0.65)
    sale = next(trade for trade in run.trades if trade.reason is Reason.CURE)
    assert -sale.contracts == min(9, int(np.ceil(needed / per_contract - 1e-9)))
    assert call.from_hedge > 0


def test_contracts_of_a_ladder_add_up_to_the_whole() -> None:
    market = days_of(np.full(5, 100.0))
    ladder = hedged(a_put(1.0, share=1 / 3), a_put(0.95, share=1 / 3), a_put(0.9, share=1 / 3))
    assert bought(engine.run(a_scenario(market, units=2_200), ladder, market, "reference")) == [8, 7, 7]
    assert bought(engine.run(a_scenario(market, units=2_201), ladder, market, "reference")) == [8, 7, 8]


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (10, "100 shares in a contract are more than the 10 pledged"),
        (150, "200 shares in 2 contracts are more than the 150 pledged"),
        (200, ""),
        (2_201, ""),
    ],
)
def test_a_hedge_larger_than_the_gold_is_told(units: float, said: str) -> None:
    market = days_of(np.full(5, 100.0))
    remarks = engine.run(a_scenario(market, units=units), PUT, market, "reference").remarks
    assert len(remarks) == bool(said)
    assert said in "".join(remarks)


def test_sold_calls_are_covered_by_whole_hundreds_of_units() -> None:
    market = days_of(np.full(5, 100.0))
    run = engine.run(a_scenario(market, units=2_299), system_template("collar_95_110"), market, "reference")
    assert bought(run) == [23, -22]


def test_calls_beyond_the_gold_are_bought_back_when_gold_is_sold() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0]))
    scenario = a_scenario(market, units=1_000, hedge_counting=HedgeCounting.IGNORED)
    call = TemplateLeg(Right.CALL, Strike(StrikeRule.PERCENT_OF_SPOT, 1.1), 12.0, Side.SELL)
    run = engine.run(scenario, hedged(call), market, "reference")
    assert bought(run) == [-10]
    back = sum(trade.contracts for trade in run.trades if trade.reason is Reason.CURE)
    assert 10 - back == int(run.summary.units_end // 100)


def test_the_first_strike_above_the_call_price_is_above_it() -> None:
    market = days_of(np.full(3, 100.0))
    # L = 70 a unit and m = 0.75: a call at 93.33; beyond three months strikes are five apart
    run = engine.run(a_scenario(market), system_template("first_strike_above_call"), market, "reference")
    assert run.trades[0].strike == 95.0
    exact = a_scenario(market, 0.7125)  # a call at 95 itself
    assert (
        engine.run(exact, system_template("first_strike_above_call"), market, "reference").trades[0].strike == 100.0
    )


def test_a_put_by_delta_has_the_listed_strike_nearest_to_it() -> None:
    market = days_of(np.full(3, 200.0))
    leg = TemplateLeg(Right.PUT, Strike(StrikeRule.DELTA, 0.25), 6.0)
    run = engine.run(a_scenario(market), hedged(leg), market, "reference")
    strike, expiration = run.trades[0].strike, run.trades[0].expiration
    deltas = {}
    for near in (strike - 5, strike, strike + 5):
        years = (expiration - market.days[0]).days / 365
        sigma = sigma_of(Case(a_scenario(market), PUT, market), 0, near, years)
        d1 = (np.log(200 / near) + (0.04 + sigma**2 / 2) * years) / (sigma * np.sqrt(years))
        deltas[near] = abs(normal(-d1) - 0.25)
    assert min(deltas, key=deltas.__getitem__) == strike


def test_premiums_are_paid_by_cash_loan_or_gold() -> None:
    market = days_of(np.full(3, 100.0))
    runs = {
        funding: engine.run(a_scenario(market, 0.5), hedged(a_put(0.95), funding=funding), market, "reference")
        for funding in PremiumFunding
    }
    cost = -runs[PremiumFunding.CASH].trades[0].cash
    assert runs[PremiumFunding.CASH].series.cash[0] == pytest.approx(-cost)
    assert runs[PremiumFunding.LOAN].series.loan[0] == pytest.approx(50_000 + cost)
    assert runs[PremiumFunding.SELL_GOLD].series.units[0] == pytest.approx(1_000 - cost / 100)


def test_the_yearly_budget_binds_the_number_of_contracts() -> None:
    market = days_of(np.full(3, 100.0))
    whole = engine.run(a_scenario(market), hedged(a_put(0.95)), market, "reference")
    each = -whole.trades[0].cash / 10
    template = hedged(a_put(0.95), roll=RollPolicy(yearly_budget=(4.5 * each) / 100_000))
    assert bought(engine.run(a_scenario(market), template, market, "reference")) == [4]


def test_interest_paid_in_cash_leaves_at_the_end_of_the_quarter() -> None:
    market = days_of(np.full(80, 100.0))
    run = engine.run(a_scenario(market, 0.5, interest=Interest(0.03, 0.02)), NOTHING, market, "reference")
    quarter = next(t for t, day in enumerate(run.series.days) if day > date(2018, 3, 31))
    due = 50_000 * 0.05 * (date(2018, 3, 31) - run.series.days[0]).days / 360
    assert run.series.cash[quarter - 1] == 0
    assert run.series.cash[quarter] == pytest.approx(-due)
    assert run.series.loan[quarter] == 50_000
    assert run.series.equity[5] == pytest.approx(
        50_000 - 50_000 * 0.05 * (run.series.days[5] - run.series.days[0]).days / 360
    )


def test_capitalised_interest_grows_as_the_loan_itself_says() -> None:
    market = days_of(np.full(300, 100.0))
    scenario = a_scenario(market, 0.5, interest=Interest(0.03, 0.02, capitalised=True))
    run = engine.run(scenario, NOTHING, market, "reference")
    drawn = replace(scenario.loan, as_of=market.days[0])
    np.testing.assert_allclose(run.series.loan, [drawn.owed(day) for day in market.days], rtol=1e-12)


def test_a_low_can_be_a_breach_that_no_close_shows() -> None:
    closes = np.array([100.0, 98.0, 99.0])
    market = days_of(closes, lows=np.array([100.0, 93.0, np.nan]))
    run = engine.run(a_scenario(market), NOTHING, market, "reference")
    assert run.summary.survived
    assert run.summary.first_intraday_breach_date == market.days[1]
    assert run.series.low_ltv[1] == pytest.approx(70_000 / 93_000)
    assert np.isnan(run.series.low_ltv[[0, 2]]).all()


def test_a_hedge_bought_before_the_loan_is_paid_for_and_has_no_ltv_until_then() -> None:
    market = days_of(np.linspace(100, 110, 30))
    scenario = replace(a_scenario(market), start=market.days[20], entry=market.days[3])
    scenario = replace(scenario, loan=replace(scenario.loan, amount=0.7 * 1_000 * float(market.closes[20])))
    run = engine.run(scenario, PUT, market, "reference")
    assert run.series.days[0] == market.days[3]
    assert run.trades[0].on == market.days[3]
    before = [day < market.days[20] for day in run.series.days]
    assert np.isnan(run.series.lender_ltv[before]).all()
    assert np.isfinite(run.series.lender_ltv[[not each for each in before]]).all()
    assert run.series.lender_ltv[17] == pytest.approx(0.7)  # on the day it is drawn, the options ignored


def test_the_same_money_repays_on_the_days_on_which_the_hedge_is_paid() -> None:
    market = days_of(np.linspace(100, 110, 400))
    scenario = a_scenario(market, 0.6)
    compared = engine.compare(scenario, [PUT, NOTHING], market, "reference")
    hedge, repaid = compared.runs[0], compared.repaid[0]
    assert repaid is not None
    assert compared.repaid[1] is None
    by_day: dict[date, float] = {}
    for trade in hedge.trades:
        by_day[trade.on] = by_day.get(trade.on, 0.0) - trade.cash
    paid = sum(max(cost, 0.0) for cost in by_day.values())
    assert len(by_day) > 1
    assert 60_000 - repaid.summary.loan_end == pytest.approx(paid)
    assert repaid.series.cash[-1] == pytest.approx(-paid)
    assert repaid.trades == ()


def test_a_template_that_repays_is_the_repayment_of_its_hedge() -> None:
    market = days_of(np.linspace(100, 110, 300))
    compared = engine.compare(a_scenario(market), [PUT, system_template("repay_with_premium")], market, "reference")
    assert compared.repaid[0] is not None
    assert compared.repaid[0].series.loan.tolist() == compared.runs[1].series.loan.tolist()


def test_every_template_of_the_house_is_compared_and_ranked() -> None:
    market = days_of(100 * np.exp(np.concatenate([np.linspace(0, 0.05, 60), np.linspace(0.05, -0.3, 40)])))
    compared = engine.compare(a_scenario(market), TEMPLATES, market, "reference")
    assert [run.template.id for run in compared.runs] == [template.id for template in TEMPLATES]
    assert sorted(compared.ranking) == sorted(template.id for template in TEMPLATES)
    survived = {run.template.id: run.summary.survived for run in compared.runs}
    order = [survived[slug] for slug in compared.ranking]
    assert order == sorted(order, reverse=True)
    assert compared.unhedged.summary.hedge_cost_net == compared.unhedged.summary.entry_cost == 0
    assert "model" in compared.source
    for run in compared.runs:
        entered = [trade.cash for trade in run.trades if trade.reason is Reason.ENTRY]
        assert run.summary.entry_cost == pytest.approx(-sum(entered))


def test_ranking_puts_survival_before_ltv_before_cost() -> None:
    market = days_of(np.array([100.0, 100.0, 91.0, 91.0, 91.0, 91.0]))
    scenario = a_scenario(market, hedge_counting=HedgeCounting.CREDITED)
    compared = engine.compare(scenario, [NOTHING, PUT, system_template("protective_put_atm")], market, "reference")
    assert compared.ranking[-1] == NO_HEDGE
    assert compared.ranking[0] == "protective_put_atm"


def test_same_close_trades_on_the_day_of_the_decision() -> None:
    market = days_of(100 * np.exp(np.linspace(0, 0.3, 30)))
    template = hedged(a_put(0.95), roll=RollPolicy(ratchet=0.1))
    days = {}
    for at in TradeAt:
        run = engine.run(a_scenario(market, trade_at=at), template, market, "reference")
        days[at] = market.days.index(next(trade.on for trade in run.trades if trade.reason is Reason.RATCHET))
    assert days[TradeAt.NEXT_CLOSE] == days[TradeAt.SAME_CLOSE] + 1


def test_an_option_that_is_held_to_its_end_pays_its_intrinsic_value() -> None:
    market = days_of(np.linspace(100, 90, 60))
    template = hedged(a_put(1.0, months=1.0), roll=RollPolicy(days_before_expiry=None, rebuy=False))
    run = engine.run(a_scenario(market, 0.5), template, market, "reference")
    paid = next(trade for trade in run.trades if trade.reason is Reason.EXPIRY)
    close = float(market.closes[market.days.index(paid.expiration)])
    assert paid.on == paid.expiration
    assert paid.price == pytest.approx(100 - close)
    assert len(run.trades) == 2
    after = market.days.index(paid.on)
    assert not run.series.hedge_value[after:].any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start": date(2017, 1, 2)}, "prices are known from"),
        ({"end": date(2040, 1, 2)}, "prices are known from"),
        ({"symbol": "IAU"}, "the prices those of GLD"),
        ({"source": Source.OBSERVED}, "no such option prices"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_refused_in_words(wrong: dict[str, object], said: str) -> None:
    market = days_of(np.full(10, 100.0))
    with pytest.raises(InvalidInput, match=said):
        engine.run(replace(a_scenario(market), **wrong), PUT, market, "reference")  # type: ignore[arg-type]


def test_a_loan_above_its_collateral_is_refused() -> None:
    market = days_of(np.full(10, 100.0))
    with pytest.raises(InvalidInput, match="of the collateral's value"):
        engine.run(a_scenario(market, 1.2), NOTHING, market, "reference")


def test_a_day_without_volatility_is_refused_only_where_options_are_valued() -> None:
    levels = np.full(10, 0.2)
    levels[4] = np.nan
    market = days_of(np.full(10, 100.0), levels)
    with pytest.raises(InvalidInput, match=f"no volatility is known for {market.days[4]}"):
        engine.run(a_scenario(market), PUT, market, "reference")
    assert engine.run(a_scenario(market), NOTHING, market, "reference").summary.survived


@pytest.mark.parametrize("engine_name", ENGINES)
def test_figures_alone_are_those_of_the_whole_run_to_the_last_bit(engine_name: Engine) -> None:
    market = days_of(100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.012, 250))))
    scenario = a_scenario(market)
    alone = engine.summaries(scenario, TEMPLATES, market, engine_name)
    assert alone == [engine.run(scenario, template, market, engine_name).summary for template in TEMPLATES]


def recorded(market: MarketDays, strikes: tuple[float, ...], mid: float = 5.0) -> ObservedPremiums:
    """Puts of one expiration, the same mid on every day, a dime wide."""
    shape = (len(market.days), len(strikes))
    return ObservedPremiums(
        days=market.days,
        rights=np.full(len(strikes), -1, dtype=np.int8),
        strikes=np.array(strikes),
        expirations=(date(2018, 6, 15),) * len(strikes),
        bids=np.full(shape, mid - 0.05),
        asks=np.full(shape, mid + 0.05),
    )


def test_recorded_puts_are_bought_at_the_ask_and_marked_at_mid() -> None:
    market = days_of(np.full(6, 100.0))
    scenario = a_scenario(market, source=Source.OBSERVED)
    run = engine.run(scenario, hedged(a_put(0.95, 5.0)), market, "reference", recorded(market, (90.0, 94.0, 97.0)))
    assert run.trades[0].strike == 94.0
    assert run.trades[0].price == pytest.approx(5.05)
    assert run.series.hedge_value.tolist() == pytest.approx([10 * 100 * 5.0] * 6)


def test_a_day_without_a_quote_keeps_the_last_time_value_and_is_counted() -> None:
    market = days_of(np.array([100.0, 100.0, 90.0, 90.0]))
    quotes = recorded(market, (95.0,))
    quotes.bids[2], quotes.asks[2] = np.nan, np.nan
    scenario = a_scenario(market, 0.5, source=Source.OBSERVED)
    run = engine.run(scenario, hedged(a_put(0.95, 5.0)), market, "reference", quotes)
    assert run.series.hedge_value[2] == pytest.approx(1_000 * (5.0 + 5.0))  # intrinsic 5, time value 5
    assert run.summary.missing_days == 1
    assert any("had no quote" in remark for remark in run.remarks)


def test_a_put_that_has_no_quote_is_sold_when_it_has_one_again() -> None:
    market = days_of(np.array([100.0, 92.0, 92.0, 92.0, 92.0]))
    quotes = recorded(market, (110.0,), mid=20.0)
    quotes.bids[2], quotes.asks[2] = np.nan, np.nan
    scenario = a_scenario(market, source=Source.OBSERVED, cure_days=5)
    run = engine.run(scenario, hedged(a_put(1.1, 5.0)), market, "reference", quotes)
    assert next(trade.on for trade in run.trades if trade.reason is Reason.CURE) == market.days[3]

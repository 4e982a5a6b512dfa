"""What a roll or an expiry brings repays the loan: a lender who counted the options sees no worth vanish."""

from dataclasses import replace

import numpy as np
import pytest

from tests.backtest.invented import days_of
from tests.backtest.plain import a_put, a_scenario, hedged
from vaultdash.backtest import day_loop, engine, option_trades
from vaultdash.backtest.layout import CASH
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Ending, Reason
from vaultdash.backtest.scenario import Costs, Scenario, Smile
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import RollPolicy, Side, Strike, StrikeRule, TemplateLeg

HELD = RollPolicy(days_before_expiry=None)
COUNTED = [HedgeCounting.CREDITED, HedgeCounting.AFTER_PAYMENT]


def fallen(flat: int = 120) -> MarketDays:
    """Down by a quarter in 200 days, as gold was in 2013, and flat from then on: past the expiry of a year's put."""
    return days_of(np.concatenate([np.linspace(100, 75, 200), np.full(flat, 75.0)]))


def flat_rises(run: BacktestRun) -> dict[int, float]:
    """By how much the lender's LTV rose on days of trades on which gold did not move."""
    days = {run.series.days.index(trade.on) for trade in run.trades}
    days |= {day + 1 for day in days if day + 1 < len(run.series.days)}  # what is sent arrives a session later
    price, ltv = run.series.price, run.series.lender_ltv
    return {t: float(ltv[t] - ltv[t - 1]) for t in sorted(days) if t and price[t] == price[t - 1]}


@pytest.mark.parametrize("settlement", [0, 1, 3])
@pytest.mark.parametrize("roll", [RollPolicy(), HELD, RollPolicy(days_before_expiry=5)])
@pytest.mark.parametrize("counting", COUNTED)
def test_neither_roll_nor_expiry_raises_the_ltv_on_a_flat_day(
    counting: HedgeCounting, roll: RollPolicy, settlement: int
) -> None:
    market = fallen()
    scenario = replace(
        a_scenario(market, 0.68, 10_000, hedge_counting=counting),
        costs=Costs(),
        settlement_days=settlement,
        smile=Smile(curvature=0.0),  # in the last days the smile makes deep options dearer than exercise
    )
    run = engine.run(scenario, hedged(a_put(0.95), roll=roll), market, "reference")
    reasons = {Reason.EXPIRY, Reason.ROLL} if roll is HELD else {Reason.ROLL}
    assert {trade.reason for trade in run.trades} == {Reason.ENTRY, *reasons}
    rises = flat_rises(run)
    assert len(rises) >= 2
    for t, rise in rises.items():
        traded = [trade for trade in run.trades if trade.on == run.series.days[t]]
        cost = sum(100 * abs(trade.contracts) * abs(trade.price - trade.mid) + trade.commission for trade in traded)
        assert rise <= cost / run.series.gold_value[t] + 5e-4, run.series.days[t]  # a day's time value besides
    assert run.summary.survived
    assert run.summary.repaid_from_hedge > 0.15 * 10_000 * 75


def test_a_roll_that_leaves_its_proceeds_in_cash_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(run, t, cash):  # type: ignore[no-untyped-def]
        run.account[CASH] += cash

    market = fallen()
    for roll in (RollPolicy(), HELD):
        scenario = a_scenario(market, 0.68, 10_000, hedge_counting=HedgeCounting.CREDITED)
        template = hedged(a_put(0.95), roll=roll)
        honest = engine.run(scenario, template, market, "reference")
        with monkeypatch.context() as patch:
            patch.setattr(day_loop, "repay_from_hedge", kept)
            patch.setattr(option_trades, "repay_from_hedge", kept)
            wrong = engine.run(scenario, template, market, "reference")
        assert honest.summary.ending is Ending.NO_CALL
        assert wrong.summary.ending is Ending.LIQUIDATED
        assert max(flat_rises(wrong).values()) > 0.1


def test_a_roll_repays_what_it_brings_net_of_the_new_put() -> None:
    market = fallen()
    scenario = a_scenario(market, 0.68, 1_000, hedge_counting=HedgeCounting.CREDITED)
    run = engine.run(scenario, hedged(a_put(0.95)), market, "reference")
    rolled = [trade for trade in run.trades if trade.reason is Reason.ROLL]
    net = sum(trade.cash for trade in rolled)
    t = run.series.days.index(rolled[0].on)
    assert len(rolled) == 2
    assert run.series.loan[t : t + 2].tolist() == pytest.approx([68_000, 68_000 - net])  # a session later
    assert run.series.cash[t] == pytest.approx(run.series.cash[t - 1] + net)
    assert run.series.cash[t + 1] == pytest.approx(run.series.cash[t - 1])
    assert run.summary.repaid_from_hedge == pytest.approx(net)
    credited = (68_000 - net) / (75_000 + run.series.hedge_value[t])
    assert run.series.lender_ltv[t] == pytest.approx(credited)


def test_an_expiry_repays_and_own_cash_pays_for_the_put_of_the_next_close() -> None:
    market = fallen()
    scenario = a_scenario(market, 0.68, 1_000, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    run = engine.run(scenario, hedged(a_put(0.95), roll=HELD), market, "reference")
    paid, bought = (next(e for e in run.trades if e.reason is why) for why in (Reason.EXPIRY, Reason.ROLL))
    t = run.series.days.index(paid.on)
    assert paid.cash == pytest.approx(1_000 * (paid.strike - 75))
    assert run.series.days.index(bought.on) == t + 1
    assert run.series.loan[-1] == pytest.approx(68_000 - paid.cash)
    assert run.series.cash[t + 1] == pytest.approx(run.series.cash[t - 1] + bought.cash)


def test_a_lender_who_ignores_options_sees_the_money_when_it_arrives() -> None:
    market = fallen()
    scenario = a_scenario(market, 0.5, 1_000, hedge_counting=HedgeCounting.IGNORED)
    run = engine.run(scenario, hedged(a_put(0.95)), market, "reference")
    t = run.series.days.index(next(trade.on for trade in run.trades if trade.reason is Reason.ROLL))
    assert run.series.lender_ltv[t] == pytest.approx(50_000 / 75_000)
    assert run.series.lender_ltv[t + 1] == pytest.approx((50_000 - run.summary.repaid_from_hedge) / 75_000)


def test_no_more_is_repaid_than_is_owed_and_the_rest_stays_cash() -> None:
    market = fallen()
    for roll in (RollPolicy(), HELD):
        run = engine.run(a_scenario(market, 0.05), hedged(a_put(0.95), roll=roll), market, "reference")
        brought = sum(trade.cash for trade in run.trades if trade.reason is not Reason.ENTRY)
        assert run.summary.repaid_from_hedge == pytest.approx(5_000)
        assert run.series.loan[-1] == pytest.approx(0, abs=1e-9)
        assert run.series.cash[-1] == pytest.approx(brought - 5_000 - run.summary.entry_cost)


def test_what_an_expiry_brings_before_the_loan_is_drawn_stays_cash() -> None:
    market = days_of(np.concatenate([np.linspace(100, 80, 40), np.full(40, 80.0)]))
    later = replace(a_scenario(market), start=market.days[60], entry=market.days[0])
    scenario = replace(later, loan=replace(later.loan, amount=0.6 * 80_000))
    template = hedged(a_put(1.0, months=1.0), roll=RollPolicy(days_before_expiry=None, rebuy=False))
    run = engine.run(scenario, template, market, "reference")
    paid = next(trade.cash for trade in run.trades if trade.reason is Reason.EXPIRY)
    assert paid > 0
    assert run.series.cash[-1] == pytest.approx(paid - run.summary.entry_cost)
    assert run.series.loan[-1] == pytest.approx(48_000)
    assert run.summary.repaid_from_hedge == 0


def test_a_collar_that_is_opened_for_a_credit_keeps_it_in_cash() -> None:
    market = days_of(np.full(20, 100.0))
    call = TemplateLeg(Right.CALL, Strike(StrikeRule.PERCENT_OF_SPOT, 1.0), 12.0, Side.SELL)
    run = engine.run(a_scenario(market, 0.5), hedged(a_put(0.9), call), market, "reference")
    assert run.summary.entry_cost < 0
    assert run.series.cash[-1] == pytest.approx(-run.summary.entry_cost)
    assert run.summary.repaid_from_hedge == 0


def test_a_roll_that_costs_more_than_it_brings_is_paid_as_the_template_says() -> None:
    market = days_of(np.full(300, 100.0))
    scenario: Scenario = a_scenario(market, 0.5, interest=Interest(0, 0))
    for funding in PremiumFunding:
        run = engine.run(scenario, hedged(a_put(0.95), funding=funding), market, "reference")
        cost = -sum(trade.cash for trade in run.trades)
        assert {trade.reason for trade in run.trades} == {Reason.ENTRY, Reason.ROLL}
        assert run.summary.repaid_from_hedge == 0
        by_loan = cost if funding is PremiumFunding.LOAN else 0.0
        assert run.series.loan[-1] == pytest.approx(50_000 + by_loan)
        sold = cost / 100 if funding is PremiumFunding.SELL_GOLD else 0.0
        assert run.summary.units_end == pytest.approx(1_000 - sold)

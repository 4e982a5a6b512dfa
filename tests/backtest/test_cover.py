"""No sold call without its gold, and no sold put without a bought one of its strike or above, on any day."""

import numpy as np
import pytest

from tests.backtest.books import differences
from tests.backtest.invented import Case, days_of
from tests.backtest.plain import a_put, a_scenario, bought, hedged
from vaultdash.backtest import day_loop, engine, option_trades, selection
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Reason
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg

HELD = RollPolicy(days_before_expiry=None)
CALL = TemplateLeg(Right.CALL, Strike(StrikeRule.PERCENT_OF_SPOT, 1.6), 24.0, Side.SELL)


def walked(template: HedgeTemplate, market: MarketDays) -> tuple[BacktestRun, list[str]]:
    """A run and what is wrong with its books, cover among it."""
    scenario = a_scenario(market, 0.3, exercise=Exercise.EUROPEAN)
    run = engine.run(scenario, template, market, "reference")
    return run, differences(Case(scenario, template, market), run)


def test_calls_are_bought_back_when_their_gold_pays_for_puts(monkeypatch: pytest.MonkeyPatch) -> None:
    market = days_of(np.full(300, 100.0))
    template = hedged(a_put(1.0, months=3.0), CALL, funding=PremiumFunding.SELL_GOLD)
    run, wrong = walked(template, market)
    assert wrong == []
    assert bought(run)[1] == -9  # of ten, one's gold was sold for the puts
    back = sum(trade.contracts for trade in run.trades if trade.leg == 1 and trade.contracts > 0)
    assert 9 - back == int(run.summary.units_end // 100) < 9
    monkeypatch.setattr(option_trades, "cover_calls", lambda run, t, reason: None)
    assert any("calls are sold over" in each for each in walked(template, market)[1])


def test_a_sold_put_is_bought_back_on_the_day_on_which_the_bought_one_expires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The short put of two months is sold anew while the bought one of three still has a month to go.
    market = days_of(np.full(150, 100.0))
    template = hedged(a_put(0.95, months=3.0), a_put(0.85, months=2.0, side=Side.SELL), roll=HELD)
    run, wrong = walked(template, market)
    assert wrong == []
    expired = {trade.on for trade in run.trades if trade.reason is Reason.EXPIRY and trade.leg == 0}
    back = next(
        trade for trade in run.trades if trade.reason is Reason.ROLL and trade.leg == 1 and trade.contracts > 0
    )
    assert back.on in expired
    assert back.expiration > back.on
    monkeypatch.setattr(day_loop, "cover_puts", lambda run, t, reason: 0.0)
    monkeypatch.setattr(option_trades, "cover_puts", lambda run, t, reason: 0.0)
    assert any("puts are sold at" in each for each in walked(template, market)[1])


def test_a_put_is_not_sold_above_the_one_that_is_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    market = days_of(np.full(30, 100.0))
    low = TemplateLeg(Right.PUT, Strike(StrikeRule.DELTA, 0.1), 6.0)
    template = hedged(low, a_put(0.95, months=6.0, side=Side.SELL))
    run, wrong = walked(template, market)
    assert wrong == []
    assert bought(run) == [10]
    assert any("Leg 2 of 2 was never traded" in remark for remark in run.remarks)
    monkeypatch.setattr(selection, "room_for_put", lambda run, leg: 1e9)
    run, _ = walked(template, market)
    assert bought(run) == [10, -10]  # and bought back at once, for its spread
    assert run.trades[-1].leg == 1


def test_of_a_ladder_only_the_puts_above_the_sold_one_cover_it() -> None:
    market = days_of(np.full(30, 100.0))
    low = TemplateLeg(Right.PUT, Strike(StrikeRule.DELTA, 0.1), 6.0, share=0.6)
    high = a_put(1.0, months=6.0, share=0.4)
    template = hedged(low, high, a_put(0.95, months=6.0, side=Side.SELL))
    run, wrong = walked(template, market)
    assert wrong == []
    assert bought(run) == [6, 4, -4]


def test_a_sold_put_is_bought_back_when_the_bought_one_is_struck_anew_below_it() -> None:
    market = days_of(np.concatenate([np.linspace(100, 95, 40), np.linspace(95, 60, 12), np.full(60, 60.0)]))
    template = hedged(
        a_put(0.95, months=3.0),
        TemplateLeg(Right.PUT, Strike(StrikeRule.DELTA, 0.3), 2.0, Side.SELL),
        roll=RollPolicy(days_before_expiry=35),
    )
    run, wrong = walked(template, market)
    assert wrong == []
    assert len({trade.strike for trade in run.trades if trade.leg == 0}) > 1


def test_a_budget_never_leaves_a_put_sold_without_a_bought_one() -> None:
    market = days_of(np.full(60, 100.0))
    for part in np.linspace(0.001, 0.05, 25):
        template = hedged(
            a_put(0.95, months=6.0, share=0.5),
            a_put(0.94, months=6.0, share=0.5),
            a_put(0.90, months=6.0, side=Side.SELL),
            roll=RollPolicy(yearly_budget=float(part)),
        )
        run, wrong = walked(template, market)
        assert wrong == [], part
        assert run.summary.entry_cost <= part * 100_000 + 1e-6


def test_a_put_by_delta_is_near_spot_where_volatility_is_low_and_the_smile_steep() -> None:
    # Far out such a smile is a volatility of hundreds of per cent, at which a put of four times spot has any delta.
    market = days_of(np.full(20, 57.6), level=0.08, long_run=np.full(20, 0.08))
    leg = TemplateLeg(Right.PUT, Strike(StrikeRule.DELTA, 0.6), 1.0)
    run, wrong = walked(hedged(leg), market)
    assert wrong == []
    assert 56 <= run.trades[0].strike <= 60

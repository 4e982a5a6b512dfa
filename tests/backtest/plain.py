"""Loans free of interest and cost, and hedges of a leg or two, for replays that can be computed by hand."""

from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Reason
from vaultdash.backtest.scenario import Costs, Scenario
from vaultdash.domain.loan import Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Side, Strike, StrikeRule, TemplateLeg

FREE = Interest(0.0, 0.0)
FREE_OF_COST = Costs(
    commission=0, least_half_spread=0, half_spread_of_mid=0, half_spread_vega_points=0, gold_slippage=0
)


def a_scenario(market: MarketDays, ltv: float = 0.7, units: float = 1_000.0, **fields: object) -> Scenario:
    """A loan free of interest and cost, called at 0.75 and sold at 0.85, from the first day to the last."""
    terms: dict[str, object] = {"interest": FREE}
    terms |= {name: fields.pop(name) for name in list(fields) if name in Loan.__dataclass_fields__}
    loan = Loan(ltv * units * float(market.closes[0]), **terms)  # type: ignore[arg-type]
    given: dict[str, object] = {"costs": FREE_OF_COST, **fields}
    return Scenario(market.days[0], market.days[-1], units, loan, **given)  # type: ignore[arg-type]


def a_put(strike: float = 1.0, months: float = 12.0, share: float = 1.0, side: Side = Side.BUY) -> TemplateLeg:
    return TemplateLeg(Right.PUT, Strike(StrikeRule.PERCENT_OF_SPOT, strike), months, side, share)


def hedged(*legs: TemplateLeg, **fields: object) -> HedgeTemplate:
    return HedgeTemplate("mine", "Mine", legs=legs, **fields)  # type: ignore[arg-type]


def bought(run: BacktestRun) -> list[int]:
    return [trade.contracts for trade in run.trades if trade.reason is Reason.ENTRY]

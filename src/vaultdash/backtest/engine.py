"""Templates on a scenario: the replay of one, and several side by side with the path without a hedge."""

from collections.abc import Sequence

from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Comparison
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.compiled import Engine


def run(scenario: Scenario, template: HedgeTemplate, market: MarketDays, engine: Engine = "kernel") -> BacktestRun:
    """The template on the scenario's days of `market`. Raises InvalidInput where days or volatility are missing."""
    raise NotImplementedError


def compare(
    scenario: Scenario, templates: Sequence[HedgeTemplate], market: MarketDays, engine: Engine = "kernel"
) -> Comparison:
    """Every template, the path without a hedge, and for each what the same money would have done as a repayment."""
    raise NotImplementedError

"""Templates on a scenario: the replay of one, and several side by side with the path without a hedge.

The days are walked by `day_loop`, as it stands ("reference") or compiled ("kernel"): one code, so both say the same
but for the last digits of logarithms and exponentials. Without a compiler the first answers for the second.
"""

from collections.abc import Sequence
from dataclasses import replace

from vaultdash.backtest.inputs import Stage, counting_of, stage
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.outcomes import ENDINGS, calls_of, repayments, series_of, summary_of, trades_of
from vaultdash.backtest.premiums import ModelledPremiums, ObservedPremiums, Premiums
from vaultdash.backtest.remarks import of_market, of_run
from vaultdash.backtest.result import BacktestRun, Comparison, Summary
from vaultdash.backtest.scenario import Scenario, Source
from vaultdash.backtest.walking import Walked, as_hedge, walk_many, walk_one
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine, answered

UNHEDGED = HedgeTemplate("no_hedge", "No hedge", "Nothing is bought.", is_system=True)
# Whose code is compiled: what is kept of it on disk follows them.
LOOP_MODULES = (
    *("kernels", "layout", "model", "selection", "loan_account", "option_trades", "decisions", "marks", "quiet_days"),
    "day_loop",
    "figures",
)
SAME_LTV = 9  # digits that count when runs are ranked


def run(
    scenario: Scenario,
    template: HedgeTemplate,
    market: MarketDays,
    engine: Engine = "kernel",
    premiums: Premiums | None = None,
) -> BacktestRun:
    """The template on the scenario's days of `market`. Raises InvalidInput where days or volatility are missing.

    `premiums` are the recorded quotes of an observed scenario; None means the model.
    """
    known = _known(scenario, premiums)
    return _outcome(stage(scenario, market, known, engine), template, known, engine)


def compare(
    scenario: Scenario,
    templates: Sequence[HedgeTemplate],
    market: MarketDays,
    engine: Engine = "kernel",
    premiums: Premiums | None = None,
) -> Comparison:
    """Every template, the path without a hedge, and for each what the same money would have done as a repayment."""
    if not templates:
        raise InvalidInput("templates", "must be at least one")
    if len({template.id for template in templates}) < len(templates):
        raise InvalidInput("templates", "must each be named once")
    known = _known(scenario, premiums)
    staged = stage(scenario, market, known, engine)
    runs, repaid = [], []
    for template in templates:
        walked = _walk(staged, template, engine)
        runs.append(_told(staged, template, known, walked))
        paid = repayments(walked)
        repaid.append(_repaid(staged, template, known, paid, engine) if template.hedges and paid.any() else None)
    unhedged = _outcome(staged, UNHEDGED, known, engine)
    return Comparison(
        scenario=scenario,
        runs=tuple(runs),
        unhedged=unhedged,
        repaid=tuple(repaid),
        ranking=ranked(runs),
        source=_source(market, known),
        is_demo=market.is_demo,
        remarks=of_market(staged, market, known),
    )


def summaries(
    scenario: Scenario,
    templates: Sequence[HedgeTemplate],
    market: MarketDays,
    engine: Engine = "kernel",
    premiums: Premiums | None = None,
) -> list[Summary]:
    """The figures alone of each template on the scenario, in their order: what a sweep wants. As `run` raises."""
    known = _known(scenario, premiums)
    staged = stage(scenario, market, known, engine)
    thin = known.thin_quotes if isinstance(known, ObservedPremiums) else 0
    together = iter(walk_many(staged, [each for each in templates if not each.repays], engine))
    walked = [_walk(staged, each, engine) if each.repays else next(together) for each in templates]
    return [
        summary_of(staged, counting_of(scenario, template), each, thin)
        for template, each in zip(templates, walked, strict=True)
    ]


def warm_up_backtests() -> None:
    """Compile the loop, or load it from disk; never raises, see `pricing.compiled.kernels_problem`."""

    def load() -> None:
        from vaultdash.backtest.kernels import warm

        warm()

    answered(load, lambda: None, "kernel")


def ranked(runs: Sequence[BacktestRun]) -> tuple[str, ...]:
    """Ids from the best: survived first, then max LTV to nine digits, net cost, final equity.

    Where the lender ignores options every hedge has the same LTV at the call: how the calls ended comes before it.
    """
    order = {ending: place for place, ending in enumerate(ENDINGS)}

    def place(one: BacktestRun) -> tuple[bool, int, float, float, float]:
        said = one.summary
        return (
            not said.survived,
            order[said.ending] if said.counting is HedgeCounting.IGNORED else 0,
            round(said.max_ltv, SAME_LTV),
            round(said.hedge_cost_net, 2),
            -said.final_equity,
        )

    return tuple(one.template.id for one in sorted(runs, key=place))


def _known(scenario: Scenario, premiums: Premiums | None) -> Premiums:
    known = premiums or ModelledPremiums()
    if (scenario.source is Source.OBSERVED) != isinstance(known, ObservedPremiums):
        raise InvalidInput("source", f"is {scenario.source}, and no such option prices are given for these days")
    return known


def _outcome(staged: Stage, template: HedgeTemplate, premiums: Premiums, engine: Engine) -> BacktestRun:
    return _told(staged, template, premiums, _walk(staged, template, engine))


def _walk(staged: Stage, template: HedgeTemplate, engine: Engine) -> Walked:
    """A template that repays is walked twice: first as the hedge it stands for, which tells what it pays and when."""
    paid = repayments(walk_one(staged, as_hedge(template), None, engine)) if template.repays else None
    return walk_one(staged, template, paid, engine)


def _repaid(
    staged: Stage, template: HedgeTemplate, premiums: Premiums, paid: FloatArray, engine: Engine
) -> BacktestRun:
    """The same money on the same days, without options."""
    repays = replace(template, repays=True)
    return _told(staged, repays, premiums, walk_one(staged, repays, paid, engine))


def _told(staged: Stage, template: HedgeTemplate, premiums: Premiums, walked: Walked) -> BacktestRun:
    thin = premiums.thin_quotes if isinstance(premiums, ObservedPremiums) else 0
    return BacktestRun(
        template=template,
        series=series_of(staged, walked),
        trades=trades_of(staged, template, walked),
        calls=calls_of(staged, walked),
        summary=summary_of(staged, counting_of(staged.scenario, template), walked, thin),
        remarks=of_run(template, walked),
    )


def _source(market: MarketDays, premiums: Premiums) -> str:
    options = "recorded chains" if isinstance(premiums, ObservedPremiums) else "a model of volatility"
    return f"gold: {market.source}; options: {options}"

"""What a list of kept backtests shows of each without reading its result."""

import math

from vaultdash.services.backtest_cost import hedging, idle
from vaultdash.services.backtest_request import BacktestReport
from vaultdash.services.backtest_words import start_value


def summary_of(report: BacktestReport) -> dict[str, object]:
    """What a list of runs shows of one: plain values, null where a number is not finite."""
    comparison = report.comparison
    hedges, unused = hedging(comparison), {run.template.id for run in idle(comparison)}
    by_id = {run.template.id: run for run in comparison.runs}
    first = next((by_id[one] for one in comparison.ranking if one not in unused), None)
    return {
        "sentence": report.sentence,
        "event": None if report.event is None else report.event.id,
        "event_name": None if report.event is None else report.event.name,
        "start": comparison.scenario.start.isoformat(),
        "end": comparison.scenario.end.isoformat(),
        "ltv": comparison.scenario.loan.amount / start_value(comparison),
        "call_ltv": comparison.scenario.loan.margin_call_ltv,
        "hedges": len(hedges),
        "survived": sum(run.summary.survived for run in hedges),
        "unhedged_survived": comparison.unhedged.summary.survived,
        "unhedged_max_ltv": known(comparison.unhedged.summary.max_ltv),
        "best": None if first is None else first.template.id,
        "best_name": None if first is None else first.template.name,
        "demo": comparison.is_demo,
        "source": comparison.source,
    }


def known(value: float) -> float | None:
    """A number that JSON has; None for NaN and infinity."""
    return value if math.isfinite(value) else None

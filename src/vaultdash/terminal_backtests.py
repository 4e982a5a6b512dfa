"""Backtests and events in a terminal: a table of hedges, the fan of entries, and what they stand on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaultdash.backtest.result import BacktestRun, Comparison, Ending
from vaultdash.services.backtest_request import BacktestReport
from vaultdash.services.backtest_words import months_words, per_cent, start_value
from vaultdash.services.selloff_events import Event

if TYPE_CHECKING:
    from rich.table import Table

OUTCOMES = {
    Ending.NO_CALL: "no call",
    Ending.CURED_BY_ITSELF: "called; gold rose",
    Ending.CURED_BY_HEDGE: "called; options paid",
    Ending.CURED_WITH_CASH: "called; cash paid",
    Ending.CURED_WITH_GOLD: "called; gold sold",
    Ending.OPEN: "called; still open",
    Ending.LIQUIDATED: "sold by the lender",
}


def backtest_table(report: BacktestReport) -> "Table":
    """A row a hedge from the best, then the path without one."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    comparison = report.comparison
    gold = start_value(comparison)
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)  # in 140 columns where nobody looks
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("hedge", min_width=18)
    table.add_column("outcome", no_wrap=True)
    for name in ("called at a close", "at a low"):
        table.add_column(name, min_width=10)
    for name in ("highest LTV", "bought for, USD", "of gold", "net cost, USD", "equity, USD", "if repaid"):
        table.add_column(name, justify="right", min_width=len(max(name.split(), key=len)))
    by_id = {run.template.id: (run, repaid) for run, repaid in zip(comparison.runs, comparison.repaid, strict=True)}
    for number, template_id in enumerate(comparison.ranking, 1):
        run, repaid = by_id[template_id]
        table.add_row(str(number), run.template.name, *_cells(run, gold), _repaid(repaid))
    table.add_row("", "without a hedge", *_cells(comparison.unhedged, gold), "", style="dim")
    return table


def fan_table(report: BacktestReport) -> "Table":
    """A row a hedge, a column a time of purchase: the highest LTV, and whether it was called."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title="Highest LTV when the hedge was bought before the start (! called)",
        box=SIMPLE_HEAD,
        title_justify="left",
    )
    table.add_column("hedge")
    for entry in report.fan:
        table.add_column("at the start" if entry.months == 0 else months_words(entry.months), justify="right")
    for template_id in report.comparison.ranking:
        cells = [_fan_cell(entry.comparison, template_id) for entry in report.fan]
        name = next(run.template.name for run in report.comparison.runs if run.template.id == template_id)
        table.add_row(name, *cells)
    return table


def backtest_lines(report: BacktestReport) -> list[str]:
    """The terms, the days and the source, and every remark."""
    scenario, loan = report.comparison.scenario, report.comparison.scenario.loan
    gold = start_value(report.comparison)
    return [
        f"{scenario.units:,.0f} shares of {scenario.symbol} worth {gold:,.0f} USD, loan {loan.amount:,.0f} USD: LTV "
        f"{per_cent(loan.amount / gold)}; call {per_cent(loan.margin_call_ltv, digits=None)}, close-out "
        f"{per_cent(loan.close_out_ltv, digits=None)}, {loan.cure_days} days to cure, options {_counting(report)}, "
        f"interest {per_cent(loan.interest.rate, digits=None)}.",
        f"{scenario.start} to {scenario.end}. {report.comparison.source}",
        "Net cost takes what is left of the options at the bid, equity at the mid; the difference is half a spread.",
        *report.comparison.remarks,
        *(f"Bought {months_words(entry.months)} before: {entry.missing}" for entry in report.fan if entry.missing),
    ]


def events_table(events: Sequence[Event]) -> "Table":
    """A row an event; what the stored prices say of it where they have its days."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name in ("id", "start", "end"):
        table.add_column(name, no_wrap=True)
    table.add_column("depth", justify="right", no_wrap=True)
    table.add_column("what", min_width=30)
    for event in events:
        depth = "" if event.depth is None else f"{event.depth:.1%}"
        named = f"{event.name}: {event.told}" if event.told else event.name
        doubt = next((f" ({words})" for words in (event.missing, event.doubt) if words), "")
        table.add_row(event.id, str(event.start), str(event.end), depth, f"{named}{doubt}")
    return table


def _cells(run: BacktestRun, gold: float) -> list[str]:
    told = run.summary
    low = told.first_intraday_breach_date
    return [
        OUTCOMES[told.ending],
        str(told.first_breach_date or ""),
        str(low or ""),
        _highest(run),
        f"{_unsigned(round(told.entry_cost)):,}",
        f"{_unsigned(round(told.entry_cost / gold, 4)):.1%}",
        f"{_unsigned(round(told.hedge_cost_net)):,}",
        f"{told.final_equity:,.0f}",
    ]


def _unsigned(value: float) -> float:
    """Nothing has no sign."""
    return value or 0


def _highest(run: BacktestRun) -> str:
    return f"{run.summary.max_ltv:.1%}"


def _repaid(run: BacktestRun | None) -> str:
    """The highest LTV had the same money repaid the loan, and whether it was called."""
    if run is None:
        return ""
    return f"{_highest(run)} {'no call' if run.summary.survived else 'called'}"


def _fan_cell(comparison: Comparison | None, template_id: str) -> str:
    if comparison is None:
        return "?"
    run = next(run for run in comparison.runs if run.template.id == template_id)
    return f"{'' if run.summary.survived else '! '}{_highest(run)}"


def _counting(report: BacktestReport) -> str:
    return report.comparison.scenario.loan.hedge_counting.value.replace("_", " ")

"""The hedges of a backtest side by side, from the best, with no hedge and the same money repaid beside them."""

from collections.abc import Callable
from datetime import date

from vaultdash.backtest.result import BacktestRun, Comparison
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.services.backtest_cost import openings
from vaultdash.services.backtest_words import start_value
from vaultdash.ui.components.backtest_words import (
    hedge_name,
    hedges_of,
    max_ltv,
    net_words,
    outcome,
    repaid_beside,
)
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.hedge_colours import UNHEDGED, hedge_colours
from vaultdash.ui.format import day, pct, usd
from vaultdash.ui.theme import Tone

COLUMNS = (
    Column("hedge", "hedge", left=True),
    Column("outcome", "the loan", left=True),
    Column("ltv", "highest LTV"),
    Column("entry", "bought for"),
    Column("cost", "net by the end"),
    Column("equity", "equity at the end"),
    Column("repaid", "same money repaid"),
)
LAST = 1e9  # sorts behind every place


class RankingTable:
    """A row a hedge; choosing one shows it in the chart and in detail."""

    def __init__(self, pick: Callable[[str], None]) -> None:
        self._table = DataTable(COLUMNS, pick=pick, label="Hedges, from the best to the worst", roomy=True)

    def show(self, comparison: Comparison, counting: HedgeCounting, picked: str) -> None:
        """Fill the rows for one way of counting."""
        self._table.show(ranking_rows(comparison, counting), picked)


def ranking_rows(comparison: Comparison, counting: HedgeCounting) -> list[Row]:
    """The hedges in their ranking, then the path without any."""
    runs = hedges_of(comparison)
    colours = hedge_colours(run.template.id for run in runs)
    rows = [
        Row(run.template.id, _cells(comparison, run, counting, colours[run.template.id], place))
        for place, run in enumerate(runs, start=1)
    ]
    return [*rows, Row(UNHEDGED, _cells(comparison, comparison.unhedged, counting, colours[UNHEDGED], None))]


def _cells(
    comparison: Comparison, run: BacktestRun, counting: HedgeCounting, colour: str, place: int | None
) -> dict[str, Cell]:
    summary = run.summary
    words, sub, tone = outcome(run, counting)
    highest = max_ltv(run, counting)
    limit = comparison.scenario.loan.margin_call_ltv
    decides = counting is summary.counting
    gold = start_value(comparison)
    plain = comparison.unhedged.summary.final_equity
    more = summary.final_equity - plain
    name = "No hedge" if place is None else f"{place} · {hedge_name(run.template)}"
    return {
        "hedge": Cell(name, LAST if place is None else place, swatch=colour, sub=_bought(run) if place else ""),
        "outcome": Cell(words, words, tone, sub=sub),
        "ltv": Cell(
            pct(highest),
            highest,
            "call" if is_breached(highest, limit) else "",
            sub=day(summary.max_ltv_on) if decides else "",
        ),
        "entry": _entry(summary.entry_cost, gold) if run.trades else Cell("–", LAST),
        "cost": _cost(summary.hedge_cost_net, gold) if run.trades else _paid_nothing(run, place),
        "equity": Cell(
            usd(summary.final_equity),
            summary.final_equity,
            sub="" if place is None else f"{'+' if more >= 0 else ''}{usd(more)} to no hedge",
        ),
        "repaid": _repaid(repaid_beside(comparison, run), limit),
    }


def _bought(run: BacktestRun) -> str:
    summary = run.summary
    if run.template.repays:
        return "no option; the loan is repaid"
    if not run.trades:
        return "nothing was bought"
    rolls = f", {summary.rolls} roll{'s' * (summary.rolls != 1)}" if summary.rolls else ""
    return f"{expirations(run)} · {summary.trades} trade{'s' * (summary.trades != 1)}{rolls}"


def expirations(run: BacktestRun) -> str:
    """The months to which options were really bought, whatever was asked for: `to Oct 2026`, `to Apr – Oct 2026`."""
    opened = openings(run)
    bought = [trade for trade in opened if trade.contracts > 0] or opened
    if not bought:
        return "nothing opened"
    first, last = min(trade.expiration for trade in bought), max(trade.expiration for trade in bought)
    if _month(first) == _month(last):
        return f"to {_month(last)}"
    return f"to {first:%b} – {_month(last)}" if first.year == last.year else f"to {_month(first)} – {_month(last)}"


def _month(on: date) -> str:
    return f"{on:%b %Y}"


def _entry(cost: float, gold: float) -> Cell:
    """What the first purchase cost; a collar may have brought money."""
    words = usd(cost) if cost >= 0 else f"brought {usd(-cost)}"
    return Cell(words, cost, sub=f"{pct(abs(cost) / gold, 2)} of the gold")


def _cost(net: float, gold: float) -> Cell:
    """What the hedge took in all; a hedge that brought more than it cost is a gain."""
    tone: Tone = "room" if net < 0 else ""
    return Cell(net_words(net), net, tone, sub=f"{pct(abs(net) / gold, 2)} of the gold")


def _paid_nothing(run: BacktestRun, place: int | None) -> Cell:
    if place is not None and run.template.repays:
        return Cell(usd(0.0), 0.0, sub="less debt instead")
    return Cell(usd(0.0), 0.0)


def _repaid(repaid: BacktestRun | None, limit: float) -> Cell:
    """The path of the loan had the premium repaid it; no option, so every counting is the same."""
    if repaid is None:
        return Cell("–", LAST)
    summary = repaid.summary
    words = "no call" if summary.survived else f"call {day(summary.first_breach_date)}"
    tone: Tone = "call" if is_breached(summary.max_ltv, limit) else ""
    return Cell(pct(summary.max_ltv), summary.max_ltv, tone, sub=f"{words} · equity {usd(summary.final_equity)}")

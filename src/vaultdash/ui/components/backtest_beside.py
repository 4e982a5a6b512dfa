"""Kept backtests side by side: their terms, how the path without a hedge ended, and each hedge in all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from vaultdash.backtest.result import BacktestRun
from vaultdash.services.backtest_request import BacktestReport
from vaultdash.ui.components.backtest_words import COUNTINGS, ending, hedge_name, hedges_of, net_words
from vaultdash.ui.components.hedge_colours import UNHEDGED, hedge_colours
from vaultdash.ui.format import day, number, pct, unbroken, usd
from vaultdash.ui.theme import text

Shown = Callable[[BacktestReport], str]
TERMS: tuple[tuple[str, Shown], ...] = (
    ("days", lambda one: f"{day(one.comparison.scenario.start)} – {day(one.comparison.scenario.end)}"),
    ("LTV at the start", lambda one: pct(start_ltv(one))),
    ("gold", lambda one: f"{number(one.comparison.scenario.units)} GLD shares"),
    ("loan", lambda one: usd(one.comparison.scenario.loan.amount)),
    (
        "warning · call · close-out",
        lambda one: " · ".join(
            pct(limit, 0)
            for limit in (
                one.comparison.scenario.loan.warning_ltv,
                one.comparison.scenario.loan.margin_call_ltv,
                one.comparison.scenario.loan.close_out_ltv,
            )
        ),
    ),
    ("business days to cure", lambda one: number(one.comparison.scenario.loan.cure_days)),
    ("interest a year", lambda one: pct(one.comparison.scenario.loan.interest.rate, 2)),
    ("options", lambda one: COUNTINGS[one.comparison.scenario.loan.hedge_counting]),
    ("option prices", lambda one: one.comparison.scenario.source.value),
    ("hedges without a call", lambda one: survivors(one)),
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A kept run with its name and what came of it."""

    name: str
    report: BacktestReport


class RunsBeside:
    """A column a run; a row each of its terms, then one a hedge."""

    def __init__(self) -> None:
        self._box = ui.element("div").classes("vd-scroll")

    def show(self, runs: Sequence[Beside]) -> None:
        """Lay out the table anew."""
        self._box.clear()
        if not runs:
            return
        with self._box, ui.element("table").classes("vd-sums vd-beside-table wide"):
            with ui.element("thead"), ui.element("tr"):
                text("th", "")
                for run in runs:
                    text("th", run.name).props("scope=col")
            with ui.element("tbody"):
                for label, shown in TERMS:
                    with ui.element("tr"):
                        text("th", label).props("scope=row")
                        for run in runs:
                            text("td", unbroken(shown(run.report)))
                self._hedges(runs)

    def _hedges(self, runs: Sequence[Beside]) -> None:
        names = {UNHEDGED: "No hedge"}
        for run in runs:
            names |= {one.template.id: hedge_name(one.template) for one in hedges_of(run.report.comparison)}
        colours = hedge_colours(one for one in names if one != UNHEDGED)
        for hedge, name in names.items():
            with ui.element("tr"):
                with ui.element("th").props("scope=row"):
                    ui.element("i").classes("vd-swatch").style(f"background:{colours[hedge]}")
                    text("span", name)
                for run in runs:
                    _cell(_found(run.report, hedge))


def start_ltv(report: BacktestReport) -> float:
    """L / V at the close at which the loan is drawn."""
    scenario, series = report.comparison.scenario, report.comparison.unhedged.series
    price = float(series.price[series.days.index(scenario.start)])
    return scenario.loan.amount / (scenario.units * price)


def survivors(report: BacktestReport) -> str:
    """How many hedges were not called: `3 of 5`."""
    runs = [run for run in hedges_of(report.comparison) if run.template.hedges]
    return f"{sum(run.summary.survived for run in runs)} of {len(runs)}"


def _found(report: BacktestReport, hedge: str) -> BacktestRun | None:
    if hedge == UNHEDGED:
        return report.comparison.unhedged
    return next((run for run in report.comparison.runs if run.template.id == hedge), None)


def _cell(run: BacktestRun | None) -> None:
    if run is None:
        text("td", "–")
        return
    words, tone = ending(run)
    summary = run.summary
    with ui.element("td"):
        text("div", words, tone)
        cost = f" · hedge, net {net_words(summary.hedge_cost_net)}" if run.trades else ""
        breach = "" if summary.first_breach_date is None else f" · first {day(summary.first_breach_date)}"
        text("div", unbroken(f"highest LTV {pct(summary.max_ltv)}{breach}{cost}"), "vd-note")
        text("div", unbroken(f"equity {usd(summary.final_equity)}"), "vd-note")

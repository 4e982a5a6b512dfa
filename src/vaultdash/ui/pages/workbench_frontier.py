"""The card of the workbench that draws cost against protection for every candidate, beside what is no option."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from nicegui import background_tasks, events, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import FrontierPoint
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CaseChange, FrontierReport
from vaultdash.ui.components.frontier_chart import frontier_options, is_paid, point_words
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.components.workbench_words import sentences
from vaultdash.ui.format import day, number
from vaultdash.ui.pages.workbench_broken import broken
from vaultdash.ui.theme import ChartColours, button, card, note, text, visible

HOW = (
    "Further right bears deeper falls, lower costs less. Gold points are those that no other beats in both; "
    "click one to put it on the workbench. Blue is no option: ● do nothing, ◆ repay, ▲ add gold, ■ sell gold."
)


class FrontierCard:
    """Drawn when it is asked for, anew for another counting; a click gives the hedge of its point."""

    def __init__(
        self,
        vault: Vault,
        chosen: Callable[[ListedHedge], None],
        controls: Callable[[], None],
        ask: Callable[[], None],
        answered: Callable[[], None],
    ) -> None:
        self._vault = vault
        self._answered = answered
        self._chosen = chosen
        self._ask = ask
        self._colours = ChartColours(dark=True)
        self._report: FrontierReport | None = None
        self._task: asyncio.Task[None] | None = None
        with card("Cost against protection") as head:
            with head:
                controls()
            self._waiting = Waiting(ask)
            with ui.element("div").classes("vd-stack vd-hidden") as self._shown:
                self._chart = ui.echart({"animation": False}, on_point_click=self._click).classes("vd-chart tall")
                self._chart.props('role=img aria-label="Cost a year against the deepest fall without a call"')
                self._list = ui.element("div").classes("vd-tabs")
                self._said = text("div", "").props("role=status")
                note(HOW)
                self._basis = note("")

    def begin(self, horizon: date | None, counting: HedgeCounting, change: CaseChange) -> None:
        """Ask for the candidates; the latest question wins."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._waiting.wait("Measuring every candidate of the chain", skeleton=self._report is None)
        self._task = background_tasks.create(self._load(horizon, counting, change), name="frontier")

    async def _load(self, horizon: date | None, counting: HedgeCounting, change: CaseChange) -> None:
        try:
            report = await self._vault.workbench.frontier(horizon, counting, change)
        except VaultError as error:
            self._waiting.fail("The candidates cannot be measured", f"{error}.")
            self._answered()
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the page says so and stays usable
            self._waiting.fail("The candidates cannot be measured", broken(error))
            self._answered()
            return
        self._waiting.done()
        self._report = report
        self._show(report)
        self._answered()

    def _show(self, report: FrontierReport) -> None:
        found = report.found
        visible(self._shown, when=True)
        self._draw()
        kept = sum(point.dominated_by is None for point in found.points if point.alternative is None)
        candidates = sum(point.alternative is None for point in found.points)
        days = sorted({option.expiration for option in report.market.options})
        said = (
            f"{number(candidates)} hedges of {', '.join(day(one) for one in days)}; {number(kept)} on the frontier."
        )
        self._list.clear()
        withheld = report.standing.withheld
        best = None if found.best is None or withheld is not None else found.points[found.best]
        self._basis.set_text(sentences([withheld or "", said, *found.remarks]))
        visible(self._list, when=best is not None and best.hedge is not None)
        if best is not None and best.hedge is not None:
            with self._list:
                does = "repays every call" if is_paid(found.counting) else "keeps every call away"
                button(
                    f"Take the cheapest that {does}: {best.title}",
                    lambda: self._take(best),
                    words=f"Put {best.title} on the workbench",
                )

    def dress(self, colours: ChartColours) -> None:
        """Draw in the colours of the other mode."""
        self._colours = colours
        self._draw()

    def _draw(self) -> None:
        if self._report is not None:
            best = self._report.found.best
            options = frontier_options(
                self._report.found, self._colours, frozenset() if best is None else frozenset([best])
            )
            self._chart.options.clear()
            self._chart.options.update(options)
            self._chart.update()

    def _click(self, event: events.EChartPointClickEventArguments) -> None:
        data: Any = event.data
        if self._report is None or not isinstance(data, dict):
            return
        place = data.get("place")
        if isinstance(place, int) and 0 <= place < len(self._report.found.points):
            self._take(self._report.found.points[place])

    def _words(self, point: FrontierPoint) -> str:
        return point_words(point, paid=self._report is not None and is_paid(self._report.found.counting))

    def _take(self, point: FrontierPoint) -> None:
        self._said.set_text(sentences([self._words(point), point.note]))
        if point.hedge is not None and point.hedge.legs:
            self._chosen(point.hedge)

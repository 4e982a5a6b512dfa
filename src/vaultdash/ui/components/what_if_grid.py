"""The owner's scenario grids: which one gives the steps of table and maps, and one's own to type and keep."""

import re
from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from vaultdash.domain.errors import InvalidInput
from vaultdash.services.workbench_request import ScenarioGrid
from vaultdash.ui.components.field import Field
from vaultdash.ui.format import number
from vaultdash.ui.theme import Tabs, button, note, text, visible
from vaultdash.ui.typed import sentence

USUAL = "usual"
NUMBER = re.compile(r"[+\-−]?[0-9]+(?:\.[0-9]+)?")
MOST_STEPS = 60
FIRST = ScenarioGrid(
    "", (-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3), (-0.05, 0.0, 0.05, 0.1, 0.2), (0, 30, 60, 90, 180)
)


class GridCard:
    """Choosing tells `choose` (None for the usual steps); keeping and removing are asked of the page."""

    def __init__(
        self,
        choose: Callable[[ScenarioGrid | None], object],
        keep: Callable[[ScenarioGrid], Awaitable[None]],
        remove: Callable[[str], Awaitable[None]],
    ) -> None:
        self._choose, self._keep, self._remove = choose, keep, remove
        self._kept: dict[str, ScenarioGrid] = {}
        self._chosen: str | None = None
        self._tabs = ui.element("div")
        with ui.element("details").classes("vd-past vd-further"):
            text("summary", "Type a grid of your own, and keep it under a name")
            with ui.element("div").classes("vd-fields vd-more"):
                self._prices = Field("Gold moves by", self._typed, unit="%", hint="such as −50, −30, −10, 0, 20")
                self._shifts = Field("Volatility shifts by", self._typed, unit="points", hint="such as −5, 0, 10, 20")
                self._days = Field("Days forward", self._typed, hint="such as 0, 30, 90, 180")
                self._name = Field("Name", self._typed, hint="one that exists is replaced")
            with ui.element("div").classes("vd-actions vd-more"):
                button("Show it", self._show, words="Use this grid without keeping it")
                button("Keep it", self._save, main=True)
                self._gone = button("Remove it", self._drop, words="Remove the grid that is chosen")
        self._said = text("div", "", "vd-note").props("role=status").mark("grid-said")
        self._problem = text("div", "", "vd-problem call").props("role=alert")
        self._fill(FIRST)
        self.show((), None)

    def show(self, grids: Sequence[ScenarioGrid], chosen: str | None) -> None:
        """List those kept; None chooses the usual steps."""
        self._kept = {each.name: each for each in grids}
        self._chosen = chosen if chosen in self._kept else None
        self._tabs.clear()
        with self._tabs:
            # The marker keeps a grid that is called as the usual one apart from it.
            choices = [(USUAL, "usual steps"), *((f"-{name}", name) for name in self._kept)]
            Tabs(choices, USUAL if self._chosen is None else f"-{self._chosen}", self._pick)
            if not self._kept:
                note("No grid of your own is kept yet.")
        visible(self._gone, when=self._chosen is not None)

    def tell(self, said: str = "", problem: str = "") -> None:
        """What became of it."""
        self._said.set_text(said)
        self._problem.set_text(problem)

    def _pick(self, value: str) -> None:
        self.tell()
        self._chosen = None if value == USUAL else value[1:]
        grid = None if self._chosen is None else self._kept[self._chosen]
        if grid is not None:
            self._fill(grid)
        visible(self._gone, when=grid is not None)
        self._choose(grid)

    def _fill(self, grid: ScenarioGrid) -> None:
        self._prices.fill(", ".join(_written(100 * step) for step in grid.prices))
        self._shifts.fill(", ".join(_written(100 * step) for step in grid.volatilities))
        self._days.fill(", ".join(number(step).replace(",", "") for step in grid.days))
        self._name.fill(grid.name)

    def _typed(self, _: str) -> None:
        self.tell()

    def _read(self) -> ScenarioGrid | None:
        """What is typed; None when a field says what is wrong with it."""
        found: list[tuple[float, ...]] = []
        for field, name, read in (
            (self._prices, "prices", lambda step: step / 100),
            (self._shifts, "volatilities", lambda step: step / 100),
            (self._days, "days", whole),
        ):
            field.say(None)
            try:
                found.append(steps(name, field.text, read))
            except InvalidInput as error:
                field.say(sentence("This", error))
        if len(found) < 3:
            return None
        prices, shifts, days = found
        if prices[0] <= -1:
            self._prices.say("A fall must be above −100 %.")
            return None
        return ScenarioGrid(self._name.text.strip(), prices, shifts, tuple(int(step) for step in days))

    def _show(self) -> None:
        grid = self._read()
        if grid is not None:
            self.tell("These steps are shown, and not kept.")
            self._choose(grid)

    async def _save(self) -> None:
        grid = self._read()
        if grid is None:
            return
        if not grid.name:
            self._name.say("A name is needed to keep it.")
            return
        self._name.say(None)
        await self._keep(grid)

    async def _drop(self) -> None:
        if self._chosen is not None:
            await self._remove(self._chosen)


def steps(name: str, typed: str, read: Callable[[float], float]) -> tuple[float, ...]:
    """Numbers with commas, blanks or semicolons between them, ascending, each once; raises InvalidInput."""
    parts = [part for part in re.split(r"[,;\s]+", typed.replace("%", " ").strip()) if part]
    wrong = next((part for part in parts if not NUMBER.fullmatch(part)), None)
    if wrong is not None:
        raise InvalidInput(name, f"has {wrong[:20]!r}, which is no number; write −50, −30, 0, 20")
    if not 1 <= len(parts) <= MOST_STEPS:
        raise InvalidInput(name, f"must have 1 to {MOST_STEPS} steps")
    return tuple(sorted({round(read(float(part.replace("−", "-"))), 9) for part in parts}))


def whole(step: float) -> float:
    """A number of days; raises InvalidInput for a part of one, or one that is past."""
    if step != round(step) or step < 0:
        raise InvalidInput("days", f"must be whole days from today on, not {step:g}")
    return step


def _written(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-", "−")

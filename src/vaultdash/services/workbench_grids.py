"""The owner's scenario grids: price moves, volatility shifts and days, kept under a name."""

from collections.abc import Sequence
from typing import Any

from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.validation import finite
from vaultdash.services.workbench_request import ScenarioGrid
from vaultdash.storage.records import Database

PREFERENCE = "scenario_grids"
MOST_GRIDS = 50
LONGEST_NAME = 60
MOST_STEPS = 60
LARGEST_RISE = 5.0
LARGEST_SHIFT = 2.0
MOST_DAYS = 3650


class ScenarioGrids:
    """Keeps them among the preferences, in the order of their names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[ScenarioGrid, ...]:
        """Those kept; raises DatabaseError."""
        async with self._database.reading() as kept:
            return _read(await kept.preferences.get(PREFERENCE))

    async def keep(self, grid: ScenarioGrid) -> ScenarioGrid:
        """Make or replace the grid of its name; raises InvalidInput, Refused when there are too many."""
        checked = _checked(grid)
        async with self._database.transaction() as kept:
            others = [each for each in _read(await kept.preferences.get(PREFERENCE)) if each.name != checked.name]
            if len(others) >= MOST_GRIDS:
                raise Refused(f"There are {MOST_GRIDS} grids already, the most there may be; remove one first")
            grids = sorted((*others, checked), key=lambda each: each.name.casefold())
            await kept.preferences.put(PREFERENCE, [_written(each) for each in grids])
        return checked

    async def remove(self, name: str) -> None:
        """Take one out; raises NotFound, which lists what there is."""
        async with self._database.transaction() as kept:
            grids = _read(await kept.preferences.get(PREFERENCE))
            rest = [each for each in grids if each.name != name.strip()]
            if len(rest) == len(grids):
                known = ", ".join(repr(each.name) for each in grids) or "none"
                raise NotFound(f"There is no grid {name.strip()[:LONGEST_NAME]!r}; there are {known}")
            await kept.preferences.put(PREFERENCE, [_written(each) for each in rest])


def _checked(grid: ScenarioGrid) -> ScenarioGrid:
    """Each axis ascending, each step once; raises InvalidInput."""
    name = grid.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or set("/\\") & set(name):
        raise InvalidInput("name", f"must have 1 to {LONGEST_NAME} characters on one line, without / and \\")
    prices = _axis("prices", grid.prices)
    if not all(-1 < move <= LARGEST_RISE for move in prices):
        raise InvalidInput("prices", f"must be fractions above -1 and up to {LARGEST_RISE:g}; write -0.2 for -20 %")
    volatilities = _axis("volatilities", grid.volatilities)
    if not all(abs(shift) <= LARGEST_SHIFT for shift in volatilities):
        raise InvalidInput("volatilities", f"must be shifts from -{LARGEST_SHIFT:g} to {LARGEST_SHIFT:g}")
    days = tuple(int(day) for day in _axis("days", grid.days))
    if not all(0 <= day <= MOST_DAYS for day in days):
        raise InvalidInput("days", f"must be whole days from 0 to {MOST_DAYS:,}")
    return ScenarioGrid(name, prices, volatilities, days)


def _axis(name: str, steps: Sequence[float]) -> tuple[float, ...]:
    if not 1 <= len(steps) <= MOST_STEPS:
        raise InvalidInput(name, f"must have 1 to {MOST_STEPS} steps")
    return tuple(sorted({finite(name, step) for step in steps}))


def _written(grid: ScenarioGrid) -> dict[str, Any]:
    return {
        "name": grid.name,
        "prices": list(grid.prices),
        "volatilities": list(grid.volatilities),
        "days": list(grid.days),
    }


def _read(value: object) -> tuple[ScenarioGrid, ...]:
    rows = value if isinstance(value, list) else []
    return tuple(
        ScenarioGrid(row["name"], tuple(row["prices"]), tuple(row["volatilities"]), tuple(row["days"]))
        for row in rows
    )

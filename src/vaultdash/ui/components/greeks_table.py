"""How a position moves, with units: a row for each part of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from vaultdash.ui.format import greek, signed_number
from vaultdash.ui.theme import text

COLUMNS = ("", "delta", "gamma", "theta", "vega")
UNITS = ("", "shares", "shares for 1 USD", "USD a day", "USD a point of volatility")


@dataclass(frozen=True, slots=True)
class Moves:
    """Greeks of a part, in trading units: delta in shares; None is what is not known."""

    name: str
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None


def together(name: str, parts: Sequence[Moves]) -> Moves:
    """The sum of the parts; what is not known of one is not known of all."""

    def total(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return Moves(
        name,
        total([part.delta for part in parts]),
        total([part.gamma for part in parts]),
        total([part.theta for part in parts]),
        total([part.vega for part in parts]),
    )


def pledged(name: str, shares: float) -> Moves:
    """Gold that is pledged: it moves one for one, and nothing else moves it."""
    return Moves(name, shares, 0.0, 0.0, 0.0)


def greeks_table(rows: Sequence[Moves]) -> None:
    """Lay out the rows in the current slot."""
    with ui.element("div").classes("vd-scroll"), ui.element("table").classes("vd-sums"):
        with ui.element("thead"), ui.element("tr"):
            for name, unit in zip(COLUMNS, UNITS, strict=True):
                with ui.element("th"):
                    text("span", name)
                    text("small", unit)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    text("th", row.name).props("scope=row")
                    text("td", signed_number(row.delta, 1))
                    text("td", greek(2)(row.gamma))
                    text("td", greek(2)(row.theta))
                    text("td", greek(2)(row.vega))

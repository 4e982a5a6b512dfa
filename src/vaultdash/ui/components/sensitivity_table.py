"""Whether the recommendation holds at other volatilities and prices."""

from vaultdash.domain.hedge import Comparison, RiskProfile, SensitivityPoint
from vaultdash.domain.loan import is_breached
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import pct, price, signed_pct


class SensitivityTable:
    """A row a profile, a column an assumption; a winner that differs from today's stands out and says `changes`."""

    def __init__(self) -> None:
        columns = [Column("profile", "recommended when", left=True)]
        columns += [Column(f"volatility{index}", "", left=True) for index in range(6)]
        columns += [Column(f"spot{index}", "", left=True) for index in range(5)]
        self._table = DataTable(columns, label="Recommendations under other assumptions")

    def show(self, comparison: Comparison | None) -> None:
        """Fill the rows; None, when advice is withheld, empties them."""
        if comparison is None:
            self._table.show([])
            return
        spot, found = comparison.situation.spot, comparison.sensitivity
        titles = {hedge.plan.name: hedge.plan.title.split(",")[0] for hedge in comparison.hedges}
        points = {f"volatility{index}": point for index, point in enumerate(found.volatility)}
        points |= {f"spot{index}": point for index, point in enumerate(found.spot)}
        for name, point in points.items():
            move = point.value / spot - 1
            gold = "gold now" if abs(move) < 1e-9 else f"gold {signed_pct(move, 0)}"
            at = (
                f"volatility {pct(point.value, 0)}"
                if name.startswith("volatility")
                else f"{gold}, {price(point.value)}"
            )
            self._table.label(name, at)
        called = {name for name, point in points.items() if name.startswith("spot") and _is_called(point, comparison)}
        self._table.show([_row(profile, points, titles, called) for profile in RiskProfile])


def _is_called(point: SensitivityPoint, comparison: Comparison) -> bool:
    situation = comparison.situation
    return is_breached(situation.loan_amount / (situation.units * point.value), situation.margin_call_ltv)


def _row(profile: RiskProfile, points: dict[str, SensitivityPoint], titles: dict[str, str], called: set[str]) -> Row:
    cells = {"profile": Cell(profile.value.replace("_", "-"))}
    for name, point in points.items():
        if name in called:
            cells[name] = Cell("repay first", tone="call", sub="called")
            continue
        changed = profile in point.changed
        cells[name] = Cell(
            titles[point.recommendations[profile]],
            tone="warning" if changed else "",
            sub="changes" if changed else "",
        )
    return Row(profile.value, cells)

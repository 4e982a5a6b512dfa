"""Whether the recommendation holds at other volatilities and prices."""

from vaultdash.domain.hedge import Comparison, RiskProfile, SensitivityPoint
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import pct, price, signed_pct

COLUMNS = (
    Column("when", "recommended when", left=True),
    Column("conservative", "conservative", left=True),
    Column("balanced", "balanced", left=True),
    Column("cost_sensitive", "cost-sensitive", left=True),
)


class SensitivityTable:
    """A row an assumption; a winner that differs from today's stands out and says `changes`."""

    def __init__(self) -> None:
        self._table = DataTable(COLUMNS, label="Recommendations under other assumptions")

    def show(self, comparison: Comparison) -> None:
        """Fill the rows."""
        titles = {hedge.plan.name: hedge.plan.title for hedge in comparison.hedges}
        found, spot = comparison.sensitivity, comparison.situation.spot
        rows = [_row(f"volatility {pct(point.value, 0)}", point, titles, 0) for point in found.volatility]
        rows += [
            _row(f"gold {signed_pct(point.value / spot - 1, 0)}, at {price(point.value)}", point, titles, 1)
            for point in found.spot
        ]
        self._table.show(rows)


def _row(when: str, point: SensitivityPoint, titles: dict[str, str], order: int) -> Row:
    cells = {"when": Cell(when, order * 1e6 + point.value)}
    for profile in RiskProfile:
        changed = profile in point.changed
        title = titles[point.recommendations[profile]]
        cells[profile.value] = Cell(title + (" · changes" if changed else ""), title, "warning" if changed else "")
    return Row(when, cells)

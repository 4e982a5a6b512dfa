"""The loan over moves of the price, with and without the hedge, on the changed day and market."""

import math

from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Zone
from vaultdash.risk.what_if import WhatIf, WhatIfPoint
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.what_if_words import lender_of, ltv_words, tone, zone_in
from vaultdash.ui.format import price, signed_pct, usd

COLUMNS = (
    Column("move", "gold", left=True),
    Column("without", "LTV without"),
    Column("ignored", "with it, ignored"),
    Column("paid", "after payment"),
    Column("credited", "credited"),
    Column("hedge", "hedge worth"),
    Column("gold_pnl", "gold gains"),
    Column("hedge_pnl", "hedge gains"),
    Column("net", "both"),
)
OF_COUNTING = {
    "ignored": HedgeCounting.IGNORED,
    "paid": HedgeCounting.AFTER_PAYMENT,
    "credited": HedgeCounting.CREDITED,
}
ZONES = {Zone.ROOM: "", Zone.WARNING: "warning", Zone.CALL: "call", Zone.CLOSE_OUT: "close-out"}


class WhatIfTable:
    """Sortable; the lender's own counting is named in its head."""

    def __init__(self) -> None:
        self._table = DataTable(COLUMNS, label="The loan over moves of gold, with and without the hedge")

    def show(self, found: WhatIf, case: HedgeCase) -> None:
        """Fill the rows."""
        loan = lender_of(case, found.change)
        for column in COLUMNS:
            if column.name in OF_COUNTING:
                own = OF_COUNTING[column.name] is loan.hedge_counting
                self._table.label(column.name, f"{column.label}{' · lender' if own else ''}")
        self._table.show([row(point, case, loan) for point in found.table])


def row(point: WhatIfPoint, case: HedgeCase, loan: Loan) -> Row:
    """One move of the price."""
    move = point.price / case.spot - 1.0
    cells = {
        "move": Cell(signed_pct(move, 0), move, sub=price(point.price)),
        "without": _ltv(point.unhedged_ltv, point.unhedged_zone),
        "hedge": Cell(usd(point.hedge_value), point.hedge_value),
        "gold_pnl": Cell(usd(point.gold_pnl), point.gold_pnl),
        "hedge_pnl": Cell(usd(point.hedge_pnl), point.hedge_pnl),
        "net": Cell(usd(point.net_pnl), point.net_pnl),
    }
    for name, counting in OF_COUNTING.items():
        cells[name] = _ltv(point.ltvs[counting], zone_in(counting, point, loan))
    return Row(f"{move:.6f}", cells)


def _ltv(ltv: float, where: Zone) -> Cell:
    shown = "" if where is Zone.ROOM else tone(where)
    return Cell(ltv_words(ltv), ltv if math.isfinite(ltv) else 1e9, shown, ZONES[where])

"""What the loan and its hedge cost a year: in money, of the collateral, and of the equity."""

from vaultdash.domain.carry import carry
from vaultdash.domain.portfolio import Snapshot
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import owed, pct, unbroken, usd
from vaultdash.ui.theme import card, note

COLUMNS = (
    Column("what", "a year", left=True),
    Column("money", "money"),
    Column("collateral", "of the gold"),
    Column("equity", "of your equity"),
)


class CarryCard:
    """Interest, hedge, and both."""

    def __init__(self) -> None:
        with card("What it costs to hold"):
            self._table = DataTable(COLUMNS, label="Interest and hedge cost a year")
            self._note = note("")

    def show(self, snapshot: Snapshot) -> None:
        """Fill it."""
        found, interest = carry(snapshot), snapshot.portfolio.loan.interest
        paid_in = owed(found.interest, snapshot.rate)
        rows = (
            ("interest", found.interest, paid_in),
            ("hedge held", found.hedge, usd(found.hedge)),
            ("together", found.total, usd(found.total)),
        )
        self._table.show(
            [
                Row(
                    name,
                    {
                        "what": Cell(name, number),
                        "money": Cell(told, cost),
                        "collateral": Cell(pct(cost / found.collateral, 2), cost),
                        "equity": Cell(pct(cost / found.equity if found.equity > 0 else None, 2), cost),
                    },
                )
                for number, (name, cost, told) in enumerate(rows)
            ]
        )
        paid = "added to the loan each quarter" if interest.capitalised else "paid in cash"
        self._note.set_text(
            unbroken(
                f"{pct(interest.rate, 2)} a year ({pct(interest.reference_rate, 2)} + {pct(interest.spread, 2)}), "
                f"{interest.day_count.value}, {paid}. A premium is spread from its purchase to its expiration: "
                f"a year of short options needs several. "
                f"Equity = gold + options − loan = {usd(found.equity)}."
            )
        )

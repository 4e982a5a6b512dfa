"""What a fall of gold does to the loan, and what cures it."""

from vaultdash.domain.portfolio import Snapshot, cure, loan_to_value, zone
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import pct, price, usd
from vaultdash.ui.theme import Tone, note

FALLS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
COLUMNS = (
    Column("fall", "fall", left=True),
    Column("price", "price"),
    Column("ltv", "LTV"),
    Column("repay", "repay cash"),
)


class FallsTable:
    """A row a fall; choosing one says all three cures."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._table = DataTable(COLUMNS, pick=self._explain, label="LTV after a fall of gold, and the cure")
        self._said = note("Choose a row for all three cures: repay cash, add gold, or sell gold.")
        self._chosen: str | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Fill the rows from a snapshot."""
        self._snapshot = snapshot
        self._table.show([self._row(snapshot, fall) for fall in FALLS])
        if self._chosen is not None:
            self._explain(self._chosen)

    def _row(self, snapshot: Snapshot, fall: float) -> Row:
        loan, value = snapshot.portfolio.loan, snapshot.gold_value * (1 - fall)
        ltv = loan_to_value(loan.amount, value)
        where = zone(ltv, loan)
        words: dict[str, tuple[str, Tone]] = {
            "room": ("", ""),
            "warning": (" warning", "warning"),
            "call": (" call", "call"),
            "close_out": (" close-out", "close_out"),
        }
        word, tone = words[where]
        needed = cure(loan.amount, value, loan.warning_ltv).repay_cash
        return Row(
            f"{fall:.2f}",
            {
                "fall": Cell("now" if fall == 0 else f"−{fall * 100:.0f} %", fall),
                "price": Cell(price(snapshot.price * (1 - fall)), snapshot.price * (1 - fall)),
                "ltv": Cell(pct(ltv) + word, ltv, tone),
                "repay": Cell(usd(needed) if needed else "–", needed),
            },
        )

    def _explain(self, chosen: str) -> None:
        assert self._snapshot is not None
        self._chosen = chosen
        loan, fall = self._snapshot.portfolio.loan, float(chosen)
        ways = cure(loan.amount, self._snapshot.gold_value * (1 - fall), loan.warning_ltv)
        after = "Now" if fall == 0 else f"After a fall of {fall * 100:.0f} %"
        if ways.repay_cash == 0:
            self._said.set_text(f"{after}: nothing to cure, LTV stays below {pct(loan.warning_ltv, 0)}.")
            return
        left = self._snapshot.gold_value * (1 - fall)
        sale = f"sell gold worth {usd(ways.sell_gold)} and repay with it"
        if ways.sell_gold > left:
            sale = f"selling all of it, worth {usd(left)}, is not enough"
        self._said.set_text(
            f"{after}, back to {pct(loan.warning_ltv, 0)} by one of three: repay {usd(ways.repay_cash)}; "
            f"add gold worth {usd(ways.add_gold)}; {sale}."
        )

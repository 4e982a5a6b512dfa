"""What a fall of gold does to the loan, with and without the options held, and what cures it."""

from dataclasses import replace

from nicegui import ui

from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Cure, Snapshot, Zone, cure_as_counted, hedged_ltv, loan_to_value, zone
from vaultdash.ui.components.cure_card import OPTIONS_BASIS, options_at
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import money, owed, pct, price, usd
from vaultdash.ui.theme import Tone, note, visible

FALLS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
COLUMNS = (
    Column("fall", "fall", left=True),
    Column("price", "price"),
    Column("ltv", "LTV"),
    Column("repay", "repay cash"),
)
HEDGED_COLUMNS = (
    Column("fall", "fall", left=True),
    Column("ltv", "gold alone"),
    Column("hedged", "with options"),
    Column("repay", "repay cash"),
)
WORDS: dict[str, tuple[str, Tone]] = {
    "room": ("", ""),
    "warning": ("warning", "warning"),
    "call": ("call", "call"),
    "close_out": ("close-out", "close_out"),
}
COUNTED = {
    HedgeCounting.IGNORED: "after they are sold and have repaid; your lender ignores them, so the cure does, too",
    HedgeCounting.AFTER_PAYMENT: "after they are sold and have repaid, as your lender counts; so is the cure",
    HedgeCounting.CREDITED: "credited as your lender does; so is the cure",
}
CHOOSE = "Choose a row for all three cures: repay cash, add gold, or sell gold."


class FallsTable:
    """A row a fall; choosing one says all three cures."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        label = "LTV after a fall of gold, and the cure"
        with ui.element("div") as self._plain_box:
            self._plain = DataTable(COLUMNS, pick=self._explain, label=label)
        with ui.element("div").classes("vd-hidden") as self._hedged_box:
            self._hedged = DataTable(HEDGED_COLUMNS, pick=self._explain, label=label)
        self._said = note(CHOOSE)
        self._basis = note("")
        self._chosen: str | None = None

    def show(self, snapshot: Snapshot, *, judged: bool = True) -> None:
        """Fill the rows from a snapshot; no zone is named where it is not `judged`, as by an invented rate."""
        self._snapshot = snapshot
        held = snapshot.hedge is not None
        visible(self._plain_box, when=not held)
        visible(self._hedged_box, when=held)
        (self._hedged if held else self._plain).show([_row(snapshot, fall, judged=judged) for fall in FALLS])
        counted = COUNTED[snapshot.portfolio.loan.hedge_counting]
        self._basis.set_text(
            f"LTV; with options: {counted}. After a fall they are worth {OPTIONS_BASIS}." if held else ""
        )
        if self._chosen is not None:
            self._explain(self._chosen)

    def _explain(self, chosen: str) -> None:
        assert self._snapshot is not None
        self._chosen = chosen
        snapshot, fall = self._snapshot, float(chosen)
        loan, left = snapshot.portfolio.loan, snapshot.gold_value * (1 - fall)
        ways = _cure(snapshot, fall)
        after = "Now" if fall == 0 else f"After a fall of {fall * 100:.0f} %"
        if ways.repay_cash == 0:
            self._said.set_text(f"{after}: nothing to cure, LTV stays below {pct(loan.warning_ltv, 0)}.")
            return
        sale = f"sell gold worth {usd(ways.sell_gold)} and repay with it"
        if ways.sell_gold > left:
            sale = f"selling all of it, worth {usd(left)}, is not enough"
        self._said.set_text(
            f"{after}, back to {pct(loan.warning_ltv, 0)} by one of three: repay "
            f"{owed(ways.repay_cash, snapshot.rate)}; add gold worth {usd(ways.add_gold)}; {sale}."
        )


def _cure(snapshot: Snapshot, fall: float) -> Cure:
    """Back to the warning limit, options counted as the lender does."""
    loan = snapshot.portfolio.loan
    worth = options_at(snapshot, snapshot.price * (1 - fall))
    return cure_as_counted(loan, snapshot.gold_value * (1 - fall), worth, loan.warning_ltv)


def _row(snapshot: Snapshot, fall: float, *, judged: bool) -> Row:
    loan, value, at = snapshot.portfolio.loan, snapshot.gold_value * (1 - fall), snapshot.price * (1 - fall)
    needed = _cure(snapshot, fall).repay_cash
    alone = loan_to_value(loan.amount, value)
    hedged = hedged_ltv(loan.amount, value, options_at(snapshot, at), _counting(loan))
    return Row(
        f"{fall:.2f}",
        {
            "fall": Cell("now" if fall == 0 else pct(-fall, 0), fall, sub=price(at) if snapshot.hedge else ""),
            "price": Cell(price(at), at),
            "ltv": _ltv(alone, loan, judged=judged),
            "hedged": _ltv(hedged, loan, judged=judged),
            "repay": _owed(needed, snapshot) if needed else Cell("–", needed),
        },
    )


def _owed(dollars: float, snapshot: Snapshot) -> Cell:
    """In the loan's currency, dollars below."""
    rate = snapshot.rate
    return Cell(money(rate.own(dollars), rate.currency), dollars, sub="" if rate.is_dollar else usd(dollars))


def _counting(loan: Loan) -> Loan:
    """The loan as its lender counts; where options are ignored, as if they had repaid it."""
    if loan.hedge_counting is HedgeCounting.IGNORED:
        return replace(loan, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    return loan


def _ltv(ltv: float, loan: Loan, *, judged: bool) -> Cell:
    word, tone = WORDS[zone(ltv, loan) if judged else Zone.ROOM]
    return Cell(pct(ltv), ltv, tone, sub=word)

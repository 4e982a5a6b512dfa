"""LTV in the three ways in which a hedge can be counted, side by side and never mixed."""

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot, Zone, zone
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.format import owed, pct, usd
from vaultdash.ui.theme import Tone

LABELS = {
    HedgeCounting.IGNORED: "hedge ignored",
    HedgeCounting.AFTER_PAYMENT: "after payment",
    HedgeCounting.CREDITED: "hedge credited",
}
FORMULAS = {
    HedgeCounting.IGNORED: "loan ÷ gold",
    HedgeCounting.AFTER_PAYMENT: "(loan − options) ÷ gold: the options are sold and repay the loan",
    HedgeCounting.CREDITED: "loan ÷ (gold + options): the lender holds them as collateral, less its haircut",
}


class Countings:
    """One figure a counting; the lender's own is marked."""

    def __init__(self) -> None:
        self._figures = {counting: Figure(f"LTV, {label}") for counting, label in LABELS.items()}

    def show(self, snapshot: Snapshot, *, judged: bool = True) -> None:
        """Fill the three; no zone is shown where it is not `judged`, as by an invented rate."""
        loan = snapshot.portfolio.loan
        for counting, figure in self._figures.items():
            ltv = snapshot.counted(counting)
            own = " · your lender" if counting is loan.hedge_counting else ""
            where = zone(ltv, loan) if judged else Zone.ROOM
            tone: Tone = where.value
            if where is Zone.ROOM:
                tone = "" if own else "muted"
            haircut = f"\nhaircut {pct(loan.hedge_haircut, 0)}" if counting is HedgeCounting.CREDITED else ""
            figure.show(
                pct(ltv),
                f"{FORMULAS[counting]}\nloan {owed(loan.amount, snapshot.rate)}, gold {usd(snapshot.gold_value)}, "
                f"options {usd(snapshot.hedge_value)}{haircut}",
                label=f"LTV, {LABELS[counting]}{own}",
                tone=tone,
            )

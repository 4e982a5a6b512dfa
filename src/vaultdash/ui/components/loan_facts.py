"""The loan in figures: what is owed, what is pledged, and what is recommended."""

from nicegui import ui

from vaultdash.domain.portfolio import Portfolio, Snapshot
from vaultdash.ui.components.loan_draft import unit_of
from vaultdash.ui.format import day, number, pct, unbroken, usd
from vaultdash.ui.theme import card, note, text

FACTS = (
    "Lender",
    "Loan",
    "Interest",
    "Collateral",
    "Held as",
    "Gold in it",
    "Largest loan before a call",
    "Recommended collateral",
    "Against what you have",
)


class LoanFacts:
    """A list of facts with a way to change them."""

    def __init__(self) -> None:
        with card("The loan") as head:
            with head:
                ui.link("Change", "/settings").classes("vd-tab")
            with ui.element("dl").classes("vd-facts"):
                self._facts = {name: self._fact(name) for name in FACTS}
            self._note = note("")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", "–")

    def show_terms(self, portfolio: Portfolio, *, is_example: bool) -> None:
        """What needs no price."""
        loan, lots = portfolio.loan, portfolio.collateral.lots
        pledged = " + ".join(
            f"{number(lot.units, 2)} {lot.symbol if unit_of(lot.symbol) == 'shares' else unit_of(lot.symbol)}"
            for lot in lots[:3]
        )
        known = {
            "Lender": portfolio.lender or "not named",
            "Loan": f"{usd(loan.amount)} {loan.currency}" + (f", owed on {day(loan.as_of)}" if loan.as_of else ""),
            "Interest": f"{pct(loan.interest.rate, 2)} a year",
            "Held as": pledged + (f" + {len(lots) - 3} more lots" if len(lots) > 3 else ""),
        }
        for name, value in known.items():
            self._facts[name].set_text(unbroken(value))
        self._note.set_text(
            "An EXAMPLE: nobody has said yet what is owed on what."
            if is_example
            else f"As typed on the settings page; recommended is loan ÷ {pct(portfolio.target_ltv)}, your target LTV."
        )

    def show(self, snapshot: Snapshot) -> None:
        """What the price decides."""
        difference = snapshot.gold_value - snapshot.recommended_collateral
        ounces = snapshot.gold_ounces
        recommended, target = usd(snapshot.recommended_collateral), pct(snapshot.portfolio.target_ltv)
        word = "more than that" if difference >= 0 else "are missing"
        values = {
            "Collateral": usd(snapshot.gold_value),
            "Gold in it": "–" if ounces is None else f"{number(ounces, 2)} oz",
            "Largest loan before a call": usd(snapshot.max_loan),
            "Recommended collateral": f"{recommended} for {target}",
            "Against what you have": f"{usd(abs(difference))} {word}",
        }
        for name, value in values.items():
            self._facts[name].set_text(unbroken(value))

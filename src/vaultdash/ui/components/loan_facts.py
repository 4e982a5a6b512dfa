"""The loan in figures: what is owed, what is pledged, and what is recommended."""

from datetime import datetime

from nicegui import ui

from vaultdash.domain.portfolio import Portfolio, Snapshot
from vaultdash.ui.components.loan_draft import unit_of
from vaultdash.ui.format import day, moment, money, number, owed, pct, rate_words, source_words, unbroken, usd
from vaultdash.ui.theme import age_of, card, note, show_age, text, visible

FACTS = (
    "Lender",
    "Loan",
    "Owed today",
    "A dollar costs",
    "Interest",
    "Collateral",
    "Held as",
    "Gold in it",
    "Largest loan before a call",
    "Recommended collateral",
    "What you have",
)


class LoanFacts:
    """A list of facts with a way to change them."""

    def __init__(self) -> None:
        self._exchanged: list[ui.label] = []
        with card("The loan") as head:
            with head:
                ui.link("Change", "/settings").classes("vd-tab")
            with ui.element("dl").classes("vd-facts"):
                self._facts = {name: self._fact(name) for name in FACTS}
            with ui.element("div").classes("vd-note vd-origin"):
                self._rate = text("span", "")
                self._rate_age = age_of("", "")
            self._note = note("")

    def _fact(self, name: str) -> ui.label:
        term = text("dt", name)
        said = text("dd", "–")
        if name in ("Owed today", "A dollar costs"):
            self._exchanged.extend((term, said))
            for part in (term, said):
                visible(part, when=False)
        return said

    def show_terms(self, portfolio: Portfolio, *, is_example: bool) -> None:
        """What needs no price."""
        loan, lots = portfolio.loan, portfolio.collateral.lots
        pledged = " + ".join(
            f"{number(lot.units, 2)} {lot.symbol if unit_of(lot.symbol) == 'shares' else unit_of(lot.symbol)}"
            for lot in lots[:3]
        )
        known = {
            "Lender": portfolio.lender or "not named",
            "Loan": money(loan.amount, loan.currency) + (f", owed on {day(loan.as_of)}" if loan.as_of else ""),
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

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """What the price decides, and the exchange rate."""
        difference = snapshot.gold_value - snapshot.recommended_collateral
        ounces = snapshot.gold_ounces
        recommended, target = usd(snapshot.recommended_collateral), pct(snapshot.portfolio.target_ltv)
        word = "more than recommended" if difference >= 0 else "short of it"
        rate = snapshot.rate
        for part in self._exchanged:
            visible(part, when=not rate.is_dollar)
        self._rate.set_text(
            f"{rate.currency} from {source_words(rate.source)}, {moment(rate.at)} · " if rate.at is not None else ""
        )
        show_age(self._rate_age, rate.at, now)
        values = {
            "Owed today": owed(snapshot.portfolio.loan.amount, rate),
            "A dollar costs": rate_words(rate),
            "Collateral": usd(snapshot.gold_value),
            "Gold in it": "–" if ounces is None else f"{number(ounces, 2)} oz",
            "Largest loan before a call": owed(snapshot.max_loan, rate),
            "Recommended collateral": f"{recommended} for {target}",
            "What you have": f"{usd(abs(difference))} {word}",
        }
        for name, value in values.items():
            self._facts[name].set_text(unbroken(value))

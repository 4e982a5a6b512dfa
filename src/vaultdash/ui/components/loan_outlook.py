"""What a loan that is being typed would mean at the latest price."""

from datetime import datetime

from nicegui import ui

from vaultdash.domain.portfolio import Snapshot, Zone
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.ui.format import moment, number, owed, pct, price, signed_pct, source_words, unbroken, usd
from vaultdash.ui.theme import TONES, Tone, age_of, card, show_age, text

FACTS = (
    "LTV as the lender counts it",
    "LTV, no hedge counted",
    "Owed today",
    "Collateral",
    "Gold in it",
    "Margin-call price",
    "Close-out price",
    "Headroom on the loan",
    "Recommended collateral",
)
ZONE_WORDS = {Zone.ROOM: "room", Zone.WARNING: "warning", Zone.CALL: "margin call", Zone.CLOSE_OUT: "close-out"}


class LoanOutlook:
    """A card of derived figures; says in a sentence why there are none."""

    def __init__(self, title: str = "What that means now") -> None:
        with card(title):
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "–").mark("outlook")
            with ui.element("dl").classes("vd-facts") as self._list:
                self._facts = {name: self._fact(name) for name in FACTS}
            with ui.element("div").classes("vd-note vd-origin"):
                self._source = text("span", "")
                self._age = age_of("", "")
            with ui.element("div").classes("vd-note vd-origin"):
                self._rate = text("span", "")
                self._rate_age = age_of("", "")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", "–")

    def say(self, reason: str) -> None:
        """Why nothing can be derived."""
        self._headline.set_text(reason)
        self._headline.classes(remove=" ".join(TONES), add="muted")
        for label in self._facts.values():
            label.set_text("–")

    def say_no_rate(self, currency: str) -> None:
        """The loan cannot be compared with gold yet."""
        self.say(f"As soon as it is known what a dollar costs in {currency}, this says what it means.")

    def show_price(self, status: QuoteStatus | None, now: datetime) -> None:
        """The price that everything is derived from, with its age and source."""
        if status is None:
            self._source.set_text("No price yet.")
            show_age(self._age, None, now)
            return
        quote = status.quote
        stale = ", stale" if status.is_stale else ""
        self._source.set_text(
            unbroken(f"At {quote.symbol} {price(quote.price)} from {source_words(quote.source)}{stale}, ")
            + f"{moment(quote.at)} · "
        )
        show_age(self._age, quote.at, now)

    def show_rate(self, rate: QuoteStatus | None, now: datetime) -> None:
        """What a dollar costs in the currency of the loan, with its age and source; None says nothing."""
        if rate is None:
            self._rate.set_text("")
            show_age(self._rate_age, None, now)
            return
        quote = rate.quote
        stale = ", stale" if rate.is_stale else ""
        self._rate.set_text(
            f"A dollar costs {quote.price:.4f} {quote.currency}, {source_words(quote.source)}{stale}, "
            f"{moment(quote.at)} · "
        )
        show_age(self._rate_age, quote.at, now)

    def show(self, snapshot: Snapshot) -> None:
        """Fill it."""
        tone: Tone = snapshot.zone.value
        self._headline.set_text(unbroken(f"LTV {pct(snapshot.lender_ltv)}: {ZONE_WORDS[snapshot.zone]}."))
        self._headline.classes(remove=" ".join(TONES), add=tone)
        ounces = snapshot.gold_ounces
        difference = snapshot.gold_value - snapshot.recommended_collateral
        word = "more" if difference >= 0 else "less"
        alone = ", gold alone" if snapshot.counts_options else ""
        values = (
            pct(snapshot.lender_ltv),
            pct(snapshot.ltv),
            owed(snapshot.portfolio.loan.amount, snapshot.rate),
            usd(snapshot.gold_value),
            "–" if ounces is None else f"{number(ounces, 2)} oz",
            f"{price(snapshot.margin_call_price)} ({signed_pct(-snapshot.drop_to_margin_call)}){alone}",
            f"{price(snapshot.close_out_price)} ({signed_pct(snapshot.close_out_price / snapshot.price - 1)}){alone}",
            owed(snapshot.headroom, snapshot.rate),
            f"{usd(snapshot.recommended_collateral)}; you have {usd(abs(difference))} {word}",
        )
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(unbroken(value))

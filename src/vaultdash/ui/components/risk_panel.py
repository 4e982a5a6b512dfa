"""The odds of a call in a card: a sentence, the bars, and where the rest is told."""

from nicegui import ui

from vaultdash.services.odds_report import Odds
from vaultdash.services.odds_volatility import VolatilityKind
from vaultdash.services.risk_words import odds_sentence
from vaultdash.ui.components.odds_bars import OddsBars
from vaultdash.ui.format import pct, unbroken
from vaultdash.ui.theme import card, note, text

OF_OPTIONS = (VolatilityKind.AT_CALL, VolatilityKind.AT_THE_MONEY, VolatilityKind.GIVEN)


class RiskPanel:
    """A card for the overview; `show` fills it."""

    def __init__(self) -> None:
        with card("How likely is a call") as head:
            with head:
                ui.link("All about the odds", "/risk").classes("vd-tab")
            self._sentence = text("div", "Reckoning …").mark("odds-sentence")
            self._bars = OddsBars()
            self._basis = note("")

    def show(self, odds: Odds) -> None:
        """Fill the card."""
        self._sentence.set_text(unbroken(odds_sentence(odds)))
        self._bars.show(odds)
        self._basis.set_text(odds_basis(odds))

    def say_no_price(self) -> None:
        """Nothing can be said yet."""
        self._sentence.set_text("No price, so nothing can be said.")


def odds_basis(odds: Odds) -> str:
    """What the figures stand on, in a note."""
    chosen = odds.volatility
    models = {model.model for model in odds.simulated}
    simulated = f"closed form and {len(models)} simulated models" if models else "closed form; no model simulated yet"
    marks = ("DEMO volatility, " if chosen.is_demo else "") + ("old volatility, " if chosen.is_stale else "")
    later = "" if chosen.kind in OF_OPTIONS else " · the Risk page loads option prices and then goes by those"
    return unbroken(
        f"{marks}volatility {pct(chosen.yearly)} a year ahead from {chosen.name} ({chosen.source}) · {simulated} · a "
        f"call is seen at a close · no option counted{later}"
    )

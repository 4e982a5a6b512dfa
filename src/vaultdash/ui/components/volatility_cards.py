"""Two cards: the smile of the expiration that is shown, and volatility by expiry for those loaded so far."""

from collections.abc import Sequence

from nicegui import ui

from vaultdash.pricing.surface import VolatilitySurface
from vaultdash.services.chain_pricing import PricedChain
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.smile_charts import fit_words, smile_options, term_options
from vaultdash.ui.format import day
from vaultdash.ui.theme import ChartColours, card, note, text


class VolatilityCards:
    """Drawn from a chain and the surface through all loaded chains; None when no quote is good enough for one."""

    def __init__(self) -> None:
        with ui.element("div").classes("vd-columns even vd-hidden") as self._box:
            with card("Volatility by strike") as head:
                with head:
                    self._title = text("b", "")
                self._smile = Chart("Implied volatility over the strike")
                self._fit = note("")
            with card("Volatility by expiry"):
                self._term = Chart("At-the-money volatility over the days to expiry")
                self._loaded = note("")
                self._remarks = ui.element("ul").classes("vd-remarks vd-note")

    def hide(self) -> None:
        """Nothing to draw."""
        self._box.classes(add="vd-hidden")

    def show(
        self,
        chain: PricedChain,
        chains: Sequence[PricedChain],
        surface: VolatilitySurface | None,
        listed: int,
        call: float | None,
        colours: ChartColours,
    ) -> None:
        """Draw both; `listed` is how many expirations there are, `call` the loan's call price."""
        self._box.classes(remove="vd-hidden")
        self._title.set_text(day(chain.expiration))
        self._smile.show(smile_options(chain, surface, call, colours))
        self._fit.set_text(fit_words(surface, chain.expiration))
        self._remarks.clear()
        if surface is None:
            self._term.show({"animation": False})
            self._loaded.set_text("No surface: the quotes loaded so far are not good enough.")
            return
        self._term.show(term_options(chains, surface, chain.expiration, colours))
        self._loaded.set_text(
            f"{len(chains)} of {listed} expirations loaded; the others join when you open them. "
            "Hollow: few good quotes."
        )
        with self._remarks:
            for remark in surface.remarks:
                text("li", remark)

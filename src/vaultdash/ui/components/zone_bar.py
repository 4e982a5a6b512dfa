"""LTV on a bar of zones: room, warning, call, close-out."""

from nicegui import ui
from nicegui.element import Element

from vaultdash.domain.loan import Loan
from vaultdash.ui.format import pct
from vaultdash.ui.theme import text

WORDS = ("warn", "call", "close-out")


class ZoneBar:
    """The bar is drawn from 0 to 100 % LTV; the mark stops at its ends."""

    def __init__(self) -> None:
        with ui.element("div").classes("vd-zones").props("role=img") as self._bar:
            with ui.element("div").classes("track"):
                self._parts = [ui.element("i") for _ in range(4)]
            self._mark = ui.element("div").classes("mark")
            self._ticks = [self._tick(word) for word in WORDS]

    @staticmethod
    def _tick(word: str) -> tuple[Element, ui.label]:
        with ui.element("span").classes("tick") as tick:
            limit = text("span", "")
            text("span", f" {word}", "vd-wide")
        return tick, limit

    def show(self, ltv: float | None, loan: Loan) -> None:
        """Place zones, ticks and mark; no mark while the LTV is not known."""
        limits = (loan.warning_ltv, loan.margin_call_ltv, loan.close_out_ltv)
        colours = ("room", "warning", "call", "close")
        edges = (0.0, *limits, 1.0)
        for part, colour, begin, end in zip(self._parts, colours, edges, edges[1:], strict=False):
            part.style(replace=f"width:{(end - begin) * 100:.3f}%;background:var(--vd-fill-{colour})")
        for (tick, shown), limit in zip(self._ticks, limits, strict=True):
            shown.set_text(f"{limit * 100:g}")
            tick.style(replace=f"left:{limit * 100:.3f}%")
        place = "display:none" if ltv is None else f"left:{min(max(ltv, 0.002), 0.998) * 100:.3f}%"
        self._mark.style(replace=place)
        described = ", ".join(f"{word} at {pct(limit)}" for word, limit in zip(WORDS, limits, strict=True))
        self._bar.props(f'aria-label="LTV {pct(ltv)}; {described}"')

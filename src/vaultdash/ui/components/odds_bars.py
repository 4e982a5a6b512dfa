"""The odds of a call by horizon: a bar from the lowest to the highest of all models, a mark for each of them."""

from nicegui import ui
from nicegui.element import Element

from vaultdash.services.odds_report import Odds
from vaultdash.services.odds_volatility import HORIZONS
from vaultdash.ui.format import pct, unbroken
from vaultdash.ui.theme import text

SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


class OddsBars:
    """Four bars on one scale, drawn again only when a figure that is shown has changed."""

    def __init__(self) -> None:
        self._shown: object = None
        self._rows: list[_Bar] = []
        with ui.element("div").classes("vd-odds"):
            for months in HORIZONS:
                self._rows.append(_Bar("1 month" if months == 1 else f"{months} months"))
            with ui.element("div").classes("vd-odds-row scale").props("aria-hidden=true"):
                text("span")
                with ui.element("div").classes("ends"):
                    text("span", "0 %")
                    self._top = text("span", "")
                text("span")

    def show(self, odds: Odds) -> None:
        """Draw the bars."""
        figures = tuple(
            (len(odds.closed), *(round(model.by_months[months], 4) for model in odds.models)) for months in HORIZONS
        )
        if figures == self._shown:
            return
        self._shown = figures
        highest = max(odds.span(months)[1] for months in HORIZONS)
        scale = next((top for top in SCALES if top >= highest * 1.02), 1.0)
        self._top.set_text(pct(scale, 0))
        for months, row in zip(HORIZONS, self._rows, strict=True):
            low, high = odds.span(months)
            row.show(odds, months, low, high, scale)


class _Bar:
    def __init__(self, label: str) -> None:
        self._label = label
        with ui.element("div").classes("vd-odds-row").props("role=img") as self._row:
            text("span", label)
            with ui.element("div").classes("track"):
                self._band = ui.element("i").classes("band")
                self._marks = ui.element("div")
            self._words = text("b", "…")

    def show(self, odds: Odds, months: int, low: float, high: float, scale: float) -> None:
        left, right = low / scale * 100, high / scale * 100
        self._band.style(replace=f"left:{left:.2f}%;width:{max(right - left, 0.4):.2f}%")
        words = span_words(low, high)
        self._words.set_text(words)
        self._row.props["aria-label"] = f"within {self._label}: {words}"
        self._marks.clear()
        with self._marks:
            for model in odds.models:
                kind = "central" if model is odds.central else "closed" if model in odds.closed else "simulated"
                at = model.by_months[months] / scale * 100
                mark: Element = ui.element("i").classes(f"mark {kind}").style(f"left:{at:.2f}%")
                mark.props["title"] = f"{model.model}, {model.drift.name}: {chance(model.by_months[months])}"


def chance(probability: float) -> str:
    """A probability in per cent; what rounds to nothing or to all says so."""
    if 0 < probability < 0.0005:
        return unbroken("< 0.1 %")
    if 0.9995 < probability < 1:
        return unbroken("> 99.9 %")
    return pct(probability, 0 if probability >= 0.995 else 1)


def span_words(low: float, high: float) -> str:
    """`18 to 32 %`; one figure when both show the same."""
    if chance(low) == chance(high) or high < 0.0005:
        return chance(high)
    digits = 0 if low >= 0.02 and high >= 0.1 else 1
    return (
        f"{pct(low, digits).removesuffix('%').strip()} to {pct(high, digits)}"
        if low >= 0.0005
        else (f"0 to {chance(high)}")
    )

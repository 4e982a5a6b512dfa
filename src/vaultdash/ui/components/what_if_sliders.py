"""The sliders and switches that make a what-if, each with what it stands at in words."""

from collections.abc import Callable
from datetime import timedelta

from nicegui import ui

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.risk.what_if import LenderChange, WhatIfChange
from vaultdash.ui.format import day, number, pct, signed_pct
from vaultdash.ui.theme import button, text, visible

LEAST_DAYS = 365
UNCHANGED = "as now"


class Slider:
    """One number in steps of `scale`; `moved` is told what a person slides, never what the page sets."""

    def __init__(
        self,
        label: str,
        least: int,
        most: int,
        scale: float,
        shown: Callable[[float], str],
        moved: Callable[[], object],
        value: int = 0,
    ) -> None:
        self._scale, self._shown, self._moved, self._start = scale, shown, moved, value
        self._setting = False
        with ui.element("div").classes("vd-slide"):
            with ui.element("div").classes("vd-slide-head"):
                text("span", label, "vd-field-label")
                self._said = text("b", shown(value * scale))
            self._slider = ui.slider(min=least, max=most, step=1, value=value, on_change=self._slid)
            self._slider.classes("vd-slider").props("color=vdgold")
            self._slider.props["aria-label"] = label

    @property
    def value(self) -> float:
        """Where it stands, a fraction or a number of days."""
        return round(float(self._slider.value or 0) * self._scale, 9)

    def set(self, value: float) -> None:
        """Put it somewhere without telling."""
        self._setting = True
        self._slider.value = round(value / self._scale)
        self._setting = False
        self.say()

    def start(self, value: float) -> None:
        """Where `reset` puts it; one that nobody has moved goes there at once."""
        untouched = round(float(self._slider.value or 0)) == self._start
        self._start = round(value / self._scale)
        if untouched:
            self.set(value)

    def reset(self) -> None:
        """Back to where it began, without telling."""
        self.set(self._start * self._scale)

    @property
    def is_moved(self) -> bool:
        """True when it does not stand where it began."""
        return round(float(self._slider.value or 0)) != self._start

    def limit(self, most: int) -> None:
        """Another upper end; what lies beyond it comes back to it."""
        if self._slider.props.get("max") != most:
            self._slider.props["max"] = most
            if float(self._slider.value or 0) > most:
                self.set(most * self._scale)

    def say(self) -> None:
        """Write beside it what it stands at."""
        self._said.set_text(self._shown(self.value))

    def _slid(self) -> None:
        if not self._setting:
            self.say()
            self._moved()


class Switch:
    """A box to tick, told like a slider."""

    def __init__(self, label: str, ticked: Callable[[], object]) -> None:
        self._setting = False
        self._ticked = ticked
        self._box = ui.checkbox(label, on_change=self._changed).props("dense color=vdgold").classes("vd-check")

    @property
    def is_on(self) -> bool:
        """Whether it is ticked."""
        return bool(self._box.value)

    def reset(self) -> None:
        """Not ticked, without telling."""
        self._setting = True
        self._box.value = False
        self._setting = False

    def _changed(self) -> None:
        if not self._setting:
            self._ticked()


class WhatIfSliders:
    """All of them; `changed` is told the name of what moved: price, volatility, days, rate or lender."""

    def __init__(self, changed: Callable[[str], object]) -> None:
        self._changed = changed
        self._case: HedgeCase | None = None

        def told(name: str) -> Callable[[], object]:
            return lambda: changed(name)

        with ui.element("div").classes("vd-slides"):
            self._price = Slider("Gold", -60, 50, 0.01, self._price_words, told("price"))
            self._days = Slider("Days forward", 0, LEAST_DAYS, 1, self._day_words, told("days"))
            self._volatility = Slider("Volatility", -10, 30, 0.01, _points_words, told("volatility"))
            self._rate = Slider("Interest", -8, 12, 0.0025, _rate_words, told("rate"))
        with ui.element("div").classes("vd-slides"):
            self._cut = Slider("Limits lower by", 0, 25, 0.01, _cut_words, told("lender"))
            self._haircut = Slider("Haircut on options", 0, 100, 0.01, self._haircut_words, told("lender"))
            with ui.element("div").classes("vd-checks"):
                self._stops = Switch("lender stops counting options", told("lender"))
                self._notice = Switch("no notice: the sale follows the call", told("lender"))
                self._crash = Switch("a fall raises volatility, as in a crash", told("crash"))
        with ui.element("div").classes("vd-actions"):
            self._again = button("Back to now", self._reset, words="Put everything back to what it is now")
            for move in (-0.1, -0.2, -0.3):
                said = f"Gold {signed_pct(move, 0)}"
                button(said, lambda move=move: self._put(move))  # type: ignore[misc]  # each button its own move

    @property
    def change(self) -> WhatIfChange:
        """What they say together."""
        return WhatIfChange(
            price=self._price.value,
            volatility=self._volatility.value,
            days=round(self._days.value),
            rate=self._rate.value,
            crash_volatility=self._crash.is_on,
            lender=LenderChange(
                haircut=self._haircut.value if self._haircut.is_moved else None,
                limit_cut=self._cut.value,
                no_notice=self._notice.is_on,
                stops_counting=self._stops.is_on,
            ),
        )

    def show(self, case: HedgeCase, hedge: ListedHedge) -> None:
        """Fit to a loan and a hedge: as many days as the hedge lives, at least a year; words at the price of now."""
        self._case = case
        first = hedge.first_expiration
        self._days.limit(max(LEAST_DAYS, 0 if first is None else case.days_to(first)))
        self._haircut.start(case.loan.hedge_haircut)
        for slider in (self._price, self._days, self._haircut):
            slider.say()
        visible(self._again, when=self.change != WhatIfChange())

    def _reset(self) -> None:
        for slider in (self._price, self._days, self._volatility, self._rate, self._cut, self._haircut):
            slider.reset()
        for switch in (self._stops, self._notice, self._crash):
            switch.reset()
        self._changed("all")

    def _put(self, move: float) -> None:
        self._price.set(move)
        self._changed("price")

    def _price_words(self, move: float) -> str:
        if self._case is None or not move:
            return UNCHANGED if not move else signed_pct(move, 0)
        return f"{signed_pct(move, 0)}, {self._case.spot * (1 + move):,.2f} USD"

    def _day_words(self, days: float) -> str:
        if not days:
            return "today"
        on = "" if self._case is None else f", {day(self._case.at.date() + timedelta(days=days))}"
        return f"{number(days)} day{'' if days == 1 else 's'}{on}"

    def _haircut_words(self, haircut: float) -> str:
        now = 0.0 if self._case is None else self._case.loan.hedge_haircut
        return f"{pct(haircut, 0)}{', ' + UNCHANGED if abs(haircut - now) < 1e-9 else ''}"


def _points_words(shift: float) -> str:
    return f"{shift * 100:+.0f} points".replace("-", "−") if shift else UNCHANGED


def _rate_words(shift: float) -> str:
    return f"{shift * 100:+.2f} points".replace("-", "−") if shift else UNCHANGED


def _cut_words(cut: float) -> str:
    return f"{cut * 100:.0f} points" if cut else UNCHANGED

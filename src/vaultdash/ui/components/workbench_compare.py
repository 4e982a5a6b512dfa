"""Up to four hedges and the loan without any, side by side: a column each, a row each of what they are judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.ui.components.workbench_words import leg_words, verdict_words
from vaultdash.ui.format import NOTHING, day, greek, number, pct, price, signed_number, unbroken, usd
from vaultdash.ui.theme import TONES, Tone, text

ASKING = "…"


@dataclass(frozen=True, slots=True)
class Compared:
    """A column: letter and colour, its name, what was measured, what paths came to.

    Without a measure it is `…` while it is measured, or `problem` says why it cannot be.
    """

    letter: str
    title: str
    colour: str
    measure: ListedMeasure | None = None
    verdict: PathVerdict | None = None
    cost: float | None = None
    problem: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in a cell."""

    text: str
    sub: str = ""
    tone: Tone = ""


Look = Callable[[Compared, ListedMeasure, HedgeCounting], Shown]


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    hint: str
    look: Look
    after_payment: str = ""  # its name in that counting, where another one is true


def _legs(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    hedge = found.hedge
    if not hedge.legs:
        return Shown(NOTHING)
    return Shown(" + ".join(leg_words(leg) for leg in hedge.legs), f"to {day(hedge.first_expiration)}")


def _cost(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    if found.net_cost < 0:
        return Shown(usd(-found.net_cost), "comes in", "room")
    return Shown(usd(found.net_cost), pct(found.cost_pct, 2))


def _a_year(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    if not found.hedge.legs:
        return Shown(usd(0))
    return Shown(pct(found.cost_per_year_pct, 2), usd(found.cost_per_year))


def _worst(_: Compared, found: ListedMeasure, counting: HedgeCounting) -> Shown:
    counted, loan = found.countings[counting], found.case.loan
    tone: Tone = _good(found, counting)
    if is_breached(counted.worst_ltv, loan.close_out_ltv):
        tone = "close_out"
    elif is_breached(counted.worst_ltv, loan.margin_call_ltv):
        tone = "call"
    elif is_breached(counted.worst_ltv, loan.warning_ltv):
        tone = "warning"
    shown = "above 200 %" if counted.worst_ltv > 2 else "repaid" if counted.worst_ltv <= 0 else pct(counted.worst_ltv)
    return Shown(shown, f"at {price(counted.worst_price)}", tone)


def _good(found: ListedMeasure, counting: HedgeCounting) -> Tone:
    """Green is for what the lender himself sees; after payment he has called before."""
    is_seen = counting is found.case.loan.hedge_counting and counting is not HedgeCounting.AFTER_PAYMENT
    return "room" if is_seen else ""


def _reach(_: Compared, found: ListedMeasure, counting: HedgeCounting) -> Shown:
    counted = found.countings[counting]
    if counted.keeps:
        return Shown("every one", f"to {pct(found.price_range[0], 0)}", _good(found, counting))
    if counted.deepest_fall is None:
        return Shown("called already", tone="call")
    then = "then too little" if counting is HedgeCounting.AFTER_PAYMENT and found.hedge.legs else "then a call"
    return Shown(pct(-abs(counted.deepest_fall)), then, "warning")


def _paths(one: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    if one.verdict is None:
        return Shown(NOTHING, "not asked")
    shown, error = verdict_words(one.verdict)
    if found.calls is not None and found.calls.refusal:
        return Shown(shown, "the broker calls first", "muted")
    high = one.verdict.span[1]
    return Shown(shown, error, "room" if high < 0.02 else "warning" if high < 0.15 else "call")


def _floor(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(pct(found.floor_pct), f"at {price(found.floor_price)}")


def _upside(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(pct(found.upside_kept, 0), f"to {pct(found.price_range[1], 0)} up")


def _delta(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(signed_number(found.total_greeks.delta, 0), f"hedge {signed_number(found.hedge_greeks.delta, 0)}")


def _gamma(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(greek(2)(found.hedge_greeks.gamma))


def _vega(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(greek(0)(found.hedge_greeks.vega))


def _theta(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    return Shown(greek(0)(found.hedge_greeks.theta))


def _liquidity(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    if not found.hedge.legs:
        return Shown(NOTHING)
    interest = found.least_open_interest
    wide: Tone = "warning" if found.widest_spread is not None and found.widest_spread > 0.1 else ""
    return Shown(
        pct(found.widest_spread), "open interest unknown" if interest is None else f"{number(interest)} open", wide
    )


def _calls(_: Compared, found: ListedMeasure, __: HedgeCounting) -> Shown:
    calls = found.calls
    if calls is None:
        return Shown(NOTHING)
    if calls.is_covered:
        return Shown("covered", tone="room")
    if calls.broker_calls_at is None:
        return Shown("at once", f"needs {usd(calls.requirement)}", "call")
    return Shown(
        price(calls.broker_calls_at), f"needs {usd(calls.requirement)}", "call" if calls.refusal else "warning"
    )


ROWS = (
    _Row("legs", "", _legs),
    _Row("cost", "of the gold's value", _cost),
    _Row("cost a year", "to the first expiration", _a_year),
    _Row("worst LTV", "at expiry", _worst),
    _Row("falls without a call", "at expiry", _reach, "falls it can repay"),
    _Row("a call not cured", "over paths, lowest to highest of the models", _paths),
    _Row("least that is left", "gold and hedge, of the gold now", _floor),
    _Row("upside kept", "", _upside),
    _Row("delta", "shares, gold and hedge", _delta),
    _Row("gamma", "shares for 1 USD", _gamma),
    _Row("vega", "USD a point", _vega),
    _Row("theta", "USD a day", _theta),
    _Row("widest spread", "of mid", _liquidity),
    _Row("the broker calls at", "sold calls", _calls),
)


class HedgesBeside:
    """The table is made once for as many columns as there are, and filled at each change; a head picks its hedge."""

    def __init__(self, pick: Callable[[int], object]) -> None:
        self._pick = pick
        self._heads: list[tuple[ui.element, ui.element, ui.label, ui.label]] = []
        self._cells: list[list[tuple[ui.label, ui.label]]] = []
        self._names: list[ui.label] = []
        self._box = ui.element("div").classes("vd-scroll vd-bench-table")

    def show(self, found: Sequence[Compared], counting: HedgeCounting) -> None:
        """Fill every cell."""
        if len(found) != len(self._heads):
            self._lay_out(len(found))
        is_paid = counting is HedgeCounting.AFTER_PAYMENT
        for row, name in zip(ROWS, self._names, strict=True):
            name.set_text(row.after_payment if is_paid and row.after_payment else row.name)
        for one, head, cells in zip(found, self._heads, self._cells, strict=True):
            button, swatch, letter, title = head
            button.props(f"aria-pressed={'true' if one.is_chosen else 'false'}")
            swatch.style(f"background:{one.colour}")
            letter.set_text(one.letter)
            title.set_text(one.title)
            for row, (label, sub) in zip(ROWS, cells, strict=True):
                shown = self._look(one, row, counting)
                label.set_text(unbroken(shown.text))
                label.classes(remove=" ".join(TONES), add=shown.tone)
                sub.set_text(unbroken(shown.sub))

    @staticmethod
    def _look(one: Compared, row: _Row, counting: HedgeCounting) -> Shown:
        if one.measure is not None:
            return row.look(one, one.measure, counting)
        if row.name == "cost" and one.cost is not None:
            return Shown(usd(one.cost))
        if one.problem:
            return Shown("no price", tone="warning") if row.name == "legs" else Shown(NOTHING)
        return Shown(ASKING)

    def _lay_out(self, columns: int) -> None:
        self._box.clear()
        self._heads, self._cells, self._names = [], [[] for _ in range(columns)], []
        with self._box, ui.element("table").classes(f"vd-sums vd-bench-sums of-{columns}"):
            with ui.element("thead"), ui.element("tr"):
                text("th", "")
                for place in range(columns):
                    with ui.element("th").props("scope=col"):
                        self._heads.append(self._head(place, last=place == columns - 1))
            with ui.element("tbody"):
                for row in ROWS:
                    with ui.element("tr"):
                        with ui.element("th").props("scope=row"):
                            self._names.append(text("span", row.name))
                            text("small", row.hint)
                        for place in range(columns):
                            with ui.element("td"):
                                self._cells[place].append((text("div", ""), text("small", "", "vd-note")))

    def _head(self, place: int, *, last: bool) -> tuple[ui.element, ui.element, ui.label, ui.label]:
        with ui.element("button").classes("vd-bench-head").props("type=button") as made:
            swatch = ui.element("i").classes("vd-swatch")
            letter = text("b", "")
            title = text("span", "")
        if not last:  # the last one is no hedge
            made.on("click", lambda: self._pick(place))
        else:
            made.props("disabled")
        return made, swatch, letter, title

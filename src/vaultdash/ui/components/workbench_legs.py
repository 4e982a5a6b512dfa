"""The legs of one hedge, each bent by hand: side, right, number, strike, expiration and the price it trades at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from nicegui import events, ui

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import MOST_HEDGE_CONTRACTS, MOST_HEDGE_LEGS, ListedLeg, PriceBasis
from vaultdash.domain.option import Right
from vaultdash.ui.components.stepper import Stepper
from vaultdash.ui.components.workbench_draft import LegDraft, Listed, Resolved
from vaultdash.ui.format import day, number, price, strike, unbroken, usd
from vaultdash.ui.theme import Tabs, button, note, text, visible
from vaultdash.ui.typed import amount, whole

Change = Callable[[LegDraft], LegDraft]
BUY, SELL = "buy", "sell"
SIDES = ((BUY, "buy"), (SELL, "sell"))
RIGHTS = ((Right.PUT.value, "put"), (Right.CALL.value, "call"))


@dataclass(frozen=True, slots=True)
class LegActs:
    """What the editor asks for: change a leg by its place, take one out, put one more in."""

    change: Callable[[int, Change], object]
    drop: Callable[[int], object]
    add: Callable[[], object]


class LegsEditor:
    """A block a leg; they are made once for as many legs as there are, and filled at each change."""

    def __init__(self, acts: LegActs) -> None:
        self._acts = acts
        self._rows: list[_LegRow] = []
        self._box = ui.element("div").classes("vd-legs")
        self._empty = note("No option in it yet: add a leg, start from a template, or let the search find one.")
        with ui.element("div").classes("vd-actions"):
            self._add = button("Add a leg", acts.add, words="Add a leg to this hedge")
        self._problem = text("div", "", "vd-field-problem call").props("role=alert")

    def show(self, found: Resolved, listed: Listed) -> None:
        """Fill every block from a hedge at the prices of now."""
        legs = found.draft.legs
        if len(legs) != len(self._rows):
            self._box.clear()
            with self._box:
                self._rows = [_LegRow(place, self._acts) for place in range(len(legs))]
        for place, (leg, row) in enumerate(zip(legs, self._rows, strict=True)):
            priced = found.hedge.legs[place] if found.hedge is not None else None
            row.show(leg, listed, priced, found.problems.get(place, ""))
        visible(self._empty, when=not legs)
        visible(self._add, when=len(legs) < MOST_HEDGE_LEGS)
        self._problem.set_text(found.problems.get(-1, ""))


Chosen = events.ValueChangeEventArguments[Any]


class _LegRow:
    def __init__(self, place: int, acts: LegActs) -> None:
        self._place = place
        self._acts = acts
        self._leg: LegDraft | None = None
        self._listed = Listed()
        self._strikes: Sequence[float] = ()
        self._filling = False
        name = f"leg {place + 1}"
        with ui.element("fieldset").classes("vd-leg") as box:
            box.props["aria-label"] = name.capitalize()
            with ui.element("div").classes("vd-field vd-leg-kind"):
                text("span", name.capitalize(), "vd-field-label")
                with ui.element("div").classes("vd-tabs"):
                    self._side = Tabs(SIDES, BUY, self._choose_side)
                    self._right = Tabs(RIGHTS, Right.PUT.value, self._choose_right)
            self._count = Stepper(
                "Contracts", self._type_count, self._step_count, words=f"Contracts of {name}", unit="number"
            )
            self._strike = Stepper(
                "Strike", self._type_strike, self._step_strike, words=f"Strike of {name}", unit="listed strike"
            )
            with ui.element("div").classes("vd-field vd-leg-slide"):
                self._ends = text("span", "", "vd-field-label")
                self._slider = ui.slider(min=0, max=1, step=1, value=0, on_change=self._slide).classes("vd-slider")
                self._slider.props("color=vdgold")
                self._slider.props["aria-label"] = f"Strike of {name}, from the lowest to the highest that is listed"
            self._until = self._select("Expires", f"Expiration of {name}", self._choose_day)
            self._basis = self._select("Trades at", f"Price of {name}", self._choose_basis)
            with ui.element("div").classes("vd-leg-out"):
                button("✕", lambda: acts.drop(place), words=f"Take {name} out")
            with ui.element("div").classes("vd-leg-own") as self._own_box:
                self._own = Stepper(
                    "Own price, USD a share",
                    self._type_own,
                    self._step_own,
                    words=f"Own price of {name}",
                    unit="price",
                )
            self._quote = note("").classes("vd-leg-quote")
            self._problem = text("div", "", "vd-field-problem call").props("role=status")

    @staticmethod
    def _select(label: str, words: str, choose: Callable[[Chosen], object]) -> ui.select:
        with ui.element("div").classes("vd-field"):
            text("span", label, "vd-field-label")
            made = ui.select({}, on_change=choose).props("outlined dense options-dense")
            made.props["aria-label"] = words
        return made

    def show(self, leg: LegDraft, listed: Listed, priced: ListedLeg | None, problem: str) -> None:
        self._leg, self._listed = leg, listed
        self._filling = True
        try:
            self._fill(leg, listed)
        finally:
            self._filling = False
        self._problem.set_text(problem)
        self._quote.set_text(unbroken(quote_words(leg, listed, priced)))

    def _fill(self, leg: LegDraft, listed: Listed) -> None:
        self._side.show(BUY if leg.contracts > 0 else SELL)
        self._right.show(leg.right.value)
        if _read_whole(self._count.text) != abs(leg.contracts):
            self._count.fill(number(abs(leg.contracts)))
        if _read_amount(self._strike.text) != leg.strike:
            self._strike.fill(strike(leg.strike))
        self._count.say(None)
        self._strike.say(None)
        days = sorted({*listed.expirations, leg.expiration})
        _offer(self._until, {one.isoformat(): day(one) for one in days}, leg.expiration.isoformat())
        _offer(self._basis, basis_words(leg), leg.basis.value)
        visible(self._own_box, when=leg.basis is PriceBasis.OWN)
        if leg.own is not None and _read_amount(self._own.text) != leg.own:
            self._own.fill(f"{leg.own:.2f}")
        self._strikes = listed.strikes(leg.right, leg.expiration)
        visible(self._slider, when=len(self._strikes) > 1)
        ends = f"{strike(self._strikes[0])} to {strike(self._strikes[-1])} listed" if self._strikes else ""
        self._ends.set_text(ends)
        if len(self._strikes) > 1:
            self._slider.props(f"max={len(self._strikes) - 1}")
            at = min(range(len(self._strikes)), key=lambda place: abs(self._strikes[place] - leg.strike))
            if self._slider.value != at:
                self._slider.value = at

    def _change(self, change: Change) -> None:
        if not self._filling:
            self._acts.change(self._place, change)

    def _choose_side(self, side: str) -> None:
        self._change(lambda leg: replace(leg, contracts=abs(leg.contracts) * (1 if side == BUY else -1)))

    def _choose_right(self, right: str) -> None:
        self._change(lambda leg: replace(leg, right=Right(right)))

    def _choose_day(self, event: Chosen) -> None:
        chosen = str(event.value or "")
        if chosen and not self._filling:
            self._change(lambda leg: replace(leg, expiration=date.fromisoformat(chosen)))

    def _choose_basis(self, event: Chosen) -> None:
        chosen = str(event.value or "")
        if not chosen or self._filling or self._leg is None:
            return
        basis, option = PriceBasis(chosen), self._listed.option(self._leg)
        start = None if option is None else option.mid
        self._change(
            lambda leg: replace(
                leg, basis=basis, own=(leg.own or round(start or 1.0, 2)) if basis is PriceBasis.OWN else None
            )
        )

    def _type_count(self, typed: str) -> None:
        try:
            count = whole("contracts", typed)
            if not 1 <= count <= MOST_HEDGE_CONTRACTS:
                raise InvalidInput("contracts", f"must be between 1 and {MOST_HEDGE_CONTRACTS:,}")
        except InvalidInput as error:
            self._count.say(f"The number {error.reason}.")
            return
        self._change(lambda leg: replace(leg, contracts=count if leg.contracts > 0 else -count))

    def _step_count(self, step: int) -> None:
        def stepped(leg: LegDraft) -> LegDraft:
            count = min(max(abs(leg.contracts) + step, 1), MOST_HEDGE_CONTRACTS)
            return replace(leg, contracts=count if leg.contracts > 0 else -count)

        self._change(stepped)

    def _type_strike(self, typed: str) -> None:
        try:
            found = amount("strike", typed)
            if found <= 0:
                raise InvalidInput("strike", "must be above zero")
        except InvalidInput as error:
            self._strike.say(f"The strike {error.reason}.")
            return
        self._change(lambda leg: replace(leg, strike=found))

    def _step_strike(self, step: int) -> None:
        listed = self._listed
        self._change(lambda leg: replace(leg, strike=listed.beside(leg, step)))

    def _slide(self) -> None:
        if self._filling or not self._strikes:
            return
        to = self._strikes[min(int(self._slider.value), len(self._strikes) - 1)]
        self._change(lambda leg: replace(leg, strike=to))

    def _type_own(self, typed: str) -> None:
        try:
            found = amount("price", typed)
            if found < 0:
                raise InvalidInput("price", "must not be negative")
        except InvalidInput as error:
            self._own.say(f"The price {error.reason}.")
            return
        self._own.say(None)
        self._change(lambda leg: replace(leg, own=found))

    def _step_own(self, step: int) -> None:
        self._change(lambda leg: replace(leg, own=max(round((leg.own or 0.0) + 0.05 * step, 2), 0.0)))


def basis_words(leg: LegDraft) -> dict[str, str]:
    """The prices it may trade at; the market's is the ask when bought and the bid when sold."""
    market = "the ask" if leg.contracts > 0 else "the bid"
    return {PriceBasis.MARKET.value: market, PriceBasis.MID.value: "mid", PriceBasis.OWN.value: "own price"}


def quote_words(leg: LegDraft, listed: Listed, priced: ListedLeg | None) -> str:
    """`at the ask 3.66 · bid 3.50 · 412 open · $ 8,066`; nothing while there is no quote."""
    option = listed.option(leg)
    if option is None:
        return ""
    said = []
    if priced is not None:
        said.append(f"at {basis_words(leg)[leg.basis.value]} {price(priced.price)} = {usd(priced.premium)}")
    said.append(f"bid {price(option.bid)}, ask {price(option.ask)}")
    if option.open_interest is not None:
        said.append(f"{number(option.open_interest)} open")
    return " · ".join(said)


def _offer(select: ui.select, options: dict[str, str], value: str) -> None:
    if select.options != options:
        select.set_options(options, value=value)
    elif select.value != value:
        select.value = value


def _read_amount(typed: str) -> float | None:
    try:
        return amount("strike", typed)
    except InvalidInput:
        return None


def _read_whole(typed: str) -> int | None:
    try:
        return whole("contracts", typed)
    except InvalidInput:
        return None

"""The ladder of one expiration: calls, strikes and puts, with the price and the loan's prices between the strikes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nicegui import events
from nicegui.element import Element

from vaultdash.domain.option import Right
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.ui.components.chain_words import IV_WORDS, contract_name, doubts
from vaultdash.ui.format import NOTHING, day, greek, number, pct, price, strike


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, what stands above it, what that means, what is shown and by what it sorts."""

    name: str
    label: str
    hint: str
    value: Callable[[PricedOption], float | None]
    shown: Callable[[float | None], str]
    greek: bool = False


def _count(value: float | None) -> str:
    return number(value)


FIELDS = (
    Field("bid", "bid", "what you get a share when you sell now", lambda one: one.quote.bid, price),
    Field("ask", "ask", "what you pay a share when you buy now", lambda one: one.quote.ask, price),
    Field("mid", "mid", "halfway between bid and ask", lambda one: one.mid, price),
    Field("spread", "spread", "ask less bid, by mid", lambda one: one.spread_pct, pct),
    Field("iv", "IV", "implied volatility a year, ours, from mid", lambda one: one.implied_volatility, pct),
    Field("delta", "delta", "USD a share for 1 USD of gold fund", lambda one: one.delta, greek(2), greek=True),
    Field("gamma", "gamma", "change of delta for 1 USD", lambda one: one.gamma, greek(4), greek=True),
    Field("theta", "theta", "USD a share for one calendar day", lambda one: one.theta, greek(3), greek=True),
    Field("vega", "vega", "USD a share for 1 point of volatility", lambda one: one.vega, greek(3), greek=True),
    Field("oi", "open int.", "contracts open after the session before", lambda one: one.quote.open_interest, _count),
    Field("volume", "volume", "contracts traded in this session", lambda one: one.quote.volume, _count),
    Field("last", "last", "the last trade, which may be old", lambda one: one.quote.last, price),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A price drawn between the strikes."""

    price: float
    label: str
    tone: str


class _Ladder(Element, component="chain_ladder.js"):
    def __init__(self) -> None:
        super().__init__()
        self._props["columns"] = [
            {"name": each.name, "label": each.label, "hint": each.hint, "greek": each.greek} for each in FIELDS
        ]

    def set(self, **props: Any) -> None:
        """Send the properties that have changed."""
        if any(self._props.get(name) != value for name, value in props.items()):
            for name, value in props.items():
                self._props[name] = value
            self.update()


class ChainLadder:
    """Shows a priced chain; `pick` is told the OSI symbol of the contract that was chosen."""

    def __init__(self, pick: Callable[[str], object]) -> None:
        self._ladder = _Ladder()
        self._known: frozenset[str] = frozenset()

        def picked(event: events.GenericEventArguments) -> None:
            if isinstance(event.args, str) and event.args in self._known:
                pick(event.args)

        self._ladder.on("pick", picked)

    def show(self, chain: PricedChain, marks: Sequence[Mark], call: float | None, first: str | None) -> None:
        """Fill it: `call` is the loan's call price, `first` the contract that stands out."""
        self._known = frozenset(option.quote.contract.osi for option in chain.options)
        self._ladder.set(
            rows=ladder_rows(chain),
            first=first or "",
            marks=[{"price": mark.price, "label": mark.label, "tone": mark.tone} for mark in marks],
            spot=chain.underlying.price,
            call=call or 0.0,
            label=f"{chain.symbol} options of {day(chain.expiration)}",
        )

    def pick(self, osi: str) -> None:
        """Mark a contract as the one that is open; none when empty."""
        self._ladder.set(picked=osi)


def ladder_rows(chain: PricedChain) -> list[dict[str, Any]]:
    """A row a strike with both sides as text and as what it sorts by, ascending."""
    rows: list[dict[str, Any]] = []
    by_strike = sorted(chain.options, key=lambda one: one.quote.contract.strike)
    for at, options in groupby(by_strike, key=lambda one: one.quote.contract.strike):
        sides = {option.quote.contract.right: option for option in options}
        call, put = sides.get(Right.CALL), sides.get(Right.PUT)
        rows.append(
            {
                "k": at,
                "strike": strike(at),
                "call": call and _side(call, in_the_money=at < chain.underlying.price),
                "put": put and _side(put, in_the_money=at > chain.underlying.price),
            }
        )
    return rows


def _side(option: PricedOption, *, in_the_money: bool) -> dict[str, Any]:
    values = [each.value(option) for each in FIELDS]
    why = doubts(option)
    hints = {}
    if option.implied_volatility is None:
        hints["iv"] = f"No volatility: {IV_WORDS.get(option.iv_status, option.iv_status)}"
    if option.greeks_from == "surface":
        hints |= {
            each.name: f"From the surface, at a volatility of {pct(option.surface_volatility)}"
            for each in FIELDS
            if each.greek
        }
    return {
        "id": option.quote.contract.osi,
        "t": [each.shown(value) for each, value in zip(FIELDS, values, strict=True)],
        "n": values,
        "itm": in_the_money,
        "off": not option.is_usable,
        "soft": option.greeks_from == "surface",
        "why": why or None,
        "hints": hints,
        "said": ". ".join(_said(option, why, hints.values())) + ".",
    }


def _said(option: PricedOption, why: str, hints: Iterable[str]) -> list[str]:
    quote = option.quote
    asked = f"bid {price(quote.bid)}, ask {price(quote.ask)}" if quote.ask else f"no ask, bid {price(quote.bid)}"
    said = [f"{contract_name(quote.contract)}: {asked.replace(NOTHING, 'none')}"]
    return [*said, *([why] if why else []), *dict.fromkeys(hints)]

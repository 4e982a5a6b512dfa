"""The contracts somebody has chosen: how many, what they cost now, and how they move with the loan's gold."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from nicegui import ui

from vaultdash.domain.option import contract_from_osi
from vaultdash.services.chain_pricing import PricedOption
from vaultdash.ui.components.chain_words import contract_name
from vaultdash.ui.components.greeks_table import Moves, greeks_table, pledged, together
from vaultdash.ui.format import NOTHING, number, price, usd
from vaultdash.ui.theme import card, note, text

MOST = 9_999


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a selection: USD, and Greeks of all its contracts; None when a part of it is not known."""

    cost: float | None
    proceeds: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None


def totals(counts: Mapping[str, int], options: Mapping[str, PricedOption]) -> Totals:
    """What the chosen contracts cost at the ask, fetch at the bid, and how they move together."""

    def total(value: Callable[[PricedOption], float | None]) -> float | None:
        found = 0.0
        for osi, count in counts.items():
            each = value(options[osi]) if osi in options else None
            if each is None:
                return None
            found += count * options[osi].quote.contract.multiplier * each
        return found

    return Totals(
        cost=total(lambda one: one.quote.ask or None),
        proceeds=total(lambda one: one.quote.bid),
        delta=total(lambda one: one.delta),
        gamma=total(lambda one: one.gamma),
        theta=total(lambda one: one.theta),
        vega=total(lambda one: one.vega),
    )


class ChosenContracts:
    """Bought contracts with their counts, which live in `counts`; `open` is told which one to show in full."""

    def __init__(self, counts: MutableMapping[str, int], open: Callable[[str], object]) -> None:  # noqa: A002  # what it does
        self._counts = counts
        self._open = open
        self._options: Mapping[str, PricedOption] = {}
        self._shares: float | None = None
        self._held: Sequence[Moves] = ()
        with card("Chosen contracts"):
            self._empty = note(
                "None yet. Open a contract in the ladder and add it: costs and Greeks are summed here."
            )
            self._list = ui.element("div").classes("vd-chosen")
            self._sums = ui.element("div")
            self._caveat = note("")
        self._draw()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The OSI symbols that are chosen."""
        return tuple(self._counts)

    def show(self, options: Mapping[str, PricedOption], shares: float | None, held: Sequence[Moves] = ()) -> None:
        """Give the options by OSI symbol as they are quoted now, the pledged shares of the same fund, and how the
        options move that are held already.
        """
        self._options, self._shares, self._held = options, shares, held
        self._draw()

    def add(self, osi: str, count: int = 1) -> None:
        """Choose some more of a contract; fewer when negative, and none of it at zero."""
        found = min(self._counts.get(osi, 0) + count, MOST)
        if found > 0:
            self._counts[osi] = found
        else:
            self._counts.pop(osi, None)
        self._draw()

    def _draw(self) -> None:
        self._empty.classes(add="vd-hidden" if self._counts else "", remove="" if self._counts else "vd-hidden")
        for part in (self._list, self._sums):
            part.clear()
            part.classes(add="" if self._counts else "vd-hidden", remove="vd-hidden" if self._counts else "")
        self._caveat.set_text("")
        if not self._counts:
            return
        with self._list:
            for osi, count in self._counts.items():
                self._line(osi, count)
        found = totals(self._counts, self._options)
        with self._sums:
            self._table(found)
        proceeds = f"sold again at the bid they fetch {usd(found.proceeds)}" if found.proceeds is not None else ""
        self._caveat.set_text(
            f"Bought at the ask they cost {usd(found.cost)}; {proceeds or 'not all of them have a bid'}. "
            "Without commission."
        )

    def _line(self, osi: str, count: int) -> None:
        option, contract = self._options.get(osi), contract_from_osi(osi)
        name = f"{contract.root} {contract_name(contract)}"
        with ui.element("div").classes("vd-chosen-line"):
            with ui.element("button").classes("vd-link").props("type=button") as shown:
                ui.label(name)
            shown.on("click", lambda: self._open(osi))
            with ui.element("span").classes("vd-tabs"):
                _button("−", f"One {name} less", lambda: self.add(osi, -1))
                text("b", f"{count} ×")
                _button("+", f"One {name} more", lambda: self.add(osi, 1))
            ask = option.quote.ask if option else None
            text("span", f"ask {price(ask)}" if ask else f"ask {NOTHING}", "muted")
            text("span", usd(count * contract.multiplier * ask) if ask else NOTHING)
            _button("✕", f"Remove {name}", lambda: self.add(osi, -count))

    def _table(self, found: Totals) -> None:
        chosen = Moves("these contracts", found.delta, found.gamma, found.theta, found.vega)
        rows = [chosen]
        if self._shares is not None:
            shares = pledged(f"{number(self._shares)} pledged shares", self._shares)
            rows += [shares, *self._held, together("the whole position", [shares, *self._held, chosen])]
        greeks_table(rows)


def _button(label: str, words: str, act: Callable[[], object]) -> None:
    with ui.element("button").classes("vd-tab").props("type=button") as button:
        ui.label(label)
    button.props(f'aria-label="{words}"')
    button.on("click", lambda: act())

"""The hedge that is held: what it is worth and by what, when it ends, and how the whole position moves."""

from datetime import date, datetime

from nicegui import ui

from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.position import HedgeMark
from vaultdash.ui.components.chain_words import contract_name
from vaultdash.ui.components.greeks_table import Moves, greeks_table, pledged, together
from vaultdash.ui.components.positions_table import days_left, doubt_words, marked_by
from vaultdash.ui.format import number, price, signed_number, unbroken, usd
from vaultdash.ui.theme import card, note, text

EMPTY = "No option is held against this loan, so nothing but gold and cash stands between a fall and a call."


class HeldCard:
    """A line a position, the sum, its doubts, and the Greeks of gold and options together."""

    def __init__(self) -> None:
        self._shown: object = None
        with card("The hedge you hold") as head:
            with head:
                ui.link("Enter or change", "/settings").classes("vd-tab")
            self._sum = text("div", "").mark("held-sum")
            self._lines = ui.element("div").classes("vd-held")
            self._doubts = text("div", "", "vd-note warning")
            self._greeks = ui.element("div")
            self._moves = note("")

    def show(self, snapshot: Snapshot, today: date, now: datetime) -> None:
        """Fill it from a snapshot; lines are laid out anew only when something in them has changed."""
        hedge = snapshot.hedge
        self._sum.set_text(unbroken(_sum(hedge)) if hedge else EMPTY)
        self._doubts.set_text(doubt_words(hedge.marks) if hedge else "")
        moves = held_moves(hedge)
        parts = [pledged(f"{number(snapshot.shares)} shares' worth of gold", snapshot.shares), *moves]
        rows = [*parts, together("together", parts)] if moves else []
        key = (hedge, snapshot.shares, today, now.replace(second=0, microsecond=0))
        if key != self._shown:
            self._shown = key
            self._draw(hedge, rows, today, now)
        self._moves.set_text(unbroken(one_per_cent(snapshot, moves)) if moves else "")

    def _draw(self, hedge: HedgeMark | None, rows: list[Moves], today: date, now: datetime) -> None:
        self._lines.clear()
        with self._lines:
            for mark in hedge.marks if hedge else ():
                left, tone = days_left(mark.held.contract.expiration, today)
                with ui.element("div").classes("vd-held-line"):
                    with ui.element("div"):
                        name = f"{mark.held.contract.root} {contract_name(mark.held.contract)}"
                        text("b", unbroken(f"{number(mark.held.contracts)} × {name}"))
                        text("div", marked_by(mark, now), "vd-note" + (" warning" if mark.is_doubtful else ""))
                    text("span", left, tone)
                    text("span", price(mark.price), "muted")
                    text("b", usd(mark.value))
        self._greeks.clear()
        with self._greeks:
            if rows:
                greeks_table(rows)


def held_moves(hedge: HedgeMark | None) -> list[Moves]:
    """The options held as one part; none when nothing is held."""
    if hedge is None:
        return []
    greeks = {name: hedge.greek(name) for name in ("delta", "gamma", "theta", "vega")}
    return [Moves("options held", **greeks)]


def one_per_cent(snapshot: Snapshot, moves: list[Moves]) -> str:
    """What a fall of 1 % does to LTV after payment, by the deltas: -LTV * 1 % * S * delta / (V + Pi)."""
    delta = snapshot.shares + sum(part.delta or 0.0 for part in moves)
    worth = snapshot.gold_value + snapshot.hedge_value
    if any(part.delta is None for part in moves) or worth <= 0:
        return "How the whole moves is not known: a Greek of one position is missing."
    rise = snapshot.portfolio.loan.amount / worth * 0.01 * snapshot.price * delta / worth
    points = signed_number(100 * rise, 2)
    return f"By their deltas a fall of 1 % moves the LTV of gold and options together by {points} percentage points."


def _sum(hedge: HedgeMark) -> str:
    gain = hedge.value - hedge.cost
    first = min(mark.held.contract.expiration for mark in hedge.marks)
    word = "gain" if gain >= 0 else "loss"
    return (
        f"Worth {usd(hedge.value)} if closed now, paid {usd(hedge.cost)}: a {word} of {usd(abs(gain))}. "
        f"The first ends on {first.day} {first:%b %Y}."
    )

"""Options held against a loan: what was paid, what they are worth, how they move, and when they end."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from nicegui import ui

from vaultdash.domain.position import HeldOption, MarkBasis, OptionMark
from vaultdash.ui.components.chain_words import contract_name
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import NOTHING, age, day, greek, number, price, signed_number, unbroken, usd
from vaultdash.ui.theme import Tone, note, visible

COLUMNS = (
    Column("contract", "contract", left=True),
    Column("count", "contracts"),
    Column("paid", "paid a share"),
    Column("mark", "mark a share"),
    Column("value", "value"),
    Column("gain", "gain"),
    Column("delta", "delta, shares"),
    Column("gamma", "gamma, shares for 1 USD"),
    Column("theta", "theta, USD a day"),
    Column("vega", "vega, USD a point"),
    Column("days", "days left"),
    Column("basis", "marked by", left=True),
)
PAST_COLUMNS = (
    Column("contract", "contract", left=True),
    Column("count", "contracts"),
    Column("paid", "paid a share"),
    Column("got", "got a share"),
    Column("gain", "gain"),
    Column("ended", "ended", left=True),
)
BASIS_WORDS = {
    MarkBasis.QUOTE: "quote",
    MarkBasis.MODEL: "model",
    MarkBasis.INTRINSIC: "exercise value",
    MarkBasis.UNKNOWN: "not known",
}
SOON_DAYS = 14


class PositionsTable:
    """What is held on top, what has ended below; choosing a row tells its id."""

    def __init__(self, pick: Callable[[str], None]) -> None:
        self._empty = note("")
        with ui.element("div") as self._held_box:
            self._held = DataTable(COLUMNS, pick=pick, label="Options held", roomy=True)
        self._doubts = note("").classes("warning")
        with ui.element("details").classes("vd-past") as self._past_box:
            with ui.element("summary"):
                self._past_words = ui.label("")
            self._past = DataTable(PAST_COLUMNS, pick=pick, label="Options closed or expired")

    def show(
        self,
        options: Sequence[HeldOption],
        marks: Sequence[OptionMark],
        today: date,
        now: datetime,
    ) -> None:
        """Fill both tables."""
        known = {mark.held.id: mark for mark in marks}
        held = [option for option in options if option.is_open(today)]
        past = [option for option in options if not option.is_open(today)]
        self._empty.set_text(
            ""
            if held
            else "No option is held against this loan. Add one, or import a CSV of your broker's positions."
        )
        self._held.show([_row(option, known.get(option.id), today, now) for option in held])
        visible(self._held_box, when=bool(held))
        self._doubts.set_text(unbroken(doubt_words(marks)))
        visible(self._past_box, when=bool(past))
        self._past_words.set_text(f"{len(past)} closed or expired")
        self._past.show([_past_row(option) for option in past])


def days_left(expiration: date, today: date) -> tuple[str, Tone]:
    """How long a contract lives, and how it looks: amber within two weeks."""
    left = (expiration - today).days
    words = "today" if left == 0 else "1 day" if left == 1 else f"{left} days"
    return words, "warning" if left <= SOON_DAYS else ""


def doubt_words(marks: Sequence[OptionMark]) -> str:
    """Why the worth of positions is doubtful, each reason once: `Put 440, ...: its price is old.`"""
    why: dict[str, list[str]] = {}
    for mark in marks:
        if mark.is_doubtful:
            why.setdefault(mark.problem or "its price is old", []).append(contract_name(mark.held.contract))
    return " ".join(
        f"{names[0] if len(names) == 1 else f'{len(names)} positions'}: {problem}." for problem, names in why.items()
    )


def marked_by(mark: OptionMark | None, now: datetime) -> str:
    """What a mark stands on, its source and its age."""
    if mark is None:
        return "not marked yet"
    old = f", {age(max((now - mark.at).total_seconds(), 0.0))}" if mark.at is not None else ""
    stale = ", old" if mark.is_stale else ""
    word = BASIS_WORDS[mark.basis]
    said = mark.source if mark.source.startswith(word) else ", ".join(filter(None, (word, mark.source)))
    return f"{said}{old}{stale}"


def _row(option: HeldOption, mark: OptionMark | None, today: date, now: datetime) -> Row:
    value = mark.value if mark else None
    gain = None if value is None else value - option.cost
    left, tone = days_left(option.contract.expiration, today)
    contract = option.contract

    def moved(name: str) -> float | None:
        each = None if mark is None else getattr(mark, name)
        return None if each is None else option.shares * float(each)

    delta, gamma, theta, vega = (moved(name) for name in ("delta", "gamma", "theta", "vega"))
    return Row(
        option.id,
        {
            "contract": Cell(f"{contract.root} {contract_name(contract)}", contract.osi, sub=option.note),
            "count": Cell(
                signed_number(option.contracts) if option.contracts < 0 else number(option.contracts),
                option.contracts,
            ),
            "paid": Cell(price(option.price_paid), option.price_paid),
            "mark": Cell(price(mark.price if mark else None), (mark.price if mark else None) or 0.0),
            "value": Cell(usd(value), value or 0.0),
            "gain": Cell(usd(gain), gain or 0.0, "" if gain is None else "room" if gain >= 0 else "call"),
            "delta": Cell(signed_number(delta, 1), delta or 0.0),
            "gamma": Cell(greek(2)(gamma), gamma or 0.0),
            "theta": Cell(greek(2)(theta), theta or 0.0),
            "vega": Cell(greek(2)(vega), vega or 0.0),
            "days": Cell(left, (contract.expiration - today).days, tone, sub=day(contract.expiration)),
            "basis": Cell(marked_by(mark, now), sub=(mark.problem or "") if mark and not mark.is_doubtful else ""),
        },
    )


def _past_row(option: HeldOption) -> Row:
    got = option.closed_price
    gain = None if got is None else option.shares * got - option.cost
    ended = f"closed {day(option.closed_on)}" if option.closed_on else f"expired {day(option.contract.expiration)}"
    return Row(
        option.id,
        {
            "contract": Cell(
                f"{option.contract.root} {contract_name(option.contract)}", option.contract.osi, sub=option.note
            ),
            "count": Cell(number(option.contracts), option.contracts),
            "paid": Cell(price(option.price_paid), option.price_paid),
            "got": Cell(NOTHING if got is None else price(got), got or 0.0),
            "gain": Cell(usd(gain), gain or 0.0, "" if gain is None else "room" if gain >= 0 else "call"),
            "ended": Cell(ended, (option.closed_on or option.contract.expiration).isoformat()),
        },
    )

"""Falls of gold to be replayed: the named ones and the owner's own, with figures from the prices that are stored."""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.domain.selloff import SELLOFFS, Selloff, selloff
from vaultdash.services.backtest_market import BacktestMarkets
from vaultdash.services.portfolio_entry import slug
from vaultdash.storage.records import Database

PREFERENCE = "selloff_events"
OWN = "your own"
LONGEST_NAME, LONGEST_NOTE, MOST_EVENTS = 60, 300, 200
LONGEST_BREAK = timedelta(days=7)  # between two trading days: GLD never rested longer
DEPTH_TOLERANCE = 0.005  # beyond which stored prices are not those that the named falls were measured on
EVENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True)
class EventFigures:
    """A window in the stored prices, USD a share: `change` from the first close to the last, `depth` to the lowest.

    `lowest_low` of the days' lows, None where they are not stored for every day.
    """

    first_day: date
    last_day: date
    first_close: float
    last_close: float
    lowest_close: float
    lowest_on: date
    lowest_low: float | None
    change: float
    depth: float
    days: int
    source: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Days to be replayed. `depth` is a negative fraction, from the first day's close: of a named fall as its source
    has it, of the owner's own as the stored closes have it.

    `figures` are of the stored prices; `missing` says why there are none, `doubt` that they are not what the named
    fall was measured on.
    """

    id: str
    name: str
    start: date
    end: date
    told: str
    source: str
    depth: float | None = None
    is_deepest: bool = False
    is_own: bool = False
    figures: EventFigures | None = None
    missing: str | None = None
    doubt: str | None = None


class SelloffEvents:
    """Knows the named falls, and keeps the owner's own among the preferences."""

    def __init__(self, database: Database, markets: BacktestMarkets) -> None:
        self._database = database
        self._markets = markets

    async def all(self) -> tuple[Event, ...]:
        """The owner's own first, newest first, then the named falls; all with figures. Raises DatabaseError."""
        return await self._measured([*await self._own(), *named_events()])

    async def named(self) -> tuple[Event, ...]:
        """The named falls alone, for which no database is needed."""
        return await self._measured(named_events())

    async def get(self, event_id: str) -> Event:
        """One of them, in which a month may be written in full; raises NotFound, which lists what there is."""
        known = find(event_id)
        if known is None:
            own = await self._own()
            known = next((event for event in own if event.id == event_id.strip().lower()), None)
            if known is None:
                ids = [event.id for event in (*own, *named_events())]
                raise NotFound(f"There is no event {event_id[:60]!r}; they are {', '.join(ids)}")
        return (await self._measured([known]))[0]

    async def add(self, name: str, start: date, end: date, note: str = "") -> Event:
        """Keep days of the owner's own; the id is made of the name. Raises InvalidInput and Refused."""
        event = Event("", name.strip(), start, end, note.strip(), OWN, is_own=True)
        async with self._database.transaction() as kept:
            own = _read(await kept.preferences.get(PREFERENCE))
            event = _checked(replace(event, id=_free_id(name, {one.id for one in (*own, *named_events())})))
            if len(own) >= MOST_EVENTS:
                raise Refused(f"There are {MOST_EVENTS} events of your own already; remove one first")
            if event.name in {one.name for one in own}:
                raise Refused(f"There is an event of the name {event.name!r} already; choose another")
            await kept.preferences.put(PREFERENCE, [_written(one) for one in (event, *own)])
        return (await self._measured([event]))[0]

    async def change(
        self,
        event_id: str,
        *,
        name: str | None = None,
        start: date | None = None,
        end: date | None = None,
        note: str | None = None,
    ) -> Event:
        """Rename one of the owner's own, or move its days; what is None stays. Raises NotFound, Refused and
        InvalidInput.
        """
        async with self._database.transaction() as kept:
            own = _read(await kept.preferences.get(PREFERENCE))
            before = _own_one(own, event_id)
            after = _checked(
                replace(
                    before,
                    name=before.name if name is None else name.strip(),
                    start=start or before.start,
                    end=end or before.end,
                    told=before.told if note is None else note.strip(),
                )
            )
            if after.name in {one.name for one in own if one.id != after.id}:
                raise Refused(f"There is an event of the name {after.name!r} already; choose another")
            rows = [_written(after if one.id == after.id else one) for one in own]
            await kept.preferences.put(PREFERENCE, rows)
        return (await self._measured([after]))[0]

    async def remove(self, event_id: str) -> None:
        """Take one of the owner's own out of the list; its backtests keep their days. Raises NotFound and Refused."""
        async with self._database.transaction() as kept:
            own = _read(await kept.preferences.get(PREFERENCE))
            gone = _own_one(own, event_id)
            await kept.preferences.put(PREFERENCE, [_written(one) for one in own if one.id != gone.id])

    async def _own(self) -> list[Event]:
        async with self._database.reading() as kept:
            return _read(await kept.preferences.get(PREFERENCE))

    async def _measured(self, events: Sequence[Event]) -> tuple[Event, ...]:
        history = await self._markets.gold()
        return tuple(measured(event, history) for event in events)


def named_events() -> tuple[Event, ...]:
    """The named falls as events, without figures."""
    return tuple(_of(fall) for fall in SELLOFFS)


def find(event_id: str) -> Event | None:
    """The named fall with that id; None when it is none of them."""
    try:
        return _of(selloff(event_id))
    except NotFound:
        return None


def measured(event: Event, history: PriceHistory) -> Event:
    """The event with what the stored prices say of its days, or with what they lack."""
    missing = missing_days(history, event.start, event.end)
    if missing is not None:
        return replace(event, figures=None, missing=missing)
    bars = history.between(event.start, event.end).bars
    figures = _figures(bars, history)
    doubt = None
    if event.is_own:
        event = replace(event, depth=figures.depth)
    elif event.depth is not None and not history.is_demo and abs(figures.depth - event.depth) > DEPTH_TOLERANCE:
        doubt = (
            f"The stored prices fall by {-figures.depth:.1%} in these days, GLD by {-event.depth:.1%}: "
            "are they adjusted, or of something else?"
        )
    return replace(event, figures=figures, missing=None, doubt=doubt)


def missing_days(history: PriceHistory, start: date, end: date) -> str | None:
    """Why the days from `start` to `end` cannot be replayed on these prices; None when they can."""
    every = history.bars
    span = f"prices of {history.symbol} go from {every[0].on} to {every[-1].on}"
    begin = bisect_left(every, start, key=lambda bar: bar.on)
    bars = every[begin : bisect_right(every, end, key=lambda bar: bar.on)]
    if len(bars) < 2:
        return f"fewer than two trading days: {span}"
    if bars[0].on - start > LONGEST_BREAK:
        return f"the beginning is missing: {span}"
    if end - bars[-1].on > LONGEST_BREAK:
        return f"the end is missing: {span}"
    for earlier, later in itertools.pairwise(bars):
        if later.on - earlier.on > LONGEST_BREAK:
            return f"prices are missing between {earlier.on} and {later.on}"
    return None


def _figures(bars: Sequence[Bar], history: PriceHistory) -> EventFigures:
    lowest = min(bars, key=lambda bar: bar.close)
    lows = [bar.low for bar in bars[1:] if bar.low is not None and 0 < bar.low <= bar.close]
    return EventFigures(
        first_day=bars[0].on,
        last_day=bars[-1].on,
        first_close=bars[0].close,
        last_close=bars[-1].close,
        lowest_close=lowest.close,
        lowest_on=lowest.on,
        lowest_low=min(lows) if len(lows) == len(bars) - 1 else None,
        change=bars[-1].close / bars[0].close - 1.0,
        depth=lowest.close / bars[0].close - 1.0,
        days=len(bars),
        source=history.source,
        is_demo=history.is_demo,
    )


def _of(fall: Selloff) -> Event:
    return Event(
        fall.id,
        fall.name,
        fall.peak_on,
        fall.trough_on,
        fall.told,
        fall.source,
        depth=fall.depth,
        is_deepest=fall.is_deepest,
    )


def _free_id(name: str, own: Collection[str]) -> str:
    """An id made of a name, which no event has and no named fall is known by."""
    taken = set(own)
    while find(found := slug(name, taken, "own")) is not None:
        taken.add(found)
    return found


def _checked(event: Event) -> Event:
    if not event.name or len(event.name) > LONGEST_NAME or not event.name.isprintable():
        raise InvalidInput("name", f"must have 1 to {LONGEST_NAME} printable characters")
    if not EVENT_ID.fullmatch(event.id):
        raise InvalidInput("id", "must be small letters, digits and -")
    if len(event.told) > LONGEST_NOTE or not all(c.isprintable() or c == "\n" for c in event.told):
        raise InvalidInput("note", f"must have at most {LONGEST_NOTE} printable characters")
    if event.end <= event.start:
        raise InvalidInput("end", f"must be after the start; {event.end} is not after {event.start}")
    return event


def _own_one(own: Sequence[Event], event_id: str) -> Event:
    wanted = event_id.strip().lower()
    for event in own:
        if event.id == wanted:
            return event
    if find(wanted) is not None:
        raise Refused(f"{wanted} is a named fall, which stays as it is; make an event of your own instead")
    ids = ", ".join(event.id for event in own) or "none yet"
    raise NotFound(f"There is no event of your own {event_id[:60]!r}; they are: {ids}")


def _written(event: Event) -> dict[str, str]:
    return {
        "id": event.id,
        "name": event.name,
        "start": event.start.isoformat(),
        "end": event.end.isoformat(),
        "note": event.told,
    }


def _read(kept: object) -> list[Event]:
    """What was kept; a row that cannot be read is left out, so that it does not hide the others."""
    events = []
    for row in kept if isinstance(kept, list) else []:
        try:
            days = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
            events.append(_checked(Event(row["id"], row["name"], *days, row["note"], OWN, is_own=True)))
        except (LookupError, TypeError, ValueError):
            continue
    return events

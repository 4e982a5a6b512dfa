"""A grid as it is written in a file or sent to the API: hedges, what is varied, days and terms."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from vaultdash.backtest.grid import Axis, Value, with_fields
from vaultdash.domain.errors import InvalidInput
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.strict_text import plain_of

MOST_BYTES = 200_000
MOST_SPANS = 1_000
LONGEST_NAME = 80
LONGEST_MONTHS = 240  # of a rolling window
MOST_ENTRY_MONTHS = 36
FIELDS = ("name", "templates", "vary", "events", "spans", "rolling", "entries", "terms")
NO_TERMS = frozenset({"templates", "event", "start", "end", "fan", "name", "source"})  # said elsewhere, or not varied
TERMS = tuple(field.name for field in fields(BacktestRequest) if field.name not in NO_TERMS)
SLACK = 1e-9  # of a step: so that 0.5 to 1.0 by 0.1 holds 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """Days of its own: from `start` to `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidInput("spans", f"must end after their start; {self.end} is not after {self.start}")


@dataclass(frozen=True, slots=True)
class SweepGrid:
    """What is to be compared. `templates` are ids, none of them meaning all; `entries` months before the start."""

    name: str
    templates: tuple[str, ...]
    vary: tuple[Axis, ...]
    events: tuple[str, ...]
    spans: tuple[Span, ...]
    entries: tuple[int, ...]
    terms: tuple[Axis, ...]
    written: str  # the same as JSON, by which it is kept


def read_grid(text: bytes) -> SweepGrid:
    """The grid in a file, YAML or JSON; raises InvalidInput, which says what is wrong and where."""
    return grid_of(plain_of(text, "grid", MOST_BYTES))


def grid_of(plain: object) -> SweepGrid:
    """The grid of plain words and numbers; raises InvalidInput, which says what is wrong and where."""
    given = _group("grid", plain)
    for name in given:
        if name not in FIELDS:
            raise InvalidInput(str(name)[:60], f"is no part of a grid; there are {', '.join(FIELDS)}")
    spans = [_span(each, f"spans[{place}]") for place, each in enumerate(_many("spans", given.get("spans")))]
    if given.get("rolling") is not None:
        spans.extend(_rolling(given["rolling"]))
    events = tuple(_text("events", each) for each in _many("events", given.get("events")))
    if not spans and not events:
        raise InvalidInput("events", "are missing: name events, such as [jan-2026], or give spans or rolling")
    if len(spans) + len(events) > MOST_SPANS:
        raise InvalidInput("spans", f"and events are {len(spans) + len(events):,}; at most {MOST_SPANS:,} are played")
    for name, values in (("spans", spans), ("events", events)):
        if len(set(values)) != len(values):
            raise InvalidInput(name, "has something twice")
    name = _text("name", given.get("name", "")).strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name", f"must be plain text of at most {LONGEST_NAME} characters")
    asked = given.get("templates", ())
    templates = () if asked == "all" else _different("templates", asked)
    entries = _entries(given.get("entries", (0,)))
    lists = {"templates": list(templates), "events": list(events), "entries": list(entries)}  # though one was typed
    kept = {key: lists.get(key, value) for key, value in given.items() if value is not None}
    return SweepGrid(
        name=name,
        templates=templates,
        vary=tuple(_axis(str(path), value) for path, value in _group("vary", given.get("vary", {})).items()),
        events=events,
        spans=tuple(spans),
        entries=entries,
        terms=_terms(_group("terms", given.get("terms", {}))),
        written=json.dumps(kept, default=_day_text, allow_nan=False, ensure_ascii=False),
    )


def _terms(given: Mapping[str, object]) -> tuple[Axis, ...]:
    """The terms that are varied or fixed, each checked against the request they belong to."""
    axes = []
    for path, value in given.items():
        first = str(path).split(".")[0]
        if first not in TERMS:
            raise InvalidInput(f"terms.{path}"[:80], f"is no term; there are {', '.join(TERMS)}")
        axis = _axis(str(path), value)
        for each in axis.values:
            with_fields(BacktestRequest(), {axis.path: each})
        axes.append(axis)
    names = [axis.path for axis in axes]
    for one, other in (("ltv", "loan"), ("units", "start_value")):
        if one in names and other in names:
            raise InvalidInput(f"terms.{other}", f"contradicts {one}: give one of them")
    return tuple(axes)


def _axis(path: str, given: object) -> Axis:
    """Values as a list, one alone, or {from, to, step} with both ends."""
    if isinstance(given, Mapping):
        return Axis(path, _steps(path, given))
    return Axis(path, tuple(_value(path, each) for each in (given if isinstance(given, list | tuple) else [given])))


def _steps(path: str, given: Mapping[Any, object]) -> tuple[Value, ...]:
    if set(given) != {"from", "to", "step"}:
        raise InvalidInput(path, "must be a list of values, or have from, to and step")
    numbers = {str(name): _value(f"{path}.{name}", each) for name, each in given.items()}
    for name, each in numbers.items():
        if isinstance(each, bool) or not isinstance(each, int | float) or not math.isfinite(each):
            raise InvalidInput(f"{path}.{name}", f"must be a number, not {each!r}")
    first, last, step = (float(numbers[name]) for name in ("from", "to", "step"))  # type: ignore[arg-type]  # as above
    if step <= 0 or last < first:
        raise InvalidInput(path, "must go up: from is not above to, and step is above zero")
    count = (last - first) / step + SLACK
    if count > MOST_SPANS:
        raise InvalidInput(path, f"has {count:,.0f} steps; at most {MOST_SPANS:,} are allowed")
    whole = all(isinstance(each, int) for each in numbers.values())
    values = [round(first + step * place, 12) for place in range(int(count) + 1)]
    return tuple(int(each) if whole else each for each in values)


def _value(path: str, given: object) -> Value:
    if given is None or isinstance(given, bool | str):
        return given
    if isinstance(given, int | float):
        if not math.isfinite(given):
            raise InvalidInput(path, "must be a finite number")
        return given
    raise InvalidInput(path, f"must be numbers or words, not {type(given).__name__}")


def _rolling(given: object) -> list[Span]:
    """A window of `months` from every `every_months`-th month's day on, as long as it ends by `to`."""
    parts = _group("rolling", given)
    if not {"from", "to", "months"} <= set(parts) <= {"from", "to", "months", "every_months"}:
        raise InvalidInput("rolling", "needs from, to and months, and may have every_months")
    first, last = _day("rolling.from", parts["from"]), _day("rolling.to", parts["to"])
    months = _whole("rolling.months", parts["months"], 1, LONGEST_MONTHS)
    every = _whole("rolling.every_months", parts.get("every_months", 1), 1, LONGEST_MONTHS)
    spans: list[Span] = []
    while True:
        start = _later(first, every * len(spans))
        end = _later(start, months)
        if end > last:
            break
        if len(spans) >= MOST_SPANS:
            raise InvalidInput("rolling", f"has more than {MOST_SPANS:,} windows; make every_months larger")
        spans.append(Span(start, end))
    if not spans:
        raise InvalidInput("rolling", f"has no window of {months} months between {first} and {last}")
    return spans


def _later(day: date, months: int) -> date:
    """The same day of a later month, or the 28th where that month may not have it."""
    year, month = divmod(day.month - 1 + months, 12)
    if day.year + year > date.max.year:
        raise InvalidInput("rolling", f"has no window that ends before the year {date.max.year}")
    return date(day.year + year, month + 1, min(day.day, 28) if months else day.day)


def _span(given: object, path: str) -> Span:
    parts = _group(path, given)
    if set(parts) != {"start", "end"}:
        raise InvalidInput(path, "must have start and end, such as {start: 2008-03-17, end: 2008-11-12}")
    return Span(_day(f"{path}.start", parts["start"]), _day(f"{path}.end", parts["end"]))


def _entries(given: object) -> tuple[int, ...]:
    months = tuple(_whole("entries", each, 0, MOST_ENTRY_MONTHS) for each in _many("entries", given))
    if not months or len(set(months)) != len(months):
        raise InvalidInput("entries", "must be different whole months before the start, such as [0, 3, 6]")
    return months


def _different(name: str, given: object) -> tuple[str, ...]:
    found = tuple(_text(name, each) for each in _many(name, given))
    if len(set(found)) != len(found):
        raise InvalidInput(name, "has something twice")
    return found


def _many(name: str, given: object) -> list[object]:
    if given is None:
        return []
    if isinstance(given, list | tuple):
        return list(given)
    if isinstance(given, Mapping):
        raise InvalidInput(name, "must be a list")
    return [given]


def _group(name: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InvalidInput(name, "must be a group of fields with names")
    return given


def _text(name: str, given: object) -> str:
    """Text; a year such as 2008, which is the name of an event, is a number in YAML."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, str) or len(given) > LONGEST_NAME:
        raise InvalidInput(name, f"must be text of at most {LONGEST_NAME} characters")
    return given


def _whole(name: str, given: object, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise InvalidInput(name, f"must be a whole number from {least} to {most}")
    return given


def _day(name: str, given: object) -> date:
    if isinstance(given, date):
        return date(given.year, given.month, given.day)
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise InvalidInput(name, f"must be a day such as 2008-03-17, not {str(given)[:40]!r}") from None


def _day_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    raise InvalidInput("grid", f"has something that is neither number nor text: {type(value).__name__}")

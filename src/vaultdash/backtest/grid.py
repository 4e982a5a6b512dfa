"""What a sweep varies: named fields of a template or of the terms, each with its values, and all combinations."""

import dataclasses
import itertools
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.template import HedgeTemplate
from vaultdash.domain.validation import finite
from vaultdash.strategies.templates import NO_HEDGE, system_template

T = TypeVar("T")
Value = float | int | str | bool | None
Change = tuple[list[str], Value, str]  # the steps that are left, the value, and the whole path for what is said
MOST_POINTS = 200_000
MOST_VALUES = 1_000
FIXED = frozenset({"id", "name", "description", "version", "is_system"})  # who a template is, not what it does
_STEP = re.compile(r"([a-z_]+)(?:\[(\d{1,3})\])?")


@dataclass(frozen=True, slots=True)
class Axis:
    """A field by its dotted path, such as `legs[0].strike.value`, and the values it takes, in this order."""

    path: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InvalidInput(self.path, "has no values: give at least one")
        if len(self.values) > MOST_VALUES:
            raise InvalidInput(self.path, f"has {len(self.values):,} values; at most {MOST_VALUES:,} are allowed")
        if len(set(map(repr, self.values))) != len(self.values):
            raise InvalidInput(self.path, "has a value twice")


@dataclass(frozen=True, slots=True)
class Variant:
    """A template with a value of each axis; None in `values` where the template has no such field.

    `hedge` is None where the combination makes no sense; `problem` then says why.
    """

    template: str
    values: tuple[Value, ...]
    hedge: HedgeTemplate | None
    problem: str | None = None


def variants(templates: Sequence[HedgeTemplate], axes: Sequence[Axis]) -> tuple[Variant, ...]:
    """Every template with every combination of what is varied, the last axis fastest, after the path without a hedge.

    An axis that a template has no field for, such as a third leg, leaves it as it is. Raises InvalidInput for a field
    that none of them has, for a value of the wrong kind, and when no combination makes sense.
    """
    for axis in axes:
        if axis.path.split(".")[0].split("[")[0] in FIXED:
            raise InvalidInput(axis.path, "says which template it is, and is not varied")
        if templates and not any(_has(template, axis.path) for template in templates):
            raise InvalidInput(axis.path, _missing(templates[0], axis.path))
    found = [Variant(NO_HEDGE, (None,) * len(axes), system_template(NO_HEDGE))]
    for template in templates:
        if template.id != NO_HEDGE:
            found.extend(_of_template(template, axes))
    if templates and all(each.hedge is None for each in found[1:]) and len(found) > 1:
        raise InvalidInput("vary", f"leaves no template that makes sense: {found[1].problem}")
    return tuple(found)


def hedge_count(templates: Sequence[HedgeTemplate], axes: Sequence[Axis]) -> int:
    """How many `variants` would make, before any is made: a few long axes would fill the memory."""
    hedged = [template for template in templates if template.id != NO_HEDGE]
    return 1 + sum(count_of([axis for axis in axes if _has(template, axis.path)]) for template in hedged)


def combinations(axes: Sequence[Axis]) -> Iterator[tuple[Value, ...]]:
    """One value of each axis, the last axis fastest."""
    return itertools.product(*(axis.values for axis in axes))


def count_of(axes: Sequence[Axis]) -> int:
    """How many combinations there are."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    return count


def require_few(scenarios: int, hedges: int) -> int:
    """The number of points; raises InvalidInput when there are more than MOST_POINTS."""
    points = scenarios * hedges
    if points > MOST_POINTS:
        raise InvalidInput(
            "grid",
            f"has {points:,} points, {hedges:,} hedges on {scenarios:,} scenarios; at most {MOST_POINTS:,} are "
            "allowed. Give fewer values, or divide it",
        )
    return points


def with_fields(whole: T, given: Mapping[str, Value]) -> T:
    """A copy of a frozen dataclass in which the fields at these dotted paths have other values, all at once.

    Raises InvalidInput for a field that there is not, a value of another kind, and what the class itself refuses.
    """
    for path in given:
        if not _has(whole, path):
            raise InvalidInput(path, _missing(whole, path))
    return typing.cast(T, _replaced(whole, [(path.split("."), value, path) for path, value in given.items()]))


def _of_template(template: HedgeTemplate, axes: Sequence[Axis]) -> Iterator[Variant]:
    own = [axis for axis in axes if _has(template, axis.path)]
    for chosen in combinations(own):
        given = dict(zip((axis.path for axis in own), chosen, strict=True))
        values = tuple(given.get(axis.path) for axis in axes)
        try:
            hedge = with_fields(template, given)
        except WrongKind:
            raise
        except InvalidInput as error:
            yield Variant(template.id, values, None, f"{template.name}: {error}")
        else:
            yield Variant(template.id, values, hedge)


class WrongKind(InvalidInput):
    """A value that no template could take, as against one that only does not go with the others."""


def _has(whole: Any, path: str) -> bool:
    for step in path.split("."):
        name, place = _parsed(step, path)
        if not dataclasses.is_dataclass(whole) or name not in _hints(type(whole)):
            return False
        whole = getattr(whole, name)
        if place is not None:
            if not isinstance(whole, tuple) or place >= len(whole):
                return False
            whole = whole[place]
    return True


def _missing(whole: Any, path: str) -> str:
    """In words, what there is where the path leads nowhere."""
    before: list[str] = []
    for step in path.split("."):
        name, place = _parsed(step, path)
        if not dataclasses.is_dataclass(whole):
            return f"is no field: {'.'.join(before)} has no parts"
        names = [known for known in _hints(type(whole)) if before or known not in FIXED]
        if name not in names:
            where = f" in {'.'.join(before)}" if before else ""
            return f"is no field: there is no {name}{where}; there are {', '.join(names)}"
        whole = getattr(whole, name)
        if place is not None:
            if not isinstance(whole, tuple):
                return f"is no field: {name} is not a list, so leave out [{place}]"
            if place >= len(whole):
                return f"is in none of the templates: their {name} are fewer than {place + 1} (the first is [0])"
            whole = whole[place]
        before.append(step)
    return "is no field"


def _replaced(whole: Any, changes: list[Change]) -> Any:
    """One new object for all that changes in it: half of the changes alone might make no sense."""
    parts: dict[str, list[tuple[int | None, Change]]] = {}
    for steps, value, path in changes:
        name, place = _parsed(steps[0], path)
        parts.setdefault(name, []).append((place, (steps[1:], value, path)))
    new: dict[str, Any] = {}
    for name, within in parts.items():
        part = getattr(whole, name)
        if isinstance(part, tuple):
            items = list(part)
            for place in {place for place, _ in within if place is not None}:
                items[place] = _changed(type(part[place]), part[place], [each for at, each in within if at == place])
            if any(place is None for place, _ in within):
                raise WrongKind(within[0][1][2], f"cannot be varied as a whole; name one of its parts, {name}[0]")
            new[name] = tuple(items)
        else:
            new[name] = _changed(_hints(type(whole))[name], part, [each for _, each in within])
    return dataclasses.replace(whole, **new)


def _changed(kind: Any, part: Any, changes: list[Change]) -> Any:
    """What a field becomes: a value of its kind, or the same thing with some of its own fields changed."""
    whole = next((each for each in changes if not each[0]), None)
    return _replaced(part, changes) if whole is None else _of_kind(kind, whole[1], whole[2])


def _of_kind(kind: Any, value: Value, path: str) -> Any:
    """The value as the field wants it."""
    kinds = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    if value is None:
        if types.NoneType in kinds:
            return None
        raise WrongKind(path, "needs a value")
    (wanted,) = [each for each in kinds if each is not types.NoneType]
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        known = [each.value for each in wanted]
        if value not in known:
            raise WrongKind(path, f"must be one of {', '.join(map(str, known))}, not {value!r}")
        return wanted(value)
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return finite(path, value)
    if (
        wanted is int
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and value == int(finite(path, value))
    ):
        return int(value)
    if wanted is str and isinstance(value, str):
        return value
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    if wanted not in words:
        parts = f"; vary its parts: {', '.join(_hints(wanted))}" if dataclasses.is_dataclass(wanted) else ""
        raise WrongKind(path, f"cannot be varied as a whole{parts}")
    raise WrongKind(path, f"must be {words[wanted]}, not {value!r}")


def _parsed(step: str, path: str) -> tuple[str, int | None]:
    found = _STEP.fullmatch(step)
    if found is None:
        raise InvalidInput(path[:80], "is no path; write it like roll.ratchet or legs[0].strike.value")
    return found[1], None if found[2] is None else int(found[2])


def _hints(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    return _known_hints(kind)


@lru_cache(64)
def _known_hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)  # a slow look: it reads the annotations anew each time

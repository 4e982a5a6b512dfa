"""Checks that an answer has every field a promise names, with the right type."""

import math
from datetime import datetime
from typing import Any


class Instant:
    """A time in UTC as ISO 8601."""


class Maybe:
    """A value of this kind, or null."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def require(value: Any, promised: Any, where: str = "answer") -> None:
    """`promised` is a type, Instant, Maybe, a dict of promised fields, or a list of what fits each element."""
    if isinstance(promised, Maybe):
        if value is not None:
            require(value, promised.kind, where)
    elif isinstance(promised, dict):
        assert isinstance(value, dict), f"{where} is no object: {value!r}"
        for name, kind in promised.items():
            assert name in value, f"{where} has no {name}"
            require(value[name], kind, f"{where}.{name}")
    elif isinstance(promised, list):
        assert isinstance(value, list), f"{where} is no array: {value!r}"
        assert value, f"{where} is empty"
        for index, entry in enumerate(value):
            require(entry, promised[0], f"{where}[{index}]")
    elif promised is Instant:
        assert isinstance(value, str), f"{where} is no time: {value!r}"
        assert value.endswith("Z"), f"{where} is not UTC: {value!r}"
        datetime.fromisoformat(value)
    elif promised is float:
        assert type(value) in (float, int), f"{where} is no number: {value!r}"
        assert math.isfinite(value)
    else:
        assert type(value) is promised, f"{where} is no {promised.__name__}: {value!r}"

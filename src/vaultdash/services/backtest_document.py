"""Writes a value of dataclasses, arrays and plain words into bytes, and reads it back bit by bit."""

import dataclasses
import hashlib
import itertools
import json
import struct
import types
import typing
import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from vaultdash.domain.errors import Refused
from vaultdash.pricing.base import FloatArray

T = TypeVar("T")
MAGIC = b"VDB1"  # of the container: what is in it has a schema of its own
LEVEL = 6
_HEAD = struct.Struct("<I")
_DOUBLE = 8
_SCALARS: dict[type, Callable[[Any], Any]] = {bool: bool, int: int, float: float, str: str}


class _Arrays:
    """The float arrays of one value, not copied; equal ones are kept once, as prices and days of many runs are."""

    def __init__(self) -> None:
        self.kept: list[FloatArray] = []
        self._known: dict[bytes, int] = {}  # by digest

    def put(self, array: FloatArray) -> int:
        content = np.ascontiguousarray(array, dtype="<f8")
        if content.ndim != 1:
            raise TypeError("only arrays of one axis are written")
        digest = hashlib.sha256(content.tobytes()).digest()
        if digest not in self._known:
            self._known[digest] = len(self.kept)
            self.kept.append(content)
        return self._known[digest]


def packed(value: Any, schema: int) -> bytes:
    """A dataclass as bytes: the same bytes for the same value. Floats keep every bit, NaN and infinity included.

    JSON of everything but the arrays, then these byte by byte of all numbers (which packs better), compressed piece
    by piece, so that a large result is not in memory several times.
    """
    arrays = _Arrays()
    content = _plain(value, type(value), arrays)
    sizes = [len(each) for each in arrays.kept]
    told = json.dumps({"schema": schema, "arrays": sizes, "content": content}, separators=(",", ":")).encode()
    press = zlib.compressobj(LEVEL)
    parts = [MAGIC, press.compress(_HEAD.pack(len(told))), press.compress(told)]
    for place in range(_DOUBLE):
        parts += [press.compress(each.view(np.uint8)[place::_DOUBLE].tobytes()) for each in arrays.kept]
    return b"".join([*parts, press.flush()])


def unpacked(kind: type[T], content: bytes, schema: int) -> T:
    """What `packed` wrote. Raises Refused for what this release cannot read: damaged, or of a later one."""
    try:
        raw = _inflated(content)
        (length,) = _HEAD.unpack_from(raw)
        told = json.loads(raw[_HEAD.size : _HEAD.size + length])
        written = told["schema"]
        if written == schema:
            arrays = _read_arrays(memoryview(raw)[_HEAD.size + length :], told)
            del raw
            return typing.cast(T, _value(kind, told["content"], arrays))
    except (ValueError, TypeError, LookupError, struct.error, zlib.error, RecursionError) as error:
        raise Refused(f"The stored result cannot be read: {error}. Run the backtest again") from error
    raise Refused(f"The stored result is of another release (its schema is {written}). Run the backtest again")


def document(value: Any, schema: int) -> str:
    """A dataclass without arrays as JSON; NaN is refused with ValueError."""
    content = _plain(value, type(value), None)
    return json.dumps({"schema": schema, "content": content}, allow_nan=False, separators=(",", ":"))


def from_document(kind: type[T], text: str, schema: int) -> T:
    """What `document` wrote; raises Refused for what this release cannot read."""
    try:
        told = json.loads(text)
        if told["schema"] == schema:
            return typing.cast(T, _value(kind, told["content"], []))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise Refused(f"What was asked for cannot be read: {error}") from error
    raise Refused(f"What was asked for is of another release (its schema is {told['schema']})")


def _inflated(content: bytes) -> bytes:
    if not content.startswith(MAGIC):
        raise ValueError("it is no result of a backtest")
    return zlib.decompress(content[len(MAGIC) :])


def _read_arrays(raw: memoryview, told: Mapping[str, Any]) -> list[FloatArray]:
    """The arrays, each a part of one that holds all numbers."""
    ends = np.cumsum([0, *told["arrays"]])
    if len(raw) != ends[-1] * _DOUBLE:
        raise ValueError("numbers are missing")
    places = np.frombuffer(raw, dtype=np.uint8).reshape(_DOUBLE, -1)
    numbers = np.empty((places.shape[1], _DOUBLE), dtype=np.uint8)
    for place in range(_DOUBLE):
        numbers[:, place] = places[place]
    everything = numbers.reshape(-1).view("<f8")
    return [everything[begin:end] for begin, end in itertools.pairwise(ends)]


def _plain(value: Any, kind: Any, arrays: _Arrays | None) -> Any:  # a case a kind of value
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        if arrays is None:
            raise TypeError("arrays do not go into a document")
        return arrays.put(value)
    if dataclasses.is_dataclass(value):
        return {
            name: _plain(getattr(value, name), hint, arrays)
            for name, hint in _fields(typing.cast(type, type(value))).items()
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):  # a datetime, too
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(each, type(each), arrays) for each in value]
    if isinstance(value, Mapping):
        return {_plain(key, type(key), arrays): _plain(each, type(each), arrays) for key, each in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} is not written ({kind})")


def _value(kind: Any, told: Any, arrays: list[FloatArray]) -> Any:  # a case a kind of value
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if told is None:
            return None
        (known,) = [each for each in typing.get_args(kind) if each is not type(None)]
        return _value(known, told, arrays)
    if origin is np.ndarray:
        return arrays[told]
    if origin is tuple:
        parts = typing.get_args(kind)
        kinds = [parts[0]] * len(told) if parts[-1] is Ellipsis else list(parts)
        return tuple(_value(part, each, arrays) for part, each in zip(kinds, told, strict=True))
    if origin in (dict, Mapping):
        of_key, of_value = typing.get_args(kind)
        return {_value(of_key, key, arrays): _value(of_value, each, arrays) for key, each in told.items()}
    if kind in _SCALARS:
        return _SCALARS[kind](told)
    if dataclasses.is_dataclass(kind):
        fields = _fields(typing.cast(type, kind))
        given = {name: _value(hint, told[name], arrays) for name, hint in fields.items() if name in told}
        return typing.cast(Callable[..., Any], kind)(**given)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(told)
    if kind in (date, datetime):
        return kind.fromisoformat(told)
    raise TypeError(f"{kind} is not read")


@lru_cache(maxsize=256)
def _fields(kind: type) -> dict[str, Any]:
    """Names and types of what a dataclass is made of, in the order in which it says them."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}

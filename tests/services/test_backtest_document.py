"""Results as bytes: every bit comes back, the same value gives the same bytes, and what cannot be read is said."""

import math
import struct
import zlib
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from vaultdash.domain.errors import Refused
from vaultdash.domain.loan import HedgeCounting
from vaultdash.pricing.base import FloatArray
from vaultdash.services.backtest_document import MAGIC, document, from_document, packed, unpacked
from vaultdash.services.backtest_request import Asked, BacktestRequest
from vaultdash.services.selloff_events import named_events
from vaultdash.strategies.templates import TEMPLATES


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    values: FloatArray
    day: date
    breaches: dict[HedgeCounting, date | None]
    number: float = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    leaves: tuple[Leaf, ...]
    first: Leaf | None
    count: int
    pairs: tuple[tuple[str, float], ...]


AWKWARD = np.array([0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1 / 3, -1.7976931348623157e308])


def a_tree(**changes: Any) -> Tree:
    leaf = Leaf(
        AWKWARD, date(2026, 1, 30), {HedgeCounting.IGNORED: date(2026, 2, 2), HedgeCounting.CREDITED: None}, 0.1
    )
    other = Leaf(AWKWARD.copy(), date(2026, 2, 2), {}, -0.0)
    return Tree(**{"leaves": (leaf, other), "first": None, "count": 3, "pairs": (("a", 1e-300),), **changes})


def bits(value: Any) -> Any:
    """A value as something that is equal only when every bit is."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: bits(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return tuple(bits(each) for each in value)
    return struct.pack("<d", value) if isinstance(value, float) else value


def test_every_bit_comes_back() -> None:
    tree = a_tree()
    again = unpacked(Tree, packed(tree, 1), 1)
    assert bits(again) == bits(tree)
    assert again.leaves[0].breaches == {HedgeCounting.IGNORED: date(2026, 2, 2), HedgeCounting.CREDITED: None}


def test_the_same_value_gives_the_same_bytes_and_another_others() -> None:
    assert packed(a_tree(), 1) == packed(a_tree(), 1)
    assert packed(unpacked(Tree, packed(a_tree(), 1), 1), 1) == packed(a_tree(), 1)
    assert packed(a_tree(count=4), 1) != packed(a_tree(), 1)


def test_equal_arrays_are_kept_once() -> None:
    noise = np.random.default_rng(7).normal(size=4000)
    day = date(2026, 1, 30)
    one = a_tree(leaves=(Leaf(noise, day, {}),))
    twenty = a_tree(leaves=tuple(Leaf(noise.copy(), day, {}) for _ in range(20)))
    assert len(packed(twenty, 1)) < 1.1 * len(packed(one, 1))


def test_what_a_later_release_added_has_its_default() -> None:
    head = b'{"schema":1,"arrays":[0],"content":{"values":0,"day":"2026-01-30","breaches":{}}}'
    content = MAGIC + zlib.compress(struct.pack("<I", len(head)) + head)
    assert unpacked(Leaf, content, 1).number == 1.5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"something else",
        MAGIC + b"cut",
        packed(a_tree(), 1)[:-20],
        packed(a_tree(), 2),
        MAGIC + zlib.compress(struct.pack("<I", 2) + b"{}"),
        MAGIC + zlib.compress(struct.pack("<I", 9_999) + b"{}"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(content: bytes) -> None:
    with pytest.raises(Refused, match=r"Run the backtest again"):
        unpacked(Tree, content, 1)


def test_a_request_comes_back_with_all_its_templates_and_its_event() -> None:
    asked = Asked(
        BacktestRequest(("collar_95_110",), event="jan-2026", ltv=0.66, fan=(0, 9)), TEMPLATES, named_events()[0]
    )
    assert from_document(Asked, document(asked, 1), 1) == asked
    with pytest.raises(Refused):
        from_document(Asked, document(asked, 2), 1)
    with pytest.raises(Refused):
        from_document(Asked, "{", 1)
    with pytest.raises(ValueError, match="Out of range float"):
        document(Asked(BacktestRequest((), ltv=math.nan), (), None), 1)

"""A piece of work as it travels to a worker on another machine, and what is done there."""

import pickle
import platform
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vaultdash
from vaultdash.compute.base import WorkFailed
from vaultdash.compute.worker import sendable
from vaultdash.domain.errors import Refused

THINKING = ("domain", "pricing", "risk", "strategies", "backtest", "compute")  # what results depend on
LIBRARIES = ("numpy", "numba")
PROTOCOL = 5  # of pickle; the interpreters are the same
MOST_SHARED = 2  # values a worker remembers: one sweep's, and the next one's
_shared: OrderedDict[bytes, Any] = OrderedDict()
_prepared: set[Callable[[], object]] = set()
_turn = threading.Lock()  # a worker may have several threads


@lru_cache(1)
def edition() -> dict[str, str]:
    """What must be the same here and there for the same results: interpreter, libraries and our own source."""
    package = Path(vaultdash.__file__).parent
    digest = blake2b(digest_size=12)
    for source in sorted(path for folder in THINKING for path in (package / folder).rglob("*.py")):
        digest.update(str(source.relative_to(package)).encode() + source.read_bytes())
    return {
        "Python": ".".join(map(str, sys.version_info[:2])),
        "machine": platform.machine(),
        **{name: version(name) for name in LIBRARIES},
        "vault-dash": vaultdash.__version__,
        "source of vault-dash": digest.hexdigest(),
    }


def packed(
    function: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    prepare: Callable[[], object] | None,
) -> bytes:
    """The work in bytes; raises WorkFailed when it cannot be sent."""
    try:
        return pickle.dumps((edition(), pickle.dumps((prepare, function, args, kwargs), PROTOCOL)), PROTOCOL)
    except Exception as error:  # what pickling may raise is without limit
        raise WorkFailed(f"it cannot be sent: {error}") from error


def done(work: bytes, shared: tuple[bytes, bytes] | None = None) -> bytes:
    """In the worker: what came of it, packed; `shared`, a name and a pickled value, is its first argument."""
    try:
        theirs, asked = pickle.loads(work)  # noqa: S301 - from who may run code here anyway
        _require_same(theirs)  # before anything of ours is looked for by its name
        prepare, function, args, kwargs = pickle.loads(asked)  # noqa: S301 - as above
        _prepare(prepare)
        first = () if shared is None else (_unpacked(*shared),)
        result = function(*first, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever the work raises is raised where it was asked for
        return pickle.dumps((False, sendable(error)), PROTOCOL)
    try:
        return pickle.dumps((True, result), PROTOCOL)
    except Exception as error:  # noqa: BLE001 - what pickling may raise is without limit
        return pickle.dumps((False, WorkFailed(f"its result cannot be sent: {error}")), PROTOCOL)


def answer(result: bytes) -> Any:
    """What the work came to; raises what it raised there."""
    succeeded, value = pickle.loads(result)  # noqa: S301 - from a worker we gave our work to
    if not succeeded:
        raise value
    return value


def held(shared: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """In the worker: the shared value as a result of its own, which others fetch and the scheduler can make again."""
    return shared


def _require_same(theirs: dict[str, str]) -> None:
    ours = edition()
    other = [
        f"{name} is {ours.get(name, 'missing')}, not {value}"
        for name, value in theirs.items()
        if ours.get(name) != value
    ]
    if other:
        raise Refused(
            f"A Dask worker on {platform.node()} would not give the same results: its {'; '.join(other)}. "
            "Install the same versions there and start it again"
        )


def _prepare(prepare: Callable[[], object] | None) -> None:
    with _turn:
        if prepare is not None and prepare not in _prepared:
            prepare()
            _prepared.add(prepare)


def _unpacked(name: bytes, value: bytes) -> Any:
    with _turn:
        if name not in _shared:
            _shared[name] = pickle.loads(value)  # noqa: S301 - as above; unpacked here, its arrays can be written
        _shared.move_to_end(name)
        while len(_shared) > MOST_SHARED:
            _shared.popitem(last=False)
        return _shared[name]

"""A process that does one piece of work after another for the process that started it."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from vaultdash.compute.base import WorkerDied, WorkFailed

R = TypeVar("R")
SPAWN = multiprocessing.get_context("spawn")  # a forked copy of a process with threads may hang
KILL_SECONDS = 5.0
_kept: list[Any] = []  # in the worker: the one value that is shared by all chunks of a map


class Worker:
    """Starts its process with the first call; `call` blocks, `kill` may come from another thread."""

    def __init__(self, prepare: Callable[[], object] | None = None) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._killed = False
        self._process: SpawnProcess | None = None
        self._calls: Connection | None = None
        self._keeps: object = None

    def call(self, function: Callable[..., R], args: tuple[object, ...], kwargs: dict[str, object]) -> R:
        """The result; raises what the function raises, WorkFailed when that cannot be sent, or WorkerDied."""
        calls = self._start()
        try:
            calls.send((function, args, kwargs))
            succeeded, answer = calls.recv()
        except (EOFError, OSError) as end:  # an OSError, too, when it ended in the middle of its answer
            calls.close()
            raise WorkerDied("the process that did the work has ended") from end
        if not succeeded:
            raise answer
        result: R = answer
        return result

    def call_shared(self, function: Callable[..., R], shared: bytes, chunk: object) -> R:
        """`function(shared, chunk)` with a value that was pickled once, and is sent when it is not there yet."""
        if self._keeps is not shared:
            self._keeps = None
            self.call(keep, (shared,), {})
            self._keeps = shared
        return self.call(with_kept, (function, chunk), {})  # type: ignore[return-value]  # what `function` returns

    def kill(self) -> None:
        """End the process now; what it works on is lost."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()
                self._process.join(KILL_SECONDS)

    def _start(self) -> Connection:
        with self._lock:
            if self._killed:
                raise WorkerDied("the process was ended before its work began")
            if self._calls is None:
                self._calls, theirs = SPAWN.Pipe()
                self._process = SPAWN.Process(
                    target=work, args=(theirs, self._prepare), name="vaultdash-compute", daemon=True
                )
                self._process.start()
                theirs.close()
            return self._calls


def pickled(shared: object) -> bytes:
    """A value in bytes, once for all workers; raises WorkFailed when it cannot be sent."""
    try:
        return pickle.dumps(shared, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # what pickling may raise is without limit
        raise WorkFailed(f"what the chunks share cannot be sent: {error}") from error


def keep(shared: bytes) -> None:
    """In the worker: hold this value for the chunks that follow, in the place of the last one."""
    _kept[:] = [pickle.loads(shared)]  # noqa: S301 - from the process that started this one


def with_kept(function: Callable[[Any, Any], object], chunk: object) -> object:
    """In the worker: what the function makes of the value that is held and a chunk."""
    return function(_kept[0], chunk)


def work(calls: Connection, prepare: Callable[[], object] | None = None) -> None:
    """What runs in the process: answer calls until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare()
    while True:
        try:
            function, args, kwargs = calls.recv()
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - what cannot be read here is told to who sent it
            calls.send((False, sendable(error)))
            continue
        try:
            answer = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever the work raises is raised where it was asked for
            calls.send((False, sendable(error)))
            continue
        try:
            calls.send((True, answer))  # pickled before a byte is sent
        except Exception as error:  # noqa: BLE001 - what pickling may raise is without limit
            calls.send((False, WorkFailed(f"its result cannot be sent: {error}")))


def sendable(error: Exception) -> Exception:
    """The error itself when it survives being sent, else one with its words."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes of a line above
    except Exception:  # noqa: BLE001 - an error may do anything when it is made again
        return WorkFailed(f"{type(error).__name__}: {error}")
    if type(copy) is type(error) and str(copy) == str(error):
        return error
    return WorkFailed(f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and one in the middle of a long work would not notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)

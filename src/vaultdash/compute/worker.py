"""A process that does one piece of work after another for the process that started it."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeVar

R = TypeVar("R")
SPAWN = multiprocessing.get_context("spawn")  # a forked copy of a process with threads may hang
KILL_SECONDS = 5.0


class WorkerDied(RuntimeError):
    """The process ended in the middle of the work."""


class WorkFailed(RuntimeError):
    """The work raised something that cannot be sent; its words are here."""


class Worker:
    """Starts its process with the first call; `call` blocks, `kill` may come from another thread."""

    def __init__(self, prepare: Callable[[], object] | None = None) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._killed = False
        self._process: SpawnProcess | None = None
        self._calls: Connection | None = None

    def call(self, function: Callable[..., R], args: tuple[object, ...], kwargs: dict[str, object]) -> R:
        """The result; raises what the function raises, WorkFailed when that cannot be sent, or WorkerDied."""
        calls = self._start()
        try:
            calls.send((function, args, kwargs))
            succeeded, answer = calls.recv()
        except (EOFError, ConnectionError) as end:
            calls.close()
            raise WorkerDied("the process that did the work has ended") from end
        if not succeeded:
            raise answer
        result: R = answer
        return result

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

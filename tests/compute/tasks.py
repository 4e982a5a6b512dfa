"""Work for the workers of the tests: importable here and there."""

import os
import signal
import time
from pathlib import Path

from vaultdash.domain.errors import Refused


def whose() -> int:
    return os.getpid()


def halved(shared: int, chunk: int) -> float:
    return (shared + chunk) / 2


def refuse() -> None:
    raise Refused("not today")


def refuse_third(shared: str, chunk: int) -> int:
    if chunk == 3:
        raise Refused(f"{shared}: not the third")
    return chunk


def sum_of(shared: object, chunk: int) -> tuple[float, int, int]:
    """A value that stands for the chunk, the identity of what is shared, and who did it."""
    time.sleep(0.01)
    shared[0] += 0.0  # type: ignore[index]  # what is shared can be written, as compiled code wants it
    return float(shared.sum()) * chunk, id(shared), os.getpid()  # type: ignore[attr-defined]


def marked(folder: str, chunk: int) -> int:
    """Says that it has begun, and takes its time."""
    (Path(folder) / f"{chunk}-{os.getpid()}").touch()
    time.sleep(0.2)
    return chunk


def waits_to_be_killed(folder: str, chunk: int) -> int:
    """The fifth chunk says who is at work on it and waits, but only the first time."""
    mark = Path(folder) / "at-work"
    if chunk == 5 and not mark.exists():
        mark.with_suffix(".part").write_text(str(os.getpid()))
        mark.with_suffix(".part").rename(mark)
        time.sleep(600)
    return chunk


def dies_once(folder: str, chunk: int) -> int:
    """The seventh chunk takes its worker with it, the first time."""
    mark = Path(folder) / "died"
    time.sleep(0.01)
    if chunk == 7 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk * chunk


def dies_always(shared: object, chunk: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return chunk


def unsendable(shared: object, chunk: int) -> object:
    return lambda: (shared, chunk)


class Tough:
    """Cannot be sent."""

    def __reduce__(self) -> str:
        raise TypeError("a socket cannot be sent")

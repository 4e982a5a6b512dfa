"""Files that are replaced whole or not at all, and locked while they change."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from vaultdash.domain.errors import Unavailable

LOCK_WAIT_SECONDS = 30.0
LOCK_RETRY_SECONDS = 0.02

Stamp = tuple[int, int, int]


class StoreUnavailable(Unavailable, OSError):
    """The disk failed: full, not permitted, gone. An OSError too, for callers that survive those."""

    def __init__(self, path: Path, done: str, error: OSError) -> None:
        super().__init__(f"{path} could not be {done}: {error.strerror or error}")


def file_stem(symbol: str) -> str:
    """A file name without its suffix for a symbol: `^GVZ` is `%5EGVZ`."""
    return quote(symbol, safe="")


def symbol_of(path: Path) -> str:
    """The symbol a file was named for."""
    return unquote(path.stem)


def stamp_of(path: Path) -> Stamp | None:
    """What changes when a file is replaced; None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(path, "read", error) from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def content_of(path: Path) -> bytes | None:
    """The bytes of a file; None when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(path, "read", error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`: after a crash there is the old file or the new one, never a part of either."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise StoreUnavailable(path, "written", error) from error


def move_aside(path: Path, aside: Path) -> None:
    """Rename a file nobody can use, so that it is neither used nor lost."""
    try:
        path.rename(aside)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreUnavailable(path, "renamed", error) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a loss of power."""
    if sys.platform == "win32":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` against every other process and thread; Unavailable when it stays taken."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(path, "opened", error) from error
    try:
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise Unavailable(f"Another process has been writing to {path.parent} for {LOCK_WAIT_SECONDS:g} s")
            time.sleep(LOCK_RETRY_SECONDS)
        yield
    finally:
        os.close(handle)  # which also releases the lock


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` if nobody else does; False at once when it is taken. Ends with the process, too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(path, "opened", error) from error
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(
                handle, fcntl.LOCK_EX | fcntl.LOCK_NB
            )  # belongs to this opening: threads exclude each other too
        except BlockingIOError:
            return False
        return True

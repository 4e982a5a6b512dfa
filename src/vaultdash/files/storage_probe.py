"""Whether the data directory can be written."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

PROBE_SECONDS = 30.0


class StorageProbe:
    """Tries to write in the data directory, at most every half minute; in between it remembers."""

    def __init__(self, data_dir: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._data_dir = data_dir
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._known: tuple[float, str] | None = None

    async def state(self) -> str:
        """`ok`, or why the data directory cannot be written."""
        async with self._turn:
            if self._known is None or self._monotonic() - self._known[0] >= PROBE_SECONDS:
                self._known = self._monotonic(), await asyncio.to_thread(self._try)
            return self._known[1]

    def _try(self) -> str:
        probe = self._data_dir / ".write-probe"
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            try:
                with probe.open("wb") as file:
                    file.write(b"can this be kept?")
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                probe.unlink(missing_ok=True)  # another process may be probing too
        except OSError as error:
            return f"{self._data_dir} cannot be written: {error.strerror or error}"
        return "ok"

"""How long a search may still go on."""

import time

LEAST_SECONDS = 0.05


class Deadline:
    """Until when a search may go on; the clock that counts only forward."""

    def __init__(self, seconds: float) -> None:
        self._begin = time.monotonic()
        self._end = self._begin + seconds

    @property
    def left(self) -> float:
        """Seconds, never below what one attempt takes."""
        return max(self._end - time.monotonic(), LEAST_SECONDS)

    @property
    def spent(self) -> float:
        """Seconds since it was set."""
        return time.monotonic() - self._begin

    @property
    def is_over(self) -> bool:
        """True when nothing new should be begun."""
        return time.monotonic() >= self._end

    def part(self, share: float) -> "Deadline":
        """A share of what is left, from now on."""
        return Deadline(share * max(self._end - time.monotonic(), 0.0))

"""How often Yahoo may be asked, and how long it is left alone after it refused."""

import random
import threading
import time
from collections.abc import Callable, Sequence

from vaultdash.domain.errors import RateLimited

BACK_OFF_SECONDS = (60.0, 120.0, 300.0, 900.0, 1800.0)


class Limiter:
    """Token buckets for seconds, for the hour and for the hour's option chains; safe to use from two threads.

    Chains that anyone may ask for have a share of the hour, so that they never take all of it from the prices: at
    most that share at once, and then as it comes back over an hour.

    A request is reserved before it is made. Requests that the client made beyond that one (cookie, crumb, retry) are
    charged afterwards, so the balance may become negative and the next caller waits for it.
    """

    def __init__(
        self,
        *,
        per_second: float = 1.0,
        burst: int = 3,
        per_hour: int = 300,
        chain_share: float = 0.4,
        patience_seconds: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        now = monotonic()
        self._buckets = (_Bucket(float(burst), per_second, now), _Bucket(float(per_hour), per_hour / 3600.0, now))
        self._chains = _Bucket(chain_share * per_hour, chain_share * per_hour / 3600.0, now)

    def reserve(self) -> float:
        """Seconds to wait before the request may go out; RateLimited when that is longer than anyone waits."""
        with self._lock:
            now = self._monotonic()
            wait = max(bucket.seconds_until_one(now) for bucket in self._buckets)
            if wait > self._patience:
                raise RateLimited(f"Yahoo was asked as often as we allow; again in {wait:.0f} s", wait)
            self._spend(1)
            return wait

    def admit_chain(self) -> None:
        """Take one request for chains from their share, to be reserved in its turn; RateLimited when it is spent."""
        with self._lock:
            now = self._monotonic()
            wait = self._chains.seconds_until_one(now)
            if wait > 0:
                again = f"again in {wait:.0f} s"
                raise RateLimited(f"The hour's share for option chains is used up; prices go on; {again}", wait)
            self._chains.spend(1, now)

    def charge(self, requests: int, *, of_chain: bool = False) -> None:
        """Count requests that were made without being reserved, `of_chain` also from the share of chains."""
        with self._lock:
            self._spend(requests)
            if of_chain:
                self._chains.spend(requests, self._monotonic())

    def _spend(self, requests: int) -> None:
        for bucket in self._buckets:
            bucket.spend(requests, self._monotonic())


class BackOff:
    """After each refusal a longer pause, from a minute to half an hour, stretched by up to a fifth at random."""

    def __init__(
        self,
        *,
        seconds: Sequence[float] = BACK_OFF_SECONDS,
        jitter: float = 0.2,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._seconds = tuple(seconds)
        self._jitter = jitter
        self._monotonic = monotonic
        self._chance = chance
        self._lock = threading.Lock()
        self._refusals = 0
        self._until = monotonic()

    def check(self) -> None:
        """RateLimited with the remaining seconds while the pause lasts."""
        with self._lock:
            left = self._until - self._monotonic()
        if left > 0:
            raise RateLimited(f"Yahoo asked us to wait; again in {left:.0f} s", left)

    def refused(self) -> float:
        """Begin the next pause; its seconds."""
        with self._lock:
            step = self._seconds[min(self._refusals, len(self._seconds) - 1)]
            pause = step * (1.0 + self._jitter * self._chance())
            self._refusals += 1
            self._until = self._monotonic() + pause
            return pause

    def answered(self) -> None:
        """Yahoo serves us again: the next pause is the shortest."""
        with self._lock:
            self._refusals = 0


class _Bucket:
    """Tokens that come back at a steady rate, up to a capacity."""

    def __init__(self, capacity: float, per_second: float, now: float) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._level = capacity
        self._at = now

    def seconds_until_one(self, now: float) -> float:
        self._refill(now)
        return max((1.0 - self._level) / self._per_second, 0.0)

    def spend(self, tokens: int, now: float) -> None:
        self._refill(now)
        self._level -= tokens

    def _refill(self, now: float) -> None:
        self._level = min(self._capacity, self._level + (now - self._at) * self._per_second)
        self._at = now

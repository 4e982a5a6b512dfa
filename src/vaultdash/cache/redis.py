"""A cache in Redis that may be gone, slow, emptied or lying: then it answers like an empty one."""

import asyncio
import hashlib
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import structlog

from vaultdash.cache.envelope import enclosed, opened

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
log = structlog.get_logger()

SOCKET_SECONDS = 0.2
CALL_SECONDS = 0.5  # a server that drips bytes never reaches the timeout of the socket
PAUSE_SECONDS = 15.0
MAX_VALUE_BYTES = 8_000_000
LONGEST_SECONDS = 30 * 86_400.0


class RedisCache:
    """Bytes by key in a Redis database shared with other processes of this installation.

    After a failure Redis is left alone for `PAUSE_SECONDS`, then one call tries again. Values are sealed with the
    installation's secret: whatever else is found under a key is no value.
    """

    name = "redis"

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        client_factory: "Callable[[str], Redis] | None" = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._secret = secret
        self._prefix = f"vaultdash:{hmac.digest(secret, b'prefix', hashlib.sha256).hex()[:12]}:"
        self._make_client = client_factory or _client
        self._clock = clock
        self._wall_clock = wall_clock
        self._client: Redis | None = None
        self._retry_at = -math.inf
        self._trouble: str | None = None

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it is missing, expired, not ours or Redis is unwell."""
        name = self._prefix + key
        found = await self._ask(lambda client: client.getrange(name, 0, MAX_VALUE_BYTES + 1_000))
        if not isinstance(found, bytes):
            return None
        return opened(self._secret, key, found, self._wall_clock())

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep `value` for `ttl_seconds`; no time at all forgets the key."""
        name = self._prefix + key
        if not ttl_seconds > 0 or len(value) > MAX_VALUE_BYTES:
            await self._ask(lambda client: client.delete(name))
            return
        seconds = min(ttl_seconds, LONGEST_SECONDS)
        envelope = enclosed(self._secret, key, value, self._wall_clock() + seconds)
        milliseconds = max(math.ceil(seconds * 1000), 1)
        await self._ask(lambda client: client.set(name, envelope, px=milliseconds))

    async def state(self) -> str:
        """`ok`, or why Redis is not used."""
        await self._ask(lambda client: client.ping())
        return self._trouble or "ok"

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await _close(client)

    async def _ask(self, question: "Callable[[Redis], Awaitable[T]]") -> T | None:
        """The answer of Redis, or None after a failure and while it is left alone."""
        if self._trouble is not None:
            if self._clock() < self._retry_at:
                return None
            self._retry_at = self._clock() + PAUSE_SECONDS  # one call tries; those beside it do not wait
        try:
            if self._client is None:
                self._client = self._make_client(self._url)
            async with asyncio.timeout(CALL_SECONDS):
                answer = await question(self._client)
        except Exception as error:  # noqa: BLE001 - the contract: whatever goes wrong in Redis is a miss
            if _is_wrong_type(error):
                return None
            await self._leave_alone(_reason(error))
            return None
        if self._trouble is not None:
            log.info("redis_recovered")
        self._trouble = None
        return answer

    async def _leave_alone(self, reason: str) -> None:
        if self._trouble != reason:
            log.warning("redis_unwell", reason=reason, seconds_until_next_try=PAUSE_SECONDS)
        self._trouble = reason
        self._retry_at = self._clock() + PAUSE_SECONDS
        await self.aclose()


def _client(url: str) -> "Redis":
    """A client that waits briefly and never tries twice on its own."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Redis.from_url(
        url,
        socket_connect_timeout=SOCKET_SECONDS,
        socket_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


async def _close(client: "Redis") -> None:
    try:
        async with asyncio.timeout(SOCKET_SECONDS):
            await client.aclose()
    except Exception as error:  # noqa: BLE001 - a connection that cannot be closed is gone already
        log.debug("redis_not_closed", reason=type(error).__name__)


def _is_wrong_type(error: Exception) -> bool:
    """True when Redis is well but something else, such as a list, is kept under our key."""
    return str(error).startswith("WRONGTYPE")


def _reason(error: Exception) -> str:
    """A short reason without addresses or passwords."""
    from redis import exceptions

    if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
        return "Redis refuses the password or the command"
    if isinstance(error, TimeoutError | exceptions.TimeoutError):
        return "Redis does not answer in time"
    if isinstance(error, exceptions.ConnectionError | OSError):
        return "Redis cannot be reached"
    if isinstance(error, ValueError):
        return "the Redis address makes no sense"
    return f"Redis failed ({type(error).__name__})"

"""Workers of a Dask scheduler, on this or other machines; each has the same vault-dash installed."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from vaultdash.compute import errand
from vaultdash.compute.base import WorkerDied
from vaultdash.compute.in_turn import as_done
from vaultdash.compute.worker import pickled
from vaultdash.domain.errors import Refused, Unavailable

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
C = TypeVar("C")
SETTING = "VAULT_DASK_SCHEDULER"
ANSWER_SECONDS = 8.0
LONELY_SECONDS = 30.0  # without any worker: a supervisor has started a new one by then
LOOK_SECONDS = 2.0
AHEAD = 2  # chunks a thread: one at work, and one that is there when it ends


class DaskCompute:
    """Connects with the first work. `prepare` is called once in each worker process.

    What a cancelled call has begun there goes on to its end, unheard; nothing more begins.
    """

    def __init__(
        self,
        address: str,
        prepare: Callable[[], object] | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        lonely_seconds: float = LONELY_SECONDS,
    ) -> None:
        self._address = address
        self._prepare = prepare
        self._answer_seconds = answer_seconds
        self._lonely_seconds = lonely_seconds
        self._turn = asyncio.Lock()
        self._known: Any = None
        self._threads = 1
        self._lonely_since: float | None = None

    @property
    def workers(self) -> int:
        """How many threads all workers had when they were last counted; 1 before."""
        return self._threads

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args, **kwargs)` in a worker."""
        work = errand.packed(function, args, kwargs, self._prepare)
        client = await self._client()
        result: R = await self._asked(client, work)
        return result

    async def map(
        self, function: Callable[[S, C], R], chunks: Iterable[C], /, shared: S
    ) -> AsyncGenerator[tuple[int, R], None]:
        """`function(shared, chunk)` for each chunk, by its place, as they are done; see the contract."""
        value = await asyncio.to_thread(pickled, shared)
        client = await self._client()
        keeps = client.submit(errand.held, (secrets.token_bytes(8), value), pure=False)

        async def one(chunk: C) -> R:
            work = errand.packed(function, (chunk,), {}, self._prepare)
            result: R = await self._asked(client, work, keeps)
            return result

        async def look() -> None:
            await self._count(client)

        done = as_done(one, chunks, lambda: AHEAD * self._threads, look, LOOK_SECONDS)
        try:
            async for each in done:
                yield each
        finally:
            await done.aclose()
            keeps.release()

    async def aclose(self) -> None:
        """Leave the scheduler; its workers are not ours to end."""
        async with self._turn:
            if self._known is not None:
                await self._known.close()
            self._known = None

    async def _client(self) -> Any:
        async with self._turn:
            if self._known is None or self._known.status != "running":
                self._known = await self._connected()
            await self._count(self._known, at_once=True)
            return self._known

    async def _connected(self) -> Any:
        distributed = await asyncio.to_thread(_distributed)
        client = None
        try:
            client = distributed.Client(
                self._address,
                asynchronous=True,
                timeout=self._answer_seconds,
                set_as_default=False,
                name="vault-dash",
            )
            return await client
        except BaseException as error:
            if client is not None:
                await client.close()
            told = self._told(error)
            if told is error:
                raise
            raise told from error

    def _told(self, error: BaseException) -> BaseException:
        """Why there is no connection, as a sentence; what is of another kind stays as it is."""
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, ImportError):  # which is how it says that versions do not fit
            return Refused(f"The Dask scheduler {self._address} does not fit: {reason}. Install the same versions")
        if isinstance(error, OSError | TimeoutError):
            return Unavailable(
                f"The Dask scheduler {self._address} does not answer within {self._answer_seconds:g} s ({reason}). "
                f"Start it, or leave {SETTING} empty: the processors of this computer do the work then"
            )
        if isinstance(error, ValueError | TypeError):
            return Refused(f"{SETTING} is no address of a scheduler: {reason}. Write tcp://host:8786")
        return error

    async def _count(self, client: Any, *, at_once: bool = False) -> None:
        """Learn how many threads there are; Unavailable when there have been none for too long."""
        try:
            counted = await client.nthreads()
        except (OSError, RuntimeError):  # while it reconnects; the work under way is told by its own end
            return
        self._threads = max(sum(counted.values()), 1)
        now = asyncio.get_running_loop().time()
        if counted:
            self._lonely_since = None
            return
        if self._lonely_since is None:
            self._lonely_since = now
        if at_once or now - self._lonely_since > self._lonely_seconds:
            self._lonely_since = None
            raise Unavailable(
                f"The Dask scheduler {self._address} has no workers. Start some: dask worker {self._address}"
            )

    async def _asked(self, client: Any, work: bytes, keeps: Any = None) -> Any:
        """What a worker answers to one piece of work."""
        from distributed import CancelledError, KilledWorker

        future = client.submit(errand.done, work, keeps, pure=False)
        try:
            result = await future
        except KilledWorker as end:
            raise WorkerDied(
                f"{end.allowed_failures + 1} Dask workers have died over the same piece of work; "
                "is there enough memory?"
            ) from end
        except CancelledError as end:
            raise Unavailable(
                f"The connection to the Dask scheduler {self._address} was lost. What is done is kept; go on later"
            ) from end
        except (ImportError, AttributeError) as error:  # the worker could not even read what it was sent
            raise Refused(
                f"A Dask worker of {self._address} has no vault-dash, or an older one ({error}). "
                "Install the same version there and start it again"
            ) from error
        finally:
            if not future.done():
                await future.cancel()
            future.release()
        return errand.answer(result)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as missing:
        raise Refused(
            f"{SETTING} names a Dask scheduler, but Dask is not installed ({missing}). Install it with "
            f"pip install 'vault-dash[dask]', or leave {SETTING} empty"
        ) from None
    return distributed

"""What runs heavy work must do: call importable functions somewhere else and bring back their results."""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
C = TypeVar("C")
DEATHS = 3  # of workers that one piece of work may survive; what kills a fourth is to blame itself


class WorkerDied(RuntimeError):
    """The process ended in the middle of the work."""


class WorkFailed(RuntimeError):
    """The work raised something that cannot be sent; its words are here."""


class Compute(Protocol):
    """Calls functions outside the event loop. Arguments and results are plain values that can be pickled."""

    @property
    def workers(self) -> int:
        """How many pieces of work go on at once, as far as is known now; at least 1."""
        ...

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args, **kwargs)`; what it raises is raised here. Cancelling drops the result."""
        ...

    def map(
        self, function: Callable[[S, C], R], chunks: Iterable[C], /, shared: S
    ) -> AsyncGenerator[tuple[int, R], None]:
        """`function(shared, chunk)` for each chunk: its place and its result, in the order in which they are done.

        `shared` is sent to each worker once, not with each chunk; `chunks` are taken as workers become free. A worker
        that dies is replaced and its chunk done again, and WorkerDied raised when that happens more than DEATHS times
        to the same one. What `function` raises is raised here. Closing the generator ends the work under way (where
        the workers are not ours, what has begun ends unheard): use `contextlib.aclosing`, for a loop that is left
        early closes nothing at once.
        """
        ...

    async def aclose(self) -> None:
        """End the workers."""
        ...

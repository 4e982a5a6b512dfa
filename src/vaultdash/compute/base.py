"""What runs heavy work must do: call an importable function somewhere else and bring back its result."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Compute(Protocol):
    """Calls functions outside the event loop. Arguments and results are plain values that can be pickled."""

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args, **kwargs)`; what it raises is raised here. Cancelling drops the result."""
        ...

    async def aclose(self) -> None:
        """End the workers."""
        ...

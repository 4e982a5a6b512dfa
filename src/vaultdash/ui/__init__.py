"""The pages."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLIENTS = ("redis", "valkey", "aiohttp", "requests", "websocket")


@contextmanager
def without(names: tuple[str, ...]) -> Iterator[None]:
    """Imports of these modules fail inside, as if they were not installed; what is loaded already stays usable."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is Python's mark for "not to be had"
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


# NiceGUI's sockets try to import clients, for connecting to other servers, which this one never does: a third of a
# second at every start. It happens once, before the server runs, so no other thread imports anything meanwhile.
with without(CLIENTS):
    import nicegui  # noqa: F401  # all that follows finds it loaded

"""Opens the database, and runs what is asked of it in transactions."""

from contextlib import AbstractAsyncContextManager

from vaultdash.storage.records import Transaction


class SqlDatabase:
    """SQLite or PostgreSQL, by URL: sqlite:///FILE or postgresql://..."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def open(self) -> None:
        """Bring the tables to this version."""
        raise NotImplementedError

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Read and write; one writer at a time."""
        raise NotImplementedError

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Read one consistent state."""
        raise NotImplementedError

    async def state(self) -> str:
        """`ok`, or in words what is wrong."""
        return "ok"

    async def aclose(self) -> None:
        """Let go of it."""

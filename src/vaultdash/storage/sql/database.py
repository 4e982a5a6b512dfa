"""Opens the database, and runs what is asked of it in transactions."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.records import (
    AlertRecords,
    LtvRecords,
    PortfolioRecords,
    Preferences,
    RunRecords,
    TemplateRecords,
    Transaction,
)
from vaultdash.storage.sql.address import Address, address_of
from vaultdash.storage.sql.alerts import SqlAlerts
from vaultdash.storage.sql.ltv import SqlLtv
from vaultdash.storage.sql.portfolios import SqlPortfolios, SqlPreferences
from vaultdash.storage.sql.problems import told
from vaultdash.storage.sql.rows import Statements
from vaultdash.storage.sql.runs import SqlRuns
from vaultdash.storage.sql.templates import SqlTemplates
from vaultdash.storage.sql.unbroken import to_the_end
from vaultdash.storage.sql.upgrade import HEAD, revision_of, upgrade

log = structlog.get_logger(__name__)
STATE_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
TURN_SECONDS = 30.0  # how long a writer waits for the others of this process
WRITERS = 0x7661756C74  # the advisory lock by which PostgreSQL lets one of our writers in at a time
FULL = 2  # what PRAGMA synchronous answers


class SqlTransaction:
    """What may be read and written on one connection between its begin and its end."""

    portfolios: PortfolioRecords
    ltv: LtvRecords
    alerts: AlertRecords
    preferences: Preferences
    templates: TemplateRecords
    runs: RunRecords

    def __init__(self, statements: Statements) -> None:
        self.portfolios = SqlPortfolios(statements)
        self.ltv = SqlLtv(statements)
        self.alerts = SqlAlerts(statements)
        self.preferences = SqlPreferences(statements)
        self.templates = SqlTemplates(statements)
        self.runs = SqlRuns(statements)


class SqlDatabase:
    """SQLite or PostgreSQL, by URL: sqlite:///FILE or postgresql://...

    Opened by the first use when nobody did. Writers take turns, also between processes; readers wait for nobody.
    """

    def __init__(self, url: str | Address, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.address = address_of(url) if isinstance(url, str) else url
        self._monotonic = monotonic
        self._opening = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._engines: tuple[AsyncEngine, AsyncEngine] | None = None  # of readers, of the writer
        self._known: tuple[float, str] | None = None
        self._is_closed = False
        self._identity: tuple[int, int] | None = None
        self._writer: asyncio.Task[object] | None = None  # whose turn it is

    async def open(self) -> None:
        """Bring the tables to this version; DatabaseError with a sentence when that cannot be done."""
        await self.upgrade()

    async def upgrade(self) -> str | None:
        """The same; returns the layout that was found, None for an empty database."""
        async with self._opening:
            if self._engines is not None:
                return HEAD
            await asyncio.to_thread(self.address.prepare)
            engines = self.address.reading_engine(), self.address.writing_engine()
            try:
                before = await self._upgrade(engines[1])
            except BaseException:
                await to_the_end(_dispose(engines))
                raise
            self._engines, self._is_closed = engines, False
            self._identity = self.address.identity()
            return before

    async def layout(self) -> str | None:
        """The layout the tables have now, without bringing them to this one."""
        engine = self.address.reading_engine()
        try:
            async with self._connected(engine) as connection:
                with told(self.address):
                    return await to_the_end(connection.run_sync(revision_of))
        finally:
            await to_the_end(engine.dispose())

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Read and write; one writer at a time. Committed at the end, taken back when anything is raised."""
        return self._transaction()

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Read one consistent state; what is written in it is refused."""
        return self._reading()

    async def state(self) -> str:
        """`ok`, or in words what is wrong; asked at most every half minute, in between it is remembered."""
        async with self._asking:
            if self._known is None or self._monotonic() - self._known[0] >= STATE_SECONDS:
                self._known = self._monotonic(), await self._ask()
            return self._known[1]

    async def aclose(self) -> None:
        """Let go of it; who comes late is refused, until it is opened again."""
        async with self._opening:
            self._is_closed = True
            engines, self._engines = self._engines, None
            if engines is not None:
                await to_the_end(_dispose(engines))

    async def _ask(self) -> str:
        asking = asyncio.ensure_future(self._revision())
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE_SECONDS)  # it ends by itself, if late
        if not done:
            return f"The database {self.address.shown} does not answer within {PATIENCE_SECONDS:g} s."
        return asking.result()

    async def _revision(self) -> str:
        try:
            await self._opened()
            self._require_same_file()
            async with self._reading() as found:
                await found.portfolios.revision()
        except DatabaseError as error:
            return str(error)
        return "ok"

    @asynccontextmanager
    async def reading_statements(self) -> AsyncIterator[Statements]:
        """Statements on one consistent state, for the commands that work on whole tables."""
        reader, _ = await self._opened()
        async with self._connected(reader) as connection:
            with told(self.address):
                await to_the_end(_begun(connection))
            yield Statements(connection, self.address)

    @asynccontextmanager
    async def writing_statements(self) -> AsyncIterator[Statements]:
        """Statements of one writing transaction, for the commands that work on whole tables."""
        _, writer = await self._opened()
        async with self._in_turn():
            self._require_same_file()
            async with self._writing(writer) as connection:
                yield Statements(connection, self.address)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        here = asyncio.current_task()
        if self._writer is not None and self._writer is here:
            raise RuntimeError("a transaction within a transaction would wait for itself")
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise DatabaseError(f"The database {self.address.shown} is busy with other work; try again") from None
        self._writer = here
        try:
            yield
        finally:
            self._writer = None
            self._turn.release()

    def _require_same_file(self) -> None:
        """What is written into a file that has lost its name would be gone with this process."""
        if self.address.identity() != self._identity:
            raise DatabaseError(
                f"The database {self.address.shown} was removed or replaced while it was in use; nothing is written "
                "any more. Start Vault Dashboard again"
            )

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Transaction]:
        async with self.reading_statements() as statements:
            yield SqlTransaction(statements)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self.writing_statements() as statements:
            yield SqlTransaction(statements)

    @asynccontextmanager
    async def _writing(self, writer: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with self._connected(writer) as connection:
            with told(self.address):
                await to_the_end(_begun(connection))
                if not self.address.is_sqlite:
                    await to_the_end(connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITERS))))
            yield connection
            with told(self.address):
                await to_the_end(connection.commit())

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection; what was not committed when it is given back is rolled back."""
        connection = engine.connect()
        try:
            with told(self.address):
                await to_the_end(_started(connection))
            yield connection
        finally:
            if connection.sync_connection is not None:
                with told(self.address):
                    await to_the_end(connection.close())

    async def _opened(self) -> tuple[AsyncEngine, AsyncEngine]:
        if self._engines is None and not self._is_closed:
            await self.open()
        if self._engines is None:
            raise DatabaseError(f"The database {self.address.shown} is closed")
        return self._engines

    async def _upgrade(self, writer: AsyncEngine) -> str | None:
        if self.address.is_sqlite:
            await self._require_safe(writer)
        async with self._connected(writer) as connection:
            with told(self.address):
                found = await to_the_end(connection.run_sync(revision_of))
        if found == HEAD:
            return found
        async with self._writing(writer) as connection:
            with told(self.address):
                before = await to_the_end(connection.run_sync(upgrade))
        log.info("database_upgraded", database=self.address.shown, before=before, now=HEAD)
        return before

    async def _require_safe(self, writer: AsyncEngine) -> None:
        """Refuse a SQLite that does not keep what it has acknowledged when the power goes."""
        async with self._connected(writer) as connection:
            with told(self.address):
                mode = await to_the_end(connection.scalar(sa.text("PRAGMA journal_mode")))
                synchronous = await to_the_end(connection.scalar(sa.text("PRAGMA synchronous")))
        if mode != "wal" or synchronous != FULL:
            raise DatabaseError(
                f"The database {self.address.shown} cannot be kept safely there (journal_mode {mode}, synchronous "
                f"{synchronous}; wal and {FULL} are needed): put VAULT_DATA_DIR on a local disk"
            )


async def _dispose(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    for engine in engines:
        await engine.dispose()


async def _started(connection: AsyncConnection) -> None:
    await connection.start()


async def _begun(connection: AsyncConnection) -> None:
    await connection.begin()

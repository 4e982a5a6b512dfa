"""Where the database is, as the owner writes it, and the engines that reach it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from vaultdash.domain.errors import DatabaseError
from vaultdash.files.whole import sync_folder

SQLITE, POSTGRESQL = "sqlite:///", "postgresql://"
BUSY_SECONDS = 10.0  # how long a writer waits for the writer of another process
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
READERS = 4
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON", "foreign_keys = ON")
SERVER_SETTINGS = {
    "application_name": "vault-dash",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "lock_timeout": str(int(BUSY_SECONDS * 1000)),
    "idle_in_transaction_session_timeout": "60000",  # ms; a writer that hangs shuts nobody out for long
}


@dataclass(frozen=True, slots=True)
class Address:
    """A SQLite file, or a PostgreSQL database by `url`. `shown` names it without its password."""

    url: sa.URL
    file: Path | None
    shown: str

    @property
    def is_sqlite(self) -> bool:
        """True for a file."""
        return self.file is not None

    def reading_engine(self) -> AsyncEngine:
        """Connections that cannot write; several."""
        if self.is_sqlite:
            engine = self._sqlite(READERS)
            _at_connect(engine, "query_only = ON")
            _at_begin(engine, "BEGIN")
            return engine
        return self._postgresql(READERS).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def writing_engine(self) -> AsyncEngine:
        """The one connection that writes; a transaction takes the write lock at once."""
        if not self.is_sqlite:
            return self._postgresql(1)
        engine = self._sqlite(1)
        _at_begin(engine, "BEGIN IMMEDIATE")
        return engine

    def prepare(self) -> None:
        """Make the folder and an empty file that only its owner may read; -wal and -shm take its mode over."""
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.file.exists()
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
            if is_new:
                sync_folder(self.file.parent)  # else a loss of power may take the file's name away
        except OSError as error:
            raise DatabaseError(
                f"The database {self.file} cannot be opened: {error.strerror or error}. Check who may write there."
            ) from error

    def identity(self) -> tuple[int, int] | None:
        """Which file it is, whatever its name; None for a server, and when there is none any more."""
        if self.file is None:
            return None
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _sqlite(self, size: int) -> AsyncEngine:
        given = {"isolation_level": None, "timeout": BUSY_SECONDS}  # no transaction that Python starts by itself
        engine = create_async_engine(
            self.url,
            connect_args=given,
            pool_size=size,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )
        _at_connect(engine, *PRAGMAS)
        return engine

    def _postgresql(self, size: int) -> AsyncEngine:
        given = {"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS, "server_settings": SERVER_SETTINGS}
        return create_async_engine(
            self.url,
            connect_args=given,
            pool_size=size,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
        )


def address_of(url: str) -> Address:
    """`sqlite:///FILE` (absolute with a fourth slash) or `postgresql://user@host/name`; DatabaseError for another."""
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        file = Path(url.removeprefix(SQLITE))
        return Address(sa.URL.create("sqlite+aiosqlite", database=str(file)), file, str(file))
    if url.startswith(POSTGRESQL):
        try:
            given = sa.make_url(url).set(drivername="postgresql+asyncpg")
        except (sa.exc.ArgumentError, ValueError):
            raise DatabaseError(
                "VAULT_DATABASE_URL cannot be understood; write postgresql://user@host/name"
            ) from None
        query = dict(given.query)
        if "sslmode" in query:  # as libpq calls it
            query["ssl"] = query.pop("sslmode")
        shown = f"{given.host or query.get('host', 'localhost')}/{given.database or given.username or ''}"
        return Address(given.set(query=query), None, shown)
    raise DatabaseError("VAULT_DATABASE_URL must be postgresql://user@host/name, or sqlite:/// and a file")


def _at_connect(engine: AsyncEngine, *pragmas: str) -> None:
    @sa.event.listens_for(engine.sync_engine, "connect")
    def say(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            cursor.close()


def _at_begin(engine: AsyncEngine, statement: str) -> None:
    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)

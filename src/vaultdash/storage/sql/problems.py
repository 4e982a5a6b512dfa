"""What goes wrong with a database, in a sentence that says what to do."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql.address import BUSY_SECONDS, Address

SQLITE_SENTENCES = {
    sqlite3.SQLITE_BUSY: f"is kept busy by another process for {BUSY_SECONDS:g} s and more; close it or try again",
    sqlite3.SQLITE_LOCKED: "is locked; try again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Make room; nothing of this change was kept",
    sqlite3.SQLITE_READONLY: "may not be written; check who owns the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its folder exists and may be written",
    sqlite3.SQLITE_PERM: "may not be opened; check who owns the file and its folder",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup with `vault-dash restore FILE`",
    sqlite3.SQLITE_NOTADB: "is no database, or damaged; restore a backup with `vault-dash restore FILE`",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk failed. Check it; nothing of this change was kept",
}
POSTGRESQL_SENTENCES = {
    "28": "refuses this user name or password; check VAULT_DATABASE_URL",
    "3D": "does not exist; create it, or check the name in VAULT_DATABASE_URL",
    "42501": "refuses this user a right that is needed; let the user own the database",
    "53100": "cannot grow: the disk of the server is full. Make room; nothing of this change was kept",
    "53300": "has too many connections; close some, or try again",
    "55P03": f"is kept busy by another process for {BUSY_SECONDS:g} s and more; close it or try again",
    "57P": "is being shut down or started; try again",
    "08": "cannot be reached; check that the server runs and VAULT_DATABASE_URL names it",
    "25006": "was opened for reading only",
}
AWAY = "cannot be reached; check that the server runs and VAULT_DATABASE_URL names it"


@contextmanager
def told(address: Address) -> Iterator[None]:
    """Turn what the drivers raise into DatabaseError."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise DatabaseError(f"The database {address.shown} is busy with other work; try again") from error
    except sa.exc.DBAPIError as error:
        raise DatabaseError(f"The database {address.shown} {_sentence(error.orig, address)}.") from error
    except sa.exc.StatementError as error:  # a value no database takes, before it was sent
        reason = error.orig if error.orig is not None else error
        raise DatabaseError(f"The database {address.shown} cannot keep this: {reason}.") from error
    except (sqlite3.Error, OSError, TimeoutError, *_server_errors()) as error:  # type: ignore[misc]  # a tuple indeed
        raise DatabaseError(f"The database {address.shown} {_sentence(error, address)}.") from error


def _server_errors() -> tuple[type[Exception], ...]:
    """What the driver of PostgreSQL raises past SQLAlchemy; nothing unless it is in use, for it is slow to import."""
    driver = sys.modules.get("asyncpg")
    return () if driver is None else (driver.PostgresError, driver.InterfaceError)


def _sentence(error: BaseException | None, address: Address) -> str:
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(cause, "sqlite_errorcode", None)
        if isinstance(code, int) and code & 0xFF in SQLITE_SENTENCES:
            return SQLITE_SENTENCES[code & 0xFF]
        state = getattr(cause, "sqlstate", None)
        for begins, sentence in POSTGRESQL_SENTENCES.items():
            if isinstance(state, str) and state.startswith(begins):
                return sentence
        if not address.is_sqlite and isinstance(cause, (OSError, TimeoutError)):
            return AWAY
        cause = cause.__cause__
    return f"failed: {str(error).splitlines()[0].rstrip('.') if str(error) else type(error).__name__}"

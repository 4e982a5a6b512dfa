"""A backup: one SQLite file that holds every row, and the small files without which they are worth less."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vaultdash.domain.errors import DatabaseError, NotFound, Refused
from vaultdash.files.whole import content_of, sync_folder
from vaultdash.storage.sql.address import BUSY_SECONDS, Address, address_of
from vaultdash.storage.sql.database import SqlDatabase
from vaultdash.storage.sql.moving import copy_database
from vaultdash.storage.sql.upgrade import REVISIONS, VERSION_TABLE, tables_of

PAGES_AT_ONCE = -1  # all: the source is read in one transaction, which stops no writer
EXTRA = (
    "CREATE TABLE backup_about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE backup_files (name TEXT PRIMARY KEY, content BLOB NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: when it was made (None for a plain copy of a database), rows by table, files by name."""

    file: Path
    layout: str
    made_at: datetime | None
    counts: Mapping[str, int]
    files: Mapping[str, bytes]


async def back_up(
    address: Address, file: Path, keys: Mapping[str, Path], now: Callable[[], datetime], *, overwrite: bool = False
) -> Backup:
    """Write a backup of one committed state; the database may be in use. `keys` are files to keep with it, by name.

    Raises Refused when the file is there already, NotFound when there is no database yet.
    """
    await asyncio.to_thread(_require_room, address, file, overwrite)
    with unfinished(file) as draft:
        if address.file is not None:
            await asyncio.to_thread(copy_pages, address.file, draft)
        else:
            await _copy_rows(address, draft)
        await asyncio.to_thread(_complete, draft, keys, now())
        found = await asyncio.to_thread(verify, draft)
        await asyncio.to_thread(put_in_place, draft, file)
    return Backup(file, found.layout, found.made_at, found.counts, found.files)


def verify(file: Path) -> Backup:
    """Read a backup, or a plain copy of a database, to its last page; DatabaseError when it cannot be trusted."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}")
    with _told(file), closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        problems = [str(row[0]) for row in opened.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise DatabaseError(f"{file} is damaged ({problems[0].splitlines()[-1]}); use another backup")
        names = {str(row[0]) for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {VERSION_TABLE, *(table.name for table in tables_of(REVISIONS[0]))} <= names:
            raise DatabaseError(f"{file} is no backup of Vault Dashboard")
        layout = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        if layout is None or layout[0] not in REVISIONS:
            raise DatabaseError(f"{file} was made by a later release of Vault Dashboard; use that release")
        tables = tables_of(str(layout[0]))
        missing = sorted({table.name for table in tables} - names)
        if missing:
            raise DatabaseError(f"{file} is damaged (it has no table {missing[0]}); use another backup")
        orphans = opened.execute("PRAGMA foreign_key_check").fetchone()
        if orphans is not None:
            raise DatabaseError(f"{file} is damaged (a row of {orphans[0]} refers to nothing); use another backup")
        counts = {
            table.name: int(opened.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608 - our own name
            for table in tables
        }
        if "backup_about" not in names:
            return Backup(file, str(layout[0]), None, counts, {})
        about = dict(opened.execute("SELECT name, value FROM backup_about").fetchall())
        files = {str(name): bytes(content) for name, content in opened.execute("SELECT * FROM backup_files")}
    return Backup(file, str(layout[0]), datetime.fromisoformat(about["made_at"]), counts, files)


def copy_pages(source: Path, target: Path) -> None:
    """One committed state of a SQLite file, page by page, as a file that needs no other beside it."""
    with (
        _told(source),
        closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as ours,
        closing(sqlite3.connect(target)) as theirs,
    ):
        ours.backup(theirs, pages=PAGES_AT_ONCE)
        theirs.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def unfinished(file: Path) -> Iterator[Path]:
    """A file beside `file`, for its owner only, that is gone afterwards unless it was put in place."""
    try:
        handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.", suffix=".part")
    except OSError as error:
        raise DatabaseError(f"{file} cannot be written: {error.strerror or error}") from error
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{draft}{ending}").unlink(missing_ok=True)


def put_in_place(draft: Path, file: Path) -> None:
    """Give the finished file its name, at once and for good."""
    try:
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise DatabaseError(f"{file} cannot be written: {error.strerror or error}") from error


def _require_room(address: Address, file: Path, overwrite: bool) -> None:
    if address.file is not None and not address.file.exists():
        raise NotFound(f"There is no database {address.file} yet; nothing was kept")
    if not file.exists():
        return
    if address.file is not None and file.samefile(address.file):
        raise Refused(f"{file} is the database itself; name another file")
    if not overwrite:
        raise Refused(f"{file} is there already; name another file, or add --force to replace it")


async def _copy_rows(address: Address, draft: Path) -> None:
    source, target = SqlDatabase(address), SqlDatabase(f"sqlite:///{draft}")
    try:
        found = await copy_database(source, target)
    finally:
        await source.aclose()
        await target.aclose()
    if found.differences:
        raise DatabaseError(f"The backup differs from the database ({found.differences[0]}); nothing was kept")


def _complete(draft: Path, keys: Mapping[str, Path], at: datetime) -> None:
    contents = {name: content_of(path) for name, path in keys.items()}
    with _told(draft), closing(sqlite3.connect(draft)) as opened, opened:
        opened.execute("PRAGMA journal_mode = DELETE")
        for statement in EXTRA:
            opened.execute(statement)
        opened.execute("INSERT INTO backup_about VALUES ('made_at', ?)", (at.astimezone(UTC).isoformat(),))
        for name, content in contents.items():
            if content is not None:
                opened.execute("INSERT INTO backup_files VALUES (?, ?)", (name, content))


@contextmanager
def _told(file: Path) -> Iterator[None]:
    from vaultdash.storage.sql.problems import told

    with told(address_of(f"sqlite:///{file}")):
        yield

"""Brings a backup back: verified first, in one step, and what was there before is kept aside."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from vaultdash.domain.errors import DatabaseError, Refused
from vaultdash.files.whole import content_of, replace_file, sync_folder
from vaultdash.storage.sql.address import Address
from vaultdash.storage.sql.backup import Backup, back_up, copy_pages, put_in_place, unfinished, verify
from vaultdash.storage.sql.copying import TABLES, compare, copy_rows, count_rows
from vaultdash.storage.sql.database import SqlDatabase
from vaultdash.storage.sql.rows import Statements
from vaultdash.storage.sql.tables import APPEND_ONLY
from vaultdash.storage.sql.upgrade import REVISIONS, VERSION_TABLE, tables_of

LEFT_BEHIND = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back, and where what it replaced is now."""

    backup: Backup
    aside: tuple[Path, ...]


async def restore(
    file: Path, address: Address, keys: Mapping[str, Path], now: Callable[[], datetime], *, force: bool = False
) -> Restored:
    """Make the database what the backup holds; `keys` says where its files belong.

    Raises Refused when the database holds something and `force` is not given, or when it is in use.
    """
    backup = await asyncio.to_thread(verify, file)
    stamp = now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    if address.file is not None:
        aside = await asyncio.to_thread(_into_file, backup, address.file, stamp, force)
    else:
        aside = await _into_server(backup, address, keys, stamp, now, force=force)
    aside += await asyncio.to_thread(_put_keys, backup, keys, stamp)
    return Restored(backup, aside)


def _into_file(backup: Backup, target: Path, stamp: str, force: bool) -> tuple[Path, ...]:
    if target.exists() and backup.file.samefile(target):
        raise Refused(f"{target} is the database itself; name a backup")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{target} cannot be written: {error.strerror or error}") from error
    filled = _what_is_in(target)
    if filled is not None and not force:
        raise Refused(f"{target} {filled}: nothing was changed. Add --force to replace it; it is kept aside then.")
    with unfinished(target) as draft:
        copy_pages(backup.file, draft)
        with closing(sqlite3.connect(draft)) as opened, opened:
            opened.execute("DROP TABLE IF EXISTS backup_about")
            opened.execute("DROP TABLE IF EXISTS backup_files")
        aside = _set_aside(target, stamp) if target.exists() else ()
        put_in_place(draft, target)
    return aside


def _what_is_in(target: Path) -> str | None:
    """In words; None when nothing is lost without it. Raises Refused when it is in use."""
    if not target.exists() or target.stat().st_size == 0:
        return None
    try:
        with closing(sqlite3.connect(target, timeout=1.0)) as opened:
            opened.execute("PRAGMA journal_mode = DELETE")  # only when nobody else has it open; takes the -wal in
            layout = opened.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - our own name
            if layout is None or layout[0] not in REVISIONS:
                return "cannot be read"
            counts = {
                table.name: opened.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608 - our own name
                for table in tables_of(str(layout[0]))
            }
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Refused(f"{target} is in use: stop Vault Dashboard first; nothing was changed") from error
        return "cannot be read"
    except sqlite3.DatabaseError:
        return "cannot be read"
    filled = [f"{count:,} in {name}" for name, count in counts.items() if count]
    return f"is not empty ({', '.join(filled)})" if filled else None


def _set_aside(target: Path, stamp: str) -> tuple[Path, ...]:
    """Give the old file a second name; its own is taken over by the new file in one step."""
    aside = target.with_name(f"{target.name}.before-{stamp}")
    for ending in LEFT_BEHIND:  # only of a file that cannot be read: else there is none any more
        left = Path(f"{target}{ending}")
        if left.exists():
            left.replace(f"{aside}{ending}")
    try:
        os.link(target, aside)
    except OSError:  # a file system without links
        shutil.copy2(target, aside)
    sync_folder(target.parent)
    return (aside,)


async def _into_server(
    backup: Backup,
    address: Address,
    keys: Mapping[str, Path],
    stamp: str,
    now: Callable[[], datetime],
    *,
    force: bool,
) -> tuple[Path, ...]:
    """In one transaction of the server; what it held is backed up into a file first."""
    folder = next(iter(keys.values())).parent
    aside: tuple[Path, ...] = ()
    target = SqlDatabase(address)
    with unfinished(folder / "restore.db") as draft:
        copy_pages(backup.file, draft)
        source = SqlDatabase(f"sqlite:///{draft}")
        try:
            async with target.reading_statements() as found:
                filled = [f"{count:,} in {name}" for name, count in (await count_rows(found)).items() if count]
            if filled and not force:
                raise Refused(
                    f"{address.shown} is not empty ({', '.join(filled)}): nothing was changed. Add --force to "
                    "replace it; it is kept aside then."
                )
            if filled:
                aside = (folder / f"vault.db.before-{stamp}",)
                await back_up(address, aside[0], {}, now)
            async with source.reading_statements() as ours, target.writing_statements() as theirs:
                await _empty(theirs)
                await copy_rows(ours, theirs)
                compared = await compare(ours, theirs)
                if compared.differences:
                    raise DatabaseError(f"The restored rows differ ({compared.differences[0]}); nothing was changed")
        finally:
            await source.aclose()
            await target.aclose()
    return aside


async def _empty(statements: Statements) -> None:
    for name in APPEND_ONLY:
        await statements.execute(sa.text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
    for table in reversed(TABLES):
        await statements.execute(sa.delete(table))
    for name in APPEND_ONLY:
        await statements.execute(sa.text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))


def _put_keys(backup: Backup, keys: Mapping[str, Path], stamp: str) -> tuple[Path, ...]:
    aside: list[Path] = []
    for name, content in backup.files.items():
        path = keys.get(name)
        if path is None:
            continue
        there = content_of(path)
        if there is not None and there != content:
            aside.append(path.with_name(f"{path.name}.before-{stamp}"))
            replace_file(aside[-1], there)
        if there != content:
            replace_file(path, content)
    return tuple(aside)

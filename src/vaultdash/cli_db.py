"""vault-dash backup, restore and db: the database kept, brought back, checked, and moved to another."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vaultdash.settings import Settings
    from vaultdash.storage.sql.copying import Comparison, Progress

KEY_FILES = ("push.key", "installation.secret")  # without them browsers and other processes must be set up again
SHOWN_DIFFERENCES = 20

Guarded = Callable[[Callable[[], None]], None]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there")]
ToOption = Annotated[str, typer.Option("--to", help="postgresql://user@host/name, or sqlite:///FILE")]


def add_commands(app: typer.Typer, settings: "Callable[[], Settings]", guarded: Guarded) -> None:
    """Add `backup`, `restore` and `db`; `guarded` ends a command with the sentence of its error."""

    @app.command()
    def backup(
        file: Annotated[Path, typer.Argument(help="Where to; it may be made while the dashboard runs")],
        force: ForceOption = False,
    ) -> None:
        """Keep everything that was entered, and the alerts' history, in one file."""
        guarded(lambda: _backup(settings(), file, force))

    @app.command()
    def restore(
        file: Annotated[Path, typer.Argument(help="A backup, or a copy of a database file")],
        force: ForceOption = False,
    ) -> None:
        """Bring a backup back; what was there before is kept aside. Stop the dashboard first."""
        guarded(lambda: _restore(settings(), file, force))

    database = typer.Typer(
        help="The database: check it, bring it up to date, move it.", no_args_is_help=True, rich_markup_mode=None
    )

    @database.command()
    def upgrade() -> None:
        """Bring the tables to this release, as every start does."""
        guarded(lambda: _upgrade(settings()))

    @database.command()
    def check() -> None:
        """Read all of it; the exit code is 1 when something is wrong."""
        guarded(lambda: _check(settings()))

    @database.command()
    def copy(to: ToOption) -> None:
        """Copy everything into an empty database and compare row by row; the exit code is 1 when rows differ."""
        guarded(lambda: _copy(settings(), to))

    @database.command()
    def compare(to: ToOption) -> None:
        """Compare with another database row by row; the exit code is 1 when rows differ."""
        guarded(lambda: _compare(settings(), to))

    app.add_typer(database, name="db")


def _keys(settings: "Settings") -> Mapping[str, Path]:
    return {name: settings.data_dir / name for name in KEY_FILES}


def _backup(settings: "Settings", file: Path, force: bool) -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.clock import utc_now
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql.address import address_of
    from vaultdash.storage.sql.backup import back_up

    quiet_logs()
    address = address_of(database_url(settings))
    kept = asyncio.run(back_up(address, file, _keys(settings), utc_now, overwrite=force))
    typer.echo(f"{file}: {_rows(kept.counts)}{_and_files(kept.files)}; read back without a fault.")
    typer.echo("It holds the addresses of your alerts: keep it as safe as the database itself.")


def _restore(settings: "Settings", file: Path, force: bool) -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.clock import utc_now
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql.address import address_of
    from vaultdash.storage.sql.restoring import restore

    quiet_logs()
    address = address_of(database_url(settings))
    restored = asyncio.run(restore(file, address, _keys(settings), utc_now, force=force))
    made = restored.backup.made_at
    of = f" of {made:%Y-%m-%d %H:%M} UTC" if made else ""
    typer.echo(
        f"{address.shown} is now the backup{of}: {_rows(restored.backup.counts)}{_and_files(restored.backup.files)}."
    )
    for aside in restored.aside:
        typer.echo(f"What was there before is kept in {aside}.")


def _upgrade(settings: "Settings") -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql import SqlDatabase
    from vaultdash.storage.sql.upgrade import HEAD

    quiet_logs()

    async def run() -> str | None:
        database = SqlDatabase(database_url(settings))
        try:
            return await database.upgrade()
        finally:
            await database.aclose()

    before = asyncio.run(run())
    came = "" if before == HEAD else f"; it was {before}" if before else "; there were none"
    typer.echo(f"The tables have layout {HEAD}{came}.")


def _check(settings: "Settings") -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql.address import address_of
    from vaultdash.storage.sql.checking import check

    quiet_logs()
    address = address_of(database_url(settings))
    found = asyncio.run(check(address))
    typer.echo(f"{address.shown}: {', '.join(found.facts) or 'not looked into'}.")
    for name, count in found.counts.items():
        typer.echo(f"  {name:<24} {count:>9,}")
    for problem in found.problems:
        typer.echo(problem, err=True)
    if found.problems:
        raise typer.Exit(1)
    typer.echo("All is well.")


def _copy(settings: "Settings", to: str) -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql import SqlDatabase
    from vaultdash.storage.sql.moving import Steps, copy_database

    quiet_logs()

    async def run() -> "Comparison":
        source, target = SqlDatabase(database_url(settings)), SqlDatabase(to)
        _require_there(source.address.file)
        try:
            with _bar() as bar:
                return await copy_database(source, target, Steps(bar("copied"), bar("compared")))
        finally:
            await source.aclose()
            await target.aclose()

    _report(asyncio.run(run()))
    typer.echo(
        "To use it, set VAULT_DATABASE_URL and start again. What was changed since the copy began is not in it."
    )


def _compare(settings: "Settings", to: str) -> None:
    import asyncio

    from vaultdash.bootstrap import database_url
    from vaultdash.logs import quiet_logs
    from vaultdash.storage.sql import SqlDatabase
    from vaultdash.storage.sql.moving import compare_databases

    quiet_logs()

    async def run() -> "Comparison":
        source, target = SqlDatabase(database_url(settings)), SqlDatabase(to)
        _require_there(source.address.file)
        _require_there(target.address.file)
        try:
            with _bar() as bar:
                return await compare_databases(source, target, bar("compared"))
        finally:
            await source.aclose()
            await target.aclose()

    _report(asyncio.run(run()))


def _require_there(file: Path | None) -> None:
    from vaultdash.domain.errors import NotFound

    if file is not None and not file.exists():
        raise NotFound(f"There is no database {file}")


def _report(found: "Comparison") -> None:
    for name, (ours, theirs) in found.counts.items():
        typer.echo(f"  {name:<24} {ours:>9,} rows, {theirs:>9,} in the copy")
    for difference in found.differences[:SHOWN_DIFFERENCES]:
        typer.echo(f"  {difference}", err=True)
    if len(found.differences) > SHOWN_DIFFERENCES:
        typer.echo(f"  and {len(found.differences) - SHOWN_DIFFERENCES:,} more", err=True)
    total = sum(ours for ours, _ in found.counts.values())
    typer.echo(f"{total:,} rows compared, {len(found.differences):,} differences.")
    if found.differences:
        raise typer.Exit(1)


@contextmanager
def _bar() -> "Iterator[Callable[[str], Progress]]":
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _verb: lambda _table, _done, _of: None
        return
    with Bar(console=console, transient=True) as bar:

        def step(verb: str) -> "Progress":
            task = bar.add_task(verb, total=None)

            def told(table: str, done: int, of: int) -> None:
                bar.update(task, description=f"{table} {verb}", completed=done, total=of)

            return told

        yield step


def _rows(counts: Mapping[str, int]) -> str:
    said = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return ", ".join(said) or "no rows"


def _and_files(files: Mapping[str, bytes]) -> str:
    return f", {', '.join(files)}" if files else ""

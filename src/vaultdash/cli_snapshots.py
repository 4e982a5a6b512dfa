"""vault-dash snapshots: recorded option chains; everything heavy is imported by the command."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.market.observed.checking import StoreCheck
    from vaultdash.market.observed.report import ImportReport, SessionFigures
    from vaultdash.market.observed.schema import StoredSession
    from vaultdash.settings import Settings

SHOWN_REJECTS = 20
SHOWN_SESSIONS = 40
SHOWN_DAYS = 5
SymbolOption = Annotated[str | None, typer.Option(help="Only this underlying")]


def snapshots_app(settings: "Callable[[], Settings]", guarded: Callable[[Callable[[], None]], None]) -> typer.Typer:
    """The commands; `settings` loads the settings, `guarded` ends a command with the sentence of its error."""
    app = typer.Typer(
        help="Recorded option chains: import them, record them, look at them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @app.command("import")
    def import_(
        files: Annotated[list[Path], typer.Argument(help="Files or folders: .csv, .csv.gz, .zip, .json, .dbn.zst")],
        layout: Annotated[
            str | None,
            typer.Option(
                "--format",
                help="thetadata, cboe, optionsdx, massive, dolthub, plain, eodhd, databento or mapped; "
                "default: told by the columns",
            ),
        ] = None,
        symbol: Annotated[
            str | None, typer.Option(help="The underlying, of a file that does not say or of one that holds many")
        ] = None,
        columns: Annotated[
            list[str] | None,
            typer.Option("--map", help="NAME=COLUMN for any other CSV, such as --map expiration=Expiry; repeatable"),
        ] = None,
    ) -> None:
        """Store the chains of files; rows that are not taken are counted with their reason."""
        guarded(lambda: _import(settings(), files, layout, symbol, columns or []))

    @app.command("list")
    def list_(symbol: SymbolOption = None) -> None:
        """What is stored."""
        guarded(lambda: _list(settings(), symbol))

    @app.command("check")
    def check(symbol: SymbolOption = None) -> None:
        """Read everything that is stored; the exit code is 1 when something is damaged."""
        guarded(lambda: _check(settings(), symbol))

    @app.command("record")
    def record(
        symbol: Annotated[str | None, typer.Option(help="Default: what values the collateral")] = None,
    ) -> None:
        """Record the live chains now; the exit code is 1 when some are missing."""
        guarded(lambda: _record(settings(), symbol))

    return app


def _import(
    settings: "Settings", files: list[Path], layout: str | None, symbol: str | None, pairs: list[str]
) -> None:
    from vaultdash.clock import NEW_YORK, NewYorkHours, utc_now
    from vaultdash.domain.errors import InvalidInput
    from vaultdash.market.observed.importing import Wish, import_files
    from vaultdash.market.observed.store import ObservedSnapshots

    columns = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not (name.strip() and equals and column.strip()):
            raise InvalidInput("--map", f"must be NAME=COLUMN, such as expiration=Expiry, not {pair}")
        columns[name] = column
    store = ObservedSnapshots(settings.data_dir)
    hours = NewYorkHours(settings.data_dir / "xnys.json")
    today = utc_now().astimezone(NEW_YORK).date()
    empty = []
    for report in import_files(files, store, Wish(layout, symbol, columns), hours, today):
        _show_report(report)
        if not report.kept:
            empty.append(report.names[0])
    if empty:
        _fail(f"{', '.join(empty)}: no row could be taken")


def _list(settings: "Settings", symbol: str | None) -> None:
    from vaultdash.market.observed.store import ObservedSnapshots

    stored = ObservedSnapshots(settings.data_dir).sessions(symbol)
    if not stored:
        typer.echo("No chains are recorded. `vault-dash snapshots import FILE` or `vault-dash snapshots record`.")
        return
    _print(_inventory(stored))


def _check(settings: "Settings", symbol: str | None) -> None:
    from vaultdash.clock import NewYorkHours
    from vaultdash.market.observed.checking import check_store
    from vaultdash.market.observed.store import ObservedSnapshots

    hours = NewYorkHours(settings.data_dir / "xnys.json")
    found = check_store(ObservedSnapshots(settings.data_dir), hours, symbol)
    _show_check(found)
    if found.problems:
        _fail(f"{len(found.problems):,} of {found.files:,} files cannot be used")


def _record(settings: "Settings", symbol: str | None) -> None:
    import asyncio
    from dataclasses import replace

    from vaultdash.bootstrap import market_providers, portfolio_of
    from vaultdash.clock import NewYorkHours, utc_now
    from vaultdash.domain.errors import Refused
    from vaultdash.logs import quiet_logs
    from vaultdash.market.base import ChainProvider
    from vaultdash.market.observed.store import ObservedSnapshots
    from vaultdash.services.snapshot_recorder import Recording, SnapshotRecorder, complete

    if settings.market == "demo":
        raise Refused("The demo market is invented and is never recorded; set VAULT_MARKET to auto or yahoo")
    quiet_logs()
    hours = NewYorkHours(settings.data_dir / "xnys.json")
    name = symbol or portfolio_of(settings).collateral.instrument.quoted_by

    async def run() -> tuple[Recording, ...]:
        providers = market_providers(settings)
        try:
            live = next((provider for provider in providers if isinstance(provider, ChainProvider)), None)
            if live is None:
                raise Refused("None of the configured sources gives option chains")
            store = ObservedSnapshots(settings.data_dir)
            return await SnapshotRecorder(live, store, [name], hours, utc_now).record_now()
        finally:
            for provider in providers:
                await provider.aclose()

    recordings = asyncio.run(run())
    for recording in recordings:
        typer.echo(replace(recording, next_try=None).words, err=not recording.is_complete)
    if not complete(recordings):
        raise typer.Exit(1)


def _show_report(report: "ImportReport") -> None:
    from vaultdash.market.observed.opening import printable

    stored = report.stored
    names = ", ".join(printable(name, 60) for name in report.names)
    typer.echo(
        f"{names} ({report.format}): {report.rows_read:,} rows read, {report.kept:,} kept, "
        f"{report.rejected_count:,} rejected."
    )
    typer.echo(f"Stored: {stored.added:,} new, {stored.replaced:,} replaced, {stored.unchanged:,} as they were.")
    for remark in report.remarks:
        typer.echo(f"  note: {remark}")
    if report.missing_sessions:
        typer.echo(f"  note: trading days without a row: {_days(report.missing_sessions)}")
    if report.other_days:
        typer.echo(f"  note: rows of days without a New York session: {_days(report.other_days)}")
    for reason, count in report.reasons.items():
        lines = [str(row.line) for row in report.rejected if row.reason == reason][:SHOWN_DAYS]
        more = " ..." if count > len(lines) else ""
        typer.echo(f"  rejected {count:,}: {reason} (line {', '.join(lines)}{more})")
    if report.sessions:
        _print(_figures_table(report.sessions))


def _figures_table(sessions: "tuple[SessionFigures, ...]") -> "Table":
    table = _table(
        "symbol",
        "day",
        "kind",
        "price",
        "contracts",
        "expirations",
        "days to expiry",
        "two-sided",
        "crossed",
        "pairs",
        "spread of parity",
        "carry a year",
    )
    for line in sessions[-SHOWN_SESSIONS:]:
        parity = line.parity
        carry = None if parity is None else parity.carry
        table.add_row(
            line.underlying,
            str(line.on),
            line.kind.value,
            "" if line.underlying_price is None else f"{line.underlying_price:.2f}",
            f"{line.contracts:,}",
            str(line.expirations),
            f"{line.shortest_dte}-{line.longest_dte}",
            f"{line.two_sided:.1%}",
            f"{line.crossed:.1%}",
            "" if parity is None else str(parity.pairs),
            "" if parity is None else f"{parity.dispersion:.3f}",
            "" if carry is None else f"{carry:.1%}",
        )
    if len(sessions) > SHOWN_SESSIONS:
        table.caption = f"the last {SHOWN_SESSIONS} of {len(sessions):,} snapshots"
    return table


def _inventory(stored: "list[StoredSession]") -> "Table":
    table = _table("symbol", "day", "kind", "source", "contracts", "expirations", "first", "last")
    for line in stored:
        table.add_row(
            line.underlying,
            str(line.on),
            line.kind.value,
            line.source,
            f"{line.contracts:,}",
            str(line.expirations),
            str(line.first_expiration),
            str(line.last_expiration),
        )
    return table


def _show_check(found: "StoreCheck") -> None:
    for problem in found.problems:
        typer.echo(f"DAMAGED: {problem}", err=True)
    for path in found.aside:
        typer.echo(f"note: {path} was damaged and kept aside; remove it when its session is there again")
    typer.echo(f"{found.files:,} files read, {len(found.problems):,} damaged.")
    if not found.series:
        return
    table = _table(
        "symbol",
        "source",
        "kind",
        "first",
        "last",
        "sessions",
        "missing",
        "contracts",
        "two-sided",
        "crossed",
        "spread of parity",
    )
    for line in found.series:
        table.add_row(
            line.underlying,
            line.source,
            line.kind.value,
            str(line.first),
            str(line.last),
            f"{line.sessions:,}",
            f"{len(line.missing):,}",
            f"{line.contracts:,}",
            f"{line.two_sided:.1%}",
            f"{line.crossed:.2%}",
            "" if line.dispersion is None else f"{line.dispersion:.3f}",
        )
    _print(table)
    for line in found.series:
        for days, what in ((line.missing, "is missing"), (line.other_days, "has days without a session:")):
            if days:
                typer.echo(f"note: {line.underlying}, {line.source}, {line.kind} {what} {_days(days)}")


def _table(*names: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    texts = {"symbol", "day", "kind", "source", "first", "last"}
    for name in names:
        table.add_column(name, justify="left" if name in texts else "right")
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    console = Console()
    Console(width=console.width if console.is_terminal else 150).print(table)


def _days(days: "tuple[object, ...]") -> str:
    more = f" and {len(days) - SHOWN_DAYS:,} more" if len(days) > SHOWN_DAYS else ""
    return ", ".join(map(str, days[:SHOWN_DAYS])) + more


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)

"""vault-dash: the loan, the hedges and the history from a terminal. Everything heavy is imported by the command."""

import sys
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from vaultdash.cli_alerts import alerts_app
from vaultdash.cli_backtests import add_backtest_commands
from vaultdash.cli_db import add_commands as add_database_commands
from vaultdash.cli_hedges import add_hedge_commands
from vaultdash.cli_portfolio import portfolio_app
from vaultdash.cli_positions import positions_app
from vaultdash.cli_risk import add_risk_commands
from vaultdash.cli_snapshots import snapshots_app
from vaultdash.cli_sweeps import add_sweep_commands
from vaultdash.cli_templates import templates_app

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.services.vault import Vault
    from vaultdash.settings import Settings

T = TypeVar("T")
app = typer.Typer(
    name="vault-dash",
    help="Watch a loan secured by gold and compare the hedges that keep a margin call away.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain words: boxes would import rich first
    add_completion=False,
)
history = typer.Typer(
    help="Daily prices: import them, update them, look at them.", no_args_is_help=True, rich_markup_mode=None
)
check = typer.Typer(
    help="One real call to what this installation is configured to use.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(history, name="history")
app.add_typer(check, name="check")
SymbolOption = Annotated[
    str, typer.Option(help="GLD, another gold ETF, ^GVZ, ^IRX, or any symbol the provider knows")
]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (VAULT_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (VAULT_PORT)")] = None,
) -> None:
    """Start the dashboard and print its address."""
    settings = _settings(host=host, port=port)
    from vaultdash.api.guards import url_host
    from vaultdash.domain.errors import DatabaseError, VaultError
    from vaultdash.main import listen
    from vaultdash.main import serve as run
    from vaultdash.settings import SettingsError

    try:
        with listen(settings) as listening:
            address = f"http://{url_host(settings.host)}:{settings.port}"
            typer.echo(f"Vault Dashboard: {address}  (market: {settings.market}; Ctrl-C ends)")
            sys.stdout.flush()
            run(settings, listening)
    except DatabaseError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (SettingsError, VaultError) as error:
        _stop(str(error))


@app.command()
def status() -> None:
    """The loan in ten lines."""
    from vaultdash.terminal import status_lines

    async def ask(vault: "Vault") -> tuple[bool, list[str]]:
        beat = await vault.heartbeat.beat()
        lines = status_lines(beat, vault.book.symbol, is_example=vault.book.is_example)
        return beat.snapshot is not None, lines

    known, lines = _with_vault(ask)
    for line in lines:
        typer.echo(line, err=not known)
    if not known:
        raise typer.Exit(1)


@app.command()
def strategies(
    symbol: Annotated[str | None, typer.Option(help="Default: what values the collateral, such as GLD")] = None,
    spot: Annotated[float | None, typer.Option(help="USD a share; default the latest quote")] = None,
    volatility: Annotated[float | None, typer.Option(help="Fraction a year; default 0.16")] = None,
    months: Annotated[int | None, typer.Option(help="Tenor; default 12")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what /api/strategies answers")] = False,
) -> None:
    """The hedges compared, with a recommendation for each risk profile."""
    from vaultdash.api.answers import strategies_answer
    from vaultdash.api.respond import encode
    from vaultdash.services.hedge_advisor import Advice, Research
    from vaultdash.terminal import comparison_table, recommendation_lines

    async def advise(vault: "Vault") -> tuple[Advice, str]:
        research = Research(symbol=symbol or vault.book.symbol, spot=spot, volatility=volatility, months=months)
        advice = await vault.advisor.advise(research)
        return advice, encode(strategies_answer(advice, vault.known_status)).decode() if as_json else ""

    advice, told = _with_vault(advise)
    if as_json:
        typer.echo(told)
        return
    _show(comparison_table(advice))
    for line in recommendation_lines(advice):
        typer.echo(line)


@app.command()
def warmup() -> None:
    """Compile the pricing code once and keep it on disk, so that no page waits for the compiler."""
    import time

    from vaultdash.services.pricing_kernels import compile_kernels

    begun = time.monotonic()
    problem = compile_kernels()
    if problem is not None:
        _stop(f"The fast pricing code cannot be compiled here: {problem}. QuantLib prices instead, more slowly.")
    typer.echo(f"Pricing is compiled ({time.monotonic() - begun:.1f} s).")


@history.command("import")
def history_import(
    file: Annotated[Path, typer.Argument(help="CSV with a date and a close column", exists=True, dir_okay=False)],
    symbol: Annotated[str | None, typer.Option(help="What the file holds; default GLD")] = None,
    column: Annotated[str | None, typer.Option(help="Column of the value when it is not `close`")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take prices that look like another instrument's all the same")
    ] = False,
) -> None:
    """Store the daily prices of a CSV file; rejected rows are listed with their reason."""
    from vaultdash.clock import NewYorkHours
    from vaultdash.storage.history_file import DamagedHistory
    from vaultdash.storage.parquet_prices import ParquetPrices
    from vaultdash.storage.price_csv import read_price_csv, symbol_in_name
    from vaultdash.storage.price_doubts import doubt

    guess = symbol_in_name(file)
    if symbol is None and guess not in (None, "GLD"):
        _stop(f"{file.name} looks like {guess}, not GLD. Say which: --symbol '{guess}', or --symbol GLD")
    settings = _settings()

    def run() -> None:
        report = read_price_csv(file, symbol or "GLD", column, hours=NewYorkHours(settings.data_dir / "xnys.json"))
        if not report.history.bars:
            for row in report.rejected[:20]:
                typer.echo(f"  line {row.line}: {row.reason}: {row.text[:80]}", err=True)
            _stop(f"{file.name}: none of {report.rows_read} rows could be taken; nothing was stored.")
        store = ParquetPrices(settings.data_dir)
        try:
            stored = store.load_history(report.history.symbol)
        except DamagedHistory:  # which the merge puts aside
            stored = None
        reason = None if force else doubt(report.history, stored)
        if reason is not None:
            _stop(
                f"{file.name}: {reason}. Nothing was stored. For another instrument say which with --symbol, "
                f"such as --symbol GC=F for ounces; to take it as {report.history.symbol} all the same add --force."
            )
        merged = store.merge_history(report.history)
        bars = report.history.bars
        typer.echo(
            f"{report.history.symbol}: {report.rows_read:,} rows read, {len(bars):,} kept, "
            f"{len(report.rejected):,} rejected; {bars[0].on} to {bars[-1].on}."
        )
        typer.echo(f"Stored: {merged.added:,} new, {merged.replaced:,} replaced, {merged.unchanged:,} as they were.")
        for remark in report.remarks:
            typer.echo(f"  note: {remark}")
        for row in report.rejected[:20]:
            typer.echo(f"  rejected line {row.line}: {row.reason}: {row.text[:80]}")
        if len(report.rejected) > 20:
            typer.echo(f"  and {len(report.rejected) - 20:,} more rejected rows")

    _guarded(run)


@history.command("update")
def history_update(symbol: SymbolOption = "GLD") -> None:
    """Fetch the missing days from the provider and store them."""
    from vaultdash.domain.gold import clean_symbol

    async def update(vault: "Vault") -> str:
        merged = await vault.history.update(clean_symbol(symbol))
        return f"{symbol}: {merged.added:,} new, {merged.replaced:,} replaced, {merged.unchanged:,} as they were."

    typer.echo(_with_vault(update))


@history.command("show")
def history_show(
    symbol: Annotated[
        str | None, typer.Option(help="Default: GLD, or the list of what is stored with --list")
    ] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day")] = None,
    inventory: Annotated[bool, typer.Option("--list", help="List what is stored")] = False,
) -> None:
    """Print stored daily prices; the last thirty days unless --from or --to is given."""
    from vaultdash.domain.gold import clean_symbol
    from vaultdash.domain.market import PriceHistory
    from vaultdash.storage.base import StoredSeries
    from vaultdash.terminal import history_table, inventory_table

    first, last = _day(start), _day(end)

    if inventory:

        async def stored(vault: "Vault") -> list[StoredSeries]:
            return await vault.history.stored()

        return _show(inventory_table(_with_vault(stored)))

    async def load(vault: "Vault") -> PriceHistory:
        return await vault.history.load(clean_symbol(symbol or "GLD"), end=last)

    found = _with_vault(load)  # from the beginning, so that the first day shown has its change, too
    bars = found.between(first, last).bars if first or last else found.bars[-30:]
    if not bars:
        _stop(f"No prices of {found.symbol} in those days. `vault-dash history show --list` says what is stored.")
    return _show(history_table(found, bars))


@check.command("market")
def check_market(symbol: SymbolOption = "GLD") -> None:
    """One real call to each configured price provider; the exit code is 1 when one does not answer."""
    import asyncio

    from vaultdash.bootstrap import market_providers
    from vaultdash.domain.gold import clean_symbol
    from vaultdash.logs import quiet_logs
    from vaultdash.terminal import provider_verdict

    settings = _settings()
    quiet_logs()

    async def ask_all() -> list[tuple[bool, str]]:
        name = clean_symbol(symbol)
        return [await provider_verdict(provider, name) for provider in market_providers(settings)]

    verdicts = _guarded(lambda: asyncio.run(ask_all()))
    for _, line in verdicts:
        typer.echo(line)
    if not all(ok for ok, _ in verdicts):
        raise typer.Exit(1)


def _settings(**overrides: object) -> "Settings":
    import logging

    from vaultdash.settings import ENV_FILE, SettingsError, load_settings

    def named(record: logging.LogRecord) -> bool:
        _stop(f"{ENV_FILE} has a line that cannot be understood: {record.getMessage()}. Write NAME=value.")

    reader = logging.getLogger("dotenv.main")  # which would pass over such a line with a warning
    reader.setLevel(logging.WARNING)
    reader.addFilter(named)
    try:
        return load_settings(**overrides)
    except SettingsError as error:
        _stop(str(error))
    finally:
        reader.removeFilter(named)


def _with_vault(work: "Callable[[Vault], Awaitable[T]]", *, needs_database: bool = True) -> T:
    """Run `work` on a Vault made for this command; its errors end the command with their sentence.

    Without `needs_database` a database that cannot be opened is the work's own matter.
    """
    import asyncio

    settings = _settings()
    from vaultdash.bootstrap import build_vault
    from vaultdash.domain.errors import DatabaseError
    from vaultdash.logs import quiet_logs

    quiet_logs()

    async def run() -> T:
        vault = build_vault(settings)
        try:
            try:
                await vault.open()
            except DatabaseError:
                if needs_database:
                    raise
            return await work(vault)
        finally:
            await vault.aclose()

    return _guarded(lambda: asyncio.run(run()))


def _guarded(work: "Callable[[], T]") -> T:
    from vaultdash.domain.errors import VaultError

    try:
        return work()
    except (VaultError, OSError) as error:
        _stop(str(error))


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _show(table: "Table") -> None:
    from rich.console import Console

    console = Console()
    Console(width=console.width if console.is_terminal else 140).print(table)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


app.add_typer(snapshots_app(_settings, _guarded), name="snapshots")
portfolio = portfolio_app(_with_vault)
portfolio.add_typer(positions_app(_with_vault), name="options")
app.add_typer(portfolio, name="portfolio")
app.add_typer(alerts_app(_with_vault, _show), name="alerts")
app.add_typer(templates_app(_with_vault, _show), name="templates")
add_risk_commands(app, _with_vault, _show)
add_hedge_commands(app, _with_vault, _settings, _show)
add_backtest_commands(app, partial(_with_vault, needs_database=False), _show)
add_sweep_commands(app, _with_vault, _show)
add_database_commands(app, _settings, _guarded)

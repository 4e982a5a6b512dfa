"""vault-dash backtest and events: hedges replayed on past falls, in a terminal."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.services.backtest_request import BacktestReport, BacktestRequest
    from vaultdash.services.selloff_events import Event
    from vaultdash.services.vault import Vault

COMPILING = "Compiling the pricing code, about half a minute; only the first time."
WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]


def add_backtest_commands(app: typer.Typer, with_vault: WithVault, show: "Callable[[Table], None]") -> None:
    """`backtest` and `events`; `with_vault` runs work on a Vault, whose database may be missing."""

    @app.command("backtest")
    def backtest(
        event: Annotated[
            str | None, typer.Option(help="A fall, such as jan-2026; `vault-dash events` lists them")
        ] = None,
        start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day instead")] = None,
        end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day instead")] = None,
        template: Annotated[
            list[str] | None, typer.Option(help="A hedge, such as protective_put_otm_95; again for more; default all")
        ] = None,
        ltv: Annotated[float | None, typer.Option(help="LTV at the start; default 0.60")] = None,
        loan: Annotated[float | None, typer.Option(help="USD instead of an LTV")] = None,
        units: Annotated[float | None, typer.Option(help="GLD shares pledged; default 10,000")] = None,
        call_ltv: Annotated[float, typer.Option(help="LTV at which the lender calls")] = 0.75,
        warning_ltv: Annotated[float | None, typer.Option(help="LTV at which it warns; default 0.70")] = None,
        close_out: Annotated[float | None, typer.Option(help="LTV at which it sells; default 0.85")] = None,
        cure_days: Annotated[int, typer.Option(help="Trading days between a call and the sale")] = 2,
        interest: Annotated[float, typer.Option(help="Fraction a year, such as 0.0645; default none")] = 0.0,
        counting: Annotated[
            Literal["ignored", "after_payment", "credited"], typer.Option(help="How the lender counts options")
        ] = "credited",
        source: Annotated[
            Literal["modelled", "observed"], typer.Option(help="Option prices of a model, or of recorded chains")
        ] = "modelled",
        exercise: Annotated[
            Literal["american", "european"], typer.Option(help="When options may be exercised")
        ] = "american",
        level: Annotated[
            Literal["auto", "gvz", "ewma"], typer.Option(help="The volatility index, or past moves, or what is known")
        ] = "auto",
        trade_at: Annotated[
            Literal["next_close", "same_close"], typer.Option(help="When a decision of a close is carried out")
        ] = "next_close",
        spare_cash: Annotated[float, typer.Option(help="USD that cure a call before gold is sold")] = 0.0,
        fan: Annotated[
            bool, typer.Option("--fan", help="Also with the hedge bought 1, 3, 6, 9 months before")
        ] = False,
        fan_months: Annotated[
            str | None, typer.Option(help="Instead of those months these, such as 0,3,6; 0 is at the start")
        ] = None,
        csv: Annotated[
            Path | None, typer.Option(file_okay=False, help="Write series.csv and trades.csv into this folder")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else")] = False,
    ) -> None:
        """Would it have worked? Hedges on a past fall: who was called, when, and what it cost."""

        def request() -> "BacktestRequest":
            from vaultdash.backtest.scenario import Source, TradeAt, VolatilityLevel
            from vaultdash.domain.hedge import Exercise
            from vaultdash.domain.loan import HedgeCounting
            from vaultdash.services.backtest_request import FAN_MONTHS, BacktestRequest

            return BacktestRequest(
                templates=tuple(template or ()),
                event=event,
                start=None if start is None else start.date(),
                end=None if end is None else end.date(),
                units=units,
                loan=loan,
                ltv=ltv,
                warning_ltv=warning_ltv,
                call_ltv=call_ltv,
                close_out_ltv=close_out,
                cure_days=cure_days,
                counting=HedgeCounting(counting),
                interest=interest,
                spare_cash=spare_cash,
                source=Source(source),
                exercise=Exercise(exercise),
                level=VolatilityLevel(level),
                trade_at=TradeAt(trade_at),
                fan=_months(fan_months) if fan_months is not None else FAN_MONTHS if fan else (),
            )

        async def work(vault: "Vault") -> "BacktestReport":
            with _progress() as told:
                return await vault.backtests.run_now(request(), told)

        if csv is not None:
            _require_folder(csv)
        report = with_vault(work)
        if csv is not None:
            _write(report, csv)
        if as_json:
            from vaultdash.api.backtest_answers import result_answer
            from vaultdash.api.respond import encode

            typer.echo(encode(result_answer(report)).decode())
            return
        from vaultdash.terminal_backtests import backtest_lines, backtest_table, fan_table

        typer.echo(report.sentence)
        show(backtest_table(report))
        if report.fan:
            show(fan_table(report))
        for line in backtest_lines(report):
            typer.echo(line)

    @app.command("events")
    def events(
        as_json: Annotated[bool, typer.Option("--json", help="Print what /api/events answers")] = False,
    ) -> None:
        """The falls of gold that can be replayed: the named ones, and your own."""

        async def ask(vault: "Vault") -> "tuple[datetime, tuple[Event, ...]]":
            from vaultdash.domain.errors import DatabaseError

            try:
                return vault.now(), await vault.events.all()
            except DatabaseError as error:
                typer.echo(f"Your own events are left out: {error}", err=True)
                return vault.now(), await vault.events.named()

        now, found = with_vault(ask)
        if as_json:
            from vaultdash.api.backtest_answers import event_answer
            from vaultdash.api.backtest_schemas import EventsAnswer
            from vaultdash.api.respond import encode

            typer.echo(encode(EventsAnswer(now, tuple(event_answer(event) for event in found))).decode())
            return
        from vaultdash.terminal_backtests import events_table

        show(events_table(found))


@contextmanager
def _progress() -> "Iterator[Callable[[float], None]]":
    """A bar on standard error, where somebody looks; it goes when the work is done.

    That the compiler must be waited for is said there in any case.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from vaultdash.services.pricing_kernels import must_compile

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("Loading prices and pricing code", total=1.0)

        begun = False

        def told(done: float) -> None:
            nonlocal begun
            if not begun and must_compile():
                console.print(COMPILING, highlight=False)
            begun = True
            if done > 0:
                bar.update(task, completed=done, description="Replaying")

        yield told


def _months(typed: str) -> tuple[int, ...]:
    """`0,3,6` as numbers; raises InvalidInput."""
    from vaultdash.domain.errors import InvalidInput

    parts = [part.strip() for part in typed.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        raise InvalidInput("fan-months", f"must be whole months parted by commas, such as 0,3,6; not {typed[:40]!r}")
    return tuple(int(part) for part in parts)


def _require_folder(folder: Path) -> None:
    """Make the folder; one that cannot be written into is refused before the work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as error:
        _not_written(folder, error)


def _not_written(folder: Path, error: OSError) -> NoReturn:
    typer.echo(f"{folder} cannot be written: {error.strerror or error}", err=True)
    raise typer.Exit(2) from None


def _write(report: "BacktestReport", folder: Path) -> None:
    from vaultdash.api.backtest_answers import series_csv, trades_csv

    try:
        for name, write in (("series.csv", series_csv), ("trades.csv", trades_csv)):
            with (folder / name).open("w", newline="", encoding="utf-8") as file:
                file.write(write(report.comparison, None))
    except OSError as error:
        _not_written(folder, error)
    typer.echo(f"Written: {folder / 'series.csv'} and {folder / 'trades.csv'}", err=True)

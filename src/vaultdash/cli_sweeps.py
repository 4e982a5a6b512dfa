"""vault-dash sweep: many hedges on many falls and terms at once, in a terminal."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.domain.record import StoredRun
    from vaultdash.services.sweep_result import SweepResult
    from vaultdash.services.vault import Vault

WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]
SHOWN = 20
INTERRUPTED = 130  # the exit code of a command that Ctrl-C has ended


def add_sweep_commands(app: typer.Typer, with_vault: WithVault, show: "Callable[[Table], None]") -> None:
    """`sweep` and `sweeps`; `with_vault` runs work on a Vault and ends the command when it is refused."""

    @app.command("sweep")
    def sweep(
        grid: Annotated[
            Path | None, typer.Argument(help="YAML or JSON: templates, vary, events, terms", dir_okay=False)
        ] = None,
        name: Annotated[str, typer.Option(help="What it is called in the lists")] = "",
        workers: Annotated[
            int | None, typer.Option(min=1, max=256, help="Processes at once; default every core")
        ] = None,
        resume: Annotated[str | None, typer.Option(help="Go on with the sweep of this id instead")] = None,
        csv: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the whole table to this file")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else")] = False,
    ) -> None:
        """Every hedge of a grid on every fall, under all terms: which comes through most often, at what cost."""
        if (grid is None) == (resume is None):
            typer.echo("Name a grid file, or an id with --resume; `vault-dash sweeps` lists them.", err=True)
            raise typer.Exit(2)

        async def work(vault: "Vault") -> "tuple[StoredRun, SweepResult | None]":
            vault.sweeps.workers, vault.sweeps.leaves_a_core = workers, False
            return await _followed(vault, grid, name, resume)

        run, result = with_vault(work)
        if result is None:
            _say_stopped(run)
        if csv is not None:
            _write(result, csv)
        if as_json:
            typer.echo(_json(run, result))
            return
        from vaultdash.services.sweep_words import sentence
        from vaultdash.terminal_sweeps import best_table

        standings = result.standings()
        typer.echo(sentence(result, standings))
        show(best_table(result, standings, SHOWN))
        typer.echo(f"{len(result.rows):,} runs, kept as {run.id}; {result.source}.")

    @app.command("sweeps")
    def sweeps(
        remove: Annotated[str | None, typer.Option(help="Take out the one of this id, with its result")] = None,
    ) -> None:
        """The sweeps that are kept, with those that can be gone on with."""
        from vaultdash.terminal_sweeps import sweeps_table

        async def ask(vault: "Vault") -> "tuple[StoredRun, ...]":
            if remove is not None:
                await vault.sweeps.remove(remove)
            return await vault.sweeps.runs()

        show(sweeps_table(with_vault(ask)))


async def _followed(
    vault: "Vault", grid: Path | None, name: str, resume: str | None
) -> "tuple[StoredRun, SweepResult | None]":
    """Begin or go on, with a bar on standard error; Ctrl-C stops it, and what is done stays."""
    import asyncio
    import os
    import signal
    from contextlib import suppress

    from vaultdash.domain.errors import VaultError
    from vaultdash.domain.record import RunState
    from vaultdash.services.sweep_grid import read_grid

    if resume is not None:
        run = await vault.sweeps.resume(resume)
    else:
        assert grid is not None  # as checked before
        run = await vault.sweeps.start(read_grid(await asyncio.to_thread(grid.read_bytes)), name)

    async def stop() -> None:
        with suppress(VaultError):  # it may have ended by itself
            await vault.sweeps.cancel(run.id)

    stopping: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if not stopping:
            stopping.append(asyncio.create_task(stop()))

    if os.name == "posix":  # elsewhere Ctrl-C ends the command, and the sweep is gone on with later
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted)
    with _bar(vault, run.id):
        ended = await vault.sweeps.wait(run.id)
        await asyncio.gather(*stopping)
    ended = await vault.sweeps.run(run.id)
    return ended, await vault.sweeps.result(run.id) if ended.state is RunState.DONE else None


def _bar(vault: "Vault", run_id: str) -> Any:
    """A bar on standard error, where somebody looks; it goes when the work is done."""
    from contextlib import ExitStack

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("Loading prices and pricing code", total=1.0)

    def told(run: "StoredRun") -> None:
        if run.id == run_id:
            words = "Sweeping" if run.progress > 0 else "Loading prices and pricing code"
            bar.update(task, completed=run.progress, description=words)

    stack = ExitStack()
    stack.enter_context(bar)
    stack.enter_context(vault.sweeps.feed.heard_by(told))
    return stack


def _say_stopped(run: "StoredRun") -> None:
    """Ends the command: with 130 when it was interrupted, with 2 when the sweep failed."""
    from vaultdash.domain.record import RunState

    again = f"vault-dash sweep --resume {run.id} goes on from there"
    if run.state in (RunState.WAITING, RunState.RUNNING):
        typer.echo("The sweep is being run by another process, such as the server; it goes on there.", err=True)
        raise typer.Exit(2)
    if run.state is RunState.CANCELLED:
        typer.echo(f"Stopped at {run.progress:.0%}; what is done is kept. {again}.", err=True)
        raise typer.Exit(INTERRUPTED)
    typer.echo(f"{run.problem or f'The sweep is {run.state}'}\n{again}.", err=True)
    raise typer.Exit(2)


def _write(result: "SweepResult", file: Path) -> None:
    from vaultdash.services.sweep_result import sweep_csv

    try:
        file.write_bytes(sweep_csv(result))
    except OSError as error:
        typer.echo(f"{file} cannot be written: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"Written: {file}", err=True)


def _json(run: "StoredRun", result: "SweepResult") -> str:
    from vaultdash.api.respond import encode
    from vaultdash.services.sweep_words import summary_of

    rows = [dict(zip(result.header, line, strict=True)) for line in result.table()]
    whole = {"id": run.id, "name": run.name, **summary_of(result), "results": rows}
    return encode(whole).decode()

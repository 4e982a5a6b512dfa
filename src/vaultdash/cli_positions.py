"""vault-dash portfolio options: positions held against a loan; everything heavy is imported late."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.services.vault import Vault

ACTOR = "cli"
SHOWN_REJECTS = 20
DAY = ["%Y-%m-%d"]
WithVault = Callable[["Callable[[Vault], Awaitable[Any]]"], Any]
PortfolioOption = Annotated[str | None, typer.Option("--portfolio", help="Its id; default the current one")]


def positions_app(with_vault: WithVault) -> typer.Typer:
    """The commands; `with_vault` runs work on an opened Vault and ends a command with the sentence of its error."""
    app = typer.Typer(help="Options held against a loan.", no_args_is_help=True, rich_markup_mode=None)

    @app.command("list")
    def list_(portfolio: PortfolioOption = None) -> None:
        """The positions of a portfolio, closed ones too."""

        from vaultdash.terminal_portfolios import positions_table, print_table

        async def ask(vault: "Vault") -> "Table":
            return positions_table(vault.book.named(portfolio).options)

        print_table(with_vault(ask))

    @app.command("add")
    def add(
        contract: Annotated[str, typer.Argument(help="OSI symbol, such as GLD270115P00400000")],
        contracts: Annotated[int, typer.Argument(help="How many; negative when sold (after --)")],
        price: Annotated[str, typer.Argument(help="USD a share")],
        on: Annotated[datetime | None, typer.Option(formats=DAY, help="Day of the trade; default today")] = None,
        funding: Annotated[str, typer.Option(help="What paid for it: cash, loan or sell_gold")] = "cash",
        note: str = "",
        portfolio: PortfolioOption = None,
    ) -> None:
        """Enter a position."""
        fields = {"contract": contract, "contracts": contracts, "price_paid": price, "funding": funding, "note": note}
        typer.echo(with_vault(_entering(portfolio, fields, _day(on))))

    @app.command("close")
    def close(
        option: Annotated[str, typer.Argument(help="Id of the position, or its OSI symbol when it is held once")],
        price: Annotated[str, typer.Argument(help="USD a share it was closed at")],
        on: Annotated[datetime | None, typer.Option(formats=DAY, help="Default today")] = None,
        portfolio: PortfolioOption = None,
    ) -> None:
        """Close a position."""
        typer.echo(with_vault(_closing(portfolio, option, price, _day(on))))

    @app.command("import")
    def import_(
        file: Annotated[
            Path,
            typer.Argument(
                exists=True, dir_okay=False, help="CSV with a header: contract, contracts, price_paid, opened_on"
            ),
        ],
        partial: Annotated[bool, typer.Option("--partial", help="Take the good rows though others are bad")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken")] = False,
        portfolio: PortfolioOption = None,
    ) -> None:
        """Enter the positions of a CSV file; the exit code is 1 when nothing was taken because a row is bad."""
        lines, is_refused = with_vault(_importing(portfolio, file.name, file.read_bytes(), partial, dry_run))
        for line in lines:
            typer.echo(line, err=is_refused)
        if is_refused:
            raise typer.Exit(1)

    return app


def _entering(portfolio: str | None, fields: dict[str, Any], on: date | None) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from dataclasses import replace

        from vaultdash.api.portfolio_answers import option_of_entry
        from vaultdash.api.portfolio_schemas import OptionEntry
        from vaultdash.services.position_csv import funding_of
        from vaultdash.services.typed import amount

        kept = vault.book.named(portfolio)
        funding, paid = funding_of(fields["funding"]), amount("price_paid", fields["price_paid"], fine=True)
        entry = OptionEntry(**{**fields, "funding": funding, "price_paid": paid}, opened_on=on or vault.book.today)
        option = option_of_entry(entry, None)
        await vault.book.change(kept.id, lambda now: replace(now, options=(*now.options, option)), ACTOR)
        return f"{kept.id}: {(await vault.book.changes(kept.id, 1))[0].what} (id {option.id})"

    return work


def _closing(portfolio: str | None, named: str, price: str, on: date | None) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from dataclasses import replace

        from vaultdash.domain.errors import NotFound
        from vaultdash.services.typed import amount

        kept = vault.book.named(portfolio)
        osi = named.replace(" ", "").upper()
        found = [
            option
            for option in kept.options
            if option.id == named or (option.closed_on is None and option.contract.osi.replace(" ", "") == osi)
        ]
        if len(found) != 1:
            raise NotFound(
                f"{named} names {'no position' if not found else 'several positions'} of {kept.id}; "
                "`vault-dash portfolio options list` shows their ids"
            )
        closed = replace(
            found[0], closed_on=on or vault.book.today, closed_price=amount("closed_price", price, fine=True)
        )
        await vault.book.change(
            kept.id,
            lambda now: replace(now, options=tuple(closed if one.id == closed.id else one for one in now.options)),
            ACTOR,
        )
        return f"{kept.id}: {(await vault.book.changes(kept.id, 1))[0].what}"

    return work


def _importing(
    portfolio: str | None, name: str, content: bytes, partial: bool, dry_run: bool
) -> "Callable[[Vault], Awaitable[tuple[list[str], bool]]]":
    async def work(vault: "Vault") -> tuple[list[str], bool]:
        from dataclasses import replace

        from vaultdash.services.portfolio_words import option_words
        from vaultdash.services.position_csv import csv_text, read_positions

        kept = vault.book.named(portfolio)
        found = read_positions(csv_text(content), kept, vault.book.today)
        is_refused = bool(found.rejected) and not (partial or dry_run)
        lines = [f"  note: {remark}" for remark in found.remarks]
        lines += [f"  {option_words(option)}" for option in found.options]
        lines += [
            f"  rejected line {line}: {reason}: {text}" for line, text, reason in found.rejected[:SHOWN_REJECTS]
        ]
        if len(found.rejected) > SHOWN_REJECTS:
            lines.append(f"  and {len(found.rejected) - SHOWN_REJECTS:,} more rejected rows")
        if found.options and not dry_run and not is_refused:
            await vault.book.change(kept.id, lambda now: replace(now, options=(*now.options, *found.options)), ACTOR)
        taken = "nothing was taken" if is_refused or dry_run else f"{len(found.options):,} taken"
        head = f"{name}: {len(found.options):,} good, {len(found.rejected):,} rejected; {taken}"
        return [f"{head}{' (--partial takes the good ones)' if is_refused else ''}.", *lines], is_refused

    return work


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None

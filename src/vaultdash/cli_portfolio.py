"""vault-dash portfolio: loans, their gold and their options from a terminal; everything heavy is imported late."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.domain.portfolio import Portfolio
    from vaultdash.services.vault import Vault

ACTOR = "cli"
PRICE_SECONDS = 5.0
SHOWN_REJECTS = 20
DAY = ["%Y-%m-%d"]
WithVault = Callable[["Callable[[Vault], Awaitable[Any]]"], Any]
PortfolioId = Annotated[str | None, typer.Argument(help="Id of the portfolio; default the current one")]
PortfolioOption = Annotated[str | None, typer.Option("--portfolio", help="Its id; default the current one")]
SymbolOption = Annotated[
    str | None, typer.Option(help="GLD, IAU, GLDM, SGOL (shares), XAU-OZ, XAU-G or XAU-KG (bullion)")
]
Fraction = Annotated[float | None, typer.Option(help="A fraction: 0.75 is 75 %")]
Rate = Annotated[float | None, typer.Option(help="A fraction a year: 0.045 is 4.5 %")]
Units = Annotated[float | None, typer.Option(help="Weight of the gold in its unit")]
Value = Annotated[float | None, typer.Option(help="Start value, USD; with --entry-price instead of --units")]
EntryPrice = Annotated[float | None, typer.Option(help="USD a unit; units = value / entry price")]
AsOf = Annotated[
    datetime | None, typer.Option(formats=DAY, help="The day of the loan's amount; default today for a new amount")
]


def portfolio_app(with_vault: WithVault) -> typer.Typer:
    """The commands; `with_vault` runs work on an opened Vault and ends a command with the sentence of its error."""
    app = typer.Typer(help="Loans with their gold and their options.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(_options_app(with_vault), name="options")

    @app.command("list")
    def list_() -> None:
        """All portfolios; * marks the current one."""

        from vaultdash.terminal_portfolios import portfolios_table, print_table

        async def ask(vault: "Vault") -> "Table":
            return portfolios_table(vault.book, _today(vault))

        print_table(with_vault(ask))

    @app.command("show")
    def show(portfolio: PortfolioId = None) -> None:
        """One portfolio as it is kept."""

        from vaultdash.terminal_portfolios import portfolio_lines

        async def ask(vault: "Vault") -> list[str]:
            return portfolio_lines(vault.book, _named(vault, portfolio), _today(vault))

        for line in with_vault(ask):
            typer.echo(line)

    @app.command("set")
    def set_(
        portfolio: PortfolioId = None,
        loan: Annotated[float | None, typer.Option(help="What is owed, USD")] = None,
        as_of: AsOf = None,
        symbol: SymbolOption = None,
        units: Units = None,
        value: Value = None,
        entry_price: EntryPrice = None,
        name: str | None = None,
        lender: str | None = None,
        call_ltv: Fraction = None,
        warning_ltv: Fraction = None,
        close_out_ltv: Fraction = None,
        target_ltv: Fraction = None,
        counting: Annotated[str | None, typer.Option(help="ignored, after_payment or credited")] = None,
        haircut: Fraction = None,
        cure_days: int | None = None,
        reference_rate: Rate = None,
        spread: Rate = None,
        day_count: Annotated[str | None, typer.Option(help="act/360 or act/365")] = None,
        capitalised: Annotated[
            bool | None, typer.Option("--capitalised/--paid-in-cash", help="Whether interest is added to the loan")
        ] = None,
    ) -> None:
        """Change what is given; the rest stays."""
        terms = {
            "loan_amount": loan,
            "as_of": _day(as_of),
            "name": name,
            "lender": lender,
            "margin_call_ltv": call_ltv,
            "warning_ltv": warning_ltv,
            "close_out_ltv": close_out_ltv,
            "target_ltv": target_ltv,
            "hedge_counting": counting,
            "hedge_haircut": haircut,
            "cure_days": cure_days,
            "reference_rate": reference_rate,
            "spread": spread,
            "day_count": day_count,
            "capitalised": capitalised,
        }
        typer.echo(with_vault(_setting(portfolio, terms, (symbol, units, value, entry_price))))

    @app.command("add")
    def add(
        name: Annotated[str, typer.Argument(help="Its name, from which its id is made")],
        loan: Annotated[float, typer.Option(help="What is owed, USD")],
        symbol: Annotated[str, typer.Option(help="GLD, IAU, GLDM, SGOL, XAU-OZ, XAU-G or XAU-KG")] = "GLD",
        units: Units = None,
        value: Value = None,
        entry_price: EntryPrice = None,
        lender: str | None = None,
    ) -> None:
        """Make a portfolio; the lender's terms are the usual ones until `set` changes them."""
        typer.echo(with_vault(_adding(name, loan, lender, (symbol, units, value, entry_price))))

    @app.command("remove")
    def remove(
        portfolio: Annotated[str, typer.Argument(help="Its id")],
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    ) -> None:
        """Take a portfolio out; `undo` brings it back."""
        if not yes:
            typer.confirm(f"Remove the portfolio {portfolio}?", abort=True)

        async def work(vault: "Vault") -> str:
            await vault.book.remove(portfolio, ACTOR)
            return f"{portfolio} is removed; `vault-dash portfolio undo` with the number of this change undoes it."

        typer.echo(with_vault(work))

    @app.command("changes")
    def changes(
        portfolio: Annotated[str | None, typer.Argument(help="Id; default all portfolios")] = None,
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 30,
    ) -> None:
        """The audit trail, newest first."""

        from vaultdash.terminal_portfolios import changes_table, print_table

        async def ask(vault: "Vault") -> "Table":
            return changes_table(await vault.book.changes(portfolio, limit))

        print_table(with_vault(ask))

    @app.command("undo")
    def undo(
        change: Annotated[int, typer.Argument(help="Number of the change, from `changes`")],
        yes: Annotated[bool, typer.Option("--yes", help="Also when changes made after it go, too")] = False,
    ) -> None:
        """Bring back what was before a change, as a new change."""

        async def work(vault: "Vault") -> str:
            await vault.book.undo(change, ACTOR, sure=yes)
            return (await vault.book.changes(limit=1))[0].what

        typer.echo(with_vault(work))

    @app.command("choose")
    def choose(portfolio: Annotated[str, typer.Argument(help="Its id")]) -> None:
        """Make it the one that pages and commands speak of."""

        async def work(vault: "Vault") -> str:
            await vault.book.choose(portfolio)
            return f"{vault.book.current.name} ({portfolio}) is the current portfolio."

        typer.echo(with_vault(work))

    return app


def _options_app(with_vault: WithVault) -> typer.Typer:
    app = typer.Typer(help="Options held against a loan.", no_args_is_help=True, rich_markup_mode=None)

    @app.command("list")
    def list_(portfolio: PortfolioOption = None) -> None:
        """The positions of a portfolio, closed ones too."""

        from vaultdash.terminal_portfolios import positions_table, print_table

        async def ask(vault: "Vault") -> "Table":
            return positions_table(_named(vault, portfolio).options)

        print_table(with_vault(ask))

    @app.command("add")
    def add(
        contract: Annotated[str, typer.Argument(help="OSI symbol, such as GLD270115P00400000")],
        contracts: Annotated[int, typer.Argument(help="How many; negative when sold (after --)")],
        price: Annotated[float, typer.Argument(help="USD a share")],
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
        price: Annotated[float, typer.Argument(help="USD a share it was closed at")],
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


Gold = tuple[str | None, float | None, float | None, float | None]


def _setting(portfolio: str | None, terms: dict[str, Any], gold: Gold) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from vaultdash.api.portfolio_answers import portfolio_of_entry
        from vaultdash.api.portfolio_schemas import LotEntry, PortfolioEntry
        from vaultdash.domain.errors import InvalidInput

        kept = _named(vault, portfolio)
        lots = None
        if any(part is not None for part in gold):
            if len(kept.collateral.lots) > 1:
                raise InvalidInput("units", "of a portfolio of several lots are changed on the settings page")
            symbol, units, value, price = gold
            lots = [LotEntry(symbol or kept.collateral.lots[0].symbol, None, units, price, value)]
        entry = PortfolioEntry(**_typed(terms), lots=lots)
        await _learn_price(vault, kept)
        version = vault.book.stored(kept.id).version
        await vault.book.change(kept.id, lambda now: portfolio_of_entry(entry, kept.id, now, _today(vault)), ACTOR)
        if vault.book.stored(kept.id).version == version:
            return "Nothing changed."
        return f"{kept.id}: {(await vault.book.changes(kept.id, 1))[0].what}"

    return work


def _adding(name: str, loan: float, lender: str | None, gold: Gold) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from vaultdash.api.portfolio_answers import portfolio_of_entry
        from vaultdash.api.portfolio_schemas import LotEntry, PortfolioEntry

        symbol, units, value, price = gold
        entry = PortfolioEntry(
            name=name, lender=lender, loan_amount=loan, lots=[LotEntry(symbol or "GLD", None, units, price, value)]
        )
        made = portfolio_of_entry(entry, await vault.book.free_id(name), None, _today(vault))
        await _learn_price(vault, made)
        await vault.book.add(made, ACTOR)
        return f"{made.id}: {(await vault.book.changes(made.id, 1))[0].what}"

    return work


def _entering(portfolio: str | None, fields: dict[str, Any], on: date | None) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from dataclasses import replace

        from vaultdash.api.portfolio_answers import option_of_entry
        from vaultdash.api.portfolio_schemas import OptionEntry
        from vaultdash.domain.position import PremiumFunding

        kept = _named(vault, portfolio)
        funding = _member(PremiumFunding, "funding", fields["funding"])
        entry = OptionEntry(**{**fields, "funding": funding}, opened_on=on or _today(vault))
        option = option_of_entry(entry, None)
        await vault.book.change(kept.id, lambda now: replace(now, options=(*now.options, option)), ACTOR)
        return f"{kept.id}: {(await vault.book.changes(kept.id, 1))[0].what} (id {option.id})"

    return work


def _closing(portfolio: str | None, named: str, price: float, on: date | None) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from dataclasses import replace

        from vaultdash.domain.errors import NotFound

        kept = _named(vault, portfolio)
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
        closed = replace(found[0], closed_on=on or _today(vault), closed_price=price)
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

        kept = _named(vault, portfolio)
        found = read_positions(csv_text(content), kept, _today(vault))
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


async def _learn_price(vault: "Vault", portfolio: "Portfolio") -> None:
    """Ask for the price, so that a loan above its gold is refused; without one it is entered all the same."""
    import asyncio
    from contextlib import suppress

    from vaultdash.domain.errors import VaultError

    with suppress(VaultError, TimeoutError):
        async with asyncio.timeout(PRICE_SECONDS):
            await vault.prices.latest(portfolio.collateral.quoted_by)


def _typed(terms: dict[str, Any]) -> dict[str, Any]:
    from vaultdash.domain.loan import DayCount, HedgeCounting

    counting, day_count = terms["hedge_counting"], terms["day_count"]
    return {
        **terms,
        "hedge_counting": None if counting is None else _member(HedgeCounting, "hedge_counting", counting),
        "day_count": None if day_count is None else _member(DayCount, "day_count", day_count),
    }


def _member(kind: Any, name: str, text: str) -> Any:
    from vaultdash.domain.errors import InvalidInput

    try:
        return kind(text.strip().lower())
    except ValueError:
        raise InvalidInput(name, f"must be one of {', '.join(kind)}, not {text}") from None


def _named(vault: "Vault", portfolio: str | None) -> "Portfolio":
    return vault.book.current if portfolio is None else vault.book.stored(portfolio).portfolio


def _today(vault: "Vault") -> date:
    from vaultdash.clock import NEW_YORK

    return vault.now().astimezone(NEW_YORK).date()


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None

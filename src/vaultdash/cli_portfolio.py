"""vault-dash portfolio: loans, their gold and their options from a terminal; everything heavy is imported late."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.api.portfolio_schemas import LotEntry
    from vaultdash.domain.portfolio import Portfolio
    from vaultdash.services.vault import Vault

ACTOR = "cli"
PRICE_SECONDS = 5.0
DAY = ["%Y-%m-%d"]
WithVault = Callable[["Callable[[Vault], Awaitable[Any]]"], Any]
PortfolioId = Annotated[str | None, typer.Argument(help="Id of the portfolio; default the current one")]
SymbolOption = Annotated[
    str | None, typer.Option(help="GLD, IAU, GLDM, SGOL (shares), XAU-OZ, XAU-G or XAU-KG (bullion)")
]
Fraction = Annotated[float | None, typer.Option(help="A fraction: 0.75 is 75 %")]
Rate = Annotated[float | None, typer.Option(help="A fraction a year: 0.045 is 4.5 %")]
Units = Annotated[str | None, typer.Option(help="Weight of the gold in its unit")]
Value = Annotated[str | None, typer.Option(help="Start value, USD; with --entry-price instead of --units")]
EntryPrice = Annotated[str | None, typer.Option(help="USD a unit; units = value / entry price")]
Currency = Annotated[str | None, typer.Option(help="Of the loan: USD, CHF, EUR or GBP")]
AsOf = Annotated[
    datetime | None, typer.Option(formats=DAY, help="The day of the loan's amount; default today for a new amount")
]


def portfolio_app(with_vault: WithVault) -> typer.Typer:
    """The commands; `with_vault` runs work on an opened Vault and ends a command with the sentence of its error."""
    app = typer.Typer(help="Loans with their gold and their options.", no_args_is_help=True, rich_markup_mode=None)

    @app.command("list")
    def list_() -> None:
        """All portfolios; * marks the current one."""

        from vaultdash.terminal_portfolios import portfolios_table, print_table

        async def ask(vault: "Vault") -> "tuple[Table, list[str]]":
            return portfolios_table(vault.book, vault.book.today), await _rates(vault, *vault.book.all)

        table, rates = with_vault(ask)
        print_table(table)
        for line in rates:
            typer.echo(line)

    @app.command("show")
    def show(portfolio: PortfolioId = None) -> None:
        """One portfolio as it is kept."""

        from vaultdash.terminal_portfolios import portfolio_lines

        async def ask(vault: "Vault") -> list[str]:
            kept = vault.book.named(portfolio)
            return portfolio_lines(vault.book, kept, vault.book.today, await _rates(vault, kept))

        for line in with_vault(ask):
            typer.echo(line)

    @app.command("set")
    def set_(
        portfolio: PortfolioId = None,
        loan: Annotated[str | None, typer.Option(help="What is owed, in the loan's currency")] = None,
        currency: Currency = None,
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
        """Change what is given; the rest stays, the figure of the loan, too, when only its currency is given."""
        terms = {
            "loan_amount": loan,
            "currency": currency,
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
        loan: Annotated[str, typer.Option(help="What is owed, in the loan's currency")],
        currency: Currency = None,
        symbol: Annotated[str, typer.Option(help="GLD, IAU, GLDM, SGOL, XAU-OZ, XAU-G or XAU-KG")] = "GLD",
        units: Units = None,
        value: Value = None,
        entry_price: EntryPrice = None,
        lender: str | None = None,
    ) -> None:
        """Make a portfolio; the lender's terms are the usual ones until `set` changes them."""
        terms = {"name": name, "lender": lender, "loan_amount": loan, "currency": currency}
        typer.echo(with_vault(_adding(name, terms, (symbol, units, value, entry_price))))

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


Gold = tuple[str | None, str | None, str | None, str | None]  # symbol, units, value and entry price as typed


def _setting(portfolio: str | None, terms: dict[str, Any], gold: Gold) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from vaultdash.api.portfolio_answers import portfolio_of_entry
        from vaultdash.api.portfolio_schemas import PortfolioEntry
        from vaultdash.domain.errors import InvalidInput
        from vaultdash.services.typed import as_amount

        kept = vault.book.named(portfolio)
        lots = None
        if any(part is not None for part in gold):
            if len(kept.collateral.lots) > 1:
                raise InvalidInput("units", "of a portfolio of several lots are changed on the settings page")
            lots = [_lot(gold, kept.collateral.lots[0].symbol)]
        entry = PortfolioEntry(**_typed(terms, kept.loan.currency), lots=lots)
        await _learn_prices(vault, portfolio_of_entry(entry, kept.id, kept, vault.book.today))
        version = vault.book.stored(kept.id).version
        await vault.book.change(kept.id, lambda now: portfolio_of_entry(entry, kept.id, now, vault.book.today), ACTOR)
        if vault.book.stored(kept.id).version == version:
            return "Nothing changed."
        said = f"{kept.id}: {(await vault.book.changes(kept.id, 1))[0].what}"
        was, now = kept.loan, vault.book.stored(kept.id).portfolio.loan
        if terms["loan_amount"] is None and now.currency != was.currency:
            before, after = (f"{as_amount(round(each.amount, 2))} {each.currency}" for each in (was, now))
            said += f"\n{before} is now {after}; give --loan for another amount."
        return said

    return work


def _adding(name: str, terms: dict[str, Any], gold: Gold) -> "Callable[[Vault], Awaitable[str]]":
    async def work(vault: "Vault") -> str:
        from vaultdash.api.portfolio_answers import portfolio_of_entry
        from vaultdash.api.portfolio_schemas import PortfolioEntry

        entry = PortfolioEntry(**_typed(terms, "USD"), lots=[_lot(gold, "GLD")])
        made = portfolio_of_entry(entry, await vault.book.free_id(name), None, vault.book.today)
        await _learn_prices(vault, made)
        await vault.book.add(made, ACTOR)
        return f"{made.id}: {(await vault.book.changes(made.id, 1))[0].what}"

    return work


def _lot(gold: Gold, usual: str) -> "LotEntry":
    """The gold as it was typed, read like the forms read it."""
    from vaultdash.api.portfolio_schemas import LotEntry
    from vaultdash.domain.gold import instrument
    from vaultdash.services.typed import amount, weight

    symbol, units, value, price = gold
    symbol = symbol or usual
    return LotEntry(
        symbol,
        units=None if units is None else weight("weight", units, instrument(symbol)),
        entry_price=None if price is None else amount("entry_price", price),
        start_value=None if value is None else amount("start_value", value),
    )


async def _rates(vault: "Vault", *portfolios: "Portfolio") -> list[str]:
    """What a dollar costs in the loans' other currencies, as it is known now; each in words."""
    import asyncio

    from vaultdash.domain.errors import VaultError
    from vaultdash.domain.exchange import PAIRS
    from vaultdash.services.exchange_rates import rate_words

    said = []
    for currency in dict.fromkeys(each.loan.currency for each in portfolios if each.loan.currency in PAIRS):
        try:
            async with asyncio.timeout(PRICE_SECONDS):
                said.append(rate_words(await vault.prices.latest(PAIRS[currency])))
        except (VaultError, TimeoutError) as error:
            said.append(f"What a dollar costs in {currency} is not known: {error or 'no answer in time'}")
    return said


async def _learn_prices(vault: "Vault", portfolio: "Portfolio") -> None:
    """Ask for what values it, so that a loan above its gold is refused; without it is entered all the same."""
    import asyncio
    from contextlib import suppress

    from vaultdash.domain.errors import VaultError
    from vaultdash.services.heartbeat import needed

    with suppress(VaultError, TimeoutError):
        async with asyncio.timeout(PRICE_SECONDS):
            await asyncio.gather(*(vault.prices.latest(symbol) for symbol in needed(portfolio)))


def _typed(terms: dict[str, Any], usual_currency: str) -> dict[str, Any]:
    from vaultdash.domain.loan import DayCount, HedgeCounting
    from vaultdash.services.typed import amount

    counting, day_count = terms.get("hedge_counting"), terms.get("day_count")
    loan, currency = terms["loan_amount"], (terms["currency"] or usual_currency).strip().upper()
    return {
        **terms,
        "loan_amount": None if loan is None else amount("loan_amount", loan, currency=currency),
        "currency": currency,
        "hedge_counting": None if counting is None else _member(HedgeCounting, "hedge_counting", counting),
        "day_count": None if day_count is None else _member(DayCount, "day_count", day_count),
    }


def _member(kind: Any, name: str, text: str) -> Any:
    from vaultdash.domain.errors import InvalidInput

    try:
        return kind(text.strip().lower())
    except ValueError:
        raise InvalidInput(name, f"must be one of {', '.join(kind)}, not {text}") from None


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None

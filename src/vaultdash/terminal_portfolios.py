"""How portfolios look in a terminal."""

from collections.abc import Sequence
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption
from vaultdash.domain.record import PortfolioChange
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.portfolio_words import COUNTING_WORDS, contract_words, lot_words, option_words

NUMBERS = ("loan", "call LTV", "options", "version", "contracts", "paid", "at", "change")


def portfolios_table(book: PortfolioBook, today: date) -> Table:
    """All portfolios; * marks the current one."""
    table = _table("", "id", "name", "lender", "gold", "loan", "call LTV", "options", "version")
    for each in book.all:
        table.add_row(
            "*" if each.id == book.current.id else "",
            each.id,
            each.name + (" (example)" if book.is_example and each.id == book.current.id else ""),
            each.lender,
            ", ".join(lot_words(lot) for lot in each.collateral.lots),
            f"{each.loan.owed(today):,.2f} {each.loan.currency}",
            f"{each.loan.margin_call_ltv:g}",
            str(len(each.open_options(today))),
            str(book.stored(each.id).version),
        )
    return table


def portfolio_lines(book: PortfolioBook, kept: Portfolio, today: date, rates: Sequence[str] = ()) -> list[str]:
    """One portfolio as it is kept; `rates` says what a dollar costs in the loan's currency."""
    loan, stored = kept.loan, book.stored(kept.id)
    accrued = loan.owed(today) - loan.amount
    paid = "added to the loan" if loan.interest.capitalised else "paid in cash"
    since = "" if loan.as_of is None else f" as of {loan.as_of}"
    lines = [
        f"{kept.name} ({kept.id}, version {stored.version}, changed {stored.changed_at:%Y-%m-%d %H:%M} UTC)",
        f"Lender:    {kept.lender or 'not named'}",
        *(f"Gold:      {lot_words(lot)} (entered by {lot.entry_mode})" for lot in kept.collateral.lots),
        f"Loan:      {loan.amount:,.2f} {loan.currency}{since}"
        + (f"; {accrued:,.2f} of interest since, {loan.owed(today):,.2f} owed today" if accrued else ""),
        *(f"Rate:      {words}" for words in rates),
        f"Interest:  {loan.interest.reference_rate:.2%} + {loan.interest.spread:.2%}, "
        f"{loan.interest.day_count}, {paid}",
        f"Limits:    warning {loan.warning_ltv:.1%}, call {loan.margin_call_ltv:.1%}, "
        f"close-out {loan.close_out_ltv:.1%}; {loan.cure_days} business days to cure; target {kept.target_ltv:.1%}",
        f"Hedges:    {COUNTING_WORDS[loan.hedge_counting]} by the lender, haircut {loan.hedge_haircut:.0%}",
        *(f"Option:    {option_words(option)}" for option in kept.options),
    ]
    remark = book.settings_remark
    return [*lines, f"Note:      {remark}"] if remark else lines


def changes_table(found: Sequence[PortfolioChange]) -> Table:
    """The audit trail."""
    table = _table("change", "portfolio", "when (UTC)", "by", "what")
    for each in found:
        table.add_row(str(each.id), each.portfolio_id, f"{each.at:%Y-%m-%d %H:%M}", each.actor, each.what)
    return table


def positions_table(options: Sequence[HeldOption]) -> Table:
    """Held options, closed ones too."""
    table = _table("id", "contract", "contracts", "paid", "opened", "closed", "at", "note")
    for each in options:
        table.add_row(
            each.id,
            contract_words(each),
            f"{each.contracts:,}",
            f"{each.price_paid:,.2f}",
            str(each.opened_on),
            str(each.closed_on or ""),
            "" if each.closed_price is None else f"{each.closed_price:,.2f}",
            each.note,
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in NUMBERS else "left", overflow="fold")
    return table


def print_table(table: Table) -> None:
    """On the width of the terminal; names are shown as they are."""
    console = Console()
    Console(width=console.width if console.is_terminal else 160, markup=False).print(table)

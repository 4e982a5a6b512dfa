"""What the Options and Hedge pages must know of the owner's loan."""

from vaultdash.domain.errors import VaultError
from vaultdash.domain.portfolio import price_at_ltv
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.contract_cover import ContractCover, cover
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chain_words import LoanPrices


def pledged_shares(vault: Vault) -> float:
    """The collateral in shares of the symbol that values it, today."""
    return vault.book.current.collateral.shares(vault.now().date())


def loan_prices(vault: Vault, chain: PricedChain) -> LoanPrices:
    """The prices at which the loan is called and closed out; they need no quote."""
    loan, shares, beat = vault.book.current.loan, pledged_shares(vault), vault.heartbeat.current()
    call = price_at_ltv(loan.amount, shares, loan.margin_call_ltv)
    snapshot = beat.snapshot if beat else None
    return LoanPrices(
        symbol=vault.book.symbol,
        shares=shares,
        call=call,
        close_out=price_at_ltv(loan.amount, shares, loan.close_out_ltv),
        is_called=snapshot.is_called if snapshot else chain.underlying.price <= call,
    )


def cover_or_reason(vault: Vault, chain: PricedChain, option: PricedOption) -> ContractCover | str:
    """What a contract covers of the loan, or in a sentence why that cannot be said."""
    symbol, beat = vault.book.symbol, vault.heartbeat.current()
    if chain.symbol != symbol:
        return f"Your loan is valued by {symbol}; what an option on {chain.symbol} covers of it is not measured."
    if beat is None or beat.snapshot is None:
        return "The loan has no price yet, so what this covers of it is not known."
    try:
        return cover(chain, option, beat.snapshot)
    except VaultError as error:
        return f"{error}."

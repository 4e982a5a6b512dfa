"""What the Options and Hedge pages must know of the owner's loan."""

import math

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import Unavailable, VaultError
from vaultdash.domain.exchange import PAIRS, ExchangeRate
from vaultdash.domain.portfolio import price_at_ltv
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.contract_cover import ContractCover, cover
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chain_words import LoanPrices
from vaultdash.ui.components.greeks_table import Moves
from vaultdash.ui.components.held_card import held_moves


def pledged_shares(vault: Vault) -> float:
    """The collateral in shares of the symbol that values it, today."""
    return vault.book.current.collateral.shares(vault.now().date())


def moves_held(vault: Vault) -> list[Moves]:
    """How the options held against the current portfolio move, as one part; none when nothing is held."""
    beat = vault.heartbeat.current()
    return held_moves(beat.snapshot.hedge if beat is not None and beat.snapshot is not None else None)


def loan_prices(vault: Vault, chain: PricedChain) -> LoanPrices:
    """The prices at which the loan is called and closed out; they need no quote, but the exchange rate."""
    today = vault.now().astimezone(NEW_YORK).date()
    shares, beat = pledged_shares(vault), vault.heartbeat.current()
    try:
        loan = vault.book.in_dollars(today).loan
        rate = vault.book.rates.of(vault.book.current.loan.currency)
        if rate.is_demo and vault.market != "demo":
            raise Unavailable(f"What a dollar costs in {rate.currency} is invented (DEMO)")
    except Unavailable as error:
        return LoanPrices("", shares, math.nan, math.nan, is_called=False, unknown=str(error))
    call = price_at_ltv(loan.amount, shares, loan.margin_call_ltv)
    snapshot = beat.snapshot if beat else None
    return LoanPrices(
        symbol=vault.book.symbol,
        shares=shares,
        call=call,
        close_out=price_at_ltv(loan.amount, shares, loan.close_out_ltv),
        is_called=snapshot.is_called if snapshot else chain.underlying.price <= call,
        counting=loan.hedge_counting,
        doubt=_doubt(vault, rate),
    )


def _doubt(vault: Vault, rate: ExchangeRate) -> str:
    """`an exchange rate 2 hours old`; empty while the rate is current, and for a loan in dollars."""
    if rate.is_dollar:
        return ""
    known = vault.known_status(PAIRS[rate.currency])
    if known is None:
        return "an old exchange rate"
    return f"an exchange rate {known.age_words} old" if known.is_stale else ""


def cover_or_reason(vault: Vault, chain: PricedChain, option: PricedOption) -> ContractCover | str:
    """What a contract covers of the loan, or in a sentence why that cannot be said."""
    symbol = vault.book.symbol
    if chain.symbol != symbol:
        return f"Your loan is valued by {symbol}; what an option on {chain.symbol} covers of it is not measured."
    try:
        # At the price that belongs to the quotes: the header's may be of another moment, or invented.
        spot = chain.underlying
        snapshot = vault.book.mark(vault.book.current, spot.price, spot.at.astimezone(NEW_YORK).date())
        return cover(chain, option, snapshot)
    except VaultError as error:
        return f"{error}."

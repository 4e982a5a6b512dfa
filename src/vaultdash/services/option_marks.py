"""One held option at a moment: its quote, else a model price, else what exercise pays."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from vaultdash.domain.errors import VaultError
from vaultdash.domain.market import Quote
from vaultdash.domain.option import expiry_at, payoff, years_to_expiry
from vaultdash.domain.position import HeldOption, MarkBasis, OptionMark
from vaultdash.pricing.american import american
from vaultdash.pricing.base import Valuation
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.surface import VolatilitySurface
from vaultdash.services.chain_pricing import DAYS_PER_YEAR, POINTS, PricedChain, PricedOption

SAME_SPOT = 1e-4  # of the price: share and options were quoted together
EXECUTABLE = {"wide_spread", "locked"}  # a quote against which nothing else speaks can be traded, if dearly


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of the options of a symbol: its priced chains, the surface through them, and what failed."""

    chains: tuple[PricedChain, ...]
    surface: VolatilitySurface | None
    problem: str | None = None

    def chain_of(self, held: HeldOption) -> PricedChain | None:
        """The chain of the contract's expiration."""
        return next((chain for chain in self.chains if chain.expiration == held.contract.expiration), None)


def option_mark(held: HeldOption, quote: Quote, loaded: Loaded, now: datetime) -> OptionMark:
    """A position at a price of the share.

    Bid when held, ask when sold, of a quote that can be believed and was made at this price of the share. At another
    price that quote is carried along by the model, at the contract's own volatility: price = side + V(S) - V(S0).
    Without such a quote the model's price at the surface's volatility, without a surface what exercise pays; what is
    owed on a sold option is never less than that. After 16:00 New York of its last day it is worth its exercise.
    """
    contract = held.contract
    if expiry_at(contract.expiration) <= now:
        return _exercised(held, quote)
    chain = loaded.chain_of(held)
    option = None if chain is None else _listed(chain, held)
    try:
        if chain is not None and option is not None and _is_executable(option):
            return _quoted(held, quote, loaded, chain, option)
        if loaded.chains:
            return _modelled(held, quote, loaded, chain, option)
    except VaultError as error:  # the model does not reach this contract
        return _intrinsic(held, quote, f"no model price ({error}); counted at what exercise pays")
    why = loaded.problem or "its chain is not loaded yet"
    return _intrinsic(held, quote, f"{why}; counted at what exercise pays")


def _listed(chain: PricedChain, held: HeldOption) -> PricedOption | None:
    wanted = held.contract
    return next((option for option in chain.options if option.quote.contract == wanted), None)


def _is_executable(option: PricedOption) -> bool:
    quote = option.quote
    return (quote.bid or 0.0) > 0 and (quote.ask or 0.0) > 0 and set(option.reasons) <= EXECUTABLE


def _quoted(held: HeldOption, quote: Quote, loaded: Loaded, chain: PricedChain, option: PricedOption) -> OptionMark:
    bid, ask = option.quote.bid or 0.0, option.quote.ask or 0.0
    then = chain.underlying.price
    if abs(quote.price / then - 1.0) <= SAME_SPOT:
        return OptionMark(
            held=held,
            basis=MarkBasis.QUOTE,
            price=bid if held.contracts > 0 else ask,
            mid=0.5 * (bid + ask),
            at=chain.at,
            source=chain.source,
            is_stale=chain.is_stale,
            problem=_age(chain, loaded) if chain.is_stale else None,
            implied_volatility=option.implied_volatility or option.surface_volatility,
            delta=option.delta,
            gamma=option.gamma,
            vega=option.vega,
            theta=option.theta,
        )
    own = option.implied_volatility if option.greeks_from == "mid" else option.surface_volatility
    told = f"quoted when {quote.symbol} stood at {then:,.2f}; carried to {quote.price:,.2f} by its own volatility"
    if own is None:
        return _intrinsic(
            held, quote, f"quoted when {quote.symbol} stood at {then:,.2f}, and nothing tells its volatility"
        )
    carried = _value(held, chain, quote, own)
    before = _value(held, chain, chain.underlying, own)
    moved = float(carried.price) - float(before.price)
    side = bid if held.contracts > 0 else ask
    return _of_model(
        held,
        quote,
        chain,
        carried,
        price=side + moved,
        mid=0.5 * (bid + ask) + moved,
        volatility=own,
        problem=f"{_age(chain, loaded)}; {told}" if chain.is_stale else told,
    )


def _modelled(
    held: HeldOption, quote: Quote, loaded: Loaded, chain: PricedChain | None, option: PricedOption | None
) -> OptionMark:
    contract = held.contract
    years = years_to_expiry(contract.expiration, quote.at)
    known = chain or min(loaded.chains, key=lambda other: abs(other.years - years))
    volatility = None if option is None else option.surface_volatility
    if volatility is None and loaded.surface is not None:
        volatility = float(loaded.surface.volatility(contract.strike, years))
    if option is not None:
        why = f"no quote that can be believed ({', '.join(option.reasons).replace('_', ' ') or 'nobody bids'})"
    elif chain is not None:
        why = f"not in the chain of {contract.expiration}"
    else:
        why = loaded.problem or f"the chain of {contract.expiration} is not loaded yet"
    if volatility is None or not math.isfinite(volatility):
        return _intrinsic(held, quote, f"{why} and no surface; counted at what exercise pays")
    value = _value(held, known, quote, volatility)
    price = float(value.price)
    told = f"{why}; model price from the volatility surface"
    return _of_model(
        held,
        quote,
        known,
        value,
        price=price,
        mid=price,
        volatility=volatility,
        problem=f"{_age(known, loaded)}; {told}" if known.is_stale else told,
    )


def _value(held: HeldOption, chain: PricedChain, quote: Quote, volatility: float) -> Valuation:
    """The model at a price of the share, which is moved by as much as parity moved the chain's own."""
    rate, carry = chain.rate.value, chain.effective_yield
    believed = chain.forward * math.exp(-(rate - carry) * chain.years)
    engine: Engine = "kernel" if chain.engine == "kernel" else "reference"
    return american(
        believed * quote.price / chain.underlying.price,
        held.contract.strike,
        years_to_expiry(held.contract.expiration, quote.at),
        rate,
        carry,
        volatility,
        held.contract.right.value,
        engine=engine,
    )


def _of_model(
    held: HeldOption,
    quote: Quote,
    chain: PricedChain,
    value: Valuation,
    *,
    price: float,
    mid: float,
    volatility: float,
    problem: str,
) -> OptionMark:
    least = _exercise(held, quote) if held.contracts < 0 else 0.0
    greeks = [float(np.asarray(greek)) for greek in (value.delta, value.gamma, value.vega, value.theta)]
    return OptionMark(
        held=held,
        basis=MarkBasis.MODEL,
        price=max(price, least),
        mid=max(mid, 0.0),
        at=chain.at,
        source=f"model on {chain.source}",
        is_stale=chain.is_stale,
        problem=problem,
        implied_volatility=volatility,
        delta=greeks[0],
        gamma=greeks[1],
        vega=greeks[2] / POINTS,
        theta=greeks[3] / DAYS_PER_YEAR,
    )


def _intrinsic(held: HeldOption, quote: Quote, problem: str) -> OptionMark:
    return OptionMark(
        held, MarkBasis.INTRINSIC, _exercise(held, quote), None, quote.at, "exercise value", problem=problem
    )


def _exercised(held: HeldOption, quote: Quote) -> OptionMark:
    value = _exercise(held, quote)
    source = "exercise value at expiration"
    return OptionMark(
        held, MarkBasis.INTRINSIC, value, value, quote.at, source, delta=0.0, gamma=0.0, vega=0.0, theta=0.0
    )


def _exercise(held: HeldOption, quote: Quote) -> float:
    return payoff(held.contract.right, held.contract.strike, quote.price)


def _age(chain: PricedChain, loaded: Loaded) -> str:
    return f"its quotes are of {chain.at:%H:%M on %-d %b} UTC" + (f" ({loaded.problem})" if loaded.problem else "")

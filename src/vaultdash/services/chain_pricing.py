"""A chain priced: forward by parity, own volatility and Greeks for each contract, and the surface through them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.market import Freshness, MarketState, Quote
from vaultdash.domain.option import DollarRate, OptionChain, OptionQuote, Right, years_to_expiry
from vaultdash.pricing.american import american
from vaultdash.pricing.base import FloatArray, Valuation
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.european import european
from vaultdash.pricing.implied import implied_volatility
from vaultdash.pricing.parity import SPOT_ERROR, ParityForward, pairs_of, parity_forward
from vaultdash.pricing.quote_filter import Reason, filter_quotes, two_sided
from vaultdash.pricing.smile import SmileQuotes, smile_quotes
from vaultdash.pricing.surface import VolatilitySurface, fit_surface

DAYS_PER_YEAR = 365
POINTS = 100  # volatility points in 1.00
WIDEST_VOLATILITY = 0.05
CLOSING_SPOT_ERROR = 0.001  # of spot: how far apart share and options are quoted at a close
UNCERTAIN = Reason.WIDE_SPREAD | Reason.LOCKED  # still gives a volatility, if an uncertain one


@dataclass(frozen=True, slots=True)
class PricedOption:
    """A quote with our own numbers; None where an honest number cannot be had.

    `reasons` say why the quote is not used for forwards, surface and hedges; empty when it is. `moneyness` is
    K/S - 1. `iv_status` is ok, no_quote, below_intrinsic, above_bound, not_determined or no_converge.
    Greeks per share in trading units: delta per 1 USD, gamma per USD^2, vega per volatility point (0.01), theta per
    calendar day. `greeks_from` is `mid` when they stand on the own implied volatility, `surface` when they stand on
    the volatility `surface_volatility` of the smile fitted through the neighbours.
    """

    quote: OptionQuote
    moneyness: float
    mid: float | None
    spread_pct: float | None
    reasons: tuple[str, ...]
    implied_volatility: float | None
    iv_status: str
    surface_volatility: float | None
    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None
    greeks_from: str | None

    @property
    def is_usable(self) -> bool:
        """True when nothing speaks against the quote."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class PricedChain:
    """One expiration: every contract priced, and what that stands on.

    `forward` USD and `effective_yield` (continuous, a year) by put-call parity when `yield_basis` is `parity`, else
    assumed. `years` to 16:00 New York of expiry. `filtered` counts quotes that are not used by reason, `left_out`
    contracts that are not shown at all. `problem` says why nothing newer could be had. `engine` is `kernel`, or
    `reference` while the compiled kernels warm up. `yield_remark` says why a yield is assumed; `smile` is what the
    surface is fitted to, None after expiry.
    """

    symbol: str
    expiration: date
    days_to_expiry: int
    years: float
    underlying: Quote
    at: datetime
    source: str
    age_seconds: float
    freshness: Freshness
    problem: str | None
    rate: DollarRate
    forward: float
    effective_yield: float
    yield_basis: str
    parity_pairs: int
    options: tuple[PricedOption, ...]
    filtered: Mapping[str, int]
    left_out: Mapping[str, int]
    engine: str
    yield_remark: str = ""
    smile: SmileQuotes | None = None

    @property
    def is_demo(self) -> bool:
        """True when the quotes are invented."""
        return self.underlying.is_demo

    @property
    def is_stale(self) -> bool:
        """True when newer quotes are missing."""
        return self.freshness is Freshness.STALE


def price_chain(chain: OptionChain, rate: DollarRate, engine: Engine) -> PricedChain:
    """Every contract of an expiration with our own numbers, as of the underlying's price that came with it.

    The quotes belong to the moment of that price: after the close both are the session's last. A volatility is only
    found from a mid that nothing but its spread or a lock speaks against. Ages are not filled.
    """
    years = years_to_expiry(chain.expiration, chain.underlying.at)
    columns = _columns(chain.quotes)
    spot = chain.underlying.price
    both = two_sided(columns.bid, columns.ask)
    pairs = pairs_of(columns.strike, columns.sign, columns.bid, columns.ask, both)
    is_close = chain.underlying.market_state is MarketState.CLOSED  # share and options are of the same moment then
    parity = parity_forward(
        pairs.strike,
        pairs.call_mid,
        pairs.put_mid,
        spot,
        years,
        rate.value,
        pairs.spread,
        engine,
        CLOSING_SPOT_ERROR if is_close else SPOT_ERROR,
    )
    carry = parity.effective_yield
    found = filter_quotes(
        columns.bid, columns.ask, columns.strike, columns.sign, parity.spot, years, rate.value, carry
    )
    market = (parity.spot, columns.strike, years, rate.value, parity.effective_yield)
    believed = (found.reasons & ~np.int64(UNCERTAIN)) == 0
    mid = np.where(believed, 0.5 * (columns.bid + columns.ask), np.nan)
    volatility, status = implied_volatility(mid, *market, columns.right, engine=engine)
    smile = _smile(chain, years, rate, parity, columns, found.usable, engine)
    fitted = _fitted(smile, columns.strike, years)
    is_sure = found.usable & _tells_volatility(columns, fitted, market, engine)
    use_own = np.isfinite(volatility) & (is_sure | ~np.isfinite(fitted))
    greeks = _greeks(np.where(use_own, volatility, fitted), market, columns.right, engine)
    words = found.words
    return PricedChain(
        symbol=chain.symbol,
        expiration=chain.expiration,
        days_to_expiry=(chain.expiration - chain.underlying.at.astimezone(NEW_YORK).date()).days,
        years=years,
        underlying=chain.underlying,
        at=chain.at,
        source=chain.source,
        age_seconds=0.0,
        freshness=Freshness.LIVE,
        problem=None,
        rate=rate,
        forward=parity.forward,
        effective_yield=parity.effective_yield,
        yield_basis=parity.basis,
        parity_pairs=parity.pairs,
        options=_options(chain, words, volatility, status, fitted, greeks, use_own),
        filtered=dict(Counter(word for row in words for word in row).most_common()),
        left_out=dict(chain.left_out),
        engine=engine,
        yield_remark=parity.remark,
        smile=smile,
    )


def surface_of(chains: Sequence[PricedChain]) -> VolatilitySurface | None:
    """The surface through the usable out-of-the-money quotes of several expirations; None when there are none."""
    return _surface([chain.smile for chain in chains if chain.smile is not None])


class _Columns(NamedTuple):
    """Bid, ask and strike in USD, NaN where there is none; C or P."""

    bid: FloatArray
    ask: FloatArray
    strike: FloatArray
    right: npt.NDArray[np.str_]

    @property
    def sign(self) -> FloatArray:
        """+1 for a call, -1 for a put."""
        return np.where(self.right == Right.CALL.value, 1.0, -1.0)


def _columns(quotes: Sequence[OptionQuote]) -> _Columns:
    return _Columns(
        np.array([np.nan if quote.bid is None else quote.bid for quote in quotes], dtype=np.float64),
        np.array([np.nan if quote.ask is None else quote.ask for quote in quotes], dtype=np.float64),
        np.array([quote.contract.strike for quote in quotes], dtype=np.float64),
        np.array([quote.contract.right.value for quote in quotes], dtype="U1"),
    )


def _smile(
    chain: OptionChain,
    years: float,
    rate: DollarRate,
    parity: ParityForward,
    columns: _Columns,
    usable: npt.NDArray[np.bool_],
    engine: Engine,
) -> SmileQuotes | None:
    if years <= 0:
        return None
    return smile_quotes(
        chain.expiration,
        years,
        rate.value,
        parity,
        columns.strike,
        columns.sign,
        columns.bid,
        columns.ask,
        usable,
        engine,
    )


def _fitted(smile: SmileQuotes | None, strike: FloatArray, years: float) -> FloatArray:
    """The volatility of the expiration's own smile at each strike; NaN without one."""
    surface = None if smile is None else _surface([smile])
    return np.full(strike.shape, np.nan) if surface is None else surface.volatility(strike, years)


def _tells_volatility(
    columns: _Columns, fitted: FloatArray, market: tuple[float, FloatArray, float, float, float], engine: Engine
) -> npt.NDArray[np.bool_]:
    """True where bid and ask lie less than 5 volatility points apart: deep in the money they say almost nothing."""
    known = np.isfinite(fitted)
    vega = european(*market, np.where(known, fitted, 1.0), columns.right, engine=engine).vega
    return np.asarray(known & (columns.ask - columns.bid < WIDEST_VOLATILITY * vega), dtype=np.bool_)


def _surface(smiles: Sequence[SmileQuotes]) -> VolatilitySurface | None:
    try:
        return fit_surface(smiles) if smiles else None
    except (Refused, InvalidInput):  # not one usable quote, or two chains of one expiration
        return None


def _greeks(
    volatility: FloatArray,
    market: tuple[float, FloatArray, float, float, float],
    right: npt.NDArray[np.str_],
    engine: Engine,
) -> Valuation:
    """In trading units; NaN where there is no volatility."""
    known = np.isfinite(volatility)
    value = american(*market, np.where(known, volatility, 1.0), right, engine=engine)

    def told(greek: FloatArray, units: float = 1.0) -> FloatArray:
        return np.where(known, greek / units, np.nan)

    return Valuation(
        told(value.price),
        told(value.delta),
        told(value.gamma),
        told(value.vega, POINTS),
        told(value.theta, DAYS_PER_YEAR),
        value.rho,
    )


def _options(
    chain: OptionChain,
    words: Sequence[tuple[str, ...]],
    volatility: FloatArray,
    status: npt.NDArray[np.str_],
    fitted: FloatArray,
    greeks: Valuation,
    use_own: npt.NDArray[np.bool_],
) -> tuple[PricedOption, ...]:
    spot = chain.underlying.price
    columns = (volatility, fitted, greeks.delta, greeks.gamma, greeks.vega, greeks.theta)
    known = [[value if value == value else None for value in column.tolist()] for column in columns]  # NaN is none
    rows = zip(chain.quotes, words, status.tolist(), use_own.tolist(), *known, strict=True)
    return tuple(
        PricedOption(
            quote=quote,
            moneyness=quote.contract.strike / spot - 1.0,
            mid=quote.mid,
            spread_pct=None if quote.mid is None or quote.spread is None else quote.spread / quote.mid,
            reasons=reasons,
            implied_volatility=own,
            iv_status=word,
            surface_volatility=smile,
            delta=delta,
            gamma=gamma,
            vega=vega,
            theta=theta,
            greeks_from=None if delta is None else "mid" if is_own else "surface",
        )
        for quote, reasons, word, is_own, own, smile, delta, gamma, vega, theta in rows
    )

"""Implied volatility at any strike and time, from the smiles of the expiries that are quoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import numpy as np

from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.pricing.base import FloatArray, Numbers
from vaultdash.pricing.smile import SmileQuotes
from vaultdash.pricing.ssvi import calibrate_ssvi
from vaultdash.pricing.svi import LEAST_QUOTES, TOLERANCE, SviParameters, calibrate_svi, without_butterflies

CALENDAR_POINTS = 161
LEAST_CROSSING = 1e-4  # of volatility: a hundredth of a point is rounding


class SmileModel(StrEnum):
    """Where a slice of a surface is from."""

    SVI = "svi"  # its own quotes
    SSVI = "ssvi"  # one shape for all expiries, its own level
    NEIGHBOUR = "neighbour"  # it has no quotes: between the slices around it
    FLAT = "flat"  # too few quotes anywhere: their mean


@dataclass(frozen=True, slots=True)
class SmileFit:
    """One expiry of a surface. Errors are model less quote, volatilities as fractions (0.01 is a point).

    `rms_error` and `max_error` are over the `quotes` used, `rms_spreads` and `max_spreads` the same in units of each
    quote's spread; NaN without quotes. `quoted` are the lowest and highest k = ln(K/F) of its quotes (0, 0 without),
    `range` those within which its smile is used; beyond them the volatility stays. `least_g` is the lowest value of
    Durrleman's function for k from -1.5 to 1.5, at `least_g_at`: below zero there is a butterfly. A neighbour has no
    parameters.
    """

    expiration: date
    years: float
    forward: float
    rate: float
    dividend_yield: float
    model: SmileModel
    parameters: SviParameters | None
    quotes: int
    rms_error: float
    max_error: float
    rms_spreads: float
    max_spreads: float
    quoted: tuple[float, float]
    range: tuple[float, float]
    least_g: float
    least_g_at: float

    @property
    def is_sparse(self) -> bool:
        """True with fewer than 5 good quotes."""
        return self.quotes < LEAST_QUOTES

    @property
    def has_butterfly(self) -> bool:
        """True when the smile implies a negative probability somewhere."""
        return self.least_g < -TOLERANCE


@dataclass(frozen=True, slots=True)
class CalendarViolation:
    """Total variance falls from one expiry to the next: by most at `k`, `amount` of the later one's volatility.

    It does so for k from `lowest` to `highest`, not necessarily everywhere between. `is_quoted` when both expiries
    are quoted at some such k; `k` and `amount` are then the worst of those. Otherwise it lies where one of them is
    only extrapolated.
    """

    sooner: date
    later: date
    k: float
    amount: float
    lowest: float
    highest: float
    is_quoted: bool


@dataclass(frozen=True, slots=True, eq=False)
class SmileResiduals:
    """Model less quote by strike (USD): in volatility (a fraction), and in units of the quote's own spread."""

    strike: FloatArray
    volatility: FloatArray
    spreads: FloatArray


@dataclass(frozen=True)
class VolatilitySurface:
    """The fitted `slices` by time, every expiry given, and where total variance falls with time."""

    slices: tuple[SmileFit, ...]
    calendar: tuple[CalendarViolation, ...]

    def forward(self, years: Numbers) -> FloatArray:
        """The forward at `years`, USD: ln F linear in time, beyond first and last expiry at their own carry."""
        at = _times(years)
        first, last = self.slices[0], self.slices[-1]
        times = np.array([fit.years for fit in self.slices])
        inside = np.interp(at, times, np.log([fit.forward for fit in self.slices]))
        before = np.minimum(at - first.years, 0.0) * (first.rate - first.dividend_yield)
        after = np.maximum(at - last.years, 0.0) * (last.rate - last.dividend_yield)
        return np.asarray(np.exp(inside + before + after))

    def volatility(self, strike: Numbers, years: Numbers) -> FloatArray:
        """Implied volatility per sqrt(year) at `strike` USD and `years`, by broadcasting.

        Total variance is linear in time at fixed k = ln(K/F); before the first and after the last expiry the
        volatility at k is theirs. Beyond an expiry's last quotes its volatility stays as it is there. Raises
        InvalidInput for strikes not above zero and times below zero.
        """
        strikes, at = np.asarray(strike, dtype=np.float64), _times(years)
        if not (np.isfinite(strikes) & (strikes > 0)).all():
            raise InvalidInput("strike", "must be finite and above zero everywhere")
        k, at = np.broadcast_arrays(np.log(strikes / self.forward(at)), at)
        return np.sqrt(self.variance_rate(k, at))

    def variance_rate(self, k: Numbers, years: Numbers) -> FloatArray:
        """Total variance over time, sigma^2, at k = ln(K/F) and `years`, by broadcasting."""
        ks, at = np.broadcast_arrays(np.asarray(k, dtype=np.float64), _times(years))
        nodes = self._nodes
        inside = np.clip(at, nodes.years[0], nodes.years[-1])
        later = np.clip(np.searchsorted(nodes.years, inside), 1, None) if len(nodes.years) > 1 else np.zeros_like(at)
        later = later.astype(np.intp)
        sooner = np.maximum(later - 1, 0)
        gap = nodes.years[later] - nodes.years[sooner]
        share = np.where(gap > 0, (inside - nodes.years[sooner]) / np.where(gap > 0, gap, 1.0), 1.0)
        total = (1.0 - share) * nodes.total_variance(ks, sooner) + share * nodes.total_variance(ks, later)
        return np.asarray(np.maximum(total, 0.0) / inside)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the owner should know, in sentences; none when each expiry has a sound smile of its own."""
        found = []
        for fit in self.slices:
            if fit.model is SmileModel.NEIGHBOUR:
                found.append(
                    f"{fit.expiration}: no usable quote; its volatility is taken from the expiries around it."
                )
            elif fit.model is SmileModel.FLAT:
                found.append(f"{fit.expiration}: too few quotes for a smile; one volatility is used for all strikes.")
            elif fit.is_sparse:
                good = _counted(fit.quotes, "good quote")
                found.append(f"{fit.expiration}: only {good}; the smile's shape is that of all expiries.")
            elif fit.model is SmileModel.SSVI:
                found.append(f"{fit.expiration}: its quotes allow no sound smile; the shape of all expiries is used.")
            if fit.has_butterfly:
                found.append(
                    f"{fit.expiration}: the smile implies a negative probability near k = {fit.least_g_at:.2f}."
                )
        found.extend(
            f"{crossing.later} is below {crossing.sooner} near k = {crossing.k:.2f}, by up to "
            f"{100 * crossing.amount:.2f} volatility points."
            for crossing in self.calendar
            if crossing.is_quoted
        )
        beyond = [crossing for crossing in self.calendar if not crossing.is_quoted]
        if beyond:
            most = max(beyond, key=lambda crossing: crossing.amount)
            found.append(
                f"{_counted(len(beyond), 'pair')} of expiries cross where one of them is not quoted, by up to "
                f"{100 * most.amount:.2f} volatility points ({most.later} near k = {most.k:.2f})."
            )
        return tuple(found)

    @property
    def sentence(self) -> str:
        """The surface in one sentence."""
        own = sum(fit.model is SmileModel.SVI for fit in self.slices)
        quoted = [fit for fit in self.slices if fit.quotes]
        rms = float(np.sqrt(np.average([f.rms_error**2 for f in quoted], weights=[f.quotes for f in quoted])))
        return (
            f"{own} of {_counted(len(self.slices), 'expiry')} with a smile of their own, fitted to "
            f"{sum(fit.quotes for fit in quoted)} quotes within {100 * rms:.2f} volatility points (rms); "
            f"{_counted(sum(fit.has_butterfly for fit in self.slices), 'butterfly')}, "
            f"{_counted(sum(crossing.is_quoted for crossing in self.calendar), 'calendar violation')} among quotes."
        )

    @cached_property
    def _nodes(self) -> "_Nodes":
        return _Nodes.of(self.slices)


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """The slices that have parameters, as arrays."""

    years: FloatArray
    parameters: FloatArray  # a, b, rho, m, s by slice
    lowest: FloatArray
    highest: FloatArray

    @classmethod
    def of(cls, slices: Sequence[SmileFit]) -> "_Nodes":
        fits = [(fit, fit.parameters) for fit in slices if fit.parameters is not None]
        return cls(
            np.array([fit.years for fit, _ in fits]),
            np.array([(p.a, p.b, p.rho, p.m, p.s) for _, p in fits]),
            np.array([fit.range[0] for fit, _ in fits]),
            np.array([fit.range[1] for fit, _ in fits]),
        )

    def total_variance(self, k: FloatArray, row: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]") -> FloatArray:
        a, b, rho, m, s = np.moveaxis(self.parameters[row], -1, 0)
        x = np.clip(k, self.lowest[row], self.highest[row]) - m
        return np.asarray(a + b * (rho * x + np.sqrt(x * x + s * s)))


def fit_surface(slices: Sequence[SmileQuotes]) -> VolatilitySurface:
    """Fit a smile to each expiry's quotes and join them; one expiry alone will do.

    An expiry with at least 5 good quotes on both sides of the forward gets a raw SVI of its own, refitted when it
    holds a butterfly. One with fewer, or whose butterflies do not go, takes its level from its own quotes and its
    shape from an SSVI through all expiries (`ssvi`); when all together have fewer than 5, their weighted mean
    (`flat`). One without quotes is read off its neighbours. An expiry counts as quoted as far as any sooner one (in
    more time the share gets at least as far, and total variance must not fall), a sparse one as far as the nearest
    that is not sparse.

    Raises InvalidInput when an expiry is given twice, and Refused when there is no quote at all.
    """
    ordered = sorted(slices, key=lambda quotes: quotes.years)
    for sooner, later in pairwise(ordered):
        if sooner.years == later.years or sooner.expiration == later.expiration:
            raise InvalidInput("slices", f"give the expiry {later.expiration} twice")
    quoted = [quotes for quotes in ordered if len(quotes.strike)]
    if not quoted:
        raise Refused("No expiry has a usable quote, so there is no volatility surface; wait for a fuller chain.")
    smiles = _smiles(quoted)
    ranges = _ranges(ordered)
    fits = tuple(
        _fit(quotes, *smiles.get(quotes.expiration, (SmileModel.NEIGHBOUR, None)), ranges[quotes.expiration])
        for quotes in ordered
    )
    return VolatilitySurface(fits, _calendar(fits))


def residuals(surface: VolatilitySurface, quotes: SmileQuotes) -> SmileResiduals:
    """How far the surface is from quotes, which need not be those it was fitted to."""
    model = surface.volatility(quotes.strike, quotes.years)
    return _residuals(model, quotes)


def _residuals(model: FloatArray, quotes: SmileQuotes) -> SmileResiduals:
    off = model - quotes.implied_volatility
    return SmileResiduals(quotes.strike, off, off * quotes.weight)


def _smiles(quoted: Sequence[SmileQuotes]) -> dict[date, tuple[SmileModel, SviParameters | None]]:
    own = {quotes.expiration: _own_smile(quotes) for quotes in quoted}
    if all(parameters is not None for parameters in own.values()):
        return {day: (SmileModel.SVI, parameters) for day, parameters in own.items()}
    if sum(len(quotes.strike) for quotes in quoted) < LEAST_QUOTES:
        return {quotes.expiration: (SmileModel.FLAT, _flat(quotes)) for quotes in quoted}
    shape = calibrate_ssvi(
        [quotes.log_moneyness for quotes in quoted],
        [quotes.total_variance for quotes in quoted],
        [quotes.variance_weight for quotes in quoted],
    )
    found: dict[date, tuple[SmileModel, SviParameters | None]] = {}
    for quotes, common in zip(quoted, shape.slices, strict=True):
        parameters = own[quotes.expiration]
        found[quotes.expiration] = (SmileModel.SSVI, common) if parameters is None else (SmileModel.SVI, parameters)
    return found


def _own_smile(quotes: SmileQuotes) -> SviParameters | None:
    k, w, weight = quotes.log_moneyness, quotes.total_variance, quotes.variance_weight
    if len(np.unique(k)) < LEAST_QUOTES or not k.min() < 0 < k.max():
        return None
    found = calibrate_svi(k, w, weight)
    if found.worst_butterfly()[0] >= -TOLERANCE:
        return found
    return without_butterflies(found, k, w, weight)


def _flat(quotes: SmileQuotes) -> SviParameters:
    mean = float(np.average(quotes.implied_volatility, weights=quotes.weight))
    return SviParameters(mean * mean * quotes.years, 0.0, 0.0, 0.0, 1.0)


def _ranges(ordered: Sequence[SmileQuotes]) -> dict[date, tuple[float, float]]:
    """The k within which each expiry counts as quoted: as far as it is itself, or any sooner one."""
    full = [quotes for quotes in ordered if len(quotes.strike) >= LEAST_QUOTES]
    found = {}
    before = np.zeros(0)
    for quotes in ordered:
        k = np.append(before, quotes.log_moneyness)
        if len(quotes.strike) < LEAST_QUOTES and full:
            nearest = min(full, key=lambda other: abs(other.years - quotes.years))
            k = np.append(k, nearest.log_moneyness)
        found[quotes.expiration] = (float(k.min()), float(k.max())) if len(k) else (0.0, 0.0)
        if len(quotes.strike):
            before = np.array(found[quotes.expiration])
    return found


def _fit(
    quotes: SmileQuotes, model: SmileModel, parameters: SviParameters | None, used: tuple[float, float]
) -> SmileFit:
    count = len(quotes.strike)
    rms = most = rms_spreads = most_spreads = least_g = least_g_at = float("nan")
    if parameters is not None:
        volatility = np.sqrt(np.maximum(parameters.total_variance(quotes.log_moneyness), 0.0) / quotes.years)
        off = _residuals(volatility, quotes)
        rms, most = _rms(off.volatility), float(np.abs(off.volatility).max())
        rms_spreads, most_spreads = _rms(off.spreads), float(np.abs(off.spreads).max())
        least_g, least_g_at = parameters.worst_butterfly()
    market = (quotes.expiration, quotes.years, quotes.forward, quotes.rate, quotes.dividend_yield)
    errors = (rms, most, rms_spreads, most_spreads)
    k = quotes.log_moneyness
    quoted = (float(k.min()), float(k.max())) if count else (0.0, 0.0)
    return SmileFit(*market, model, parameters, count, *errors, quoted, used, least_g, least_g_at)


def _calendar(fits: Sequence[SmileFit]) -> tuple[CalendarViolation, ...]:
    """Between successive expiries, as far as either is quoted; what is priced beyond is constant."""
    priced = [fit for fit in fits if fit.parameters is not None]
    nodes = _Nodes.of(priced)
    found = []
    for i, (sooner, later) in enumerate(pairwise(priced)):
        k = np.linspace(min(sooner.range[0], later.range[0]), max(sooner.range[1], later.range[1]), CALENDAR_POINTS)
        first, second = (np.maximum(nodes.total_variance(k, np.full(k.shape, row)), 0.0) for row in (i, i + 1))
        falls = (np.sqrt(first) - np.sqrt(second)) / np.sqrt(later.years)
        both = (k >= max(sooner.quoted[0], later.quoted[0])) & (k <= min(sooner.quoted[1], later.quoted[1]))
        bad = falls > LEAST_CROSSING
        if bad.any():
            is_quoted = bool((bad & both).any())
            worst = int(np.argmax(np.where(both, falls, -np.inf) if is_quoted else falls))
            at, days = k[bad], (sooner.expiration, later.expiration)
            found.append(
                CalendarViolation(*days, float(k[worst]), float(falls[worst]), float(at[0]), float(at[-1]), is_quoted)
            )
    return tuple(found)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values * values)))


def _times(years: Numbers) -> FloatArray:
    at = np.asarray(years, dtype=np.float64)
    if not (np.isfinite(at) & (at >= 0)).all():
        raise InvalidInput("years", "must be finite and not negative")
    return at


def _counted(count: int, thing: str) -> str:
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{count} {thing if count == 1 else plural}"

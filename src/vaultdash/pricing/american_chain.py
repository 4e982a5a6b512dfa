"""A chain of American options whose exercise boundaries are kept: what it is worth at another spot or volatility."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.american import american, american_price
from vaultdash.pricing.american_reference import NAMES, Mask
from vaultdash.pricing.base import Contracts, FloatArray, Numbers, Rights, Valuation, contracts
from vaultdash.pricing.compiled import Engine, answered

if TYPE_CHECKING:  # numba comes with them
    from vaultdash.pricing.american_alive import Puts, Sharing
    from vaultdash.pricing.american_tables import Tables

SIDES = 2  # put, call
PANEL_WIDTH = 3.0  # of ln(volatility): wider ranges are kept in parts


class _Chosen(NamedTuple):
    """Rows that have a kept boundary, and which."""

    is_kept: Mask
    rows: "Puts"
    shared: "Sharing"
    group: npt.NDArray[np.int64]


class AmericanChain:
    """Boundaries of a list of expiries over a range of volatilities, found once and used for every price after.

    `years`, `rate` and `dividend_yield` (per year, continuously compounded) are by expiry, as may be the lowest and
    the highest volatility that will be asked for. Contracts beyond them, at expiry, without volatility or with two
    boundaries are priced by `american`: right, but slower. Boundaries do not depend on spot and strike. Instances do
    not change, and threads may share them. Raises InvalidInput naming the argument.
    """

    def __init__(
        self,
        years: Numbers,
        rate: Numbers,
        dividend_yield: Numbers,
        lowest_volatility: Numbers,
        highest_volatility: Numbers,
        engine: Engine = "kernel",
    ) -> None:
        low = contracts(1.0, 1.0, years, rate, dividend_yield, lowest_volatility, "P")
        high = contracts(1.0, 1.0, years, rate, dividend_yield, highest_volatility, "P")
        if low.years.ndim > 1 or low.years.shape != high.years.shape:
            raise InvalidInput("years", "must be one array, an expiry each")
        if (high.volatility < low.volatility).any():
            raise InvalidInput("highest_volatility", "must not be below the lowest")
        self.years, self.rate, self.dividend_yield = (
            np.atleast_1d(column).copy() for column in (low.years, low.rate, low.dividend_yield)
        )
        self._engine: Engine = engine
        self._low, self._high = (np.log(np.maximum(np.atleast_1d(each.volatility), 1e-4)) for each in (low, high))
        widest = float((self._high - self._low).max(initial=0.0))
        self._panels = max(int(np.ceil(widest / PANEL_WIDTH)), 1)
        self._tables, self._is_kept = answered(self._kept, lambda: (None, np.zeros(0, dtype=np.bool_)), engine)

    def value(
        self, spot: Numbers, strike: Numbers, expiry: npt.ArrayLike, volatility: Numbers, right: Rights
    ) -> Valuation:
        """Price and Greeks as `american` gives them, rho NaN.

        `expiry` is the place in the chain's list; the others, the units and the shapes are those of `american`.
        """
        given, place = self._given(spot, strike, expiry, volatility, right)
        flat = _flat(given)
        found = answered(
            lambda: self._value(flat, place), lambda: american(*_terms(flat), engine="reference"), self._engine
        )
        return Valuation(*(getattr(found, name).reshape(given.spot.shape) for name in NAMES))

    def prices(
        self, spot: Numbers, strike: Numbers, expiry: npt.ArrayLike, volatility: Numbers, right: Rights
    ) -> FloatArray:
        """The prices alone: for grids of spots and volatilities."""
        given, place = self._given(spot, strike, expiry, volatility, right)
        flat = _flat(given)
        found = answered(
            lambda: self._prices(flat, place), lambda: american_price(*_terms(flat), engine="reference"), self._engine
        )
        return found.reshape(given.spot.shape)

    def _given(
        self, spot: Numbers, strike: Numbers, expiry: npt.ArrayLike, volatility: Numbers, right: Rights
    ) -> tuple[Contracts, npt.NDArray[np.int64]]:
        place = np.asarray(expiry)
        if place.dtype.kind not in "iu":
            raise InvalidInput("expiry", "must be a place in the list of expiries, or an array of them")
        if place.size and (place.min() < 0 or place.max() >= len(self.years)):
            raise InvalidInput("expiry", f"must be between 0 and {len(self.years) - 1}")
        terms = (self.years[place], self.rate[place], self.dividend_yield[place])
        given = contracts(spot, strike, *terms, volatility, right)
        return given, np.broadcast_to(place, given.spot.shape).ravel().astype(np.int64)

    def _value(self, flat: Contracts, place: npt.NDArray[np.int64]) -> Valuation:
        from vaultdash.pricing.american_alive import shared_values

        chosen = self._chosen(flat, place)
        if chosen is None or self._tables is None:
            return american(*_terms(flat))
        figures = shared_values(chosen.rows, chosen.shared, self._tables, chosen.group)
        price, delta, gamma, vega, theta = figures
        kept = Valuation(price, delta, gamma, vega, theta, np.full(len(price), np.nan))
        if chosen.is_kept.all():
            return kept
        rest = american(*_terms(Contracts(*(column[~chosen.is_kept] for column in flat))))
        result = Valuation(*(np.empty(len(place)) for _ in NAMES))
        for name in NAMES:
            getattr(result, name)[chosen.is_kept] = getattr(kept, name)
            getattr(result, name)[~chosen.is_kept] = getattr(rest, name)
        return result

    def _prices(self, flat: Contracts, place: npt.NDArray[np.int64]) -> FloatArray:
        from vaultdash.pricing.american_alive import shared_prices

        chosen = self._chosen(flat, place)
        if chosen is None or self._tables is None:
            return american_price(*_terms(flat))
        found = shared_prices(chosen.rows, chosen.shared, self._tables, chosen.group)
        if chosen.is_kept.all():
            return found
        result = np.empty(len(place))
        result[chosen.is_kept] = found
        result[~chosen.is_kept] = american_price(*_terms(Contracts(*(column[~chosen.is_kept] for column in flat))))
        return result

    def _kept(self) -> "tuple[Tables | None, Mask]":
        from vaultdash.pricing.american_tables import reachable, tables

        panel = np.arange(self._panels)
        step = (self._high - self._low) / self._panels
        low = (self._low[:, None] + step[:, None] * panel)[:, None, :].repeat(SIDES, axis=1)
        high = low + step[:, None, None]
        pairs = np.stack([self.rate, self.dividend_yield], axis=1)
        earned, paid, years = (
            np.broadcast_to(column[:, :, None], low.shape).ravel()
            for column in (pairs, pairs[:, ::-1], np.stack([self.years] * SIDES, axis=1))
        )
        least, most = np.exp(low.ravel()), np.exp(high.ravel())
        usable = reachable(earned, paid, years, least) & reachable(earned, paid, years, most)
        if not usable.any():
            return None, usable
        # Groups without a boundary get that of one which has: every group has its place, and theirs is never used.
        stand_in = np.where(usable, np.arange(len(usable)), int(np.argmax(usable)))
        found = tables(earned[stand_in], paid[stand_in], years[stand_in], least[stand_in], most[stand_in])
        return found, np.asarray(usable & found.is_sound, dtype=np.bool_)

    def _chosen(self, flat: Contracts, place: npt.NDArray[np.int64]) -> _Chosen | None:
        from vaultdash.pricing.american_alive import ordinary, puts, sharing_of

        if self._tables is None:
            return None
        low, high = self._low[place], self._high[place]
        with np.errstate(divide="ignore"):
            logarithm = np.log(flat.volatility)
        inside = (logarithm >= low - 1e-12) & (logarithm <= high + 1e-12)
        with np.errstate(divide="ignore", invalid="ignore"):
            panel = np.nan_to_num((logarithm - low) / (high - low), nan=0.0, neginf=0.0) * self._panels
        panel = np.clip(panel.astype(np.int64), 0, self._panels - 1)
        group = (place * SIDES + (flat.sign > 0)) * self._panels + panel
        is_kept = np.asarray(inside & ordinary(flat) & self._is_kept[group], dtype=np.bool_)
        if not is_kept.any():
            return None
        if not is_kept.all():
            flat, group = Contracts(*(column[is_kept] for column in flat)), group[is_kept]
        return _Chosen(is_kept, puts(flat), sharing_of(group, len(self._is_kept)), group)


def _flat(given: Contracts) -> Contracts:
    return Contracts(*(np.ravel(column) for column in given))


def _terms(flat: Contracts) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, Rights]:
    *numbers, sign = flat
    spot, strike, years, rate, dividend_yield, volatility = numbers
    return spot, strike, years, rate, dividend_yield, volatility, sign.astype(np.int8)

"""The quotes that a volatility smile is fitted to: out-of-the-money options of one expiry, by implied volatility."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.validation import finite, positive
from vaultdash.pricing.base import FloatArray, Numbers
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.european import european
from vaultdash.pricing.implied import implied_volatility
from vaultdash.pricing.parity import ParityForward

LEAST_SPREAD = 0.01  # USD; a narrower market is not that much surer of its price


@dataclass(frozen=True, slots=True, eq=False)
class SmileQuotes:
    """One expiry's good quotes, one-dimensional arrays of equal length, any order; none is allowed.

    `forward` USD, `rate` and `dividend_yield` continuous a year, `strike` USD, `implied_volatility` a fraction per
    sqrt(year), `weight` = vega / spread: one over the spread in volatility. Raises InvalidInput for arrays that do
    not fit together or hold anything but numbers above zero, and for an expiry that has passed.
    """

    expiration: date
    years: float
    forward: float
    rate: float
    dividend_yield: float
    strike: FloatArray
    implied_volatility: FloatArray
    weight: FloatArray

    def __post_init__(self) -> None:
        positive("years", self.years)
        positive("forward", self.forward)
        finite("rate", self.rate)
        finite("dividend_yield", self.dividend_yield)
        for name in ("strike", "implied_volatility", "weight"):
            column = np.asarray(getattr(self, name), dtype=np.float64)
            if column.ndim != 1 or column.shape != np.shape(self.strike):
                raise InvalidInput(name, "must be one-dimensional and as long as strike")
            if not (np.isfinite(column) & (column > 0)).all():
                raise InvalidInput(name, "must hold finite numbers above zero only")
            object.__setattr__(self, name, column)

    @property
    def log_moneyness(self) -> FloatArray:
        """k = ln(K/F)."""
        return np.asarray(np.log(self.strike / self.forward))

    @property
    def total_variance(self) -> FloatArray:
        """sigma^2 T."""
        return np.asarray(self.implied_volatility**2 * self.years)

    @property
    def variance_weight(self) -> FloatArray:
        """The weight of an error in total variance: one over the spread in it."""
        return np.asarray(self.weight / (2.0 * self.implied_volatility * self.years))


def smile_quotes(
    expiration: date,
    years: float,
    rate: float,
    forward: ParityForward,
    strike: Numbers,
    sign: Numbers,
    bid: Numbers,
    ask: Numbers,
    usable: npt.ArrayLike = True,
    engine: Engine = "kernel",
) -> SmileQuotes:
    """Choose from one expiry's chain what its smile is fitted to: puts below the forward, calls from it on, at mid.

    `strike`, `bid`, `ask` USD, `sign` +1 call, -1 put, `usable` as the quote filter says, `engine` as in `european`.
    Volatilities are those of American options at the forward's own spot and yield, so that they agree with it; a mid
    that has none is left out.
    """
    strikes, signs, bids, asks = np.broadcast_arrays(
        *(np.asarray(given, dtype=np.float64) for given in (strike, sign, bid, ask))
    )
    is_out = np.where(strikes < forward.forward, signs < 0, signs > 0)
    with np.errstate(invalid="ignore"):
        chosen = np.asarray(usable, dtype=np.bool_) & is_out & (bids > 0) & (asks > bids) & (strikes > 0)
    strikes, signs, bids, asks = (column[chosen] for column in (strikes, signs, bids, asks))
    right = np.where(signs > 0, Right.CALL.value, Right.PUT.value)
    market = (forward.spot, strikes, years, rate, forward.effective_yield)
    volatility = np.asarray(
        implied_volatility(0.5 * (bids + asks), *market, right, engine=engine)[0], dtype=np.float64
    )
    known = np.isfinite(volatility) & (volatility > 0)
    vega = european(*market, np.where(known, volatility, 0.0), right, engine=engine).vega
    weight = vega / np.maximum(asks - bids, LEAST_SPREAD)
    known &= weight > 0
    return SmileQuotes(
        expiration,
        years,
        forward.forward,
        rate,
        forward.effective_yield,
        strikes[known],
        volatility[known],
        weight[known],
    )

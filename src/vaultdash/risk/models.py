"""How the gold price may move: four models of one total volatility, which differ in shape only."""

import math
from dataclasses import dataclass, field

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.domain.validation import finite, not_negative, positive, share

LARGEST_VOLATILITY = 5.0
DAY = 1.0 / TRADING_DAYS


@dataclass(frozen=True, slots=True)
class Flat:
    """Geometric Brownian motion: the closed form's own model."""

    volatility: float
    basis: str = field(default="one volatility", compare=False)
    name: str = field(default="flat", init=False)

    def __post_init__(self) -> None:
        _volatility("volatility", self.volatility)

    def parameters(self) -> dict[str, float]:
        """By name, yearly."""
        return {"volatility": self.volatility}


@dataclass(frozen=True, slots=True)
class Jumps:
    """Merton 1976: a Brownian motion of `volatility` and `intensity` jumps a year, ln sizes N(mean, deviation)."""

    volatility: float
    intensity: float
    mean: float
    deviation: float
    basis: str = field(default="given", compare=False)
    name: str = field(default="jumps", init=False)

    def __post_init__(self) -> None:
        _volatility("volatility", self.volatility)
        if not_negative("intensity", self.intensity) > TRADING_DAYS:
            raise InvalidInput("intensity", f"must be at most {TRADING_DAYS} jumps a year")
        if not -1.0 <= finite("mean", self.mean) <= 1.0 or not_negative("deviation", self.deviation) > 1.0:
            raise InvalidInput("mean", "and deviation of a jump must be within 1, that is a factor of e")

    @property
    def total_volatility(self) -> float:
        """sqrt(sigma^2 + lambda (m^2 + s^2)): that of the yearly logarithmic return."""
        return math.sqrt(self.volatility**2 + self.intensity * (self.mean**2 + self.deviation**2))

    def parameters(self) -> dict[str, float]:
        """By name, yearly."""
        return {name: getattr(self, name) for name in ("volatility", "intensity", "mean", "deviation")}


@dataclass(frozen=True, slots=True)
class StochasticVolatility:
    """Heston 1993: dv = reversion (long_run^2 - v) dt + vol_of_variance sqrt(v) dW, v from volatility^2.

    `correlation` is that of W with what moves the price.
    """

    volatility: float
    long_run: float
    reversion: float
    vol_of_variance: float
    correlation: float
    basis: str = field(default="given", compare=False)
    name: str = field(default="stochastic volatility", init=False)

    def __post_init__(self) -> None:
        _volatility("volatility", self.volatility)
        _volatility("long_run", self.long_run)
        if not 0.0 < positive("reversion", self.reversion) <= 0.5 * TRADING_DAYS:
            raise InvalidInput("reversion", f"must be at most {0.5 * TRADING_DAYS:g} a year, for steps of a day")
        if not_negative("vol_of_variance", self.vol_of_variance) > 10.0:
            raise InvalidInput("vol_of_variance", "must be at most 10")
        if not -1.0 <= finite("correlation", self.correlation) <= 1.0:
            raise InvalidInput("correlation", "must be from -1 to 1")

    def parameters(self) -> dict[str, float]:
        """By name, yearly."""
        names = ("volatility", "long_run", "reversion", "vol_of_variance", "correlation")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class FilteredHistory:
    """GARCH(1,1) whose shocks are those of the past, drawn in blocks of days: h' = omega + h (alpha e^2 + beta).

    `variance` (of the first day) and `omega` are of a day; `residuals` are the past shocks in their order, of mean 0
    and variance 1. `degrees_of_freedom` of the fitted Student t tells how fat their tails are; it is not drawn from.
    """

    variance: float
    omega: float
    alpha: float
    beta: float
    residuals: tuple[float, ...] = field(repr=False)
    block_days: int = 10
    degrees_of_freedom: float | None = None
    basis: str = field(default="given", compare=False)
    name: str = field(default="filtered history", init=False)

    def __post_init__(self) -> None:
        positive("variance", self.variance)
        not_negative("omega", self.omega)
        if share("alpha", self.alpha) + share("beta", self.beta) > 1.0:
            raise InvalidInput("beta", "and alpha must not exceed 1 together, or the variance grows without end")
        if len(self.residuals) < 2 * self.block_days or self.block_days < 1:
            raise InvalidInput("residuals", "must fill two blocks")

    @property
    def persistence(self) -> float:
        """alpha + beta: what a day leaves of the distance of the variance from its long run."""
        return self.alpha + self.beta

    def parameters(self) -> dict[str, float]:
        """By name; volatilities yearly, the rest of a day."""
        long_run = {}
        if self.persistence < 1.0 and self.omega > 0.0:
            long_run["long_run"] = math.sqrt(self.omega / (1.0 - self.persistence) * TRADING_DAYS)
        tails = {} if self.degrees_of_freedom is None else {"degrees_of_freedom": self.degrees_of_freedom}
        return {
            "volatility": math.sqrt(self.variance * TRADING_DAYS),
            **long_run,
            "alpha": self.alpha,
            "beta": self.beta,
            **tails,
            "residuals": float(len(self.residuals)),
            "block_days": float(self.block_days),
        }


Model = Flat | Jumps | StochasticVolatility | FilteredHistory


def _volatility(argument: str, value: float) -> None:
    if not DAY * 1e-6 < positive(argument, value) <= LARGEST_VOLATILITY:
        raise InvalidInput(argument, f"must be a fraction up to {LARGEST_VOLATILITY:g}, not {value}")

"""Parameters of the models from the daily closes, each brought to the same total volatility."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine
from vaultdash.risk.filtered_history import daily_returns, filtered_history
from vaultdash.risk.models import FilteredHistory, Flat, Jumps, Model, StochasticVolatility
from vaultdash.risk.simulation import DAYS_IN_MONTH, MONTHS, PATHS, SEED, CallTerms, SimulatedOdds, simulated_odds

JUMP_SIGMAS = 4.0
LEAST_JUMPS = 5
LEAST_RETURNS = 500
DECAY = 0.94
MOST_OF_VARIANCE = 0.75  # that jumps may make up
# Of GLD from 2004-11-18 to 2026-08-21, by the rule of `jumps`.
USUAL_INTENSITY, USUAL_MEAN, USUAL_DEVIATION = 1.15, -0.021, 0.050
# Of Cboe's gold volatility index, 2008-06-03 to 2026-05-28: its square comes back at 2.6 to 2.8 a year; its daily
# changes have a deviation of 0.198 a year, of which a 30-day mean damps a tenth; they go with the returns of GLD at
# +0.03 on all days and -0.36 on falls of more than 2 %, between which the correlation here leans to caution.
REVERSION, VOL_OF_VARIANCE, CORRELATION = 2.7, 0.44, -0.2


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """The four models at one total volatility; `filtered` is None when the history is too short, and why."""

    flat: Flat
    jumps: Jumps
    stochastic: StochasticVolatility
    filtered: FilteredHistory | None
    no_filtered_because: str = ""

    @property
    def models(self) -> tuple[Model, ...]:
        """Those there are, the simplest first."""
        given: tuple[Model | None, ...] = (self.flat, self.jumps, self.stochastic, self.filtered)
        return tuple(model for model in given if model is not None)


def model_parameters(closes: Sequence[float], volatility: float, years: float = 1.0) -> ModelParameters:
    """Models whose variance over `years` is volatility^2 * years, so that they differ in shape only.

    `closes` are daily and ascending; what they are too few to tell is taken from the usual of gold, and `basis` says
    so. Raises InvalidInput naming the argument.
    """
    returns = daily_returns(closes) if len(closes) > 1 else np.empty(0)
    filtered, reason = None, ""
    try:
        filtered = filtered_history(closes, volatility, years)
    except InvalidInput as refused:
        reason = str(refused)
    return ModelParameters(
        flat=Flat(volatility),
        jumps=jumps(returns, volatility),
        stochastic=stochastic_volatility(volatility),
        filtered=filtered,
        no_filtered_because=reason,
    )


def odds_by_model(
    closes: Sequence[float],
    volatility: float,
    terms: CallTerms,
    months: Sequence[int] = MONTHS,
    paths: int = PATHS,
    seed: int = SEED,
    engine: Engine = "kernel",
) -> tuple[SimulatedOdds, ...]:
    """The odds by each model of `model_parameters` over the longest horizon: one call for a worker process."""
    parameters = model_parameters(closes, volatility, max(months, default=12) * DAYS_IN_MONTH / TRADING_DAYS)
    return tuple(simulated_odds(terms, model, months, paths, seed, engine) for model in parameters.models)


def jumps(returns: FloatArray, volatility: float) -> Jumps:
    """Jumps as often and as large as the days beyond four deviations; a Brownian motion of the variance left.

    The deviation of a day is that of exponential weights (0.94) up to the day before. Where the jumps would be more
    than three quarters of the variance they are made smaller.
    """
    found = _jumping_days(returns) if returns.size >= LEAST_RETURNS else np.empty(0)
    if found.size >= LEAST_JUMPS:
        intensity = found.size / (returns.size / TRADING_DAYS)
        mean, deviation = float(found.mean()), float(found.std())
        basis = f"{found.size} days beyond {JUMP_SIGMAS:g} deviations among {returns.size:,}"
    else:
        intensity, mean, deviation = USUAL_INTENSITY, USUAL_MEAN, USUAL_DEVIATION
        basis = f"the usual jumps of gold: {found.size} days beyond {JUMP_SIGMAS:g} deviations among {returns.size:,}"
    of_jumps = intensity * (mean**2 + deviation**2)
    most = MOST_OF_VARIANCE * volatility**2
    if of_jumps > most:
        smaller = math.sqrt(most / of_jumps)
        mean, deviation, of_jumps = mean * smaller, deviation * smaller, most
        basis += f", made smaller by {smaller:.2f}"
    return Jumps(math.sqrt(volatility**2 - of_jumps), intensity, mean, deviation, basis)


def stochastic_volatility(volatility: float) -> StochasticVolatility:
    """Heston's model that begins at its long run, so that its expected variance is volatility^2 at every horizon."""
    basis = "reversion, volatility of variance and correlation are those of Cboe's gold volatility index since 2008"
    return StochasticVolatility(volatility, volatility, REVERSION, VOL_OF_VARIANCE, CORRELATION, basis)


def _jumping_days(returns: FloatArray) -> FloatArray:
    deviation = np.sqrt(_ewma_variances(returns)[:-1])
    return returns[np.abs(returns) > JUMP_SIGMAS * deviation]


def _ewma_variances(returns: FloatArray) -> FloatArray:
    """Of each day by the days before, and of tomorrow: one more than returns."""
    variances = np.empty(returns.size + 1)
    variances[0] = np.mean(returns[:60] ** 2)
    for day, square in enumerate((returns**2).tolist()):
        variances[day + 1] = DECAY * variances[day] + (1.0 - DECAY) * square
    return variances

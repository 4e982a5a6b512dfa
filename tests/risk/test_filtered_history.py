"""The past's own shocks: what is simulated from a fit is what `arch` simulates from it."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.risk.test_simulation import paired_error
from vaultdash.domain.errors import InvalidInput
from vaultdash.risk import CallTerms
from vaultdash.risk.filtered_history import BLOCK_DAYS, USUAL_ALPHA, filtered_history
from vaultdash.risk.models import FilteredHistory
from vaultdash.risk.simulation import follow, limits_of
from vaultdash.storage.price_csv import read_price_csv


def garch_closes(count: int, omega=2e-6, alpha=0.06, beta=0.92, freedom=6.0, seed=3) -> list[float]:
    shocks = stats.t.rvs(freedom, size=count, random_state=seed) * math.sqrt((freedom - 2) / freedom)
    variance, close, closes = omega / (1 - alpha - beta), 100.0, [100.0]
    for shock in shocks:
        move = math.sqrt(variance) * shock
        close *= math.exp(move)
        closes.append(close)
        variance = omega + alpha * move * move + beta * variance
    return closes


@pytest.fixture
def gld(shared_data) -> list[float]:
    return [bar.close for bar in read_price_csv(shared_data / "gld_daily.csv", "GLD").history.bars]


def mean_variance(model: FilteredHistory, days: int) -> float:
    """Of a day, expected, by stepping."""
    variance, total = model.variance, 0.0
    for _ in range(days):
        total += variance
        variance = model.omega + variance * model.persistence
    return total / days


def block_ratio(model: FilteredHistory) -> float:
    ring = np.array(model.residuals + model.residuals[: BLOCK_DAYS - 1])
    return float(np.mean(np.convolve(ring, np.ones(BLOCK_DAYS), "valid") ** 2)) / BLOCK_DAYS


def test_the_fit_finds_what_made_the_returns():
    model = filtered_history(garch_closes(6000), 0.2)
    assert model.alpha == pytest.approx(0.06, abs=0.02)
    assert model.beta == pytest.approx(0.92, abs=0.03)
    assert model.degrees_of_freedom == pytest.approx(6.0, abs=1.2)
    assert "fitted to 6,000 daily returns" in model.basis


@pytest.mark.parametrize(("count", "years"), [(3000, 1.0), (3000, 0.25), (400, 1.0)])
def test_the_mean_variance_over_the_horizon_is_the_one_asked_for(count, years):
    model = filtered_history(garch_closes(count), 0.3, years)
    total = mean_variance(model, round(252 * years)) * block_ratio(model) * 252
    assert math.sqrt(total) == pytest.approx(0.3, rel=1e-6)
    assert np.mean(model.residuals) == pytest.approx(0.0, abs=1e-12)
    assert np.var(model.residuals) == pytest.approx(1.0, rel=1e-12)


def test_a_short_history_is_filtered_with_usual_weights_and_says_so():
    model = filtered_history(garch_closes(600), 0.2)
    assert model.alpha == USUAL_ALPHA
    assert model.degrees_of_freedom is None
    assert "fewer than 750 daily returns" in model.basis
    assert len(model.residuals) == 600


def test_a_history_that_is_too_short_is_refused():
    with pytest.raises(InvalidInput, match="closes must hold more than 250 prices, not 250"):
        filtered_history(garch_closes(249), 0.2)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_close_is_refused(wrong):
    closes = garch_closes(300)
    closes[7] = wrong
    with pytest.raises(InvalidInput) as refused:
        filtered_history(closes, 0.2)
    assert refused.value.argument == "closes"


def test_returns_that_no_fit_converges_on_are_filtered_all_the_same():
    """A price that hardly ever moves leaves the optimiser nothing to find."""
    moves = np.zeros(1500)
    moves[::300] = 0.01
    model = filtered_history(list(100 * np.exp(np.cumsum(np.concatenate([[0.0], moves])))), 0.2)
    assert math.isfinite(model.variance)
    assert model.persistence <= 1.0
    assert "could not be fitted, as the returns allow no fit" in model.basis


def test_arch_simulates_the_same_odds_from_the_same_fit(gld):
    """`arch` bootstraps its own residuals one by one; ours are drawn one by one here, at the level of its own fit.

    The share of courses that close a tenth lower within a quarter agrees, and so does the spread of the ends.
    """
    from arch import arch_model

    days, paths, level = 63, 40_000, math.log(0.90)
    returns = np.diff(np.log(gld)) * 100
    fitted = arch_model(returns, mean="Constant", vol="GARCH", p=1, q=1, dist="t").fit(disp="off")
    forecast = fitted.forecast(
        horizon=days, method="bootstrap", simulations=paths, random_state=np.random.RandomState(5), reindex=False
    )
    theirs = forecast.simulations.values[0] / 100
    lowest = np.minimum.accumulate(np.cumsum(theirs, axis=1), axis=1)[:, -1]
    mean, omega, alpha, beta = (fitted.params[name] for name in ("mu", "omega", "alpha[1]", "beta[1]"))
    last = fitted.conditional_volatility[-1] ** 2
    start = omega + alpha * (returns[-1] - mean) ** 2 + beta * last
    residuals = np.asarray(fitted.std_resid)
    spread, centre = residuals.std(), residuals.mean()
    shocks = tuple(((residuals - centre) / spread).tolist())
    model = FilteredHistory(
        start / 1e4 * spread**2, omega / 1e4 * spread**2, alpha * spread**2, beta, shocks, block_days=1
    )
    # What drifts as told is our price, and their logarithm, which besides keeps the mean of the shocks.
    held = np.sum(np.var(theirs, axis=0)) / 2
    terms = CallTerms(1.0, 0.90, 0.80, drift=(np.sum(theirs, axis=1).mean() + held) * 252 / days, cure_days=0)
    ours = follow(model, terms, limits_of(terms, days), days, 102_400, 7)
    found, expected = float((ours.call_day > 0).mean()), float((lowest <= level).mean())
    error = math.hypot(paired_error((ours.call_day > 0).astype(float)), math.sqrt(expected * (1 - expected) / paths))
    assert 0.05 < expected < 0.4
    assert abs(found - expected) < 3 * error
    assert ours.end.std() == pytest.approx(np.sum(theirs, axis=1).std(), rel=0.02)

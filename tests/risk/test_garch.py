"""The fit of GARCH(1,1) with Student t beside that of `arch`, and what cannot be fitted."""

import math

import numpy as np
import pytest

from tests.risk.test_filtered_history import garch_closes
from vaultdash.domain.errors import InvalidInput
from vaultdash.risk.garch import fit_garch
from vaultdash.storage.price_csv import read_price_csv

PERCENT = 100.0  # in which `arch` wants its returns


def agree_with_arch(returns):
    """Parameters within a few thousandths of themselves, and a likelihood as high: the two cast the first variance
    back from shocks of slightly different means.
    """
    from arch import arch_model

    theirs = arch_model(returns * PERCENT, mean="Constant", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    fitted = theirs.fit(disp="off", show_warning=False)
    mean, omega, alpha, beta, freedom = fitted.params.to_numpy()
    ours = fit_garch(returns)
    assert ours.mean == pytest.approx(mean / PERCENT, abs=0.01 * float(np.std(returns)))
    assert ours.omega == pytest.approx(omega / PERCENT**2, rel=0.01)
    assert (ours.alpha, ours.beta) == pytest.approx((alpha, beta), abs=5e-4)
    assert ours.degrees_of_freedom == pytest.approx(freedom, rel=2e-3)
    assert ours.log_likelihood == pytest.approx(fitted.loglikelihood + returns.size * math.log(PERCENT), abs=0.02)
    assert np.sqrt(ours.variances[:-1]) * PERCENT == pytest.approx(fitted.conditional_volatility, rel=5e-3)
    tomorrow = fitted.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0] / PERCENT**2
    assert ours.variances[-1] == pytest.approx(tomorrow, rel=5e-3)


def test_on_gld_the_fit_is_that_of_arch(shared_data):
    closes = [bar.close for bar in read_price_csv(shared_data / "gld_daily.csv", "GLD").history.bars]
    agree_with_arch(np.diff(np.log(closes)))


@pytest.mark.parametrize(
    ("count", "terms"),
    [(750, {}), (2000, {"alpha": 0.12, "beta": 0.80, "freedom": 4.0}), (1500, {"alpha": 0.03, "beta": 0.90})],
)
def test_on_returns_made_by_the_model_the_fit_is_that_of_arch(count, terms):
    agree_with_arch(np.diff(np.log(garch_closes(count, **terms))))


def test_the_size_of_the_returns_does_not_matter():
    returns = np.diff(np.log(garch_closes(1000)))
    one, tenfold = fit_garch(returns), fit_garch(10.0 * returns)
    assert tenfold.alpha == pytest.approx(one.alpha, abs=1e-6)
    assert tenfold.omega == pytest.approx(100.0 * one.omega, rel=1e-3)
    assert tenfold.log_likelihood == pytest.approx(one.log_likelihood - 1000 * math.log(10.0))


@pytest.mark.parametrize("returns", [np.full(1000, 0.001), np.zeros(1000), np.array([0.01, math.nan] * 500)])
def test_returns_that_do_not_move_or_are_no_numbers_are_refused(returns):
    with pytest.raises(InvalidInput, match="returns must be finite and move"):
        fit_garch(returns)


def test_the_wildest_returns_have_a_fit_or_are_refused():
    for seed in range(2):
        try:
            found = fit_garch(np.random.default_rng(seed).standard_cauchy(300) * 0.01)
        except InvalidInput:
            continue
        assert all(map(math.isfinite, found[:5]))
        assert 0.0 <= found.alpha + found.beta < 1.0
        assert found.omega > 0.0
        assert np.isfinite(found.variances).all()
        assert (found.variances > 0.0).all()

"""Models say what they are, and refuse what no price does."""

import math
import pickle

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.risk import FilteredHistory, Flat, Jumps, StochasticVolatility

SHOCKS = (1.0, -1.0) * 20


def test_parameters_are_named():
    assert Flat(0.2).parameters() == {"volatility": 0.2}
    assert Jumps(0.2, 1.0, -0.02, 0.05).parameters() == {
        "volatility": 0.2,
        "intensity": 1.0,
        "mean": -0.02,
        "deviation": 0.05,
    }
    heston = StochasticVolatility(0.2, 0.18, 3.0, 0.4, -0.2).parameters()
    assert (heston["long_run"], heston["correlation"]) == (0.18, -0.2)
    garch = FilteredHistory(0.0004, 0.0004 * 0.02, 0.06, 0.92, SHOCKS, degrees_of_freedom=5.0).parameters()
    assert garch["volatility"] == pytest.approx(0.02 * math.sqrt(252))
    assert garch["long_run"] == pytest.approx(0.02 * math.sqrt(252))
    assert garch["degrees_of_freedom"] == 5.0
    assert garch["residuals"] == 40.0


def test_total_volatility_of_jumps_counts_both():
    assert Jumps(0.3, 1.0, 0.0, 0.4).total_volatility == pytest.approx(0.5)


def test_models_travel_to_a_worker():
    for model in (Flat(0.2), Jumps(0.2, 1.0, 0.0, 0.1), FilteredHistory(1e-4, 0.0, 0.0, 1.0, SHOCKS)):
        assert pickle.loads(pickle.dumps(model)) == model


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Flat(0.0), "volatility"),
        (lambda: Flat(25.0), "volatility"),
        (lambda: Flat(math.nan), "volatility"),
        (lambda: Jumps(0.2, -1.0, 0.0, 0.1), "intensity"),
        (lambda: Jumps(0.2, 300.0, 0.0, 0.1), "intensity"),
        (lambda: Jumps(0.2, 1.0, -2.0, 0.1), "mean"),
        (lambda: Jumps(0.2, 1.0, 0.0, math.inf), "deviation"),
        (lambda: StochasticVolatility(0.2, 0.0, 3.0, 0.4, 0.0), "long_run"),
        (lambda: StochasticVolatility(0.2, 0.2, 0.0, 0.4, 0.0), "reversion"),
        (lambda: StochasticVolatility(0.2, 0.2, 200.0, 0.4, 0.0), "reversion"),
        (lambda: StochasticVolatility(0.2, 0.2, 3.0, -0.4, 0.0), "vol_of_variance"),
        (lambda: StochasticVolatility(0.2, 0.2, 3.0, 0.4, 1.5), "correlation"),
        (lambda: FilteredHistory(0.0, 0.0, 0.1, 0.8, SHOCKS), "variance"),
        (lambda: FilteredHistory(1e-4, -1e-6, 0.1, 0.8, SHOCKS), "omega"),
        (lambda: FilteredHistory(1e-4, 0.0, 0.3, 0.8, SHOCKS), "beta"),
        (lambda: FilteredHistory(1e-4, 0.0, 0.1, 0.8, SHOCKS[:10]), "residuals"),
    ],
)
def test_what_no_price_does_is_refused_by_name(make, argument):
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.argument == argument

"""Prices alone on grids: QuantLib, and `american_price` row by row."""

import numpy as np
import pytest

from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.pricing import american_price
from vaultdash.pricing.american_scenarios import scenario_prices

SPOTS = np.array([50.0, 80.0, 95.0, 100.0, 105.0, 130.0])
STRIKES = np.array([80.0, 100.0, 120.0])[:, None]


@pytest.mark.parametrize("right", list(Right))
def test_a_grid_is_quantlibs(right: Right) -> None:
    found = scenario_prices(SPOTS, STRIKES, 200 / 365, 0.045, 0.01, 0.25, right.value)
    for row, strike in enumerate(STRIKES[:, 0]):
        for column, spot in enumerate(SPOTS):
            exact = american_figure(float(spot), float(strike), 200, 0.045, 0.01, 0.25, right)
            assert found[row, column] == pytest.approx(exact, abs=1e-4)


def test_rows_of_every_kind_are_those_of_american_price() -> None:
    """At expiry, without volatility, European ones and rows with a boundary of their own, side by side."""
    years = np.array([0.0, 0.3, 0.3, 0.5, 0.7])[:, None]
    volatility = np.array([0.2, 0.0, 0.2, 0.8, 0.15])[:, None]
    right = np.array(["P", "P", "C", "P", "C"])[:, None]
    terms = (SPOTS, 100.0, years, 0.05, 0.0, volatility, right)
    assert scenario_prices(*terms) == pytest.approx(american_price(*terms), abs=1e-4)
    few = (100.0, [90.0, 110.0], [0.4, 0.9], 0.05, 0.02, [0.2, 0.3], "P")
    assert scenario_prices(*few) == pytest.approx(american_price(*few))


def test_the_reference_answers_when_asked_for() -> None:
    terms = (SPOTS, 100.0, 0.5, 0.05, 0.0, 0.2, "P")
    found = scenario_prices(*terms, engine="reference")
    assert found == pytest.approx(american_price(*terms, engine="reference"))


def test_what_is_no_option_is_named() -> None:
    with pytest.raises(InvalidInput, match="strike"):
        scenario_prices(100.0, -1.0, 0.5, 0.05, 0.0, 0.2, "P")

"""The table of early exercise beside QuantLib and beside the package's own American prices."""

import math
import subprocess
import sys

import numpy as np
import pytest

from tests.pricing.quantlib_oracle import american_figure, european_figures
from vaultdash.domain.option import Right
from vaultdash.pricing import american_price, european
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.early_exercise import MOST_WIDTH, early_exercise_premium, early_exercise_table
from vaultdash.pricing.early_exercise_boundary import boundary_depths, premiums_above

PROMISED = 1e-5  # of the strike
Rows = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def drawn(count: int, seed: int) -> Rows:
    """Spots (strike 1), years, rates and volatilities over the range of the promise, most of them near the money."""
    draw = np.random.default_rng(seed)
    years = np.exp(draw.uniform(math.log(1 / 365), math.log(3.0), count))
    volatility = draw.uniform(0.05, 0.9, count)
    rate = np.where(draw.random(count) < 0.3, 10.0 ** draw.uniform(-4.3, -1.3, count), draw.uniform(0.0, 0.06, count))
    near = np.exp(draw.normal(0.0, 1.3, count) * volatility * np.sqrt(years))
    spot = np.where(draw.random(count) < 0.6, near, draw.uniform(0.4, 2.5, count))
    return np.clip(spot, 0.4, 2.5), years, rate, volatility


def leaps(count: int, seed: int) -> Rows:
    """The same where the table is hardest pressed: long, at high rates and low volatilities."""
    draw = np.random.default_rng(seed)
    years, rate = draw.uniform(0.5, 3.0, count), draw.uniform(0.03, 0.06, count)
    volatility = draw.uniform(0.05, 0.12, count)
    spot = np.exp(draw.normal(0.0, 0.8, count) * volatility * np.sqrt(years))
    return np.clip(spot, 0.4, 2.5), years, rate, volatility


def puts(spot: FloatArray, years: FloatArray, rate: FloatArray, volatility: FloatArray) -> FloatArray:
    """Put prices by the table, strike 1."""
    table = early_exercise_table()
    deviation = volatility * np.sqrt(years)
    rows = zip(np.log(spot) / deviation, rate * years, deviation, strict=True)
    premium = np.array([table.premium(*map(float, row)) for row in rows])
    return np.maximum(european(spot, 1.0, years, rate, 0.0, volatility, "P").price + premium, 1.0 - spot).clip(0.0)


@pytest.mark.parametrize(("rows", "usual"), [(drawn(4000, seed=7), 1e-8), (leaps(1000, seed=5), 1e-6)])
def test_over_the_whole_range_the_put_is_the_american_price(rows: Rows, usual: float) -> None:
    spot, years, rate, volatility = rows
    error = np.abs(puts(*rows) - american_price(spot, 1.0, years, rate, 0.0, volatility, "P"))
    assert error.max() < PROMISED
    assert np.median(error) < usual


def test_without_the_table_the_error_would_be_seen() -> None:
    spot, years, rate, volatility = drawn(4000, seed=7)
    whole = np.maximum(european(spot, 1.0, years, rate, 0.0, volatility, "P").price, 1.0 - spot)
    assert np.abs(whole - american_price(spot, 1.0, years, rate, 0.0, volatility, "P")).max() > 1000 * PROMISED


@pytest.mark.parametrize("days", [1, 30, 365, 1095])
@pytest.mark.parametrize("volatility", [0.05, 0.16, 0.4, 0.9])
@pytest.mark.parametrize("rate", [0.001, 0.06])
def test_near_the_money_the_put_is_quantlibs_at_high_precision(days: int, volatility: float, rate: float) -> None:
    years = days / 365
    for place in (-1.0, 0.0, 0.7):
        spot = min(max(400 * math.exp(place * volatility * math.sqrt(years)), 160), 1000)
        one = puts(*(np.array([number]) for number in (spot / 400, years, rate, volatility)))[0]
        assert 400 * one == pytest.approx(
            american_figure(spot, 400, days, rate, 0.0, volatility, Right.PUT), abs=400 * PROMISED
        )


def test_the_premium_of_a_leap_is_a_tenth_of_its_value() -> None:
    premium = 400 * early_exercise_table().premium(0.0, 0.045, 0.16)
    whole = european_figures(400, 400, 365, 0.045, 0.0, 0.16, Right.PUT)[0]
    assert whole + premium == pytest.approx(american_figure(400, 400, 365, 0.045, 0.0, 0.16, Right.PUT), abs=1e-3)
    assert 0.1 < premium / whole < 0.25


def test_below_the_boundary_exercise_is_the_price_and_just_above_it_is_not() -> None:
    earned, deviation = np.array([0.04]), np.array([0.2])
    boundary = 400 * math.exp(-boundary_depths(earned, deviation)[0, 0])
    for spot, waits in ((0.98 * boundary, False), (1.02 * boundary, True)):
        time_value = american_figure(spot, 400, 365, 0.04, 0.0, 0.2, Right.PUT) - (400 - spot)
        assert (time_value > 0.02) == waits
        premium = early_exercise_table().premium(math.log(spot / 400) / 0.2, 0.04, 0.2)
        assert (premium > 0) == waits


def test_at_the_boundary_the_premium_is_what_exercise_pays_more_than_waiting() -> None:
    earned, deviation = np.array([0.04, 0.1, 0.002]), np.array([0.2, 0.1, 0.3])
    depths = boundary_depths(earned, deviation)
    spot = np.exp(-depths[:, 0])
    paid = premiums_above(np.zeros(1), earned, deviation, depths)[:, 0] * earned
    whole = european(spot, 1.0, 1.0, earned, 0.0, deviation, "P").price
    assert whole + paid == pytest.approx(1.0 - spot, abs=2e-6)


@pytest.mark.parametrize(
    ("distance", "earned", "deviation"),
    [
        (0.0, 0.0, 0.2),
        (0.0, -0.03, 0.2),
        (0.0, 0.03, 0.0),
        (0.0, 0.03, -0.1),
        (math.nan, 0.03, 0.2),
        (0.0, math.nan, 0.2),
        (0.0, 0.03, math.nan),
        (-math.inf, 0.03, 0.2),
        (math.inf, 0.03, 0.2),
    ],
)
def test_where_nothing_is_earned_or_known_there_is_no_premium(
    distance: float, earned: float, deviation: float
) -> None:
    from vaultdash.pricing import early_exercise_kernels

    table = early_exercise_table()
    assert table.premium(distance, earned, deviation) == 0.0
    compiled = early_exercise_kernels.early_exercise_premium
    assert compiled(distance, earned, deviation, table.values, table.depths) == 0.0


def test_the_compiled_look_up_gives_the_same_numbers() -> None:
    from vaultdash.pricing import early_exercise_kernels as kernels

    table = early_exercise_table()
    spot, years, rate, volatility = drawn(500, seed=3)
    deviation = volatility * np.sqrt(years)
    rows = np.log(spot) / deviation, rate * years, deviation
    out = np.empty(500)
    kernels.early_exercise_premiums(*rows, table.values, table.depths, out)
    plain = [early_exercise_premium(*map(float, row), table.values, table.depths) for row in zip(*rows, strict=True)]
    assert out == pytest.approx(plain, abs=1e-14)
    assert out.max() > 0.01


def test_beyond_the_table_the_premium_is_finite_and_never_negative() -> None:
    table = early_exercise_table()
    draw = np.random.default_rng(11)
    for distance, log_earned, log_deviation in draw.uniform([-9, -20, -9], [12, 3, 3], (2000, 3)).tolist():
        premium = table.premium(distance, math.exp(log_earned), math.exp(log_deviation))
        assert 0.0 <= premium <= math.exp(log_earned)
    edge = table.premium(0.5, 0.1, MOST_WIDTH)
    assert table.premium(0.5, 0.1, MOST_WIDTH * (1 + 1e-12)) == pytest.approx(edge, rel=1e-6)


def test_the_premium_falls_as_the_price_rises() -> None:
    table = early_exercise_table()
    for earned, deviation in ((0.05, 0.2), (0.15, 0.1), (0.0005, 0.08), (0.1, 1.2)):
        depth = boundary_depths(np.array([earned]), np.array([deviation]))[0, 0] / deviation
        along = [table.premium(x - depth, earned, deviation) for x in np.linspace(1e-3, 6.9, 400).tolist()]
        assert max(np.diff(along)) <= 1e-9


def test_the_table_needs_no_compiler_and_its_module_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from vaultdash.pricing.early_exercise import early_exercise_table\n"
        "print({'scipy', 'QuantLib'} & set(sys.modules))\n"
        "print(early_exercise_table().premium(0.0, 0.045, 0.16))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded, premium = done.stdout.split("\n")[:2]
    assert loaded == "set()"
    assert float(premium) == pytest.approx(early_exercise_table().premium(0.0, 0.045, 0.16), abs=1e-12)

"""Implied volatility: round trips to 1e-8, a reason for every row without one, and no row that raises."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import erfcx

from tests.pricing.quantlib_oracle import american_figure, european_figures
from vaultdash.domain.option import Right
from vaultdash.pricing import InvalidInput, american_price, european, implied_volatility
from vaultdash.pricing.compiled import kernels_problem

COUNT = 6000
TERMS = ("spot", "strike", "years", "rate", "dividend_yield", "right")
GOOD: dict[str, Any] = {
    "spot": 100.0,
    "strike": 95.0,
    "years": 1.0,
    "rate": 0.05,
    "dividend_yield": 0.0,
    "right": "P",
}
unhurried = settings(deadline=None)  # the first example may compile


def market(seed: int, low: float, high: float, count: int = COUNT) -> dict[str, Any]:
    """Contracts from one day to three years with volatilities from `low` to `high`, evenly by logarithm."""
    random = np.random.default_rng(seed)
    strike = np.exp(random.uniform(np.log(20), np.log(500), count))
    return {
        "spot": strike * np.exp(random.uniform(np.log(0.5), np.log(2), count)),
        "strike": strike,
        "years": random.integers(1, 1096, count) / 365,
        "rate": random.uniform(-0.01, 0.08, count),
        "dividend_yield": random.uniform(0.0, 0.05, count),
        "right": random.choice(["C", "P"], count),
        "volatility": np.exp(random.uniform(np.log(low), np.log(high), count)),
    }


def exact(given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Price with all its digits, however far the strike, by scaled complementary error functions; and time value."""
    spot, strike, years = given["spot"], given["strike"], given["years"]
    share, cash = spot * np.exp(-given["dividend_yield"] * years), strike * np.exp(-given["rate"] * years)
    moneyness = np.log(spot / strike) + (given["rate"] - given["dividend_yield"]) * years
    deviation = given["volatility"] * np.sqrt(years)
    x = -np.abs(moneyness)
    h, t = x / deviation, deviation / 2
    bell = 0.5 * np.exp(-(h * h + t * t) / 2)
    upper, lower = erfcx(np.abs(h + t) / math.sqrt(2)), erfcx((t - h) / math.sqrt(2))
    unit = np.where(h + t <= 0, bell * (upper - lower), np.exp(x / 2) - bell * (upper + lower))
    beyond = unit * np.sqrt(share * cash)
    sign = np.where(given["right"] == "C", 1, -1)
    return beyond + np.maximum(sign * (share - cash), 0), beyond


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_volatilities_from_a_thousandth_to_five_come_back_to_1e_8_from_prices_down_to_1e_7(engine: Any) -> None:
    given = market(21, 0.001, 5.0)
    volatility = given.pop("volatility")
    price, beyond = exact({**given, "volatility": volatility})
    value, status = implied_volatility(price, **given, exercise="european", engine=engine)
    is_out = price == beyond
    assert set(status[is_out & (price >= 1e-7)]) == {"ok"}
    assert (is_out & (price >= 1e-7)).sum() > COUNT / 5
    is_found = status == "ok"
    np.testing.assert_allclose(value[is_found], volatility[is_found], rtol=0, atol=1e-8)
    assert np.isnan(value[~is_found]).all()
    assert set(status) <= {"ok", "not_determined", "no_quote"}  # no price: less than the smallest float
    assert kernels_problem() is None


def test_usual_volatilities_come_back_to_1e_9_where_the_time_value_is_a_tenth_of_a_cent() -> None:
    given = market(22, 0.05, 1.5)
    volatility = given.pop("volatility")
    price, beyond = exact({**given, "volatility": volatility})
    value, status = implied_volatility(price, **given, exercise="european")
    worth = beyond >= 1e-3
    assert worth.sum() > COUNT / 2
    assert set(status[worth]) == {"ok"}
    np.testing.assert_allclose(value[worth], volatility[worth], rtol=0, atol=1e-9)


def test_the_shortest_and_calmest_options_at_the_forward_come_back_too() -> None:
    count = 2000
    random = np.random.default_rng(26)
    given: dict[str, Any] = {
        "spot": np.full(count, 100.0),
        "strike": 100.0 * np.exp(random.uniform(-1e-7, 1e-7, count)),
        "years": np.exp(random.uniform(np.log(1e-4), np.log(0.1), count)),
        "rate": np.full(count, 0.03),
        "dividend_yield": np.full(count, 0.03),
        "right": random.choice(["C", "P"], count),
    }
    volatility = np.exp(random.uniform(np.log(0.001), np.log(0.1), count))
    price, beyond = exact({**given, "volatility": volatility})
    value, status = implied_volatility(price, **given, exercise="european")
    assert set(status[price == beyond]) == {"ok"}
    np.testing.assert_allclose(value[price == beyond], volatility[price == beyond], rtol=0, atol=1e-8)


def test_quantlibs_prices_give_quantlibs_volatilities() -> None:
    given = market(23, 0.05, 1.5, 1000)
    volatility = given.pop("volatility")
    rows = zip(*(given[name].tolist() for name in TERMS), volatility.tolist(), strict=True)
    price = [european_figures(s, k, round(t * 365), r, q, v, Right(right))[0] for s, k, t, r, q, right, v in rows]
    value, status = implied_volatility(price, **given, exercise="european")
    worth = exact({**given, "volatility": volatility})[1] >= 0.01
    assert set(status[worth]) == {"ok"}
    np.testing.assert_allclose(value[worth], volatility[worth], rtol=0, atol=1e-8)


def test_kernel_and_reference_agree_on_value_and_status() -> None:
    given = market(24, 0.02, 3.0)
    price = exact(given)[0]
    del given["volatility"]
    random = np.random.default_rng(25)
    price *= np.where(random.random(COUNT) < 0.4, random.choice([0.5, 0.9, 1.01, 1.5, 4.0], COUNT), 1.0)
    price[::31], given["years"][::37], given["spot"][::41] = np.nan, 0.0, -1.0
    by_kernel, by_reference = (
        implied_volatility(price, **given, exercise="european", engine=engine)  # type: ignore[arg-type]
        for engine in ("kernel", "reference")
    )
    assert set(by_kernel.status) == {"ok", "no_quote", "below_intrinsic", "above_bound", "not_determined"}
    np.testing.assert_array_equal(by_kernel.status, by_reference.status)
    np.testing.assert_allclose(by_kernel.value, by_reference.value, rtol=0, atol=1e-8)


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("exercise", ["european", "american"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"price": 5.0}, "ok"),
        ({"price": math.nan}, "no_quote"),
        ({"price": None}, "no_quote"),
        ({"price": 0.0}, "no_quote"),
        ({"price": -1.0}, "no_quote"),
        ({"price": math.inf}, "no_quote"),
        ({"price": 4.0, "strike": 110.0, "rate": 0.0, "dividend_yield": 0.01}, "below_intrinsic"),
        ({"price": 95.5}, "above_bound"),
        ({"price": 100.5, "right": "C", "dividend_yield": 0.01}, "above_bound"),
        ({"price": 10.0, "right": "C", "strike": 90.0, "rate": 0.0}, "not_determined"),
        ({"price": 5.0, "years": 0.0}, "not_determined"),
        ({"price": 5.0, "years": -1.0}, "not_determined"),
        ({"price": 5.0, "years": math.nan}, "not_determined"),
        ({"price": 5.0, "spot": 0.0}, "not_determined"),
        ({"price": 5.0, "spot": -100.0}, "not_determined"),
        ({"price": 5.0, "strike": math.inf}, "not_determined"),
        ({"price": 5.0, "rate": math.nan}, "not_determined"),
        ({"price": 5.0, "dividend_yield": -math.inf}, "not_determined"),
        ({"price": 5.0, "rate": 1e6}, "not_determined"),
        ({"price": 0.5, "strike": 100.0, "years": 1e-7}, "not_determined"),
        ({"price": 94.0, "years": 1 / 365}, "not_determined"),
    ],
)
def test_each_row_without_a_volatility_says_why(
    changed: dict[str, Any], status: str, exercise: Any, engine: Any
) -> None:
    found = implied_volatility(**{**GOOD, **changed}, exercise=exercise, engine=engine)
    assert str(found.status) == status
    assert math.isnan(float(found.value)) == (status != "ok")


def test_an_american_price_equal_to_what_exercise_pays_determines_nothing() -> None:
    given = {**GOOD, "strike": 130.0}
    assert str(implied_volatility(30.0, **given).status) == "not_determined"
    assert str(implied_volatility(29.99, **given).status) == "below_intrinsic"
    assert str(implied_volatility(30.5, **given).status) == "ok"
    # European, it may be worth less: 130 exp(-0.05) - 100 = 23.66
    assert str(implied_volatility(29.99, **given, exercise="european").status) == "ok"


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_american_prices_of_quantlib_give_the_volatility_back(engine: Any) -> None:
    rows = [(90.0, 30, 0.16, "P"), (100.0, 182, 0.2, "P"), (110.0, 365, 0.35, "P"), (105.0, 912, 0.25, "C")]
    price = [american_figure(100.0, k, days, 0.045, 0.02, v, Right(right)) for k, days, v, right in rows]
    strike, days, volatility, right = zip(*rows, strict=True)
    terms = (100.0, strike, np.array(days) / 365, 0.045, 0.02, right)
    value, status = implied_volatility(price, *terms, engine=engine)
    assert status.tolist() == ["ok"] * len(rows)
    np.testing.assert_allclose(value, volatility, rtol=0, atol=2e-5)


def test_kernel_and_reference_find_the_same_american_volatilities() -> None:
    given = market(27, 0.1, 0.8, 60)
    volatility = given.pop("volatility")
    terms = [given[name] for name in TERMS]
    price = american_price(*terms[:5], volatility, terms[5], engine="reference")
    price[::9], price[1::9] = np.nan, 0.5 * price[1::9]
    by_kernel, by_reference = (implied_volatility(price, *terms, engine=engine) for engine in ("kernel", "reference"))  # type: ignore[arg-type]
    assert kernels_problem() is None
    intrinsic = np.maximum(np.where(given["right"] == "C", 1, -1) * (given["spot"] - given["strike"]), 0)
    worth = ~(price - intrinsic < 0.05)
    assert worth.sum() > 30
    np.testing.assert_array_equal(by_kernel.status[worth], by_reference.status[worth])
    np.testing.assert_allclose(by_kernel.value[worth], by_reference.value[worth], rtol=0, atol=1e-4)


def test_the_american_volatility_is_that_of_a_root_search_over_the_same_prices() -> None:
    price = implied = 9.5
    terms = (100.0, 105.0, 0.75, 0.045, 0.0)
    implied = brentq(lambda v: float(american_price(*terms, v, "P", engine="reference")) - price, 0.01, 2, xtol=1e-12)
    assert float(implied_volatility(price, *terms, "P", engine="reference").value) == pytest.approx(implied, abs=1e-8)


def test_a_tiny_american_price_is_not_taken_for_the_least_volatility() -> None:
    terms = (100.0, 80.0, 0.25, 0.04, 0.0)
    price = american_price(*terms, 0.09, "P", engine="reference")
    assert 0 < price < 1e-6
    found = implied_volatility(price, *terms, "P", engine="reference")
    assert float(found.value) == pytest.approx(0.09, abs=1e-6)


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_terms_out_of_every_pricers_range_do_not_raise(engine: Any) -> None:
    terms = (100.0, 130.0, 1632.0, -7e-6, -9e-7, "C")  # fifteen centuries
    assert str(implied_volatility(50.0, *terms, engine=engine).status) in {"no_converge", "not_determined"}
    assert str(implied_volatility(5.0, 100, 95, 1e12, 0.0, 0.0, "P", engine=engine).status) == "not_determined"


def test_where_exercise_before_expiry_never_pays_the_american_is_the_european_volatility() -> None:
    terms = (100.0, [80.0, 100.0, 120.0], 0.5, 0.04, 0.0, "C")
    price = european(*terms[:5], 0.22, "C").price
    american, plain = (implied_volatility(price, *terms, exercise=exercise) for exercise in ("american", "european"))
    assert american.value.tolist() == plain.value.tolist()
    np.testing.assert_allclose(plain.value, 0.22, atol=1e-9)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("price", "5"),
        ("price", ["5", "6"]),
        ("price", [[1.0], [1.0, 2.0]]),
        ("spot", "a lot"),
        ("strike", [1.0, 2.0]),
        ("years", 1 + 2j),
        ("right", "X"),
        ("right", ["C", "P", ""]),
        ("right", 1),
        ("exercise", "bermudan"),
        ("engine", "abacus"),
    ],
)
def test_only_arguments_that_cannot_be_used_are_refused_by_name(argument: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        implied_volatility(**{"price": [5.0, 5.0, 5.0], **GOOD, argument: value})
    assert refusal.value.argument == argument


def test_value_and_status_have_the_shape_to_which_the_inputs_broadcast() -> None:
    found = implied_volatility([[5.0], [6.0]], **{**GOOD, "strike": [90.0, 95.0, 100.0]}, exercise="european")
    assert found.value.shape == found.status.shape == (2, 3)
    assert found.status.dtype.kind == "U"
    scalar = implied_volatility(5.0, **GOOD, exercise="european")
    assert scalar.value.shape == scalar.status.shape == ()
    assert implied_volatility([], **GOOD).status.tolist() == []


anything = st.floats(allow_nan=True, allow_infinity=True)


@unhurried
@given(anything, anything, anything, anything, anything, anything, st.sampled_from(["C", "P"]))
def test_no_row_ever_raises(
    price: float, spot: float, strike: float, years: float, rate: float, dividend_yield: float, right: str
) -> None:
    rows = [price, 5.0]
    terms = (spot, strike, years, rate, dividend_yield, right)
    for exercise, engine in itertools.product(("european", "american"), ("kernel", "reference")):
        found = implied_volatility(rows, *terms, exercise, engine)  # type: ignore[arg-type]
        assert np.isnan(found.value).tolist() == (found.status != "ok").tolist()


@unhurried
@given(st.floats(0.5, 2.0), st.floats(0.01, 3), st.floats(-0.02, 0.1), st.floats(-0.02, 0.1), st.floats(0.05, 1.5))
def test_call_and_put_of_one_price_surface_have_one_volatility(
    ratio: float, years: float, rate: float, dividend_yield: float, volatility: float
) -> None:
    terms = (100.0, 100.0 * ratio, years, rate, dividend_yield)
    price = european(*terms, volatility, ["C", "P"]).price
    call, put = implied_volatility(price, *terms, ["C", "P"], exercise="european")[0].tolist()
    if price.min() >= 1e-3:  # the cheaper of the two is all time value
        assert call == pytest.approx(volatility, abs=1e-8)
        assert put == pytest.approx(volatility, abs=1e-8)


@unhurried
@given(st.floats(0.6, 1.6), st.floats(0.02, 3), st.sampled_from(["C", "P"]))
def test_a_higher_price_has_a_higher_volatility(ratio: float, years: float, right: str) -> None:
    terms = (100.0, 100.0 * ratio, years, 0.04, 0.01)
    rising = european(*terms, np.linspace(0.1, 2.0, 30), right).price
    value, status = implied_volatility(rising, *terms, right, exercise="european")
    assert (np.diff(value[status == "ok"]) > 0).all()
    assert (status == "ok").sum() >= 10

"""A chain of kept boundaries gives what `american` gives, whatever is asked of it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultdash.pricing import InvalidInput, american, american_price
from vaultdash.pricing.american_chain import AmericanChain

GREEKS = ("price", "delta", "gamma", "vega", "theta")
YEARS = np.array([0.05, 0.5, 2.0])
RATES = np.array([0.03, 0.04, 0.045])
YIELDS = np.array([0.004, 0.0, 0.01])
few = settings(max_examples=25, deadline=None)


def kept(low: float = 0.1, high: float = 0.6) -> AmericanChain:
    return AmericanChain(YEARS, RATES, YIELDS, low, high)


def alone(spot: object, strike: object, expiry: object, volatility: object, right: object) -> object:
    place = np.asarray(expiry)
    return american(spot, strike, YEARS[place], RATES[place], YIELDS[place], volatility, right)


@few
@given(st.floats(0.6, 1.5), st.floats(0.1, 0.6), st.integers(0, 2), st.sampled_from(["C", "P"]))
def test_contracts_are_worth_what_they_are_alone(ratio: float, volatility: float, expiry: int, right: str) -> None:
    strikes = 100 * ratio * np.linspace(0.95, 1.05, 6)
    one, other = (value(100.0, strikes, expiry, volatility, right) for value in (kept().value, alone))
    for name, tolerance in zip(GREEKS, (1e-5, 1e-6, 1e-6, 1e-3, 1e-4), strict=True):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance, err_msg=name)
    assert np.isnan(one.rho).all()
    np.testing.assert_allclose(kept().prices(100.0, strikes, expiry, volatility, right), one.price, atol=1e-6)


def test_a_grid_of_spots_and_volatilities_takes_the_shape_of_its_inputs() -> None:
    spot, volatility = np.linspace(60, 140, 9)[:, None, None], np.linspace(0.1, 0.6, 5)[:, None]
    strike, expiry, right = np.array([80.0, 100.0, 120.0, 100.0]), np.array([0, 1, 2, 0]), ["P", "P", "C", "C"]
    chain = kept()
    prices = chain.prices(spot, strike, expiry, volatility, right)
    assert prices.shape == (9, 5, 4)
    assert chain.value(100, 100, 1, 0.2, "P").price.shape == ()
    assert chain.prices([], 100, 1, 0.2, "P").shape == (0,)
    terms = (YEARS[expiry], RATES[expiry], YIELDS[expiry])
    np.testing.assert_allclose(prices, american_price(spot, strike, *terms, volatility, right), atol=1e-5)


def test_what_the_chain_does_not_keep_is_priced_all_the_same() -> None:
    volatility = np.array([0.0, 0.02, 0.1, 0.3, 0.6, 0.61, 3.0])
    for right in ("C", "P"):  # calls of the second expiry are never exercised early
        for expiry in range(3):
            one, other = (value(100, 105, expiry, volatility, right) for value in (kept().value, alone))
            for name in GREEKS:
                np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-3, err_msg=name)
            np.testing.assert_allclose(kept().prices(100, 105, expiry, volatility, right), one.price, atol=1e-6)


def test_a_wide_range_of_volatilities_is_kept_in_parts_without_a_seam() -> None:
    chain = kept(0.01, 4.0)
    volatility = np.exp(np.linspace(np.log(0.02), np.log(4.0), 400))
    prices = chain.prices(100, 103, 1, volatility, "P")
    np.testing.assert_allclose(
        prices, american_price(100, 103, YEARS[1], RATES[1], YIELDS[1], volatility, "P"), atol=1e-4
    )
    assert (np.diff(prices) >= -1e-5).all()


def test_one_volatility_is_range_enough() -> None:
    chain = AmericanChain(1.0, 0.04, 0.0, 0.2, 0.2)
    assert float(chain.prices(100, 100, 0, 0.2, "P")) == pytest.approx(
        float(american_price(100, 100, 1, 0.04, 0, 0.2, "P")), abs=1e-6
    )


def test_expired_and_two_boundary_expiries_stand_beside_others() -> None:
    chain = AmericanChain([0.0, 1.0, 1.0], [0.04, -0.02, 0.04], [0.0, -0.05, 0.0], 0.1, 0.5)
    found = chain.prices(100, 104, [0, 1, 2], 0.2, "P")
    expected = american_price(100, 104, [0.0, 1.0, 1.0], [0.04, -0.02, 0.04], [0.0, -0.05, 0.0], 0.2, "P")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    nothing = AmericanChain([0.0], [0.04], [0.0], 0.1, 0.5)
    assert float(nothing.prices(100, 104, 0, 0.2, "P")) == 4.0
    assert float(nothing.value(100, 104, 0, 0.2, "P").delta) == -1.0


def test_the_reference_needs_no_boundaries() -> None:
    chain = AmericanChain(YEARS, RATES, YIELDS, 0.1, 0.6, engine="reference")
    found = chain.value(100, [95, 105], 1, 0.2, "P")
    expected = american(100, [95, 105], YEARS[1], RATES[1], YIELDS[1], 0.2, "P", engine="reference")
    np.testing.assert_array_equal(found.price, expected.price)
    np.testing.assert_array_equal(chain.prices(100, [95, 105], 1, 0.2, "P"), expected.price)


def test_threads_share_a_chain() -> None:
    chain, strikes = kept(), np.linspace(80, 120, 41)
    spots = [90.0, 95.0, 100.0, 105.0] * 5
    expected = [chain.prices(spot, strikes, 2, 0.25, "P") for spot in spots]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda spot: chain.prices(spot, strikes, 2, 0.25, "P"), spots))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("argument", "make"),
    [
        ("highest_volatility", lambda: AmericanChain(YEARS, RATES, YIELDS, 0.3, 0.2)),
        ("years", lambda: AmericanChain([[1.0]], 0.04, 0.0, 0.1, 0.2)),
        ("rate", lambda: AmericanChain(YEARS, [np.nan, 0.0, 0.0], YIELDS, 0.1, 0.2)),
        ("expiry", lambda: kept().prices(100, 100, 3, 0.2, "P")),
        ("expiry", lambda: kept().prices(100, 100, -1, 0.2, "P")),
        ("expiry", lambda: kept().prices(100, 100, 0.5, 0.2, "P")),
        ("spot", lambda: kept().value(0.0, 100, 1, 0.2, "P")),
        ("right", lambda: kept().value(100.0, 100, 1, 0.2, "X")),
        ("engine", lambda: AmericanChain(YEARS, RATES, YIELDS, 0.1, 0.2, engine="magic")),
    ],
)
def test_bad_input_is_refused_by_name(argument: str, make: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        make()  # type: ignore[operator]  # a lambda
    assert refusal.value.argument == argument

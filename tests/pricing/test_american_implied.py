"""American prices inverted: round trips, and a reason where there is none."""

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.pricing.american_grid import chain, extreme, oracle
from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.option import Right
from vaultdash.pricing import american, american_price
from vaultdash.pricing.american_implied import invert
from vaultdash.pricing.implied_status import NOT_DETERMINED, OK

NAMES = ("spot", "strike", "years", "rate", "dividend_yield")


def inverted(price: np.ndarray, terms: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return invert(price, *(terms[name] for name in NAMES), np.where(terms["right"] == "C", 1.0, -1.0))


def time_value(price: np.ndarray, terms: dict[str, np.ndarray]) -> np.ndarray:
    sign = np.where(terms["right"] == "C", 1.0, -1.0)
    return price - np.maximum(sign * (terms["spot"] - terms["strike"]), 0.0)


def test_a_chain_priced_by_quantlib_gives_its_volatilities_back() -> None:
    terms = chain()
    price = oracle(terms)
    value, status = inverted(price, terms)
    worth = time_value(price, terms) > 0.01
    assert worth.sum() > 80
    assert (status[worth] == OK).all()
    np.testing.assert_allclose(value[worth], terms["volatility"][worth], atol=1e-5)
    assert np.isnan(value[status != OK]).all()


def test_an_extreme_grid_makes_the_round_trip() -> None:
    terms = extreme(seed=11, count=600, lowest_rate=0.0005)
    terms["dividend_yield"] = np.maximum(terms["dividend_yield"], 0.0005)  # calls are exercised early too
    value = american(**terms)
    found, status = inverted(value.price, terms)
    determined = (time_value(value.price, terms) > 3e-5) & (value.vega > 1e-3)
    assert determined.sum() > 200
    assert (status[determined] == OK).all()
    np.testing.assert_allclose(found[determined], terms["volatility"][determined], atol=2e-4)
    near = determined & (value.vega > 0.05)
    np.testing.assert_allclose(found[near], terms["volatility"][near], atol=1e-5)


@pytest.mark.parametrize("volatility", [0.008, 0.05, 0.069, 0.071, 0.649, 0.651, 2.0, 4.9])
def test_volatilities_on_both_sides_of_every_table_are_found(volatility: float) -> None:
    strike = 100 * np.exp(np.linspace(-0.5, 0.5, 11) * volatility)
    one = np.ones(11)
    terms = (100 * one, strike, 0.25 * one, 0.02 * one, 0.01 * one)
    price = american_price(*terms, volatility, "P")
    value, status = invert(price, *terms, -one)
    alive = price > np.maximum(strike - 100, 0) + 1e-5
    assert alive.sum() >= 8
    assert (status[alive] == OK).all()
    np.testing.assert_allclose(value[alive], volatility, atol=2e-6)


def test_contracts_that_share_nothing_are_inverted_too() -> None:
    terms = extreme(seed=12, count=40, lowest_rate=0.01)
    terms["spot"] = np.exp(np.linspace(-0.3, 0.3, 40) * terms["volatility"] * np.sqrt(terms["years"]))
    terms["right"] = np.full(40, "P")
    price = american_price(**terms)
    value, status = inverted(price, terms)
    assert (status == OK).sum() >= 35
    np.testing.assert_allclose(value[status == OK], terms["volatility"][status == OK], atol=2e-5)


def test_brents_root_of_the_high_precision_price_is_met() -> None:
    for strike, price in ((95.0, 4.1), (105.0, 9.3), (120.0, 20.8)):
        expected = brentq(
            lambda sigma, strike=strike, price=price: (
                american_figure(100.0, strike, 365, 0.05, 0.01, sigma, Right.PUT) - price
            ),
            0.01,
            2.0,
            xtol=1e-9,
        )
        one = np.ones(1)
        value, status = invert(price * one, 100 * one, strike * one, one, 0.05 * one, 0.01 * one, -one)
        assert status[0] == OK
        assert value[0] == pytest.approx(expected, abs=1e-6)


def test_a_price_with_hardly_any_time_value_determines_nothing() -> None:
    strike = np.array([150.0, 150.0, 160.0])
    one = np.ones(3)
    price = np.array([50.0, 50.0 + 1e-9, 60.0])
    value, status = invert(price, 100 * one, strike, one, 0.05 * one, 0.0 * one, -one)
    assert (status == NOT_DETERMINED).all()
    assert np.isnan(value).all()


def test_two_boundaries_are_inverted_by_the_reference() -> None:
    one = np.ones(2)
    terms = (100 * one, np.array([95.0, 105.0]), one, -0.02 * one, -0.05 * one)
    value, status = invert(american_price(*terms, 0.2, "P"), *terms, -one)
    assert (status == OK).all()
    np.testing.assert_allclose(value, 0.2, atol=1e-6)


def test_nothing_is_inverted_into_nothing() -> None:
    value, status = invert(*(np.empty(0) for _ in range(7)))
    assert value.shape == status.shape == (0,)

"""European options against QuantLib, published tables and laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pricing.quantlib_oracle import european_figures
from vaultdash.domain.option import Right
from vaultdash.pricing import european

GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho")
spots = st.floats(50, 1000)
moneyness = st.floats(0.5, 2.0)
tenors = st.floats(0.01, 5)
rates = st.floats(-0.05, 0.15)
yields = st.floats(-0.05, 0.10)
volatilities = st.floats(0.05, 1.0)
rights = st.sampled_from(["C", "P"])
unhurried = settings(deadline=None)  # the first example may load scipy


def test_price_and_all_greeks_agree_with_quantlib_to_1e_10() -> None:
    grid = list(
        itertools.product(
            [380.0],
            [150.0, 300.0, 370.0, 380.0, 390.0, 460.0, 900.0],
            [1, 7, 30, 182, 365, 912],
            [-0.01, 0.0, 0.045],
            [0.0, 0.004, -0.02],
            [0.05, 0.16, 0.85],
            [Right.CALL, Right.PUT],
        )
    )
    expected = np.array([european_figures(*row) for row in grid])
    spot, strike, days, rate, dividend_yield, volatility, right = zip(*grid, strict=True)
    value = european(spot, strike, np.array(days) / 365, rate, dividend_yield, volatility, right)
    for column, name in enumerate(GREEKS):
        np.testing.assert_allclose(getattr(value, name), expected[:, column], rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        # Hull, Options, Futures and Other Derivatives, example of the Black-Scholes-Merton chapter: 4.76 and 0.81
        ((42, 40, 0.5, 0.10, 0.0, 0.20, "C"), 4.76),
        ((42, 40, 0.5, 0.10, 0.0, 0.20, "P"), 0.81),
        # Hull, the index option with a yield: 51.83
        ((930, 900, 2 / 12, 0.08, 0.03, 0.20, "C"), 51.83),
        # Haug, The Complete Guide to Option Pricing Formulas, 1.1.1 (Black-Scholes) and 1.1.2 (Merton, with a yield)
        ((60, 65, 0.25, 0.08, 0.0, 0.30, "C"), 2.1334),
        ((100, 95, 0.5, 0.10, 0.05, 0.20, "P"), 2.4648),
    ],
)
def test_textbook_prices_are_reproduced_to_their_last_digit(arguments: tuple[object, ...], printed: float) -> None:
    digits = len(str(printed).split(".")[1])
    assert round(float(european(*arguments).price), digits) == printed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spot", "volatility", "years", "printed"),
    [
        # Longstaff & Schwartz 2001, table 1, column "closed form European": put, K = 40, r = 0.06
        (36, 0.20, 1, 3.844),
        (36, 0.20, 2, 3.763),
        (36, 0.40, 1, 6.711),
        (36, 0.40, 2, 7.700),
        (40, 0.20, 1, 2.066),
        (40, 0.20, 2, 2.356),
        (40, 0.40, 1, 5.060),
        (40, 0.40, 2, 6.326),
        (44, 0.20, 1, 1.017),
        (44, 0.20, 2, 1.429),
        (44, 0.40, 1, 3.783),
        (44, 0.40, 2, 5.202),
    ],
)
def test_longstaff_schwartz_european_column_is_reproduced(
    spot: float, volatility: float, years: float, printed: float
) -> None:
    assert float(european(spot, 40, years, 0.06, 0.0, volatility, "P").price) == pytest.approx(printed, abs=5.1e-4)


def test_hulls_greeks_of_a_twenty_week_call_are_reproduced() -> None:
    # Hull, chapter on the Greek letters: S = 49, K = 50, r = 5 %, sigma = 20 %, 20 weeks
    value = european(49, 50, 20 / 52, 0.05, 0.0, 0.20, "C")
    assert round(float(value.delta), 3) == 0.522
    assert round(float(value.gamma), 3) == 0.066
    assert round(float(value.vega), 1) == 12.1
    assert round(float(value.theta), 2) == -4.31
    assert round(float(value.rho), 2) == 8.91


@unhurried
@given(spots, moneyness, tenors, rates, yields, volatilities)
def test_put_call_parity_holds(
    spot: float, ratio: float, years: float, rate: float, dividend_yield: float, volatility: float
) -> None:
    strike = spot * ratio
    call, put = european(spot, strike, years, rate, dividend_yield, volatility, ["C", "P"]).price
    forward = spot * np.exp(-dividend_yield * years) - strike * np.exp(-rate * years)
    assert call - put == pytest.approx(forward, abs=1e-9)


@unhurried
@given(spots, moneyness, tenors, rates, yields, volatilities, rights)
def test_price_lies_between_the_discounted_intrinsic_value_and_its_cap(
    spot: float, ratio: float, years: float, rate: float, dividend_yield: float, volatility: float, right: str
) -> None:
    strike = spot * ratio
    price = float(european(spot, strike, years, rate, dividend_yield, volatility, right).price)
    share, cash = spot * np.exp(-dividend_yield * years), strike * np.exp(-rate * years)
    floor, cap = (share - cash, share) if right == "C" else (cash - share, cash)
    assert max(floor, 0.0) - 1e-9 <= price <= cap + 1e-9


@unhurried
@given(spots, tenors, rates, yields, volatilities)
def test_put_rises_and_call_falls_with_strike_and_both_are_convex(
    spot: float, years: float, rate: float, dividend_yield: float, volatility: float
) -> None:
    strikes = spot * np.linspace(0.5, 2.0, 31)
    put = european(spot, strikes, years, rate, dividend_yield, volatility, "P").price
    call = european(spot, strikes, years, rate, dividend_yield, volatility, "C").price
    assert (np.diff(put) >= -1e-9).all()
    assert (np.diff(call) <= 1e-9).all()
    assert (np.diff(put, 2) >= -1e-9).all()
    assert (np.diff(call, 2) >= -1e-9).all()


@unhurried
@given(spots, moneyness, tenors, rates, yields, rights)
def test_price_never_falls_when_volatility_rises(
    spot: float, ratio: float, years: float, rate: float, dividend_yield: float, right: str
) -> None:
    rising = np.linspace(0.0, 1.5, 40)
    assert (np.diff(european(spot, spot * ratio, years, rate, dividend_yield, rising, right).price) >= -1e-9).all()


@unhurried
@given(st.floats(0.8, 1.25), st.floats(0.1, 3), rates, yields, st.floats(0.1, 0.8), rights)
def test_greeks_are_the_slopes_of_the_price(
    ratio: float, years: float, rate: float, dividend_yield: float, volatility: float, right: str
) -> None:
    point = {
        "spot": 100.0,
        "strike": 100 * ratio,
        "years": years,
        "rate": rate,
        "dividend_yield": dividend_yield,
        "volatility": volatility,
    }

    def slope(name: str, step: float) -> float:
        above, below = ({**point, name: point[name] + sign * step} for sign in (1, -1))
        difference = european(**above, right=right).price - european(**below, right=right).price
        return float(difference) / (2 * step)

    value = european(**point, right=right)
    assert float(value.delta) == pytest.approx(slope("spot", 1e-3), abs=1e-6)
    assert float(value.vega) == pytest.approx(slope("volatility", 1e-4), abs=1e-3)
    assert float(value.theta) == pytest.approx(-slope("years", 1e-4), abs=1e-3)
    assert float(value.rho) == pytest.approx(slope("rate", 1e-4), abs=1e-3)


def test_expired_option_is_worth_its_intrinsic_value_and_delta_is_a_step() -> None:
    value = european(100, [90, 100, 110], 0, 0.05, 0.02, 0.2, "P")
    assert value.price.tolist() == [0.0, 0.0, 10.0]
    assert value.delta.tolist() == [0.0, -0.5, -1.0]
    assert european(100, [90, 100, 110], 0, 0.05, 0.02, 0.2, "C").delta.tolist() == [1.0, 0.5, 0.0]
    for greek in (value.gamma, value.vega, value.theta, value.rho):
        assert greek.tolist() == [0.0, 0.0, 0.0]


def test_without_volatility_the_price_is_the_discounted_intrinsic_value_of_the_forward() -> None:
    value = european(100, [90, 130], 2, 0.05, 0.01, 0, "P")
    assert value.price[0] == 0.0
    assert value.price[1] == pytest.approx(130 * np.exp(-0.10) - 100 * np.exp(-0.02), abs=1e-12)
    assert value.delta[1] == pytest.approx(-np.exp(-0.02), abs=1e-15)
    assert value.rho[1] == pytest.approx(-2 * 130 * np.exp(-0.10), abs=1e-12)
    assert value.gamma.tolist() == value.vega.tolist() == [0.0, 0.0]


def test_vanishing_volatility_and_time_are_approached_without_a_jump() -> None:
    strikes = np.array([80.0, 99.0, 101.0, 120.0])
    for argument, small in (("volatility", 1e-9), ("years", 1e-12)):
        point = {
            "spot": 100.0,
            "strike": strikes,
            "years": 1.0,
            "rate": 0.0,
            "dividend_yield": 0.0,
            "volatility": 0.2,
        }
        near, at = (european(**{**point, argument: value}, right="P") for value in (small, 0.0))  # type: ignore[arg-type]
        np.testing.assert_allclose(near.price, at.price, atol=1e-9)
        np.testing.assert_allclose(near.delta, at.delta, atol=1e-9)


def test_every_figure_takes_the_shape_to_which_all_inputs_broadcast() -> None:
    value = european(np.full((3, 1), 100.0), [90, 100], 1, 0.05, 0, 0.2, "P")
    assert {getattr(value, name).shape for name in GREEKS} == {(3, 2)}
    assert {getattr(european(100, 90, 1, 0.05, 0, 0.2, ["C", "P"]), name).shape for name in GREEKS} == {(2,)}
    scalar = european(100, 90, 1, 0.05, 0, 0.2, "C")
    assert {getattr(scalar, name).shape for name in GREEKS} == {()}
    assert {getattr(scalar, name).dtype for name in GREEKS} == {np.dtype(np.float64)}
    assert all(isinstance(getattr(scalar, name), np.ndarray) for name in GREEKS)


def test_right_may_be_a_letter_a_domain_right_or_an_array_of_either() -> None:
    letters = european(100, 90, 1, 0.05, 0, 0.2, ["C", "P"]).price
    assert european(100, 90, 1, 0.05, 0, 0.2, [Right.CALL, Right.PUT]).price.tolist() == letters.tolist()
    assert float(european(100, 90, 1, 0.05, 0, 0.2, Right.PUT).price) == letters[1]
    objects = np.array([Right.CALL, Right.PUT], dtype=object)
    assert european(100, 90, 1, 0.05, 0, 0.2, objects).price.tolist() == letters.tolist()


def test_absurdly_far_strikes_are_priced_at_their_limits() -> None:
    value = european(1e300, [1e-10, 1e300], 1, 0, 0, 0.2, "C")
    assert np.isfinite(value.price).all()
    assert value.price[0] == 1e300

"""The compiled American kernels against QuantLib's high precision, against the reference, and against themselves."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pricing.american_grid import Terms, chain, extreme, most_extreme, oracle
from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.option import Right
from vaultdash.pricing import american, american_price, european, implied_volatility
from vaultdash.pricing.american_lanes import below, exponential
from vaultdash.pricing.compiled import Engine, kernels_problem

GREEKS = ("price", "delta", "gamma", "vega", "theta")
few = settings(max_examples=40, deadline=None)
ratios = st.floats(0.6, 1.6)
tenors = st.floats(0.01, 3)
volatilities = st.floats(0.05, 1.5)
rights = st.sampled_from(["C", "P"])


def rows(terms: Terms, chosen: np.ndarray) -> Terms:
    return {name: column[chosen] for name, column in terms.items()}


def test_kernels_can_be_compiled_here() -> None:
    american(100, 100, 1, 0.05, 0, 0.2, "P")
    assert kernels_problem() is None


def test_an_extreme_grid_agrees_with_quantlibs_high_precision() -> None:
    terms = extreme(seed=1, count=300)
    np.testing.assert_allclose(american_price(**terms), oracle(terms), atol=1e-6)


def test_the_most_extreme_grid_agrees_too_and_no_greek_leaves_its_range() -> None:
    terms = most_extreme(seed=21, count=160)
    sign = np.where(terms["right"] == "C", 1.0, -1.0)
    now = np.maximum(sign * (terms["spot"] - 1.0), 0.0)
    value = american(**terms)
    np.testing.assert_allclose(value.price, np.maximum(oracle(terms), now), rtol=0, atol=1e-6)
    assert (np.abs(value.delta) <= 1).all()
    assert (value.delta * sign >= 0).all()
    assert (value.gamma >= 0).all()
    assert (value.vega >= 0).all()
    assert (value.theta <= 0).all()


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize(
    "terms", [(380.0, 328.0, 2.93, 0.0, 0.25, 0.0785, "C"), (380.0, 268.0, 15.6, 0.01, 0.3, 0.02, "C")]
)
def test_a_call_whose_yield_outweighs_its_volatility_is_exercised_and_tells_no_volatility(
    engine: Engine, terms: tuple[float, float, float, float, float, float, str]
) -> None:
    value = american(*terms, engine=engine)
    assert float(value.price) == terms[0] - terms[1]
    assert [float(getattr(value, name)) for name in GREEKS[1:]] == [1.0, 0.0, 0.0, 0.0]
    found = implied_volatility(value.price, *terms[:5], "C", engine=engine)
    assert (str(found.status), np.isnan(found.value)) == ("not_determined", True)


def test_small_rates_with_high_volatility_agree_with_quantlibs_high_precision() -> None:
    terms = extreme(seed=2, count=80)
    terms["rate"] = np.random.default_rng(2).uniform(0.0001, 0.01, 80)
    terms["volatility"] = np.linspace(0.6, 1.5, 80)
    terms["right"] = np.full(80, "P")
    np.testing.assert_allclose(american_price(**terms), oracle(terms), atol=1e-6)


def test_rate_and_yield_close_to_each_other_agree_with_quantlibs_high_precision() -> None:
    terms = extreme(seed=3, count=80, lowest_rate=0.001)
    terms["dividend_yield"] = terms["rate"] * np.linspace(0.9, 1.3, 80)
    np.testing.assert_allclose(american_price(**terms), oracle(terms), atol=1e-6)


def test_negative_yields_agree_with_quantlibs_high_precision() -> None:
    terms = extreme(seed=4, count=60, lowest_rate=0.0)
    terms["dividend_yield"] = np.linspace(-0.05, -0.0001, 60)
    terms["right"] = np.full(60, "P")
    np.testing.assert_allclose(american_price(**terms), oracle(terms), atol=1e-6)


def test_a_chain_agrees_with_quantlibs_high_precision_to_a_hundredth_of_a_cent() -> None:
    terms = chain()
    np.testing.assert_allclose(american_price(**terms), oracle(terms), atol=5e-5)


def test_a_chain_is_worth_what_its_contracts_are_worth_alone() -> None:
    terms = chain()
    together = american(**terms, rho=True)
    alone = [american(**rows(terms, np.array([place])), rho=True) for place in range(0, len(terms["spot"]), 7)]
    for name, tolerance in zip((*GREEKS, "rho"), (1e-6, 1e-7, 1e-7, 1e-3, 1e-5, 1e-3), strict=True):
        each = np.concatenate([getattr(value, name) for value in alone])
        np.testing.assert_allclose(getattr(together, name)[::7], each, atol=tolerance, err_msg=name)


def test_the_order_of_a_chain_does_not_matter() -> None:
    terms = chain()
    order = np.random.default_rng(5).permutation(len(terms["spot"]))
    straight, mixed = american(**terms), american(**rows(terms, order))
    for name in GREEKS:
        np.testing.assert_allclose(getattr(mixed, name), getattr(straight, name)[order], rtol=1e-12, atol=1e-14)


def test_kernel_and_reference_agree() -> None:
    terms = rows(chain(2, 12), np.arange(24))
    kernel, reference = american(**terms, rho=True), american(**terms, rho=True, engine="reference")
    for name, tolerance in {
        "price": 2e-3, "delta": 1e-3, "gamma": 1e-3, "vega": 0.3, "theta": 0.05, "rho": 0.5,
    }.items():  # fmt: skip
        np.testing.assert_allclose(getattr(kernel, name), getattr(reference, name), atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(american_price(**terms, engine="reference"), reference.price)


@pytest.mark.parametrize("distance", [1e-4, 1e-3, 1e-2, 0.1])
def test_greeks_hold_at_the_boundary(distance: float) -> None:
    # At the boundary B delta is -1 and theta 0; by the Black-Scholes equation gamma is 2 (rK - qB) / (sigma B)^2.
    spots = np.linspace(70.0, 99.0, 2901)
    value = american(spots, 100.0, 1.0, 0.05, 0.01, 0.2, "P")
    boundary = spots[value.price > 100.0 - spots][0]
    near = american(boundary * (1 + distance * 0.2), 100.0, 1.0, 0.05, 0.01, 0.2, "P")
    limit = 2 * (0.05 * 100 - 0.01 * boundary) / (0.2 * boundary) ** 2
    assert float(near.gamma) == pytest.approx(limit, rel=0.01 + 3 * distance)
    assert float(near.theta) == pytest.approx(0.0, abs=0.005 + 5 * distance)
    assert -1.0 <= float(near.delta) <= -1.0 + 0.02 + limit * boundary * 0.2 * distance * 1.5


def test_greeks_are_the_slopes_of_the_high_precision_price_on_an_extreme_grid() -> None:
    terms = extreme(seed=6, count=25, lowest_rate=0.001)
    terms["years"] = np.maximum(terms["years"], 20 / 365)
    terms["right"] = np.full(25, "P")

    def moved(**steps: np.ndarray) -> np.ndarray:
        return oracle({**terms, **{name: terms[name] + step for name, step in steps.items()}})

    step = 0.01 * terms["spot"] * terms["volatility"] * np.sqrt(terms["years"])
    bump = np.full(25, 1e-4)
    value, middle = american(**terms, rho=True), moved()
    up, down = moved(spot=step), moved(spot=-step)
    inside = ~((value.price <= 1 - terms["spot"] + 1e-4) & (terms["spot"] < 1))
    for name, found, expected, tolerance in (
        ("delta", value.delta, (up - down) / (2 * step), 1e-4),
        ("gamma", value.gamma * step, (up - 2 * middle + down) / step, 1e-4),
        ("vega", value.vega, (moved(volatility=bump) - moved(volatility=-bump)) / 2e-4, 1e-4),
        ("rho", value.rho, (moved(rate=bump) - moved(rate=-bump)) / 2e-4, 1e-3),
    ):
        np.testing.assert_allclose(found[inside], expected[inside], atol=tolerance, err_msg=name)


@few
@given(ratios, tenors, st.floats(-0.01, 0.1), st.floats(-0.02, 0.08), volatilities, rights)
def test_worth_at_least_the_european_option_and_the_intrinsic_value(
    ratio: float, years: float, rate: float, dividend_yield: float, volatility: float, right: str
) -> None:
    strikes = 100.0 * ratio * np.linspace(0.9, 1.1, 8)  # enough to share their boundaries
    terms = (100.0, strikes, years, rate, dividend_yield, volatility, right)
    price = american_price(*terms)
    sign = 1.0 if right == "C" else -1.0
    assert (price >= np.maximum(sign * (100.0 - strikes), 0.0)).all()
    assert (price >= european(*terms).price - 1e-6).all()


@few
@given(ratios, tenors, st.floats(0.0, 0.1), st.floats(0.0, 0.08), rights)
def test_never_cheaper_with_more_volatility(
    ratio: float, years: float, rate: float, dividend_yield: float, right: str
) -> None:
    rising = np.linspace(0.08, 1.5, 30)  # the kernels leave long contracts with less to the reference
    value = american(100.0, 100.0 * ratio, years, rate, dividend_yield, rising, right)
    assert (np.diff(value.price) >= -2e-5).all()
    assert (value.vega >= 0).all()
    assert (np.abs(value.delta) <= 1).all()
    assert (value.gamma >= 0).all()


@few
@given(ratios, tenors, st.floats(0.0, 0.1), st.floats(0.0, 0.08), volatilities)
def test_a_call_is_the_put_with_spot_and_strike_rate_and_yield_exchanged(
    ratio: float, years: float, rate: float, dividend_yield: float, volatility: float
) -> None:
    strikes = 100.0 * ratio * np.linspace(0.9, 1.1, 8)
    call = american(100.0, strikes, years, rate, dividend_yield, volatility, "C")
    put = american(strikes, 100.0, years, dividend_yield, rate, volatility, "P")
    np.testing.assert_allclose(call.price, put.price, atol=1e-5)
    # Homogeneity of degree one: C = S C_S + K C_K, and C_K is the delta of the mirrored put.
    np.testing.assert_allclose(call.delta, (call.price - strikes * put.delta) / 100.0, atol=1e-5)


@pytest.mark.parametrize("volatility", [1e-6, 1e-4, 0.003, 0.02, 4.9, 40.0])
@pytest.mark.parametrize("years", [1e-18, 1e-6, 0.001, 1.0, 5.0])
def test_the_reach_of_the_kernels_has_no_edge_that_shows(volatility: float, years: float) -> None:
    terms = (100.0, [60.0, 99.0, 100.0, 101.0, 160.0], years, 0.05, 0.02, volatility, "P")
    value, reference = american(*terms), american_price(*terms, engine="reference")
    np.testing.assert_allclose(value.price, reference, atol=2e-3)
    assert all(np.isfinite(getattr(value, name)).all() for name in GREEKS)


def test_one_row_two_rows_and_none_are_priced() -> None:
    for count in (0, 1, 2, 15, 16, 17):
        years = np.linspace(0.5, 1.0, count)
        value = american(100.0, 105.0, years, 0.05, 0.0, 0.2, "P", rho=True)
        assert value.price.shape == (count,)
        assert all(np.isfinite(getattr(value, name)).all() for name in (*GREEKS, "rho"))


def test_rows_of_every_kind_in_one_call_are_what_they_are_alone() -> None:
    # rate, yield, right, volatility, years: one boundary, two, none, no volatility, expired, out of reach
    kinds = [
        (0.05, 0.01, "P", 0.2, 1.0),
        (-0.02, -0.05, "P", 0.2, 1.0),
        (0.05, 0.0, "C", 0.2, 1.0),
        (0.05, 0.01, "P", 0.0, 1.0),
        (0.05, 0.01, "P", 0.2, 0.0),
        (0.05, 0.01, "P", 0.0005, 1.0),
    ]
    rate, dividend_yield, right, volatility, years = (np.array(column) for column in zip(*kinds, strict=True))
    together = american(100.0, 103.0, years, rate, dividend_yield, volatility, right, rho=True)
    for place, (one_rate, one_yield, one_right, one_volatility, one_years) in enumerate(kinds):
        alone = american(100.0, 103.0, one_years, one_rate, one_yield, one_volatility, one_right, rho=True)
        for name in (*GREEKS, "rho"):
            assert getattr(together, name)[place] == pytest.approx(float(getattr(alone, name)), abs=1e-9)


def test_threads_do_not_disturb_each_other() -> None:
    terms = chain(3, 30)
    spots = (370.0, 380.0, 390.0, 400.0)
    expected = [american_price(**{**terms, "spot": np.full(90, spot)}) for spot in spots]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda spot: american_price(**{**terms, "spot": np.full(90, spot)}), spots * 5))
    np.testing.assert_array_equal(found, expected * 5)


def test_the_elementary_functions_are_those_of_scipy() -> None:
    from scipy.special import ndtr

    numbers = np.linspace(-9.0, 9.0, 1001)
    found = [below(x, exponential(-0.5 * x * x)) for x in numbers.tolist()]
    np.testing.assert_allclose(found, ndtr(numbers), atol=1e-14, rtol=1e-7)


def test_pricing_does_not_load_numba_before_a_kernel_is_needed() -> None:
    check = (
        "import sys, vaultdash.pricing, vaultdash.pricing.american_chain; "
        "print({'numba', 'QuantLib', 'scipy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_theta_is_the_change_of_the_high_precision_price_in_time() -> None:
    for strike in (90.0, 100.0, 108.0):
        longer, shorter = (american_figure(100, strike, days, 0.05, 0.01, 0.25, Right.PUT) for days in (367, 363))
        theta = american(100, strike, 1.0, 0.05, 0.01, 0.25, "P").theta
        assert float(theta) == pytest.approx(-(longer - shorter) * 365 / 4, abs=1e-3)

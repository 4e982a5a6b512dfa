"""American options against QuantLib's high precision, published tables and laws."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # the short name of its own documentation
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.option import Right
from vaultdash.pricing import american, american_price, european

GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho")
ratios = st.floats(0.6, 1.6)
tenors = st.floats(0.02, 3)
rates = st.floats(-0.03, 0.12)
yields = st.floats(-0.03, 0.10)
volatilities = st.floats(0.08, 0.9)
rights = st.sampled_from(["C", "P"])
few = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(
    ("spot", "volatility", "years", "printed"),
    [
        # Longstaff & Schwartz 2001, table 1, column "finite difference American": put, K = 40, r = 0.06,
        # exercisable 50 times a year, so a little below the American value
        (36, 0.20, 1, 4.478),
        (36, 0.20, 2, 4.840),
        (36, 0.40, 1, 7.101),
        (36, 0.40, 2, 8.508),
        (38, 0.20, 1, 3.250),
        (38, 0.20, 2, 3.745),
        (38, 0.40, 1, 6.148),
        (38, 0.40, 2, 7.670),
        (40, 0.20, 1, 2.314),
        (40, 0.20, 2, 2.885),
        (40, 0.40, 1, 5.312),
        (40, 0.40, 2, 6.920),
        (42, 0.20, 1, 1.617),
        (42, 0.20, 2, 2.212),
        (42, 0.40, 1, 4.582),
        (42, 0.40, 2, 6.248),
        (44, 0.20, 1, 1.110),
        (44, 0.20, 2, 1.690),
        (44, 0.40, 1, 3.948),
        (44, 0.40, 2, 5.647),
    ],
)
def test_longstaff_schwartz_american_column_is_reproduced(
    spot: float, volatility: float, years: float, printed: float
) -> None:
    value = float(american(spot, 40, years, 0.06, 0.0, volatility, "P").price)
    assert printed - 0.001 <= value <= printed + 0.01


def test_early_exercise_premium_of_andersen_lake_offengenden_is_reproduced() -> None:
    # Andersen, Lake & Offengenden 2016: K = S = 100, r = q = 5 %, sigma = 25 %, one year; premium 0.106952703
    point = (100, 100, 1, 0.05, 0.05, 0.25, "P")
    assert float(american(*point).price - european(*point).price) == pytest.approx(0.106952703, abs=1e-8)


@pytest.mark.parametrize("days", [7, 91, 365, 912])
@pytest.mark.parametrize("volatility", [0.10, 0.16, 0.40])
def test_puts_agree_with_quantlibs_high_precision(days: int, volatility: float) -> None:
    strikes = [304.0, 361.0, 380.0, 399.0, 456.0]
    expected = [american_figure(380.0, strike, days, 0.045, 0.004, volatility, Right.PUT) for strike in strikes]
    value = american(380.0, strikes, days / 365, 0.045, 0.004, volatility, "P")
    np.testing.assert_allclose(value.price, expected, atol=5e-4)


def test_calls_with_a_yield_agree_with_quantlibs_high_precision() -> None:
    strikes = [304.0, 361.0, 380.0, 399.0, 456.0]
    expected = [american_figure(380.0, strike, 365, 0.03, 0.06, 0.2, Right.CALL) for strike in strikes]
    np.testing.assert_allclose(american(380.0, strikes, 1.0, 0.03, 0.06, 0.2, "C").price, expected, atol=5e-4)


def test_calls_on_gold_are_priced_as_european() -> None:
    one, other = (price(460, [400, 460, 500], 1, 0.045, 0.0, 0.16, "C") for price in (american, european))
    for name in GREEKS[:-1]:
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@few
@given(ratios, tenors, rates, yields, volatilities, rights)
def test_worth_at_least_the_european_option_and_the_intrinsic_value(
    ratio: float, years: float, rate: float, dividend_yield: float, volatility: float, right: str
) -> None:
    point = (100.0, 100 * ratio, years, rate, dividend_yield, volatility, right)
    price = float(american_price(*point))
    intrinsic = max(100 - 100 * ratio, 0.0) if right == "C" else max(100 * ratio - 100, 0.0)
    assert price >= float(european(*point).price) - 1e-11
    assert price >= intrinsic
    assert price <= (100.0 if right == "C" else 100 * ratio) * np.exp(max(0.0, -rate, -dividend_yield) * years) + 1e-9


@few
@given(tenors, st.floats(0.0, 0.12), st.floats(0.0, 0.10), volatilities)
def test_put_rises_with_strike_by_at_most_the_strike_and_is_convex(
    years: float, rate: float, dividend_yield: float, volatility: float
) -> None:
    strikes = np.linspace(70, 140, 15)
    price = american_price(100, strikes, years, rate, dividend_yield, volatility, "P")
    assert (np.diff(price) >= -1e-4).all()
    assert (np.diff(price) <= 5.0 + 1e-4).all()
    assert (np.diff(price, 2) >= -5e-4).all()


@few
@given(ratios, rates, yields, rights)
def test_never_cheaper_with_more_volatility_or_more_time(
    ratio: float, rate: float, dividend_yield: float, right: str
) -> None:
    rising = np.linspace(0.1, 0.9, 9)
    by_volatility = american_price(100, 100 * ratio, 1.0, rate, dividend_yield, rising, right)
    by_time = american_price(100, 100 * ratio, 3 * rising, rate, dividend_yield, 0.2, right)
    assert (np.diff(by_volatility) >= -2e-3).all()
    assert (np.diff(by_time) >= -2e-3).all()


@pytest.mark.parametrize("strike", [85.0, 100.0, 110.0, 118.0])
@pytest.mark.parametrize(("rate", "dividend_yield"), [(0.045, 0.0), (0.05, 0.05), (0.02, -0.01)])
def test_greeks_are_the_slopes_of_the_high_precision_price(strike: float, rate: float, dividend_yield: float) -> None:
    def price(spot: float = 100.0, days: int = 365, shift: float = 0.0, bump: float = 0.0) -> float:
        return american_figure(spot, strike, days, rate + shift, dividend_yield, 0.2 + bump, Right.PUT)

    value = american(100.0, strike, 1.0, rate, dividend_yield, 0.2, "P", rho=True)
    up, middle, down = price(100.5), price(), price(99.5)
    assert float(value.delta) == pytest.approx(up - down, abs=1e-3)
    assert float(value.gamma) == pytest.approx((up - 2 * middle + down) / 0.25, abs=1e-3)
    assert float(value.vega) == pytest.approx((price(bump=1e-3) - price(bump=-1e-3)) / 2e-3, abs=0.1)
    assert float(value.theta) == pytest.approx(-(price(days=367) - price(days=363)) * 365 / 4, abs=0.02)
    assert float(value.rho) == pytest.approx((price(shift=1e-3) - price(shift=-1e-3)) / 2e-3, abs=0.2)


def test_rho_is_finite_where_the_rate_cannot_move_without_changing_the_method() -> None:
    point = (100, 105, 1, -1e-5, -2e-5, 0.2, "P")
    for engine in ("kernel", "reference"):
        rho = float(american(*point, rho=True, engine=engine).rho)
        assert rho == pytest.approx(float(european(*point).rho), abs=0.5)


def test_a_contract_in_which_quantlib_finds_no_boundary_is_priced() -> None:
    # QdFp raises "root not bracketed": rate and yield all but vanish, and differ by still less
    point = (98.4894201202899, 100.0, 1.0, 7.970595436436115e-08, 8.051315982155656e-08, 1.9696087151013676e-05, "P")
    assert float(american_price(*point)) == pytest.approx(100 - point[0], abs=1e-4)
    assert float(american_price(100, 90, 7e-20, 0.04, 0.09, 0.001, "C")) == 10.0  # no time for any volatility


def test_put_call_symmetry_holds() -> None:
    # McDonald & Schroder 1998: C(S, K, r, q) = P(K, S, q, r)
    for rate, dividend_yield in ((0.02, 0.06), (-0.04, -0.01)):
        call = american_price(100, [90, 100, 115], 1.5, rate, dividend_yield, 0.25, "C")
        put = american_price([90, 100, 115], 100, 1.5, dividend_yield, rate, 0.25, "P")
        np.testing.assert_allclose(call, put, atol=2e-3)


def test_puts_with_two_boundaries_are_priced_by_finite_differences() -> None:
    strikes = np.array([80.0, 100.0, 120.0])
    value = american(100, strikes, 1, -0.02, -0.05, 0.2, "P", rho=True)
    whole = european(100, strikes, 1, -0.02, -0.05, 0.2, "P")
    assert (value.price > whole.price + 0.01).all()
    assert all(np.isfinite(getattr(value, name)).all() for name in GREEKS)
    above, below = (american_price(100 + step, strikes, 1, -0.02, -0.05, 0.2, "P") for step in (0.5, -0.5))
    np.testing.assert_allclose(value.delta, above - below, atol=2e-3)
    assert (value.theta < 0).all()


def test_the_price_is_continuous_where_the_method_changes() -> None:
    for right, border in (("P", (0.0, -0.03)), ("P", (-0.03, -0.03)), ("C", (0.03, 0.0)), ("C", (-0.03, -0.03))):
        rate, dividend_yield = border
        moved = np.array([-1e-5, 0.0, 1e-5])
        for rates_, yields_ in ((rate + moved, dividend_yield), (rate, dividend_yield + moved)):
            price = american_price(100, 105, 1, rates_, yields_, 0.2, right)
            assert np.ptp(price) < 5e-3


def test_a_put_that_is_best_exercised_now_is_its_intrinsic_value() -> None:
    value = american(100, [160.0, 154.5], 1, 0.05, 0.0, 0.1, "P", rho=True)
    assert value.price.tolist() == [60.0, 54.5]
    assert value.delta.tolist() == [-1.0, -1.0]
    for greek in (value.gamma, value.vega, value.theta, value.rho):
        assert greek.tolist() == [0.0, 0.0]


def test_worthless_far_option_has_no_delta() -> None:
    value = american(100, 20, 0.02, 0.05, 0.0, 0.1, "P")
    assert float(value.price) < 1e-12
    assert abs(float(value.delta)) < 1e-9


def test_a_nearly_worthless_option_keeps_its_tiny_price() -> None:
    point = (100, 75, 0.04, 0.05, 0.0, 0.2, "P")
    assert 0 < float(european(*point).price) <= float(american_price(*point)) < 1e-11


def test_more_time_never_makes_it_cheaper_so_theta_is_never_positive() -> None:
    strikes = 380 * np.linspace(0.9, 1.4, 101)
    for years in (1 / 8760, 0.02, 0.25, 1.0):
        for volatility in (0.05, 0.16, 0.3, 0.8):
            assert (american(380, strikes, years, 0.045, 0.0, volatility, "P").theta <= 0).all()


def test_expired_option_is_worth_its_intrinsic_value() -> None:
    value = american(100, [90, 110], 0, 0.05, 0.02, 0.2, "P", rho=True)
    assert value.price.tolist() == [0.0, 10.0]
    assert value.delta.tolist() == [0.0, -1.0]
    assert value.gamma.tolist() == value.vega.tolist() == value.theta.tolist() == value.rho.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("rate", "dividend_yield"), [(0.05, 0.02), (0.02, 0.05), (-0.02, -0.05), (0.05, -0.02)])
@pytest.mark.parametrize("right", ["C", "P"])
def test_without_volatility_the_best_exercise_day_is_chosen(rate: float, dividend_yield: float, right: str) -> None:
    strikes = np.array([45.0, 80.0, 100.0, 105.0, 125.0, 220.0])  # the outer ones have their best day between
    days = np.linspace(0, 10, 100_001)[:, None]
    gain = 100 * np.exp(-dividend_yield * days) - strikes * np.exp(-rate * days)
    best = np.maximum((gain if right == "C" else -gain).max(axis=0), 0.0)
    value = american(100, strikes, 10, rate, dividend_yield, 0, right, rho=True)
    np.testing.assert_allclose(value.price, best, atol=1e-6)
    nearly = american_price(100, strikes, 10, rate, dividend_yield, 0.002, right)
    np.testing.assert_allclose(value.price, nearly, atol=0.3)
    step = 1e-4
    above, below = (american_price(100, strikes, 10 + side, rate, dividend_yield, 0, right) for side in (step, -step))
    np.testing.assert_allclose(value.theta, -(above - below) / (2 * step), atol=1e-6)


def test_rho_is_nan_unless_asked_for() -> None:
    point = (100, [90, 110, 90], [1, 1, 0], 0.05, [0.0, 0.02, 0.0], 0.2, ["C", "P", "C"])
    assert np.isnan(american(*point).rho).all()
    assert np.isfinite(american(*point, rho=True).rho).all()


def test_price_alone_is_the_price_of_the_valuation() -> None:
    point = (100, [[90], [110]], [0, 0.5, 1], 0.05, 0.02, 0.2, "P")
    assert american_price(*point).shape == (2, 3)
    np.testing.assert_array_equal(american_price(*point), american(*point).price)


def test_every_figure_takes_the_shape_to_which_all_inputs_broadcast() -> None:
    value = american(np.full((2, 1), 100.0), [90, 100, 110], 1, 0.05, 0, 0.2, "P", rho=True)
    assert {getattr(value, name).shape for name in GREEKS} == {(2, 3)}
    scalar = american(100, 90, 1, 0.05, 0, 0.2, Right.PUT)
    assert {getattr(scalar, name).shape for name in GREEKS} == {()}
    empty = american([], 90, 1, 0.05, 0, 0.2, "P")
    assert empty.price.shape == (0,)


def test_quantlibs_global_evaluation_date_changes_nothing_and_is_not_changed() -> None:
    before = american_price(100, 105, 0.7, 0.05, 0.01, 0.2, "P")
    ql.Settings.instance().evaluationDate = ql.Date(3, 3, 2031)
    assert american_price(100, 105, 0.7, 0.05, 0.01, 0.2, "P") == before
    assert ql.Settings.instance().evaluationDate == ql.Date(3, 3, 2031)


def test_threads_do_not_disturb_each_other() -> None:
    strikes = np.linspace(80, 120, 41)
    wanted = (0.1, 0.2, 0.3, 0.4)
    expected = [american_price(100, strikes, 1, 0.05, 0, volatility, "P") for volatility in wanted]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda v: american_price(100, strikes, 1, 0.05, 0, v, "P"), wanted))
    finally:
        sys.setswitchinterval(usual)
    np.testing.assert_array_equal(found, expected)


def test_importing_the_package_loads_neither_quantlib_nor_scipy() -> None:
    check = "import sys, vaultdash.pricing, vaultdash.strategies; print({'QuantLib', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"

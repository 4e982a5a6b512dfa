"""The odds of a call against figures of others: a book's, QuantLib's, and integrals."""

import math
import subprocess
import sys

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # the short name of its own documentation
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from tests.risk.closes_oracle import closes_probability
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import sigmas_to_price
from vaultdash.risk import (
    call_probability,
    distance_in_sigmas,
    ever_called,
    gap_risk,
    ltv_for_probability,
    time_to_call,
)

LOAN = {"spot": 1.0 / 0.60, "call_price": 1.0 / 0.75}  # 0.60 LTV, called at 0.75
YEAR_AT_25 = {**LOAN, "years": 1.0, "volatility": 0.25}

unhurried = settings(deadline=None)  # other processes may hold up any single example

prices = st.floats(1.0, 1000.0)
ratios = st.floats(1.001, 5.0)
horizons = st.floats(0.01, 5.0)
volatilities = st.floats(0.05, 1.5)
rates = st.floats(-0.3, 0.3)


def density(time, distance, volatility, growth):
    """f(t) of the first passage, as in the textbooks."""
    nu = growth - 0.5 * volatility**2
    spread = volatility * math.sqrt(2.0 * math.pi * time**3)
    return distance / spread * math.exp(-((distance + nu * time) ** 2) / (2.0 * volatility**2 * time))


def touched_within(years, distance, volatility, growth, weight=lambda time: 1.0):
    return integrate.quad(
        lambda time: weight(time) * density(time, distance, volatility, growth), 0.0, years, epsabs=1e-13, limit=500
    )[0]


# figures of others


@pytest.mark.parametrize(
    ("spot", "barrier", "pays", "price"),
    [
        (105.0, 100.0, "touched", 9.3604),
        (95.0, 100.0, "touched", 11.2223),
        (105.0, 100.0, "not touched", 4.9081),
        (95.0, 100.0, "not touched", 3.0461),
    ],
)
def test_one_touch_options_of_haug(spot, barrier, pays, price):
    """Haug, Option Pricing Formulas, McGraw-Hill 1998, page 95, binary barrier options 5, 6, 9 and 10.

    Cash of 15 at expiry, half a year, rate and cost of carry 10 %, volatility 20 %; the same figures stand in the
    test suite of QuantLib (digitaloption.cpp, cash at expiry or nothing). The price is 15 exp(-rT) P. Seen from
    below, a barrier above is a barrier below for 1/S, whose drift is sigma^2 - b.
    """
    if spot > barrier:
        touched = call_probability(spot, barrier, 0.5, 0.20, drift=0.10)
    else:
        touched = call_probability(1.0 / spot, 1.0 / barrier, 0.5, 0.20, drift=0.20**2 - 0.10)
    paid = touched if pays == "touched" else 1.0 - touched
    assert 15.0 * math.exp(-0.10 * 0.5) * paid == pytest.approx(price, abs=5e-5)


def test_a_barrier_option_in_two_halves_of_haug():
    """Haug, The Complete Guide to Option Pricing Formulas, 2nd edition, page 180, cases 13 and 17, strike 102.

    Down-and-in cash calls and puts of the same strike pay 15 together whenever 100 was touched: 4.9289 + 4.4314.
    """
    touched = call_probability(105.0, 100.0, 0.5, 0.20, drift=0.10)
    assert 15.0 * math.exp(-0.10 * 0.5) * touched == pytest.approx(4.9289 + 4.4314, abs=1e-4)


def test_cash_at_the_touch_of_haug():
    """Haug 1998, page 95, case 1: paid at the touch, 9.7264 = 15 times the integral of exp(-rt) f(t).

    It is the density whose integral the probability is.
    """
    distance = math.log(105.0 / 100.0)
    paid = touched_within(0.5, distance, 0.20, 0.10, lambda time: math.exp(-0.10 * time))
    assert 15.0 * paid == pytest.approx(9.7264, abs=5e-5)
    assert touched_within(0.5, distance, 0.20, 0.10) == pytest.approx(
        call_probability(105.0, 100.0, 0.5, 0.20, drift=0.10), abs=1e-10
    )


def quantlib_probability(spot, barrier, days, volatility, growth):
    """A cash-or-nothing American put paid at expiry, undiscounted: QuantLib's chance of a touch."""
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def flat(rate):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

    level = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), flat(0.0), flat(growth), level)
    option = ql.VanillaOption(
        ql.CashOrNothingPayoff(ql.Option.Put, barrier, 1.0), ql.AmericanExercise(today, today + days, True)
    )
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(process))
    return option.NPV() / math.exp(-growth * days / 365.0)


@unhurried
@given(st.floats(1.01, 3.0), st.integers(5, 1500), st.floats(0.08, 1.0), st.floats(-0.2, 0.2))
def test_quantlib_agrees(ratio, days, volatility, growth):
    """Rate g and no yield: the growth under the pricing measure is g, and the discount is divided out."""
    theirs = quantlib_probability(100.0 * ratio, 100.0, days, volatility, growth)
    ours = call_probability(100.0 * ratio, 100.0, days / 365.0, volatility, drift=growth)
    assert ours == pytest.approx(theirs, abs=1e-9)


# closed forms and integrals


@unhurried
@given(ratios, horizons, volatilities, st.floats(-0.2, 0.2))
def test_without_a_trend_of_the_logarithm_it_is_twice_the_chance_of_ending_below(ratio, years, volatility, loan_rate):
    drift = loan_rate + 0.5 * volatility**2
    expected = 2.0 * stats.norm.cdf(-math.log(ratio) / (volatility * math.sqrt(years)))
    found = call_probability(100.0 * ratio, 100.0, years, volatility, drift=drift, loan_rate=loan_rate)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-15)


@unhurried
@given(st.floats(1.02, 3.0), st.floats(0.1, 3.0), st.floats(0.1, 0.8), st.floats(-0.2, 0.2))
def test_it_is_the_integral_of_the_density(ratio, years, volatility, growth):
    integral = touched_within(years, math.log(ratio), volatility, growth)
    assert call_probability(ratio, 1.0, years, volatility, drift=growth) == pytest.approx(integral, abs=1e-8)


@unhurried
@given(st.floats(1.02, 2.0), st.floats(0.1, 1.0), st.floats(0.05, 0.5), st.floats(-0.5, -0.01))
def test_without_end_the_time_is_inverse_gaussian(ratio, volatility, pull, share):
    """With a trend down the time has the distribution that scipy calls invgauss, mean x/|nu|, shape (x/sigma)^2."""
    distance = math.log(ratio)
    mean, shape = distance / pull, (distance / volatility) ** 2
    years = mean * (1.0 + share)
    expected = stats.invgauss.cdf(years, mean / shape, scale=shape)
    assert call_probability(ratio, 1.0, years, volatility, drift=0.5 * volatility**2 - pull) == pytest.approx(
        expected, rel=1e-8, abs=1e-12
    )


@pytest.mark.parametrize(
    ("days", "ltv", "volatility", "drift", "within"),
    [
        (252, 0.60, 0.25, 0.0, 4e-4),
        (252, 0.70, 0.16, 0.05, 2e-4),
        (63, 0.60, 0.25, 0.0, 8e-4),
        (21, 0.65, 0.25, 0.0, 1.5e-3),
        (21, 0.74, 0.20, 0.0, 1.5e-3),
        (5, 0.74, 0.20, 0.0, 1.2e-2),
    ],
)
def test_closes_are_watched_as_the_integral_from_close_to_close_says(days, ltv, volatility, drift, within):
    """The shift of the barrier is an approximation; this is how good it is, and that it is better than none."""
    exact = closes_probability(math.log(0.75 / ltv), days, volatility, drift)
    daily = call_probability(0.75, ltv, days / 252, volatility, drift, monitoring="daily")
    continuous = call_probability(0.75, ltv, days / 252, volatility, drift)
    assert daily == pytest.approx(exact, abs=within)
    assert abs(continuous - exact) > 8 * abs(daily - exact)


def test_the_oracle_of_closes_knows_a_random_walk():
    """From the level itself the chance that a symmetric walk of n steps stays above is C(2n, n) / 4^n (Spitzer)."""
    n = 12
    stays = math.comb(2 * n, n) / 4**n
    assert closes_probability(0.0, n, 0.25, 0.5 * 0.25**2) == pytest.approx(1.0 - stays, abs=1e-9)


# edges


def test_at_the_call_price_and_below_it_is_certain():
    for monitoring in ("continuous", "daily"):
        assert call_probability(100.0, 100.0, 0.0, 0.0, monitoring=monitoring) == 1.0
        assert call_probability(99.0, 100.0, 1.0, 0.2, drift=0.3, monitoring=monitoring) == 1.0
        assert call_probability(100.0 * (1 + 5e-10), 100.0, 0.0, 0.2, monitoring=monitoring) == 1.0
        assert call_probability(100.0 * (1 + 5e-9), 100.0, 0.0, 0.2, monitoring=monitoring) == 0.0


def test_just_above_the_call_price_closes_leave_a_chance_that_moments_do_not():
    above = 100.0 * (1 + 1e-8)
    assert call_probability(above, 100.0, 1.0, 0.25) == pytest.approx(1.0, abs=1e-6)
    daily = call_probability(above, 100.0, 1.0, 0.25, monitoring="daily")
    assert daily == pytest.approx(closes_probability(1e-8, 252, 0.25, 0.0), abs=0.007)
    assert 0.95 < daily < 0.98


def test_without_time_nothing_happens():
    assert call_probability(110.0, 100.0, 0.0, 0.3) == 0.0
    assert call_probability(110.0, 100.0, 0.0, 0.3, monitoring="daily") == 0.0


def test_without_volatility_the_growth_decides():
    years = math.log(1.1) / 0.05
    assert call_probability(110.0, 100.0, years * 1.001, 0.0, loan_rate=0.05) == 1.0
    assert call_probability(110.0, 100.0, years * 0.999, 0.0, loan_rate=0.05) == 0.0
    assert call_probability(110.0, 100.0, 50.0, 0.0, drift=0.05, loan_rate=0.05) == 0.0


def test_little_volatility_leads_to_none():
    falls = {"years": 1.0, "loan_rate": 0.2}
    assert call_probability(110.0, 100.0, volatility=1e-4, **falls) == pytest.approx(1.0)
    assert call_probability(130.0, 100.0, volatility=1e-4, **falls) == pytest.approx(0.0)


extremes = st.sampled_from([0.0, 1e-320, 1e-200, 1e-20, 1e-3, 0.2, 1.0, 50.0, 1e20, 1e200, 1.7e308])
signed = extremes | extremes.map(lambda number: -number)
above_zero = extremes.filter(lambda number: number > 0)


@unhurried
@given(above_zero, above_zero, extremes, extremes, signed, signed, st.sampled_from(["continuous", "daily"]))
def test_no_number_is_too_large_or_too_small(spot, call_price, years, volatility, drift, loan_rate, monitoring):
    given_numbers = (spot, call_price, years, volatility, drift, loan_rate, monitoring)
    found = call_probability(*given_numbers)
    assert type(found) is float
    assert 0.0 <= found <= 1.0
    arrays = call_probability(np.array([spot, spot]), *given_numbers[1:])
    assert isinstance(arrays, np.ndarray)
    assert arrays.shape == (2,)
    assert arrays[0] == pytest.approx(found, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("distance", "growth", "volatility"), [(0.5, -0.5, 0.02), (0.5, -0.49, 0.012), (60.0, -59.0, 1.5)]
)
def test_the_second_term_does_not_overflow_where_its_factors_do(distance, growth, volatility):
    """exp(-2 nu x / sigma^2) is exp(1250) and more, N(b) as small, and their product a hundredth."""
    nu = growth - 0.5 * volatility**2
    a, b = (-distance - nu) / volatility, (-distance + nu) / volatility
    back = math.exp(-2.0 * nu * distance / volatility**2 + special.log_ndtr(b))
    assert 1e-4 < back < 0.05
    for found in (
        call_probability(math.exp(distance), 1.0, 1.0, volatility, growth),
        call_probability(np.array([math.exp(distance)]), 1.0, 1.0, volatility, growth)[0],
    ):
        assert found == pytest.approx(stats.norm.cdf(a) + back, rel=1e-11)


@pytest.mark.parametrize("argument", ["spot", "call_price", "years", "volatility", "drift", "loan_rate"])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, "0.2", None, 10**400])
@pytest.mark.parametrize("as_array", [False, True])
def test_what_is_no_number_is_refused_by_name(argument, wrong, as_array):
    numbers = {**YEAR_AT_25, argument: wrong}
    if as_array:
        numbers["spot" if argument != "spot" else "years"] = np.array([2.0, 3.0])
    with pytest.raises(InvalidInput) as refused:
        call_probability(**numbers)
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "wrong"), [("spot", 0.0), ("call_price", -1.0), ("years", -0.1), ("volatility", -1)]
)
def test_impossible_numbers_are_refused_by_name(argument, wrong):
    for numbers in ({argument: wrong}, {argument: np.array([1.0, wrong])}):
        with pytest.raises(InvalidInput) as refused:
            call_probability(**{**YEAR_AT_25, **numbers})
        assert refused.value.argument == argument


def test_other_ways_to_watch_are_refused():
    with pytest.raises(InvalidInput, match="monitoring must be one of continuous, daily"):
        call_probability(**YEAR_AT_25, monitoring="hourly")


def test_arrays_that_do_not_fit_are_refused_by_name():
    with pytest.raises(InvalidInput, match="call_price has shape"):
        call_probability(np.ones(3), np.ones(2), 1.0, 0.2)


# laws


@unhurried
@given(ratios, st.floats(1.0, 1.5), horizons, volatilities, rates, rates, st.sampled_from(["continuous", "daily"]))
def test_a_higher_price_is_never_nearer_to_a_call(ratio, higher, years, volatility, drift, loan_rate, monitoring):
    rest = (100.0, years, volatility, drift, loan_rate, monitoring)
    assert call_probability(100.0 * ratio * higher, *rest) <= call_probability(100.0 * ratio, *rest) + 1e-12


@unhurried
@given(ratios, horizons, st.floats(0.0, 3.0), volatilities, rates, rates)
def test_a_longer_wait_is_never_less_likely_to_see_a_call(ratio, years, more, volatility, drift, loan_rate):
    def within(time):
        return call_probability(ratio, 1.0, time, volatility, drift, loan_rate)

    assert within(years + more) >= within(years) - 1e-12


@unhurried
@given(ratios, horizons, volatilities, st.floats(0.0, 0.5), st.floats(-0.3, 0.0))
def test_without_drift_more_volatility_is_never_less_likely(ratio, years, volatility, more, growth):
    def at(width):
        return call_probability(ratio, 1.0, years, width, growth)

    assume(at(volatility) < 0.999)
    assert at(volatility + more) >= at(volatility) - 1e-9 or growth < 0.0
    if growth == 0.0:
        assert at(volatility + more) >= at(volatility) - 1e-12


@unhurried
@given(ratios, horizons, volatilities, rates, rates, st.floats(0.0, 0.2))
def test_a_dearer_loan_is_never_less_likely_to_be_called(ratio, years, volatility, drift, loan_rate, more):
    def at(rate):
        return call_probability(ratio, 1.0, years, volatility, drift, rate)

    assert at(loan_rate + more) >= at(loan_rate) - 1e-12


@unhurried
@given(ratios, horizons, volatilities, rates, rates)
def test_closes_see_less_than_moments(ratio, years, volatility, drift, loan_rate):
    seen = (ratio, 1.0, years, volatility, drift, loan_rate)
    assert call_probability(*seen, monitoring="daily") <= call_probability(*seen) + 1e-12


@unhurried
@given(prices, ratios, horizons, volatilities, rates, rates, st.floats(0.01, 100.0))
def test_the_size_of_prices_does_not_matter(price, ratio, years, volatility, drift, loan_rate, scale):
    rest = (years, volatility, drift, loan_rate)
    one = call_probability(price * ratio, price, *rest)
    assert call_probability(price * ratio * scale, price * scale, *rest) == pytest.approx(one, rel=1e-9, abs=1e-15)


@unhurried
@given(
    st.lists(st.tuples(st.floats(0.8, 3.0), horizons, volatilities, rates, rates), min_size=1, max_size=20),
    st.sampled_from(["continuous", "daily"]),
)
def test_arrays_equal_scalars(rows, monitoring):
    ratio, years, volatility, drift, loan_rate = (np.array(column) for column in zip(*rows, strict=True))
    found = call_probability(100.0 * ratio, 100.0, years, volatility, drift, loan_rate, monitoring)
    one_by_one = [
        call_probability(100.0 * r, 100.0, t, v, mu, i, monitoring)
        for r, t, v, mu, i in zip(*map(np.ndarray.tolist, (ratio, years, volatility, drift, loan_rate)), strict=True)
    ]
    np.testing.assert_allclose(found, one_by_one, rtol=1e-10, atol=1e-200)


def test_arrays_broadcast():
    found = call_probability(np.array([[1.5], [2.0]]), 1.0, np.array([0.5, 1.0, 2.0]), 0.3)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(call_probability(2.0, 1.0, 2.0, 0.3), rel=1e-12)


def test_numbers_of_numpy_and_whole_numbers_give_a_float():
    assert type(call_probability(np.float64(2.0), 1, 1, np.float64(0.2))) is float


# time


def test_quantiles_of_the_time_are_the_times_of_those_shares():
    found = time_to_call(**LOAN, volatility=0.25)
    assert call_probability(**LOAN, years=found.median, volatility=0.25) == pytest.approx(0.5, abs=1e-12)
    assert call_probability(**LOAN, years=found.tenth, volatility=0.25) == pytest.approx(0.1, abs=1e-12)
    assert found.ever == 1.0


def test_a_median_is_not_there_when_fewer_than_half_are_ever_called():
    found = time_to_call(**LOAN, volatility=0.25, drift=0.2)
    assert found.median is None
    assert found.tenth is not None
    assert found.ever == pytest.approx((0.60 / 0.75) ** (2 * 0.2 / 0.25**2 - 1), rel=1e-12)
    assert call_probability(**LOAN, years=1e5, volatility=0.25, drift=0.2) == pytest.approx(found.ever, rel=1e-9)


@unhurried
@given(st.floats(1.05, 2.0), st.floats(0.1, 0.6), st.floats(-0.2, 0.3), st.floats(0.2, 3.0))
def test_the_expected_time_is_the_integral_of_the_density(ratio, volatility, growth, years):
    found = time_to_call(ratio, 1.0, volatility, drift=growth, years=years)
    distance = math.log(ratio)
    assume(found.within > 1e-6)
    integral = touched_within(years, distance, volatility, growth, lambda time: time)
    assert found.expected == pytest.approx(integral / found.within, rel=1e-5)


def test_where_the_trend_vanishes_the_expected_time_does_not_jump():
    level = 0.5 * 0.25**2
    at, near = (time_to_call(**LOAN, volatility=0.25, drift=level + gap).expected for gap in (0.0, 1e-6))
    assert at == pytest.approx(near, rel=1e-5)


def test_a_loan_that_is_called_needs_no_time():
    found = time_to_call(100.0, 100.0, 0.2)
    assert (found.median, found.tenth, found.ever, found.expected) == (0.0, 0.0, 1.0, 0.0)


def test_without_volatility_the_time_is_that_of_the_loan():
    found = time_to_call(110.0, 100.0, 0.0, loan_rate=0.05, years=3.0)
    assert found.median == pytest.approx(math.log(1.1) / 0.05)
    assert found.expected == pytest.approx(math.log(1.1) / 0.05)
    assert time_to_call(110.0, 100.0, 0.0).median is None


@unhurried
@given(above_zero, extremes, signed, extremes)
def test_no_number_is_too_large_for_times(spot, volatility, drift, years):
    found = time_to_call(spot, 0.1, volatility, drift=drift, years=years)
    assert 0.0 <= found.ever <= 1.0
    assert found.expected is None or 0.0 <= found.expected <= years


def test_distance_is_the_one_of_the_overview():
    assert distance_in_sigmas is sigmas_to_price
    assert distance_in_sigmas(1 / 0.6, 1 / 0.75, volatility=0.25, days=252) == pytest.approx(
        math.log(0.75 / 0.60) / 0.25
    )


def test_ever_called_is_certain_without_a_trend_up():
    assert ever_called(200.0, 100.0, 0.2, drift=0.02) == 1.0
    assert ever_called(200.0, 100.0, 0.2, drift=0.03) < 1.0
    assert ever_called(200.0, 100.0, 0.2, drift=0.03, loan_rate=0.02) == 1.0
    assert ever_called(99.0, 100.0, 0.2, drift=5.0) == 1.0


# the gap, and the way back


def test_gap_risk_is_the_probability_from_the_call_to_the_sale():
    expected = 2.0 * stats.norm.cdf(-math.log(0.85 / 0.75) / (0.6 * math.sqrt(2 / 252)))
    assert gap_risk(0.75, 0.85, 2, 0.6, drift=0.5 * 0.6**2) == pytest.approx(expected, rel=1e-12)
    assert gap_risk(0.75, 0.75, 0, 0.2) == 1.0
    assert gap_risk(0.75, 0.85, 0, 0.2) == 0.0
    assert gap_risk(0.75, 0.85, 10, 0.6) > gap_risk(0.75, 0.85, 2, 0.6) > gap_risk(0.75, 0.90, 2, 0.6)


def test_a_sale_before_the_call_is_refused():
    with pytest.raises(InvalidInput, match="close_out_ltv must not be below"):
        gap_risk(0.75, 0.70, 2, 0.2)
    with pytest.raises(InvalidInput, match="call_ltv must be a fraction"):
        gap_risk(75, 0.85, 2, 0.2)


@unhurried
@given(st.floats(1e-6, 0.95), horizons, volatilities, st.floats(0.3, 0.95), rates, rates)
def test_the_loan_for_a_probability_has_that_probability(wanted, years, volatility, call_ltv, drift, loan_rate):
    ltv = ltv_for_probability(wanted, years, volatility, call_ltv, drift, loan_rate)
    assert 0.0 < ltv < call_ltv
    found = call_probability(call_ltv, ltv, years, volatility, drift, loan_rate)
    nearest = ltv > call_ltv * (1.0 - 1e-8)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12) or (nearest and found <= wanted)


def test_the_way_back_is_exact():
    ltv = ltv_for_probability(0.05, 1.0, 0.25, 0.75, monitoring="daily")
    assert call_probability(0.75, ltv, 1.0, 0.25, monitoring="daily") == pytest.approx(0.05, abs=1e-14)


def test_what_closes_rarely_miss_is_not_asked_below_the_limit():
    """Watched daily, no loan below the limit is called with more than 97 %: the highest LTV is just below it."""
    ltv = ltv_for_probability(0.99, 1.0, 0.25, 0.75, monitoring="daily")
    assert ltv == pytest.approx(0.75, rel=1e-8)
    assert call_probability(0.75, ltv, 1.0, 0.25, monitoring="daily") <= 0.99


def test_without_volatility_the_loan_may_stand_where_it_does_not_grow_to_the_limit():
    assert ltv_for_probability(0.5, 2.0, 0.0, 0.75, loan_rate=0.05) == pytest.approx(0.75 * math.exp(-0.1), rel=1e-8)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 5, math.nan])
def test_a_probability_that_is_none_is_refused(wrong):
    with pytest.raises(InvalidInput) as refused:
        ltv_for_probability(wrong, 1.0, 0.25, 0.75)
    assert refused.value.argument == "probability"


# what it costs


def test_the_odds_load_neither_scipy_nor_a_compiler():
    program = "import sys; from vaultdash.risk import call_probability; call_probability(2.0, 1.0, 1.0, 0.2)"
    heavy = ("scipy", "numba", "QuantLib", "arch", "pandas", "statsmodels")
    report = f"; print(*(name for name in {heavy!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program + report], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

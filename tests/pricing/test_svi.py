"""Raw SVI: its laws, arbitrage of published examples, QuantLib as a second opinion, calibration."""

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # the short name of its own documentation
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing import european
from vaultdash.pricing.svi import SviParameters, calibrate_svi, without_butterflies

# Axel Vogt's example, in Gatheral & Jacquier 2014: parameters that look harmless and are not.
VOGT = SviParameters(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, s=0.4153)
GOLD = SviParameters(a=-0.023, b=0.101, rho=0.06, m=0.024, s=0.336)  # like GLD's two months of May 2026
MONEYNESS = np.linspace(-0.5, 0.4, 60)

smiles = st.builds(
    lambda least, b, rho, m, s: SviParameters(least - b * s * math.sqrt(1 - rho * rho), b, rho, m, s),
    st.floats(0.0005, 0.2),
    st.floats(0.005, 0.5),
    st.floats(-0.9, 0.9),
    st.floats(-0.2, 0.2),
    st.floats(0.03, 0.6),
)


def test_volatility_agrees_with_quantlibs_svi_section() -> None:
    section = ql.SviSmileSection(0.5, 100.0, [GOLD.a, GOLD.b, GOLD.s, GOLD.rho, GOLD.m])
    strikes = 100.0 * np.exp(MONEYNESS)
    expected = [section.volatility(float(strike)) for strike in strikes]
    np.testing.assert_allclose(np.sqrt(GOLD.total_variance(MONEYNESS) / 0.5), expected, rtol=0, atol=1e-12)


@given(smiles, st.floats(-1.0, 1.0))
def test_slope_and_curvature_are_the_derivatives_of_the_variance(smile: SviParameters, k: float) -> None:
    h = 1e-4 * smile.s
    above, here, below = smile.total_variance(np.array([k + h, k, k - h]))
    assert smile.slope(k) == pytest.approx((above - below) / (2 * h), rel=1e-4, abs=1e-6)
    bend = 2e-2 * smile.s  # a second difference needs more room
    above, below = smile.total_variance(np.array([k + bend, k - bend]))
    assert smile.curvature(k) == pytest.approx((above - 2 * here + below) / bend**2, rel=1e-2, abs=1e-5)


@given(smiles)
def test_wings_are_the_slopes_far_out(smile: SviParameters) -> None:
    left, right = smile.wings
    assert -smile.slope(-1e6) == pytest.approx(left, rel=1e-9, abs=1e-9)
    assert smile.slope(1e6) == pytest.approx(right, rel=1e-9, abs=1e-9)
    assert smile.total_variance(np.linspace(-2, 2, 4001)).min() >= smile.least_variance - 1e-15


def test_g_has_the_sign_of_the_density_that_european_prices_imply() -> None:
    # exp(rT) d2C/dK2 = g n(d2) / (K sqrt(w)): the second difference of prices, made without the formula of g.
    for smile in (GOLD, VOGT):
        k = np.linspace(-0.6, 1.2, 91)
        strike, step = 100.0 * np.exp(k), 0.02
        sides = [strike - step, strike, strike + step]
        volatility = [np.sqrt(smile.total_variance(np.log(side / 100.0))) for side in sides]
        prices = [
            european(100.0, side, 1.0, 0.0, 0.0, v, "C").price for side, v in zip(sides, volatility, strict=True)
        ]
        density = (prices[0] - 2 * prices[1] + prices[2]) / step**2
        w = smile.total_variance(k)
        d2 = -k / np.sqrt(w) - 0.5 * np.sqrt(w)
        expected = smile.g(k) * np.exp(-0.5 * d2 * d2) / np.sqrt(2 * np.pi * w) / strike
        np.testing.assert_allclose(density, expected, rtol=0, atol=2e-7)


def test_vogts_smile_holds_a_butterfly_though_its_wings_are_flat_enough() -> None:
    assert max(VOGT.wings) < 2
    least, at = VOGT.worst_butterfly()
    assert least < -0.01
    assert 0.6 < at < 1.1  # Gatheral and Jacquier's figure dips there


def test_smile_of_gold_holds_none() -> None:
    assert GOLD.worst_butterfly()[0] > 0.05


def test_narrow_bend_between_even_points_is_not_overlooked() -> None:
    kinked = SviParameters(a=0.0, b=1.9, rho=0.0, m=0.3025, s=2e-4)
    at = 0.3025 + np.linspace(-0.01, 0.01, 20001)
    assert kinked.worst_butterfly()[0] <= kinked.g(at).min() * 0.98


@settings(deadline=None, max_examples=30)
@given(smiles)
def test_calibration_finds_the_smile_that_exact_quotes_are_from(smile: SviParameters) -> None:
    w = smile.total_variance(MONEYNESS)
    assume(max(smile.wings) <= 2 and smile.s > 0.1 * np.sqrt(w.min()))  # sharper is taken for noise
    assume(w.min() > 0.01 * w.max())  # no market's smile all but touches zero; its bottom is not told as exactly
    found = calibrate_svi(MONEYNESS, w)
    np.testing.assert_allclose(np.sqrt(found.total_variance(MONEYNESS)), np.sqrt(w), rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    "true", [GOLD, SviParameters(0.01, 0.05, -0.3, 0.02, 0.1), SviParameters(0, 0.1, 0.4, -0.05, 0.3)]
)
def test_calibration_recovers_known_parameters(true: SviParameters) -> None:
    found = calibrate_svi(MONEYNESS, true.total_variance(MONEYNESS))
    for name in ("a", "b", "rho", "m", "s"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), abs=2e-5), name


def test_calibration_recovers_a_smile_of_two_days_on_its_own_scale() -> None:
    true = SviParameters(-0.0014, 0.023, -0.08, -0.005, 0.0753)
    k = np.linspace(-0.1, 0.08, 40)
    found = calibrate_svi(k, true.total_variance(k))
    np.testing.assert_allclose(found.total_variance(k), true.total_variance(k), rtol=1e-6)


def test_calibration_is_no_worse_than_quantlibs_on_noisy_quotes() -> None:
    noise = np.random.default_rng(7).normal(0, 0.004, MONEYNESS.size)
    years = 0.5
    vols = np.sqrt(GOLD.total_variance(MONEYNESS) / years) + noise
    w = vols**2 * years
    day = ql.Date(15, 1, 2024)
    ql.Settings.instance().evaluationDate = day
    strikes = (100.0 * np.exp(MONEYNESS)).tolist()
    free = [False] * 5
    start = (0.5 * float(w.min()), 0.1, 0.2, 0.0, 0.0)
    theirs = ql.SviInterpolatedSmileSection(
        day + 182, 100.0, strikes, False, 0.24, vols.tolist(), *start, *free, False
    )
    fitted = np.array([theirs.volatility(strike) for strike in strikes])
    ours = calibrate_svi(MONEYNESS, w, 1.0 / vols)
    own = np.sqrt(ours.total_variance(MONEYNESS) / years)
    assert np.sqrt(np.mean((own - vols) ** 2)) <= 1.001 * np.sqrt(np.mean((fitted - vols) ** 2))
    assert np.sqrt(np.mean((own - vols + noise) ** 2)) < 0.002


def test_weights_decide_which_quotes_are_met() -> None:
    w = GOLD.total_variance(MONEYNESS)
    wrong = w.copy()
    wrong[:6] *= 1.5
    trusted = np.where(np.arange(w.size) < 6, 1e-3, 1.0)
    found = calibrate_svi(MONEYNESS, wrong, trusted)
    np.testing.assert_allclose(found.total_variance(MONEYNESS[6:]), w[6:], rtol=1e-4)
    equal = calibrate_svi(MONEYNESS, wrong)
    assert np.abs(equal.total_variance(MONEYNESS[6:]) / w[6:] - 1).max() > 1e-2


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0.02, 1.5), min_size=5, max_size=12), st.integers(0, 2**31))
def test_any_quotes_get_a_smile_within_lees_bound_that_is_nowhere_negative(vols: list[float], seed: int) -> None:
    k = np.sort(np.random.default_rng(seed).uniform(-0.6, 0.6, len(vols)))
    found = calibrate_svi(k, np.array(vols) ** 2 * 0.3)
    assert max(found.wings) <= 2.0 + 1e-9
    assert found.least_variance >= -1e-9


def test_sharp_kink_is_smoothed() -> None:
    w = np.full(MONEYNESS.size, 0.09)
    w[30] = 0.12
    found = calibrate_svi(MONEYNESS, w)
    assert found.s >= 0.1 * 0.3 * (1 - 1e-9)


def test_refit_takes_the_butterfly_out_of_vogts_smile_and_stays_near() -> None:
    k = np.linspace(-1.0, 1.0, 41)
    w = VOGT.total_variance(k)
    found = without_butterflies(calibrate_svi(k, w), k, w)
    assert found is not None
    assert found.worst_butterfly()[0] >= 0
    assert np.abs(np.sqrt(found.total_variance(k)) - np.sqrt(w)).max() < 0.02


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("b", {"a": 0.1, "b": -0.1, "rho": 0, "m": 0, "s": 0.1}),
        ("rho", {"a": 0.1, "b": 0.1, "rho": 1, "m": 0, "s": 0.1}),
        ("s", {"a": 0.1, "b": 0.1, "rho": 0, "m": 0, "s": 0}),
        ("a", {"a": -0.1, "b": 0.1, "rho": 0, "m": 0, "s": 0.1}),
        ("m", {"a": 0.1, "b": 0.1, "rho": 0, "m": math.nan, "s": 0.1}),
    ],
)
def test_parameters_that_make_no_smile_are_refused_by_name(argument: str, wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput) as refused:
        SviParameters(**wrong)
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("k", "w"),
    [([0.0, 0.1, 0.2, 0.3], [0.1] * 4), ([0.0] * 6, [0.1] * 6), (np.arange(6.0), np.zeros(6)), ([0.0], [0.1, 0.2])],
)
def test_quotes_too_few_or_faulty_are_refused(k: object, w: object) -> None:
    with pytest.raises(InvalidInput):
        calibrate_svi(k, w)  # type: ignore[arg-type]  # lists are fine, that is not what is wrong

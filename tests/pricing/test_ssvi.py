"""SSVI: free of both arbitrages by construction, and found again from its own quotes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.ssvi import SsviParameters, calibrate_ssvi

K = np.linspace(-1.5, 1.5, 121)
TRUE = SsviParameters(-0.2, 1.1, 0.35, tuple(0.04 * np.linspace(0.02, 2.5, 12)))

surfaces = st.builds(
    lambda rho, share, gamma, steps: SsviParameters(
        rho, 2 * share / (1 + abs(rho)), gamma, tuple(np.cumsum(steps).tolist())
    ),
    st.floats(-0.99, 0.99),
    st.just(0.0) | st.floats(1e-3, 1.0),
    st.floats(0.01, 0.5),
    st.lists(st.floats(1e-4, 0.5), min_size=1, max_size=6),
)


@given(surfaces)
def test_no_surface_holds_a_butterfly(surface: SsviParameters) -> None:
    for smile in surface.slices:
        assert smile.worst_butterfly()[0] >= -1e-9
        assert max(smile.wings) <= 2 + 1e-9


@given(surfaces)
def test_total_variance_never_falls_with_time(surface: SsviParameters) -> None:
    total = np.array([smile.total_variance(K) for smile in surface.slices])
    assert (np.diff(total, axis=0) >= -1e-12).all()


@given(surfaces)
def test_variance_at_the_money_is_theta_and_the_formula_holds(surface: SsviParameters) -> None:
    for theta, smile in zip(surface.theta, surface.slices, strict=True):
        phi = surface.eta / (theta**surface.gamma * (1 + theta) ** (1 - surface.gamma))
        rho = surface.rho
        expected = theta / 2 * (1 + rho * phi * K + np.sqrt((phi * K + rho) ** 2 + 1 - rho**2))
        np.testing.assert_allclose(smile.total_variance(K), expected, rtol=1e-9, atol=1e-12)


def test_calibration_finds_the_surface_that_quotes_are_from() -> None:
    k = [np.linspace(-2, 2, 30) * theta**0.5 for theta in TRUE.theta]
    w = [smile.total_variance(at) for smile, at in zip(TRUE.slices, k, strict=True)]
    found = calibrate_ssvi(k, w, [1 / np.sqrt(each) for each in w])
    assert (found.rho, found.eta, found.gamma) == pytest.approx((TRUE.rho, TRUE.eta, TRUE.gamma), abs=1e-5)
    np.testing.assert_allclose(found.theta, TRUE.theta, rtol=1e-6)


def test_expiry_with_one_quote_takes_its_shape_from_the_others() -> None:
    k = [np.linspace(-2, 2, 30) * theta**0.5 for theta in TRUE.theta]
    k[5] = np.array([-0.1])
    w = [smile.total_variance(at) for smile, at in zip(TRUE.slices, k, strict=True)]
    found = calibrate_ssvi(k, w, [np.ones_like(each) for each in w])
    np.testing.assert_allclose(found.slices[5].total_variance(K), TRUE.slices[5].total_variance(K), rtol=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_any_quotes_get_a_surface_without_arbitrage(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    k = [np.sort(random.uniform(-0.5, 0.5, random.integers(1, 9))) for _ in range(count)]
    w = [random.uniform(0.001, 0.3, at.size) for at in k]
    found = calibrate_ssvi(k, w, [np.ones_like(at) for at in k])
    total = np.array([smile.total_variance(K) for smile in found.slices])
    assert (np.diff(total, axis=0) >= -1e-12).all()
    assert min(smile.worst_butterfly()[0] for smile in found.slices) >= -1e-9


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("rho", (1.0, 0.5, 0.4, (0.1,))),
        ("eta", (0.5, 1.5, 0.4, (0.1,))),
        ("gamma", (0.0, 0.5, 0.6, (0.1,))),
        ("theta", (0.0, 0.5, 0.4, (0.2, 0.1))),
        ("theta", (0.0, 0.5, 0.4, (0.0,))),
    ],
)
def test_parameters_that_would_allow_arbitrage_are_refused(
    argument: str, wrong: tuple[float, float, float, tuple[float, ...]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        SsviParameters(*wrong)
    assert refused.value.argument == argument


def test_expiry_without_quotes_is_refused() -> None:
    with pytest.raises(InvalidInput):
        calibrate_ssvi([np.zeros(0)], [np.zeros(0)], [np.zeros(0)])
    with pytest.raises(InvalidInput):
        calibrate_ssvi([], [], [])

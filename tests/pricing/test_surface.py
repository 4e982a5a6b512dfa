"""The volatility surface: what it gives back, what it joins, what it says about itself."""

import csv
import gzip
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.option import expiry_at, years_to_expiry
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.parity import pairs_of, parity_forward
from vaultdash.pricing.quote_filter import filter_quotes
from vaultdash.pricing.smile import SmileQuotes, smile_quotes
from vaultdash.pricing.ssvi import SsviParameters
from vaultdash.pricing.surface import SmileModel, VolatilitySurface, fit_surface, residuals
from vaultdash.pricing.svi import SviParameters

SPOT, RATE, YIELD = 430.0, 0.04, 0.01
TODAY = date(2026, 6, 1)
DAYS = (7, 32, 67, 200, 400)
TRUE = SsviParameters(-0.15, 1.0, 0.4, tuple(0.05 * days / 365 for days in DAYS))


def quotes_of(
    days: int, smile: SviParameters, k: FloatArray | None = None, weight: float = 200.0, spread: float = 0.0
) -> SmileQuotes:
    years = days / 365
    forward = SPOT * np.exp((RATE - YIELD) * years)
    at = np.linspace(-2.5, 2.0, 40) * np.sqrt(0.05 * years) if k is None else k
    noise = np.random.default_rng(days).normal(0, spread, at.size)
    volatility = np.sqrt(smile.total_variance(at) / years) + noise
    day = TODAY + timedelta(days=days)
    return SmileQuotes(day, years, forward, RATE, YIELD, forward * np.exp(at), volatility, np.full(at.size, weight))


def chain(**changed: FloatArray) -> list[SmileQuotes]:
    """All expiries of TRUE; `changed` gives other k by `d<days>`."""
    return [quotes_of(days, smile, changed.get(f"d{days}")) for days, smile in zip(DAYS, TRUE.slices, strict=True)]


@pytest.fixture(scope="module")
def whole() -> VolatilitySurface:
    return fit_surface(chain())


def test_surface_gives_back_the_volatilities_it_was_fitted_to(whole: VolatilitySurface) -> None:
    for quotes in chain():
        np.testing.assert_allclose(
            whole.volatility(quotes.strike, quotes.years), quotes.implied_volatility, rtol=0, atol=1e-5
        )
    assert [fit.model for fit in whole.slices] == [SmileModel.SVI] * 5
    assert whole.calendar == ()
    assert whole.remarks == ()
    assert whole.sentence.startswith("5 of 5 expiries with a smile of their own, fitted to 200 quotes within 0.00")


def test_between_expiries_total_variance_is_linear_in_time_at_the_same_moneyness(whole: VolatilitySurface) -> None:
    k = np.array([-0.1, 0.0, 0.05])
    years = np.array([32.0, 50.0, 67.0]) / 365
    total = [whole.volatility(whole.forward(t) * np.exp(k), t) ** 2 * t for t in years]
    share = (50 - 32) / (67 - 32)
    np.testing.assert_allclose(total[1], (1 - share) * total[0] + share * total[2], rtol=1e-12)


def test_forward_is_log_linear_and_goes_on_at_its_carry_outside(whole: VolatilitySurface) -> None:
    years = np.array([0.0, 0.01, 0.1, 0.5, 1.0, 2.0])
    np.testing.assert_allclose(whole.forward(years), SPOT * np.exp((RATE - YIELD) * years), rtol=1e-12)


def test_outside_the_expiries_volatility_stays_at_the_same_moneyness(whole: VolatilitySurface) -> None:
    k = np.array([-0.05, 0.0, 0.03])
    for outside, edge in ((0.0, 7 / 365), (0.004, 7 / 365), (3.0, 400 / 365)):
        there = whole.volatility(whole.forward(outside) * np.exp(k), outside)
        np.testing.assert_allclose(there, whole.volatility(whole.forward(edge) * np.exp(k), edge), rtol=1e-12)


def test_beyond_the_last_quotes_volatility_stays(whole: VolatilitySurface) -> None:
    last = whole.slices[-1]
    forward, (low, high) = last.forward, last.quoted
    far = whole.volatility(forward * np.exp([low - 1.0, low, high, high + 1.0]), last.years)
    assert far[0] == pytest.approx(far[1], rel=1e-12)
    assert far[3] == pytest.approx(far[2], rel=1e-12)
    assert far[1] > far[2]


def test_answer_broadcasts_and_is_continuous_in_time(whole: VolatilitySurface) -> None:
    strikes, years = np.linspace(300, 600, 31)[:, None], np.linspace(0.001, 1.5, 2001)
    found = whole.volatility(strikes, years)
    assert found.shape == (31, 2001)
    assert np.abs(np.diff(found, axis=1)).max() < 0.01
    assert whole.volatility(430.0, 0.3).shape == ()


def test_single_expiry_is_a_surface() -> None:
    surface = fit_surface(chain()[2:3])
    assert surface.slices[0].model is SmileModel.SVI
    np.testing.assert_allclose(surface.volatility(430.0, [0.01, 1.0]), surface.volatility(430.0, 67 / 365), rtol=0.02)


def test_sparse_expiry_takes_the_shape_of_all_and_says_so() -> None:
    surface = fit_surface(chain(d67=np.array([-0.05, 0.02])))
    fit = surface.slices[2]
    assert (fit.model, fit.is_sparse, fit.quotes) == (SmileModel.SSVI, True, 2)
    true = np.sqrt(TRUE.slices[2].total_variance(np.array([-0.15, 0.0, 0.1])) / fit.years)
    np.testing.assert_allclose(
        surface.volatility(fit.forward * np.exp([-0.15, 0.0, 0.1]), fit.years), true, atol=2e-4
    )
    assert any("only 2 good quotes" in remark for remark in surface.remarks)
    assert [other.model for other in surface.slices].count(SmileModel.SVI) == 4


def test_quotes_on_one_side_of_the_forward_make_no_smile_of_their_own() -> None:
    surface = fit_surface(chain(d200=np.linspace(-0.3, -0.05, 20)))
    fit = surface.slices[3]
    assert (fit.model, fit.is_sparse) == (SmileModel.SSVI, False)
    right = surface.volatility(fit.forward * np.exp(0.08), fit.years)
    assert right == pytest.approx(np.sqrt(TRUE.slices[3].total_variance(0.08) / fit.years), abs=2e-3)


def test_expiry_without_quotes_is_read_off_its_neighbours() -> None:
    quoted = chain(d67=np.zeros(0))
    surface = fit_surface(quoted)
    fit = surface.slices[2]
    assert (fit.model, fit.parameters, fit.is_sparse) == (SmileModel.NEIGHBOUR, None, True)
    without = fit_surface([quotes for quotes in quoted if quotes.strike.size])
    np.testing.assert_allclose(
        surface.volatility([380, 430, 470], 67 / 365), without.volatility([380, 430, 470], 67 / 365)
    )
    assert any("no usable quote" in remark for remark in surface.remarks)


def test_very_few_quotes_altogether_give_one_volatility() -> None:
    surface = fit_surface(
        [quotes_of(32, TRUE.slices[1], np.array([0.0])), quotes_of(67, TRUE.slices[2], np.zeros(0))]
    )
    assert [fit.model for fit in surface.slices] == [SmileModel.FLAT, SmileModel.NEIGHBOUR]
    assert surface.volatility([200.0, 430.0, 900.0], 0.1) == pytest.approx(
        surface.slices[0].forward * 0 + 0.2236, abs=1e-3
    )


def test_no_quote_anywhere_is_refused_with_a_sentence() -> None:
    empty = [quotes_of(days, TRUE.slices[0], np.zeros(0)) for days in (7, 32)]
    for quoted in ([], empty):
        with pytest.raises(Refused, match="No expiry has a usable quote"):
            fit_surface(quoted)


def test_expiry_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="2026-06-08"):
        fit_surface([chain()[0], chain()[0]])


def test_total_variance_that_falls_is_reported_with_its_place_and_size() -> None:
    quoted = chain()
    lower = SviParameters(0.4 * TRUE.theta[2], 0.0, 0.0, 0.0, 1.0)
    quoted[2] = quotes_of(67, lower)
    surface = fit_surface(quoted)
    (crossing,) = surface.calendar
    assert (crossing.sooner, crossing.later) == (quoted[1].expiration, quoted[2].expiration)
    assert crossing.is_quoted
    k = np.linspace(*quoted[1].log_moneyness[[0, -1]], 2001)
    gap = np.sqrt(TRUE.slices[1].total_variance(k) / quoted[2].years) - np.sqrt(0.4 * TRUE.theta[2] / quoted[2].years)
    assert crossing.amount == pytest.approx(gap.max(), abs=2e-3)
    assert any(f"{crossing.later} is below {crossing.sooner}" in remark for remark in surface.remarks)


def test_crossing_beyond_the_quotes_of_one_expiry_is_told_apart() -> None:
    narrow = np.linspace(-0.02, 0.02, 9)
    bent = SviParameters(1.1 * TRUE.theta[1], 1e-3, 0.0, 0.0, 0.1)
    quoted = chain()
    quoted[2] = quotes_of(67, bent, narrow)
    surface = fit_surface(quoted)
    (crossing,) = surface.calendar
    assert not crossing.is_quoted
    assert crossing.k < -0.02 or crossing.k > 0.02
    assert any("cross where one of them is not quoted" in remark for remark in surface.remarks)
    assert "0 calendar violations among quotes" in surface.sentence


def test_butterfly_in_the_quotes_is_taken_out_of_the_smile() -> None:
    vogt = SviParameters(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
    surface = fit_surface([quotes_of(365, vogt, np.linspace(-1.0, 1.3, 60))])
    fit = surface.slices[0]
    assert not fit.has_butterfly
    assert fit.least_g >= 0
    assert 0.001 < fit.rms_error < 0.02


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=5).filter(any), st.integers(0, 2**31))
def test_any_quotes_make_a_surface_that_answers_everywhere(counts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    quoted = []
    for row, count in enumerate(counts):
        years = 0.05 * (row + 1)
        strike, volatility = random.uniform(200, 800, count), random.uniform(0.01, 2.0, count)
        weight = random.uniform(1e-3, 1e4, count)
        day = TODAY + timedelta(days=row)
        quoted.append(SmileQuotes(day, years, SPOT, RATE, YIELD, strike, volatility, weight))
    surface = fit_surface(quoted)
    found = surface.volatility(np.linspace(50, 2000, 40)[:, None], np.linspace(0, 1, 11))
    assert np.isfinite(found).all()
    assert not any(fit.has_butterfly for fit in surface.slices)
    assert len(surface.slices) == len(counts)
    assert surface.sentence


def test_errors_are_in_volatility_and_in_spreads() -> None:
    quotes = quotes_of(67, TRUE.slices[2], weight=50.0, spread=0.004)  # two points wide
    surface = fit_surface([quotes])
    fit = surface.slices[0]
    off = residuals(surface, quotes)
    assert fit.rms_error == pytest.approx(np.sqrt(np.mean(off.volatility**2)), rel=1e-9)
    assert fit.max_error == pytest.approx(np.abs(off.volatility).max(), rel=1e-9)
    assert fit.rms_error == pytest.approx(0.004, rel=0.25)
    assert fit.rms_spreads == pytest.approx(fit.rms_error / 0.02, rel=1e-9)
    np.testing.assert_allclose(off.spreads, off.volatility / 0.02)


def test_residuals_of_other_quotes_show_by_how_much_they_moved(whole: VolatilitySurface) -> None:
    quotes = chain()[1]
    moved = SmileQuotes(
        quotes.expiration, quotes.years, quotes.forward, RATE, YIELD, quotes.strike,
        quotes.implied_volatility + 0.01, quotes.weight,
    )  # fmt: skip
    np.testing.assert_allclose(residuals(whole, moved).volatility, -0.01, atol=1e-5)


@pytest.mark.parametrize(
    ("strike", "years"), [(0.0, 0.1), (-5.0, 0.1), (np.nan, 0.1), (430.0, -0.1), (430.0, np.inf)]
)
def test_faulty_questions_are_refused(whole: VolatilitySurface, strike: float, years: float) -> None:
    with pytest.raises(InvalidInput):
        whole.volatility(strike, years)


def real_smile(rows: list[dict[str, str]], rate: float) -> SmileQuotes:
    bid, ask, strike = (np.array([float(row[name] or "nan") for row in rows]) for name in ("bid", "ask", "strike"))
    sign = np.array([1.0 if row["type"] == "call" else -1.0 for row in rows])
    spot, day = float(rows[0]["underlying_price"]), date.fromisoformat(rows[0]["expiration"])
    years = years_to_expiry(day, expiry_at(date.fromisoformat(rows[0]["quote_date"])))
    usable = filter_quotes(bid, ask, strike, sign, spot, years, rate, 0.0).usable
    pairs = pairs_of(strike, sign, bid, ask, usable)
    forward = parity_forward(pairs.strike, pairs.call_mid, pairs.put_mid, spot, years, rate, pairs.spread)
    return smile_quotes(day, years, rate, forward, strike, sign, bid, ask, usable)


def test_real_smiles_of_gold_are_met_within_half_a_spread_and_without_arbitrage(shared_data: Path) -> None:
    days = ("2026-05-22", "2026-06-18", "2026-07-17", "2026-09-18")
    with gzip.open(shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["quote_date"] == "2026-05-13"]
    surface = fit_surface([real_smile([row for row in rows if row["expiration"] == day], 0.0367) for day in days])
    for fit in surface.slices:
        assert fit.model is SmileModel.SVI
        assert fit.quotes > 40
        assert fit.rms_spreads < 0.5
        assert not fit.has_butterfly
        assert surface.volatility(fit.forward, fit.years) == pytest.approx(
            0.235, abs=0.01
        )  # GVZ was 26.56, wings in it
    assert not any(crossing.is_quoted for crossing in surface.calendar)

"""Simulated odds against closed forms, integrals, QuantLib and themselves."""

import math
import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # the short name of its own documentation
from scipy import integrate, stats

from tests.risk.closes_oracle import closes_probability
from tests.risk.in_a_worker import odds_in_a_worker
from vaultdash.domain.errors import InvalidInput
from vaultdash.risk import (
    CallTerms,
    FilteredHistory,
    Flat,
    Jumps,
    SimulatedOdds,
    StochasticVolatility,
    call_probability,
    gap_risk,
    simulated_odds,
)
from vaultdash.risk.simulation import WHOLE_BLOCKS, Limits, follow, limits_of

MOMENTS = CallTerms(1 / 0.60, 1 / 0.75, 1 / 0.85, monitoring="continuous")
CLOSES = replace(MOMENTS, monitoring="daily")
FLAT = Flat(0.25)
ENGINES = ("kernel", "reference")
MANY = 100_000
NEVER = -690.0


def shocks(count: int = 2500, freedom: float = 5.0) -> tuple[float, ...]:
    drawn = stats.t.rvs(freedom, size=count, random_state=4)
    return tuple(((drawn - drawn.mean()) / drawn.std()).tolist())


def filtered(volatility: float = 0.25, alpha: float = 0.06, beta: float = 0.92, **fields: object) -> FilteredHistory:
    variance = volatility**2 / 252
    given = {"residuals": shocks(), "block_days": 1, **fields}
    return FilteredHistory(variance, variance * (1 - alpha - beta), alpha, beta, **given)  # type: ignore[arg-type]


MODELS = {
    "flat": FLAT,
    "jumps": Jumps(0.22, 3.0, -0.03, 0.06),
    "stochastic volatility": StochasticVolatility(0.25, 0.25, 2.7, 0.44, -0.2),
    "filtered history": filtered(),
}


def errors_away(odds: SimulatedOdds, months: int, exact: float) -> float:
    return (odds.probabilities[months] - exact) / odds.standard_errors[months]


def ends(model, drift=0.0, years=1.0, paths=MANY, engine="kernel"):
    """ln(price / price today) where nothing is watched."""
    steps = round(252 * years)
    nowhere = np.full(steps + 1, NEVER)
    terms = replace(CLOSES, drift=drift, cure_days=0)
    paths += -paths % WHOLE_BLOCKS
    return follow(model, terms, Limits(nowhere, nowhere), steps, paths, 11, engine).end


def paired_error(values):
    pairs = values.reshape(-1, 2, WHOLE_BLOCKS // 2).mean(axis=1)
    return pairs.std(ddof=1) / math.sqrt(pairs.size)


# where a closed form or an integral is known


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("drift", "loan_rate"), [(0.0, 0.0), (0.08, 0.0), (0.0, 0.065), (0.5 * 0.25**2 + 0.03, 0.03)]
)
def test_the_flat_model_is_the_closed_form_within_three_standard_errors(engine, drift, loan_rate):
    terms = replace(MOMENTS, drift=drift, loan_rate=loan_rate)
    odds = simulated_odds(terms, FLAT, (1, 3, 6, 12), MANY, 5, engine)
    for months in odds.probabilities:
        exact = call_probability(1 / 0.60, 1 / 0.75, months / 12, 0.25, drift, loan_rate)
        assert abs(errors_away(odds, months, exact)) < 3, months
    assert odds.standard_errors[12] < 0.0016


@pytest.mark.parametrize("engine", ENGINES)
def test_without_the_bridge_between_closes_it_is_not(engine):
    """The control of the test above: what only looks at closes is more than three errors from the closed form."""
    odds = simulated_odds(CLOSES, FLAT, (12,), MANY, 5, engine)
    assert errors_away(odds, 12, call_probability(1 / 0.60, 1 / 0.75, 1.0, 0.25)) < -10


@pytest.mark.parametrize("engine", ENGINES)
def test_watched_at_closes_it_is_the_integral_from_close_to_close(engine):
    odds = simulated_odds(CLOSES, FLAT, (1, 3, 12), MANY, 5, engine)
    for months in odds.probabilities:
        exact = closes_probability(math.log(0.75 / 0.60), 21 * months, 0.25, 0.0)
        assert abs(errors_away(odds, months, exact)) < 3, months


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "model",
    [
        Jumps(0.25, 0.0, -0.1, 0.1),
        StochasticVolatility(0.25, 0.25, 3.0, 0.0, -0.5),
        filtered(alpha=0.0, beta=0.9, residuals=tuple(stats.norm.ppf((np.arange(5000) + 0.5) / 5000))),
    ],
    ids=lambda model: model.name,
)
def test_a_model_without_what_makes_it_one_is_the_closed_form(engine, model):
    odds = simulated_odds(MOMENTS, model, (3, 12), MANY, 6, engine)
    for months in odds.probabilities:
        assert abs(errors_away(odds, months, call_probability(1 / 0.60, 1 / 0.75, months / 12, 0.25))) < 3, months


def test_thirty_seeds_are_as_far_from_the_closed_form_as_their_errors_say():
    exact = call_probability(1 / 0.60, 1 / 0.75, 0.5, 0.25)
    away = [errors_away(simulated_odds(MOMENTS, FLAT, (6,), 12_800, seed), 6, exact) for seed in range(60)]
    assert abs(np.mean(away)) < 3 / math.sqrt(60)
    assert 0.75 < np.std(away) < 1.3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_the_price_drifts_as_it_is_told(name, engine):
    grown = np.exp(ends(MODELS[name], drift=0.05, engine=engine))
    assert abs(grown.mean() - math.exp(0.05)) < 3 * paired_error(grown)


@pytest.mark.parametrize("name", MODELS)
def test_total_variance_is_what_the_parameters_say(name):
    model = MODELS[name]
    moved = ends(model)
    total = model.total_volatility if isinstance(model, Jumps) else 0.25
    error = np.std((moved - moved.mean()) ** 2) / math.sqrt(moved.size)
    own = moved.var() - total**2
    # Heston's and GARCH's logarithm has the variance of its mean besides: a quarter of that of the summed variance.
    assert -4 * error < own < 4 * error + 0.25 * 0.25**2 * 0.1


def test_jumps_end_where_the_sum_over_poisson_numbers_of_jumps_says():
    model = MODELS["jumps"]
    moved = ends(model)
    pull = -0.5 * model.volatility**2 - model.intensity * (math.exp(model.mean + 0.5 * model.deviation**2) - 1)
    for level in (-0.6, -0.3, 0.0, 0.3):
        counts = np.arange(60)
        spread = np.sqrt(model.volatility**2 + counts * model.deviation**2)
        below = stats.norm.cdf((level - pull - counts * model.mean) / spread)
        exact = float(stats.poisson.pmf(counts, model.intensity) @ below)
        found = (moved < level).astype(float)
        assert abs(found.mean() - exact) < 3 * paired_error(found), level


@pytest.mark.parametrize("strike", [0.7, 0.9, 1.0, 1.2])
def test_heston_pays_what_quantlib_says(strike):
    model = StochasticVolatility(0.30, 0.20, 2.0, 0.5, -0.6)
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    process = ql.HestonProcess(flat, flat, spot, 0.30**2, 2.0, 0.20**2, 0.5, -0.6)
    option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, strike), ql.EuropeanExercise(today + 365))
    option.setPricingEngine(ql.AnalyticHestonEngine(ql.HestonModel(process)))
    paid = np.maximum(strike - np.exp(ends(model)), 0.0)
    assert abs(paid.mean() - option.NPV()) < 3 * paired_error(paid)


def test_limits_may_take_any_course():
    """A level that is watched in the second half of a year only: what a hedge that expires leaves."""
    steps, level = 252, math.log(0.8)
    calls = np.full(steps + 1, level)
    calls[:126] = NEVER
    happened = follow(FLAT, replace(MOMENTS, cure_days=0), Limits(calls, calls), steps, 102_400, 3)
    half = 0.25 * math.sqrt(0.5)

    def later(end):
        bell = stats.norm.pdf(end, -0.5 * half * half, half)
        return bell * call_probability(math.exp(end), 0.8, 0.5, 0.25)

    exact = integrate.quad(later, -1.5, level)[0] + integrate.quad(later, level, 1.5)[0]
    found = (happened.call_day > 0).astype(float)
    assert abs(found.mean() - exact) < 3 * paired_error(found)
    assert happened.call_day[happened.call_day > 0].min() == 126


# what follows the call


@pytest.mark.parametrize("engine", ENGINES)
def test_the_gap_of_the_flat_model_is_the_closed_form(engine):
    terms = replace(MOMENTS, drift=0.5 * 0.9**2, cure_days=5)
    odds = simulated_odds(terms, Flat(0.9), (12,), MANY, 8, engine)
    exact = gap_risk(0.75, 0.85, 5, 0.9, drift=0.5 * 0.9**2)
    assert exact > 0.3
    assert abs(odds.gap_probability - exact) < 3 * odds.gap_standard_error


@pytest.mark.parametrize("engine", ENGINES)
def test_the_loan_grows_while_it_is_cured(engine):
    """At an absurd rate the close-out price comes to meet the price within the days to cure."""
    terms = replace(MOMENTS, drift=0.5 * 0.3**2, loan_rate=1.5, cure_days=10)
    odds = simulated_odds(terms, Flat(0.3), (3,), MANY, 8, engine)
    exact = gap_risk(0.75, 0.85, 10, 0.3, drift=0.5 * 0.3**2, loan_rate=1.5)
    without = gap_risk(0.75, 0.85, 10, 0.3, drift=0.5 * 0.3**2)
    assert abs(odds.gap_probability - exact) < 3 * odds.gap_standard_error
    assert exact > 2 * without


def test_the_gap_counts_what_a_jump_has_gone_through():
    """Jumps of a third through both limits: the sale is there with the call, days to cure or not."""
    model = Jumps(0.005, 2.0, math.log(0.67), 0.0)
    steady = -2.0 * (1 - 0.67)  # so that nothing but the jumps moves the price
    odds = simulated_odds(replace(MOMENTS, cure_days=0, drift=steady), model, (12,), MANY)
    assert odds.gap_probability == 1.0
    assert abs(errors_away(odds, 12, 1.0 - math.exp(-2.0))) < 3


@pytest.mark.parametrize("name", MODELS)
def test_engines_agree_on_everything(name):
    model = MODELS[name]
    for terms in (replace(MOMENTS, cure_days=10), replace(CLOSES, cure_days=10)):
        ours, theirs = (simulated_odds(terms, model, (1, 3, 12), 80_000, 12, engine) for engine in ENGINES)
        assert (ours.engine, theirs.engine) == ENGINES
        for months in ours.probabilities:
            both = math.hypot(ours.standard_errors[months], theirs.standard_errors[months])
            assert abs(ours.probabilities[months] - theirs.probabilities[months]) < 4 * both
        both = math.hypot(ours.gap_standard_error, theirs.gap_standard_error)
        assert abs(ours.gap_probability - theirs.gap_probability) < 4 * both
        assert ours.tenth_years == pytest.approx(theirs.tenth_years, rel=0.05)


def test_times_of_the_flat_model_are_those_of_the_closed_form():
    odds = simulated_odds(MOMENTS, Flat(0.4), (24,), MANY)
    for share, years in ((0.5, odds.median_years), (0.1, odds.tenth_years)):
        assert call_probability(1 / 0.60, 1 / 0.75, years, 0.4) == pytest.approx(share, abs=0.01)
    assert simulated_odds(MOMENTS, FLAT, (3,), MANY).tenth_years is None


# what the models are for


def test_more_jumps_at_one_variance_raise_the_odds_far_from_the_call_and_soon():
    def soon(intensity):
        left = math.sqrt(0.20**2 - intensity * (0.03**2 + 0.05**2))
        return simulated_odds(MOMENTS, Jumps(left, intensity, -0.03, 0.05), (1,), MANY).probabilities[1]

    few, some, many = soon(0.0), soon(1.5), soon(4.0)
    assert few < 0.0004 < some < many


def test_shocks_of_the_past_reach_further_than_a_bell():
    calm = simulated_odds(CLOSES, FLAT, (1,), MANY).probabilities[1]
    fat = simulated_odds(CLOSES, MODELS["filtered history"], (1,), MANY)
    assert fat.probabilities[1] > 2 * calm
    assert fat.gap_probability > 0.002


# a loan that is called


def test_a_loan_that_is_called_is_only_asked_for_the_sale():
    called = CallTerms(1 / 0.78, 1 / 0.75, 1 / 0.85, cure_days=5, monitoring="continuous", drift=0.5 * 0.5**2)
    odds = simulated_odds(called, Flat(0.5), paths=MANY)
    assert odds.probabilities == {1: 1.0, 3: 1.0, 6: 1.0, 12: 1.0}
    assert (odds.median_years, odds.tenth_years) == (0.0, 0.0)
    exact = call_probability(1 / 0.78, 1 / 0.85, 5 / 252, 0.5, 0.5 * 0.5**2)
    assert abs(odds.gap_probability - exact) < 3 * odds.gap_standard_error
    under = replace(called, spot=1 / 0.86)
    assert simulated_odds(under, FLAT).gap_probability == 1.0
    assert simulated_odds(replace(called, cure_days=0), FLAT).gap_probability == 0.0


def test_on_the_call_price_is_called():
    assert simulated_odds(replace(MOMENTS, spot=1 / 0.75), FLAT).probabilities[1] == 1.0
    assert simulated_odds(replace(MOMENTS, spot=1 / 0.7499), FLAT).probabilities[1] < 1.0


# the same again


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_same_answer_and_another_another(name, engine):
    def odds(seed):
        return simulated_odds(CLOSES, MODELS[name], (3, 12), 20_000, seed, engine)

    assert odds(1) == odds(1)
    assert odds(1).probabilities != odds(2).probabilities


@pytest.mark.parametrize("name", MODELS)
def test_more_paths_begin_with_the_same(name):
    limits = limits_of(CLOSES, 252 + CLOSES.cure_days)
    few, more = (follow(MODELS[name], CLOSES, limits, 252, paths, 9) for paths in (2560, 5120))
    for mine, theirs in zip(few, more, strict=True):
        assert np.array_equal(mine, theirs[:2560])


def test_threads_and_processes_say_the_same():
    asked = (CLOSES, MODELS["filtered history"], (1, 12), 20_000, 3)
    here = simulated_odds(*asked)
    with ThreadPoolExecutor(3) as pool:
        assert all(found == here for found in pool.map(lambda _: simulated_odds(*asked), range(3)))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(odds_in_a_worker, *asked).result(timeout=100) == here


def test_mirrored_paths_mirror():
    moved = ends(FLAT).reshape(-1, 2, WHOLE_BLOCKS // 2)
    np.testing.assert_allclose(moved[:, 0] + moved[:, 1], -(0.25**2), atol=1e-9)
    leading, mirrored = (
        np.ravel(side) for side in np.split(ends(MODELS["filtered history"]).reshape(-1, 2, 64), 2, 1)
    )
    assert np.corrcoef(leading, mirrored)[0, 1] < -0.8


# what is refused


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("spot", 0.0),
        ("spot", math.nan),
        ("call_price", -1.0),
        ("close_out_price", 2.0),
        ("drift", math.inf),
        ("drift", 6.0),
        ("loan_rate", -6.0),
        ("cure_days", -1),
        ("cure_days", 61),
        ("monitoring", "hourly"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(argument, wrong):
    with pytest.raises(InvalidInput) as refused:
        replace(MOMENTS, **{argument: wrong})
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("months", ()),
        ("months", (0,)),
        ("months", (1.5,)),
        ("months", (121,)),
        ("paths", 1),
        ("paths", 10**7),
        ("paths", 1e4),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", True),
        ("engine", "abacus"),
    ],
)
def test_questions_that_make_no_sense_are_refused_by_name(argument, wrong):
    with pytest.raises(InvalidInput) as refused:
        simulated_odds(MOMENTS, FLAT, **{argument: wrong})
    assert refused.value.argument == argument


def test_a_price_far_from_everything_is_answered():
    odds = simulated_odds(CallTerms(1e300, 1e-300, 1e-301), FLAT, paths=256)
    assert odds.probabilities == {1: 0.0, 3: 0.0, 6: 0.0, 12: 0.0}
    assert odds.gap_probability is None
    assert odds.standard_errors[12] == 1 / 256


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "model",
    [
        Flat(5.0),
        Flat(1e-6),
        Jumps(5.0, 252.0, -1.0, 1.0),
        StochasticVolatility(5.0, 5.0, 126.0, 10.0, 1.0),
        StochasticVolatility(0.01, 5.0, 0.01, 10.0, -1.0),
        filtered(5.0, alpha=1.0, beta=0.0),
        filtered(0.01, alpha=0.0, beta=0.0, block_days=50),
    ],
    ids=lambda model: model.name,
)
def test_extremes_give_numbers(engine, model):
    for drift, loan_rate, monitoring in ((5.0, -5.0, "daily"), (-5.0, 5.0, "continuous")):
        terms = CallTerms(100.0, 99.9999, 1e-9, drift, loan_rate, 60, monitoring)
        odds = simulated_odds(terms, model, (1, 24), 256, engine=engine)
        for months, probability in odds.probabilities.items():
            assert 0.0 <= probability <= 1.0
            assert 0.0 < odds.standard_errors[months] < 1.0
        assert odds.probabilities[1] <= odds.probabilities[24]
        assert odds.gap_probability is None or 0.0 <= odds.gap_probability <= 1.0


def test_without_a_compiler_numpy_answers_and_it_says_so():
    program = """
import sys
sys.modules["numba"] = None
from vaultdash.risk import CallTerms, Flat, simulated_odds
odds = simulated_odds(CallTerms(1 / 0.60, 1 / 0.75, 1 / 0.85), Flat(0.25), (12,), 20_000)
print(odds.engine, odds.probabilities[12])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100)
    engine, probability = done.stdout.split()
    assert engine == "reference"
    assert float(probability) == pytest.approx(0.3949, abs=0.012)

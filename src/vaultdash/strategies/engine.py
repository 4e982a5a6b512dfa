"""All strategies on one situation: measured, ranked for each profile, and tested against other assumptions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Comparison, HedgePlan, MeasuredHedge, RiskProfile, Situation
from vaultdash.strategies.base import Strategy
from vaultdash.strategies.leaps import LeapsDurations
from vaultdash.strategies.measure import cost, duration, measure, protection_at_threshold
from vaultdash.strategies.premiums import premiums
from vaultdash.strategies.ranking import COST_DIGITS, Candidate, candidate, recommend
from vaultdash.strategies.sensitivity import other_spots, other_volatilities, sensitivity
from vaultdash.strategies.templated import Templated
from vaultdash.strategies.templates import system_template

DEFAULT_VOLATILITY = 0.16
DEFAULT_RATE = 0.045
DEFAULT_MONTHS = 12
DEFAULT_PRICE_CHANGES = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
SMALLEST_SIZE, LARGEST_SIZE = 1e-9, 1e15  # far beyond any loan; within it every figure is finite

RESEARCH = (  # the templates of the house that are compared, with the tenor asked for
    "protective_put_atm",
    "protective_put_otm_95",
    "protective_put_otm_90",
    "laddered_put_50_50_atm_otm95",
    "laddered_put_33_33_33_atm_otm95_otm90",
)
STRATEGIES: tuple[Strategy, ...] = (
    *(Templated(system_template(name), follows=True) for name in RESEARCH),
    LeapsDurations("lease_duration_analysis", "LEAPS"),
)

Priced = tuple[HedgePlan, tuple[float, ...]]


def compare(situation: Situation, strategies: Sequence[Strategy] = STRATEGIES) -> Comparison:
    """Every strategy's hedge in the order given, a recommendation for each profile, and its sensitivity.

    A strategy with several tenors is represented by the one that costs least a year; all stand in `durations`.
    About 3 ms with European exercise, 15 ms with American. Raises InvalidInput when a size is out of this world or a
    price change is not a number.
    """
    _require_computable(situation)
    volatilities, spots = other_volatilities(situation), other_spots(situation)
    situations = (situation, *volatilities, *spots)
    priced = _priced(situations, strategies)
    fields = [
        (each, [_candidate(tenors, each) for tenors in proposals])
        for each, proposals in zip(situations, priced, strict=True)
    ]
    recommendations = {profile: recommend(fields[0][1], profile, situation) for profile in RiskProfile}
    return Comparison(
        situation=situation,
        hedges=tuple(_measured(tenors, situation) for tenors in priced[0]),
        recommendations=recommendations,
        sensitivity=sensitivity(
            {profile: recommendation.name for profile, recommendation in recommendations.items()},
            {strategy.name: strategy.title for strategy in strategies},
            fields[1 : 1 + len(volatilities)],
            fields[1 + len(volatilities) :],
        ),
    )


def _priced(situations: Sequence[Situation], strategies: Sequence[Strategy]) -> list[list[list[Priced]]]:
    """For each situation and strategy its plans with their premiums, all priced together."""
    proposals = [[list(strategy.propose(each)) for strategy in strategies] for each in situations]
    every = [
        (each, plan) for each, plans in zip(situations, proposals, strict=True) for tenors in plans for plan in tenors
    ]
    priced: Iterator[tuple[float, ...]] = iter(premiums(every))
    return [[[(plan, next(priced)) for plan in tenors] for tenors in plans] for plans in proposals]


def _cheapest(tenors: Sequence[Priced], situation: Situation) -> Priced:
    if len(tenors) == 1:
        return tenors[0]
    return min(tenors, key=lambda one: round(cost(one[0], situation, one[1]).annualized_cost_pct, COST_DIGITS))


def _candidate(tenors: Sequence[Priced], situation: Situation) -> Candidate:
    plan, premium = _cheapest(tenors, situation)
    return candidate(plan, cost(plan, situation, premium), protection_at_threshold(plan, situation))


def _measured(tenors: Sequence[Priced], situation: Situation) -> MeasuredHedge:
    plan, premium = _cheapest(tenors, situation)
    measured = measure(plan, situation, premium)
    if len(tenors) == 1:
        return measured
    ascending = sorted(tenors, key=lambda one: one[0].months)
    return replace(measured, durations=tuple(duration(one, situation, paid) for one, paid in ascending))


def _require_computable(situation: Situation) -> None:
    sizes = {
        "spot": situation.spot,
        "units": situation.units,
        "loan_amount": situation.loan_amount,
        "portfolio_value": situation.portfolio_value,
        "margin_call_ltv": situation.margin_call_ltv,
    }
    for name, size in sizes.items():
        if not SMALLEST_SIZE <= size <= LARGEST_SIZE:
            raise InvalidInput(name, f"must be between {SMALLEST_SIZE:g} and {LARGEST_SIZE:g}, not {size:g}")

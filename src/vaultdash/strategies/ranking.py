"""Which hedge suits which risk profile, in what order, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Cost, HedgePlan, Protection, RankedHedge, Recommendation, RiskProfile, Situation
from vaultdash.domain.loan import is_breached

LTV_DIGITS = 9  # two hedges can be equal up to rounding: a three-way ladder and the put at its middle strike
COST_DIGITS = 12
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTED = "with the payoff counted as collateral"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a ranking looks at: hedged LTV at the margin-call price, a fraction; cost a year, USD and of the gold."""

    name: str
    hedged_ltv: float
    annualized_cost: float
    annualized_cost_pct: float
    keeps_buffer: bool


def candidate(plan: HedgePlan, cost: Cost, protection: Protection) -> Candidate:
    """The candidate of a measured plan; LTV and cost are rounded so that equal hedges tie."""
    return Candidate(
        name=plan.name,
        hedged_ltv=round(protection.hedged_ltv_at_threshold, LTV_DIGITS),
        annualized_cost=cost.annualized_cost,
        annualized_cost_pct=round(cost.annualized_cost_pct, COST_DIGITS),
        keeps_buffer=protection.maintains_margin_call_buffer,
    )


def rank(candidates: Sequence[Candidate], profile: RiskProfile) -> tuple[RankedHedge, ...]:
    """The candidates in order, best first; full ties keep the given order. A lower score is better.

    conservative: score is the hedged LTV at the margin-call price, ties by cost a year.
    cost_sensitive: score is the cost a year as a fraction of the gold, ties by LTV; candidates that do not keep the
    buffer come after all that do, whatever their score, unless none keeps it.
    balanced: score is 0.5 * minmax(LTV) + 0.5 * minmax(cost a year) over the candidates, ties by cost; a column in
    which all are equal counts 0.
    Raises InvalidInput without candidates.
    """
    if not candidates:
        raise InvalidInput("strategies", "must hold at least one")
    ltvs = _minmax([each.hedged_ltv for each in candidates])
    costs = _minmax([each.annualized_cost_pct for each in candidates])
    keyed: list[tuple[tuple[float, ...], float, Candidate]] = []
    for each, ltv, cost in zip(candidates, ltvs, costs, strict=True):
        if profile is RiskProfile.CONSERVATIVE:
            score = each.hedged_ltv
            key: tuple[float, ...] = (score, each.annualized_cost_pct)
        elif profile is RiskProfile.COST_SENSITIVE:
            score = each.annualized_cost_pct
            key = (not each.keeps_buffer, score, each.hedged_ltv)
        else:
            score = round(0.5 * ltv + 0.5 * cost, COST_DIGITS)
            key = (score, each.annualized_cost_pct)
        keyed.append((key, score, each))
    keyed.sort(key=lambda row: row[0])
    return tuple(
        RankedHedge(each.name, score, each.hedged_ltv, each.annualized_cost, each.keeps_buffer)
        for _, score, each in keyed
    )


def recommend(candidates: Sequence[Candidate], profile: RiskProfile, situation: Situation) -> Recommendation:
    """The best candidate for a profile, and the reason as a borrower would say it."""
    ranking = rank(candidates, profile)
    name = ranking[0].name
    winner = next(each for each in candidates if each.name == name)
    return Recommendation(profile, name, _reason(winner, candidates, profile, situation), ranking)


def _reason(winner: Candidate, field: Sequence[Candidate], profile: RiskProfile, situation: Situation) -> str:
    warning = _warning(field, situation)
    if profile is RiskProfile.CONSERVATIVE:
        return warning + _lowest_ltv(winner, field)
    if profile is RiskProfile.COST_SENSITIVE:
        return warning + _cheapest(winner, field, situation)
    return warning + (
        f"Best balance of {_all(field)} between protection and cost, each weighing half: "
        f"LTV {_percent(winner.hedged_ltv)} at the margin-call price, {COUNTED}, for {_yearly(winner)}."
    )


def _warning(field: Sequence[Candidate], situation: Situation) -> str:
    ltv, limit = situation.loan_amount / situation.portfolio_value, situation.margin_call_ltv
    if is_breached(ltv, limit):
        return (
            f"The loan is already called: its LTV of {_percent(ltv)} has reached the limit of {_percent(limit)}, "
            "which none of these hedges undoes: repay or add gold first. "
        )
    if not any(each.keeps_buffer for each in field):
        return f"None of {_all(field)} keeps the LTV below {_percent(limit)} at the margin-call price. "
    return ""


def _lowest_ltv(winner: Candidate, field: Sequence[Candidate]) -> str:
    equals = sum(each.hedged_ltv == winner.hedged_ltv for each in field)
    ltv = f"{_percent(winner.hedged_ltv)} {COUNTED}"
    if equals == 1:
        return f"Lowest LTV of {_all(field)} at the margin-call price: {ltv}; costs {_yearly(winner)}."
    if equals == len(field):
        leave = f"All {_count(equals)} leave the LTV at {ltv}, at the margin-call price"
        return f"{leave}; this one is the cheapest at {_yearly(winner)}."
    return (
        f"Lowest LTV at the margin-call price, {ltv}, which {_count(equals)} of {_all(field)} reach, "
        f"and the cheapest of these at {_yearly(winner)}."
    )


def _cheapest(winner: Candidate, field: Sequence[Candidate], situation: Situation) -> str:
    keepers = sum(each.keeps_buffer for each in field)
    kept = f"the LTV below {_percent(situation.margin_call_ltv)} at the margin-call price"
    there = f"{_yearly(winner)}, LTV {_percent(winner.hedged_ltv)} there {COUNTED}."
    if keepers == 0:
        return f"Cheapest of {_all(field)}: {_yearly(winner)}."
    if keepers == 1:
        return f"The only one of {_all(field)} that keeps {kept}: {there}"
    if keepers == len(field):
        return f"Cheapest of {_all(field)}, which all keep {kept}: {there}"
    return f"Cheapest of the {_count(keepers)} hedges, out of {_count(len(field))}, that keep {kept}: {there}"


def _minmax(values: Sequence[float]) -> list[float]:
    lowest, highest = min(values), max(values)
    if highest == lowest:
        return [0.0 for _ in values]
    return [(value - lowest) / (highest - lowest) for value in values]


def _yearly(each: Candidate) -> str:
    return f"{each.annualized_cost_pct:.2%} of the gold a year".replace("%", " %")


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.1f} %"


def _all(field: Sequence[Candidate]) -> str:
    return f"the {_count(len(field))}"


def _count(number: int) -> str:
    return COUNTS[number] if number < len(COUNTS) else str(number)

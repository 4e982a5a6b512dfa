"""Whether a recommendation survives another volatility or another price."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vaultdash.domain.hedge import RiskProfile, Sensitivity, SensitivityPoint, Situation
from vaultdash.domain.loan import is_breached
from vaultdash.strategies.ranking import Candidate, rank

VOLATILITIES = (0.10, 0.13, 0.16, 0.20, 0.25, 0.30)
SPOT_CHANGES = (-0.10, -0.05, 0.0, 0.05, 0.10)
LABELS = {
    RiskProfile.CONSERVATIVE: "Conservative",
    RiskProfile.BALANCED: "Balanced",
    RiskProfile.COST_SENSITIVE: "Cost-sensitive",
}


def other_volatilities(situation: Situation) -> tuple[Situation, ...]:
    """The situation at each volatility of the grid, ascending; all else is held."""
    return tuple(replace(situation, volatility=volatility) for volatility in VOLATILITIES)


def other_spots(situation: Situation) -> tuple[Situation, ...]:
    """The situation at each spot of the grid, ascending; units and loan are held, so the LTV moves."""
    return tuple(replace(situation, spot=situation.spot * (1.0 + change)) for change in SPOT_CHANGES)


def sensitivity(
    chosen: Mapping[RiskProfile, str],
    titles: Mapping[str, str],
    volatilities: Sequence[tuple[Situation, Sequence[Candidate]]],
    spots: Sequence[tuple[Situation, Sequence[Candidate]]],
) -> Sensitivity:
    """The winners at each point, compared with those `chosen`; `titles` by strategy name.

    A point's `value` is the volatility, or the spot price in USD. Strikes are a part of spot: at another spot the
    hedges are proposed afresh. Where the loan is already called there is a winner, but the sentences say so instead.
    """
    called = {
        point.spot
        for point, _ in spots
        if is_breached(point.loan_amount / point.portfolio_value, point.margin_call_ltv)
    }
    by_volatility = tuple(_point(point.volatility, field, chosen) for point, field in volatilities)
    by_spot = tuple(_point(point.spot, field, chosen) for point, field in spots)
    alive = [point for point in by_spot if point.value not in called]
    note = f" At {max(called):,.2f} and below the loan is already called." if called else ""
    sentences = {
        profile: _sentence(profile, name, titles, (("volatility", by_volatility), ("price", alive))) + note
        for profile, name in chosen.items()
    }
    return Sensitivity(by_volatility, by_spot, sentences)


def _point(value: float, field: Sequence[Candidate], chosen: Mapping[RiskProfile, str]) -> SensitivityPoint:
    winners = {profile: rank(field, profile)[0].name for profile in chosen}
    return SensitivityPoint(
        value, winners, tuple(profile for profile in chosen if winners[profile] != chosen[profile])
    )


def _sentence(
    profile: RiskProfile,
    name: str,
    titles: Mapping[str, str],
    axes: Sequence[tuple[str, Sequence[SensitivityPoint]]],
) -> str:
    stays, changes = [], []
    for axis, points in axes:
        runs = itertools.groupby(points, key=lambda point: point.recommendations[profile])
        others = [(winner, [point.value for point in run]) for winner, run in runs if winner != name]
        changes += [f"{titles[winner]} at a {axis} of {_range(values, axis)}" for winner, values in others]
        if points and not others:
            stays.append(f"every {axis} from {_range([point.value for point in points], axis)}")
    if not changes:
        return f"{LABELS[profile]} stays with {titles[name]} at {' and '.join(stays)}."
    kept = f"; it stays at {' and '.join(stays)}" if stays else ""
    return f"{LABELS[profile]} chooses {titles[name]}, but {' and '.join(changes)}{kept}."


def _range(values: Sequence[float], axis: str) -> str:
    shown = [f"{value * 100:g} %" if axis == "volatility" else f"{value:,.2f}" for value in values]
    return shown[0] if len(shown) == 1 else f"{shown[0]} to {shown[-1]}"

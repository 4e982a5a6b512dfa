"""Hedges of puts for tests of the comparison, as templates of the owner's would be."""

from collections.abc import Sequence

from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Strike, StrikeRule, TemplateLeg
from vaultdash.strategies.templated import Templated


def ladder(weights: Sequence[float], strike_pcts: Sequence[float], months: float | None = None) -> Templated:
    """Puts at parts of spot over parts of the gold, with the situation's tenor unless `months` are given."""
    legs = tuple(
        TemplateLeg(Right.PUT, Strike(StrikeRule.PERCENT_OF_SPOT, strike), months or 12.0, share=weight)
        for weight, strike in zip(weights, strike_pcts, strict=True)
    )
    return Templated(HedgeTemplate("ladder", "Ladder", legs=legs), follows=months is None)


def put(strike_pct: float, months: float | None = None) -> Templated:
    """One put at a part of spot over all of the gold."""
    return ladder((1.0,), (strike_pct,), months)

"""Contracts that no cheapest hedge needs, because another is at least as good at no more: left out exactly."""

from collections.abc import Sequence

from vaultdash.domain.option import Right
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line


def pruned(lines: Sequence[Line], terms: HedgeTerms) -> list[Line]:
    """The lines that another does not dominate, when every option counts at exercise value.

    A bought put gives way to one of the same multiplier with a strike no lower at a cost no higher: it pays at least
    as much at every price. A sold call gives way to one with a strike no lower that brings no less. Both hold as long
    as the better one may be traded in any number, so a limit per line leaves everything, unless no more contracts
    are allowed in all than on one line.
    """
    puts = [line for line in lines if line.option.right is Right.PUT]
    calls = [line for line in lines if line.option.right is Right.CALL]
    kept: list[Line] = []
    for group, most in ((puts, terms.max_puts), (calls, terms.max_calls)):
        is_free = terms.max_per_line is None or (most is not None and most <= terms.max_per_line)
        kept += _undominated(group) if is_free else group
    chosen = {id(line) for line in kept}
    return [line for line in lines if id(line) in chosen]


def _undominated(group: Sequence[Line]) -> list[Line]:
    kept: list[Line] = []
    highest: dict[int, float] = {}
    for line in sorted(group, key=lambda each: (each.cost, -each.option.strike, each.option.expiration)):
        multiplier = line.option.multiplier
        if line.option.strike > highest.get(multiplier, 0.0):
            highest[multiplier] = line.option.strike
            kept.append(line)
    return kept

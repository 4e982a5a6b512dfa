"""A template that sells what it does not cover is refused before it meets a price."""

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Side, Strike, StrikeRule, TemplateLeg


def put(
    value: float | None,
    months: float = 12.0,
    share: float = 1.0,
    side: Side = Side.BUY,
    rule: StrikeRule = StrikeRule.PERCENT_OF_SPOT,
) -> TemplateLeg:
    return TemplateLeg(Right.PUT, Strike(rule, value), months, side, share)


def of(*legs: TemplateLeg) -> HedgeTemplate:
    return HedgeTemplate("mine", "Mine", legs=legs)


def test_a_sold_put_that_outlasts_the_bought_one_is_refused() -> None:
    with pytest.raises(InvalidInput, match="buy too few that last as long"):
        of(put(0.95, 3.0), put(0.8, 12.0, side=Side.SELL))


def test_a_sold_put_is_covered_by_bought_ones_that_last_as_long_or_longer() -> None:
    assert of(put(0.95, 12.0), put(0.8, 3.0, side=Side.SELL)).months == 12.0
    assert of(put(0.95, 12.0, 0.5), put(0.95, 3.0, 0.5), put(0.8, 12.0, 0.5, Side.SELL)).hedges
    with pytest.raises(InvalidInput, match="sell puts of 12 months"):
        of(put(0.95, 12.0, 0.5), put(0.95, 3.0, 0.5), put(0.8, 12.0, 0.6, Side.SELL))


@pytest.mark.parametrize("rule", [StrikeRule.PERCENT_OF_SPOT, StrikeRule.DISTANCE_TO_CALL, StrikeRule.DELTA])
def test_a_sold_put_above_the_lowest_bought_one_is_refused_where_the_rule_is_the_same(rule: StrikeRule) -> None:
    with pytest.raises(InvalidInput, match="sell the lower strike and buy the higher one"):
        of(put(0.9, rule=rule, share=0.5), put(0.6, rule=rule, share=0.5), put(0.7, rule=rule, side=Side.SELL))
    assert of(put(0.9, rule=rule), put(0.9, rule=rule, side=Side.SELL)).hedges


def test_strikes_by_different_rules_are_left_to_the_day() -> None:
    assert of(put(0.25, rule=StrikeRule.DELTA), put(0.95, side=Side.SELL)).hedges
    first = put(None, rule=StrikeRule.FIRST_ABOVE_CALL)
    assert of(first, put(0.8, side=Side.SELL)).hedges


def test_more_sold_than_bought_or_pledged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more puts than they buy"):
        of(put(0.95, share=0.5), put(0.8, side=Side.SELL))
    call = TemplateLeg(Right.CALL, Strike(StrikeRule.DELTA, 0.3), 6.0, Side.SELL, 0.6)
    with pytest.raises(InvalidInput, match="more calls than there is gold"):
        of(call, call)

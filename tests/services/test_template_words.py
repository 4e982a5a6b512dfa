"""Templates in sentences that a borrower reads."""

from tests.storage.sql.records import a_template
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.services.template_words import leg_words, roll_words, template_lines
from vaultdash.strategies.templates import system_template


def test_every_rule_of_a_strike_has_its_words() -> None:
    words = {
        (StrikeRule.PERCENT_OF_SPOT, 1.0): "at spot",
        (StrikeRule.PERCENT_OF_SPOT, 0.925): "at 92.5 % of spot",
        (StrikeRule.DELTA, 0.25): "at a delta of 0.25",
        (StrikeRule.DISTANCE_TO_CALL, 1.05): "at 105 % of the margin-call price",
        (StrikeRule.FIRST_ABOVE_CALL, None): "at the first strike above the margin-call price",
    }
    for (rule, value), told in words.items():
        assert leg_words(TemplateLeg(Right.PUT, Strike(rule, value), 1.0)) == f"put bought {told} for 1 month"


def test_a_leg_says_its_side_and_how_much() -> None:
    strike = Strike(StrikeRule.DELTA, 0.2)
    sold = TemplateLeg(Right.CALL, strike, 7.5, Side.SELL, 1 / 3)
    assert leg_words(sold) == "call sold at a delta of 0.2 for 7.5 months over 33.33 %"
    assert leg_words(TemplateLeg(Right.PUT, strike, 3.0, contracts=1)).endswith("for 3 months, 1 contract")
    assert leg_words(TemplateLeg(Right.PUT, strike, 3.0, contracts=1200)).endswith("1,200 contracts")


def test_a_policy_says_what_is_done_and_what_never() -> None:
    assert roll_words(RollPolicy(None)) == "held to expiry"
    assert roll_words(RollPolicy(1)) == "rolled 1 day before expiry"
    assert roll_words(RollPolicy(10, 0.1, 0.85, 0.7, False, 0.03)) == (
        "rolled 10 days before expiry; rolled up when gold has risen by 10 %; sold to repay the loan when a delta is "
        "beyond 0.85 or the LTV has reached 70 %; not bought again; at most 3 % of the collateral a year"
    )


def test_a_whole_template_is_told_line_by_line() -> None:
    assert template_lines(a_template(version=4)) == [
        "Größe: puts under the call (mine, version 4)",
        "A third",
        "of the gold.",
        "Leg: put bought at 30 % of the margin-call price for 7.3 months over 33.33 %",
        "Leg: call sold at a delta of 0.2 for 6 months, 4 contracts",
        "Then: rolled 10 days before expiry; rolled up when gold has risen by 10 %; sold to repay the loan when a "
        "delta is beyond 0.85 or the LTV has reached 70 %; not bought again; at most 3 % of the collateral a year",
        "Over 70 % of the gold; premium added to the loan; options counted after they are paid out.",
    ]
    assert template_lines(HedgeTemplate("x", "X")) == ["X (x, version 1)", "Nothing is bought."]
    assert template_lines(system_template("no_hedge")) == ["No hedge (no_hedge, of the house)", "Nothing is bought."]
    assert template_lines(system_template("repay_with_premium"))[-1] == "What the legs would cost repays the loan."

"""A hedge template in sentences: what is bought and sold, when it is rolled, what pays."""

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg

NOTHING = "Nothing is bought."
COUNTED = {
    HedgeCounting.IGNORED: "not counted",
    HedgeCounting.AFTER_PAYMENT: "counted after they are paid out",
    HedgeCounting.CREDITED: "credited as collateral",
}
PAID = {
    PremiumFunding.CASH: "premium paid in cash",
    PremiumFunding.LOAN: "premium added to the loan",
    PremiumFunding.SELL_GOLD: "premium paid by selling gold",
}


def strike_words(strike: Strike) -> str:
    """Such as `at 95 % of spot`."""
    value = 0.0 if strike.value is None else strike.value
    if strike.rule is StrikeRule.FIRST_ABOVE_CALL:
        return "at the first strike above the margin-call price"
    if strike.rule is StrikeRule.DELTA:
        return f"at a delta of {value:g}"
    if strike.rule is StrikeRule.DISTANCE_TO_CALL:
        return f"at {_percent(value)} of the margin-call price"
    return "at spot" if value == 1 else f"at {_percent(value)} of spot"


def leg_words(leg: TemplateLeg) -> str:
    """Such as `put bought at 95 % of spot for 12 months over 50 %`."""
    right = "put" if leg.right is Right.PUT else "call"
    side = "bought" if leg.side is Side.BUY else "sold"
    months = "1 month" if leg.months == 1 else f"{leg.months:g} months"
    much = "" if leg.share == 1 else f" over {_percent(leg.share)}"
    if leg.contracts is not None:
        much = f", {leg.contracts:,} contract{'s' if leg.contracts > 1 else ''}"
    return f"{right} {side} {strike_words(leg.strike)} for {months}{much}"


def roll_words(roll: RollPolicy) -> str:
    """When it is rolled and turned into cash, in one sentence without its full stop."""
    days = roll.days_before_expiry
    said = ["held to expiry" if days is None else f"rolled {days} day{'s' if days > 1 else ''} before expiry"]
    if roll.ratchet is not None:
        said.append(f"rolled up when gold has risen by {_percent(roll.ratchet)}")
    limits = []
    if roll.monetise_delta is not None:
        limits.append(f"a delta is beyond {roll.monetise_delta:g}")
    if roll.monetise_ltv is not None:
        limits.append(f"the LTV has reached {_percent(roll.monetise_ltv)}")
    if limits:
        said.append(f"sold to repay the loan when {' or '.join(limits)}")
    if not roll.rebuy:
        said.append("not bought again")
    if roll.yearly_budget is not None:
        said.append(f"at most {_percent(roll.yearly_budget)} of the collateral a year")
    return "; ".join(said)


def template_lines(template: HedgeTemplate) -> list[str]:
    """All of it, a line a part."""
    owner = "of the house" if template.is_system else f"version {template.version}"
    lines = [f"{template.name} ({template.id}, {owner})"]
    if template.description:
        lines += template.description.splitlines()
    if not template.legs:
        return lines if lines[1:] == [NOTHING] else [*lines, NOTHING]
    done = "Instead of" if template.repays else "Leg"
    lines += [f"{done}: {leg_words(leg)}" for leg in template.legs]
    lines.append(f"Then: {roll_words(template.roll)}")
    counted = "as the loan says" if template.counting is None else COUNTED[template.counting]
    if template.repays:
        return [*lines, "What the legs would cost repays the loan."]
    much = "all" if template.coverage == 1 else _percent(template.coverage)
    return [*lines, f"Over {much} of the gold; {PAID[template.funding]}; options {counted}."]


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.4g} %"

"""The templates of the house: a start for the owner's own, and what every event report compares."""

from vaultdash.domain.errors import NotFound
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg

YEAR = 12.0
NO_HEDGE = "no_hedge"


def _put(strike: float, share: float = 1.0, months: float = YEAR, side: Side = Side.BUY) -> TemplateLeg:
    return TemplateLeg(Right.PUT, Strike(StrikeRule.PERCENT_OF_SPOT, strike), months, side, share)


def _template(
    slug: str, name: str, description: str, *legs: TemplateLeg, roll: RollPolicy | None = None, **rest: object
) -> HedgeTemplate:
    return HedgeTemplate(slug, name, description, legs, roll or RollPolicy(), is_system=True, **rest)  # type: ignore[arg-type]  # rest are fields of the template


_CALL_OVER = TemplateLeg(Right.CALL, Strike(StrikeRule.PERCENT_OF_SPOT, 1.10), YEAR, Side.SELL)
_FIRST_ABOVE = TemplateLeg(Right.PUT, Strike(StrikeRule.FIRST_ABOVE_CALL), YEAR)

TEMPLATES: tuple[HedgeTemplate, ...] = (
    _template("protective_put_atm", "ATM put", "A put at spot over all units for a year.", _put(1.0)),
    _template("protective_put_otm_95", "95 % put", "A put 5 % below spot over all units for a year.", _put(0.95)),
    _template("protective_put_otm_90", "90 % put", "A put 10 % below spot over all units for a year.", _put(0.90)),
    _template(
        "laddered_put_50_50_atm_otm95",
        "Ladder 50/50",
        "Half of the units at spot, half 5 % below it.",
        _put(1.0, 0.5),
        _put(0.95, 0.5),
    ),
    _template(
        "laddered_put_33_33_33_atm_otm95_otm90",
        "Ladder 33/33/33",
        "A third of the units at spot, a third 5 % and a third 10 % below it.",
        _put(1.0, 1 / 3),
        _put(0.95, 1 / 3),
        _put(0.90, 1 / 3),
    ),
    _template(
        "lease_duration_analysis",
        "LEAPS, 24 months",
        "A put at spot for two years, the tenor that costs least a year; rolled three months before expiry.",
        _put(1.0, months=24.0),
        roll=RollPolicy(days_before_expiry=90),
    ),
    _template(
        "collar_95_110",
        "Collar 95/110",
        "A put 5 % below spot, paid in part by a call sold 10 % above it: what gold gains beyond is given away.",
        _put(0.95),
        _CALL_OVER,
    ),
    _template(
        "put_spread_95_80",
        "Put spread 95/80",
        "A put 5 % below spot, one 20 % below it sold: cheaper, and no help in the deepest part of a fall.",
        _put(0.95),
        _put(0.80, side=Side.SELL),
    ),
    _template(
        "first_strike_above_call",
        "First strike above the call price",
        "The lowest listed strike above the margin-call price: the cheapest put that keeps a call away where the "
        "lender credits it.",
        _FIRST_ABOVE,
    ),
    _template(
        "rolling_quarterly_95",
        "95 % put, quarterly",
        "Three-month puts 5 % below spot, replaced ten days before they expire.",
        _put(0.95, months=3.0),
        roll=RollPolicy(days_before_expiry=10),
    ),
    _template(
        "partial_50_otm_95",
        "95 % put over half",
        "A put 5 % below spot over half of the units: half the premium, and half the help.",
        _put(0.95),
        coverage=0.5,
    ),
    _template(
        "dynamic_rehedge_95",
        "95 % put, re-hedged",
        "A put 5 % below spot that follows gold up by steps of 10 %, and is sold to repay the loan when it is deep "
        "in the money.",
        _put(0.95),
        roll=RollPolicy(ratchet=0.10, monetise_delta=0.85),
    ),
    _template(
        "repay_with_premium",
        "Repay instead",
        "No option: what a 95 % put would cost repays the loan, on the same days.",
        _put(0.95),
        repays=True,
    ),
    _template(NO_HEDGE, "No hedge", "Nothing is bought."),
)


def system_template(slug: str) -> HedgeTemplate:
    """The template of the house with that id; raises NotFound."""
    for known in TEMPLATES:
        if known.id == slug:
            return known
    raise NotFound(f"There is no template {slug!r}; they are {', '.join(known.id for known in TEMPLATES)}")

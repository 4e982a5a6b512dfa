"""A hedge template as a strategy: its legs on a situation, where the comparison can measure them."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from vaultdash.domain.hedge import WEIGHT_TOLERANCE, Exercise, HedgeLeg, HedgePlan, Situation
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.pricing import american
from vaultdash.pricing.compiled import ready_engine
from vaultdash.strategies.premiums import DIVIDEND_YIELD

NEAR_MONTHS, NEAR_STEP, FAR_STEP = 3.0, 1.0, 5.0  # strikes are listed by USD 1 up to three months, by 5 beyond
LEAST_STRIKE, GREATEST_STRIKE = 0.05, 20.0  # of spot; beyond these nothing is listed, and no premium means anything
DELTA_TOLERANCE, STRIKE_TOLERANCE, MOST_LOOKS = 1e-5, 1e-6, 60  # of a delta; of spot
DEEPEST_AMERICAN = 0.95  # beyond it an American put is about to be exercised, and many strikes have its delta
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Templated:
    """The plan of a template that `unmeasured` finds nothing against.

    `follows` takes the situation's tenor for the legs instead of the template's own.
    """

    template: HedgeTemplate
    follows: bool = False

    @property
    def name(self) -> str:
        """The template's id."""
        return self.template.id

    @property
    def title(self) -> str:
        """The template's name."""
        return self.template.name

    def propose(self, situation: Situation) -> tuple[HedgePlan]:
        """One plan of all its legs; raises InvalidInput for a template that cannot be measured."""
        legs = tuple(self._leg(leg, situation) for leg in self.template.legs)
        return (HedgePlan(self.name, self.title, legs),)

    def _leg(self, leg: TemplateLeg, situation: Situation) -> HedgeLeg:
        months = situation.months if self.follows else _whole(leg.months)
        if leg.strike.rule is StrikeRule.PERCENT_OF_SPOT and leg.strike.value is not None:
            part = leg.strike.value
            return HedgeLeg(leg.right, situation.spot * part, part, leg.share, months)
        strike = resolved(leg.strike, months, situation)
        return HedgeLeg(leg.right, strike, strike / situation.spot, leg.share, months)


def resolved(strike: Strike, months: float, situation: Situation) -> float:
    """The strike of a put, USD a share, that the rule means with `months` to expiry.

    Only `first_above_call` looks at what is listed, as it says so; the others are exact, as all strikes of the
    comparison are. A delta is that of the situation's exercise, volatility and rate.
    """
    value = 1.0 if strike.value is None else strike.value
    if strike.rule is StrikeRule.PERCENT_OF_SPOT:
        return situation.spot * value
    if strike.rule is StrikeRule.DISTANCE_TO_CALL:
        return situation.margin_call_price * value
    if strike.rule is StrikeRule.FIRST_ABOVE_CALL:
        step = NEAR_STEP if months <= NEAR_MONTHS else FAR_STEP
        steps = situation.margin_call_price / step
        return step * (math.floor(steps + ROUNDING * max(1.0, steps)) + 1)
    if situation.exercise is Exercise.EUROPEAN:
        return _european_strike(value, months / 12.0, situation)
    return _american_strike(value, months / 12.0, situation)


def unmeasured(template: HedgeTemplate, situation: Situation | None = None) -> str | None:
    """Why the comparison cannot measure a template, on any situation or on this one; None when it can.

    It measures puts that are bought over the whole collateral with one tenor, as its formulas are for these alone.
    """
    legs = template.legs
    if template.repays:
        return "it buys no option: what it would cost repays the loan"
    if not legs:
        return "it buys nothing"
    if any(leg.side is Side.SELL for leg in legs):
        return "it sells options, and only bought puts are compared here"
    if any(leg.right is not Right.PUT for leg in legs):
        return "it buys calls, and only puts are compared here"
    if any(leg.contracts is not None for leg in legs):
        return "it is over a fixed number of contracts, and hedges over the whole collateral are compared here"
    if template.coverage != 1 or abs(sum(leg.share for leg in legs) - 1) > WEIGHT_TOLERANCE:
        return "it is not over the whole collateral once, as the hedges compared here are"
    if len({leg.months for leg in legs}) > 1:
        return "its legs expire at different times, and hedges of one tenor are compared here"
    if situation is None:
        return None
    if situation.exercise is Exercise.AMERICAN and any(
        leg.strike.rule is StrikeRule.DELTA and (leg.strike.value or 0.0) > DEEPEST_AMERICAN for leg in legs
    ):
        return f"a delta above {DEEPEST_AMERICAN:g} belongs to no one strike where options may be exercised early"
    parts = [resolved(leg.strike, leg.months, situation) / situation.spot for leg in legs]
    if not all(LEAST_STRIKE <= part <= GREATEST_STRIKE for part in parts):
        return "its strike would be too far from the price of gold to mean anything"
    return None


def _whole(months: float) -> float:
    """As an integer where it is one, as the tenors of the research are: it is shown as it is."""
    return int(months) if float(months).is_integer() else months


def _european_strike(delta: float, years: float, situation: Situation) -> float:
    """K with exp(-qT) N(-d1) = delta (Merton 1973): K = S exp((r - q + sigma^2/2) T + sigma sqrt(T) N^-1(delta))."""
    at_one = min(delta * math.exp(DIVIDEND_YIELD * years), 1 - 2**-53)
    deviation = situation.volatility * math.sqrt(years)
    drift = (situation.rate - DIVIDEND_YIELD) * years + deviation * deviation / 2
    return situation.spot * math.exp(drift + deviation * NormalDist().inv_cdf(at_one))


def _american_strike(delta: float, years: float, situation: Situation) -> float:
    """The strike with that delta, by false position (Illinois): each look prices one option, some ten are needed.

    Without sign the delta of an American put is at least that of the European one, so that the strike is not above.
    """

    def excess(part: float) -> float:
        rate, volatility = situation.rate, situation.volatility
        valued = american(1.0, part, years, rate, DIVIDEND_YIELD, volatility, "P", engine=ready_engine())
        return -float(valued.delta) - delta

    high = _european_strike(delta, years, situation) / situation.spot
    if high > GREATEST_STRIKE:
        return situation.spot * high
    low, above = 0.9 * high, excess(high)
    while (below := excess(low)) > 0 and low > LEAST_STRIKE / 10:
        high, above, low = low, below, 0.9 * low
    if above <= 0:  # the European strike itself, up to the last digits
        return situation.spot * high
    side = 0
    for _ in range(MOST_LOOKS):
        between = low - below * (high - low) / (above - below)
        found = excess(between)
        if abs(found) < DELTA_TOLERANCE or high - low < STRIKE_TOLERANCE:
            return situation.spot * between
        if found > 0:
            high, above, below = between, found, below / 2 if side > 0 else below
            side = 1
        else:
            low, below, above = between, found, above / 2 if side < 0 else above
            side = -1
    return situation.spot * between

"""Model premiums of many legs in one call of the pricer."""

from collections.abc import Sequence

from vaultdash.domain.hedge import Exercise, HedgeLeg, HedgePlan, Situation
from vaultdash.pricing import american_price, european
from vaultdash.pricing.compiled import ready_engine

DIVIDEND_YIELD = 0.0  # gold pays none; the fund's fee is inside the share price (domain notes, 4)
SAME_STRIKE_DIGITS = 12

Contract = tuple[float, float, float, float, str]


def premiums(plans: Sequence[tuple[Situation, HedgePlan]]) -> list[tuple[float, ...]]:
    """Premium per share, USD, of each leg of each plan, at its situation's volatility, rate and exercise.

    The price is homogeneous in spot and strike: legs that differ by scale alone are priced once.
    """
    prices: dict[Exercise, dict[Contract, float]] = {}
    for situation, plan in plans:
        wanted = prices.setdefault(situation.exercise, {})
        wanted.update((_contract(situation, leg), 0.0) for leg in plan.legs)
    engine = ready_engine()
    for exercise, wanted in prices.items():
        strike, years, rate, volatility, right = zip(*wanted, strict=True)
        given = (1.0, strike, years, rate, DIVIDEND_YIELD, volatility, list(right))
        if exercise is Exercise.EUROPEAN:
            priced = european(*given, engine=engine).price
        else:
            priced = american_price(*given, engine=engine)
        wanted.update(zip(wanted, priced.tolist(), strict=True))
    return [
        tuple(situation.spot * prices[situation.exercise][_contract(situation, leg)] for leg in plan.legs)
        for situation, plan in plans
    ]


def _contract(situation: Situation, leg: HedgeLeg) -> Contract:
    strike = round(leg.strike / situation.spot, SAME_STRIKE_DIGITS)
    return strike, leg.years, situation.rate, situation.volatility, leg.right.value

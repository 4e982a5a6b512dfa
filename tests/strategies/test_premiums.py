"""Premiums come from the pricers, each contract once."""

import pytest

from tests.builders import a_situation
from tests.strategies.plans import put
from vaultdash.domain.hedge import Exercise
from vaultdash.pricing import american, european
from vaultdash.pricing.compiled import ready_engine
from vaultdash.strategies.engine import STRATEGIES
from vaultdash.strategies.premiums import premiums


def test_european_and_american_situations_are_priced_by_their_own_pricer() -> None:
    hedge = put(0.95)
    situations = [a_situation(exercise=exercise) for exercise in (Exercise.EUROPEAN, Exercise.AMERICAN)]
    found = premiums([(situation, hedge.propose(situation)[0]) for situation in situations])
    point = (460.0, 437.0, 1.0, 0.045, 0.0, 0.16, "P")
    assert found[0][0] == pytest.approx(float(european(*point).price), abs=1e-10)
    assert found[1][0] == pytest.approx(float(american(*point, engine=ready_engine()).price), abs=1e-6)
    assert found[1][0] > found[0][0] + 0.5


def test_each_leg_gets_the_premium_of_its_own_strike_tenor_volatility_and_spot() -> None:
    situations = [
        a_situation(),
        a_situation(volatility=0.3),
        a_situation(spot=500.0),
        a_situation(rate=0.01, months=5),
    ]
    asked = [(each, plan) for each in situations for strategy in STRATEGIES for plan in strategy.propose(each)]
    for (situation, plan), found in zip(asked, premiums(asked), strict=True):
        for leg, premium in zip(plan.legs, found, strict=True):
            alone = european(
                situation.spot, leg.strike, leg.months / 12, situation.rate, 0.0, situation.volatility, leg.right
            )
            assert premium == pytest.approx(float(alone.price), abs=1e-9)

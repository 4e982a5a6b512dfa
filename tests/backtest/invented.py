"""Invented days, and random loans and hedges on them, for tests of the replay."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.scenario import Costs, Scenario, Smile, TradeAt
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.pricing.base import FloatArray

FIRST = date(2018, 1, 1)


def weekdays(count: int, first: date = FIRST) -> tuple[date, ...]:
    days, day = [], first
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(1)
    return tuple(days)


def third_fridays(first: date, last: date) -> tuple[date, ...]:
    firsts = (date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13))
    fridays = (day + timedelta((4 - day.weekday()) % 7 + 14) for day in firsts)
    return tuple(day for day in fridays if first <= day <= last)


def days_of(closes: FloatArray, level: float | FloatArray = 0.2, rate: float = 0.04, **fields: object) -> MarketDays:
    """Weekdays from the first of 2018 with these closes, lows half a per cent below."""
    count = len(closes)
    days = weekdays(count)
    given: dict[str, object] = {
        "symbol": "GLD",
        "days": days,
        "closes": np.asarray(closes, dtype=np.float64),
        "lows": np.asarray(closes, dtype=np.float64) * 0.995,
        "levels": np.broadcast_to(np.asarray(level, dtype=np.float64), count).copy(),
        "long_run": np.full(count, 0.18),
        "rates": np.full(count, rate),
        "from_gvz": np.ones(count),
        "has_rate": np.ones(count),
        "listed": third_fridays(days[0], days[-1] + timedelta(6 * 365)),
        "source": "invented",
        **fields,
    }
    return MarketDays(**given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """One replay to be run."""

    scenario: Scenario
    template: HedgeTemplate
    market: MarketDays


def random_market(draw: np.random.Generator, count: int) -> MarketDays:
    """A random walk, in most cases with a crash or two in it, so that loans are called, cured and sold."""
    moves = draw.normal(0.0, draw.uniform(0.005, 0.015), count)
    for _ in range(draw.integers(0, 3)):
        moves[draw.integers(3, count - 3) :][: draw.integers(1, 5)] -= draw.uniform(0.03, 0.09)
    closes = draw.uniform(80, 480) * np.exp(np.cumsum(moves))
    levels = np.clip(0.18 + np.cumsum(draw.normal(0, 0.004, count)), 0.08, 0.6)
    days = weekdays(count)
    return days_of(
        closes,
        levels,
        lows=np.where(draw.random(count) < 0.1, np.nan, closes * (1 - draw.uniform(0, 0.02, count))),
        rates=0.02 + 0.03 * draw.random(count),
        long_run=np.full(count, draw.uniform(0.12, 0.25)),
        days=days,
    )


def random_leg(draw: np.random.Generator, right: Right, side: Side, share: float, months: float) -> TemplateLeg:
    rules = list(StrikeRule)
    rule = rules[draw.integers(0, len(rules))]
    value: float | None = float(draw.uniform(0.85, 1.05) if right is Right.PUT else draw.uniform(1.0, 1.15))
    if rule is StrikeRule.DELTA:
        value = float(draw.uniform(0.1, 0.6))
    elif rule is StrikeRule.FIRST_ABOVE_CALL:
        value = None
    fixed = int(draw.integers(1, 30)) if draw.random() < 0.1 else None
    return TemplateLeg(right, Strike(rule, value), months, side, share, fixed)


def random_share(draw: np.random.Generator) -> float:
    """All in half of the cases: what is sold is then covered to the last contract."""
    return 1.0 if draw.random() < 0.5 else float(draw.uniform(0.2, 1.0))


TENORS = [1.0, 2.0, 3.0, 6.0, 12.0]


def random_template(draw: np.random.Generator) -> HedgeTemplate:
    """In half of the cases each leg has a tenor of its own, and is rolled when the others are not."""
    months, apart = float(draw.choice(TENORS)), bool(draw.random() < 0.5)

    def tenor() -> float:
        return float(draw.choice(TENORS)) if apart else months

    parts = int(draw.integers(1, 4))
    legs = [random_leg(draw, Right.PUT, Side.BUY, 1 / parts, tenor()) for _ in range(parts)]
    if draw.random() < 0.4:
        legs.append(random_leg(draw, Right.PUT, Side.SELL, random_share(draw), tenor()))
    if draw.random() < 0.4:
        legs.append(random_leg(draw, Right.CALL, Side.SELL, random_share(draw), tenor()))
    roll = RollPolicy(
        days_before_expiry=None if draw.random() < 0.35 else int(draw.integers(1, 20)),
        ratchet=float(draw.uniform(0.03, 0.1)) if draw.random() < 0.3 else None,
        monetise_delta=float(draw.uniform(0.6, 0.9)) if draw.random() < 0.3 else None,
        monetise_ltv=float(draw.uniform(0.6, 0.75)) if draw.random() < 0.2 else None,
        rebuy=bool(draw.random() < 0.7),
        yearly_budget=float(draw.uniform(0.005, 0.08)) if draw.random() < 0.25 else None,
    )
    fundings = list(PremiumFunding)
    return HedgeTemplate(
        "random",
        "Random",
        legs=tuple(legs),
        roll=roll,
        coverage=random_share(draw),
        funding=fundings[draw.integers(0, len(fundings))],
        repays=bool(draw.random() < 0.05),
    )


def random_case(seed: int, exercise: Exercise = Exercise.EUROPEAN, count: int = 140) -> Case:
    """The same for the same seed; half of the loans are called."""
    draw = np.random.default_rng(seed)
    market = random_market(draw, count)
    start = int(draw.integers(0, 30))
    entry = market.days[max(start - int(draw.integers(0, 25)), 0)] if draw.random() < 0.3 else None
    units = float(draw.choice([150.0, 1_000.0, 2_200.0, 9_950.5]))
    call = float(draw.uniform(0.6, 0.85))
    loan = Loan(
        units * float(market.closes[start]) * call * float(draw.uniform(0.75, 0.99)),
        warning_ltv=call - 0.05,
        margin_call_ltv=call,
        close_out_ltv=float(draw.uniform(call, 0.95)),
        hedge_counting=list(HedgeCounting)[draw.integers(0, 3)],
        hedge_haircut=float(draw.choice([0.0, 0.2])),
        cure_days=int(draw.integers(0, 5)),
        interest=Interest(
            0.0 if draw.random() < 0.3 else float(draw.uniform(0, 0.08)),
            0.01,
            list(DayCount)[draw.integers(0, 2)],
            bool(draw.random() < 0.5),
        ),
    )
    scenario = Scenario(
        market.days[start],
        market.days[-1],
        units,
        loan,
        entry=entry,
        spare_cash=float(draw.choice([0.0, 0.02 * loan.amount])),
        settlement_days=int(draw.integers(0, 4)),
        trade_at=TradeAt.NEXT_CLOSE if draw.random() < 0.7 else TradeAt.SAME_CLOSE,
        exercise=exercise,
        costs=Costs(gold_slippage=float(draw.uniform(0, 0.01))),
        smile=Smile(slope=float(draw.uniform(-0.02, 0.02))),
    )
    while True:
        try:
            return Case(scenario, random_template(draw), market)
        except InvalidInput:  # such as more puts sold than bought: drawn again
            continue

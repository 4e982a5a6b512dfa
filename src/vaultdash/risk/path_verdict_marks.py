"""What the legs of a hedge are worth at every close and price, at model values with the spread of their quotes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption
from vaultdash.domain.loan import LTV_TOLERANCE
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.pricing.american import american_price
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.implied import implied_volatility
from vaultdash.risk.path_verdict_layout import Legs, Marks, Rules

LOWEST, HIGHEST = -1.8, 1.2  # ln(price / spot); beyond them the time value of the edge
STEP, EVERY, NEAR = 0.005, 5, 21  # of ln(price), and days
COARSE_STEP, COARSE_EVERY, COARSE_NEAR = 0.02, 21, 3  # of the reference, which takes a quarter of a millisecond each
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 4.0
LEAST_HALF, HALF_OF_MID = 0.02, 0.01  # USD and of mid: the usual half spread, where a quote has none


@dataclass(frozen=True, slots=True)
class Marking:
    """How a contract is marked: `volatility` and where it is from, half of the spread, the close at which it ends."""

    volatility: float
    basis: str
    half: float
    has_spread: bool
    expiry: int


def marking(option: ListedOption, case: HedgeCase, otherwise: float, engine: Engine) -> Marking:
    """The contract's own volatility, else that of its mid, else `otherwise`; raises InvalidInput once expired."""
    years = case.years_to(option.expiration)
    if years <= 0.0:
        raise InvalidInput("expiration", f"of the {option.title} is past: choose one that is still traded")
    volatility, basis = option.volatility, "its own"
    if volatility is None and option.mid is not None:
        terms = (case.spot, option.strike, years, case.rate, case.dividend_yield, option.right.value)
        found = float(implied_volatility(option.mid, *terms, engine=engine).value)
        volatility, basis = (None, "") if math.isnan(found) else (found, "of its mid")
    if volatility is None:
        volatility, basis = otherwise, "assumed"
    if not 0.0 < volatility < math.inf:
        raise InvalidInput("volatility", f"of the {option.title} must be above zero; write 0.25 for 25 %")
    if option.bid is not None and option.ask is not None and option.ask >= option.bid:
        half = 0.5 * (option.ask - option.bid)
    else:
        quoted = option.ask if option.ask is not None else option.bid
        half = max(LEAST_HALF, HALF_OF_MID * (quoted or 0.0))
    return Marking(
        volatility=min(max(volatility, LEAST_VOLATILITY), MOST_VOLATILITY),
        basis=basis,
        half=half,
        has_spread=option.mid is not None,
        expiry=max(round(years * TRADING_DAYS), 1),
    )


def tabulated(
    hedges: Sequence[ListedHedge | None], case: HedgeCase, days: int, otherwise: float, engine: Engine
) -> tuple[list[Legs], Marks, dict[ListedOption, Marking]]:
    """Columns of each hedge, one table for each contract that any of them has, and how each is marked.

    The tables go from today to day `days`; American prices, each contract at its own volatility at every price.
    """
    known: dict[ListedOption, Marking] = {}
    for hedge in hedges:
        for leg in hedge.legs if hedge is not None else ():
            if leg.option not in known:
                known[leg.option] = marking(leg.option, case, otherwise, engine)
    places = {option: place for place, option in enumerate(known)}
    step = STEP if engine == "kernel" else COARSE_STEP
    nodes = np.asarray(LOWEST + step * np.arange(round((HIGHEST - LOWEST) / step) + 1), dtype=np.float64)
    prices = case.spot * np.exp(nodes)
    values = np.zeros((len(known), days + 1, nodes.size))
    for option, marked in known.items():
        values[places[option]] = _table(option, marked, case, days, prices, engine)
    columns = [_legs(hedge, known, places) for hedge in hedges]
    return columns, Marks(values, LOWEST, step), known


def safe_above(owed: FloatArray, rules: Rules, legs: Legs, marks: Marks) -> FloatArray:
    """The price over spot above which, on each day, the lender does not call while the hedge is whole.

    Shape (days + 1,); it holds up to the highest price of the tables. Between two of their prices gold is worth no
    less than at the lower, a bought option no less and a sold one no more than at either. On days after the first
    expiry it means nothing.
    """
    nodes = rules.spot * np.exp(marks.low + marks.step * np.arange(marks.values.shape[2]))
    options = np.zeros((owed.size, nodes.size - 1))
    if rules.counted > 0.0:
        for leg, contracts in enumerate(legs.contracts.tolist()):
            least = np.maximum(legs.sign[leg] * (nodes - legs.strike[leg]), 0.0)
            value = np.maximum(marks.values[legs.table[leg]], least)
            if contracts > 0:
                closed = np.maximum(value - legs.half[leg], least)
                worst = np.minimum(closed[:, :-1], closed[:, 1:])
            else:
                worst = np.maximum(value[:, :-1], value[:, 1:]) + legs.half[leg]
            options += contracts * legs.multiplier[leg] * worst
    weight = np.where(options > 0.0, rules.counted, 1.0 if rules.counted > 0.0 else 0.0)
    beside = rules.units * nodes[:-1] + weight * options
    is_call = rules.loan * owed[:, None] >= (rules.call_ltv - LTV_TOLERANCE) * beside
    from_above = np.argmax(is_call[:, ::-1], axis=1)
    first = np.where(is_call.any(axis=1), nodes.size - 1 - from_above, 0)
    return np.asarray(nodes[first] / rules.spot)


def _legs(hedge: ListedHedge | None, known: dict[ListedOption, Marking], places: dict[ListedOption, int]) -> Legs:
    legs = () if hedge is None else hedge.legs
    return Legs(
        contracts=np.array([leg.contracts for leg in legs], dtype=np.int64),
        multiplier=np.array([leg.option.multiplier for leg in legs], dtype=np.float64),
        sign=np.array([1.0 if leg.option.right is Right.CALL else -1.0 for leg in legs], dtype=np.float64),
        strike=np.array([leg.option.strike for leg in legs], dtype=np.float64),
        half=np.array([known[leg.option].half for leg in legs], dtype=np.float64),
        expiry=np.array([known[leg.option].expiry for leg in legs], dtype=np.int64),
        table=np.array([places[leg.option] for leg in legs], dtype=np.int64),
    )


def _table(
    option: ListedOption, marked: Marking, case: HedgeCase, days: int, prices: FloatArray, engine: Engine
) -> FloatArray:
    """Shape (days + 1, prices); zero from the expiry on, where exercise decides.

    Priced every few days, and each day of the last month before the expiry; straight lines between.
    """
    last = min(days, marked.expiry - 1)
    closes = np.arange(last + 1)
    every, near = (EVERY, NEAR) if engine == "kernel" else (COARSE_EVERY, COARSE_NEAR)
    asked = np.unique(np.concatenate([closes[::every], closes[-1:], closes[closes >= marked.expiry - near]]))
    years = np.maximum(case.years_to(option.expiration) - asked / TRADING_DAYS, 0.5 / TRADING_DAYS)
    terms = (option.strike, years[:, None], case.rate, case.dividend_yield, marked.volatility, option.right.value)
    found = american_price(prices[None, :], *terms, engine=engine)
    table = np.zeros((days + 1, prices.size))
    before = np.clip(np.searchsorted(asked, closes, side="right") - 1, 0, max(asked.size - 2, 0))
    after = np.minimum(before + 1, asked.size - 1)
    share = ((closes - asked[before]) / np.maximum(asked[after] - asked[before], 1))[:, None]
    table[: last + 1] = found[before] + share * (found[after] - found[before])
    return table

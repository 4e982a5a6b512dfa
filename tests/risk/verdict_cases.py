"""A loan, hedges and single paths for tests of the path verdict."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption, leg_at
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.pricing.american import american_price
from vaultdash.risk import Flat, Jumps, StochasticVolatility
from vaultdash.risk.path_verdict import growth_of_a_loan, judged, rules_of
from vaultdash.risk.path_verdict_layout import no_outcome
from vaultdash.risk.path_verdict_marks import safe_above, tabulated

ENGINES = ("kernel", "reference")
NOW = datetime(2026, 5, 11, 20, tzinfo=UTC)
SPOT, UNITS = 430.0, 10_000.0
YEAR_ON = date(2027, 6, 17)
SOON, LATER = date(2026, 6, 10), date(2026, 12, 18)  # the first expires within the term
SIX_PER_CENT = Interest(0.04, 0.02, DayCount.ACT_365, capitalised=True)
PAID = replace(SIX_PER_CENT, capitalised=False)
FLAT = Flat(0.25)
STILL = 1e-5  # a volatility that moves nothing
JUMPS = Jumps(0.243, 1.15, -0.021, 0.05)
HESTON = StochasticVolatility(0.25, 0.25, 2.7, 0.44, -0.2)


def case(ltv=0.60, counting=HedgeCounting.IGNORED, interest=SIX_PER_CENT, rate=0.045, **terms):
    loan = Loan(ltv * SPOT * UNITS, hedge_counting=counting, interest=interest, **terms)
    return HedgeCase(SPOT, UNITS, loan, NOW, rate=rate)


def option(strike, right=Right.PUT, expiration=YEAR_ON, half=None, volatility=0.25):
    years = case().years_to(expiration)
    value = float(american_price(SPOT, strike, years, 0.045, 0.0, volatility, right.value))
    half = max(0.02, 0.01 * value) if half is None else half
    return ListedOption(right, strike, expiration, max(value - half, 0.0), value + half, volatility=volatility)


def hedge(*legs, title="hedge", **fields):
    return ListedHedge(title, tuple(leg_at(each, count) for each, count in legs), **fields)


def puts(strike, count=100, **terms):
    return hedge((option(strike, **terms), count), title=f"{count} puts at {strike:g}")


def uncured(found, place=0, model=0):
    return found.verdicts[place].odds[model].uncured


def accrual(of):
    return math.log(growth_of_a_loan(of, 252)[-1])


def on_path(relative, legs, of=None, engine="kernel", rule=HoldingRule.SELL, wait=2, target=0.70, term=None):
    """What the product says of one path of closes over spot."""
    of = case(interest=PAID) if of is None else of
    prices = np.array([relative], dtype=np.float64)
    days = prices.shape[1] - 1
    held = hedge(*legs)
    columns, marks, _ = tabulated([held], of, days, 0.25, engine)
    rules = rules_of(of, held, rule, target, wait, days - of.loan.cure_days if term is None else term)
    outcome = no_outcome(1)
    growth = growth_of_a_loan(of, days)
    judged(prices, growth, rules, columns[0], marks, safe_above(growth, rules, columns[0], marks), outcome, engine)
    return outcome

"""What a fall of gold, or a harsher lender, does to the loan: LTV in each counting, the zone and what cures it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Cure, Zone, cure_as_counted, hedged_ltv, price_at_ltv, zone
from vaultdash.domain.validation import finite, positive
from vaultdash.pricing.american import american_price
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine

FALLS = (-0.05, -0.10, -0.15, -0.20, -0.30, -0.40)
CRASH_BETA = 1.0  # volatility points a per cent of fall, at thirty days
SHOCK_YEARS = 30 / 365
LIMIT_CUT = 0.05
ADVANCE_CUT = 0.10
LEAST_LIMIT = 0.01
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 4.0


@dataclass(frozen=True, slots=True)
class OptionBook:
    """Options held, one entry a position: `shares` negative when sold, `prices` what closing brings now, USD a share.

    `rights` are +1 for calls and -1 for puts. A volatility that is NaN is not known: such a position is worth
    exercise alone after a shock. A price that is NaN is not known either: it counts as nothing now.
    """

    strikes: FloatArray
    years: FloatArray
    volatilities: FloatArray
    rights: FloatArray
    shares: FloatArray
    prices: FloatArray

    def __post_init__(self) -> None:
        columns = (self.strikes, self.years, self.volatilities, self.rights, self.shares, self.prices)
        if len({column.shape for column in columns}) != 1 or self.strikes.ndim != 1:
            raise InvalidInput("options", "must be columns of the same length")

    @property
    def value(self) -> float:
        """Pi now, USD; what has no price counts as nothing."""
        return float(np.nansum(self.shares * self.prices))


@dataclass(frozen=True, slots=True)
class StressRow:
    """A fall of the price: gold and options, USD, and the LTV as the lender counts and in each counting.

    `crashed` LTVs are those with volatility shifted up as it is in a crash; the others have it unchanged, which gives
    long options no help. `zone` and `cure` are as the lender counts, volatility unchanged; the cure leads back to the
    warning level and is nothing below it.
    """

    change: float
    price: float
    gold_value: float
    option_value: float
    crashed_option_value: float
    lender_ltv: float
    ltvs: dict[HedgeCounting, float]
    crashed_ltvs: dict[HedgeCounting, float]
    zone: Zone
    cure: Cure


@dataclass(frozen=True, slots=True)
class LenderShock:
    """Harsher terms at the price now: what changes, whether it does anything here, and what follows.

    `drop_to_call` counts no option and is negative once called.
    """

    name: str
    told: str
    loan: Loan
    ltv: float
    drop_to_call: float
    zone: Zone
    cure: Cure


def crash_shift(change: float, years: FloatArray, beta: float = CRASH_BETA) -> FloatArray:
    """Volatility added by a move: beta * max(0, -change) * sqrt(min(1, 30 days / T)); `change` a fraction."""
    with np.errstate(divide="ignore"):
        return beta * max(0.0, -finite("change", change)) * np.sqrt(np.minimum(1.0, SHOCK_YEARS / years))


def option_value(
    book: OptionBook,
    spot: float,
    price: float,
    rate: float,
    dividend_yield: float = 0.0,
    beta: float = 0.0,
    engine: Engine = "kernel",
) -> float:
    """Pi, USD, when the share moves from `spot` to `price` at once: each option keeps its volatility, plus the crash
    shift when `beta` is not zero.

    American model value at the new price, plus what closing brings more or less than the model says now (half of
    the spread), and never below exercise; a volatility outside 1 % to 400 % is taken as the nearer of the two.
    """
    positive("price", price)
    exercise = np.maximum(book.rights * (price - book.strikes), 0.0)
    after = exercise.copy()
    known = np.isfinite(book.volatilities) & np.isfinite(book.prices) & (book.years > 0)
    if known.any():
        rights = np.where(book.rights[known] > 0, "C", "P")
        sigma = np.clip(book.volatilities[known], LEAST_VOLATILITY, MOST_VOLATILITY)
        years, strikes = book.years[known], book.strikes[known]
        shifted = np.clip(sigma + crash_shift(price / spot - 1.0, years, beta), LEAST_VOLATILITY, MOST_VOLATILITY)
        now = american_price(spot, strikes, years, rate, dividend_yield, sigma, rights, engine)
        then = american_price(price, strikes, years, rate, dividend_yield, shifted, rights, engine)
        after[known] = closing_value(then, now, book.prices[known], exercise[known])
    return math.fsum(book.shares * after)


def closing_value(then: FloatArray, now: FloatArray, closing: FloatArray, exercise: FloatArray) -> FloatArray:
    """What closing brings then, USD a share: the model's value `then`, plus what `closing` brings now more or less
    than the model says `now`, and never below exercise.
    """
    return np.maximum(then + (closing - now), exercise)


def stress_row(
    loan: Loan, units: float, spot: float, change: float, option_now: float, option_crashed: float
) -> StressRow:
    """The loan on `units` shares after `change`, a fraction above -1, with options worth these USD then."""
    price = positive("price", spot * (1.0 + finite("change", change)))
    value = positive("units", units) * price
    ltv = hedged_ltv(loan.amount, value, option_now, loan)
    return StressRow(
        change=change,
        price=price,
        gold_value=value,
        option_value=option_now,
        crashed_option_value=option_crashed,
        lender_ltv=ltv,
        ltvs=counted_ltvs(loan, value, option_now),
        crashed_ltvs=counted_ltvs(loan, value, option_crashed),
        zone=zone(ltv, loan),
        cure=_within_reach(cure_as_counted(loan, value, option_now, loan.warning_ltv), value),
    )


def stress_table(
    loan: Loan,
    units: float,
    spot: float,
    book: OptionBook | None,
    rate: float,
    falls: Sequence[float] = FALLS,
    beta: float = CRASH_BETA,
    engine: Engine = "kernel",
) -> tuple[StressRow, ...]:
    """A row a fall, with held options re-marked at each; `rate` is continuous, a year."""

    def worth(change: float, shift: float) -> float:
        if book is None:
            return 0.0
        return option_value(book, spot, spot * (1.0 + change), rate, beta=shift, engine=engine)

    return tuple(stress_row(loan, units, spot, change, worth(change, 0.0), worth(change, beta)) for change in falls)


def lender_shocks(loan: Loan, units: float, spot: float, option_worth: float) -> tuple[LenderShock, ...]:
    """What the lender may do without any move of gold: lower its limits, or stop counting options.

    Options matter only where they are counted, so those two shocks are left out for a lender who ignores them or
    when nothing is held.
    """
    terms = [
        ("limits 5 points lower", "Warning, call and close-out 5 points lower.", lowered(loan, LIMIT_CUT)),
        ("limits 10 points lower", "Advance rate cut by 10 points, limits with it.", lowered(loan, ADVANCE_CUT)),
    ]
    if loan.hedge_counting is not HedgeCounting.IGNORED and option_worth:
        ignored = replace(loan, hedge_counting=HedgeCounting.IGNORED)
        terms.append(("options no longer counted", "The lender looks at gold and loan alone.", ignored))
    if loan.hedge_counting is HedgeCounting.CREDITED and option_worth and loan.hedge_haircut < 1.0:
        halved = replace(loan, hedge_haircut=0.5 + 0.5 * loan.hedge_haircut)
        told = f"Haircut on options raised from {loan.hedge_haircut:.0%} to {halved.hedge_haircut:.0%}."
        terms.append(("credit for options halved", told, halved))
    return tuple(_shock(name, told, harsher, units, spot, option_worth) for name, told, harsher in terms)


def _within_reach(ways: Cure, gold_value: float) -> Cure:
    """The same cure; a sale of more gold than there is becomes infinite: selling alone is not enough."""
    return ways if ways.sell_gold <= gold_value else replace(ways, sell_gold=math.inf)


def counted_ltvs(loan: Loan, value: float, options: float) -> dict[HedgeCounting, float]:
    """LTV in each counting, of gold and options worth `value` and `options` USD."""
    return {
        counting: hedged_ltv(loan.amount, value, options, replace(loan, hedge_counting=counting))
        for counting in HedgeCounting
    }


def lowered(loan: Loan, points: float) -> Loan:
    """The loan with every limit lower by `points`, a fraction; they stay apart, and above zero."""
    warning, call, close_out = (
        max(limit - points, LEAST_LIMIT) for limit in (loan.warning_ltv, loan.margin_call_ltv, loan.close_out_ltv)
    )
    call = max(call, warning + LEAST_LIMIT)
    return replace(loan, warning_ltv=warning, margin_call_ltv=call, close_out_ltv=max(close_out, call))


def _shock(name: str, told: str, loan: Loan, units: float, spot: float, options: float) -> LenderShock:
    value = units * spot
    ltv = hedged_ltv(loan.amount, value, options, loan)
    return LenderShock(
        name=name,
        told=told,
        loan=loan,
        ltv=ltv,
        drop_to_call=1.0 - price_at_ltv(loan.amount, units, loan.margin_call_ltv) / spot,
        zone=zone(ltv, loan),
        cure=_within_reach(cure_as_counted(loan, value, options, loan.warning_ltv), value),
    )

"""The judge of paths compiled: a loan, its calls and what the hedge pays, day by day; numba comes with it."""

import math

import numpy as np

from vaultdash.domain.loan import LTV_TOLERANCE
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import exact_kernel, inlined_kernel
from vaultdash.risk.path_verdict_layout import ALMOST, NEVER, FlagArray, Legs, Marks, Rules, WholeArray

# What changes on a path: the loan over what a loan of 1 has grown to, gold, money that is on its way, that has come
# since the call, what was called for, and what has repaid in all.
BASE, UNITS, DUE, PAID, CALLED_FOR, REPAID = range(6)
ACCOUNT = 6


@inlined_kernel
def exercise(legs: Legs, leg: int, price: float) -> float:
    """What a share of a leg pays when exercised."""
    pays: float = max(legs.sign[leg] * (price - legs.strike[leg]), 0.0)
    return pays


@inlined_kernel
def place_of(marks: Marks, rules: Rules, price: float) -> float:
    """Where a price stands among those of the tables; a place between two of them is no whole number."""
    return (math.log(price / rules.spot) - marks.low) / marks.step


@inlined_kernel
def worth(legs: Legs, marks: Marks, rules: Rules, leg: int, day: int, price: float, place: float) -> float:
    """What closing a share of a leg brings, or costs when it is sold: value less or plus half the spread."""
    least, table, last = exercise(legs, leg, price), legs.table[leg], marks.values.shape[2] - 1
    if place <= 0.0 or place >= last:  # beyond the table: the time value of its edge
        edge = 0 if place <= 0.0 else last
        at_edge = rules.spot * math.exp(marks.low + edge * marks.step)
        value = least + max(marks.values[table, day, edge] - exercise(legs, leg, at_edge), 0.0)
    else:
        below = int(place)
        under, over = marks.values[table, day, below], marks.values[table, day, below + 1]
        value = max(under + (place - below) * (over - under), least)
    closed: float = max(value - legs.half[leg], least) if legs.contracts[leg] > 0 else value + legs.half[leg]
    return closed


@inlined_kernel
def all_worth(legs: Legs, marks: Marks, rules: Rules, left: WholeArray, day: int, price: float) -> float:
    """Pi of what is left, USD."""
    total, place = 0.0, place_of(marks, rules, price)
    for leg in range(left.size):
        if left[leg] != 0:
            total += left[leg] * legs.multiplier[leg] * worth(legs, marks, rules, leg, day, price, place)
    return total


@inlined_kernel
def weight_of(options: float, counted: float) -> float:
    """What a dollar of options is to the lender beside the gold; what is owed on them is owed in full."""
    if counted <= 0.0:
        return 0.0
    return counted if options > 0.0 else 1.0


@inlined_kernel
def lender_ltv(loan: float, gold: float, options: float, counted: float) -> float:
    """LTV as the lender counts."""
    beside = gold + weight_of(options, counted) * options
    return loan / beside if beside > 0.0 else math.inf


@inlined_kernel
def goes(legs: Legs, left: WholeArray, leg: int, share: float, commission: float) -> bool:
    """A sale takes bought options that bring more than the commission, and the sold puts they stand against."""
    if left[leg] > 0:
        return share > commission
    return left[leg] < 0 and bool(legs.sign[leg] < 0.0)


@inlined_kernel
def raised(legs: Legs, left: WholeArray, each: FloatArray, commission: float, parts: int, largest: int) -> float:
    """Money from closing `parts` of `largest` of every leg that goes, rounded up to whole contracts, USD."""
    money = 0.0
    for leg in range(left.size):
        if goes(legs, left, leg, each[leg], commission):
            count = (abs(left[leg]) * parts + largest - 1) // largest
            money += count * (math.copysign(each[leg], left[leg]) - commission)
    return money


@inlined_kernel
def sell(
    account: FloatArray, legs: Legs, marks: Marks, rules: Rules, left: WholeArray, each: FloatArray, day: int,
    price: float, loan: float,
) -> float:  # fmt: skip
    """Sell what brings the loan to the target, and at least what was called for; the money, USD, and less `left`.

    Every leg that goes shrinks in the same proportion, so that no sold put is left without its bought one. All goes
    when all is not enough.
    """
    commission, due, gold = rules.commission, account[DUE], account[UNITS] * price
    place = place_of(marks, rules, price)
    largest, options = 0, due
    for leg in range(left.size):
        if left[leg] != 0:
            each[leg] = worth(legs, marks, rules, leg, day, price, place) * legs.multiplier[leg]
            options += left[leg] * each[leg]
            if goes(legs, left, leg, each[leg], commission):
                largest = max(largest, abs(left[leg]))
    if largest == 0:
        return 0.0
    whole = raised(legs, left, each, commission, largest, largest)
    weight = weight_of(options, rules.counted)
    short = loan - rules.target_ltv * (gold + weight * options)
    wanted = max(short / (1.0 - rules.target_ltv * weight), account[CALLED_FOR]) - due
    if whole <= 0.0 or wanted <= 0.0:
        return 0.0
    parts = min(math.ceil(min(wanted / whole, 1.0) * largest), largest)
    money = raised(legs, left, each, commission, parts, largest)
    while money < wanted and parts < largest:
        parts += 1
        money = raised(legs, left, each, commission, parts, largest)
    for leg in range(left.size):
        if goes(legs, left, leg, each[leg], commission):
            count = (abs(left[leg]) * parts + largest - 1) // largest
            left[leg] -= count if left[leg] > 0 else -count
    return max(money, 0.0)


@inlined_kernel
def expire(account: FloatArray, legs: Legs, left: WholeArray, day: int, price: float) -> float:
    """Options whose day it is pay exercise; the money, USD. What they cost is settled by selling gold."""
    money = 0.0
    for leg in range(left.size):
        if legs.expiry[leg] == day and left[leg] != 0:
            pays = left[leg] * legs.multiplier[leg] * exercise(legs, leg, price)
            left[leg] = 0
            if pays > 0.0:
                money += pays
            else:
                account[UNITS] = max(account[UNITS] + pays / price, 0.0)
    return money


@inlined_kernel
def receive(account: FloatArray, arriving: FloatArray, slot: int, grown: float) -> None:
    """Money that arrives repays the loan; what is more than that is the owner's."""
    arrived = arriving[slot]
    if arrived > 0.0:
        arriving[slot] = 0.0
        loan = account[BASE] * grown
        account[DUE] = max(account[DUE] - arrived, 0.0)
        account[PAID] += arrived
        account[REPAID] += min(arrived, loan)
        account[BASE] = max(loan - arrived, 0.0) / grown


@exact_kernel
def judge(
    prices: FloatArray,
    owed: FloatArray,
    rules: Rules,
    legs: Legs,
    marks: Marks,
    safe: FloatArray,
    called: FlagArray,
    uncured: FlagArray,
    sold: FlagArray,
    repaid: FloatArray,
) -> None:
    """Follow each path, a row of `prices` over spot, and fill the last four arrays.

    `owed` is what a loan of 1 has grown to at each close. While nothing has been sold, paid or has expired, no call
    is made between the price over spot `safe` of the day and the highest of the tables. The order of a close:
    interest, options that expire, the sale that was decided on, money that arrives, the open call, a new call.
    """
    count, days, ring = legs.contracts.size, prices.shape[1], rules.money_lag + 1
    account, arriving = np.empty(ACCOUNT), np.zeros(ring)
    left, each, ends = np.empty(count, np.int64), np.zeros(count), np.zeros(days, np.bool_)
    has_sold = False
    for leg in range(count):
        has_sold = has_sold or (legs.contracts[leg] < 0 and rules.counted > 0.0)
        if legs.expiry[leg] < days:
            ends[legs.expiry[leg]] = True
    top = math.exp(marks.low + (marks.values.shape[2] - 1) * marks.step)
    call_limit, sale_limit = rules.call_ltv - LTV_TOLERANCE, rules.close_out_ltv - LTV_TOLERANCE
    for path in range(prices.shape[0]):
        account[:] = 0.0
        account[BASE], account[UNITS] = rules.loan, rules.units
        arriving[:] = 0.0
        left[:] = legs.contracts
        call_day, sale_day, day, is_untouched = NEVER, NEVER, -1, True
        while day < days - 1:
            day += 1
            if call_day < 0 and account[DUE] <= 0.0:  # days on which nothing happens
                if is_untouched:
                    while day <= rules.steps and not ends[day] and safe[day] < prices[path, day] < top:
                        day += 1
                elif not has_sold:
                    reach, loan = account[UNITS] * rules.spot * call_limit, account[BASE]
                    while day <= rules.steps and not ends[day] and prices[path, day] * reach > loan * owed[day]:
                        day += 1
                if day > rules.steps:
                    break
            price = prices[path, day] * rules.spot
            if ends[day]:
                is_untouched = False
                money = expire(account, legs, left, day, price)
                arriving[(day + rules.money_lag) % ring] += money
                account[DUE] += money
            if day == sale_day:
                is_untouched = False
                money = sell(account, legs, marks, rules, left, each, day, price, account[BASE] * owed[day])
                arriving[(day + rules.money_lag) % ring] += money
                account[DUE] += money
            receive(account, arriving, day % ring, owed[day])
            for _ in range(2):  # once more where the money of a sale comes at once
                loan, gold, options = account[BASE] * owed[day], account[UNITS] * price, account[DUE]
                ltv = lender_ltv(loan, gold, 0.0, 0.0)
                if rules.counted > 0.0 and (has_sold or ltv >= call_limit):
                    options += all_worth(legs, marks, rules, left, day, price)
                    ltv = lender_ltv(loan, gold, options, rules.counted)
                if call_day >= 0 or ltv < call_limit or loan <= 0.0:
                    break
                called[path], call_day, account[PAID] = True, day, 0.0
                account[CALLED_FOR] = loan - rules.call_ltv * (gold + weight_of(options, rules.counted) * options)
                if ltv >= sale_limit or not rules.sells:
                    break
                sale_day = day + rules.sale_lag
                if sale_day > day:
                    break
                is_untouched = False
                money = sell(account, legs, marks, rules, left, each, day, price, loan)
                arriving[(day + rules.money_lag) % ring] += money
                account[DUE] += money
                receive(account, arriving, day % ring, owed[day])
            if loan <= 0.0:
                break
            if call_day >= 0:
                has_paid = account[PAID] > 0.0 and account[PAID] >= account[CALLED_FOR] * ALMOST
                if ltv >= sale_limit:
                    sold[path] = uncured[path] = True
                elif ltv < call_limit and has_paid:
                    call_day = NEVER
                elif day >= call_day + rules.cure_days:
                    uncured[path] = True
            if uncured[path] or (call_day < 0 and day >= rules.steps):
                break
        repaid[path] = account[REPAID]


def warm() -> None:
    """Compile, or load from disk, and run."""
    whole, one = np.ones(1, np.int64), np.ones(1)
    legs = Legs(whole, one, one, one, one, whole, whole - 1)
    rules = Rules(0.9, 1.0, 1.0, 0.75, 0.85, 0.7, 0.0, True, 1, 1, 1, 1, 0.0)
    flags = np.zeros(1, np.bool_), np.zeros(1, np.bool_), np.zeros(1, np.bool_)
    judge(
        np.ones((1, 2)),
        np.ones(2),
        rules,
        legs,
        Marks(np.ones((1, 2, 2)), -1.0, 2.0),
        np.ones(2),
        *flags,
        np.zeros(1),
    )

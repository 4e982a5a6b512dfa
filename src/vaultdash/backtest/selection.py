"""Which contracts a leg of a template means on the day of a decision, and how many of them."""

from math import ceil, exp, floor, isnan, sqrt

from vaultdash.backtest import layout as at
from vaultdash.backtest.elementary import log_ratio
from vaultdash.backtest.layout import Run, Shape
from vaultdash.backtest.model import delta_size, volatility, years_to
from vaultdash.pricing.base import FloatArray

DEEPEST, HIGHEST = 0.1, 4.0  # strikes by delta are looked for between these times spot
FARTHEST_OUT = 3.0  # deviations from the forward; beyond them the smile is no measure and delta turns back


def nearest_expiration(listed: FloatArray, day: float, months: float) -> float:
    """The listed day after `day` that is nearest to it plus months of 365/12 days; ties later, -1 without any."""
    wanted = day + months * at.DAYS_IN_MONTH
    best, found = 0.0, -1.0
    for k in range(listed.size):
        apart = abs(listed[k] - wanted)
        if listed[k] > day and (found < 0 or apart <= best):
            best, found = apart, float(listed[k])
    return found


def strike_step(days: float, terms: FloatArray) -> float:
    """USD between listed strikes of an expiration that is so many days away."""
    found: float = terms[at.NEAR_STEP] if days <= terms[at.NEAR_DAYS] else terms[at.FAR_STEP]
    return found


def nearest_strike(wanted: float, step: float) -> float:
    """The multiple of the step nearest to a price, never 0; ties higher."""
    return max(floor(wanted / step + 0.5 + at.TOLERANCE), 1.0) * step


def strike_above(price: float, step: float) -> float:
    """The lowest multiple of the step above a price."""
    return (floor(price / step + at.TOLERANCE) + 1.0) * step


def listed_delta(days: FloatArray, t: int, right: float, strike: float, expires: float, shape: Shape) -> float:
    """The size of the closed form's delta of a contract at the close of day t."""
    years = years_to(expires, days[at.DAY, t])
    moneyness = log_ratio(strike, days[at.CLOSE, t]) - days[at.RATE, t] * years
    sigma = volatility(moneyness, years, days[at.LEVEL, t], days[at.LONG_RUN, t], shape)
    return delta_size(right, days[at.CLOSE, t], strike, years, days[at.RATE, t], sigma)


def strike_of_delta(
    days: FloatArray, t: int, right: float, wanted: float, expires: float, step: float, shape: Shape
) -> float:
    """The listed strike whose delta's size is nearest to `wanted`, found by halving: it rises with a put's strike."""
    years, spot = years_to(expires, days[at.DAY, t]), days[at.CLOSE, t]
    forward = spot * exp(days[at.RATE, t] * years)
    sigma = volatility(0.0, years, days[at.LEVEL, t], days[at.LONG_RUN, t], shape)
    reach = exp(FARTHEST_OUT * sigma * sqrt(years))
    low = max(floor(max(DEEPEST * spot, forward / reach) / step), 1.0)
    high = max(ceil(min(HIGHEST * spot, forward * reach) / step), low + 1.0)
    while high - low > 1.0:
        middle = floor(0.5 * (low + high))
        size = listed_delta(days, t, right, middle * step, expires, shape)
        if (size < wanted) == (right < 0):
            low = middle
        else:
            high = middle
    below = abs(listed_delta(days, t, right, low * step, expires, shape) - wanted)
    above = abs(listed_delta(days, t, right, high * step, expires, shape) - wanted)
    found: float = (low if below < above else high) * step
    return found


def modelled_strike(
    days: FloatArray,
    t: int,
    right: float,
    rule: float,
    value: float,
    expires: float,
    call_price: float,
    terms: FloatArray,
    shape: Shape,
) -> float:
    """The strike a rule means at the close of day t, among multiples of the step; nothing of a later day is read."""
    step = strike_step(expires - days[at.DAY, t], terms)
    if rule == at.PERCENT_OF_SPOT:
        return nearest_strike(value * days[at.CLOSE, t], step)
    if rule == at.DISTANCE_TO_CALL:
        return nearest_strike(value * call_price, step)
    if rule == at.FIRST_ABOVE_CALL:
        return strike_above(call_price, step)
    return strike_of_delta(days, t, right, value, expires, step, shape)


def is_quoted(quoted: FloatArray, t: int, column: int) -> bool:
    """True when the contract has a bid and an ask on day t."""
    return not isnan(quoted[at.BID, t, column])


def observed_expiration(run: Run, t: int, day: float, right: float, months: float) -> float:
    """As `nearest_expiration`, among contracts of that right that are quoted on day t."""
    wanted = day + months * at.DAYS_IN_MONTH
    best, found = 0.0, -1.0
    for c in range(run.contracts.shape[1]):
        expires = run.contracts[at.CONTRACT_EXPIRES, c]
        apart = abs(expires - wanted)
        is_nearer = found < 0 or apart < best or (apart == best and expires > found)
        if (
            run.contracts[at.CONTRACT_RIGHT, c] == right
            and expires > day
            and is_quoted(run.quoted, t, c)
            and is_nearer
        ):
            best, found = apart, float(expires)
    return found


def observed_column(
    run: Run, t: int, right: float, rule: float, value: float, expires: float, call_price: float
) -> int:
    """The contract a rule means among those quoted on day t; ties higher, -1 without any."""
    days, best, found = run.days, 0.0, -1
    years = years_to(expires, days[at.DAY, t])
    for c in range(run.contracts.shape[1]):
        if (
            run.contracts[at.CONTRACT_RIGHT, c] != right
            or run.contracts[at.CONTRACT_EXPIRES, c] != expires
            or not is_quoted(run.quoted, t, c)
        ):
            continue
        strike = run.contracts[at.CONTRACT_STRIKE, c]
        if rule == at.PERCENT_OF_SPOT:
            apart = abs(strike - value * days[at.CLOSE, t])
        elif rule == at.DISTANCE_TO_CALL:
            apart = abs(strike - value * call_price)
        elif rule == at.FIRST_ABOVE_CALL:
            if strike <= call_price * (1.0 + at.TOLERANCE):
                continue
            apart = strike
        else:
            sigma = run.quoted[at.SIGMA, t, c]
            if isnan(sigma):
                continue
            apart = abs(delta_size(right, days[at.CLOSE, t], strike, years, days[at.RATE, t], sigma) - value)
        if found < 0 or apart < best or (apart == best and strike > run.contracts[at.CONTRACT_STRIKE, found]):
            best, found = apart, c
    return found


def wanted_contracts(legs: FloatArray, units: float, coverage: float, wanted: FloatArray) -> None:
    """How many contracts each leg is over `units` shares, without sign.

    Bought legs of one right are rounded up together, so that a ladder's parts add up to its whole; sold calls are
    rounded down together and never more than whole hundreds of units; sold puts never more than bought ones.
    """
    covered = floor(units / at.SHARES + at.TOLERANCE)
    for k in range(legs.shape[0]):
        right, side = legs[k, at.LEG_RIGHT], legs[k, at.LEG_SIDE]
        before, others = 0.0, 0.0
        for j in range(k):
            if legs[j, at.LEG_RIGHT] == right and legs[j, at.LEG_SIDE] == side:
                others += wanted[j]
                before += legs[j, at.LEG_SHARE] if legs[j, at.LEG_CONTRACTS] == 0 else 0.0
        sold_call = right > 0 and side < 0
        if legs[k, at.LEG_CONTRACTS] > 0:
            count = legs[k, at.LEG_CONTRACTS]
        else:
            start = coverage * before * units / at.SHARES
            end = coverage * (before + legs[k, at.LEG_SHARE]) * units / at.SHARES
            if sold_call:
                count = floor(end + at.TOLERANCE) - floor(start + at.TOLERANCE)
            else:
                count = ceil(end - at.TOLERANCE) - ceil(start - at.TOLERANCE)
        wanted[k] = min(count, max(covered - others, 0.0)) if sold_call else count
    bought = 0.0
    for k in range(legs.shape[0]):
        if legs[k, at.LEG_RIGHT] < 0 and legs[k, at.LEG_SIDE] > 0:
            bought += wanted[k]
    for k in range(legs.shape[0]):
        if legs[k, at.LEG_RIGHT] < 0 and legs[k, at.LEG_SIDE] < 0:
            wanted[k] = min(wanted[k], bought)
            bought -= wanted[k]


def keep_covered(run: Run, units: float) -> bool:
    """Take from `wanted` sold calls beyond whole hundreds of units, and sold puts that no bought ones cover.

    Returns True if anything was taken.
    """
    room_calls = floor(units / at.SHARES + at.TOLERANCE)
    for leg in range(run.book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] > 0 and run.legs[leg, at.LEG_SIDE] < 0:
            room_calls += run.book[leg, at.HELD]
    cut = False
    for leg in range(run.book.shape[0]):
        wanted = run.book[leg, at.WANTED]
        if run.legs[leg, at.LEG_SIDE] > 0 or wanted <= 0:
            continue
        is_call = run.legs[leg, at.LEG_RIGHT] > 0
        allowed = max(min(wanted, room_calls if is_call else room_for_put(run, leg)), 0.0)
        cut = cut or allowed < wanted
        run.book[leg, at.WANTED] = allowed
        if is_call:
            room_calls -= allowed
    return cut


def room_for_put(run: Run, leg: int) -> float:
    """How many puts may be sold in a leg that is opened: at each strike as many bought as sold from it upward."""
    strike = run.book[leg, at.NEW_STRIKE]
    room = puts_from(run, strike, leg)
    for other in range(run.book.shape[0]):
        if run.legs[other, at.LEG_RIGHT] > 0 or run.legs[other, at.LEG_SIDE] > 0:
            continue
        is_there = run.book[other, at.HELD] < 0 or (other < leg and run.book[other, at.WANTED] > 0)
        if is_there and strike_after(run, other) <= strike:
            room = min(room, puts_from(run, strike_after(run, other), leg))
    return room


def strike_after(run: Run, leg: int) -> float:
    """The strike of what is held in a leg, or of what is to be opened in it."""
    found: float = run.book[leg, at.STRIKE if run.book[leg, at.HELD] != 0 else at.NEW_STRIKE]
    return found


def puts_from(run: Run, strike: float, until: int) -> float:
    """Bought less sold puts of at least this strike: held, wanted by bought legs, and by sold ones before `until`."""
    count = 0.0
    for leg in range(run.book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] > 0 or strike_after(run, leg) < strike - at.TOLERANCE:
            continue
        count += run.book[leg, at.HELD]
        if run.legs[leg, at.LEG_SIDE] > 0:
            count += run.book[leg, at.WANTED]
        elif leg < until:
            count -= run.book[leg, at.WANTED]
    return count

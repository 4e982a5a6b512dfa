"""Sold calls while the gold is pledged elsewhere: what the broker wants for them, and at which price it calls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaultdash.domain.hedge_verdict import CallSafety
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption
from vaultdash.domain.option import Right
from vaultdash.domain.uncovered_calls import uncovered_margin
from vaultdash.domain.validation import positive
from vaultdash.pricing import american_price
from vaultdash.pricing.compiled import ready_engine
from vaultdash.strategies.listed_greeks import volatilities

USUAL_RALLY = 0.20
HIGHEST_RISE = 100.0  # times spot: beyond it a price means nothing
PRICE_TOLERANCE, MOST_LOOKS = 1e-9, 200  # of spot
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class _Sold:
    """Sold calls that nothing covers. `cap`, USD a share, is the most they can lose, by a bought call; None no end.

    `time_value`, USD a share, is today's; `volatility` None is not known.
    """

    option: ListedOption
    shares: float
    cap: float | None
    time_value: float = 0.0
    volatility: float | None = None


def call_safety(hedge: ListedHedge, case: HedgeCase, rally: float = USUAL_RALLY) -> CallSafety | None:
    """What the hedge's sold calls need; None when it sells none. Amounts USD, prices USD a share.

    Where gold and options are together a sold call is covered while there are shares for it. With split custody the
    broker wants `uncovered_margin` for each, at the call's price with its time value: by the American model at the
    call's own volatility, now and after a rise; without one, exercise value plus today's time value. A bought call
    that lasts as long covers one of its strike or above, and bounds one below by the distance of the strikes.
    `broker_margin` of the case is what is free there once the hedge is paid for.

    `broker_calls_at` is the lowest price from spot up at which the requirement is more than that, to 1e-9 of spot:
    None when it is more already, or at no price within reason. More calls than shares are refused whoever holds the
    gold, as a rise has no end.
    """
    positive("rally", rally)
    count = sum(-leg.contracts for leg in hedge.legs if leg.option.right is Right.CALL and leg.contracts < 0)
    if not count:
        return None
    naked = _naked(hedge.legs)
    endless = sum(each.shares for each in naked if each.cap is None)
    is_beyond = endless > case.units * (1.0 + ROUNDING)
    if not case.split_custody:
        naked = _beside_gold(naked, case.units)
    if not naked:
        return CallSafety(count, True, 0.0, rally, 0.0, case.broker_margin, None, "")
    naked = _with_volatility(naked, case)
    now, later = (requirement(naked, case, case.spot * rise) for rise in (1.0, 1.0 + rally))
    calls_at = _broker_calls_at(naked, case, now)
    found = CallSafety(count, False, now, rally, later, case.broker_margin, calls_at, "")
    return replace(found, refusal=_refusal(found, case, endless if is_beyond else None))


def requirement(naked: Sequence[_Sold], case: HedgeCase, price: float) -> float:
    """USD that the broker wants for sold calls at a price of the share, today's volatility and time held."""
    calls = [each.option.pays(price) + each.time_value for each in naked]
    known = [place for place, each in enumerate(naked) if each.volatility is not None]
    if known:
        values = american_price(
            price,
            np.array([naked[place].option.strike for place in known]),
            np.array([case.years_to(naked[place].option.expiration) for place in known]),
            case.rate,
            case.dividend_yield,
            np.array([naked[place].volatility for place in known], dtype=np.float64),
            "C",
            engine=ready_engine(),
        )
        for place, value in zip(known, values.tolist(), strict=True):
            calls[place] = value
    total = 0.0
    for each, call in zip(naked, calls, strict=True):
        need = uncovered_margin(each.shares, each.option.strike, price, call_price=call, multiplier=1)
        total += need if each.cap is None else min(need, each.cap * each.shares)
    return total


def _naked(legs: Sequence[ListedLeg]) -> list[_Sold]:
    """Sold calls, lowest strike first, each set against bought ones that last as long, lowest strike first."""
    calls = sorted(
        (leg for leg in legs if leg.option.right is Right.CALL), key=lambda leg: (leg.option.strike, leg.price)
    )
    left = {place: leg.shares for place, leg in enumerate(calls) if leg.contracts > 0}
    found: list[_Sold] = []
    for leg in calls:
        if leg.contracts > 0:
            continue
        option, shares = leg.option, -leg.shares
        value = leg.price if option.mid is None else option.mid
        sold = _Sold(option, shares, None, value)
        for place in left:
            bought = calls[place].option
            matched = min(shares, left[place]) if bought.expiration >= option.expiration else 0.0
            left[place] -= matched
            shares -= matched
            if matched and bought.strike > option.strike:
                found.append(replace(sold, shares=matched, cap=bought.strike - option.strike))
        if shares > 0:
            found.append(replace(sold, shares=shares))
    return found


def _beside_gold(naked: Sequence[_Sold], units: float) -> list[_Sold]:
    """What is left when the gold covers the calls: those without an end first."""
    found: list[_Sold] = []
    for each in sorted(naked, key=lambda each: each.cap is not None):
        covered = min(units, each.shares)
        units -= covered
        if each.shares - covered > ROUNDING * each.shares:
            found.append(replace(each, shares=each.shares - covered))
    return found


def _with_volatility(naked: Sequence[_Sold], case: HedgeCase) -> list[_Sold]:
    known = volatilities([each.option for each in naked], case)
    return [
        replace(each, volatility=volatility, time_value=max(each.time_value - each.option.pays(case.spot), 0.0))
        for each, volatility in zip(naked, known, strict=True)
    ]


def _broker_calls_at(naked: Sequence[_Sold], case: HedgeCase, now: float) -> float | None:
    """By false position (Illinois) on the requirement, which never falls as the price rises."""
    free = case.broker_margin
    if now > free:
        return None
    low, below = case.spot, now - free
    high, above = low, below
    while above <= 0:
        low, below = high, above
        high *= 1.5
        if high > HIGHEST_RISE * case.spot:
            return None
        above = requirement(naked, case, high) - free
    side = 0
    for _ in range(MOST_LOOKS):
        if high - low <= PRICE_TOLERANCE * case.spot:
            break
        between = low - below * (high - low) / (above - below)
        if not low < between < high:  # the requirement is flat at one end, or the step is less than a float
            between = 0.5 * (low + high)
        left = requirement(naked, case, between) - free
        if left > 0:
            high, above, below = between, left, below / 2 if side > 0 else below
            side = 1
        else:
            low, below, above = between, left, above / 2 if side < 0 else above
            side = -1
    return high


def _refusal(found: CallSafety, case: HedgeCase, endless: float | None) -> str:
    if endless is not None:
        return (
            f"The hedge sells calls over {endless:,.0f} shares, and the gold is worth {case.units:,.0f}: what is "
            "beyond loses without an end when gold rises. Sell fewer calls."
        )
    where = "The gold is pledged elsewhere, so that the broker counts the sold calls as uncovered: it"
    if found.requirement > found.broker_margin:
        return (
            f"{where} wants about {found.requirement:,.0f} USD for them now, and {found.broker_margin:,.0f} is free "
            "there. Sell no calls, or bring the margin or the gold to the broker."
        )
    if found.after_rally > found.broker_margin:
        at = "" if found.broker_calls_at is None else f", and calls at {found.broker_calls_at:,.2f}"
        return (
            f"{where} wants about {found.after_rally:,.0f} USD for them after a rise of {found.rally:.0%}{at}; "
            f"{found.broker_margin:,.0f} is free there. The gold's rise at the bank does not help. Sell fewer calls, "
            "higher ones or none, or bring the margin or the gold to the broker."
        )
    return ""

"""Turns what the owner asked for into a scenario, or says in a sentence why that cannot be replayed."""

import calendar
import math
from dataclasses import dataclass
from datetime import date

from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.scenario import Scenario, Source, VolatilityLevel
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import DayCount, Interest, Loan, is_breached
from vaultdash.domain.portfolio import loan_to_value
from vaultdash.domain.validation import finite, not_negative, open_fraction, positive, share
from vaultdash.services.backtest_request import USUAL_LTV, USUAL_UNITS, BacktestRequest
from vaultdash.services.selloff_events import Event

USUAL_WARNING, USUAL_CALL, USUAL_CLOSE_OUT = 0.70, 0.75, 0.85
LONGEST_FAN, MOST_ENTRIES = 36, 12  # months, entries
LARGEST_AMOUNT = 1e15  # USD or shares; far beyond any loan
MODEL_LIMITS = {
    "costs": {
        "commission": (0.0, 1000.0),
        "least_half_spread": (0.0, 100.0),
        "half_spread_of_mid": (0.0, 0.5),
        "half_spread_vega_points": (0.0, 20.0),
        "gold_slippage": (0.0, 0.5),
    },
    "smile": {
        "at_the_money": (0.1, 10.0),
        "kappa": (0.01, 100.0),
        "slope": (-1.0, 1.0),
        "curvature": (0.0, 1.0),
        "floor": (0.001, 2.0),
    },
    "listing": {"near_step": (0.05, 100.0), "far_step": (0.05, 100.0), "near_months": (0.01, 60.0)},
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario, and what is to be said of how it came out of the request."""

    scenario: Scenario
    remarks: tuple[str, ...]


def window_of(request: BacktestRequest, event: Event | None) -> tuple[date, date]:
    """First and last day, calendar days: the request's own, else the event's. Raises InvalidInput."""
    start = request.start or (None if event is None else event.start)
    end = request.end or (None if event is None else event.end)
    if start is None or end is None:
        lacking = "start" if start is None else "end"
        raise InvalidInput(lacking, "is missing: name an event, or give both start and end, such as 2026-01-29")
    if end <= start:
        raise InvalidInput("end", f"must be after the start; {end} is not after {start}")
    return start, end


def check_terms(request: BacktestRequest) -> Loan:
    """The terms of the request as a loan of 1 USD; raises InvalidInput where they contradict each other or are typed
    as per cent. What depends on prices is checked by `scenario_of`.
    """
    if request.ltv is not None and request.loan is not None:
        raise InvalidInput("loan", "contradicts ltv: give the amount of the loan or its LTV at the start, not both")
    if request.units is not None and request.start_value is not None:
        raise InvalidInput("units", "contradict start_value: give the number of shares or their value, not both")
    for name in ("units", "start_value", "loan"):
        value = getattr(request, name)
        if value is not None and positive(name, value) > LARGEST_AMOUNT:
            raise InvalidInput(name, f"must be at most {LARGEST_AMOUNT:g}")
    if not_negative("spare_cash", request.spare_cash) > LARGEST_AMOUNT:
        raise InvalidInput("spare_cash", f"must be at most {LARGEST_AMOUNT:g}")
    for name in ("ltv", "call_ltv", "warning_ltv", "close_out_ltv", "target_ltv"):
        value = getattr(request, name)
        if value is not None:
            open_fraction(name, value)
    share("hedge_haircut", request.hedge_haircut)
    if not -0.05 <= finite("interest", request.interest) <= 0.5:
        raise InvalidInput("interest", "must be a fraction between -0.05 and 0.5 a year; write 0.06 for 6 %")
    _check_model(request)
    _check_limits(request)
    _check_fan(request.fan)
    return _loan(request, 1.0, None)


def scenario_of(request: BacktestRequest, event: Event | None, market: MarketDays) -> Prepared:
    """The scenario on `market`, which holds the days of `window_of` and no others.

    Raises InvalidInput: terms that contradict each other, a loan above its collateral, no volatility for the first
    day. A loan that is called at its start is allowed, and said.
    """
    check_terms(request)
    asked_start, asked_end = window_of(request, event)
    start, end, price = market.days[0], market.days[-1], float(market.closes[0])
    require_volatility(request.source, request.level, market)
    units = request.units or (USUAL_UNITS if request.start_value is None else request.start_value / price)
    value = units * price
    amount = request.loan if request.loan is not None else (request.ltv or USUAL_LTV) * value
    ltv = loan_to_value(amount, value)
    if ltv >= 1:
        raise InvalidInput(
            "loan",
            f"of {amount:,.0f} USD is {ltv:.0%} of the collateral, which was worth {value:,.0f} USD on {start}: give "
            "less, or the LTV instead with ltv, such as 0.6",
        )
    scenario = Scenario(
        start=start,
        end=end,
        units=units,
        loan=_loan(request, amount, start),
        symbol=market.symbol,
        event=None if event is None else event.id,
        target_ltv=request.target_ltv,
        spare_cash=request.spare_cash,
        source=request.source,
        exercise=request.exercise,
        level=request.level,
        trade_at=request.trade_at,
        costs=request.costs,
        smile=request.smile,
        listing=request.listing,
    )
    moved = [
        f"{asked} was no trading day: the {word} is {day}."
        for word, asked, day in (("start", asked_start, start), ("end", asked_end, end))
        if asked != day
    ]
    return Prepared(scenario, (*moved, *_called_remarks(scenario.loan, ltv)))


def entry_before(start: date, months: int) -> date:
    """The same day of the month so many months earlier, or that month's last day."""
    count = start.year * 12 + start.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def warning_of(request: BacktestRequest) -> float:
    """The LTV at which the lender warns: as given, else 0.70, or as far below the call as 0.70 is below 0.75."""
    if request.warning_ltv is not None:
        return request.warning_ltv
    if request.call_ltv > USUAL_WARNING:
        return USUAL_WARNING
    return round(request.call_ltv * USUAL_WARNING / USUAL_CALL, 6)


def close_out_of(request: BacktestRequest) -> float:
    """The LTV at which the lender sells at once: as given, else 0.85, or the call's where that is higher."""
    return max(USUAL_CLOSE_OUT, request.call_ltv) if request.close_out_ltv is None else request.close_out_ltv


def _check_model(request: BacktestRequest) -> None:
    """Numbers beyond any market, at which prices would be none or the search for a strike endless."""
    for group, limits in MODEL_LIMITS.items():
        for name, (least, most) in limits.items():
            value = finite(f"{group}.{name}", getattr(getattr(request, group), name))
            if not least <= value <= most:
                raise InvalidInput(f"{group}.{name}", f"must be between {least:g} and {most:g}, not {value:g}")


def _check_limits(request: BacktestRequest) -> None:
    """In the words of the request, before the loan says it in its own."""
    if request.warning_ltv is not None and request.warning_ltv >= request.call_ltv:
        raise InvalidInput("warning_ltv", f"must be below the margin-call LTV of {request.call_ltv:g}")
    if request.close_out_ltv is not None and request.close_out_ltv < request.call_ltv:
        raise InvalidInput("close_out_ltv", f"must not be below the margin-call LTV of {request.call_ltv:g}")
    if request.target_ltv is not None and request.target_ltv >= request.call_ltv:
        raise InvalidInput("target_ltv", f"must be below the margin-call LTV of {request.call_ltv:g}")


def _check_fan(fan: tuple[int, ...]) -> None:
    if len(fan) > MOST_ENTRIES or len(set(fan)) != len(fan):
        raise InvalidInput("fan", f"must be at most {MOST_ENTRIES} different numbers of months")
    if any(isinstance(months, bool) or not 0 <= months <= LONGEST_FAN for months in fan):
        raise InvalidInput("fan", f"must be whole months before the start, from 0 to {LONGEST_FAN}")


def _loan(request: BacktestRequest, amount: float, as_of: date | None) -> Loan:
    return Loan(
        amount=amount,
        margin_call_ltv=request.call_ltv,
        warning_ltv=warning_of(request),
        close_out_ltv=close_out_of(request),
        hedge_counting=request.counting,
        interest=Interest(request.interest, 0.0, DayCount.ACT_360, request.capitalised),
        hedge_haircut=request.hedge_haircut,
        cure_days=request.cure_days,
        as_of=as_of,
    )


def require_volatility(source: Source, level: VolatilityLevel, market: MarketDays) -> None:
    """Raises InvalidInput when the model knows no volatility on the first day: nothing can be bought then."""
    if source is Source.OBSERVED or math.isfinite(market.levels[0]):
        return
    known = next((day for day, value in zip(market.days, market.levels, strict=True) if math.isfinite(value)), None)
    since = "none of these days has one" if known is None else f"it is known from {known} on"
    if level is VolatilityLevel.GVZ:
        raise InvalidInput(
            "level",
            f"has no value for {market.days[0]}: the gold volatility index is not stored for it ({since}). Choose "
            "auto, or import it: `vault-dash history import FILE --symbol '^GVZ'`",
        )
    raise InvalidInput(
        "start",
        f"is too early: no volatility is known for {market.days[0]}, as it takes 21 closes before it ({since})",
    )


def _called_remarks(loan: Loan, ltv: float) -> list[str]:
    if is_breached(ltv, loan.close_out_ltv):
        what = f"on or above the close-out LTV of {loan.close_out_ltv:.1%}: the lender may sell on the first day"
    elif is_breached(ltv, loan.margin_call_ltv):
        what = f"on or above the margin-call LTV of {loan.margin_call_ltv:.1%}: it is called on the first day"
    else:
        return []
    return [f"Without options the loan starts at an LTV of {ltv:.1%}, {what}."]

"""Risk in sentences: the odds, how a replay ended, and what would have cured it."""

from datetime import date

from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.portfolio import Cure
from vaultdash.risk.replay import Call, Outcome, Replay
from vaultdash.services.odds_report import Odds, chances
from vaultdash.services.selloff_replay import SelloffReport

OUTCOMES = {
    Outcome.NOT_CALLED: "not called",
    Outcome.CALLED: "called",
    Outcome.SOLD_AFTER_DEADLINE: "called, overdue",
    Outcome.SOLD_IN_CURE: "close-out before cured",
    Outcome.SOLD_AT_ONCE: "close-out with the call",
}
SALES = {
    Outcome.SOLD_AFTER_DEADLINE: "From {} on the lender may sell.",
    Outcome.SOLD_IN_CURE: "Close-out level on {}, before the days to cure were over.",
    Outcome.SOLD_AT_ONCE: "Close-out level on {}, the day of the call.",
}
FEW_DAYS = 60


def odds_sentence(odds: Odds) -> str:
    """The page's first sentence: a chance in words, and the range that models and drifts give."""
    if odds.is_called and odds.passed == "close-out":
        return "The close-out limit is passed: the lender may sell the gold now, and no odds are left to reckon."
    if odds.is_called:
        return "The loan is called at this price: the question is how to cure it, not how likely it is."
    if odds.needs_options:
        return "Only the options keep a call away at this price; these odds do not count them."
    low, high = odds.span(12)
    words = chances(odds.central.by_months[12])
    what = "the model and the drift" if odds.simulated else "the drift"
    return f"{words[0].upper()}{words[1:]} over a year, between {_pct(low)} and {_pct(high)} depending on {what}."


def time_words(years: float | None) -> str:
    """`12 days`, `5 months`, `3.2 years`; `never` for None, `now` for 0."""
    if years is None:
        return "never"
    if years == 0:
        return "now"
    days = years * 365
    if days < FEW_DAYS:
        count = max(round(days), 1)
        return f"{count} day{'s' * (count > 1)}"
    if years < 2:
        return f"{round(years * 12)} months"
    return f"{years:,.1f} years" if years < 10 else f"{years:,.0f} years"


def outcome_words(found: Replay) -> str:
    """How it ended, by closes; and by lows where a lender who looks during the day would have called."""
    words = OUTCOMES[found.outcome]
    if found.outcome is Outcome.NOT_CALLED and found.called_intraday_on is not None:
        return "only during the day"
    return words


def replay_sentence(found: Replay) -> str:
    """What happened to the loan, in a few sentences with days."""
    loan, call = found.loan, found.call
    if call is None:
        highest = f"The highest LTV at a close was {_pct(found.worst_ltv)}, on {day(found.worst_on)}."
        if found.called_intraday_on is None:
            lows = "" if found.has_lows else " Lows are not known for every day."
            return f"No call. {highest}{lows}"
        return f"No call at a close. {highest} During {day(found.called_intraday_on)} the low was a call."
    fall = f" after a fall of {_pct(-call.drop)}" if call.drop < 0 else ""
    said = [f"Called at the close of {day(call.on)}: LTV {_pct(call.ltv)}{fall}."]
    if found.called_intraday_on is not None and found.called_intraday_on < call.on:
        said.append(f"The low of {day(found.called_intraday_on)} was a call already.")
    if found.close_out_on == call.on:
        said.append(f"The same day led over the close-out limit of {_pct(loan.close_out_ltv, 0)}.")
    else:
        if found.sale_on is None or found.sale_on >= call.deadline:
            said.append(_deadline(call, loan.margin_call_ltv))
        if found.calls > 1:
            said.append(f"Called {found.calls} times.")
        if found.sale_on is not None:
            said.append(SALES[found.outcome].format(day(found.sale_on)))
        if found.close_out_on is not None and found.close_out_on != found.sale_on:
            said.append(f"Close-out level at the close of {day(found.close_out_on)}.")
    return " ".join(said)


def cure_sentence(call: Call, target: str, ways: Cure, rate: ExchangeRate = DOLLAR) -> str:
    """What would have cured the call on its own day, back to `target`; amounts are USD at `rate`."""
    if ways.repay_cash <= 0:
        return f"On that day nothing was needed to be back at {target}."
    sale = f"sell {money(ways.sell_gold)} of gold and repay with it"
    if ways.sell_gold > call.owed / call.ltv:
        sale = "no sale of gold would have been enough"
    return (
        f"On that day, back to {target} by one of three: repay {money(ways.repay_cash, rate)}; add "
        f"{money(ways.add_gold)} of gold ({ways.add_gold / call.price:,.0f} shares); {sale}."
    )


def selloffs_sentence(report: SelloffReport) -> str:
    """How many of the falls would have been a call."""
    known = [row for row in report.rows if row.replay is not None]
    if not known:
        return "None of these falls lies within the prices that are stored."
    called = sum(row.replay is not None and row.replay.call is not None for row in known)
    deepest = [row for row in known if row.is_deepest]
    called_deepest = sum(row.replay is not None and row.replay.call is not None for row in deepest)
    loan = (
        f"Today's loan, at its LTV of {_pct(report.ltv)},"
        if report.is_todays_loan
        else (f"A loan drawn at {_pct(report.ltv)} at each peak")
    )
    ten = f"; {called_deepest} of the {len(deepest)} deepest that do not lie within one another" if deepest else ""
    times = "none" if called == 0 else str(called)
    return f"{loan} would have been called in {times} of {len(known)} falls{ten}."


def day(on: date) -> str:
    """`20 Nov 2026`."""
    return f"{on.day} {on:%b %Y}"


def _deadline(call: Call, limit: float) -> str:
    if call.deadline_ltv is None:
        return f"The deadline of {day(call.deadline)} lies after the last price."
    back = "still a call" if call.deadline_ltv >= limit else "back below the limit by itself"
    return f"At the deadline, {day(call.deadline)}, LTV {_pct(call.deadline_ltv)}: {back}."


def _pct(fraction: float, digits: int = 1) -> str:
    number = fraction * 100
    return f"{number:.{digits}f} %" if number >= 0.05 or digits == 0 else f"{number:.2g} %"


def money(dollars: float, rate: ExchangeRate = DOLLAR) -> str:
    """`$ 43,852`; with the rate of a loan in another currency `35,081 CHF ($ 43,852)`."""
    told = f"$ {dollars:,.0f}"
    return told if rate.is_dollar else f"{rate.own(dollars):,.0f} {rate.currency} ({told})"


def held_words(rate: ExchangeRate) -> str:
    """What must be said beside a price in USD that is a limit of a loan in another currency."""
    if rate.is_dollar:
        return ""
    at = "" if rate.at is None else f", {rate.at:%Y-%m-%d %H:%M} UTC"
    return f", while a dollar costs {rate.per_dollar:.4f} {rate.currency} ({rate.source}{at})"

"""A backtest in a sentence: how many hedges came through, and what the cheapest of them cost."""

from collections.abc import Sequence
from datetime import date

from vaultdash.backtest.result import BacktestRun, Comparison, Ending
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.backtest_cost import comparable_costs, hedging, idle
from vaultdash.services.backtest_request import USUAL_LTV, Asked, BacktestRequest, FanEntry
from vaultdash.services.selloff_events import Event

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ENDINGS = {
    Ending.NO_CALL: "no call",
    Ending.CURED_BY_ITSELF: "called, and gold recovered in time",
    Ending.CURED_BY_HEDGE: "called, and cured by selling options",
    Ending.CURED_WITH_CASH: "called, and cured with cash",
    Ending.CURED_WITH_GOLD: "called, and cured by selling gold",
    Ending.OPEN: "called, and still within the deadline on the last day",
    Ending.LIQUIDATED: "sold by the lender",
}
DEMO = "On DEMO prices, which are invented: "
LONGEST_NAME = 100


def sentence(comparison: Comparison, fan: Sequence[FanEntry] = ()) -> str:
    """What stands on top of a report; with a fan also how many hedges survive when they were bought earlier.

    Hedges that bought nothing are told apart, and are in none of the counts.
    """
    hedges, nothing = hedging(comparison), idle(comparison)
    survived = [run for run in hedges if run.summary.survived]
    if comparison.unhedged.summary.survived:
        said = _not_needed(comparison, hedges, survived)
    elif not hedges:
        said = f"Without a hedge: {ending_words(comparison.unhedged)}."
    elif survived:
        said = _survivors(comparison, hedges, survived)
    else:
        said = _none_survived(comparison, hedges) + _repaying(comparison, hedges)
    if comparison.unhedged.summary.first_breach_date == comparison.scenario.start:
        said = f"{_called_at_once(comparison)} {said}"
    if nothing:
        said += f" {_bought_nothing(len(nothing), len(nothing) + len(hedges))}"
    said += _earlier(fan)
    return f"{DEMO}{said[0].lower()}{said[1:]}" if comparison.is_demo else said


def ending_words(run: BacktestRun) -> str:
    """How it ended, with the day of the first call: `called, and cured with cash; first on 15 April 2013`."""
    first = run.summary.first_breach_date
    return ENDINGS[run.summary.ending] + ("" if first is None else f"; first on {day_words(first)}")


def usual_name(asked: Asked, start: date, end: date) -> str:
    """What a run is called that nobody named: `January 2026, LTV 60 %`."""
    request, event = asked.request, asked.event
    own_days = request.start is not None or request.end is not None
    when = event.name if event is not None and not own_days else f"{short_day(start)} to {short_day(end)}"
    return f"{when}, {loan_words(request)}"[:LONGEST_NAME]


def loan_words(request: BacktestRequest) -> str:
    """`LTV 60 %`, or the amount of the loan."""
    if request.loan is not None:
        return f"loan {request.loan:,.0f} USD"
    return f"LTV {per_cent(round(request.ltv or USUAL_LTV, 3), digits=None)}"


def event_words(event: Event) -> str:
    """A line on an event: its days and how deep the fall was."""
    depth = "" if event.depth is None else f", {per_cent(event.depth)}"
    return f"{event.name}: {event.start} to {event.end}{depth}"


def day_words(day: date) -> str:
    """`2 February 2026`."""
    return f"{day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """`2 Feb 2026`."""
    return f"{day.day} {day:%b %Y}"


def per_cent(fraction: float, digits: int | None = 1) -> str:
    """`69.7 %`; with None as many digits as it takes."""
    return f"{fraction * 100:.6g} %" if digits is None else f"{fraction:.{digits}%}".replace("%", " %")


def template_words(template: HedgeTemplate) -> str:
    """`the 95 % put`; the owner's own by their name in quotes."""
    return f"the {template.name}" if template.is_system else f'"{template.name}"'


def cost_words(comparison: Comparison, cost: float, *, yearly: bool) -> str:
    """`bought for 12,345 USD (1.2 % of the gold)`, of the gold's worth at the start; or `at ... a year for options`.

    Below zero sold options brought more than the bought ones cost.
    """
    amount, share = f"{abs(cost):,.0f} USD", f"({per_cent(abs(cost) / start_value(comparison))} of the gold)"
    if yearly:
        return f"at {amount} a year for options {share}" if cost >= 0 else f"which brings {amount} a year {share}"
    return f"bought for {amount} {share}" if cost >= 0 else f"which brought {amount} {share}"


def start_value(comparison: Comparison) -> float:
    """What the collateral was worth at the start's close, USD."""
    series, scenario = comparison.unhedged.series, comparison.scenario
    return scenario.units * float(series.price[series.days.index(scenario.start)])


def _earlier(fan: Sequence[FanEntry]) -> str:
    """A hedge bought the day before a fall is luck: what remains of it when it was bought months before."""
    counts = {}
    for entry in fan:
        runs = [] if entry.comparison is None else hedging(entry.comparison)
        if entry.months > 0 and runs:
            counts[entry.months] = sum(run.summary.survived for run in runs), len(runs)
    if not counts:
        return ""
    first, last = min(counts), max(counts)
    when = months_words(first) if first == last else f"{first} to {months_words(last)}"
    (low, every), high = min(counts.values()), max(counts.values())[0]
    if every == 1:
        times = len(counts)
        survived = sum(some for some, _ in counts.values())
        kept = (
            "it survived"
            if survived == times
            else "it did not survive"
            if survived == 0
            else (f"it survived {_number(survived)} of {_number(times)} times")
        )
        return f" Bought {when} before, {kept}."
    few = _number(low) if low == high else f"{_number(low)} to {_number(high)}"
    return f" Bought {when} before, {few} of {_number(every)} survived."


def months_words(months: int) -> str:
    """`1 month`, `9 months`."""
    return f"{months} month{'' if months == 1 else 's'}"


def _not_needed(comparison: Comparison, hedges: Sequence[BacktestRun], survived: Sequence[BacktestRun]) -> str:
    top, limit = comparison.unhedged.summary, comparison.scenario.loan.margin_call_ltv
    said = (
        f"No hedge was needed: without one the LTV reached {per_cent(top.max_ltv)} on {day_words(top.max_ltv_on)}, "
        f"and the call comes at {per_cent(limit, digits=None)}."
    )
    intraday = top.first_intraday_breach_date
    if intraday is not None:
        said += f" At the low of {day_words(intraday)} it was reached."
    failed = len(hedges) - len(survived)
    if failed:
        was = "it was" if failed == 1 else "they were"
        said += f" {_count(failed, len(hedges)).capitalize()} made it worse: {was} called."
    if not survived:
        return said
    which, cost = _cheapest(comparison, survived)
    if len(hedges) == 1:
        return f"{said} {which[0].upper()}{which[1:]}, {cost}, came through as well."
    return f"{said} {'The other' if len(survived) == 1 else 'The cheapest hedge'} was {which}, {cost}."


def _called_at_once(comparison: Comparison) -> str:
    scenario = comparison.scenario
    ltv = per_cent(scenario.loan.amount / start_value(comparison))
    limit = per_cent(scenario.loan.margin_call_ltv, digits=None)
    return f"On the first day already the loan stands at {ltv} without options, and the call comes at {limit}."


def _repaying(comparison: Comparison, hedges: Sequence[BacktestRun]) -> str:
    """What the money of hedges that did not help would have done as a repayment of the loan."""
    ids = {run.template.id for run in hedges}
    beside = [
        repaid
        for run, repaid in zip(comparison.runs, comparison.repaid, strict=True)
        if repaid is not None and run.template.id in ids
    ]
    kept = sum(repaid.summary.survived for repaid in beside)
    if kept and len(hedges) == 1:
        return " The same money repaid would have kept it away."
    if kept:
        return f" The same money repaid would have kept it away for {_number(kept)} of {_number(len(hedges))}."
    if any(run.template.repays and run.summary.survived for run in comparison.runs):
        return " Repaying the loan with the premium instead kept it away."
    return ""


def _survivors(comparison: Comparison, hedges: Sequence[BacktestRun], survived: Sequence[BacktestRun]) -> str:
    which, cost = _cheapest(comparison, survived)
    if len(hedges) == 1:
        said = f"With these terms, {which}, {cost}, survived."
    elif len(survived) == 1:
        said = f"With these terms, {_count(1, len(hedges))} survived: {which}, {cost}."
    else:
        said = f"With these terms, {_count(len(survived), len(hedges))} survived; the cheapest was {which}, {cost}."
    lows = sum(run.summary.first_intraday_breach_date is not None for run in survived)
    if lows:
        of_them = "it" if len(survived) == 1 else f"{_number(lows)} of them"
        said += f" At a day's low {of_them} would have been called."
    return said


def _none_survived(comparison: Comparison, hedges: Sequence[BacktestRun]) -> str:
    if all(run.summary.counting is HedgeCounting.IGNORED for run in hedges):
        cured = sum(run.summary.ending is Ending.CURED_BY_HEDGE for run in hedges)
        still = sum(run.summary.ending is Ending.OPEN for run in hedges)
        later = f" On the last day the deadline of {_count(still, len(hedges))} was still running." if still else ""
        return (
            "As this lender counts, no option keeps a call away; "
            f"{_count(cured, len(hedges))} cured it by selling options.{later}"
        )
    by_id = {run.template.id: run for run in hedges}
    best = next(by_id[template_id] for template_id in comparison.ranking if template_id in by_id)
    if len(hedges) == 1:
        return f"With these terms, {template_words(best.template)} did not keep a call away: {ending_words(best)}."
    return (
        f"With these terms, {_count(0, len(hedges))} kept a call away; the best was "
        f"{template_words(best.template)}: {ending_words(best)}."
    )


def _count(some: int, every: int) -> str:
    """`three of nine hedges`, `all nine hedges`, `the hedge`."""
    if every == 1:
        return "no hedge" if some == 0 else "the one hedge"
    if some == every == 2:
        return "both hedges"
    return f"all {_number(every)} hedges" if some == every else f"{_number(some)} of {_number(every)} hedges"


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"


def _cheapest(comparison: Comparison, survived: Sequence[BacktestRun]) -> tuple[str, str]:
    """The hedge that cost least to have, and what: at the end of a fall every hedge has brought more than it cost."""
    costs, yearly = comparable_costs(survived)
    place = min(range(len(costs)), key=costs.__getitem__)
    return template_words(survived[place].template), cost_words(comparison, costs[place], yearly=yearly)


def _bought_nothing(some: int, every: int) -> str:
    if every == 1:
        return "The hedge bought nothing."
    are = "is" if some == 1 else "are"
    rest = f" and {are} not counted." if some < every else "."
    return f"{_count(some, every).capitalize()} bought nothing{rest}"

"""A backtest in words: how a loan came through, why something was traded, and how a hedge is called."""

import json
import re
from datetime import date

from vaultdash.backtest.result import BacktestRun, Comparison, Ending, MarginCall, Reason, Trade
from vaultdash.domain.errors import Refused
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.backtest_document import from_document
from vaultdash.services.backtest_request import Asked
from vaultdash.services.backtest_scenario import window_of
from vaultdash.services.backtest_words import loan_words
from vaultdash.services.backtester import SCHEMA
from vaultdash.strategies.templates import NO_HEDGE
from vaultdash.ui.format import day, pct, strike, unbroken, usd
from vaultdash.ui.theme import Tone

SHORTLY: dict[Ending, tuple[str, Tone]] = {  # for tables; sentences have longer ones
    Ending.NO_CALL: ("no call", "room"),
    Ending.CURED_BY_ITSELF: ("called; gold recovered", "warning"),
    Ending.CURED_BY_HEDGE: ("called; options sold", "warning"),
    Ending.CURED_WITH_CASH: ("called; cash paid", "call"),
    Ending.CURED_WITH_GOLD: ("called; gold sold", "call"),
    Ending.OPEN: ("called; still open", "call"),
    Ending.LIQUIDATED: ("sold by the lender", "close_out"),
}
REASONS = {
    Reason.ENTRY: "bought",  # a leg that is sold is told by `trade_words`
    Reason.ROLL: "rolled",
    Reason.RATCHET: "followed gold up",
    Reason.MONETISE_DELTA: "cashed in, deep in the money",
    Reason.MONETISE_LTV: "cashed in, LTV reached",
    Reason.CURE: "sold to cure the call",
    Reason.EXPIRY: "expired",
    Reason.LIQUIDATION: "closed with the loan",
}
COUNTINGS = {
    HedgeCounting.IGNORED: "options ignored",
    HedgeCounting.AFTER_PAYMENT: "after payment",
    HedgeCounting.CREDITED: "credited",
}
MOST_NAMED = 4
ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
BEGINNING = "beginning; the first one on a machine compiles its engine, which may take a minute"
STATES: dict[RunState, tuple[str, Tone]] = {
    RunState.WAITING: ("waiting", "muted"),
    RunState.RUNNING: ("running", "gold"),
    RunState.DONE: ("done", ""),
    RunState.FAILED: ("failed", "call"),
    RunState.CANCELLED: ("cancelled", "muted"),
}


def is_working(run: StoredRun) -> bool:
    """Whether more is to come of it."""
    return run.state in (RunState.WAITING, RunState.RUNNING)


def working_words(run: StoredRun) -> str:
    """`waiting for its turn`, `34 % done`; at first why nothing moves yet."""
    if run.state is RunState.WAITING:
        return "waiting for its turn"
    if run.state is not RunState.RUNNING:
        return ""
    return f"{pct(run.progress, 0)} done" if run.progress else BEGINNING


def asked_words(run: StoredRun, most: int | None = MOST_NAMED) -> str:
    """What a kept run was asked for: days or fall, terms, counting, hedges in their versions, and how many held.

    At most so many hedges by name; with None all of them.
    """
    try:
        asked = from_document(Asked, run.request, SCHEMA)
    except Refused:
        return "asked for by another release"
    request = asked.request
    if asked.event is not None and request.start is None and request.end is None:
        when = asked.event.name
    else:
        when = " – ".join(day(on) for on in window_of(request, asked.event))
    names = [hedge_name(one) for one in asked.templates if one.id != NO_HEDGE]
    more = 0 if most is None else len(names) - most
    hedges = ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
    terms = f"{loan_words(request)}, call {pct(request.call_ltv, 0)}, {COUNTINGS[request.counting]}"
    return unbroken(" · ".join(part for part in (when, terms, hedges, request.source.value, _held(run)) if part))


def _held(run: StoredRun) -> str:
    """`3 of 5 hedges without a call`, once that is known."""
    if run.summary is None:
        return ""
    told = json.loads(run.summary)
    demo = " (DEMO)" if told.get("demo") else ""
    return f"{told.get('survived', 0)} of {told.get('hedges', 0)} hedges without a call{demo}"


def hedge_name(template: HedgeTemplate) -> str:
    """Its name; of one that has been changed, with the version that was used."""
    return template.name if template.version == 1 else f"{template.name} · version {template.version}"


def hedges_of(comparison: Comparison) -> list[BacktestRun]:
    """The runs from the best to the worst; the path without a hedge is none of them, as it stands apart."""
    by_id = {run.template.id: run for run in comparison.runs}
    ranked = [by_id[one] for one in comparison.ranking if one in by_id]
    missing = [run for run in comparison.runs if run.template.id not in comparison.ranking]
    return [run for run in (*ranked, *missing) if run.template.id != NO_HEDGE]


def run_of(comparison: Comparison, chosen: str) -> BacktestRun:
    """The run of a row: one of the hedges, else the path without any."""
    return next((run for run in hedges_of(comparison) if run.template.id == chosen), comparison.unhedged)


def repaid_beside(comparison: Comparison, run: BacktestRun) -> BacktestRun | None:
    """What the same money would have done as a repayment; None where nothing was paid."""
    for one, repaid in zip(comparison.runs, comparison.repaid, strict=True):
        if one is run:
            return repaid
    return None


def ending(run: BacktestRun) -> tuple[str, Tone]:
    """How the loan came through, as its lender counted, in a few words."""
    summary = run.summary
    if summary.ending is Ending.NO_CALL and summary.first_intraday_breach_date is not None:
        return "only during the day", "warning"
    return SHORTLY[summary.ending]


def breach_of(run: BacktestRun, counting: HedgeCounting) -> date | None:
    """The first close at which a lender who counts in that way would have called, on this path."""
    if counting is run.summary.counting:
        return run.summary.first_breach_date
    return run.summary.breaches.get(counting)


def outcome(run: BacktestRun, counting: HedgeCounting) -> tuple[str, str, Tone]:
    """How it ended with the date below; in a counting that did not decide, only when it would have been a call."""
    summary = run.summary
    if counting is summary.counting:
        words, tone = ending(run)
        on = summary.first_breach_date or summary.first_intraday_breach_date
        return words, "" if on is None else f"limit reached {day(on)}", tone
    breach = breach_of(run, counting)
    if breach is None:
        return "below the limit", "counted so", "room"
    return "would be a call", day(breach), "call"


def max_ltv(run: BacktestRun, counting: HedgeCounting) -> float:
    """The highest closing LTV, a fraction, in one way of counting."""
    return {
        HedgeCounting.IGNORED: run.summary.max_ltv_ignored,
        HedgeCounting.AFTER_PAYMENT: run.summary.max_ltv_after_payment,
        HedgeCounting.CREDITED: run.summary.max_ltv_credited,
    }[counting]


def net_words(net: float) -> str:
    """What hedging took in all, USD; one that brought more than it cost is a gain."""
    return f"{usd(-net)} gained" if net < 0 else usd(net)


def contract_words(right: Right, at: float, expiration: date) -> str:
    """`410 P Jan 2027`."""
    return f"{strike(at)} {'P' if right is Right.PUT else 'C'} {expiration:%b %Y}"


def trade_words(trade: Trade, template: HedgeTemplate) -> str:
    """Why an option was traded. A roll has two sides, what is closed and what is opened; a sold leg is opened by
    selling and closed by buying it back.
    """
    words = REASONS[trade.reason]
    is_short = template.legs[trade.leg].sign < 0
    opens = trade.contracts * template.legs[trade.leg].sign > 0
    if trade.reason is Reason.ENTRY:
        return words if trade.contracts > 0 else "sold"
    if trade.reason in (Reason.ROLL, Reason.RATCHET):
        return f"{words}: {'opened' if opens else 'closed'}"
    if is_short and trade.reason in (Reason.MONETISE_DELTA, Reason.MONETISE_LTV):
        return "bought back, as the put was cashed in"
    if is_short and trade.reason is Reason.CURE:
        return "bought back to cure the call"
    return words


def with_days(said: str) -> str:
    """A sentence of a service with its days as the pages write them: `11 May 2026` for 2026-05-11."""
    return ISO_DAY.sub(lambda found: _day_or(found.group()), said)


def _day_or(written: str) -> str:
    try:
        return day(date.fromisoformat(written))
    except ValueError:
        return written


def call_words(call: MarginCall) -> str:
    """What became of a margin call."""
    return SHORTLY[call.ending][0].removeprefix("called; ")

"""What an alert says: what happened, where it stands, and what to do about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from vaultdash.domain.alert import LONGEST_RATE, AlertEventKind, AlertMetric, AlertPlan, AlertRule, Reading
from vaultdash.domain.alert_rules import LTVS, Crossing
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.gold import InstrumentKind
from vaultdash.domain.loan import is_breached
from vaultdash.domain.portfolio import Portfolio, Snapshot, cure, cure_as_counted

NEW_YORK = ZoneInfo("America/New_York")
LARGEST_LTV = 10.0  # told as "more than 1,000 %"
METRICS = {
    AlertMetric.LTV: "LTV",
    AlertMetric.HEDGED_LTV: "LTV with options",
    AlertMetric.PRICE: "price",
    AlertMetric.PROBABILITY: "chance of a call",
    AlertMetric.STALE_DATA: "no fresh price",
}
_OF_NO_LTV = (AlertMetric.PRICE, AlertMetric.STALE_DATA)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an alert is told with. `problem` says why no price came; `is_one_of_many` that the loan must be named.

    `currency` is that of the loan; with `lacks_rate` only what a dollar costs in it is missing, the price is not.
    `by_old_rate`: the LTV is judged by the last rate all the same. `lacks_value`: price and rate are known, the loan
    could not be valued for another reason.
    """

    portfolio: Portfolio
    reading: Reading
    snapshot: Snapshot | None = None
    problem: str | None = None
    is_one_of_many: bool = False
    currency: str = "USD"
    lacks_rate: bool = False
    lacks_value: bool = False
    by_old_rate: bool = False


def told(crossing: Crossing, occasion: Occasion) -> tuple[str, str]:
    """Title and body of an event."""
    rule = crossing.rule
    if crossing.kind is AlertEventKind.CLEARED:
        title, lines = _over(crossing, occasion)
    elif rule.metric is AlertMetric.STALE_DATA:
        title, lines = _stale(crossing, occasion)
    elif rule.metric is AlertMetric.PRICE:
        title = f"{occasion.portfolio.collateral.quoted_by} at {crossing.value:,.2f} (limit {rule.threshold:,.2f})"
        lines = [*_remedy(crossing, occasion), _standing(occasion), *_doubts(occasion.snapshot)]
    elif rule.metric is AlertMetric.PROBABILITY:
        title = (
            f"Chance of a call within {_months(rule)} {measured(crossing.value)} (limit {percent(rule.threshold)})"
        )
        lines = [
            _standing(occasion),
            "A closed-form estimate without drift; the risk page shows the range of models.",
        ]
    else:
        title, lines = _ltv(crossing, occasion)
    if crossing.kind is AlertEventKind.REMINDED:
        title = f"Still: {title[:1].lower() + title[1:] if title[1:2].islower() else title}"
    if occasion.by_old_rate and occasion.snapshot is not None and rule.metric not in _OF_NO_LTV:
        old = rate_of(occasion.snapshot.rate, occasion.reading.at)
        lines.insert(0, f"Judged by {old}: a fresh one is missing. Look at a rate elsewhere.")
    if occasion.is_one_of_many:
        title = f"{title} · {occasion.portfolio.name}"
    if occasion.reading.is_demo:
        title = f"DEMO: {title}"
        lines.append("DEMO: the price is invented; no lender acts on it.")
    return title, "\n".join(line for line in lines if line)


def percent(fraction: float) -> str:
    """A limit: 0.725 as `72.5 %`, 0.75 as `75 %`."""
    text = f"{fraction * 100:.2f}".rstrip("0").rstrip(".")
    return f"{text} %"


def measured(fraction: float) -> str:
    """A measured share: 0.7619 as `76.2 %`; what is beyond 1,000 % is told so."""
    if not math.isfinite(fraction) or fraction > LARGEST_LTV:
        return "more than 1,000 %"
    return f"{fraction * 100:.1f} %"


def rule_words(rule: AlertRule) -> str:
    """A rule in a few words: `LTV at 75 %`."""
    if rule.metric is AlertMetric.PRICE:
        return f"price at {rule.threshold:,.2f} USD"
    if rule.metric is AlertMetric.STALE_DATA:
        return f"no fresh price for {_minutes(rule.threshold)}"
    if rule.metric is AlertMetric.PROBABILITY:
        return f"chance of a call within {_months(rule)} at {percent(rule.threshold)}"
    return f"{METRICS[rule.metric]} at {percent(rule.threshold)}"


def plan_words(plan: AlertPlan) -> str:
    """A plan in a sentence or two."""
    watched = [rule_words(rule) for rule in plan.rules if rule.is_on]
    text = f"Watched: {'; '.join(watched)}." if watched else "Nothing is watched."
    if plan.quiet is not None:
        begins, ends = plan.quiet.begins, plan.quiet.ends
        text += f" Quiet from {begins:%H:%M} to {ends:%H:%M} {plan.quiet.zone}, calls excepted."
    return text


def _ltv(crossing: Crossing, occasion: Occasion) -> tuple[str, list[str]]:
    snapshot = occasion.snapshot
    assert snapshot is not None
    alarm, said, limit = _alarm(crossing, snapshot)
    beside = _beside(crossing, "Reached at once", said, limit, snapshot)
    title = f"{alarm}: {said} (limit {percent(limit)})"
    return title, [*_remedy(crossing, occasion), beside, _standing(occasion), *_doubts(snapshot)]


def _alarm(crossing: Crossing, snapshot: Snapshot) -> tuple[str, str, float]:
    """What the lender may do now, or how near it is; the LTV by which that is so, and the limit that it passed.

    Of a call and a close-out these are the lender's own, whichever rule tells of it.
    """
    loan, stands, value = snapshot.portfolio.loan, snapshot.lender_ltv, crossing.value
    lenders = f"{_name(AlertMetric.HEDGED_LTV, snapshot)} {measured(stands)}"
    if is_breached(stands, loan.close_out_ltv):
        return "Close-out", lenders, loan.close_out_ltv
    if snapshot.is_called:
        return "Margin call", lenders, loan.margin_call_ltv
    limits = [crossing.rule.threshold, *([loan.warning_ltv] if is_breached(value, loan.warning_ltv) else ())]
    return "Warning", f"{_name(crossing.rule.metric, snapshot)} {measured(value)}", max(limits)


def _name(metric: AlertMetric, snapshot: Snapshot | None) -> str:
    """What a metric is called: options are spoken of only where some are held and the lender counts them."""
    if metric not in LTVS:
        return METRICS[metric]
    if snapshot is None or not snapshot.counts_options:
        return METRICS[AlertMetric.LTV]
    return METRICS[metric] if metric is AlertMetric.HEDGED_LTV else "LTV without options"


def _beside(crossing: Crossing, words: str, said: str, limit: float, snapshot: Snapshot | None) -> str:
    """What came at once with what the title says, which is `said` and `limit`."""
    every = (crossing, *crossing.covers)
    others = {f"{_name(each.rule.metric, snapshot)} {measured(each.value)}" for each in every} - {said}
    limits = sorted({percent(each.rule.threshold) for each in every} - {percent(limit)})
    found = sorted(others)
    if limits:
        found.append(f"the limit{'s' if len(limits) > 1 else ''} of {' and '.join(limits)}")
    return f"{words}: {', '.join(found)}." if found else ""


def _standing(occasion: Occasion) -> str:
    """The loan and its limits, and what that stands on."""
    portfolio, snapshot, loan = occasion.portfolio, occasion.snapshot, occasion.portfolio.loan
    name = f"{portfolio.name} ({portfolio.lender})" if portfolio.lender else portfolio.name
    if snapshot is None:
        return f"{name}."
    alone, options = "", ""
    if snapshot.counts_options:
        alone = " for gold alone"
        options = f", {measured(snapshot.lender_ltv)} as the lender counts the options"
    return (
        f"{name}: LTV {measured(snapshot.ltv)}{options}; margin call at {percent(loan.margin_call_ltv)} "
        f"({snapshot.margin_call_price:,.2f}{alone}), close-out at {percent(loan.close_out_ltv)} "
        f"({snapshot.close_out_price:,.2f}{alone}).{_rate(snapshot, occasion.reading.at)}\n{_price(occasion)}"
    )


def _rate(snapshot: Snapshot, at: datetime) -> str:
    """What is owed in the loan's own currency and what it stands on; nothing of a loan in dollars."""
    rate = snapshot.rate
    if rate.is_dollar:
        return ""
    told = "" if rate.at is None else f", {rate.source}, {moment(rate.at)}, {_age(_seconds(rate.at, at))} old"
    return (
        f"\nOwed: {_money(snapshot.portfolio.loan.amount, rate)}. "
        f"A dollar costs {rate.per_dollar:.4f} {rate.currency}{told}; the prices at the limits hold while it does."
    )


def _price(occasion: Occasion) -> str:
    reading, symbol = occasion.reading, occasion.portfolio.collateral.quoted_by
    if reading.price is None or reading.quote_at is None:
        return f"There is no price of {symbol}."
    age = _age(_seconds(reading.quote_at, reading.at))
    return f"{symbol} {reading.price:,.2f} USD, {reading.source}, {moment(reading.quote_at)}, {age} old."


def _remedy(crossing: Crossing, occasion: Occasion) -> list[str]:
    """Add, repay or sell to be back, and until when."""
    snapshot = occasion.snapshot
    if snapshot is None:
        return []
    metrics = {crossing.rule.metric, *(each.rule.metric for each in crossing.covers)}
    hedged = metrics == {AlertMetric.HEDGED_LTV}
    return [_cure(snapshot, hedged=hedged), _deadline(snapshot, occasion.reading.at)]


def back_at(snapshot: Snapshot, ltv: float) -> float | None:
    """The LTV to be brought back to: after a call the warning limit, else the owner's target; None when below it."""
    loan, target = snapshot.portfolio.loan, snapshot.portfolio.target_ltv
    wanted = loan.warning_ltv if is_breached(ltv, loan.margin_call_ltv) else min(target, loan.warning_ltv)
    return wanted if ltv > wanted else None


def _cure(snapshot: Snapshot, *, hedged: bool) -> str:
    """The three ways back: of gold alone and as the lender counts the options what needs more. What is to be repaid
    is in the loan's own currency, with USD beside it.

    `hedged` asks for the lender's counting alone: what a rule on gold alone has not raised need not be cured.
    """
    loan, value, worth = snapshot.portfolio.loan, snapshot.gold_value, snapshot.hedge_value
    target = back_at(snapshot, snapshot.lender_ltv if hedged else max(snapshot.ltv, snapshot.lender_ltv))
    if target is None:
        return ""
    found = cure_as_counted(loan, value, worth, target)
    alone = cure(loan.amount, value, target)
    is_counted = snapshot.counts_options
    if not hedged and alone.repay_cash >= found.repay_cash:
        found, is_counted = alone, False
    gold = f"{_usd(found.add_gold)}{_weight(found.add_gold, snapshot)}"
    ways = [f"add gold worth {gold}", f"repay {_money(found.repay_cash, snapshot.rate)}"]
    if found.sell_gold < snapshot.gold_value:
        ways.append(f"sell gold for {_usd(found.sell_gold)} and repay with it")
    counted = " as the lender counts the options" if is_counted else ""
    return f"To be back at {percent(target)}{counted}: {', or '.join(ways)}."


def _weight(worth: float, snapshot: Snapshot) -> str:
    """Gold worth so many USD as it is pledged: whole shares where shares are, and ounces."""
    collateral, said = snapshot.portfolio.collateral, []
    if collateral.instrument.kind is not InstrumentKind.BULLION and math.isfinite(worth):
        said.append(f"{math.ceil(worth / snapshot.price):,} shares of {collateral.quoted_by}")
    if snapshot.gold_ounces:
        said.append(f"{worth * snapshot.gold_ounces / snapshot.gold_value:,.1f} oz")
    return f" ({', '.join(said)})" if said else ""


def _deadline(snapshot: Snapshot, at: datetime) -> str:
    loan = snapshot.portfolio.loan
    if is_breached(snapshot.lender_ltv, loan.close_out_ltv):
        return "The lender may sell the gold now, without a further call: speak to the lender at once."
    close_out = "For gold alone close-out" if snapshot.counts_options else "Close-out"
    near = (
        f"{close_out} is {measured(1 - snapshot.close_out_price / snapshot.price)} lower"
        if (snapshot.close_out_price < snapshot.price)
        else "The price is below that of the close-out"
    )
    if not snapshot.is_called:
        return f"{near}."
    if loan.cure_days == 0:
        return f"The lender gives no time to cure. {near}."
    until = business_day(at.astimezone(NEW_YORK).date(), loan.cure_days)
    days = "1 business day" if loan.cure_days == 1 else f"{loan.cure_days} business days"
    return (
        f"The lender gives {days} from its call: if it calls today, until {_day(until)} (bank holidays not counted). "
        f"{near}; from there the lender may sell at once."
    )


def business_day(start: date, days: int) -> date:
    """The day so many business days, Monday to Friday, after `start`."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


def _doubts(snapshot: Snapshot | None) -> Sequence[str]:
    if snapshot is None or snapshot.hedge is None or not snapshot.hedge.doubts:
        return ()
    return (f"What the options are worth is doubtful: {'; '.join(snapshot.hedge.doubts)}.",)


def _stale(crossing: Crossing, occasion: Occasion) -> tuple[str, list[str]]:
    missing = f"price of {occasion.portfolio.collateral.quoted_by}"
    until = "Nothing watches the loan until a fresh price comes: its alerts wait. Look at a price elsewhere."
    if occasion.lacks_value:
        missing = "value of the loan"
        until = "Nothing watches its LTV until it can be valued: LTV alerts wait, those on the price do not."
    called, snapshot, at = "", occasion.snapshot, occasion.reading.at
    if occasion.lacks_rate:
        missing = f"exchange rate of the dollar in {occasion.currency}"
        until = (
            "Nothing watches the LTV of this loan until a fresh rate comes: LTV alerts wait, those on the price do "
            "not. Look at a rate elsewhere."
        )
        if occasion.by_old_rate and snapshot is not None:
            until = (
                f"Until a fresh rate comes LTV alerts are raised by {rate_of(snapshot.rate, at)}, and none is ended; "
                f"once it is more than {LONGEST_RATE.days} days old they wait. Look at a rate elsewhere."
            )
    if occasion.reading.may_be_called and snapshot is not None:
        called = (
            f"By {rate_of(snapshot.rate, at)} the lender would call: LTV {measured(snapshot.lender_ltv)} (limit "
            f"{percent(snapshot.portfolio.loan.margin_call_ltv)}). Look at a rate elsewhere and speak to the lender."
        )
    title = f"No fresh {missing} for {_minutes(crossing.value)} of trading"
    return f"Margin call by an old rate? {title}" if called else title, [
        called,
        _standing(occasion) if occasion.snapshot is not None else f"{occasion.portfolio.name}. {_price(occasion)}",
        f"Why: {occasion.problem}." if occasion.problem else "",
        until,
    ]


def _over(crossing: Crossing, occasion: Occasion) -> tuple[str, list[str]]:
    rule = crossing.rule
    if rule.metric is AlertMetric.STALE_DATA:
        symbol, currency = occasion.portfolio.collateral.quoted_by, occasion.currency
        rate = "" if currency == DOLLAR.currency else f" and of the dollar in {currency}"
        return f"Fresh prices of {symbol}{rate} again", [_standing(occasion)]
    if rule.metric is AlertMetric.PRICE:
        value, limit = f"{crossing.value:,.2f}", f"{rule.threshold:,.2f}"
    else:
        value, limit = measured(crossing.value), percent(rule.threshold)
    name = _name(rule.metric, occasion.snapshot)
    beside = _beside(crossing, "Also over", f"{name} {value}", rule.threshold, occasion.snapshot)
    return f"Over: {name} back at {value} (limit {limit})", [_standing(occasion), beside]


def moment(at: datetime) -> str:
    """An instant in New York time: `20 Nov 2026 16:00 New York`."""
    local = at.astimezone(NEW_YORK)
    return f"{local.day} {local:%b %Y %H:%M} New York"


def rate_of(rate: ExchangeRate, at: datetime) -> str:
    """`an exchange rate of 10 Jun 2026 14:15 New York (2 h old)`."""
    if rate.at is None:
        return "an exchange rate of a time that is not known"
    return f"an exchange rate of {moment(rate.at)} ({_age(_seconds(rate.at, at))} old)"


def dated(at: datetime) -> str:
    """What begins a message that is sent late: `Of 23:10 New York, 20 Nov:`."""
    local = at.astimezone(NEW_YORK)
    return f"Of {local:%H:%M} New York, {local.day} {local:%b}:"


def _day(on: date) -> str:
    return f"{on:%A} {on.day} {on:%B %Y}"


def _usd(amount: float) -> str:
    return f"{amount:,.0f} USD"


def _money(dollars: float, rate: ExchangeRate) -> str:
    """An amount of USD in the loan's currency: `12,300 CHF (15,185 USD)`."""
    return _usd(dollars) if rate.is_dollar else f"{rate.own(dollars):,.0f} {rate.currency} ({_usd(dollars)})"


def _months(rule: AlertRule) -> str:
    return "1 month" if rule.months == 1 else f"{rule.months} months"


def _minutes(minutes: float) -> str:
    if minutes < 90:
        return "1 minute" if round(minutes) == 1 else f"{minutes:.0f} minutes"
    return f"{minutes / 60:.1f} hours"


def _seconds(since: datetime, at: datetime) -> float:
    return max((at - since).total_seconds(), 0.0)


def _age(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"

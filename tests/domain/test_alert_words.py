"""What an alert says, with figures that a second calculation confirms."""

import re
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from tests.builders import NOON, a_contract, a_portfolio
from vaultdash.clock import NEW_YORK
from vaultdash.domain.alert import AlertEventKind, AlertMetric, AlertPlan, AlertRule, QuietHours, Reading
from vaultdash.domain.alert_rules import Crossing, decide
from vaultdash.domain.alert_words import Occasion, business_day, dated, measured, percent, plan_words, told
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Portfolio, mark
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark

LTV, HEDGED = AlertMetric.LTV, AlertMetric.HEDGED_LTV


def a_hedge(value: float, *, problem: str | None = None) -> HedgeMark:
    held = HeldOption("put", a_contract(400.0, expiration=date(2027, 1, 15)), 1, 5.0, date(2026, 6, 1))
    price = None if problem else value / 100
    return HedgeMark((OptionMark(held, MarkBasis.QUOTE, price, price, NOON, "test", problem=problem),))


def said(
    price: float,
    *rules: AlertRule,
    portfolio: Portfolio | None = None,
    hedge: HedgeMark | None = None,
    chances: dict[int, float] | None = None,
    rate: ExchangeRate = DOLLAR,
    **fields: object,
) -> tuple[str, str]:
    """Title and body of what is sent when these rules meet a price."""
    portfolio = portfolio or a_portfolio(2_000.0, 600_000.0)
    snapshot = mark(portfolio, price, NOON.astimezone(NEW_YORK).date(), hedge, rate)
    values = {LTV: snapshot.ltv, AlertMetric.PRICE: price}
    if hedge is not None:
        values[HEDGED] = snapshot.lender_ltv
    reading = Reading(
        NOON,
        values,
        chances or {},
        price=price,
        quote_at=NOON - timedelta(seconds=20),
        source="Yahoo",
        call_ltv=portfolio.loan.margin_call_ltv,
        is_demo=bool(fields.pop("is_demo", False)),
    )
    found = decide(AlertPlan(rules), {}, reading, iter("abcdef").__next__)
    return told(found.crossings[0], Occasion(portfolio, reading, snapshot, **fields))  # type: ignore[arg-type]


CALL = AlertRule("75", LTV, 0.75)
WARNING = AlertRule("70", LTV, 0.70)


def amounts(body: str) -> dict[str, Decimal]:
    """The dollar figures by the word before them."""
    found = re.findall(r"(worth|repay|gold for) ([\d,]+) USD", body)
    return {word: Decimal(number.replace(",", "")) for word, number in found}


def test_a_call_says_where_it_stands_and_against_which_limit():
    title, body = said(300_000 / 762.0, CALL)
    assert title == "Margin call: LTV 76.2 % (limit 75 %)"
    assert "GLD 393.70 USD, Yahoo, 10 Jun 2026 11:59 New York, 20 s old." in body
    assert "margin call at 75 % (400.00), close-out at 85 % (352.94)" in body


def test_each_way_back_brings_the_loan_to_the_limit_it_names():
    _, body = said(375.0, CALL)
    assert body.startswith("To be back at 70 %: ")
    ways = amounts(body)
    loan, value, target = Decimal(600_000), Decimal(2_000 * 375), Decimal("0.70")
    near = Decimal("0.000002")  # a dollar's rounding
    assert abs(loan / (value + ways["worth"]) - target) < near
    assert abs((loan - ways["repay"]) / value - target) < near
    assert abs((loan - ways["gold for"]) / (value - ways["gold for"]) - target) < near


def test_gold_to_add_is_told_in_ounces_too():
    _, body = said(375.0, CALL)
    shares, ounces = map(float, re.search(r"\(([\d]+) shares of GLD, ([\d.]+) oz\)", body).groups())  # type: ignore[union-attr]
    assert shares - 1 < float(amounts(body)["worth"]) / 375.0 <= shares
    per_share = 0.1 * 2.718281828459045 ** (-0.004 * (date(2026, 6, 10) - date(2004, 11, 18)).days / 365.25)
    assert ounces == pytest.approx(float(amounts(body)["worth"]) / 375.0 * per_share, abs=0.06)


def test_a_warning_names_the_way_to_the_owners_own_target():
    title, body = said(300_000 / 710, WARNING, portfolio=a_portfolio(2_000.0, 600_000.0))
    assert title == "Warning: LTV 71.0 % (limit 70 %)"
    assert body.startswith("To be back at 60 %: ")
    assert "business day" not in body


def test_the_deadline_is_the_lenders_cure_days_without_a_weekend():
    friday = business_day(date(2026, 6, 12), 2)
    assert friday == date(2026, 6, 16)
    _, body = said(375.0, CALL)
    assert "The lender gives 2 business days from its call: if it calls today, until Friday 12 June 2026" in body


def test_at_the_close_out_there_is_no_deadline():
    title, body = said(350.0, CALL)
    assert title.startswith("Close-out: LTV 85.7 %")
    assert "The lender may sell the gold now" in body


def test_what_came_at_once_is_told_in_one_message():
    counting = a_portfolio(2_000.0, 600_000.0, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    title, body = said(375.0, WARNING, CALL, AlertRule("h", HEDGED, 0.70), portfolio=counting, hedge=a_hedge(7_500.0))
    assert title == "Margin call: LTV with options 79.0 % (limit 75 %)"
    assert "Reached at once: LTV without options 80.0 %, the limit of 70 %." in body


@pytest.mark.parametrize("hedge", [None, a_hedge(7_500.0)])
def test_options_that_are_not_held_or_not_counted_are_not_spoken_of(hedge: HedgeMark | None):
    title, body = said(375.0, CALL, AlertRule("h", HEDGED, 0.75), AlertRule("g", HEDGED, 0.70), hedge=hedge)
    assert title == "Margin call: LTV 80.0 % (limit 75 %)"
    assert "option" not in body


def test_the_limit_that_is_named_is_that_of_the_zone_and_not_of_the_rule_that_tells_of_it():
    title, body = said(350.0, WARNING, CALL)
    assert title == "Close-out: LTV 85.7 % (limit 85 %)"
    assert "Reached at once: the limits of 70 % and 75 %." in body
    assert said(375.0, AlertRule("60", LTV, 0.60))[0] == "Margin call: LTV 80.0 % (limit 75 %)"
    assert said(375.0, AlertRule("78", LTV, 0.78))[0] == "Margin call: LTV 80.0 % (limit 75 %)"
    assert said(300_000 / 710, AlertRule("60", LTV, 0.60))[0] == "Warning: LTV 71.0 % (limit 70 %)"
    assert said(300_000 / 650, AlertRule("60", LTV, 0.60))[0] == "Warning: LTV 65.0 % (limit 60 %)"


def test_a_loan_in_francs_is_told_in_francs_with_the_rate_and_its_age():
    rate = ExchangeRate("CHF", 0.80, NOON - timedelta(minutes=3), "Yahoo")
    portfolio = a_portfolio(2_000.0, 480_000.0, currency="CHF")  # 600,000 USD
    title, body = said(375.0, CALL, portfolio=portfolio, rate=rate)
    assert title == "Margin call: LTV 80.0 % (limit 75 %)"
    assert "add gold worth 107,143 USD (286 shares of GLD, " in body  # 600,000 / 0.70 - 750,000
    assert "or repay 60,000 CHF (75,000 USD), or sell gold for 250,000 USD and repay with it" in body
    assert (
        "Owed: 480,000 CHF (600,000 USD). A dollar costs 0.8000 CHF, Yahoo, 10 Jun 2026 11:57 New York, 3 min old; "
        "the prices at the limits hold while it does."
    ) in body


def test_bullion_to_add_is_told_in_ounces_alone():
    _, body = said(375.0, CALL, portfolio=a_portfolio(180.0, 600_000.0, "XAU-OZ"))
    assert re.search(r"add gold worth [\d,]+ USD \([\d,.]+ oz\), or repay", body)


def test_a_missing_exchange_rate_is_told_as_such():
    rule = AlertRule("s", AlertMetric.STALE_DATA, 15.0)
    crossing = Crossing("a", AlertEventKind.RAISED, rule, 16.0, rule.severity)
    portfolio = a_portfolio(currency="CHF")
    occasion = Occasion(portfolio, Reading(NOON, {}), None, "It is not known", currency="CHF", lacks_rate=True)
    title, body = told(crossing, occasion)
    assert title == "No fresh exchange rate of the dollar in CHF for 16 minutes of trading"
    assert "Nothing watches the LTV of this loan until a fresh rate comes" in body
    over = replace(crossing, kind=AlertEventKind.CLEARED)
    assert told(over, occasion)[0] == "Fresh prices of GLD and of the dollar in CHF again"


def test_a_lender_that_counts_the_options_has_not_called_yet():
    counting = a_portfolio(2_000.0, 600_000.0, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    title, body = said(375.0, CALL, portfolio=counting, hedge=a_hedge(100_000.0))
    assert title == "Warning: LTV without options 80.0 % (limit 75 %)"
    assert "66.7 % as the lender counts the options" in body


def test_with_options_the_way_back_counts_them_as_the_lender_does():
    for counting, haircut in ((HedgeCounting.AFTER_PAYMENT, 0.0), (HedgeCounting.CREDITED, 0.2)):
        loan = {"hedge_counting": counting, "hedge_haircut": haircut}
        portfolio = a_portfolio(2_000.0, 600_000.0, **loan)
        _, body = said(360.0, AlertRule("h", HEDGED, 0.75), portfolio=portfolio, hedge=a_hedge(30_000.0))
        repaid = float(amounts(body)["repay"])
        after = a_portfolio(2_000.0, 600_000.0 - repaid, **loan)
        snapshot = mark(after, 360.0, date(2026, 6, 10), a_hedge(30_000.0))
        assert snapshot.lender_ltv == pytest.approx(0.70, abs=2e-6)


def test_a_doubtful_mark_is_told():
    _, body = said(375.0, CALL, hedge=a_hedge(0.0, problem="no quote today"))
    assert "What the options are worth is doubtful: GLD" in body
    assert "no quote today" in body


def test_an_invented_price_is_marked():
    title, body = said(375.0, CALL, is_demo=True)
    assert title.startswith("DEMO: Margin call")
    assert "the price is invented" in body


def test_one_of_several_loans_is_named():
    assert said(375.0, CALL, is_one_of_many=True)[0].endswith(" · My loan")


def test_the_other_metrics_speak_of_themselves():
    assert said(390.0, AlertRule("p", AlertMetric.PRICE, 395.0))[0] == "GLD at 390.00 (limit 395.00)"
    chance = AlertRule("c", AlertMetric.PROBABILITY, 0.30, months=6)
    assert said(460.0, chance, chances={6: 0.312})[0] == "Chance of a call within 6 months 31.2 % (limit 30 %)"


def test_no_fresh_price_says_why_and_what_that_means():
    rule = AlertRule("s", AlertMetric.STALE_DATA, 15.0)
    crossing = Crossing("a", AlertEventKind.RAISED, rule, 16.0, rule.severity)
    title, body = told(crossing, Occasion(a_portfolio(), Reading(NOON, {}), None, "Yahoo does not answer"))
    assert title == "No fresh price of GLD for 16 minutes of trading"
    assert "Why: Yahoo does not answer." in body
    assert "Nothing watches the loan" in body


def test_a_reminder_and_an_end_say_so():
    portfolio = a_portfolio(2_000.0, 600_000.0)
    snapshot = mark(portfolio, 375.0, date(2026, 6, 10))
    reading = Reading(NOON, {}, price=375.0, quote_at=NOON, source="Yahoo")
    occasion = Occasion(portfolio, reading, snapshot)
    reminder = Crossing("a", AlertEventKind.REMINDED, CALL, 0.80, CALL.severity)
    assert told(reminder, occasion)[0] == "Still: margin call: LTV 80.0 % (limit 75 %)"
    over = Crossing("a", AlertEventKind.CLEARED, CALL, 0.739, CALL.severity)
    assert told(over, occasion)[0] == "Over: LTV back at 73.9 % (limit 75 %)"


def test_numbers_are_short_and_true():
    assert (percent(0.75), percent(0.725), measured(0.76239), measured(99.0)) == (
        "75 %",
        "72.5 %",
        "76.2 %",
        "more than 1,000 %",
    )


def test_a_plan_in_words():
    plan = AlertPlan((WARNING, CALL), QuietHours(time(22), time(7), "Europe/Zurich"))
    assert plan_words(plan) == (
        "Watched: LTV at 70 %; LTV at 75 %. Quiet from 22:00 to 07:00 Europe/Zurich, calls excepted."
    )


@pytest.mark.parametrize("rules", [(CALL,), (CALL, AlertRule("h", HEDGED, 0.75)), (AlertRule("h", HEDGED, 0.75),)])
def test_sold_options_make_the_way_back_longer(rules: tuple[AlertRule, ...]):
    counting = a_portfolio(2_000.0, 750_000.0, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    _, body = said(480.0, *rules, portfolio=counting, hedge=a_hedge(-30_000.0))
    assert body.startswith("To be back at 70 % as the lender counts the options: ")
    assert amounts(body)["repay"] == 108_000  # 750,000 + 30,000 owed, of which 70 % of 960,000 may stay


def test_of_both_ltvs_the_way_back_is_the_longer_one():
    counting = a_portfolio(2_000.0, 600_000.0, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    _, body = said(375.0, CALL, AlertRule("h", HEDGED, 0.75), portfolio=counting, hedge=a_hedge(20_000.0))
    assert body.startswith("To be back at 70 %: ")
    assert amounts(body)["repay"] == 75_000  # gold alone: 600,000 - 70 % of 750,000


def test_prices_at_the_limits_say_that_they_count_gold_alone():
    counting = a_portfolio(2_000.0, 750_000.0, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    _, body = said(480.0, CALL, portfolio=counting, hedge=a_hedge(-30_000.0))
    assert "margin call at 75 % (500.00 for gold alone), close-out at 85 % (441.18 for gold alone)" in body
    assert "For gold alone close-out is 8.1 % lower" in body
    _, body = said(480.0, CALL, portfolio=a_portfolio(2_000.0, 750_000.0), hedge=a_hedge(-30_000.0))
    assert "gold alone" not in body


def test_a_late_message_is_dated_in_new_york():
    assert dated(NOON.replace(month=11, day=21, hour=4, minute=10)) == "Of 23:10 New York, 20 Nov:"

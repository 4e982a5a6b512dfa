"""How things stand, in words."""

import re
from dataclasses import replace

import pytest

from tests.builders import NOON, a_held_put, a_loan, a_portfolio, a_quote
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import DEMO_SOURCE, Freshness
from vaultdash.domain.portfolio import Zone, hedged_ltv, mark
from vaultdash.domain.position import HedgeMark, MarkBasis, OptionMark
from vaultdash.services.heartbeat import Beat
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.standing import standing


def a_beat(price: float, freshness: Freshness = Freshness.LIVE) -> Beat:
    quote = a_quote(price)
    snapshot = mark(a_portfolio(), price, NOON.date())
    return Beat(1, NOON, QuoteStatus(quote, freshness, 0.0), snapshot, 0.16, "assumed")


def test_before_the_first_price_it_is_said_to_be_on_its_way():
    said = standing(None)
    assert (said.zone, said.headline) == (None, "Asking for the first price.")


def test_without_a_price_the_reason_is_told():
    said = standing(Beat(1, NOON, None, None, 0.16, "assumed", "no route to Yahoo"))
    assert (said.zone, said.sentence) == (None, "No price. The loan cannot be valued: no route to Yahoo")


@pytest.mark.parametrize(
    ("price", "zone", "sentence"),
    [
        (460.0, Zone.ROOM, "No call in sight. Gold can fall 20.0 %, to GLD 368.00, before the lender calls."),
        (400.0, Zone.ROOM, "No call now. Gold can fall 8.0 %, to GLD 368.00, before the lender calls."),
        (380.0, Zone.WARNING, "Close to a call. Gold can fall 3.2 % more, to GLD 368.00, before the lender calls."),
        (
            350.0,
            Zone.CALL,
            "Margin call. LTV is 78.9 %, the limit 75.0 %: "
            "67,391 USD repaid brings it down to the warning level of 70.0 %.",
        ),
        (
            300.0,
            Zone.CLOSE_OUT,
            "Close-out level reached. The lender may sell the gold now: LTV is 92.0 %, the limit 85.0 %; "
            "143,478 USD repaid brings it down to the warning level of 70.0 %.",
        ),
    ],
)
def test_each_zone_has_its_sentence(price, zone, sentence):
    said = standing(a_beat(price))
    assert (said.zone, said.sentence) == (zone, sentence)


@pytest.mark.parametrize("price", [380.0, 350.0, 300.0])
def test_a_call_by_an_old_price_is_said_with_the_age_of_it(price):
    fresh, old = standing(a_beat(price)), standing(a_beat(price, Freshness.STALE))
    assert old.sentence == fresh.sentence + " Judged by an old price."


def test_an_old_price_gives_no_all_clear():
    said = standing(a_beat(460.0, Freshness.STALE))
    assert said.zone is None
    assert said.sentence.startswith("Not known now.")


def test_the_close_of_a_shut_market_is_not_called_old():
    assert standing(a_beat(460.0, Freshness.CLOSED)) == standing(a_beat(460.0))


def test_exactly_on_the_call_price_it_still_takes_money_to_end_the_call():
    said = standing(a_beat(460.0 * (1 - 0.2)))
    assert said.zone is Zone.CALL
    assert (
        "40,000 USD repaid brings it down to the warning level of 70.0 %" in said.detail
    )  # 600,000 - 0.70 * 800,000


def test_a_loan_under_water_is_told_like_the_rest():
    assert "LTV is 138.0 %" in standing(a_beat(200.0)).detail


def test_no_call_in_sight_needs_more_room_than_the_worst_two_days_took():
    # 13.9 % between the closes of 29 January and 2 February 2026
    assert standing(a_beat(368.0 / (1 - 0.138))).headline == "No call now."
    assert standing(a_beat(368.0 / (1 - 0.141))).headline == "No call in sight."


# options


def hedged(counting: HedgeCounting, price: float = 460.0, worth: float = 20.0, contracts: int = 22, **fields: object):
    """The loan of the seeds with 22 puts that are worth `worth` a share."""
    option = replace(a_held_put(contracts=contracts))
    mark_of = OptionMark(option, MarkBasis.QUOTE, worth, worth, NOON, "test", **fields)
    portfolio = a_portfolio(hedge_counting=counting)
    snapshot = mark(portfolio, price, NOON.date(), HedgeMark((mark_of,)))
    quote = a_quote(price)
    return standing(Beat(1, NOON, QuoteStatus(quote, Freshness.LIVE, 0.0), snapshot, 0.16, "test"))


def test_a_lender_who_ignores_the_options_is_told_with_what_they_would_bring():
    said = hedged(HedgeCounting.IGNORED)
    assert said.zone is Zone.ROOM
    assert "The lender does not count the options; sold for 44,000 USD they would bring LTV to 55.6 %." in said.detail


def test_a_lender_who_counts_the_options_is_told_with_what_it_would_be_without():
    said = hedged(HedgeCounting.AFTER_PAYMENT)
    assert "Without the options LTV would be 60.0 %." in said.detail


def test_a_call_that_only_the_options_keep_away_is_said_to_be_that():
    said = hedged(HedgeCounting.AFTER_PAYMENT, price=360.0, worth=80.0)
    assert (said.zone, said.headline) == (Zone.ROOM, "Kept by the options.")
    assert "the options held bring LTV to 54.2 % as the lender counts them" in said.detail
    assert "Without the options LTV would be 76.7 %" in said.detail


@pytest.mark.parametrize("counting", list(HedgeCounting))
def test_the_sum_that_ends_a_call_ends_it_as_the_lender_counts(counting):
    said = hedged(counting, price=340.0, worth=5.0)
    assert said.headline == "Margin call."
    repaid = float(re.search(r"([\d,]+) USD repaid", said.detail)[1].replace(",", ""))
    value, worth = 1_000_000 / 460 * 340, 2_200 * 5.0
    after = a_loan(600_000 - repaid, hedge_counting=counting)
    assert hedged_ltv(after.amount, value, worth, after) == pytest.approx(0.70, abs=1e-6)


def test_options_without_a_fresh_quote_are_doubted_in_the_sentence():
    said = hedged(HedgeCounting.CREDITED, is_stale=True)
    assert said.detail.endswith("That worth is doubtful: 1 of 1 positions have no fresh quote.")


def test_sold_options_never_leave_a_call_out_of_sight():
    said = hedged(HedgeCounting.IGNORED, contracts=-22, worth=1.0)
    assert said.headline == "No call now."
    assert "closing them would cost 2,200 USD" in said.detail


def sold(counting: HedgeCounting) -> str:
    """900,000 of gold at 480, 600,000 owed, 60,000 owed on sold options: gold alone is called at 400 GLD a share."""
    option = replace(a_held_put(contracts=-20))
    hedge = HedgeMark((OptionMark(option, MarkBasis.QUOTE, 30.0, 30.0, NOON, "test"),))
    portfolio = replace(a_portfolio(2_000.0), loan=a_loan(600_000, hedge_counting=counting))
    snapshot = mark(portfolio, 480.0, NOON.date(), hedge)
    return standing(Beat(1, NOON, QuoteStatus(a_quote(480.0), Freshness.LIVE, 0.0), snapshot, 0.16, "test")).detail


def test_sold_options_that_the_lender_counts_bring_the_call_nearer_and_that_price_is_told_first():
    said = sold(HedgeCounting.AFTER_PAYMENT)  # (600,000 + 60,000) / (0.75 * 2,000) = 440
    assert said.startswith(
        "Gold can fall 8.3 %, to GLD 440.00, before the lender calls, with the options at today's value; they can "
        "cost more as gold moves. Without them it would call at 400.00."
    )
    assert sold(HedgeCounting.IGNORED).startswith("Gold can fall 16.7 %, to GLD 400.00, before the lender calls.")


@pytest.mark.parametrize("counting", [HedgeCounting.AFTER_PAYMENT, HedgeCounting.CREDITED])
def test_at_the_price_that_is_told_the_loan_stands_at_its_limit_as_the_lender_counts(counting):
    at = float(re.search(r"to GLD ([\d.]+),", sold(counting))[1])
    loan = a_loan(600_000, hedge_counting=counting)
    assert hedged_ltv(600_000, 2_000 * at, -60_000.0, loan) == pytest.approx(0.75, abs=1e-4)


def test_bought_options_that_the_lender_counts_are_told_beside_the_price_of_gold_alone():
    said = hedged(HedgeCounting.AFTER_PAYMENT)  # 44,000 of options: (600,000 - 44,000) / (0.75 * 2,173.91) = 341.01
    assert said.detail.startswith(
        "Gold can fall 20.0 %, to GLD 368.00, before the lender calls, without the options; with them at today's "
        "value it calls at 341.01."
    )


def a_beat_in_francs(price: float, gold: Freshness, rate: Freshness, *, demo_rate: bool = False) -> Beat:
    """600,000 CHF, a dollar at 0.80 CHF: 750,000 USD on 2,173.91 shares."""
    quoted = a_quote(0.8, symbol="CHF=X", currency="CHF", source=DEMO_SOURCE if demo_rate else "test")
    statuses = {"GLD": QuoteStatus(a_quote(price), gold, 0.0), "CHF=X": QuoteStatus(quoted, rate, 7200.0)}
    loan = a_portfolio(currency="CHF")
    snapshot = mark(loan, price, NOON.date(), rate=ExchangeRate.of(quoted))
    beat = Beat(1, NOON, statuses["GLD"], snapshot, 0.16, "assumed", statuses=statuses, snapshots={"main": snapshot})
    return replace(beat, status=beat.status_of(snapshot))


def test_what_is_owed_and_repaid_is_told_in_the_loans_currency_and_prices_with_the_rate():
    said = standing(a_beat_in_francs(500.0, Freshness.LIVE, Freshness.LIVE))
    assert said.zone is Zone.ROOM
    assert said.detail == (
        "Gold can fall 8.0 %, to GLD 460.00, before the lender calls, while a dollar costs 0.8000 CHF. "
        "You owe 600,000 CHF (750,000 USD)."
    )  # 750,000 / (0.75 * 2,173.913)
    called = standing(a_beat_in_francs(450.0, Freshness.LIVE, Freshness.LIVE))
    # 750,000 - 0.70 * 450 * 2,173.913 = 65,217 USD
    assert "52,174 CHF (65,217 USD) repaid brings it down" in called.detail


@pytest.mark.parametrize(("price", "verdict"), [(450.0, "margin call."), (400.0, "close-out level reached.")])
def test_a_call_by_an_old_rate_names_it_before_anything_else(price, verdict):
    said = standing(a_beat_in_francs(price, Freshness.LIVE, Freshness.STALE))
    assert said.zone in (Zone.CALL, Zone.CLOSE_OUT)
    assert said.headline == f"By an exchange rate 2 hours old: {verdict}"
    assert "Judged by" not in said.detail


@pytest.mark.parametrize("price", [500.0, 480.0])
def test_an_old_rate_gives_neither_an_all_clear_nor_a_warning(price):
    said = standing(a_beat_in_francs(price, Freshness.LIVE, Freshness.STALE))
    assert (said.zone, said.headline) == (None, "Not known now.")
    assert said.detail.startswith("By the last exchange rate, 2 hours old: Gold could fall ")
    assert "That exchange rate is old." in said.detail
    assert "price is old" not in said.detail


def test_a_call_that_only_the_options_keep_away_is_not_known_by_an_old_rate():
    beat = a_beat_in_francs(450.0, Freshness.LIVE, Freshness.STALE)
    option = OptionMark(a_held_put(contracts=22), MarkBasis.QUOTE, 80.0, 80.0, NOON, "test")
    portfolio = a_portfolio(currency="CHF", hedge_counting=HedgeCounting.AFTER_PAYMENT)
    held = mark(portfolio, 450.0, NOON.date(), HedgeMark((option,)), beat.snapshot.rate)
    fresh = a_beat_in_francs(450.0, Freshness.LIVE, Freshness.LIVE)
    assert standing(replace(fresh, snapshot=held)).headline == "Kept by the options."
    said = standing(replace(beat, snapshot=held))
    assert (said.zone, said.headline) == (None, "Not known now.")
    assert said.detail.startswith("By an exchange rate 2 hours old: Gold alone would be called below GLD")


@pytest.mark.parametrize("price", [500.0, 480.0, 450.0, 400.0])
@pytest.mark.parametrize("gold", [Freshness.LIVE, Freshness.STALE])
def test_by_an_invented_rate_there_is_no_verdict_and_no_figure(price, gold):
    said = standing(a_beat_in_francs(price, gold, Freshness.LIVE, demo_rate=True))
    assert (said.zone, said.headline) == (None, "Not known now.")
    assert said.detail.startswith("What a dollar costs in CHF is invented (DEMO)")
    assert said.detail.endswith("You owe 600,000 CHF.")
    assert "%" not in said.detail


def test_a_loan_in_francs_is_out_of_sight_of_a_call_only_if_gold_and_dollar_may_fall_together():
    """ln(575 / 460) = 22.3 %: 5.2 daily moves of gold at 68 %, 4.7 where the dollar moves by 8 % with it."""
    far = replace(a_beat_in_francs(575.0, Freshness.LIVE, Freshness.LIVE), volatility=0.68)
    assert far.daily_sigmas_to_call > 5
    assert standing(far).headline == "No call now."
    assert standing(replace(far, volatility=0.62)).headline == "No call in sight."


def test_an_old_price_is_said_before_an_old_rate():
    assert "Judged by an old price." in standing(a_beat_in_francs(450.0, Freshness.STALE, Freshness.STALE)).detail


def test_without_a_rate_the_loan_is_not_valued_and_the_price_is_not_said_to_be_missing():
    problem = "The loan is in CHF, and what a dollar costs in CHF is not known yet"
    status = QuoteStatus(a_quote(460.0), Freshness.LIVE, 0.0)
    said = standing(Beat(1, NOON, status, None, 0.16, "assumed", problem))
    assert said.sentence == f"Not known now. The loan cannot be valued: {problem}"

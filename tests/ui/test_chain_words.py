"""What the Options page says of a chain, in words a worried person understands."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import a_contract, a_quote, an_option_quote
from tests.ui.conftest import Priced
from vaultdash.domain.market import Freshness
from vaultdash.domain.option import FLAG_WORDS as FLAGS
from vaultdash.domain.option import QuoteFlag, Right
from vaultdash.pricing.quote_filter import REASON_WORDS as REASONS
from vaultdash.ui.components.chain_words import (
    FLAG_WORDS,
    REASON_WORDS,
    LoanPrices,
    basis,
    doubts,
    first_above_call,
    headline,
    not_used,
    origin,
    points_out,
    tab_label,
)

LOAN = LoanPrices("GLD", 2_174.0, 405.0, 357.0, is_called=False)
TODAY = date(2026, 6, 10)


def test_the_sentence_names_the_first_put_above_the_call_price_and_its_ask(priced: Priced) -> None:
    chain = priced()
    put = first_above_call(chain, 405.0)
    assert put is not None
    assert (put.quote.contract.strike, put.quote.contract.right) == (410.0, Right.PUT)
    said = headline(chain, LOAN, "auto")
    whole = f"$\u00a0{2200 * put.quote.ask:,.0f}"
    assert said.main == f"A put at 410 until 17 Jul 2026 costs {put.quote.ask:.2f} a share, {whole} for all:"
    assert said.rest == "the first listed strike above your margin-call price of 405.00."


def test_a_strike_at_the_call_price_is_not_above_it(priced: Priced) -> None:
    put = first_above_call(priced(), 410.0)
    assert put is not None
    assert put.quote.contract.strike == 420.0


def test_a_strike_that_nobody_quotes_is_passed_over_and_said_to_be(priced: Priced) -> None:
    good = priced().options
    quotes = [one.quote for one in good if one.quote.contract.strike != 410.0]
    quotes.append(an_option_quote(a_contract(410.0), bid=0.0, ask=None))
    said = headline(priced(*quotes), LOAN, "auto")
    assert said.main.startswith("A put at 420 ")
    assert "first strike that can be bought above" in said.rest


def test_without_any_usable_put_above_the_call_price_that_is_said(priced: Priced) -> None:
    said = headline(priced(an_option_quote(a_contract(410.0), bid=0.0, ask=None)), LOAN, "auto")
    assert said.main == "No put above your margin-call price of 405.00 can be bought for 17 Jul 2026."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"freshness": Freshness.CLOSED}, "The market is closed: these are its last quotes."),
        ({"source": "DEMO"}, ""),
        ({}, ""),
    ],
)
def test_old_quotes_are_said_to_be_old(priced: Priced, fields: dict[str, object], words: str) -> None:
    said = headline(priced(**fields), LOAN, "auto").rest
    assert words in said


def test_no_put_is_pointed_out_on_stale_quotes(priced: Priced) -> None:
    said = headline(priced(freshness=Freshness.STALE, age_seconds=7200.0), LOAN, "auto")
    assert said.main == "The quotes are stale, of 2 h ago:"
    assert said.tone == "warning"
    assert "no put is pointed out" in said.rest


def test_no_put_is_pointed_out_on_invented_quotes_that_stand_in(priced: Priced) -> None:
    invented = priced(underlying=a_quote(source="DEMO"))
    assert "invented" in headline(invented, LOAN, "auto").main
    assert headline(invented, LOAN, "demo").tone == "gold"


def test_no_put_is_pointed_out_by_an_old_exchange_rate(priced: Priced) -> None:
    loan = replace(LOAN, doubt="an exchange rate 2 hours old")
    assert points_out(priced(), LOAN, "auto")
    assert not points_out(priced(), loan, "auto")
    said = headline(priced(), loan, "auto")
    assert (said.main, said.tone) == ("Your margin-call price is not known now:", "warning")
    assert "by an exchange rate 2 hours old no put is pointed out" in said.rest
    called = headline(priced(), replace(loan, is_called=True), "auto")
    assert called.main == "By an exchange rate 2 hours old your loan is called."


def test_a_called_loan_is_told_what_ends_the_call(priced: Priced) -> None:
    said = headline(priced(), LoanPrices("GLD", 2_174.0, 470.0, 410.0, is_called=True), "auto")
    assert said.main == "Your loan is called at the price now."
    assert "repaying" in said.rest


def test_options_of_another_fund_do_not_pretend_to_know_the_loan(priced: Priced) -> None:
    said = headline(priced(symbol="IAU"), LOAN, "auto")
    assert said.main == "Options on IAU."
    assert "valued by GLD" in said.rest
    assert "405" not in said.rest


def test_quotes_that_are_not_used_are_counted_by_reason(priced: Priced) -> None:
    assert not_used(priced()) == "All 26 quotes are used"
    chain = priced(filtered={"wide_spread": 22, "no_bid": 9}, left_out={"adjusted": 4})
    assert not_used(chain).endswith("not shown: 4 adjusted (not 100 shares)")
    broken = priced(*(one.quote for one in chain.options), an_option_quote(a_contract(300.0), bid=0.0, ask=0.05))
    assert not_used(broken) == "1 of 27 quotes are not used: 1 no bid"


def test_what_the_numbers_stand_on_is_said(priced: Priced) -> None:
    assert "by put-call parity of 3 pairs" in basis(priced(yield_basis="parity", parity_pairs=3))
    assert "assumed: too few pairs" in basis(priced(yield_basis="assumed", yield_remark="too few pairs"))
    assert "13-week bill, 9 Jun 2026" in basis(priced())


def test_yahoo_is_said_to_be_unofficial(priced: Priced) -> None:
    assert "Yahoo (unofficial, for personal use)" in origin(priced(source="Yahoo"))


def test_every_flag_and_every_reason_has_its_words() -> None:
    assert set(FLAG_WORDS) == set(FLAGS.values())
    assert set(REASON_WORDS) >= set(REASONS.values())


def test_a_good_quote_has_no_doubts_and_a_bad_one_all_of_them(priced: Priced) -> None:
    bad = an_option_quote(a_contract(300.0), bid=0.0, ask=0.05, flags=QuoteFlag.ZERO_BID | QuoteFlag.STALE)
    chain = priced(bad, *(one.quote for one in priced().options))
    by_strike = {(one.quote.contract.strike, one.quote.contract.right): one for one in chain.options}
    assert doubts(by_strike[450.0, Right.PUT]) == ""
    said = doubts(by_strike[300.0, Right.PUT])
    assert said.startswith("Not used: no bid")
    assert "not traded for more than a session" in said


def test_a_tab_names_its_year_when_it_is_another_one() -> None:
    assert tab_label(date(2026, 12, 18), 191, TODAY) == "18 Dec · 191 d"
    assert tab_label(date(2027, 1, 15), 219, TODAY) == "15 Jan 27 · 219 d"

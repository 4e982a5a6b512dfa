"""What a change was, in words that name the old and the new."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import a_held_put, a_portfolio
from vaultdash.domain.collateral import Collateral, EntryMode, Lot
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.portfolio_words import change_words

BEFORE = replace(a_portfolio(2_000.0), options=(a_held_put(),))


def terms(**fields: object) -> Portfolio:
    return replace(BEFORE, loan=replace(BEFORE.loan, **fields))


def gold(*lots: Lot) -> Portfolio:
    return replace(BEFORE, collateral=Collateral(lots))


def option(**fields: object) -> Portfolio:
    return replace(BEFORE, options=(replace(a_held_put(), **fields),))


CASES: list[tuple[Portfolio, str]] = [
    (terms(amount=550_000.0), "loan 600,000 → 550,000 USD"),
    (terms(amount=550_000.5), "loan 600,000 → 550,000.50 USD"),
    (terms(amount=480_000.0, currency="CHF"), "loan 600,000 USD → 480,000 CHF"),
    (terms(currency="GBP"), "loan 600,000 USD → 600,000 GBP"),
    (terms(margin_call_ltv=0.72, warning_ltv=0.6), "call LTV 0.75 → 0.72; warning LTV 0.7 → 0.6"),
    (
        terms(hedge_counting=HedgeCounting.CREDITED, hedge_haircut=0.2),
        "hedge counted ignored → credited; haircut 0 → 0.2",
    ),
    (
        terms(interest=Interest(0.05, 0.0195, DayCount.ACT_365, True), as_of=date(2026, 6, 1)),
        "reference rate 4.5 % → 5 %; day count act/360 → act/365; interest paid in cash → added to the loan; "
        "owed as of no day → 2026-06-01",
    ),
    (terms(cure_days=5), "cure days 2 → 5"),
    (
        replace(BEFORE, name="Other", lender="A Bank", target_ltv=0.5),
        "name My loan → Other; lender none → A Bank; target LTV 0.6 → 0.5",
    ),
    (gold(Lot("GLD", 2_100.0)), "gold 2,000 shares of GLD → 2,100 shares of GLD"),
    (gold(Lot("GLD", 2_000.0), Lot("XAU-KG", 0.5)), "lot added: 0.5 kilograms of XAU-KG"),
    (
        gold(Lot("GLD", 2_000.0, EntryMode.VALUE, 460.0, 920_000.0)),
        "gold 2,000 shares of GLD → 2,000 shares of GLD at 460.00 USD",
    ),
    (gold(Lot("GLD", 2_000.0, acquired_on=date(2026, 1, 2))), "gold acquired no day → 2026-01-02"),
    (replace(BEFORE, options=()), "option removed: 5 GLD 17 Jul 2026 440 put, bought at 9.90"),
    (
        replace(BEFORE, options=(*BEFORE.options, a_held_put(420.0, -3))),
        "option added: 3 GLD 17 Jul 2026 420 put, sold at 9.90",
    ),
    (option(contracts=7, price_paid=9.5), "GLD 17 Jul 2026 440 put: contracts 5 → 7, price paid 9.90 → 9.50"),
    (option(funding=PremiumFunding.LOAN), "GLD 17 Jul 2026 440 put: paid from cash → the loan"),
    (option(note="from the bank"), "GLD 17 Jul 2026 440 put: note changed"),
    (option(closed_on=date(2026, 6, 9), closed_price=12.5), "GLD 17 Jul 2026 440 put closed on 2026-06-09 at 12.50"),
]


@pytest.mark.parametrize(("after", "words"), CASES, ids=[words[:30] for _, words in CASES])
def test_each_change_has_its_words(after: Portfolio, words: str):
    assert change_words(BEFORE, after) == words


@pytest.mark.parametrize(("after", "words"), CASES, ids=[words[:30] for _, words in CASES])
def test_no_change_goes_without_words_and_none_is_nothing(after: Portfolio, words: str):
    assert change_words(after, BEFORE) not in ("nothing", "")
    assert change_words(after, after) == "nothing"


def test_making_and_removing():
    made = change_words(None, BEFORE)
    assert made == (
        "made: 2,000 shares of GLD against a loan of 600,000 USD; holds 5 GLD 17 Jul 2026 440 put, bought at 9.90"
    )
    assert change_words(BEFORE, None) == "removed"
    in_francs = terms(amount=480_000.0, currency="CHF")
    assert change_words(None, in_francs).startswith("made: 2,000 shares of GLD against a loan of 480,000 CHF;")
    assert change_words(in_francs, terms(amount=470_000.0, currency="CHF")) == "loan 480,000 → 470,000 CHF"


def test_what_is_too_small_to_show_is_still_a_change():
    assert change_words(BEFORE, terms(amount=600_000.0000001)) == "figures too small to show"


def test_interest_that_became_part_of_the_loan_or_was_replaced_by_a_new_amount_is_told():
    grows = terms(interest=Interest(capitalised=True), as_of=date(2026, 1, 2))
    owed = round(600_000 * (1 + 0.0645 * 59 / 360), 2)  # 2 January to 2 March
    added = replace(grows, loan=replace(grows.loan, amount=owed, as_of=date(2026, 3, 2)))
    assert f"{owed - 600_000:,.2f} USD of interest until 2026-03-02 added" in change_words(grows, added)
    typed = replace(grows, loan=replace(grows.loan, amount=566_000.0, as_of=date(2026, 3, 2)))
    assert f"with interest {owed:,.2f} USD were owed on 2026-03-02" in change_words(grows, typed)

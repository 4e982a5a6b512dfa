"""A loan as it is typed: it becomes what is meant, nothing typed is lost, and each fault has its field."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import a_portfolio
from vaultdash.domain.collateral import Collateral, EntryMode, Lot
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest
from vaultdash.domain.portfolio import Portfolio
from vaultdash.ui.components.loan_draft import LoanDraft, LotDraft, changed_fields

TODAY = date(2026, 6, 10)


def a_draft(**fields: object) -> LoanDraft:
    lot = LotDraft(weight="2,000")
    return replace(LoanDraft(amount="600,000", lots=[lot]), **fields)  # type: ignore[arg-type]


def problems(draft: LoanDraft, price: float | None = 460.0) -> dict[str, str]:
    reading = draft.read(a_portfolio(), TODAY, price)
    assert (reading.portfolio is None) == bool(reading.problems)
    return dict(reading.problems)


def test_a_kept_portfolio_is_read_back_as_the_same() -> None:
    lots = (
        Lot.by_value("GLD", 1_000_000, 460, date(2026, 1, 5)),
        Lot.by_weight("XAU-KG", 12.441, 130_000.5),
        Lot.by_weight("XAU-OZ", 1_000),
    )
    interest = Interest(0.0433, -0.001, DayCount.ACT_365, capitalised=True)
    loan = replace(
        a_portfolio().loan,
        amount=612_345.67,
        warning_ltv=0.655,
        hedge_counting=HedgeCounting.CREDITED,
        hedge_haircut=0.125,
        cure_days=5,
        as_of=date(2026, 3, 31),
        interest=interest,
    )
    kept = Portfolio("main", Collateral(lots), loan, (), "Bullion & shares", "Bank A", 0.57)
    assert LoanDraft.of(kept).read(a_portfolio(), TODAY).portfolio == kept


def test_start_value_and_entry_price_give_the_weight() -> None:
    lot = LotDraft(mode=EntryMode.VALUE, start_value="1,000,000", entry_price="460")
    found = a_draft(lots=[lot]).read(a_portfolio(), TODAY).portfolio
    assert found is not None
    (kept,) = found.collateral.lots
    assert kept == Lot.by_value("GLD", 1_000_000, 460)
    assert kept.units == 1_000_000 / 460


def test_switching_the_way_of_entry_loses_nothing_that_was_typed() -> None:
    lot = LotDraft(mode=EntryMode.WEIGHT, weight="2 000", weight_typed=True, entry_price="460")
    lot.switch(EntryMode.VALUE)
    assert lot.start_value == "920,000"  # filled in: it was never typed
    lot.start_value, lot.start_value_typed = "1'000'000", True
    lot.switch(EntryMode.WEIGHT)
    assert lot.weight == "2 000"
    lot.switch(EntryMode.VALUE)
    assert (lot.start_value, lot.entry_price) == ("1'000'000", "460")


def test_what_was_filled_in_follows_until_it_is_typed() -> None:
    lot = LotDraft(mode=EntryMode.VALUE, start_value="920,000", start_value_typed=True, entry_price="460")
    lot.switch(EntryMode.WEIGHT)
    assert lot.weight == "2,000"
    lot.switch(EntryMode.VALUE)
    lot.start_value = "460,000"
    lot.switch(EntryMode.WEIGHT)
    assert lot.weight == "1,000"


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("amount", "0", "Loan must be above zero"),
        ("amount", "-1", "Loan must be above zero"),
        ("amount", "nan", "Loan must be a number"),
        ("amount", "", "Loan is missing"),
        ("amount", "920,000", "a loan must be below 100 %"),
        ("as_of", "2026-06-11", "lies in the future"),
        ("as_of", "1889-01-01", "before"),
        ("warning_ltv", "75", "below the margin call of 75 %"),
        ("margin_call_ltv", "100", "above 0 and below 100 %"),
        ("margin_call_ltv", "0.75", "may mean"),
        ("close_out_ltv", "74.9", "not be below the margin call"),
        ("hedge_haircut", "100.1", "between 0 and 100 %"),
        ("cure_days", "61", "between 0 and 60"),
        ("cure_days", "1.5", "whole number"),
        ("reference_rate", "0.045", "may mean"),
        ("spread", "51", "between -5 and 50 %"),
        ("target_ltv", "75", "below the margin call of 75 %"),
        ("name", "  ", "must not be empty"),
        ("name", "x" * 81, "at most 80"),
        ("lender", "y" * 81, "at most 80"),
    ],
)
def test_what_is_impossible_is_refused_at_its_own_field(field: str, typed: str, reason: str) -> None:
    found = problems(a_draft(**{field: typed}))
    assert list(found) == [field]
    assert reason in found[field]


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("weight", "", "is missing"),
        ("weight", "0", "above zero"),
        ("weight", "-3", "above zero"),
        ("weight", "lots", "must be a number"),
        ("weight", "2.174", "may mean"),
        ("entry_price", "0", "above zero"),
        ("entry_price", "460,5", "write 460.5"),
        ("acquired_on", "2027-01-01", "future"),
        ("symbol", "SLV", "must be one of"),
    ],
)
def test_a_lot_is_refused_at_its_own_field(field: str, typed: str, reason: str) -> None:
    lots = [LotDraft(weight="2000"), replace(LotDraft(weight="2000"), **{field: typed})]  # type: ignore[arg-type]
    found = problems(a_draft(lots=lots))
    assert list(found) == [f"lots.1.{field}"]
    assert reason in found[f"lots.1.{field}"]


def test_lots_that_are_valued_by_different_prices_are_refused() -> None:
    found = problems(a_draft(lots=[LotDraft(weight="2000"), LotDraft(symbol="IAU", weight="1000")]))
    assert "valued by different prices" in found["lots.1.symbol"]


def test_interest_that_is_added_needs_the_day_of_the_loan() -> None:
    assert "is missing" in problems(a_draft(capitalised=True))["as_of"]
    assert problems(a_draft(capitalised=True, as_of="2026-03-31")) == {}


def test_without_a_price_a_loan_is_not_held_against_the_gold() -> None:
    assert problems(a_draft(amount="9,000,000"), price=None) == {}


def test_what_is_not_saved_is_told_by_name() -> None:
    kept = a_draft()
    draft = kept.copy()
    assert changed_fields(draft, kept) == ()
    draft.lots[0].start_value = "filled in"  # follows from weight and price: nothing that would be kept
    assert draft.same_as(kept)
    draft.lots[0].weight = "2,001"
    draft.amount = "600,001"
    assert changed_fields(draft, kept) == ("loan", "collateral")


# the day of the amount


GROWN = replace(
    a_portfolio(),
    loan=replace(a_portfolio().loan, interest=Interest(capitalised=True), as_of=date(2025, 6, 10)),
)


def test_another_amount_is_of_today_and_typed_back_has_the_day_it_had() -> None:
    draft = LoanDraft.of(GROWN)
    draft.type_amount("600,252", TODAY)
    assert draft.as_of == "2026-06-10"
    found = draft.read(GROWN, TODAY, 460.0).portfolio
    assert found is not None
    assert found.loan.owed(TODAY) == 600_252
    draft.type_amount("600000", TODAY)
    assert draft.as_of == "2025-06-10"
    assert draft.read(GROWN, TODAY, 460.0).portfolio == GROWN


@pytest.mark.parametrize("first", ["day", "amount"])
def test_a_day_that_was_typed_stays_whatever_amount_is_typed(first: str) -> None:
    draft = LoanDraft.of(GROWN)
    if first == "day":
        draft.type_day("2026-03-31")
    draft.type_amount("590,000", TODAY)
    draft.type_day("2025-06-10" if first == "amount" else "2026-03-31")
    found = draft.read(GROWN, TODAY, 460.0).portfolio
    assert found is not None
    assert found.loan.as_of == (date(2025, 6, 10) if first == "amount" else date(2026, 3, 31))


def test_the_kept_amount_typed_with_its_currency_has_the_day_it_had() -> None:
    draft = LoanDraft.of(replace(GROWN, loan=replace(GROWN.loan, currency="EUR")))
    kept = draft.as_of
    draft.type_amount("1", TODAY)
    draft.type_amount(f"€ {draft.was_owed[0]}" if draft.was_owed else "", TODAY)
    assert draft.as_of == kept


def test_another_rate_leaves_what_is_owed_today() -> None:
    draft = LoanDraft.of(GROWN)
    draft.spread = "9"
    found = draft.read(GROWN, TODAY, 460.0).portfolio
    assert found is not None
    assert found.loan.owed(TODAY) == pytest.approx(GROWN.loan.owed(TODAY), abs=0.005)
    assert (found.loan.as_of, found.loan.interest.spread) == (TODAY, 0.09)


def test_a_kept_amount_of_fractions_of_a_cent_is_no_new_amount() -> None:
    kept = replace(GROWN, loan=replace(GROWN.loan, amount=612_345.678_9))
    draft = LoanDraft.of(kept)
    draft.lender = "Bank B"
    assert draft.read(kept, TODAY, 460.0).portfolio == replace(kept, lender="Bank B")


@pytest.mark.parametrize(("currency", "text"), [("CHF", "Fr. 480'000"), ("GBP", "480,000 gbp"), ("EUR", "480000 €")])
def test_an_amount_is_typed_in_the_loans_currency(currency: str, text: str) -> None:
    draft = a_draft(amount=text, currency=currency)
    found = draft.read(a_portfolio(), TODAY, 460.0, lambda _: ExchangeRate(currency, 0.8)).portfolio
    assert found is not None
    assert (found.loan.amount, found.loan.currency) == (480_000, currency)
    assert LoanDraft.of(found).currency == currency


def test_a_loan_in_another_currency_is_refused_by_its_dollars_and_only_at_a_known_rate() -> None:
    draft = a_draft(amount="800,000", currency="CHF")  # a million dollars at 0.80, on gold worth 920,000
    refused = draft.read(a_portfolio(), TODAY, 460.0, lambda _: ExchangeRate("CHF", 0.8))
    assert "must be below 100 %" in refused.problems["amount"]
    assert draft.read(a_portfolio(), TODAY, 460.0, lambda _: None).portfolio is not None


def test_the_day_count_follows_the_currency_until_it_is_typed() -> None:
    draft = a_draft()
    draft.type_currency("GBP")
    assert draft.day_count == "act/365"
    draft.type_currency("CHF")
    assert draft.day_count == "act/360"
    unusual = a_draft(day_count="act/365")
    unusual.type_currency("EUR")
    assert unusual.day_count == "act/365"  # the contract of this loan said so
    typed = a_draft(day_count_typed=True)
    typed.type_currency("GBP")
    assert typed.day_count == "act/360"


def test_a_loan_that_stood_above_its_gold_may_be_changed_when_it_gets_no_worse() -> None:
    under = replace(a_portfolio(2_000.0), loan=replace(a_portfolio().loan, amount=1_000_000.0))  # 920,000 of gold
    same = replace(LoanDraft.of(under), lender="Bank A").read(under, TODAY, 460.0)
    assert same.portfolio is not None
    worse = replace(LoanDraft.of(under), amount="1,000,001").read(under, TODAY, 460.0)
    assert "must be below 100 %" in worse.problems["amount"]


@pytest.mark.parametrize("name", ["Coins", "coins ", "COINS"])
def test_a_name_that_another_loan_has_is_refused_with_a_free_one(name: str) -> None:
    reading = a_draft(name=name).read(a_portfolio(), TODAY, 460.0, is_new=True, taken=("Coins", "Coins 2"))
    free = f"{name.strip()} 3"
    assert reading.problems == {"name": f"Name is that of another loan already; write “{free}”, for instance."}

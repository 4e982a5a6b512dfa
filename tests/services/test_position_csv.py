"""Positions come from files as they are written: each row is taken, or named with its line and the reason."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_held_put, a_portfolio
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.services.position_csv import ImportedOptions, csv_text, read_positions, rejection_words

TODAY = date(2026, 6, 10)
HEAD = "contract,contracts,price_paid,opened_on"
ROW = "GLD260918P00430000,5,9.90,2026-06-01"


def read(text: str, *held: HeldOption) -> ImportedOptions:
    return read_positions(text, replace(a_portfolio(), options=held), TODAY)


def only(found: ImportedOptions) -> HeldOption:
    assert not found.rejected
    (option,) = found.options
    return option


def reason(row: str, head: str = HEAD) -> str:
    found = read(f"{head}\n{row}\n")
    assert not found.options
    ((line, _, why),) = found.rejected
    assert line == 2
    return why


def test_an_osi_symbol_names_the_contract():
    option = only(read(f"{HEAD}\n{ROW}\n"))
    assert (option.contract.osi, option.contracts, option.price_paid) == ("GLD   260918P00430000", 5, 9.9)
    assert (option.opened_on, option.funding, option.closed_on) == (date(2026, 6, 1), PremiumFunding.CASH, None)


def test_symbol_expiration_strike_and_right_name_it_as_well():
    text = "Symbol,Expiry,Strike,Right,Contracts,Price paid,Opened on\ngld,2026-09-18,430,Put,-5,9.9,2026-06-01\n"
    option = only(read(text))
    assert (option.contract.osi, option.contract.right, option.contracts) == ("GLD   260918P00430000", Right.PUT, -5)


def test_semicolons_decimal_commas_german_days_and_a_byte_order_mark_are_understood():
    text = "\ufeffcontract;contracts;price_paid;opened_on;closed_on;closed_price;funding;note\r\n"
    text += "GLD260918P00430000;5;1.009,90;01.06.2026;9.6.2026;12,5;Sell gold;from the bank\r\n"
    option = only(read(text))
    assert (option.price_paid, option.opened_on, option.closed_on) == (1009.9, date(2026, 6, 1), date(2026, 6, 9))
    assert (option.closed_price, option.funding, option.note) == (12.5, PremiumFunding.SELL_GOLD, "from the bank")


def test_a_number_that_can_be_read_in_two_ways_is_not_guessed():
    why = reason("GLD260918P00430000;5;1.009;2026-06-01", HEAD.replace(",", ";"))
    assert "can be read in two ways: 1.009" in why


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("GLD260918P00430000,5,9.90", "opened_on must be a day"),
        ("GLD260918P00430000,,9.90,2026-06-01", "contracts is missing"),
        ("GLD260918P00430000,5.5,9.90,2026-06-01", "contracts must be a whole number"),
        ("GLD260918P00430000,0,9.90,2026-06-01", "contracts must be a whole number other than zero"),
        ("GLD260918P00430000,nan,9.90,2026-06-01", "contracts must be a number"),
        ("GLD260918P00430000,5,inf,2026-06-01", "price_paid must be a number"),
        ("GLD260918P00430000,5,1e5,2026-06-01", "price_paid must be a number"),
        ("GLD260918P00430000,5,-9.90,2026-06-01", "price_paid must not be negative"),
        ("GLD260918P00430000,5,999999,2026-06-01", "price_paid must be USD a share"),
        ('GLD260918P00430000,5,"9,90",2026-06-01', "price_paid must be a number"),
        ("GLD260918P00430000,5,9.90,2026-02-30", "opened_on must be a day"),
        ("GLD260918P00430000,5,9.90,06/01/2026", "opened_on must be a day"),
        ("GLD260918P00430000,5,9.90,2026-06-11", "opened_on is in the future"),
        ("GLD260918P00430000,5,9.90,2026-06-01,extra", "row has 5 cells under 4 columns"),
        ("IAU260918P00043000,5,9.90,2026-06-01", "contract is an option on IAU"),
        ("GLD260931P00430000,5,9.90,2026-06-01", "contract has no such day"),
        ("=1+1,5,9.90,2026-06-01", "contract is no option symbol"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_says_why(row: str, why: str):
    assert reason(row).startswith(why)


def test_each_rejected_row_has_its_own_line_whatever_stands_before_it():
    text = f'{HEAD},note\n{ROW},"one\ntwo"\n\n{ROW.replace("5,", "x,", 1)},\n{ROW.replace(",5,", ",6,")},fine\nbad\n'
    found = read(text)
    assert [option.contracts for option in found.options] == [6]
    assert [line for line, _, _ in found.rejected] == [2, 5, 7]
    assert rejection_words(found.rejected, 1).endswith("; and 2 more")


def test_what_is_held_already_and_what_stands_twice_is_not_taken_again():
    held = replace(only(read(f"{HEAD}\n{ROW}\n")), id="known")
    found = read(f"{HEAD}\n{ROW}\n{ROW.replace('9.90', '8.80')}\n{ROW.replace('9.90', '8.8')}\n", held)
    assert [option.price_paid for option in found.options] == [8.8]
    assert [(line, why) for line, _, why in found.rejected] == [
        (2, "row is in the portfolio or this file already"),
        (4, "row is in the portfolio or this file already"),
    ]


def test_the_headers_of_brokers_are_understood_and_what_was_taken_for_granted_is_remarked():
    found = read("Symbol,Quantity,Average Cost\ngld260918p00430000,5,9.90\n")
    option = only(found)
    assert (option.contract.osi, option.contracts, option.price_paid, option.opened_on) == (
        "GLD   260918P00430000",
        5,
        9.9,
        TODAY,
    )
    assert found.remarks == (
        "average cost is taken as USD a share; divide it by 100 if it is of a contract",
        "no column says when they were opened; today, 2026-06-10, is taken",
    )
    assert only(read("Contract,Qty,Price,Trade Date\nGLD260918P00430000,5,9.90,2026-06-01\n")).price_paid == 9.9
    split = "Ticker,Exp. Date,Strike Price,Put/Call,Qty,Price,Date\nGLD,2026-09-18,430,P,5,9.90,2026-06-01\n"
    assert only(read(split)).contract == option.contract


def test_what_is_held_already_is_not_taken_again_from_a_file_without_days():
    held = only(read(f"{HEAD}\n{ROW}\n"))
    found = read("Contract,Qty,Price\nGLD260918P00430000,5,9.90\n", held)
    assert [why for _, _, why in found.rejected] == ["row is in the portfolio or this file already"]


def test_what_adds_to_a_held_contract_or_has_expired_is_taken_with_a_remark():
    held = only(read(f"{HEAD}\n{ROW}\n"))
    found = read(f"{HEAD}\nGLD260918P00430000,3,8.10,2026-06-02\nGLD260522P00430000,5,9.90,2026-05-01\n", held)
    assert (len(found.options), found.rejected) == (2, ())
    assert found.remarks == (
        "line 2: GLD 18 Sep 2026 430 put is held already; this adds to it",
        "line 3: GLD 22 May 2026 430 put has expired; it is kept, and counts for nothing any more",
    )


def test_a_formula_in_a_note_stays_the_text_it_is():
    option = only(read(f'{HEAD},note\n{ROW},"=HYPERLINK(""http://evil.example"")"\n'))
    assert option.note == '=HYPERLINK("http://evil.example")'


def test_columns_that_are_not_known_are_named():
    found = read(f"{HEAD},colour\n{ROW},red\n")
    assert (len(found.options), found.remarks) == (1, ("columns not used: colour",))


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", HEAD, f"{HEAD}\n\n", "a,b,c\n1,2,3\n", "contract,contracts,opened_on\nx,1,1\n",
     "contract,contract,contracts,price_paid,opened_on\n", f'{HEAD}\n"never closed',
     "symbol,contracts,price_paid,opened_on\n"],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_as_a_whole(text: str):
    with pytest.raises(InvalidInput) as refusal:
        read(text)
    assert refusal.value.argument == "file"


def test_too_many_rows_are_refused():
    with pytest.raises(InvalidInput, match="more than 5,000 rows"):
        read(HEAD + "\n" + "x\n" * 5_001)


def test_files_are_utf_8_or_marked_as_utf_16():
    text = f"{HEAD},note\n{ROW},Zürich\n"
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert only(read(csv_text(content))).note == "Zürich"
    with pytest.raises(InvalidInput, match="UTF-8"):
        csv_text(text.encode("latin-1"))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str):
    refused: str | None = None
    try:
        rejected = read(f"{HEAD},note\n{text}").rejected
    except InvalidInput as error:
        refused, rejected = error.argument, ()
    assert refused in (None, "file")
    assert all(why.isprintable() and shown.isprintable() for _, shown, why in rejected)


@given(
    contracts=st.integers(-1_000_000, 1_000_000).filter(bool),
    price=st.floats(0, 99_999).map(lambda value: round(value, 4)),
    strike=st.integers(1, 99_999_999),
)
def test_what_is_written_is_what_is_read(contracts: int, price: float, strike: int):
    osi = f"GLD260918P{strike:08d}"
    for text, comma in ((f"{price:.4f}", False), (f"{price:.4f}".replace(".", ","), True)):
        separator = ";" if comma else ","
        line = separator.join((osi, str(contracts), text, "2026-06-01"))
        option = only(read(f"{HEAD.replace(',', separator)}\n{line}"))
        assert (option.contracts, option.price_paid) == (contracts, price)
        assert option.contract.strike == strike / 1000


def test_a_held_put_of_the_portfolio_does_not_stand_in_the_way_of_another():
    assert len(read(f"{HEAD}\n{ROW}\n", a_held_put()).options) == 1

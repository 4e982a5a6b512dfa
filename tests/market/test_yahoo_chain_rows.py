"""Rows of a chain are true, flagged or left out; nothing absurd passes as a price."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON
from vaultdash.domain.errors import BadPayload, Unavailable, VaultError
from vaultdash.domain.option import QuoteFlag, Right
from vaultdash.market.yahoo.chains import OptionsAnswer, chain_from_options

DAY = date(2026, 6, 19)
FIELDS = {
    "symbol": "GLD",
    "regularMarketPrice": 460.0,
    "regularMarketPreviousClose": 458.0,
    "regularMarketTime": int(NOON.timestamp()) - 5,
    "marketState": "REGULAR",
}
NAN, INFINITE = float("nan"), float("inf")


class Weekdays:
    """A calendar without holidays."""

    def is_open(self, now):
        return True

    def open_seconds(self, start, end):
        return 0.0

    def is_extended(self, now):
        return False

    def sessions(self, start, end):
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        return [day for day in days if day.weekday() < 5]


def a_row(strike=460.0, right="C", day="260619", root="GLD", **fields):
    usual = {
        "contractSymbol": f"{root}{day}{right}{round(strike * 1000):08d}",
        "strike": strike,
        "bid": 9.9,
        "ask": 10.1,
        "lastPrice": 10.0,
        "lastTradeDate": NOON - timedelta(minutes=4),
        "volume": 120,
        "openInterest": 4500,
        "impliedVolatility": 0.17,
        "contractSize": "REGULAR",
    }
    return {**usual, **fields}


def read(calls, puts=(), symbol="GLD", **fields):
    answer = OptionsAnswer((DAY,), {**FIELDS, "symbol": symbol, **fields}, calls, puts)
    return chain_from_options(symbol, DAY, answer, NOON, Weekdays())


def only(row, **fields):
    (quote,) = read([row], **fields).quotes
    return quote


def test_quotes_are_by_strike_and_the_call_before_the_put():
    chain = read([a_row(470.0), a_row(450.0)], [a_row(470.0, "P"), a_row(450.0, "P")])
    order = [(quote.contract.strike, quote.contract.right.value) for quote in chain.quotes]
    assert order == [(450.0, "C"), (450.0, "P"), (470.0, "C"), (470.0, "P")]


@pytest.mark.parametrize(
    ("bid", "ask", "kept", "words"),
    [
        (9.9, 10.1, (9.9, 10.1), ()),
        (0.0, 0.05, (0.0, 0.05), ("zero_bid",)),
        (0.0, 0.0, (None, None), ("no_bid", "no_ask")),
        (9.9, 0.0, (9.9, None), ("no_ask",)),
        (None, 10.1, (None, 10.1), ("no_bid",)),
        (NAN, NAN, (None, None), ("no_bid", "no_ask")),
        (-1.0, 10.1, (None, 10.1), ("no_bid",)),
        (9.9, -1.0, (9.9, None), ("no_ask",)),
        (1e9, 10.1, (None, 10.1), ("no_bid",)),
        (9.9, 1e300, (9.9, None), ("no_ask",)),
        (INFINITE, INFINITE, (None, None), ("no_bid", "no_ask")),
        ("9.9", True, (None, None), ("no_bid", "no_ask")),
        (10.2, 10.1, (10.2, 10.1), ("crossed",)),
        (10.0, 10.0, (10.0, 10.0), ("locked",)),
        (4.0, 12.0, (4.0, 12.0), ("wide",)),
    ],
)
def test_bid_and_ask_in_the_open_market(bid, ask, kept, words):
    quote = only(a_row(bid=bid, ask=ask))
    assert (quote.bid, quote.ask) == kept
    assert quote.words == words


@pytest.mark.parametrize("state", ["PRE", "POST", "CLOSED", "PREPRE"])
def test_a_zero_outside_market_hours_is_no_bid(state):
    quote = only(a_row(bid=0.0, ask=0.05), marketState=state)
    assert (quote.bid, quote.ask, quote.words) == (None, 0.05, ("no_bid", "closed_market"))


@pytest.mark.parametrize("volatility", [1e-5, 1e-4, 10.01, 20.0, -0.2, NAN, INFINITE, None, "0.17"])
def test_a_volatility_nobody_means_is_none(volatility):
    quote = only(a_row(impliedVolatility=volatility))
    assert quote.vendor_iv is None
    assert quote.flags == QuoteFlag.VENDOR_IV_BAD


@pytest.mark.parametrize("volatility", [0.0002, 0.17, 10.0])
def test_a_volatility_that_may_be_meant_is_kept(volatility):
    assert only(a_row(impliedVolatility=volatility)).vendor_iv == volatility


@pytest.mark.parametrize("count", [NAN, None, -1, 1e300, "many"])
def test_counts_that_are_none_are_not_zero(count):
    quote = only(a_row(volume=count, openInterest=count))
    assert (quote.volume, quote.open_interest, quote.open_interest_on) == (None, None, None)
    assert quote.words == ("oi_missing",)


def test_counts_are_whole_even_where_a_column_has_gaps():
    quote = only(a_row(volume=120.0, openInterest=0.0))
    assert (quote.volume, quote.open_interest) == (120, 0)
    assert quote.words == ()


@pytest.mark.parametrize(
    ("traded", "is_stale"),
    [
        (NOON, False),
        (datetime(2026, 6, 9, 13, 30, tzinfo=UTC), False),
        (datetime(2026, 6, 8, 20, 0, tzinfo=UTC), True),
        (datetime(2025, 1, 2, 20, 0, tzinfo=UTC), True),
        (None, True),
    ],
)
def test_what_did_not_trade_today_or_the_session_before_is_stale(traded, is_stale):
    quote = only(a_row(lastTradeDate=traded))
    assert (QuoteFlag.STALE in quote.flags) is is_stale
    assert quote.last_trade_at == traded


@pytest.mark.parametrize("traded", [NOON + timedelta(hours=1), datetime(1970, 1, 1, tzinfo=UTC), "today", 5])
def test_a_trade_at_an_impossible_time_is_no_time(traded):
    assert only(a_row(lastTradeDate=traded)).last_trade_at is None


def test_open_interest_is_of_the_session_before_the_one_of_the_prices():
    monday = datetime(2026, 6, 8, 14, 0, tzinfo=UTC)
    assert only(a_row(), regularMarketTime=int(monday.timestamp())).open_interest_on == date(2026, 6, 5)
    assert only(a_row()).open_interest_on == date(2026, 6, 9)


def test_a_quote_below_what_exercise_pays_says_so():
    assert only(a_row(400.0, bid=58.0, ask=61.0)).words == ("below_intrinsic",)
    assert only(a_row(400.0, bid=59.0, ask=61.0)).words == ()


@pytest.mark.parametrize(
    "row", [a_row(450.0, root="GLD1"), a_row(450.0, contractSize="MINI"), a_row(450.0, contractSize="odd")]
)
def test_contracts_on_something_else_are_left_out_and_counted(row):
    chain = read([a_row(), row])
    assert len(chain.quotes) == 1
    assert chain.left_out == {"adjusted": 1}


def test_a_class_of_shares_is_no_adjustment():
    (quote,) = read([a_row(root="BRKB")], symbol="BRK-B").quotes
    assert quote.contract.root == "BRKB"


@pytest.mark.parametrize(
    "row",
    [
        a_row(450.0, contractSymbol=None),
        a_row(450.0, contractSymbol="GLD"),
        a_row(450.0, contractSymbol=7),
        a_row(450.0, contractSymbol="GLD260619C00455000"),
        a_row(450.0, contractSymbol="GLD261319C00450000"),
        a_row(450.0, "P"),
        a_row(450.0, day="260626"),
        {**a_row(450.0), "strike": None},
        {**a_row(450.0), "strike": NAN},
        {**a_row(450.0), "strike": -450.0},
        {**a_row(450.0), "strike": 1e300},
        {**a_row(450.0), "contractSymbol": "GLD260619C00000000", "strike": 0.0},
        {},
    ],
)
def test_rows_that_contradict_themselves_are_left_out_and_counted(row):
    chain = read([a_row(), row])
    assert [quote.contract.strike for quote in chain.quotes] == [460.0]
    assert chain.left_out == {"unreadable": 1}


@pytest.mark.parametrize(
    ("first", "second", "bid"),
    [
        ({"bid": 9.9}, {"bid": 9.7}, 9.9),
        ({"bid": 9.9, "ask": 0.0}, {"bid": 9.7}, 9.7),
        ({"bid": 9.9}, {"bid": 9.7, "ask": 0.0}, 9.9),
        ({"bid": 10.9}, {"bid": 9.7}, 9.7),  # above its ask
        ({"bid": 9.9}, {"bid": 9.7, "lastTradeDate": NOON - timedelta(minutes=1)}, 9.7),
        ({"bid": 9.9, "lastTradeDate": None}, {"bid": 9.7}, 9.7),
    ],
)
def test_of_two_rows_about_one_contract_the_better_counts(first, second, bid):
    chain = read([a_row(**first), a_row(**second), a_row(470.0)])
    assert chain.quotes[0].bid == bid
    assert chain.quotes[0].words == ("duplicate_resolved",)
    assert chain.quotes[1].words == ()
    assert chain.left_out == {"duplicate": 1}


@pytest.mark.parametrize(("said", "delay"), [({}, 900.0), ({"exchangeDataDelayedBy": 20}, 1200.0)])
def test_a_chain_is_at_least_a_quarter_of_an_hour_late_whatever_is_said_of_the_price(said, delay):
    assert read([a_row()], **said).underlying.delay_seconds == delay


def test_nothing_but_unreadable_rows_are_no_chain():
    with pytest.raises(BadPayload, match="cannot be read"):
        read([{}, {}])


def test_nothing_but_adjusted_contracts_are_no_chain():
    with pytest.raises(Unavailable, match="gave no GLD options"):
        read([a_row(root="GLD1")])


ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.datetimes()


@given(st.fixed_dictionaries({}, optional={name: ANYTHING for name in a_row() if name != "contractSymbol"}))
def test_whatever_stands_in_a_row_the_quote_is_credible_or_absent(fields):
    try:
        (quote,) = read([{**a_row(), **fields}], [a_row(right="P")]).quotes[:-1] or (None,)
    except VaultError as error:
        pytest.fail(str(error))
    if quote is None:
        return
    assert quote.contract.right is Right.CALL
    for price in (quote.bid, quote.ask, quote.last):
        assert price is None or 0 <= price <= 920
    for count in (quote.volume, quote.open_interest):
        assert count is None or 0 <= count <= 1e9
    assert quote.vendor_iv is None or 1e-4 < quote.vendor_iv <= 10
    assert quote.ask != 0

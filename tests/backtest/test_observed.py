"""Recorded chains as premiums: the stated rule, quote by quote, and nothing of one day on another."""

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.backtest.may_2026 import may_quotes
from tests.builders import a_chain, a_contract, a_quote, an_option_quote
from vaultdash.backtest.observed import RecordedQuotes, observed_remarks, recorded_quotes
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionChain, OptionContract, Right

MONDAY, TUESDAY = date(2026, 6, 8), date(2026, 6, 9)
JULY, AUGUST = date(2026, 7, 17), date(2026, 8, 21)
SPOT = 460.0


def put(strike: float, bid: float | None, ask: float | None, right: Right = Right.PUT, **fields: object) -> object:
    return an_option_quote(OptionContract("GLD", JULY, strike, right, **fields), bid=bid, ask=ask)  # type: ignore[arg-type]


def chain(*quotes: object, expiration: date = JULY, spot: float = SPOT, **fields: object) -> OptionChain:
    return a_chain(*quotes, expiration=expiration, underlying=a_quote(spot), **fields)  # type: ignore[arg-type]


def of_one_day(*quotes: object, **fields: object) -> RecordedQuotes:
    return recorded_quotes({MONDAY: [chain(*quotes, **fields)]})


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (10.0, 10.2, None),
        (10.0, 12.5, None),  # 2.50 is 22 % of 11.25
        (8.75, 11.25, None),  # 25 %
        (8.7, 11.3, "wide_spread"),  # 26 %
        (0.05, 0.15, None),  # 0.10, whatever part of mid
        (0.05, 0.16, "wide_spread"),
        (0.0, 0.1, "no_bid"),
        (None, 0.1, "no_bid"),
        (0.1, None, "no_ask"),
        (0.1, 0.0, "no_ask"),
        (10.0, 10.0, "locked_or_crossed"),
        (10.2, 10.0, "locked_or_crossed"),
    ],
)
def test_which_quotes_are_used_follows_the_stated_rule(
    bid: float | None, ask: float | None, reason: str | None
) -> None:
    found = of_one_day(put(460.0, bid, ask), put(450.0, 5.0, 5.1))
    assert found.quotes == 2
    assert dict(found.left_out) == ({} if reason is None else {reason: 1})
    assert found.premiums.thin_quotes == (0 if reason is None else 1)
    assert len(found.premiums.strikes) == (2 if reason is None else 1)


@pytest.mark.parametrize(
    ("right", "strike", "bid", "ask", "reason"),
    [
        (Right.PUT, 480.0, 19.5, 20.0, None),  # a mid of 19.75 below 20, an ask that is not
        (Right.PUT, 480.0, 19.5, 19.9, "below_intrinsic"),
        (Right.CALL, 440.0, 19.5, 19.9, "below_intrinsic"),
        (Right.CALL, 440.0, 19.9, 20.1, None),
        (Right.PUT, 20.0, 20.1, 20.3, "above_bound"),
        (Right.CALL, 100.0, 460.5, 461.0, "above_bound"),
    ],
)
def test_a_price_that_no_option_can_have_is_not_used(
    right: Right, strike: float, bid: float, ask: float, reason: str | None
) -> None:
    found = of_one_day(put(strike, bid, ask, right), put(450.0, 5.0, 5.1))
    assert dict(found.left_out) == ({} if reason is None else {reason: 1})


def test_other_deliveries_and_classes_are_not_used() -> None:
    other_class = an_option_quote(a_contract(460.0, root="GLD1"), bid=10.0, ask=10.2)
    found = of_one_day(
        put(460.0, 10.0, 10.2, multiplier=10), other_class, put(450.0, 5.0, 5.1), left_out={"adjusted": 4}
    )
    assert dict(found.left_out) == {"adjusted": 6}
    assert found.quotes == 7
    assert found.premiums.strikes.tolist() == [450.0]


def test_days_and_contracts_make_one_table_with_nothing_where_nothing_was_quoted() -> None:
    found = recorded_quotes(
        {
            TUESDAY: [chain(put(450.0, 5.0, 5.2), put(470.0, 14.0, 14.4)), chain(expiration=AUGUST)],
            MONDAY: [chain(put(450.0, 4.0, 4.2), put(460.0, 0.0, 9.0))],
        }
    )
    premiums = found.premiums
    assert premiums.days == (MONDAY, TUESDAY)
    table = list(zip(premiums.expirations, premiums.strikes.tolist(), premiums.rights.tolist(), strict=True))
    august = [(AUGUST, strike, right) for strike in (450.0, 460.0, 470.0) for right in (1, -1)]
    assert table == [(JULY, 450.0, -1), (JULY, 470.0, -1), *august]
    assert premiums.bids[:, 0].tolist() == [4.0, 5.0]
    assert premiums.asks[1, :2].tolist() == [5.2, 14.4]
    assert np.isnan(premiums.bids[0, 1:]).all()
    assert found.share_prices == {MONDAY: SPOT, TUESDAY: SPOT}


def test_on_its_last_day_an_option_has_no_premium_and_is_not_counted() -> None:
    found = recorded_quotes({JULY: [chain(put(450.0, 5.0, 5.2)), chain(expiration=AUGUST)]})
    assert set(found.premiums.expirations) == {AUGUST}
    assert found.quotes == 6
    assert not found.left_out


def test_what_a_later_day_quotes_changes_nothing_before_it() -> None:
    monday = [chain(put(450.0, 4.0, 4.2), put(460.0, 0.0, 9.0))]
    plain = recorded_quotes({MONDAY: monday, TUESDAY: [chain(put(450.0, 5.0, 5.2))]}).premiums
    planted = recorded_quotes(
        {MONDAY: monday, TUESDAY: [chain(put(460.0, 8.0, 8.2), put(450.0, 99.0, 99.5))]}
    ).premiums
    known = [n for n, strike in enumerate(planted.strikes) if strike == 450.0]
    assert planted.bids[0, known].tolist() == plain.bids[0].tolist() == [4.0]
    assert np.isnan(planted.bids[0, planted.strikes == 460.0]).all()
    assert planted.bids[1, known] != plain.bids[1]


@pytest.mark.parametrize("chains", [{}, {MONDAY: []}, {JULY: [chain(put(450.0, 5.0, 5.2))]}])
def test_without_any_chain_there_is_nothing_to_replay(chains: Mapping[date, Collection[OptionChain]]) -> None:
    with pytest.raises(InvalidInput, match="needs recorded chains") as refused:
        recorded_quotes(chains)
    assert refused.value.argument == "source"


def test_missing_days_thin_quotes_and_another_share_price_are_said() -> None:
    found = recorded_quotes(
        {MONDAY: [chain(put(450.0, 4.0, 4.2), put(460.0, 0.0, 9.0))], JULY: [chain(expiration=AUGUST)]}
    )
    remarks = observed_remarks(found, (MONDAY, TUESDAY, JULY), np.array([SPOT, SPOT, 455.0]))
    assert remarks[1].startswith("No chains are recorded for 1 of 3 days (2026-06-09)")
    assert remarks[2] == "1 of 8 recorded quotes are not used: no bid 1."
    assert remarks[3] == (
        "Chains were recorded at another share price than the day's close: 2026-07-17 (460.00 against a close of "
        "455.00)."
    )
    whole = recorded_quotes({MONDAY: [chain()]})
    assert observed_remarks(whole, (MONDAY,), np.array([SPOT])) == (
        "The recorded options expire by 2026-07-17: longer tenors take the nearest there is.",
    )


# ---- real chains


def test_of_the_real_week_most_quotes_are_used_and_the_rest_is_counted(shared_data: Path) -> None:
    may = may_quotes(shared_data)
    premiums = may.premiums
    used = int(np.count_nonzero(~np.isnan(premiums.bids)))
    assert used + premiums.thin_quotes == may.quotes
    assert 0.6 < used / may.quotes < 0.9
    assert may.share_prices[date(2026, 5, 11)] == 434.65
    assert max(premiums.expirations) == date(2026, 10, 16)


def test_a_real_quote_of_the_file_is_where_it_belongs(shared_data: Path) -> None:
    import polars as pl

    rows = pl.read_csv(shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz", try_parse_dates=True)
    wanted = rows.filter(
        pl.col("type") == "put", pl.col("strike") == 410.0, pl.col("expiration") == date(2026, 9, 18)
    )
    premiums = may_quotes(shared_data).premiums
    (column,) = [
        n
        for n, (day, strike, right) in enumerate(
            zip(premiums.expirations, premiums.strikes, premiums.rights, strict=True)
        )
        if (day, strike, right) == (date(2026, 9, 18), 410.0, -1)
    ]
    for on, bid, ask in wanted.select("quote_date", "bid", "ask").rows():
        row = premiums.days.index(on)
        assert (premiums.bids[row, column], premiums.asks[row, column]) == (bid, ask)
    assert wanted.height == 5

"""The quote filter: each reason, honest markets that pass, and outliers that go without their neighbours."""

import csv
import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import expiry_at, years_to_expiry
from vaultdash.pricing import american_price
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.parity import pairs_of, parity_forward
from vaultdash.pricing.quote_filter import QuoteFilter, Reason, filter_quotes, reason_words, two_sided

SPOT, YEARS, RATE = 430.0, 0.25, 0.04
STRIKES = np.arange(350.0, 511.0, 5.0)
ARBITRAGE = Reason.NOT_MONOTONE | Reason.NOT_CONVEX


def mids(sign: float) -> FloatArray:
    return american_price(SPOT, STRIKES, YEARS, RATE, 0.0, 0.22, "C" if sign > 0 else "P")


def judged(bid: object, ask: object, strike: object = STRIKES, sign: object = -1.0) -> QuoteFilter:
    return filter_quotes(bid, ask, strike, sign, SPOT, YEARS, RATE, 0.0)  # type: ignore[arg-type]  # any array


def words(bid: float, ask: float, strike: float = 430.0, sign: float = -1.0) -> tuple[str, ...]:
    return judged(bid, ask, strike, sign).words[0]


@pytest.mark.parametrize(
    ("bid", "ask", "said"),
    [
        (15.0, 15.4, ()),
        (0.0, 15.4, ("no_bid",)),
        (np.nan, 15.4, ("no_bid",)),
        (15.0, np.nan, ("no_ask",)),
        (15.0, 0.0, ("no_ask",)),
        (np.nan, np.nan, ("no_bid", "no_ask")),
        (15.4, 15.0, ("crossed",)),
        (15.0, 15.0, ("locked",)),
        (10.0, 14.0, ("wide_spread",)),
        (0.01, 0.11, ()),  # ten cents are never wide
        (0.01, 0.12, ("wide_spread",)),
        (7.0, 9.0, ()),  # a quarter of mid
        (431.0, 440.0, ("above_bound",)),  # a put is worth its strike at most
    ],
)
def test_a_quote_alone_is_judged_by_its_own_prices(bid: float, ask: float, said: tuple[str, ...]) -> None:
    assert words(bid, ask) == said


def test_mid_below_exercise_value_passes_while_the_ask_is_not() -> None:
    assert words(69.0, 70.5, strike=500.0) == ()
    assert words(69.0, 69.9, strike=500.0) == ("below_intrinsic",)
    assert words(69.0, 70.5, strike=360.0, sign=1.0) == ()
    assert words(69.0, 69.9, strike=360.0, sign=1.0) == ("below_intrinsic",)
    assert words(431.0, 440.0, strike=5.0, sign=1.0) == ("above_bound",)


def test_reasons_add_up_and_have_words() -> None:
    assert words(431.0, 640.0) == ("wide_spread", "above_bound")
    assert reason_words(int(Reason.NO_BID | Reason.NOT_CONVEX)) == ("no_bid", "not_convex")
    assert reason_words(0) == ()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.floats(0.001, 0.1), st.sampled_from([1.0, -1.0]))
def test_honest_market_is_never_arbitrage(seed: int, width: float, sign: float) -> None:
    random = np.random.default_rng(seed)
    fair = mids(sign)
    tick = 0.01
    bid = np.floor(fair * (1 - width * random.random(fair.size)) / tick) * tick
    ask = np.ceil((fair * (1 + width * random.random(fair.size)) + tick) / tick) * tick
    found = judged(bid, ask, sign=sign)
    assert found.count(ARBITRAGE) == 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("row", [3, 10, 16, 22, 29])
@pytest.mark.parametrize("moved", [-0.4, 0.4])
def test_single_outlier_goes_and_its_neighbours_stay(sign: float, row: int, moved: float) -> None:
    fair = mids(sign)
    fair[row] *= 1 + moved
    found = judged(fair - 0.05, fair + 0.05, sign=sign)
    reasons = found.reasons & (ARBITRAGE | Reason.BELOW_INTRINSIC)
    assert np.flatnonzero(reasons).tolist() == [row]


def test_bid_above_a_dearer_strikes_ask_is_not_monotone() -> None:
    strike, bid, ask = np.array([400.0, 410.0]), np.array([5.0, 3.0]), np.array([5.2, 3.2])
    found = judged(bid, ask, strike)
    assert found.count(Reason.NOT_MONOTONE) == 1


def test_two_puts_further_apart_than_their_strikes_are_not_monotone() -> None:
    found = judged(np.array([1.0, 7.0]), np.array([1.2, 7.2]), np.array([400.0, 405.0]))
    assert found.count(Reason.NOT_MONOTONE) == 1


def test_bid_above_the_line_between_two_asks_is_not_convex() -> None:
    strike, fair = np.array([400.0, 410.0, 420.0, 430.0, 440.0]), np.array([4.0, 6.5, 11.5, 14.0, 20.0])
    found = judged(fair - 0.1, fair + 0.1, strike)
    assert found.words[2] == ("not_convex",)
    assert found.usable.sum() == 4


def test_old_quotes_deep_in_the_money_go_and_not_the_good_ones_beside_them() -> None:
    call, put = mids(1.0), mids(-1.0)
    old = np.array([1, 2, 4, 6, 7, 9])
    call[old] += 25.0  # from when the share was dearer; more of them than good ones around
    bid, ask = np.append(call, put) - 0.1, np.append(call, put) + 0.1
    strike, sign = np.append(STRIKES, STRIKES), np.repeat([1.0, -1.0], STRIKES.size)
    found = judged(bid, ask, strike, sign)
    assert np.flatnonzero(found.reasons & ARBITRAGE).tolist() == old.tolist()


def test_two_sided_quotes_are_there_apart_and_not_wide() -> None:
    bid = [15.0, 0.0, np.nan, 15.0, 15.4, 15.0, 10.0, 0.01, 15.0]
    ask = [15.4, 15.4, 15.4, np.nan, 15.0, 15.0, 14.0, 0.11, np.inf]
    assert two_sided(bid, ask).tolist() == [True, False, False, False, False, False, False, True, False]


@pytest.mark.parametrize("shift", [-0.007, 0.007])
def test_good_quotes_pass_by_the_options_own_share_price_when_the_quoted_one_is_of_another_moment(
    shift: float,
) -> None:
    strike, sign = np.append(STRIKES, STRIKES), np.repeat([1.0, -1.0], STRIKES.size)
    years, quoted = 0.05, SPOT * (1 + shift)
    fair = american_price(SPOT, strike, years, RATE, 0.0, 0.22, np.where(sign > 0, "C", "P"))
    bid, ask = np.maximum(fair - 0.05, 0.01), fair + 0.05
    pairs = pairs_of(strike, sign, bid, ask, two_sided(bid, ask))
    parity = parity_forward(pairs.strike, pairs.call_mid, pairs.put_mid, quoted, years, RATE, pairs.spread)
    plain = filter_quotes(bid, ask, strike, sign, quoted, years, RATE, 0.0)
    assert plain.count(Reason.BELOW_INTRINSIC) > 3
    found = filter_quotes(bid, ask, strike, sign, parity.spot, years, RATE, parity.effective_yield)
    assert found.count(Reason.BELOW_INTRINSIC | ARBITRAGE) == 0


def test_expiries_and_rights_are_judged_apart() -> None:
    bid, ask = np.array([5.0, 3.0, 3.0]), np.array([5.2, 3.2, 3.2])
    strike, sign = np.array([390.0, 400.0, 400.0]), np.array([-1.0, -1.0, 1.0])
    apart = filter_quotes(bid, ask, strike, sign, 400.0, [0.2, 0.3, 0.2], RATE, 0.0)
    assert apart.usable.all()
    together = filter_quotes(bid, ask, strike, sign, 400.0, 0.2, RATE, 0.0)
    assert together.usable.tolist().count(False) == 1


def test_order_of_the_quotes_does_not_matter() -> None:
    fair = np.append(mids(1.0), mids(-1.0))
    fair[[5, 40, 50]] *= 1.4
    strike, sign = np.append(STRIKES, STRIKES), np.repeat([1.0, -1.0], STRIKES.size)
    shuffled = np.random.default_rng(1).permutation(fair.size)
    straight = judged(fair - 0.05, fair + 0.05, strike, sign)
    mixed = judged(fair[shuffled] - 0.05, fair[shuffled] + 0.05, strike[shuffled], sign[shuffled])
    assert (mixed.reasons == straight.reasons[shuffled]).all()
    assert straight.count(ARBITRAGE) > 0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3), max_size=12), st.booleans())
def test_no_row_raises_and_what_is_left_holds_no_arbitrage(
    rows: list[tuple[float, float, float]], is_call: bool
) -> None:
    bid, ask, strike = (np.array([row[i] for row in rows]) for i in range(3))
    sign = 1.0 if is_call else -1.0
    found = judged(bid, ask, strike, sign)
    left = found.usable & (found.reasons == 0)
    again = judged(bid[left], ask[left], strike[left], sign)
    assert again.count(ARBITRAGE) == 0


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput):
        judged([1.0, 2.0], [1.0, 2.0, 3.0], 430.0)


def test_of_real_quotes_out_of_the_money_less_than_one_in_two_hundred_is_arbitrage(shared_data: Path) -> None:
    for name, spot_range in (("gld_2026-05-11_2026-05-15", (410, 440)), ("slv_2026-06-15", (60, 70))):
        with gzip.open(shared_data / "chains" / f"{name}.csv.gz", "rt") as file:
            rows = [row for row in csv.DictReader(file) if row["expiration"] > row["quote_date"]]
        day = max(row["quote_date"] for row in rows)
        rows = [row for row in rows if row["quote_date"] == day]
        bid, ask, strike, spot = (
            np.array([float(row[column] or "nan") for row in rows])
            for column in ("bid", "ask", "strike", "underlying_price")
        )
        sign = np.array([1.0 if row["type"] == "call" else -1.0 for row in rows])
        close = expiry_at(date.fromisoformat(day))
        years = np.array([years_to_expiry(date.fromisoformat(row["expiration"]), close) for row in rows])
        assert spot_range[0] < spot[0] < spot_range[1]
        found = filter_quotes(bid, ask, strike, sign, spot, years, 0.0366, 0.0)
        fresh = (sign * (spot - strike) < 0) & (bid > 0) & (ask > bid)
        assert np.count_nonzero(found.reasons[fresh] & ARBITRAGE) < 0.005 * fresh.sum()
        assert found.usable[fresh].mean() > 0.6

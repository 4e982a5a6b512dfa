"""Past falls replayed from stored prices: which loans would have been called, and what is not known is said."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.builders import a_history, a_portfolio
from tests.services.twins import Clock, FixedHours, ScriptedMarket
from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.market import Bar
from vaultdash.domain.portfolio import Snapshot, mark
from vaultdash.risk.replay import Outcome
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.risk_words import (
    cure_sentence,
    outcome_words,
    replay_sentence,
    selloffs_sentence,
    time_words,
)
from vaultdash.services.selloff_replay import Replayed, SelloffReplays, SelloffReport, path_of
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.price_csv import read_price_csv


@pytest.fixture
def store(tmp_path: Path) -> ParquetPrices:
    return ParquetPrices(tmp_path, Clock())


@pytest.fixture
def replays(store: ParquetPrices) -> SelloffReplays:
    clock = Clock()
    return SelloffReplays(DailyHistory(store, None, ScriptedMarket(clock, "DEMO"), FixedHours(), clock), clock)


@pytest.fixture
def real(replays: SelloffReplays, store: ParquetPrices, shared_data: Path) -> SelloffReplays:
    store.merge_history(read_price_csv(shared_data / "gld_daily.csv", "GLD", None, hours=FixedHours()).history)
    return replays


def a_snapshot(price: float = 460.0, loan: float = 600_000, **terms: object) -> Snapshot:
    return mark(a_portfolio(loan=loan, **terms), price, date(2026, 6, 10))


def by_id(report: SelloffReport) -> dict[str, Replayed]:
    return {row.id: row for row in report.rows}


# A loan of 60 % drawn at each closing high, call at 75 %, close-out at 85 %: a fall of a fifth is a call.
CALLED_AT_SIXTY = {
    "jan-jul-2026": date(2026, 6, 5),
    "2022": date(2022, 9, 23),
    "2012-2013": date(2013, 4, 15),
    "2011-2015": date(2013, 4, 12),
    "2008": date(2008, 8, 15),
    "autumn-2008": date(2008, 10, 22),
    "summer-2008": date(2008, 9, 9),
    "2006": date(2006, 6, 13),
}


async def test_who_would_have_been_called_on_a_loan_drawn_at_each_peak(real: SelloffReplays) -> None:
    report = await real.named(a_snapshot(), 0.60)
    called = {row.id: row.replay.call.on for row in report.rows if row.replay is not None and row.replay.call}
    assert called == CALLED_AT_SIXTY
    assert "8 of 20 falls; 5 of the 10 deepest" in selloffs_sentence(report)
    assert report.priced_by == "GLD"
    for row in report.rows:
        assert row.missing is None
        assert row.replay is not None
        assert (row.replay.call is not None) == (row.depth is not None and row.depth <= -0.20)
        assert row.replay.worst_ltv == pytest.approx(0.6 / (1 + (row.depth or 0.0)))
        assert row.replay.has_lows


async def test_the_close_outs_of_the_great_falls(real: SelloffReplays) -> None:
    rows = by_id(await real.named(a_snapshot(), 0.60))
    year_2008 = rows["2008"].replay
    assert year_2008 is not None
    # 0.60 * 99.17 / 70.00 = 0.85003: the close of 12 November 2008 is a close-out by three hundredths of a point
    assert year_2008.close_out_on == date(2008, 11, 12)
    assert year_2008.closed_out_intraday_on == date(2008, 10, 22)
    bear = rows["2011-2015"].replay
    assert bear is not None
    assert bear.outcome is Outcome.SOLD_AFTER_DEADLINE
    assert bear.sale_on == date(2013, 4, 16)
    assert bear.close_out_on == date(2013, 6, 20)
    january = rows["jan-2026"].replay
    assert january is not None
    assert january.outcome is Outcome.NOT_CALLED
    assert january.worst_low_ltv is not None
    assert january.worst_ltv < january.worst_low_ltv < 0.75


async def test_todays_loan_meets_each_fall_at_todays_price(real: SelloffReplays) -> None:
    snapshot = a_snapshot(price=430.0)
    report = await real.named(snapshot)
    assert report.is_todays_loan
    assert report.ltv == pytest.approx(snapshot.ltv)
    for row in report.rows:
        assert row.replay is not None
        assert row.replay.closes[0] == pytest.approx(430.0)
        assert row.replay.ltvs[0] == pytest.approx(snapshot.ltv)
        assert (row.replay.call is not None) == (1 + (row.depth or 0) <= snapshot.margin_call_price / 430.0)


async def test_ones_own_days(real: SelloffReplays) -> None:
    report = await real.between(a_snapshot(), date(2013, 4, 9), date(2013, 4, 15), 0.70)
    (own,) = report.rows
    assert own.replay is not None
    assert own.replay.call is not None
    assert own.replay.call.on == date(2013, 4, 15)
    assert own.depth == pytest.approx(131.31 / 153.34 - 1)
    assert "Lowest close 131.31 on 2013-04-15" in own.told
    whole = await real.between(a_snapshot(), None, date(2004, 12, 31))
    assert whole.rows[0].start == date(2004, 11, 18)


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        (date(2013, 4, 15), date(2013, 4, 9), InvalidInput),
        (date(2013, 4, 15), date(2013, 4, 15), InvalidInput),
        (date(1990, 1, 1), date(1990, 2, 1), NotFound),
        (date(9999, 1, 1), None, NotFound),
        (None, date(1, 1, 1), NotFound),
    ],
)
async def test_days_that_make_no_fall_are_refused(
    real: SelloffReplays, start: date | None, end: date | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await real.between(a_snapshot(), start, end)


async def test_falls_outside_the_stored_prices_say_so(replays: SelloffReplays, store: ParquetPrices) -> None:
    days = [date(2020, 3, 2) + timedelta(days=n) for n in range(20)]
    store.merge_history(a_history({day: 150.0 for day in days if day.weekday() < 5}))
    rows = by_id(await replays.named(a_snapshot()))
    assert rows["mar-2020"].replay is not None
    assert rows["2008"].missing == "no prices of those days: they go from 2020-03-02 to 2020-03-20"
    assert "its end is missing" in str(rows["2015"].missing) or "no prices" in str(rows["2015"].missing)
    store.merge_history(a_history({date(2020, 8, 6): 190.0, date(2021, 3, 8): 150.0}))
    rows = by_id(await replays.named(a_snapshot()))
    assert rows["2020-2021"].missing == "prices are missing between 2020-08-06 and 2021-03-08"


async def test_invented_prices_are_marked_with_what_to_do(replays: SelloffReplays) -> None:
    clock = Clock()
    demo = ScriptedMarket(clock, "DEMO")
    demo.bars = tuple(Bar(date(2020, 3, 9) + timedelta(days=n), 150.0 - n) for n in range(15))
    replays._gold._history._demo = demo
    report = await replays.named(a_snapshot())
    assert report.is_demo
    assert "DEMO" in report.remarks[0]
    assert "vault-dash history import" in report.remarks[0]


async def test_a_loan_in_francs_is_called_when_the_dollar_falls_with_gold(
    replays: SelloffReplays, store: ParquetPrices
) -> None:
    days = [date(2020, 3, 9) + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7, 8, 9, 10)]
    gold = [150.0 * 0.985**n for n in range(9)]  # 11.4 % in all
    cost = [0.95 * 0.985**n for n in range(9)]
    store.merge_history(a_history(dict(zip(days, gold, strict=True))))
    rate = ExchangeRate("CHF", 0.80, source="test")
    francs = mark(a_portfolio(loan=480_000, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate)
    held = by_id(await replays.named(francs, 0.60))["mar-2020"].replay
    assert held is not None
    assert held.call is None  # at the rate of today 0.60 / 0.886 is no call
    store.merge_history(a_history(dict(zip(days, cost, strict=True)), "CHF=X"))
    report = await replays.named(francs, 0.60)
    found = by_id(report)["mar-2020"].replay
    assert found is not None
    assert found.call is not None
    assert found.worst_ltv == pytest.approx(0.60 / (gold[-1] * cost[-1] / gold[0] / cost[0]))
    assert found.call.on == days[8]  # 0.60 / 0.985^16 = 0.764, the close before 0.741
    owed = report.rate.own(found.call.owed)
    assert owed == pytest.approx(0.60 * 150.0 * 0.95 * francs.shares)  # francs of the time
    assert "by the rate of each day" in report.remarks[0]
    assert report.priced_by == "GLD at today's rate"  # a price that GLD never had
    assert found.call.price == pytest.approx(gold[8] * cost[8] / 0.80)
    assert f"repay {report.rate.own(found.call.to_warning.repay_cash):,.0f} CHF ($ " in cure_sentence(
        found.call, "70 %", found.call.to_warning, report.rate
    )


async def test_a_ltv_that_makes_no_sense_is_refused(replays: SelloffReplays, store: ParquetPrices) -> None:
    store.merge_history(a_history({date(2020, 3, 9): 150.0, date(2020, 3, 19): 130.0}))
    for ltv in (0.0, 1.0, 60.0, float("nan")):
        with pytest.raises(InvalidInput):
            await replays.named(a_snapshot(), ltv)


def test_a_low_that_cannot_be_one_counts_as_unknown() -> None:
    bars = (
        Bar(date(2024, 1, 2), 100.0, low=99.0),
        Bar(date(2024, 1, 3), 100.0, low=101.0),
        Bar(date(2024, 1, 4), 100.0, low=0.0),
        Bar(date(2024, 1, 5), 100.0),
    )
    assert path_of(bars).lows == (99.0, None, None, None)


async def test_what_happened_is_told_with_days_and_amounts(real: SelloffReplays) -> None:
    rows = by_id(await real.named(a_snapshot(), 0.60))
    crash = rows["2012-2013"].replay
    assert crash is not None
    assert crash.call is not None
    said = replay_sentence(crash)
    assert said.startswith("Called at the close of 15 Apr 2013: LTV 79.3 % after a fall of 24.4 %.")
    assert "At the deadline, 17 Apr 2013, LTV 78.4 %: still a call." in said
    assert "From 17 Apr 2013 on the lender may sell." in said
    assert "Close-out level at the close of 26 Jun 2013." in said
    cured = cure_sentence(crash.call, "70 %", crash.call.to_warning)
    assert "back to 70 % by one of three: repay $" in cured
    assert f"({crash.call.to_warning.add_gold / 131.31:,.0f} shares)" in cured
    calm = rows["jan-2026"].replay
    assert calm is not None
    assert replay_sentence(calm).startswith("No call. The highest LTV at a close was 69.7 %, on 2 Feb 2026.")
    assert outcome_words(calm) == "not called"


@pytest.mark.parametrize(
    ("years", "words"),
    [
        (None, "never"),
        (0.0, "now"),
        (0.002, "1 day"),
        (0.1, "36 days"),
        (0.5, "6 months"),
        (2.5, "2.5 years"),
        (40.0, "40 years"),
    ],
)
def test_times_are_told_as_roughly_as_they_are_known(years: float | None, words: str) -> None:
    assert time_words(years) == words

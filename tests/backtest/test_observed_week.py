"""A replay on the recorded chains of GLD of 11 to 15 May 2026, beside the modelled one of the same days."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.backtest.may_2026 import FIRST, LAST, may_market, may_quotes
from tests.builders import a_loan
from vaultdash.backtest.engine import run
from vaultdash.backtest.premiums import ObservedPremiums
from vaultdash.backtest.result import BacktestRun
from vaultdash.backtest.scenario import Scenario, Source
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing import implied_volatility
from vaultdash.strategies.templates import system_template

SEPTEMBER = date(2026, 9, 18)
UNITS = 10_000.0


def four_months(slug: str) -> HedgeTemplate:
    whole = system_template(slug)
    return replace(whole, legs=tuple(replace(leg, months=4.0) for leg in whole.legs))


def replayed(slug: str, data: Path, premiums: ObservedPremiums | None = None) -> BacktestRun:
    market = may_market(data)
    source = Source.MODELLED if premiums is None else Source.OBSERVED
    loan = a_loan(0.60 * UNITS * float(market.closes[0]))
    # Of recorded options the exercise only matters for volatilities, which without a compiler take long to be found.
    exercise = Exercise.AMERICAN if premiums is None else Exercise.EUROPEAN
    scenario = Scenario(FIRST, LAST, UNITS, loan, source=source, exercise=exercise)
    return run(scenario, four_months(slug), market, "reference", premiums)


def in_file(data: Path, strike: float, right: str = "put") -> list[tuple[float, float]]:
    """Bid and ask of the September contract by day, as they stand in the file."""
    rows = pl.read_csv(data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz", try_parse_dates=True)
    chosen = rows.filter(pl.col("strike") == strike, pl.col("type") == right, pl.col("expiration") == SEPTEMBER)
    return chosen.sort("quote_date").select("bid", "ask").rows()


def column_of(premiums: ObservedPremiums, strike: float) -> int:
    """Where the September put stands."""
    of_september = np.array([day == SEPTEMBER for day in premiums.expirations])
    (column,) = np.flatnonzero((premiums.strikes == strike) & (premiums.rights < 0) & of_september)
    return int(column)


def without(premiums: ObservedPremiums, on: date, column: int) -> ObservedPremiums:
    """The same without one quote."""
    bids, asks = premiums.bids.copy(), premiums.asks.copy()
    bids[premiums.days.index(on), column] = asks[premiums.days.index(on), column] = np.nan
    return replace(premiums, bids=bids, asks=asks)


def without_day(premiums: ObservedPremiums, on: date) -> ObservedPremiums:
    kept = [n for n, day in enumerate(premiums.days) if day != on]
    days = tuple(premiums.days[n] for n in kept)
    return replace(premiums, days=days, bids=premiums.bids[kept], asks=premiums.asks[kept])


def test_the_hedge_is_bought_at_the_recorded_ask_and_marked_at_the_recorded_mid(shared_data: Path) -> None:
    done = replayed("protective_put_otm_95", shared_data, may_quotes(shared_data).premiums)
    (bought,) = done.trades
    quotes = in_file(shared_data, 415.0)
    assert (bought.on, bought.strike, bought.expiration, bought.contracts) == (FIRST, 415.0, SEPTEMBER, 100)
    assert (bought.price, bought.mid) == (quotes[0][1], pytest.approx(np.mean(quotes[0])))
    assert done.series.hedge_value == pytest.approx([10_000 * np.mean(quote) for quote in quotes])
    assert done.summary.hedge_cost_paid == pytest.approx(10_000 * quotes[0][1] + 100 * 0.65)
    assert done.summary.hedge_value_end == pytest.approx(10_000 * quotes[-1][0])
    assert (done.summary.missing_days, done.summary.thin_quotes) == (0, may_quotes(shared_data).premiums.thin_quotes)


def test_both_sources_choose_the_same_contracts_and_their_volatilities_are_two_points_apart_at_most(
    shared_data: Path,
) -> None:
    premiums, market = may_quotes(shared_data).premiums, may_market(shared_data)
    for slug, strike in (
        ("protective_put_atm", 435.0),
        ("protective_put_otm_95", 415.0),
        ("protective_put_otm_90", 390.0),
    ):
        recorded, modelled = replayed(slug, shared_data, premiums), replayed(slug, shared_data)
        chosen = [[(trade.strike, trade.expiration) for trade in each.trades] for each in (recorded, modelled)]
        assert chosen == [[(strike, SEPTEMBER)]] * 2
        years = np.array([(SEPTEMBER - on).days / 365 for on in market.days])
        marks = (each.series.hedge_value / 10_000 for each in (recorded, modelled))
        terms = (market.closes, strike, years, market.rates, 0.0, "P", "european", "reference")
        own, models = (implied_volatility(mark, *terms).value for mark in marks)
        assert np.abs(own - models).max() < 0.02
        assert (own > models).all()  # in this week the term structure did not fall towards its long run
        assert 0.9 < modelled.trades[0].price / recorded.trades[0].price < 1.0


def test_what_is_not_quoted_on_the_day_of_the_decision_is_not_bought(shared_data: Path) -> None:
    premiums = may_quotes(shared_data).premiums
    gone = without(premiums, FIRST, column_of(premiums, 415.0))
    (bought,) = replayed("protective_put_otm_95", shared_data, gone).trades
    assert bought.strike in (410.0, 412.0, 413.0, 414.0, 416.0, 417.0, 420.0)
    assert bought.price in {ask for _, ask in in_file(shared_data, bought.strike)}


def test_later_quotes_change_nothing_of_the_purchase(shared_data: Path) -> None:
    premiums = may_quotes(shared_data).premiums
    planted = replace(premiums, bids=premiums.bids.copy(), asks=premiums.asks.copy())
    planted.bids[1:] *= 3.0
    planted.asks[1:] *= 3.0
    plain, changed = (replayed("protective_put_otm_95", shared_data, each) for each in (premiums, planted))
    assert plain.trades == changed.trades
    assert plain.series.hedge_value[0] == changed.series.hedge_value[0]
    assert (changed.series.hedge_value[1:] > 2.9 * plain.series.hedge_value[1:]).all()


def test_on_a_day_without_chains_the_last_time_value_is_carried_and_the_day_counted(shared_data: Path) -> None:
    premiums, market = may_quotes(shared_data).premiums, may_market(shared_data)
    holed = without_day(premiums, date(2026, 5, 15))
    done = replayed("protective_put_atm", shared_data, holed)
    quotes = in_file(shared_data, 435.0)
    time_value = np.mean(quotes[3]) - (435.0 - market.closes[3])
    assert done.series.hedge_value[4] == pytest.approx(10_000 * (435.0 - market.closes[4] + time_value))
    assert done.summary.missing_days == 1


def test_a_quote_that_is_gone_for_a_day_does_not_lose_the_option(shared_data: Path) -> None:
    premiums = may_quotes(shared_data).premiums
    gone = without(premiums, date(2026, 5, 13), column_of(premiums, 415.0))
    done = replayed("protective_put_otm_95", shared_data, gone)
    mids = [10_000 * np.mean(quote) for quote in in_file(shared_data, 415.0)]
    assert done.series.hedge_value == pytest.approx([mids[0], mids[1], mids[1], mids[3], mids[4]])

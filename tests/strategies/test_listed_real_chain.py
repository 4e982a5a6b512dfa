"""Hedges of the real chain of 11 May 2026, against the rows of the file itself."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.builders import a_loan
from vaultdash.domain.errors import Refused
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption, StrategyKind, leg_at
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.frontier import frontier
from vaultdash.strategies.listed import build
from vaultdash.strategies.listed_measure import measure_listed

SPOT, DAY, LAST = 434.65, date(2026, 5, 11), date(2026, 9, 18)


@pytest.fixture
def chain(shared_data: Path) -> list[ListedOption]:
    rows = pl.read_csv(shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz", try_parse_dates=True)
    return [
        ListedOption(
            Right.PUT if row["type"] == "put" else Right.CALL,
            row["strike"],
            row["expiration"],
            row["bid"],
            row["ask"],
            open_interest=None if row["open_interest"] is None else int(row["open_interest"]),
        )
        for row in rows.filter((pl.col("quote_date") == DAY) & (pl.col("expiration") > DAY)).iter_rows(named=True)
    ]


@pytest.fixture
def case() -> HedgeCase:
    """60 % on a million, called at 75 %: at 347.72."""
    loan = a_loan(hedge_counting=HedgeCounting.CREDITED)
    return HedgeCase(SPOT, 1_000_000 / SPOT, loan, datetime(2026, 5, 11, 20, tzinfo=UTC))


def test_the_first_put_above_the_call_price_that_can_be_bought(chain: list[ListedOption], case: HedgeCase) -> None:
    hedge = build(StrategyKind.PROTECTIVE_PUT, chain, case, expiration=LAST)
    (leg,) = hedge.legs
    # the file quotes the 348 put with zeros; the 349 is 2.22 at 2.59, and 2,300.7 shares are 24 contracts
    assert (leg.contracts, leg.option.strike, leg.price) == (24, 349.0, 2.59)
    assert hedge.net_cost == pytest.approx(24 * 259 + 24 * 0.65)
    found = measure_listed(hedge, case)
    assert found.as_counted.keeps
    assert found.as_counted.worst_ltv == pytest.approx(600_000 / (case.units * 349))
    assert found.countings[HedgeCounting.IGNORED].deepest_fall == pytest.approx(0.2, abs=1e-8)
    assert found.least_open_interest == 259
    assert found.widest_spread == pytest.approx(0.37 / 2.405)
    delta = found.hedge_greeks.delta
    assert delta is not None
    assert -2_400 * 0.12 < delta < -2_400 * 0.04  # a fifth out of the money with four months to go


def test_the_collar_brings_money_and_needs_more_than_it_brings(chain: list[ListedOption], case: HedgeCase) -> None:
    hedge = build(StrategyKind.COLLAR, chain, case, expiration=LAST, strikes=(400.0, 480.0))
    # 24 puts at 9.85, 23 calls at 11.20
    assert hedge.net_cost == pytest.approx(24 * 985 - 23 * 1_120 + 47 * 0.65)
    calls = measure_listed(hedge, case).calls
    assert calls is not None
    assert calls.requirement == pytest.approx(2_300 * (11.5 + 0.25 * SPOT - (480 - SPOT)), rel=1e-4)
    assert calls.refusal


def test_no_leaps_are_made_of_a_chain_of_four_months(chain: list[ListedOption], case: HedgeCase) -> None:
    with pytest.raises(Refused, match="the longest ends on 18 Sep 2026"):
        build(StrategyKind.LEAPS, chain, case)


def test_no_single_put_of_the_chain_is_cheaper_than_the_best(chain: list[ListedOption], case: HedgeCase) -> None:
    last = [option for option in chain if option.expiration == LAST and option.ask]
    found = frontier(last, case)
    assert found.best is not None
    best = found.points[found.best]
    assert len(found.points) > 150
    for option in last:
        if option.right is not Right.PUT or not 347.72 < option.strike <= 380 or option.is_crossed:
            continue
        for count in range(18, 27):
            other = ListedHedge("put", (leg_at(option, count),))
            if other.net_cost < best.net_cost - 1e-6:
                assert not measure_listed(other, case).as_counted.keeps

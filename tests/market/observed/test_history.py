"""Recorded chains day by day: one kind a study, and what a day's recording says alone."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.market.observed.test_store import a_store, rows_of, the_file
from tests.market.observed.texts import DAY
from vaultdash.domain.errors import NotFound, Unavailable
from vaultdash.domain.option import Right
from vaultdash.market.base import ChainHistory, SnapshotKind
from vaultdash.market.observed.history import ObservedHistory

JUNE, JULY = date(2026, 6, 18), date(2026, 7, 17)
NEXT = DAY + timedelta(days=1)
AT_CLOSE, LATER, IN_SESSION = "T20:05:00Z", "T21:30:00Z", "T17:00:00Z"


def quoted(on: date, at: str, **cells: object) -> dict[str, object]:
    return {"quote_date": str(on), "quote_ts_utc": f"{on}{at}", **cells}


def recorded(folder: Path, *cells: dict[str, object]) -> ObservedHistory:
    store = a_store(folder)
    store.merge(rows_of(*cells))
    return ObservedHistory(store)


def test_it_is_a_chain_history(tmp_path: Path) -> None:
    history: ChainHistory = ObservedHistory(a_store(tmp_path))
    assert history.days("GLD") == ()
    assert history.usual_kind("GLD", DAY, NEXT) is None


def test_a_days_chains_come_back_by_expiration_with_its_own_prices(tmp_path: Path) -> None:
    history = recorded(
        tmp_path,
        quoted(DAY, AT_CLOSE, bid=6.1, underlying_price=430),
        quoted(DAY, AT_CLOSE, expiration=str(JULY), type="call"),
        quoted(NEXT, AT_CLOSE, bid=6.2, underlying_price=425),
    )
    assert history.days("gld") == (DAY, NEXT)
    chains = history.chains("gld", DAY)
    assert sorted(chains) == [JUNE, JULY]
    (put,), (call,) = chains[JUNE].quotes, chains[JULY].quotes
    assert (put.bid, put.contract.right, chains[JUNE].underlying.price) == (6.1, Right.PUT, 430.0)
    assert call.contract.right is Right.CALL
    assert chains[JUNE].source == "recorded 14 May 2026 (plain)"
    assert history.chains("GLD", NEXT)[JUNE].quotes[0].bid == 6.2


def test_the_usual_kind_is_the_one_that_most_days_have(tmp_path: Path) -> None:
    history = recorded(
        tmp_path,
        quoted(DAY, LATER),
        quoted(DAY, IN_SESSION),
        quoted(NEXT, IN_SESSION),
    )
    assert history.usual_kind("GLD", DAY, NEXT) is SnapshotKind.INTRADAY
    assert history.usual_kind("GLD", DAY, DAY) is SnapshotKind.REPORT
    assert history.usual_kind("SLV", DAY, DAY) is None
    assert history.days("GLD", SnapshotKind.REPORT) == (DAY,)
    assert history.days("GLD", SnapshotKind.INTRADAY, "plain") == (DAY, NEXT)
    assert history.days("GLD", source="other") == ()


def test_the_kind_that_is_asked_for_is_given_or_said_to_be_missing(tmp_path: Path) -> None:
    history = recorded(
        tmp_path, quoted(DAY, LATER, bid=6.0), quoted(DAY, IN_SESSION, bid=5.0), quoted(NEXT, LATER, bid=6.0)
    )
    assert history.chains("GLD", DAY)[JUNE].quotes[0].bid == 6.0
    assert history.chains("GLD", DAY, SnapshotKind.INTRADAY)[JUNE].quotes[0].bid == 5.0
    with pytest.raises(
        NotFound, match=r"2026-05-15, intraday; there are 2 days from 2026-05-14 to 2026-05-15\. `vault"
    ):
        history.chains("GLD", NEXT, SnapshotKind.INTRADAY)


def test_a_day_without_chains_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none at all\. `vault-dash snapshots import"):
        ObservedHistory(a_store(tmp_path)).chains("GLD", DAY)


def test_a_damaged_day_is_no_day_and_says_so_when_asked_for(tmp_path: Path) -> None:
    recorded(tmp_path, quoted(DAY, LATER), quoted(NEXT, LATER))
    file = the_file(tmp_path)
    file.write_bytes(file.read_bytes()[:-40])
    history = ObservedHistory(a_store(tmp_path))
    assert history.days("GLD") == (NEXT,)
    with pytest.raises(Unavailable):
        history.chains("GLD", DAY)

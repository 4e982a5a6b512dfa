"""What a contract was quoted at, day by day."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from tests.builders import a_chain, a_contract, a_quote, an_option_quote
from vaultdash.domain.option import OptionChain
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.store import REMEMBERED_CONTRACTS, ObservedSnapshots

CONTRACT = a_contract(450.0)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)


def chain_of(on: date, bid: float | None, ask: float | None) -> OptionChain:
    at = datetime(on.year, on.month, on.day, 20, 5, tzinfo=UTC)
    return a_chain(an_option_quote(CONTRACT, bid=bid, ask=ask), at=at, underlying=a_quote(at=at.replace(minute=0)))


def test_a_contract_has_its_mid_of_each_day_that_quoted_it(tmp_path: Path) -> None:
    store = ObservedSnapshots(tmp_path)
    for on, bid, ask in ((MONDAY, 4.0, 4.2), (TUESDAY, None, 4.0), (WEDNESDAY, 5.0, 5.2)):
        store.record(chain_of(on, bid, ask), on, SnapshotKind.CLOSE)
    assert store.mids(CONTRACT) == [(MONDAY, 4.1), (WEDNESDAY, 5.1)]
    assert store.mids(CONTRACT, most_sessions=1) == [(WEDNESDAY, 5.1)]
    assert store.mids(replace(CONTRACT, strike=460.0)) == []
    assert store.mids(replace(CONTRACT, root="SLV")) == []


def test_a_damaged_day_is_left_out(tmp_path: Path) -> None:
    store = ObservedSnapshots(tmp_path)
    for on in (MONDAY, TUESDAY):
        store.record(chain_of(on, 4.0, 4.2), on, SnapshotKind.CLOSE)
    (*_, path), _ = list(store.files("GLD"))
    path.write_bytes(path.read_bytes()[:-100])
    assert store.mids(CONTRACT) == [(TUESDAY, 4.1)]


class CountingSnapshots(ObservedSnapshots):
    """Counts the days that are read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[date] = []

    def load(self, underlying, on, kind=None, source=None):  # type: ignore[no-untyped-def]  # as the real one
        self.read.append(on)
        return super().load(underlying, on, kind, source)


def test_a_day_is_read_once_for_a_contract_and_again_when_its_file_has_changed(tmp_path: Path) -> None:
    store = CountingSnapshots(tmp_path)
    for on in (MONDAY, TUESDAY):
        store.record(chain_of(on, 4.0, 4.2), on, SnapshotKind.CLOSE)
    assert store.mids(CONTRACT) == store.mids(CONTRACT) == [(MONDAY, 4.1), (TUESDAY, 4.1)]
    assert store.read == [MONDAY, TUESDAY]
    store.record(chain_of(WEDNESDAY, 5.0, 5.2), WEDNESDAY, SnapshotKind.CLOSE)
    store.record(chain_of(MONDAY, 3.0, 3.2), MONDAY, SnapshotKind.CLOSE)
    assert store.mids(CONTRACT) == [(MONDAY, 3.1), (TUESDAY, 4.1), (WEDNESDAY, 5.1)]
    assert store.read == [MONDAY, TUESDAY, MONDAY, WEDNESDAY]
    assert store.mids(replace(CONTRACT, strike=460.0)) == []


def test_mids_of_many_contracts_are_not_all_remembered(tmp_path: Path) -> None:
    store = CountingSnapshots(tmp_path)
    store.record(chain_of(MONDAY, 4.0, 4.2), MONDAY, SnapshotKind.CLOSE)
    for number in range(REMEMBERED_CONTRACTS + 1):
        store.mids(replace(CONTRACT, strike=400.0 + number))
    store.mids(replace(CONTRACT, strike=400.0 + REMEMBERED_CONTRACTS))
    assert len(store.read) == REMEMBERED_CONTRACTS + 1
    store.mids(replace(CONTRACT, strike=400.0))
    assert len(store.read) == REMEMBERED_CONTRACTS + 2


def test_the_price_that_came_with_the_newest_chains_is_known(tmp_path: Path) -> None:
    store = ObservedSnapshots(tmp_path)
    assert store.last_price("GLD") is None
    for on in (MONDAY, TUESDAY):
        store.record(chain_of(on, 4.0, 4.2), on, SnapshotKind.CLOSE)
    found = store.last_price("GLD")
    assert found is not None
    assert (found.price, found.at.date(), found.is_stored) == (460.0, TUESDAY, True)

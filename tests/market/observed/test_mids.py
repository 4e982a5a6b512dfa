"""What a contract was quoted at, day by day."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from tests.builders import a_chain, a_contract, a_quote, an_option_quote
from vaultdash.domain.option import OptionChain
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.store import ObservedSnapshots

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

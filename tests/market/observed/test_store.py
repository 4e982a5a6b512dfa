"""Recorded chains on disk: nothing twice, nothing lost, damage found before it is used."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.market.observed.texts import DAY, HOURS, PLAIN, TODAY, csv_text
from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError, Refused, Unavailable
from vaultdash.market.base import SnapshotKind, SnapshotMerge, SnapshotStore
from vaultdash.market.observed.importing import Wish, read_text
from vaultdash.market.observed.merging import merged
from vaultdash.market.observed.schema import COLUMNS, DamagedSnapshots, dtypes
from vaultdash.market.observed.store import ObservedSnapshots

NIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def rows_of(*cells: dict[str, object], checksum: str = "aa") -> pl.DataFrame:
    """Rows of `option_eod` from plain ones."""
    _, reading = read_text(csv_text(PLAIN, *cells), "x.csv", Wish(), checksum, HOURS, TODAY)
    assert not reading.reasons
    return reading.rows


def a_chain_of(count: int, on: date = DAY, first: int = 300) -> pl.DataFrame:
    """As many contracts of one day."""
    return rows_of(*({"strike": first + number, "quote_date": str(on)} for number in range(count)))


def a_store(folder: Path) -> ObservedSnapshots:
    return ObservedSnapshots(folder, now=lambda: NIGHT)


def the_file(folder: Path, on: date = DAY, symbol: str = "GLD") -> Path:
    return folder / "option_eod" / f"underlying={symbol}" / f"year={on.year}" / f"{on}.parquet"


def as_written(file: Path) -> tuple[int, int, int]:
    """Which file it is, when it was written and how long it is; to read it changes nothing of that."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def test_it_is_a_snapshot_store(tmp_path: Path) -> None:
    store: SnapshotStore = a_store(tmp_path)
    assert store


FORMAT = """
underlying root osi quote_date snapshot_ts snapshot_kind expiration strike strike_milli right multiplier exercise
bid ask bid_size ask_size last open high low volume open_interest oi_asof price_basis
underlying_price underlying_basis iv_vendor delta_vendor gamma_vendor theta_vendor vega_vendor rho_vendor
greek_convention rate div_yield source source_file_sha256 flags
"""


def test_the_columns_are_those_of_the_format_in_order() -> None:
    assert list(COLUMNS) == FORMAT.split()
    types = dtypes()
    assert types["snapshot_ts"] == pl.Datetime("us", "UTC")
    assert (types["quote_date"], types["strike_milli"], types["volume"]) == (pl.Date, pl.Int32, pl.Int64)


def test_nothing_stored_is_not_found_and_makes_no_file(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(NotFound, match="no chains of GLD are recorded for 2026-05-14"):
        store.load("gld", DAY)
    assert (store.sessions(), store.recorded_expirations("GLD", DAY, SnapshotKind.CLOSE)) == ([], frozenset())
    assert list(tmp_path.iterdir()) == []


def test_rows_come_back_as_they_were_kept(tmp_path: Path) -> None:
    given_rows = rows_of({}, {"type": "call"}, {"strike": 419.5, "bid": "", "open_interest": ""})
    assert a_store(tmp_path).merge(given_rows) == SnapshotMerge(3, 0, 0)
    found = a_store(tmp_path).load("GLD", DAY)
    assert found.schema == given_rows.schema
    assert found.equals(given_rows.sort("expiration", "strike_milli", "right"))


def test_a_file_is_a_day_in_a_folder_of_its_year_and_plain_parquet(tmp_path: Path) -> None:
    a_store(tmp_path).merge(pl.concat([a_chain_of(2), a_chain_of(3, date(2025, 5, 14))]))
    assert the_file(tmp_path).is_file()
    assert the_file(tmp_path, date(2025, 5, 14)).is_file()
    metadata = pl.read_parquet_metadata(the_file(tmp_path))
    assert (metadata["vaultdash.schema_name"], metadata["vaultdash.schema"]) == ("option_eod", "1")
    everything = pl.read_parquet(tmp_path / "option_eod", hive_partitioning=True)
    assert everything.height == 5
    assert set(COLUMNS) <= set(everything.columns)
    assert sorted(everything["year"].unique()) == [2025, 2026]


def test_a_symbol_that_is_no_file_name_is_written_as_one(tmp_path: Path) -> None:
    a_store(tmp_path).merge(rows_of({"underlying": "^GVZ"}))
    assert the_file(tmp_path, symbol="%5EGVZ").is_file()
    assert [line.underlying for line in a_store(tmp_path).sessions()] == ["^GVZ"]
    assert a_store(tmp_path).load("^gvz", DAY)["osi"].to_list() == ["GVZ   260618P00420000"]


def test_the_same_rows_again_change_nothing_on_disk(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(50))
    before = as_written(the_file(tmp_path))
    assert store.merge(a_chain_of(50)) == SnapshotMerge(0, 0, 50)
    other_file = a_chain_of(50).with_columns(source_file_sha256=pl.lit("bb"))
    assert store.merge(other_file) == SnapshotMerge(0, 0, 50)
    assert as_written(the_file(tmp_path)) == before


def test_a_corrected_row_replaces_the_one_of_its_key_alone(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(3))
    change = store.merge(rows_of({"strike": 301, "bid": 5.9}, {"strike": 303}, checksum="bb"))
    assert change == SnapshotMerge(added=1, replaced=1, unchanged=0)
    rows = store.load("GLD", DAY)
    assert rows["bid"].to_list() == [6.1, 5.9, 6.1, 6.1]
    assert rows["source_file_sha256"].to_list() == ["aa", "bb", "aa", "bb"]


def test_a_row_that_leaves_out_quotes_leaves_the_stored_quotes(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(rows_of({"open_interest": ""}))
    quiet = {"bid": "", "ask": "", "last": "", "volume": "", "iv": "", "underlying_price": "", "open_interest": 77}
    assert store.merge(rows_of(quiet)) == SnapshotMerge(0, 1, 0)
    row = store.load("GLD", DAY).row(0, named=True)
    assert (row["bid"], row["ask"], row["last"], row["iv_vendor"]) == (6.1, 6.3, 6.2, 0.21)
    assert (row["open_interest"], row["flags"], row["underlying_price"]) == (77, 0, 430.0)


def test_a_bid_never_meets_the_ask_of_another_row(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(rows_of({"bid": 6.1, "ask": 6.3}))
    store.merge(rows_of({"bid": 6.6, "ask": ""}))
    row = store.load("GLD", DAY).row(0, named=True)
    assert (row["bid"], row["ask"]) == (6.6, None)


def test_sources_and_kinds_stand_side_by_side(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    rows = a_chain_of(3)
    store.merge(rows)
    store.merge(rows.head(2).with_columns(source=pl.lit("other")))
    store.merge(rows.head(1).with_columns(snapshot_kind=pl.lit("close_1600")))
    assert [(line.kind.value, line.source, line.contracts) for line in store.sessions()] == [
        ("close_1600", "plain", 1),
        ("eod_1715", "other", 2),
        ("eod_1715", "plain", 3),
    ]
    assert store.load("GLD", DAY).height == 1  # the close goes first
    assert store.load("GLD", DAY, SnapshotKind.REPORT).height == 3  # then the one with most contracts
    assert store.load("GLD", DAY, SnapshotKind.REPORT, "other").height == 2
    with pytest.raises(NotFound, match="t1545"):
        store.load("GLD", DAY, SnapshotKind.BEFORE_CLOSE)


def test_a_frame_of_another_form_is_refused(tmp_path: Path) -> None:
    store, rows = a_store(tmp_path), a_chain_of(2)
    with pytest.raises(InvalidInput, match="wrong: rate"):
        store.merge(rows.drop("rate"))
    with pytest.raises(InvalidInput, match="wrong: strike_milli"):
        store.merge(rows.with_columns(pl.col("strike_milli").cast(pl.Int64)))
    with pytest.raises(InvalidInput, match="order"):
        store.merge(rows.select(*reversed(rows.columns)))
    with pytest.raises(InvalidInput, match="each contract of a snapshot once"):
        store.merge(pl.concat([rows, rows]))
    with pytest.raises(InvalidInput, match="must have a value in right"):
        store.merge(rows.with_columns(right=pl.lit(None, pl.String)))
    assert list(tmp_path.iterdir()) == []


cells = st.fixed_dictionaries(
    {
        "strike": st.sampled_from([400, 401, 402]),
        "bid": st.sampled_from(["", 0, 1.5, 2.0]),
        "ask": st.sampled_from(["", 0, 1.5, 2.5]),
        "last": st.sampled_from(["", 0, 1.8]),
        "volume": st.sampled_from(["", 0, 7]),
        "open_interest": st.sampled_from(["", 0, 9]),
        "iv": st.sampled_from(["", 0, 0.00001, 0.2]),
        "underlying_price": st.sampled_from(["", 430]),
        "quote_ts_utc": st.sampled_from(["2026-05-14T21:30:00Z", "2026-05-14T21:31:00Z"]),
    }
)


@settings(max_examples=25, deadline=None)
@given(first=st.lists(cells, min_size=1, max_size=5), second=st.lists(cells, min_size=1, max_size=5))
def test_merging_twice_is_merging_once(first: list[dict[str, object]], second: list[dict[str, object]]) -> None:
    kept, newer = rows_of(*first), rows_of(*second)
    once, change = merged(kept, newer)
    twice, again = merged(once, newer)
    assert (again.added, again.replaced) == (0, 0)
    assert twice.equals(once)
    assert once.height == kept.height + change.added
    assert once.columns == list(COLUMNS)


# damage


def _flip(content: bytes) -> bytes:
    return content[:400] + bytes([content[400] ^ 4]) + content[401:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "one bit": _flip,
    "text": lambda content: b"strike,bid\n420,6\n",
    "longer": lambda content: content + b"x",
    "not sealed": lambda content: content.replace(b"sha256:", b"sha257:"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_day_is_named_not_used_and_kept_aside_by_the_next_merge(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    store = a_store(tmp_path)
    store.merge(pl.concat([a_chain_of(30), a_chain_of(5, DAY + timedelta(days=1))]))
    path = the_file(tmp_path)
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with pytest.raises(DamagedSnapshots, match=r"2026-05-14\.parquet are damaged .* import them again") as caught:
        store.load("GLD", DAY)
    assert isinstance(caught.value, ProviderError)
    with capture_logs() as logs:
        assert [line.on for line in store.sessions()] == [DAY + timedelta(days=1)]
        assert store.recorded_expirations("GLD", DAY, SnapshotKind.CLOSE) == frozenset()
    assert {entry["file"] for entry in logs} == {str(path)}
    assert store.merge(a_chain_of(2)) == SnapshotMerge(2, 0, 0)
    (aside,) = path.parent.glob("2026-05-14.parquet.corrupt-*")
    assert aside.read_bytes() == broken
    assert store.load("GLD", DAY).height == 2
    assert len(store.sessions()) == 2


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(40))
    path = the_file(tmp_path)
    sound = path.read_bytes()
    chance = random.Random(3)
    for _ in range(200):
        broken = bytearray(sound)
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(DamagedSnapshots):
            store.load("GLD", DAY)


def test_a_file_under_another_name_is_not_taken_for_it(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(2))
    other = the_file(tmp_path, DAY + timedelta(days=1))
    the_file(tmp_path).rename(other)
    with pytest.raises(DamagedSnapshots, match="are of GLD on 2026-05-14, not of GLD on 2026-05-15"):
        store.load("GLD", DAY + timedelta(days=1))


def test_a_file_of_a_later_release_is_neither_used_nor_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    with monkeypatch.context() as later:
        later.setattr("vaultdash.market.observed.schema.SCHEMA_VERSION", "2")
        store.merge(a_chain_of(2))
    before = the_file(tmp_path).read_bytes()
    for call in (lambda: store.load("GLD", DAY), lambda: store.merge(a_chain_of(1))):
        with pytest.raises(Refused, match="later release"):
            call()
    assert the_file(tmp_path).read_bytes() == before


def test_strange_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(2))
    for name in ("2026-13-40.parquet", "notes.parquet"):
        (the_file(tmp_path).parent / name).write_bytes(b"?")
    assert len(store.sessions()) == 1


def test_what_a_killed_writer_left_is_removed_by_a_merge_an_hour_later_and_nothing_else_is(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(1))
    folder = the_file(tmp_path).parent
    names = {
        ".2026-05-13.parquet.ab12.part": 61,
        f".{DAY}.parquet.cd34.part": 61,
        f".{DAY}.parquet.ef56.part": 59,
        "mine.part": 600,
        f"{DAY}.parquet.corrupt-1": 600,
    }
    for name, minutes in names.items():
        (folder / name).write_bytes(b"half")
        at = (NIGHT - timedelta(minutes=minutes)).timestamp()
        os.utime(folder / name, (at, at))
    store.merge(a_chain_of(2))
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [f"{DAY}.parquet", f".{DAY}.parquet.ef56.part", "mine.part", f"{DAY}.parquet.corrupt-1"]
    )


def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    store.merge(a_chain_of(2))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="could not be written: No space left"):
            store.merge(a_chain_of(3))
    assert store.load("GLD", DAY).height == 2
    assert list(tmp_path.rglob("*.part")) == []


# processes


MERGE_SLICES = """
import sys
from pathlib import Path
import polars as pl
from vaultdash.market.observed.store import ObservedSnapshots
folder, first = Path(sys.argv[1]), int(sys.argv[2])
rows, store = pl.read_parquet(folder / "rows.parquet"), ObservedSnapshots(folder)
for number in range(first, first + 10):
    store.merge(rows[number : number + 1])
"""

MERGE_FOR_EVER = """
import itertools, sys
from pathlib import Path
import polars as pl
from vaultdash.market.observed.store import ObservedSnapshots
folder = Path(sys.argv[1])
rows, store = pl.read_parquet(folder / "rows.parquet"), ObservedSnapshots(folder)
for number in itertools.count(1):
    store.merge(rows.with_columns(bid=pl.lit(0.01 * number), ask=pl.lit(0.02 * number)))
    if number == 1:
        print("ready", flush=True)
"""


def start(script: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_that_merge_at_once_lose_nothing(tmp_path: Path) -> None:
    a_chain_of(20).write_parquet(tmp_path / "rows.parquet")
    workers = [start(MERGE_SLICES, tmp_path, first) for first in ("0", "10")]
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    assert a_store(tmp_path).load("GLD", DAY)["strike"].to_list() == [300.0 + number for number in range(20)]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_writer_killed_at_any_moment_leaves_whole_files(tmp_path: Path) -> None:
    a_chain_of(500).write_parquet(tmp_path / "rows.parquet")
    chance = random.Random(11)
    for _ in range(3):
        worker = start(MERGE_FOR_EVER, tmp_path)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        time.sleep(0.1 + 0.2 * chance.random())
        worker.kill()
        worker.communicate()
        kept = a_store(tmp_path).load("GLD", DAY)
        assert (kept.height, kept["bid"].n_unique()) == (500, 1)  # one merge, wholly
    assert a_store(tmp_path).merge(a_chain_of(1, first=290)).added == 1  # the lock is free

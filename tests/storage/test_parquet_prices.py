"""Prices in files: nothing lost, nothing invented, damage found before it is used."""

import json
import multiprocessing
import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs

from tests.builders import NOON, a_history, a_quote
from vaultdash.domain.errors import InvalidInput, ProviderError, Refused, Unavailable
from vaultdash.domain.market import DEMO_SOURCE, Bar, PriceHistory
from vaultdash.files.whole import StoreUnavailable
from vaultdash.market.base import StoredPrices
from vaultdash.storage.base import MergeResult, PriceStore, StoredSeries
from vaultdash.storage.history_file import DamagedHistory
from vaultdash.storage.parquet_prices import ParquetPrices

MONDAY = date(2026, 6, 8)


def a_store(folder: Path, now: datetime = NOON) -> ParquetPrices:
    return ParquetPrices(folder, now=lambda: now)


def a_full_bar(on: date = MONDAY, close: float = 400.0, **fields: float | None) -> Bar:
    given: dict[str, float | None] = {"open": 399.0, "high": 402.5, "low": 398.25, "volume": 1e7, **fields}
    return Bar(on, close, **given)


def days(count: int, start: date = MONDAY) -> dict[date, float]:
    return {start + timedelta(days=number): 400.0 + number for number in range(count)}


@pytest.fixture
def store(tmp_path: Path) -> ParquetPrices:
    return a_store(tmp_path)


def the_file(folder: Path, symbol: str = "GLD") -> Path:
    return folder / "history" / f"{symbol}.parquet"


def as_written(file: Path) -> tuple[int, int, int]:
    """Which file it is, when it was written and how long it is; to read it changes nothing of that."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def test_it_is_a_price_store(store: ParquetPrices) -> None:
    kept: PriceStore = store
    read: StoredPrices = store
    assert kept is read


def test_nothing_stored_is_none_and_makes_no_file(store: ParquetPrices, tmp_path: Path) -> None:
    assert store.load_history("GLD") is None
    assert store.load_quote("GLD") is None
    assert store.list_histories() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("symbol", ["GLD", "^GVZ", "GC=F", "BRK.B", "BRK-B"])
def test_bars_come_back_as_they_were_kept(tmp_path: Path, symbol: str) -> None:
    bars = (a_full_bar(), Bar(MONDAY + timedelta(days=1), 401.123456789), a_full_bar(date(2026, 6, 10), volume=None))
    history = PriceHistory(symbol, "Yahoo", bars)
    assert a_store(tmp_path).merge_history(history) == MergeResult(3, 0, 0)
    assert a_store(tmp_path).load_history(symbol.lower()) == history
    assert [line.symbol for line in a_store(tmp_path).list_histories()] == [symbol]


def test_rates_below_zero_are_kept(store: ParquetPrices) -> None:
    rates = a_history({MONDAY: -0.05, date(2026, 6, 9): 0.0}, "^IRX")
    store.merge_history(rates)
    assert store.load_history("^IRX") == rates


def test_a_later_merge_replaces_the_same_day_and_keeps_the_rest(store: ParquetPrices) -> None:
    store.merge_history(a_history(days(3), source="gld.csv (imported)"))
    fetched = {date(2026, 6, 9): 401.0, date(2026, 6, 10): 444.0, date(2026, 6, 11): 445.0}
    assert store.merge_history(a_history(fetched, source="Yahoo")) == MergeResult(added=1, replaced=1, unchanged=1)
    history = store.load_history("GLD")
    assert history is not None
    assert {bar.on: bar.close for bar in history.bars} == {MONDAY: 400.0} | fetched


def test_the_source_names_all_sources_in_the_order_of_their_first_bar(store: ParquetPrices) -> None:
    store.merge_history(a_history({date(2026, 6, 10): 402.0}, source="Yahoo"))
    store.merge_history(a_history({MONDAY: 400.0}, source="gld.csv (imported)"))
    store.merge_history(a_history({date(2026, 6, 11): 403.0}, source="gld.csv (imported)"))
    history = store.load_history("GLD")
    assert history is not None
    assert history.source == "gld.csv (imported), Yahoo"


def test_a_source_whose_bars_were_all_replaced_is_named_no_more(store: ParquetPrices) -> None:
    store.merge_history(a_history({MONDAY: 400.0}, source="old.csv (imported)"))
    store.merge_history(a_history({MONDAY: 401.0}, source="Yahoo"))
    assert store.list_histories() == [StoredSeries("GLD", "Yahoo", MONDAY, MONDAY, 1)]


def test_the_same_numbers_again_change_nothing_on_disk(store: ParquetPrices, tmp_path: Path) -> None:
    store.merge_history(PriceHistory("GLD", "Yahoo", (a_full_bar(),)))
    before = as_written(the_file(tmp_path))
    assert store.merge_history(PriceHistory("GLD", "again", (a_full_bar(),))) == MergeResult(0, 0, 1)
    assert store.merge_history(PriceHistory("GLD", "rounded", (Bar(MONDAY, 400.004),))) == MergeResult(0, 0, 1)
    assert as_written(the_file(tmp_path)) == before
    assert store.load_history("GLD") == PriceHistory("GLD", "Yahoo", (a_full_bar(),))


def test_a_close_alone_that_differs_replaces_a_full_bar(store: ParquetPrices) -> None:
    store.merge_history(PriceHistory("GLD", "Yahoo", (a_full_bar(),)))
    assert store.merge_history(a_history({MONDAY: 410.0})) == MergeResult(0, 1, 0)


def test_demo_prices_are_refused(store: ParquetPrices, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="never stored"):
        store.merge_history(a_history(days(3), source=DEMO_SOURCE))
    with pytest.raises(Refused, match="never stored"):
        store.save_quote(a_quote(source=DEMO_SOURCE))
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_symbol_is_refused(store: ParquetPrices) -> None:
    for symbol in ("../GLD", "a/b", "", ".parquet"):
        with pytest.raises(InvalidInput, match="symbol"):
            store.load_history(symbol)
        with pytest.raises(InvalidInput, match="symbol"):
            store.load_quote(symbol)


def test_repeated_loads_do_not_read_the_file_again(store: ParquetPrices) -> None:
    store.merge_history(a_history(days(3)))
    assert store.load_history("GLD") is store.load_history("GLD")


def test_a_load_sees_what_another_process_merged(tmp_path: Path) -> None:
    reader = a_store(tmp_path)
    a_store(tmp_path).merge_history(a_history(days(1)))
    assert reader.load_history("GLD") == a_history(days(1))
    a_store(tmp_path).merge_history(a_history(days(2)))
    assert reader.load_history("GLD") == a_history(days(2))
    the_file(tmp_path).unlink()
    assert reader.load_history("GLD") is None


def test_the_file_is_plain_parquet(store: ParquetPrices, tmp_path: Path) -> None:
    store.merge_history(a_history(days(3), "^GVZ", "Yahoo"))
    frame = pl.read_parquet(the_file(tmp_path, "%5EGVZ"))
    assert frame.columns == ["date", "open", "high", "low", "close", "volume", "source"]
    assert frame["close"].to_list() == [400.0, 401.0, 402.0]
    metadata = pl.read_parquet_metadata(the_file(tmp_path, "%5EGVZ"))
    assert (metadata["vaultdash.symbol"], metadata["vaultdash.schema"]) == ("^GVZ", "1")


def test_no_temporary_file_is_left(store: ParquetPrices, tmp_path: Path) -> None:
    store.merge_history(a_history(days(3)))
    store.save_quote(a_quote())
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"GLD.parquet", "GLD.json", ".lock"}


def test_threads_that_merge_at_once_lose_nothing(tmp_path: Path) -> None:
    def merge(number: int) -> None:
        a_store(tmp_path).merge_history(a_history({MONDAY + timedelta(days=number): 400.0 + number}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(merge, range(40)))
    assert a_store(tmp_path).load_history("GLD") == a_history(days(40))


def _merge_twenty(folder: str, first: int) -> None:
    for number in range(first, first + 20):
        a_store(Path(folder)).merge_history(a_history({MONDAY + timedelta(days=number): 400.0 + number}))


def test_processes_that_merge_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_merge_twenty, args=(str(tmp_path), first)) for first in (0, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert a_store(tmp_path).load_history("GLD") == a_history(days(40))


def test_a_writer_that_dies_releases_its_lock_and_leaves_the_old_file(tmp_path: Path) -> None:
    a_store(tmp_path).merge_history(a_history(days(2)))
    script = (
        "import os, sys; from pathlib import Path; from vaultdash.files import whole as files\n"
        "folder = Path(sys.argv[1]) / 'history'\n"
        "Path.replace = lambda *_: os._exit(9)\n"
        "with files.locked(folder / '.lock'):\n"
        "    files.replace_file(folder / 'GLD.parquet', b'half')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == 9
    assert a_store(tmp_path).merge_history(a_history(days(3))) == MergeResult(1, 0, 2)


def _flip(content: bytes) -> bytes:
    return content[:200] + bytes([content[200] ^ 4]) + content[201:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "one bit": _flip,
    "text": lambda content: b"date,close\n2026-06-08,400\n",
    "zeros": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"x",
    "not sealed": lambda content: content.replace(b"sha256:", b"sha257:"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_named_and_not_used(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = a_store(tmp_path)
    store.merge_history(a_history(days(30)))
    store.merge_history(a_history(days(2), "IAU"))
    path = the_file(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    for _ in range(2):
        with pytest.raises(DamagedHistory, match=r"GLD\.parquet is damaged .* import it again") as caught:
            store.load_history("GLD")
    assert isinstance(caught.value, ProviderError)
    with capture_logs() as logs:
        assert [line.symbol for line in store.list_histories()] == ["IAU"]
    assert logs[0]["file"] == str(path)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_merge_keeps_a_damaged_file_aside(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = a_store(tmp_path)
    store.merge_history(a_history(days(30)))
    path = the_file(tmp_path)
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with capture_logs() as logs:
        assert store.merge_history(a_history(days(2))) == MergeResult(2, 0, 0)
    (aside,) = path.parent.glob("GLD.parquet.corrupt-*")
    assert aside.read_bytes() == broken
    assert logs[0]["kept_as"] == str(aside)
    assert store.load_history("GLD") == a_history(days(2))
    assert [line.bars for line in store.list_histories()] == [2]


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge_history(a_history(days(300)))
    path = the_file(tmp_path)
    sound = path.read_bytes()
    chance = random.Random(7)
    for _ in range(300):
        broken = bytearray(sound)
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(DamagedHistory):
            store.load_history("GLD")


def test_a_file_under_another_name_is_not_taken_for_it(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.merge_history(a_history(days(3), "^GVZ"))
    the_file(tmp_path, "%5EGVZ").rename(the_file(tmp_path))
    with pytest.raises(DamagedHistory, match="holds \\^GVZ, not GLD"):
        store.load_history("GLD")


def test_a_file_of_a_later_release_is_neither_used_nor_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    with monkeypatch.context() as later:
        later.setattr("vaultdash.storage.history_file.SCHEMA", "2")
        store.merge_history(a_history(days(3)))
    before = the_file(tmp_path).read_bytes()
    with pytest.raises(Refused, match="later release"):
        store.load_history("GLD")
    with pytest.raises(Refused, match="later release"):
        store.merge_history(a_history(days(1)))
    assert the_file(tmp_path).read_bytes() == before


def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)
    store.merge_history(a_history(days(2)))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable, match=r"GLD\.parquet could not be written: No space left") as caught:
            store.merge_history(a_history(days(3)))
        with pytest.raises(OSError, match="No space left"):
            store.save_quote(a_quote())
    assert isinstance(caught.value, Unavailable)
    assert store.load_history("GLD") == a_history(days(2))
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="data"):
        a_store(tmp_path / "data").merge_history(a_history(days(1)))
    with pytest.raises(Unavailable, match="could not be read"):
        a_store(tmp_path / "data").load_history("GLD")


def test_a_lock_that_stays_taken_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vaultdash.files import whole as files

    monkeypatch.setattr(files, "LOCK_WAIT_SECONDS", 0.05)
    with files.locked(tmp_path / "history" / ".lock"), pytest.raises(Unavailable, match="Another process"):
        a_store(tmp_path).merge_history(a_history(days(1)))
    assert a_store(tmp_path).merge_history(a_history(days(1))).added == 1


def test_a_quote_comes_back_with_its_own_time_and_source(tmp_path: Path) -> None:
    quote = a_quote(symbol="^GVZ", source="Yahoo", delay_seconds=900.0)
    a_store(tmp_path).save_quote(quote)
    assert a_store(tmp_path).load_quote("^gvz") == quote


def test_an_older_quote_does_not_replace_a_newer(store: ParquetPrices) -> None:
    newer, older = a_quote(461.0), a_quote(460.0, at=NOON - timedelta(seconds=1))
    store.save_quote(newer)
    store.save_quote(older)
    store.save_quote(a_quote(999.0))
    assert store.load_quote("GLD") == newer
    latest = a_quote(462.0, at=NOON + timedelta(seconds=1))
    store.save_quote(latest)
    assert store.load_quote("GLD") == latest


BROKEN_QUOTES = {
    "empty": "",
    "no JSON": "{",
    "no object": "[1]",
    "null": "null",
    "no price": json.dumps({"symbol": "GLD"}),
    "bytes": "\x00\x01",
}


@pytest.mark.parametrize("content", BROKEN_QUOTES.values(), ids=BROKEN_QUOTES.keys())
def test_a_broken_quote_counts_as_none_and_is_replaced(tmp_path: Path, content: str) -> None:
    store = a_store(tmp_path)
    (tmp_path / "quotes").mkdir()
    (tmp_path / "quotes" / "GLD.json").write_text(content)
    with capture_logs() as logs:
        assert store.load_quote("GLD") is None
    assert logs[0]["file"].endswith("GLD.json")
    store.save_quote(a_quote())
    assert store.load_quote("GLD") == a_quote()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", -1.0),
        ("price", float("nan")),
        ("price", "text"),
        ("price", None),
        ("at", "2026-06-10T16:00:00"),
        ("at", "yesterday"),
        ("at", 5),
        ("symbol", "IAU"),
        ("source", DEMO_SOURCE),
        ("market_state", "asleep"),
    ],
)
def test_a_quote_with_an_impossible_field_counts_as_none(tmp_path: Path, field: str, value: object) -> None:
    store = a_store(tmp_path)
    store.save_quote(a_quote())
    path = tmp_path / "quotes" / "GLD.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    assert store.load_quote("GLD") is None


def test_a_quote_made_under_a_wrong_clock_blocks_no_later_one(tmp_path: Path) -> None:
    a_store(tmp_path, now=datetime(2033, 1, 1, tzinfo=UTC)).save_quote(a_quote(at=datetime(2033, 1, 1, tzinfo=UTC)))
    store = a_store(tmp_path)
    assert store.load_quote("GLD") is None
    store.save_quote(a_quote())
    assert store.load_quote("GLD") == a_quote()


def test_the_store_is_imported_without_polars() -> None:
    modules = "vaultdash.storage.parquet_prices, vaultdash.storage.price_csv"
    script = f"import sys, {modules}; print('polars' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"

"""The figures of an import, checked by hand, and those of real chains."""

from datetime import date
from pathlib import Path

import pytest

from tests.market.observed.texts import DAY, HOURS, PLAIN, a_file, imported
from vaultdash.domain.option import QuoteFlag
from vaultdash.market.base import SnapshotKind, SnapshotMerge
from vaultdash.market.observed.checking import check_store
from vaultdash.market.observed.store import ObservedSnapshots


def pair(strike: float, call: float, put: float, **cells: object) -> list[dict[str, object]]:
    """A call and a put of a strike by their mids, a dime apart."""
    return [
        {"strike": strike, "type": right, "bid": mid - 0.05, "ask": mid + 0.05, "underlying_price": 430, **cells}
        for right, mid in (("call", call), ("put", put))
    ]


def test_parity_is_measured_near_the_money(tmp_path: Path) -> None:
    rows = [
        *pair(425, 16.0, 10.0),  # forward 431
        *pair(430, 13.0, 12.0),  # 431
        *pair(435, 10.2, 14.0),  # 431.20
        *pair(300, 131.0, 1.0),  # far from the money
        *pair(430, 20.0, 3.0, expiration="2026-07-17"),  # alone in its expiration
    ]
    _, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, *rows))
    parity = report.sessions[0].parity
    assert parity is not None
    assert parity.pairs == 3
    assert parity.dispersion == pytest.approx(0.0)  # median of 0, 0 and 0.20
    assert parity.residual == pytest.approx(1.0)
    assert parity.carry == pytest.approx(1 / 430 * 365 / 35)


def test_parity_without_a_price_of_the_underlying_is_how_the_forwards_scatter(tmp_path: Path) -> None:
    rows = [*pair(425, 16.0, 10.0), *pair(430, 13.0, 12.0), *pair(435, 10.2, 14.0)]
    _, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, *({**row, "underlying_price": ""} for row in rows)))
    parity = report.sessions[0].parity
    assert parity is not None
    assert (parity.pairs, parity.residual, parity.carry) == (3, None, None)


def test_shares_and_days_are_those_of_the_rows(tmp_path: Path) -> None:
    rows = [
        {},
        {"strike": 421, "bid": 0},
        {"strike": 422, "bid": 7, "ask": 6.5},
        {"strike": 423, "expiration": "2027-01-15"},
    ]
    _, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, *rows))
    (line,) = report.sessions
    assert (line.contracts, line.expirations, line.shortest_dte, line.longest_dte) == (4, 2, 35, 246)
    assert (line.two_sided, line.crossed, line.underlying_price, line.parity) == (0.5, 0.25, 430.0, None)


def test_the_real_chains_of_gld_are_taken_whole_and_only_once(tmp_path: Path, shared_data: Path) -> None:
    path = shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz"
    store, (report,) = imported(tmp_path, path)
    assert (report.rows_read, report.kept, report.rejected_count) == (15_997, 15_997, 0)
    assert report.stored == SnapshotMerge(15_997, 0, 0)
    assert [(line.on, line.contracts) for line in report.sessions] == [
        (date(2026, 5, 11), 3108),
        (date(2026, 5, 12), 3191),
        (date(2026, 5, 13), 3191),
        (date(2026, 5, 14), 3199),
        (date(2026, 5, 15), 3308),
    ]
    assert {line.kind for line in report.sessions} == {SnapshotKind.REPORT}  # read from 17:37 to 19:36 New York
    assert (report.missing_sessions, report.other_days) == ((), ())
    for line in report.sessions:
        assert 0.84 < line.two_sided < 0.88
        assert line.crossed == 0
        assert line.parity is not None
        assert line.parity.pairs > 200
        assert line.parity.dispersion < 0.07
    rows = store.load("GLD", date(2026, 5, 15))
    assert rows["ask"].min() > 0  # type: ignore[operator]  # a column of prices has a smallest
    bad = rows.filter((rows["flags"] & int(QuoteFlag.VENDOR_IV_BAD)) != 0)
    assert bad["iv_vendor"].null_count() == bad.height > 100
    _, (again,) = imported(tmp_path, path)
    assert again.stored == SnapshotMerge(0, 0, 15_997)


def test_the_real_chain_of_slv_is_taken_whole(tmp_path: Path, shared_data: Path) -> None:
    store, (report,) = imported(tmp_path, shared_data / "chains" / "slv_2026-06-15.csv.gz")
    assert (report.kept, report.rejected_count) == (5550, 0)
    (line,) = report.sessions
    assert (line.expirations, line.longest_dte, line.underlying_price) == (28, 914, 63.28)
    assert line.parity is not None
    assert line.parity.carry == pytest.approx(0.043, abs=0.002)
    assert store.load("SLV", date(2026, 6, 15))["delta_vendor"].null_count() == 0


# the check of what is stored


def test_a_sound_store_has_its_figures_and_gaps(tmp_path: Path) -> None:
    rows = [{}, {"quote_date": "2026-05-18"}, {"quote_date": "2026-05-25", "bid": 0}, {"underlying": "SLV"}]
    store, _ = imported(tmp_path, a_file(tmp_path, PLAIN, *(row | {"quote_ts_utc": ""} for row in rows)))
    found = check_store(store, HOURS)
    assert (found.files, found.problems, found.aside) == (4, (), ())
    gld, slv = found.series
    assert (gld.underlying, gld.first, gld.last, gld.sessions, gld.contracts) == ("GLD", DAY, date(2026, 5, 25), 3, 3)
    assert gld.missing == (date(2026, 5, 15), *(date(2026, 5, day) for day in range(19, 23)))
    assert gld.other_days == (date(2026, 5, 25),)  # Memorial Day
    assert gld.two_sided == pytest.approx(2 / 3)
    assert (slv.sessions, slv.missing) == (1, ())
    assert check_store(store, HOURS, "SLV").files == 1


def test_a_damaged_day_is_a_problem_and_the_rest_is_checked(tmp_path: Path) -> None:
    store, _ = imported(tmp_path, a_file(tmp_path, PLAIN, {}, {"quote_date": "2026-05-15"}))
    (_, _, first), (_, _, second) = store.files()
    first.write_bytes(first.read_bytes()[:-1])
    found = check_store(store, HOURS)
    assert found.files == 2
    assert [str(first) in problem for problem in found.problems] == [True]
    assert [line.first for line in found.series] == [date(2026, 5, 15)]
    imported(tmp_path, a_file(tmp_path, PLAIN, {}))
    mended = check_store(store, HOURS)
    assert mended.problems == ()
    assert [path.name.startswith(first.name) for path in mended.aside] == [True]
    second.rename(second.with_name("2026-05-19.parquet"))
    assert "not of GLD on 2026-05-19" in check_store(store, HOURS).problems[0]


def test_twins_in_a_file_are_a_problem(tmp_path: Path) -> None:
    import polars as pl

    from vaultdash.market.observed.schema import packed

    store, _ = imported(tmp_path, a_file(tmp_path, PLAIN, {}))
    rows = store.load("GLD", DAY)
    ((_, _, path),) = store.files()
    path.write_bytes(packed(pl.concat([rows, rows]), "GLD", DAY))
    (problem,) = check_store(store, HOURS).problems
    assert "each contract of a snapshot once" in problem
    path.write_bytes(packed(rows.drop("rate"), "GLD", DAY))
    assert len(check_store(store, HOURS).problems) == 1
    path.write_bytes(packed(rows.with_columns(underlying=pl.lit("SLV")), "GLD", DAY))
    assert "holds rows of another symbol" in check_store(store, HOURS).problems[0]


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    found = check_store(ObservedSnapshots(tmp_path), HOURS)
    assert (found.files, found.problems, found.series) == (0, (), ())

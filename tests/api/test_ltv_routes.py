"""LTV over time by the API: rows, gaps, days, portfolios, and a file that a spreadsheet cannot be harmed by."""

import csv
import gzip
import io
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars
import pytest

from tests.api.json_schema import validate
from tests.builders import NOON, an_ltv_record
from tests.conftest import BASE_URL
from tests.storage.records_at_once import write_at_once
from vaultdash.api.ltv_routes import COLUMNS
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

PATH = "/api/history/ltv"


@pytest.fixture
async def vault(demo_vault: Vault) -> Vault:
    """The demo house with its database open, and nothing in it but the first portfolio."""
    await demo_vault.open()
    return demo_vault


@pytest.fixture
async def client(vault: Vault, demo_settings: Callable[..., Settings]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(demo_settings(), vault, pages=False))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as asking:
        yield asking


async def write(vault: Vault, records: Sequence[LtvRecord]) -> None:
    async with vault.database.transaction() as into:
        for record in records:
            await into.ltv.add(record)


async def get(client: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    answer = await client.get(PATH, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_nothing_written_yet_is_an_empty_answer(client: httpx.AsyncClient) -> None:
    assert await get(client) == {
        "portfolio_id": "main", "days": 90, "first": None, "last": None, "records": [], "gaps": [],
    }  # fmt: skip


async def test_a_record_is_told_as_it_was_written(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(NOON - timedelta(hours=1), 0.1 + 0.2, is_fresh=False, market_open=False)])
    answer = await get(client)
    (row,) = answer["records"]
    assert row == {
        "at": "2026-06-10T15:00:00Z",
        "kind": "hourly",
        "price": 600_000.0 / (1_000_000 / 460 * (0.1 + 0.2)),
        "quote_at": "2026-06-10T15:00:00Z",
        "source": "test",
        "stale": True,
        "demo": False,
        "market_open": False,
        "loan_amount": 600_000.0,
        "gold_value": 600_000.0 / (0.1 + 0.2),
        "hedge_value": 0.0,
        "ltv": 0.1 + 0.2,
        "lender_ltv": 0.1 + 0.2,
        "ltv_after_payment": 0.1 + 0.2,
        "ltv_credited": 0.1 + 0.2,
        "warning_ltv": 0.70,
        "margin_call_ltv": 0.75,
        "close_out_ltv": 0.85,
    }
    assert (answer["first"], answer["last"]) == (row["at"], row["at"])


async def test_an_ltv_without_end_is_null_and_no_error(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(NOON, ltv_credited=float("inf"))])
    assert (await get(client))["records"][0]["ltv_credited"] is None


async def test_gaps_are_told_with_their_length(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(NOON - timedelta(hours=hours)) for hours in (30, 29, 5.5, 0)])
    assert (await get(client))["gaps"] == [
        {"start": "2026-06-09T11:00:00Z", "end": "2026-06-10T10:30:00Z", "hours": 23.5},
        {"start": "2026-06-10T10:30:00Z", "end": "2026-06-10T16:00:00Z", "hours": 5.5},
    ]


@pytest.mark.parametrize(("days", "count"), [(7, 1), (30, 2), (90, 3), (365, 4), ("all", 5), (36_600, 5)])
async def test_the_days_asked_for_are_given(
    client: httpx.AsyncClient, vault: Vault, days: object, count: int
) -> None:
    await write(vault, [an_ltv_record(NOON - timedelta(days=back)) for back in (400, 100, 80, 20, 3)])
    answer = await get(client, days=days)
    assert len(answer["records"]) == count
    assert answer["days"] == (None if days == "all" else days)


@pytest.mark.parametrize("days", ["0", "-7", "7.5", "", "nan", "36601", "1e3", "٣", "ALL", "9" * 11, " 7"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}.csv"])
async def test_other_days_are_refused_with_a_reason(client: httpx.AsyncClient, path: str, days: str) -> None:
    answer = await client.get(path, params={"days": days})
    assert answer.status_code == 422
    assert answer.json()["error"]["argument"] == "days"


@pytest.mark.parametrize("name", ["nobody", "../etc", "'; DROP TABLE ltv; --", "MAIN", "\0", "x" * 40])
async def test_a_portfolio_that_never_was_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(PATH, params={"portfolio": name})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_removed_portfolio_keeps_its_history(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(portfolio_id="sold")])
    assert len((await get(client, portfolio="sold"))["records"]) == 1


async def test_an_unchanged_history_costs_nothing(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record()])
    first = await client.get(PATH)
    again = await client.get(PATH, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await write(vault, [an_ltv_record(NOON + timedelta(seconds=5), kind=RecordKind.CROSSING)])
    assert (await client.get(PATH, headers={"If-None-Match": first.headers["etag"]})).status_code == 200


async def test_both_encodings_say_the_same(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(NOON - timedelta(hours=hours)) for hours in range(50)])
    plain = await client.get(PATH, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with client.stream("GET", PATH, headers={"Accept-Encoding": "gzip"}) as zipped:
        raw = b"".join([part async for part in zipped.aiter_raw()])
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content


async def test_the_answer_is_what_the_document_says(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, [an_ltv_record(NOON - timedelta(hours=hours)) for hours in (9, 1, 0)])
    document = (await client.get("/openapi.json")).json()
    schema = document["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validate(await get(client), schema, document)


def a_wild_history() -> list[LtvRecord]:
    """Records whose numbers need every digit, one of them negative, with a gap."""
    wild = [0.1 + 0.2, 2 / 3, 1e-17, 0.7000000000000001, 5e-324]
    return [
        an_ltv_record(
            NOON - timedelta(hours=hours, microseconds=index),
            0.6 + value / 7,
            kind=RecordKind.CROSSING if index == 2 else RecordKind.HOURLY,
            hedge_value=-1 / 3 if index == 1 else value,
            price=460 + value,
        )
        for index, (hours, value) in enumerate(zip((40, 39, 38.5, 3, 0), wild, strict=True))
    ]


async def test_the_file_reads_back_bit_for_bit_with_two_libraries(client: httpx.AsyncClient, vault: Vault) -> None:
    written = a_wild_history()
    await write(vault, written)
    answer = await client.get(f"{PATH}.csv", params={"days": "all"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="ltv-main-all.csv"'
    by_python = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    by_polars = polars.read_csv(answer.content).to_dicts()
    assert list(by_python[0]) == list(by_polars[0]) == list(COLUMNS)
    numbers = {
        "price_usd_per_share": "price", "loan_usd": "loan_amount", "gold_value_usd": "gold_value",
        "hedge_value_usd": "hedge_value", "ltv_fraction": "ltv", "lender_ltv_fraction": "lender_ltv",
        "ltv_after_payment_fraction": "ltv_after_payment", "ltv_credited_fraction": "ltv_credited",
        "warning_ltv_fraction": "warning_ltv", "margin_call_ltv_fraction": "margin_call_ltv",
        "close_out_ltv_fraction": "close_out_ltv",
    }  # fmt: skip
    named = {field.name for field in fields(LtvRecord) if field.type is float or field.type == "float"}
    assert set(numbers.values()) == named
    for record, plain, typed in zip(written, by_python, by_polars, strict=True):
        for column, name in numbers.items():
            exact = struct.pack("<d", getattr(record, name))
            assert struct.pack("<d", float(plain[column])) == exact
            assert struct.pack("<d", typed[column]) == exact
        assert datetime.fromisoformat(plain["at_utc"]) == record.at
        assert plain["at_utc"].endswith("Z")
        assert (plain["kind"], typed["kind"]) == (record.kind.value, record.kind.value)
        assert (typed["stale"], typed["demo"], typed["market_open"]) == (False, False, True)
    assert [typed["gap_before_hours"] for typed in by_polars] == [
        None, None, None, pytest.approx(35.5), pytest.approx(3.0),
    ]  # fmt: skip


async def test_names_that_a_spreadsheet_would_run_are_disarmed_in_the_file(
    client: httpx.AsyncClient, vault: Vault
) -> None:
    own = vault.book.current
    await vault.book.save(replace(own, name='=HYPERLINK("http://evil.example")', lender="@bank, Inc."), "api")
    await write(vault, [an_ltv_record(source="+cmd|' /C calc'!A0")])
    answer = await client.get(f"{PATH}.csv")
    for row in (
        next(csv.DictReader(io.StringIO(answer.text, newline=""))),
        polars.read_csv(answer.content).to_dicts()[0],
    ):
        assert row["name"] == '\'=HYPERLINK("http://evil.example")'
        assert row["lender"] == "'@bank, Inc."
        assert row["source"] == "'+cmd|' /C calc'!A0"


async def test_the_file_and_the_answer_hold_the_same_numbers(client: httpx.AsyncClient, vault: Vault) -> None:
    await write(vault, a_wild_history())
    told = (await get(client))["records"]
    lines = list(csv.DictReader(io.StringIO((await client.get(f"{PATH}.csv")).text, newline="")))
    for row, line in zip(told, lines, strict=True):
        assert (row["at"], row["ltv"], row["price"], row["hedge_value"]) == (
            line["at_utc"],
            float(line["ltv_fraction"]),
            float(line["price_usd_per_share"]),
            float(line["hedge_value_usd"]),
        )


async def test_a_year_of_hours_is_whole(client: httpx.AsyncClient, tmp_path: Path) -> None:
    hours = [an_ltv_record(NOON - timedelta(hours=back)) for back in range(8_760)]
    write_at_once(tmp_path / "data" / "demo.db", hours)
    answer = await get(client, days=365)
    assert len(answer["records"]) == 8_760
    assert answer["gaps"] == []

"""Sweeps over HTTP: begun, followed, read as a table, stopped, gone on with, removed; and told over the WebSocket."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.json_schema import validate
from tests.conftest import BASE_URL
from tests.services.sweep_house import GRID, POINTS, Held, SweepHouse
from vaultdash.api.live import Broadcast
from vaultdash.domain.record import RunState
from vaultdash.main import create_app
from vaultdash.services.vault import Vault


@pytest.fixture
async def house(demo_vault: Vault, tmp_path: Path) -> AsyncIterator[SweepHouse]:
    await demo_vault.open()
    made = SweepHouse(tmp_path / "sweeps", demo_vault.database)
    yield made
    await made.aclose()


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def client(
    demo_vault: Vault, demo_settings: Callable[..., Any], house: SweepHouse, held: Held
) -> AsyncIterator[httpx.AsyncClient]:
    """The API with sweeps on prices of our own, whose workers can be held back."""
    demo_vault.sweeps = house.sweeps(held)
    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as asking:
        yield asking


async def begun(client: httpx.AsyncClient, **given: object) -> str:
    answer = await client.post("/api/sweeps", json={**GRID, **given})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/sweeps/{answer.json()['id']}"
    return str(answer.json()["id"])


async def test_a_sweep_is_begun_read_and_exported(client: httpx.AsyncClient, demo_vault: Vault) -> None:
    run = await begun(client, name="=HYPERLINK(1)")
    await demo_vault.sweeps.wait(run)
    found = (await client.get(f"/api/sweeps/{run}")).json()
    assert (found["run"]["state"], found["run"]["progress"], found["run"]["kind"]) == ("done", 1.0, "sweep")
    assert {name: value for name, value in found["grid"].items() if value is not None} == {
        **GRID,
        "name": "=HYPERLINK(1)",
    }
    assert [each["id"] for each in found["templates"]] == GRID["templates"]
    assert found["run"]["summary"]["runs"] == POINTS
    assert found["run"]["summary"]["best"][0]["ran"] == 8
    table = await client.get(found["results"])
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == f'attachment; filename="sweep-{run}.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == POINTS
    result = await demo_vault.sweeps.result(run)
    assert [row["max_ltv"] for row in rows] == [str(line[result.header.index("max_ltv")]) for line in result.table()]
    assert {row["terms.counting"] for row in rows} == {"ignored", "credited"}
    listed = (await client.get("/api/sweeps")).json()["sweeps"]
    assert [each["id"] for each in listed] == [run]


async def test_what_is_answered_is_what_the_document_says(client: httpx.AsyncClient, demo_vault: Vault) -> None:
    document = (await client.get("/openapi.json")).json()
    run = await begun(client)
    await demo_vault.sweeps.wait(run)
    for path, operation in (("/api/sweeps", "/api/sweeps"), (f"/api/sweeps/{run}", "/api/sweeps/{sweep_id}")):
        schema = document["paths"][operation]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validate((await client.get(path)).json(), schema, document)


async def test_a_sweep_is_stopped_gone_on_with_and_removed(
    client: httpx.AsyncClient, held: Held, demo_vault: Vault
) -> None:
    held.allowed = 2
    run = await begun(client)
    async with asyncio.timeout(30):
        await held.held.wait()
    early = await client.get(f"/api/sweeps/{run}/results.csv")
    assert early.status_code == 409
    assert "there is no result yet" in early.json()["error"]["message"]
    assert (await client.get(f"/api/sweeps/{run}")).json()["results"] is None
    stopped = await client.post(f"/api/sweeps/{run}/cancel")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    assert 0 < stopped.json()["progress"] < 1
    assert (await client.post(f"/api/sweeps/{run}/cancel")).status_code == 409
    held.allowed = 10**9
    assert (await client.post(f"/api/sweeps/{run}/resume")).status_code == 202
    assert (await demo_vault.sweeps.wait(run)).state is RunState.DONE
    assert held.points == POINTS
    assert (await client.post(f"/api/sweeps/{run}/resume")).status_code == 409
    assert (await client.delete(f"/api/sweeps/{run}")).status_code == 204
    assert (await client.get(f"/api/sweeps/{run}")).status_code == 404
    assert (await client.delete(f"/api/sweeps/{run}")).status_code == 404


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"vary": {"coverige": [1.0]}}, "coverige"),
        ({"terms": {"ltv": [0.6, "x"]}}, "ltv"),
        ({"terms": {"ltv": {"from": 0, "to": 1, "step": 1e-12}}}, "ltv"),
        ({"templates": ["nothing"]}, "templates"),
        ({"rolling": {"from": "x", "to": "y", "months": 1}}, "rolling.from"),
        ({"entries": [-1]}, "entries"),
    ],
)
async def test_what_cannot_be_run_is_refused_with_its_name(
    client: httpx.AsyncClient, given: dict[str, object], argument: str
) -> None:
    answer = await client.post("/api/sweeps", json={**GRID, **given})
    assert (answer.status_code, answer.json()["error"]["argument"]) == (422, argument), answer.text
    assert (await client.get("/api/sweeps")).json()["sweeps"] == []


@pytest.mark.parametrize("body", ["{", '{"terms": {"ltv": NaN}}', '{"terms": {"ltv": 1e999}}', '{"more": 1}', "[]"])
async def test_bodies_that_are_no_grid_are_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/api/sweeps", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


async def test_progress_is_told_over_the_socket(demo_vault: Vault, client: httpx.AsyncClient) -> None:
    broadcast = Broadcast(demo_vault)
    heard: list[dict[str, Any]] = []
    await demo_vault.heartbeat.beat()
    await broadcast.start()
    try:
        with broadcast.messages.heard_by(lambda text: heard.append(json.loads(text))):
            async with asyncio.timeout(30):
                while not heard:  # noqa: ASYNC110 - before the first beat is told nothing else is
                    await asyncio.sleep(0.01)
            run = await begun(client)
            await demo_vault.sweeps.wait(run)
    finally:
        await broadcast.stop()
    mine = [told["run"] for told in heard if told["type"] == "backtest_update"]
    assert {each["id"] for each in mine} == {run}
    assert [each["state"] for each in mine][-1] == "done"
    assert any(0 < each["progress"] < 1 for each in mine)

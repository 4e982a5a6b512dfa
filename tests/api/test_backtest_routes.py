"""Backtests and events over HTTP: begun, followed, read, exported, refused; and told over the WebSocket."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.json_schema import validate
from tests.conftest import BASE_URL
from tests.new_york import HOURS
from tests.services.backtest_house import BacktestHouse, by_reference, january_prices
from vaultdash.api.live import Broadcast
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.domain.selloff import SELLOFFS
from vaultdash.main import create_app
from vaultdash.market.observed.history import ObservedHistory
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.services.backtest_asking import BacktestAsking
from vaultdash.services.backtest_document import document
from vaultdash.services.backtest_market import BacktestMarkets
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.backtest_work import BacktestWork
from vaultdash.services.backtester import SCHEMA, Backtester
from vaultdash.services.vault import Vault

PUT = "protective_put_otm_95"
JANUARY = {"event": "jan-2026", "ltv": 0.66, "templates": [PUT, "no_hedge"]}


@pytest.fixture
async def client(
    demo_vault: Vault, demo_settings: Callable[..., Any], tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The API on the demo market, whose backtests need no compiler."""
    vault = demo_vault
    recorded = ObservedHistory(ObservedSnapshots(tmp_path, vault.now))
    work = BacktestWork(BacktestMarkets(vault.history, HOURS, recorded), by_reference)
    vault.backtests = Backtester(BacktestAsking(vault.events, vault.templates), work, vault.database, vault.now)
    await vault.open()
    transport = httpx.ASGITransport(create_app(demo_settings(), vault, pages=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as asking:
        yield asking
    await vault.backtests.aclose()


@pytest.fixture
def real(demo_vault: Vault, tmp_path: Path) -> None:
    """Prices that were not invented: those of January 2026."""
    BacktestHouse(tmp_path / "data", demo_vault.database).store_prices(january_prices())


async def finished(client: httpx.AsyncClient, begun: httpx.Response) -> dict[str, Any]:
    """What is answered of a run that was begun, when it has ended."""
    assert begun.status_code == 202, begun.text
    assert begun.headers["location"] == f"/api/backtests/{begun.json()['id']}"
    return await ended(client, begun.headers["location"])


async def ended(client: httpx.AsyncClient, where: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found = await client.get(where)
            assert found.status_code == 200, found.text
            if found.json()["run"]["state"] not in ("waiting", "running"):
                return dict(found.json())
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("real")
async def test_a_backtest_is_begun_and_read(client: httpx.AsyncClient) -> None:
    begun = await client.post("/api/backtests", json={**JANUARY, "fan": [0, 1], "name": "Winter"})
    assert begun.json()["state"] == "waiting"
    found = await finished(client, begun)
    run, result = found["run"], found["result"]
    assert (run["state"], run["progress"], run["name"], run["kind"]) == ("done", 1.0, "Winter", "backtest")
    assert run["summary"]["sentence"] == result["sentence"]
    assert (result["start"], result["end"], result["days"], result["demo"]) == ("2026-01-29", "2026-02-02", 3, False)
    assert result["terms"]["ltv"] == pytest.approx(0.66)
    assert result["unhedged"]["max_ltv"] == pytest.approx(0.66 * 495.90 / 427.13)
    assert result["unhedged"]["first_breach_date"] == "2026-02-02"
    assert [call["called_on"] for call in result["unhedged"]["margin_calls"]] == ["2026-02-02"]
    hedge, nothing = result["results"]
    assert (hedge["template"], hedge["version"], hedge["rank"], hedge["survived"]) == (PUT, 1, 1, True)
    assert hedge["first_breach_date"] is None
    assert hedge["hedge_cost_net"] == pytest.approx(
        hedge["hedge_cost_paid"] - hedge["hedge_recovered"] - hedge["hedge_value_end"]
    )
    assert hedge["repaid"]["hedge_cost_paid"] == 0
    assert {key: nothing[key] for key in ("survived", "repaid", "rank")} == {
        "survived": False,
        "repaid": None,
        "rank": 2,
    }
    assert [(entry["months"], entry["entry"]) for entry in result["fan"]] == [(0, "2026-01-29"), (1, "2025-12-29")]
    assert "volatility" in " ".join(result["remarks"])
    assert [template["id"] for template in found["templates"]] == [PUT, "no_hedge"]
    unchanged = await client.get(f"/api/backtests/{run['id']}")
    again = await client.get(f"/api/backtests/{run['id']}", headers={"If-None-Match": unchanged.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.usefixtures("real")
async def test_the_same_request_has_the_same_result_to_the_byte(client: httpx.AsyncClient) -> None:
    first = await finished(client, await client.post("/api/backtests", json=JANUARY))
    sent_back = await finished(client, await client.post("/api/backtests", json=first["request"]))
    repeated = await finished(client, await client.post(f"/api/backtests/{first['run']['id']}/again"))
    texts = {json.dumps(each["result"]) for each in (first, sent_back, repeated)}
    assert len(texts) == 1


@pytest.mark.usefixtures("real")
async def test_tables_for_a_spreadsheet_have_every_day_and_every_trade(client: httpx.AsyncClient) -> None:
    copied = await client.post(f"/api/templates/{PUT}/copy", json={"name": "=HYPERLINK(1)"})
    assert copied.status_code == 201, copied.text
    wanted = {**JANUARY, "templates": [PUT, copied.json()["id"]]}
    found = await finished(client, await client.post("/api/backtests", json=wanted))
    where = f"/api/backtests/{found['run']['id']}"
    series = await client.get(f"{where}/series.csv")
    assert series.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in series.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(series.text)))
    assert len(rows) == 3 * 3
    assert {row["template"] for row in rows} == {PUT, copied.json()["id"], "unhedged"}
    assert {row["name"] for row in rows} == {"95 % put", "'=HYPERLINK(1)", "No hedge"}
    last = next(row for row in rows if row["template"] == "unhedged" and row["date"] == "2026-02-02")
    assert float(last["lender_ltv_fraction"]) == found["result"]["unhedged"]["max_ltv"]
    assert float(last["price_usd_per_share"]) == 427.13
    assert not {"nan", "inf", "-0.0"} & set(series.text.replace("\r\n", ",").split(","))
    one = list(
        csv.DictReader(
            io.StringIO((await client.get(f"{where}/series.csv", params={"template": f"repaid:{PUT}"})).text)
        )
    )
    assert [row["template"] for row in one] == [f"repaid:{PUT}"] * 3
    trades = list(
        csv.DictReader(io.StringIO((await client.get(f"{where}/trades.csv", params={"template": PUT})).text))
    )
    assert [(row["date"], row["reason"], row["right"], row["contracts"]) for row in trades] == [
        ("2026-01-29", "entry", "put", "100")
    ]
    paid = found["result"]["results"][0]["hedge_cost_paid"]
    assert float(trades[0]["cash_usd"]) == pytest.approx(-paid)
    assert float(trades[0]["price_usd_per_share"]) * 10_000 + float(trades[0]["commission_usd"]) == pytest.approx(
        paid
    )
    unknown = await client.get(f"{where}/series.csv", params={"template": "nothing"})
    assert unknown.status_code == 404
    assert "it has" in unknown.json()["error"]["message"]


@pytest.mark.usefixtures("real")
async def test_runs_are_listed_renamed_and_removed(client: httpx.AsyncClient) -> None:
    found = await finished(client, await client.post("/api/backtests", json=JANUARY))
    where = f"/api/backtests/{found['run']['id']}"
    listed = (await client.get("/api/backtests")).json()["backtests"]
    assert [(run["id"], run["name"]) for run in listed] == [(found["run"]["id"], "January 2026, LTV 66 %")]
    renamed = await client.put(where, json={"name": "Other"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Other")
    ended = await client.post(f"{where}/cancel")
    assert (ended.status_code, ended.json()["error"]["code"]) == (409, "refused")
    assert (await client.delete(where)).status_code == 204
    for gone in (await client.get(where), await client.delete(where), await client.get(f"{where}/trades.csv")):
        assert gone.status_code == 404
    assert (await client.get("/api/backtests")).json()["backtests"] == []


async def test_on_demo_prices_it_works_and_says_that_they_are_invented(client: httpx.AsyncClient) -> None:
    found = await finished(client, await client.post("/api/backtests", json=JANUARY))
    assert found["result"]["demo"] is True
    assert found["result"]["sentence"].startswith("On DEMO prices, which are invented")
    assert "vault-dash history import" in " ".join(found["result"]["remarks"])
    events = (await client.get("/api/events")).json()["events"]
    assert all(event["figures"]["demo"] for event in events if event["figures"])


async def test_a_report_of_an_event_has_all_templates_and_the_fan(client: httpx.AsyncClient) -> None:
    begun = await client.post("/api/events/Jan-2026/report")
    found = await finished(client, begun)
    assert found["run"]["kind"] == "event"
    assert found["request"]["event"] == "jan-2026"
    assert len(found["result"]["results"]) == 14
    assert [entry["months"] for entry in found["result"]["fan"]] == [0, 1, 3, 6, 9]
    one = await finished(
        client,
        await client.post("/api/events/jan-2026/report", json={"templates": [PUT], "call_ltv": 0.8, "fan": []}),
    )
    assert (len(one["result"]["results"]), one["result"]["fan"]) == (1, [])
    assert one["result"]["terms"]["call_ltv"] == 0.8
    other = await client.post("/api/events/jan-2026/report", json={"event": "2008"})
    assert other.status_code == 422
    assert (await client.post("/api/events/no-such/report")).status_code == 404


async def test_own_events_are_kept_changed_and_removed(client: httpx.AsyncClient) -> None:
    mine = {"name": "My dip", "start": "2026-03-02", "end": "2026-03-26", "note": "mine"}
    made = await client.post("/api/events", json=mine)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/events/my-dip"
    listed = (await client.get("/api/events")).json()["events"]
    assert [event["id"] for event in listed[:2]] == ["my-dip", "jan-2026"]
    assert len(listed) == len(SELLOFFS) + 1
    assert listed[0]["own"]
    changed = await client.put("/api/events/my-dip", json={"end": "2026-03-20"})
    assert (changed.json()["end"], changed.json()["name"]) == ("2026-03-20", "My dip")
    assert (await client.get("/api/events/my-dip")).json() == changed.json()
    found = await finished(client, await client.post("/api/backtests", json={**JANUARY, "event": "my-dip"}))
    assert found["result"]["event_name"] == "My dip"
    assert (await client.delete("/api/events/my-dip")).status_code == 204
    assert (await client.delete("/api/events/my-dip")).status_code == 404
    assert (await client.delete("/api/events/jan-2026")).status_code == 409
    assert (await client.get(f"/api/backtests/{found['run']['id']}")).json()["result"]["event_name"] == "My dip"


async def test_every_answer_is_what_its_schema_says(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    def check(answer: httpx.Response, path: str, method: str) -> None:
        told = document["paths"][path][method]["responses"][str(answer.status_code)]
        validate(answer.json(), told["content"]["application/json"]["schema"], document)

    where = "/api/backtests/{run_id}"
    begun = await client.post("/api/backtests", json={**JANUARY, "fan": [0, 3], "costs": {"commission": 1.0}})
    check(begun, "/api/backtests", "post")
    waiting = await client.get(begun.headers["location"])
    check(waiting, where, "get")
    found = await finished(client, begun)
    assert found["result"]["terms"]["costs"]["commission"] == 1.0
    check(await client.get(begun.headers["location"]), where, "get")
    check(await client.put(begun.headers["location"], json={"name": "x"}), where, "put")
    check(await client.put(begun.headers["location"], json={"name": 5}), where, "put")
    check(await client.post(f"{begun.headers['location']}/cancel"), f"{where}/cancel", "post")
    check(
        await client.post("/api/events", json={"name": "x", "start": "2026-03-02", "end": "2026-03-26"}),
        "/api/events",
        "post",
    )
    check(await client.get("/api/events"), "/api/events", "get")
    check(await client.post("/api/events/jan-2026/report", json={"fan": []}), "/api/events/{event_id}/report", "post")
    check(await client.post("/api/events/none/report"), "/api/events/{event_id}/report", "post")


REFUSED: list[tuple[dict[str, Any] | str, str]] = [
    ({}, "start"),
    ({"event": "no-such"}, "event"),
    ({**JANUARY, "templates": ["no-such"]}, "templates"),
    ({**JANUARY, "ltv": 60}, "ltv"),
    ({**JANUARY, "loan": 1000.0}, "loan"),
    ({"event": "jan-2026", "loan": 1e12}, "loan"),
    ({**JANUARY, "start": "2026-02-30"}, "start"),
    ({**JANUARY, "start": "2026-02-02", "end": "2026-01-29"}, "end"),
    ({**JANUARY, "start": "1990-01-02"}, "start"),
    ({**JANUARY, "counting": "never"}, "counting"),
    ({**JANUARY, "cure_days": 2.5}, "cure_days"),
    ({**JANUARY, "fan": [100]}, "fan"),
    ({**JANUARY, "source": "observed"}, "source"),
    ({**JANUARY, "unknown": 1}, "unknown"),
    ({**JANUARY, "costs": {"commission": -1.0}}, "costs.commission"),
    ({**JANUARY, "smile": {"kappa": "4"}}, "kappa"),
    ({**JANUARY, "name": "x" * 200}, "name"),
    ('{"event": "jan-2026", "ltv": NaN}', "ltv"),
    ('{"event": "jan-2026", "units": 1e999}', "units"),
    ('{"event": "jan-2026", "smile": {"slope": -Infinity}}', "smile.slope"),
]


async def test_a_field_that_is_not_known_is_refused_with_those_that_are(client: httpx.AsyncClient) -> None:
    async def told(body: str) -> str:
        answer = await client.post("/api/backtests", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
        return str(answer.json()["error"]["message"])

    assert (await told('{"foo": 1}')).startswith(
        "foo: is no field that is known here; they are templates, event, start"
    )
    assert (await told('{"costs": {"fee": 1}}')).startswith(
        "fee: is no field that is known here; they are commission, "
    )
    assert await told("{nonsense") == "body: is no JSON that can be read"


async def test_nonsense_is_refused_with_its_argument_and_nothing_is_begun(client: httpx.AsyncClient) -> None:
    for body, argument in REFUSED:
        content = body if isinstance(body, str) else json.dumps(body)
        answer = await client.post("/api/backtests", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body
        assert answer.json()["error"]["argument"] == argument, (body, answer.text)
    for path in ("/api/backtests/none", "/api/backtests/%00", "/api/backtests/none/series.csv", "/api/events/none"):
        assert (await client.get(path)).status_code in (404, 422)
    assert (await client.get("/api/backtests")).json()["backtests"] == []


async def test_what_a_killed_server_left_is_done_by_the_next_one(
    client: httpx.AsyncClient, demo_vault: Vault, demo_settings: Callable[..., Any]
) -> None:
    asked = await demo_vault.backtests._asking.asked(BacktestRequest((PUT,), event="jan-2026"))
    left = StoredRun("left", RunKind.BACKTEST, "left", RunState.RUNNING, demo_vault.now(), document(asked, SCHEMA))
    async with demo_vault.database.transaction() as kept:
        await kept.runs.put(left)
    assert (await client.get("/api/backtests/left")).json()["run"]["state"] == "running"
    app = create_app(demo_settings(), demo_vault, pages=False)
    async with app.router.lifespan_context(app):
        found = await ended(client, "/api/backtests/left")
    assert found["run"]["state"] == "done"
    assert found["result"]["results"][0]["template"] == PUT


async def test_progress_goes_over_the_websocket_with_what_changed_last(
    client: httpx.AsyncClient, demo_vault: Vault
) -> None:
    broadcast = Broadcast(demo_vault)
    heard: list[dict[str, Any]] = []
    await demo_vault.heartbeat.beat()
    await broadcast.start()
    with ExitStack() as stack:
        stack.enter_context(broadcast.heard_by(lambda text: heard.append(json.loads(text))))
        await asyncio.sleep(0.05)  # until the first beat has been told
        first = await client.post("/api/backtests", json=JANUARY)
        second = await client.post("/api/backtests", json=JANUARY)
        await finished(client, second)
    await broadcast.stop()
    told = [message for message in heard if message["type"] == "backtest_update"]
    assert {message["version"] for message in told} == {1}
    of_first = [message["run"]["state"] for message in told if message["run"]["id"] == first.json()["id"]]
    assert (of_first[0], of_first[-1]) == ("waiting", "done")
    assert {run["id"]: run["state"] for run in told[-1]["recent"]} == {
        first.json()["id"]: "done",
        second.json()["id"]: "done",
    }
    assert told[-1]["recent"][0]["id"] == told[-1]["run"]["id"] == second.json()["id"]

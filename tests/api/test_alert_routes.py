"""Alerts by API: what is watched, what stands, the history, answers to an alert, and the channels."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.builders import NOON, a_portfolio
from tests.conftest import BASE_URL
from tests.services.alert_house import LOAN, UNITS, Inbox, a_beat, a_status, price_at
from vaultdash.api.app import create_api
from vaultdash.domain.alert import ChannelKind
from vaultdash.domain.errors import Unavailable
from vaultdash.notify.base import Accepted, Message
from vaultdash.services.vault import Vault

SECRET = "mailtos://me:canary-4711@mail.example.org"


@pytest.fixture
async def api(demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """The API alone, without jobs: nothing happens but what a test does."""
    await demo_vault.open()
    transport = httpx.ASGITransport(create_api(demo_vault), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def inbox(demo_vault: Vault) -> Inbox:
    """Stands behind the e-mail channels of this vault."""
    inbox = Inbox()
    demo_vault.outbox._notifiers = {ChannelKind.APPRISE: inbox}
    return inbox


async def crossed(vault: Vault, ltv: float) -> list[Any]:
    """What a beat raises at which the current loan stands at an LTV."""
    portfolio = replace(a_portfolio(UNITS, LOAN), id=vault.book.current.id)
    beat = a_beat(a_status(price_at(ltv), source="DEMO"), portfolio)
    return list(await vault.alerts.evaluate(beat))


async def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def refused(answer: httpx.Response, status: int, argument: str | None = None) -> str:
    error = answer.json()["error"]
    assert (answer.status_code, error["argument"]) == (status, argument), answer.text
    return str(error["message"])


async def configure(api: httpx.AsyncClient, body: object, **query: str) -> httpx.Response:
    return await api.post("/api/alerts/configure", json=body, params=query)


async def test_until_the_owner_chooses_70_and_75_are_watched(api: httpx.AsyncClient) -> None:
    found = await ok(await api.get("/api/alerts"))
    assert found["portfolio_id"] == "main"
    assert (found["plan"]["usual"], found["plan"]["thresholds"]) == (True, [0.70, 0.75])
    assert {rule["severity"] for rule in found["plan"]["rules"] if rule["threshold"] == 0.75} == {"call"}
    assert (found["raised"], found["undelivered"], found["channels"], found["nobody_told"]) == ([], [], [], True)
    assert found["remarks"] == []


async def test_thresholds_set_the_ltv_rules_and_leave_the_others(api: httpx.AsyncClient) -> None:
    found = await ok(await configure(api, {"thresholds": [0.65, 0.70, 0.80]}))
    rules = {(rule["metric"], rule["threshold"]): rule for rule in found["rules"]}
    assert set(rules) == {
        *(("ltv", each) for each in (0.65, 0.70, 0.80, 0.85)),  # the close-out's own stays
        *(("hedged_ltv", each) for each in (0.65, 0.70, 0.80, 0.85)),
        ("stale_data", 15.0),
    }
    assert [rules["ltv", each]["severity"] for each in (0.65, 0.70, 0.80)] == ["warning", "warning", "call"]
    assert (await ok(await api.get("/api/alerts")))["plan"] == found


@pytest.mark.parametrize("body", [{"usual": True}, {"thresholds": []}])
async def test_a_portfolio_is_taken_back_to_the_usual_rules(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    night = {"begins": "22:00", "ends": "07:00", "zone": "America/New_York"}
    usual = (await ok(await api.get("/api/alerts")))["plan"]
    found = await ok(await configure(api, {"thresholds": [0.65], "quiet_hours": night}))
    assert (found["usual"], found["thresholds"]) == (False, [0.65])
    found = await ok(await configure(api, body))
    assert {**found, "quiet_hours": None} == usual
    assert found["quiet_hours"]["begins"] == "22:00"


async def test_no_thresholds_leave_own_rules_that_are_no_ltv_beside_the_usual_ones(api: httpx.AsyncClient) -> None:
    await configure(api, {"rules": [{"metric": "price", "threshold": 400}]})
    found = await ok(await configure(api, {"thresholds": []}))
    assert (found["usual"], found["thresholds"]) == (False, [0.70, 0.75])
    assert [rule["id"] for rule in found["rules"]][-1] == "price-400"


async def test_the_portfolio_is_named_in_the_address_or_in_the_body(api: httpx.AsyncClient) -> None:
    found = await ok(await configure(api, {"thresholds": [0.65], "portfolio": "main"}))
    assert (found["portfolio_id"], found["thresholds"]) == ("main", [0.65])
    assert (await configure(api, {"portfolio": "nobody"})).status_code == 404
    assert (await configure(api, {"portfolio": "other"}, portfolio="main")).status_code == 422


async def test_why_an_alert_might_not_come_is_told(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    assert (await ok(await api.get("/api/alerts")))["doubts"] == ["Nobody would be told: add a way to reach you."]
    demo_vault.heartbeat.keep_problem = "LTV is not recorded and alerts are not raised: the disk is full"
    doubts = (await ok(await api.get("/api/alerts")))["doubts"]
    assert doubts[1:] == ["LTV is not recorded and alerts are not raised: the disk is full."]


async def test_a_threshold_that_stays_keeps_its_state(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    await crossed(demo_vault, 0.72)
    found = await ok(await configure(api, {"thresholds": [0.70, 0.74]}))
    assert [rule["is_raised"] for rule in found["rules"] if rule["metric"] == "ltv"] == [True, False, False]
    assert await crossed(demo_vault, 0.72) == []


async def test_every_rule_can_be_given(api: httpx.AsyncClient) -> None:
    rules = [
        {"metric": "price", "threshold": 400},
        {"metric": "probability", "threshold": 0.3, "months": 6, "severity": "call"},
        {"metric": "ltv", "threshold": 0.72, "rearm": 0.03, "id": "mine", "is_on": False},
    ]
    found = await ok(await configure(api, {"rules": rules}))
    price, chance, mine = found["rules"]
    assert (price["id"], price["rearm_at"], price["words"]) == ("price-400", 404.0, "price at 400.00 USD")
    assert (chance["id"], chance["months"], chance["severity"]) == ("probability-0.3-6m", 6, "call")
    assert (mine["id"], mine["rearm_at"], mine["is_on"]) == ("mine", pytest.approx(0.69), False)
    assert found["thresholds"] == []


async def test_quiet_hours_are_set_kept_and_taken_away(api: httpx.AsyncClient) -> None:
    night = {"begins": "10:00", "ends": "13:30", "zone": "America/New_York"}
    found = await ok(await configure(api, {"quiet_hours": night}))
    assert found["quiet_hours"] == {**night, "until": "2026-06-10T17:30:00Z"}  # it is noon in New York
    assert found["thresholds"] == [0.70, 0.75]
    assert (await ok(await configure(api, {"thresholds": [0.7]})))["quiet_hours"]["zone"] == "America/New_York"
    assert (await ok(await configure(api, {"quiet_hours": False})))["quiet_hours"] is None


NONSENSE: list[tuple[dict[str, Any], str | None]] = [
    ({"thresholds": [70]}, "threshold"),
    ({"thresholds": [0]}, "threshold"),
    ({"thresholds": [0.7, 0.7]}, "rules"),
    ({"thresholds": ["much"]}, "thresholds"),
    ({"treshold": [0.7]}, "treshold"),
    ({"usual": True, "thresholds": [0.7]}, "usual"),
    ({"usual": False}, "usual"),
    ({"rules": [{"metric": "weather", "threshold": 1}]}, "metric"),
    ({"rules": [{"metric": "ltv"}]}, "threshold"),
    ({"rules": [{"metric": "probability", "threshold": 0.2, "months": 5}]}, "months"),
    ({"rules": [{"metric": "ltv", "threshold": 0.7, "id": " "}]}, None),
    ({"quiet_hours": {"begins": "22:00", "ends": "07:00", "zone": "Nowhere"}}, "zone"),
    ({"quiet_hours": {"begins": "22:00", "ends": "22:00"}}, "ends"),
]


async def test_a_plan_that_makes_no_sense_is_refused_and_changes_nothing(api: httpx.AsyncClient) -> None:
    for body, argument in NONSENSE:
        answer = await configure(api, body)
        assert answer.status_code == 422, (body, answer.text)
        assert argument in (None, answer.json()["error"]["argument"]), answer.text
    assert (await ok(await api.get("/api/alerts")))["plan"]["usual"]


HOSTILE = [
    b'{"thresholds": [NaN]}',
    b'{"thresholds": [1e999]}',
    b'{"thresholds": [-1e999]}',
    b'{"thresholds": [' + b"9" * 5000 + b"]}",
    b'{"thresholds": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"rules": [{"metric": "ltv", "threshold": 1e-320}]}',
    b'{"rules": [{"metric": "price", "threshold": 1e308, "rearm": 1e308, "id": "\\ud800"}]}',
    b'{"rules": [{"metric": "price", "threshold": 5, "id": "\\u0000"}]}',
    b'{"quiet_hours": {"begins": 1e300, "ends": null}}',
    b'{"quiet_hours": {"begins": "22:00+05:00", "ends": "07:00"}}',
    b"\xff\xfe",
    b"null",
    b"",
    b"[]",
]


async def test_no_body_breaks_the_server(api: httpx.AsyncClient) -> None:
    for body in HOSTILE:
        for path in ("configure", "nothing/snooze", "channels"):
            headers = {"Content-Type": "application/json"}
            answer = await api.post(f"/api/alerts/{path}", content=body, headers=headers)
            assert answer.status_code < 500, (path, body[:80], answer.text)
            assert path == "configure" or answer.status_code >= 400
        assert (await api.get("/api/alerts")).status_code == 200


async def test_another_portfolio_is_named_and_an_unknown_one_is_not_found(
    api: httpx.AsyncClient, demo_vault: Vault
) -> None:
    await demo_vault.book.add(replace(demo_vault.book.current, id="second", name="Second"), "test")
    await ok(await configure(api, {"thresholds": [0.5]}, portfolio="second"))
    assert (await ok(await api.get("/api/alerts?portfolio=second")))["plan"]["thresholds"] == [0.5]
    assert (await ok(await api.get("/api/alerts")))["plan"]["usual"]
    for path in ("", "/history"):
        assert "no portfolio" in await refused(await api.get(f"/api/alerts{path}?portfolio=nobody"), 404)


async def test_what_is_raised_stands_with_its_messages(
    api: httpx.AsyncClient, demo_vault: Vault, inbox: Inbox
) -> None:
    body = {"kind": "apprise", "name": "mail", "address": SECRET}
    await ok(await api.post("/api/alerts/channels", json=body), 201)
    call, warning = await crossed(demo_vault, 0.76)
    await demo_vault.outbox.deliver()
    found = await ok(await api.get("/api/alerts"))
    assert [raised["event"]["id"] for raised in found["raised"]] == [call.id, warning.id]
    first = found["raised"][0]
    assert (first["event"]["severity"], first["event"]["demo"]) == ("call", True)
    assert [row["state"] for row in first["deliveries"]] == ["accepted"]
    assert not found["nobody_told"]


async def test_acknowledging_answers_the_line_of_the_history_and_twice_is_once(
    api: httpx.AsyncClient, demo_vault: Vault
) -> None:
    call, _ = await crossed(demo_vault, 0.76)
    first = await ok(await api.post(f"/api/alerts/{call.id}/acknowledge"))
    assert (first["kind"], first["about"]) == ("acknowledged", call.id)
    assert await ok(await api.post(f"/api/alerts/{call.id}/acknowledge")) == first
    found = await ok(await api.get("/api/alerts"))
    assert all(raised["acknowledged_at"] for raised in found["raised"])
    await refused(await api.post("/api/alerts/nothing/acknowledge"), 404)
    assert "raised" in await refused(await api.post(f"/api/alerts/{first['id']}/acknowledge"), 409)


async def test_snoozing_takes_minutes_or_a_time(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    call, _ = await crossed(demo_vault, 0.76)
    path = f"/api/alerts/{call.id}/snooze"
    await ok(await api.post(path, json={"minutes": 30}))
    found = await ok(await api.get("/api/alerts"))
    assert found["raised"][0]["snoozed_until"] == "2026-06-10T16:30:00Z"
    await ok(await api.post(path, json={"until": "2026-06-10T20:00:00+02:00"}))
    assert (await ok(await api.get("/api/alerts")))["raised"][0]["snoozed_until"] == "2026-06-10T18:00:00Z"
    for body in ({}, {"minutes": 5, "until": "2026-06-10T20:00:00Z"}, {"minutes": 0}, {"minutes": 1e9}):
        await refused(await api.post(path, json=body), 422, "minutes")
    for until in ("2020-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        await refused(await api.post(path, json={"until": until}), 422, "until")
    await crossed(demo_vault, 0.50)
    assert "over" in await refused(await api.post(path, json={"minutes": 5}), 409)


async def test_the_history_is_paged_without_a_gap(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    at = NOON
    demo_vault.alerts._now = lambda: at
    for step in range(6):
        at = NOON + timedelta(minutes=step)
        await crossed(demo_vault, 0.76 if step % 2 == 0 else 0.50)  # two lines at a time
    whole = (await ok(await api.get("/api/alerts/history?limit=1000")))["events"]
    assert len(whole) == 12
    seen: list[Any] = []
    before: str | None = None
    while before is not None or not seen:
        query = {"limit": "3"} | ({"before": before} if before else {})
        page = await ok(await api.get("/api/alerts/history", params=query))
        seen, before = seen + page["events"], page["next_before"]
    assert seen == whole
    for query in ("limit=0", "limit=9999", "before=yesterday"):
        assert (await api.get(f"/api/alerts/history?{query}")).status_code == 422


async def test_channels_are_added_changed_tested_and_removed(api: httpx.AsyncClient, inbox: Inbox) -> None:
    body = {"kind": "apprise", "name": "mail", "address": SECRET, "step": 1, "wait_minutes": 10}
    made = await ok(await api.post("/api/alerts/channels", json=body), 201)
    assert (made["name"], made["step"], made["wait_minutes"], made["reaches"]) == ("mail", 1, 10, True)
    path = f"/api/alerts/channels/{made['id']}"
    assert await ok(await api.put(path, json={"is_on": False})) == {**made, "is_on": False, "reaches": False}
    assert (await ok(await api.put(path, json={"is_on": True, "name": "post"})))["name"] == "post"
    assert (await ok(await api.post(f"{path}/test")))["accepted"] is True
    inbox.answer = lambda channel, message: Unavailable("535: wrong password")
    told = await ok(await api.post(f"{path}/test"))
    assert (told["accepted"], told["problem"]) == (False, "535: wrong password")
    listed = await ok(await api.get("/api/alerts/channels"))
    assert listed["channels"][0]["problem"] == "535: wrong password"
    assert await ok(await api.delete(path)) == {"channels": [], "nobody_told": True}
    for answer in (await api.delete(path), await api.put(path, json={}), await api.post(f"{path}/test")):
        await refused(answer, 404)


NO_CHANNEL: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"name": "x" * 300}, "name"),
    ({"step": 10}, "step"),
    ({"step": 1e30}, "step"),
    ({"wait_minutes": -1}, "wait_minutes"),
    ({"kind": "pigeon"}, "kind"),
    ({"kind": "push"}, "kind"),
]


async def test_a_channel_that_makes_no_sense_is_refused(api: httpx.AsyncClient, inbox: Inbox) -> None:
    for change, argument in NO_CHANNEL:
        body = {"kind": "apprise", "name": "mail", "address": SECRET, **change}
        await refused(await api.post("/api/alerts/channels", json=body), 422, argument)


async def test_an_address_is_in_no_answer_and_in_no_error(
    api: httpx.AsyncClient, demo_vault: Vault, inbox: Inbox
) -> None:
    body = {"kind": "apprise", "name": "mail", "address": SECRET}
    made = await api.post("/api/alerts/channels", json=body)
    inbox.answer = lambda channel, message: Accepted(gives_receipts=False)
    await crossed(demo_vault, 0.76)
    await demo_vault.outbox.deliver()
    answers = [
        made,
        await api.post("/api/alerts/channels", json={**body, "step": "x"}),
        await api.post("/api/alerts/channels", json={**body, "address": [SECRET]}),
        await api.get("/api/alerts"),
        await api.get("/api/alerts/history"),
        await api.get("/api/alerts/channels"),
        await api.post(f"/api/alerts/channels/{made.json()['id']}/test"),
    ]
    assert all("canary" not in answer.text for answer in answers)


async def test_the_message_tells_which_alert_it_is(api: httpx.AsyncClient, demo_vault: Vault, inbox: Inbox) -> None:
    await ok(await api.post("/api/alerts/channels", json={"kind": "apprise", "name": "m", "address": SECRET}), 201)
    call, _ = await crossed(demo_vault, 0.76)
    await demo_vault.outbox.deliver()
    message: Message = inbox.taken[0][1]
    assert message.details == {"event_id": call.id, "portfolio_id": "main", "kind": "raised"}
    assert message.path == "/alerts"

"""Templates by API: read, made, changed, copied, exported; what is wrong is named, and who is late is told."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import yaml

from tests.api.json_schema import validate
from tests.conftest import BASE_URL
from vaultdash.main import create_app
from vaultdash.services.template_schema import DOCUMENT
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings
from vaultdash.strategies.templates import TEMPLATES

LEG = {"right": "put", "strike": {"rule": "delta", "value": 0.25}, "months": 6, "share": 0.5}
MINE = {"name": "Quarter delta", "legs": [LEG], "coverage": 0.1 + 0.2, "counting": "after_payment"}
PATH = "/api/templates/quarter-delta"


@pytest.fixture
async def api(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application, opened; no jobs run beside the tests."""
    await demo_vault.open()
    app = create_app(demo_settings(), demo_vault, pages=False)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/api/templates", json={**MINE, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def told(answer: httpx.Response) -> tuple[int, str | None, str]:
    error = answer.json()["error"]
    return answer.status_code, error["argument"], error["message"]


async def test_those_of_the_house_are_listed_and_the_owners_follow(api: httpx.AsyncClient) -> None:
    mine = await made(api)
    found = (await api.get("/api/templates")).json()["templates"]
    assert [each["id"] for each in found] == [*(each.id for each in TEMPLATES), "quarter-delta"]
    assert [each["is_system"] for each in found] == [True] * len(TEMPLATES) + [False]
    assert found[-1] == mine
    assert found[1]["legs"] == [
        {
            "right": "put",
            "strike": {"rule": "percent_of_spot", "value": 0.95},
            "months": 12.0,
            "side": "buy",
            "share": 1.0,
            "contracts": None,
        }
    ]


async def test_a_template_is_made_read_and_unchanged_when_asked_again(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/templates", json=MINE)
    assert (answer.status_code, answer.headers["location"]) == (201, PATH)
    read = await api.get(PATH)
    assert read.json() == answer.json()
    assert (read.json()["version"], read.json()["coverage"]) == (1, 0.1 + 0.2)
    again = await api.get(PATH, headers={"If-None-Match": read.headers["etag"]})
    assert again.status_code == 304


async def test_a_change_makes_a_version_and_the_old_one_stays(api: httpx.AsyncClient) -> None:
    first = await made(api)
    changed = await api.put(PATH, json={"roll": {"days_before_expiry": None}}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200
    assert changed.json() == {**first, "version": 2, "roll": {**first["roll"], "days_before_expiry": None}}
    assert (await api.get(PATH)).json() == changed.json()
    assert (await api.get(f"{PATH}?version=1")).json() == first
    assert told(await api.get(f"{PATH}?version=3"))[0] == 404


async def test_an_answer_can_be_sent_back_and_tells_the_version_that_was_read(api: httpx.AsyncClient) -> None:
    first = await made(api)
    assert (await api.put(PATH, json=first)).json() == first
    second = (await api.put(PATH, json={**first, "description": "new"})).json()
    assert second == {**first, "description": "new", "version": 2}
    for late in ({"json": first}, {"json": {"coverage": 0.5}, "headers": {"If-Match": "1"}}):
        status, _, message = told(await api.put(PATH, **late))
        assert (status, "at version 2, not 1" in message) == (409, True)
    assert told(await api.put(PATH, json={**second, "expected_version": 1}))[:2] == (422, "expected_version")
    assert told(await api.put(PATH, json={"version": "2"}))[:2] == (422, "version")
    assert told(await api.put(PATH, json={"version": 0}))[:2] == (422, "version")
    assert (await api.get(PATH)).json() == second


async def test_a_removed_one_is_gone_from_the_list_but_not_its_versions(api: httpx.AsyncClient) -> None:
    first = await made(api)
    assert (await api.delete(PATH, headers={"If-Match": '"2"'})).status_code == 409
    assert (await api.delete(PATH, headers={"If-Match": '"1"'})).status_code == 204
    assert (await api.delete(PATH)).status_code == 404
    assert told(await api.get(PATH))[0] == 404
    assert (await api.get(f"{PATH}?version=1")).json() == first
    assert len((await api.get("/api/templates")).json()["templates"]) == len(TEMPLATES)


async def test_those_of_the_house_are_copied_and_never_changed(api: httpx.AsyncClient) -> None:
    for deed in (api.put("/api/templates/no_hedge", json={"name": "x"}), api.delete("/api/templates/no_hedge")):
        status, _, message = told(await deed)
        assert (status, "copy it first" in message) == (409, True)
    answer = await api.post("/api/templates/collar_95_110/copy", json={"name": "My collar"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/templates/my-collar")
    house = (await api.get("/api/templates/collar_95_110")).json()
    assert answer.json() == {**house, "id": "my-collar", "name": "My collar", "is_system": False}
    assert (await api.post("/api/templates/my-collar/copy", json={"name": "B", "id": "b"})).json()["id"] == "b"
    assert told(await api.post("/api/templates/none/copy", json={"name": "C"}))[0] == 404
    assert told(await api.post("/api/templates/b/copy", json={"name": "my COLLAR"}))[0] == 409
    assert told(await api.post("/api/templates/b/copy", json={"names": "D"}))[0] == 422


@pytest.mark.parametrize("file_format", ["json", "yaml"])
async def test_an_export_is_a_file_that_comes_back_the_same(api: httpx.AsyncClient, file_format: str) -> None:
    first = await made(api)
    file = await api.get(f"{PATH}/export?format={file_format}")
    assert file.headers["content-disposition"] == f'attachment; filename="quarter-delta.{file_format}"'
    assert file.headers["content-type"].startswith(f"application/{file_format}")
    plain = json.loads(file.text) if file_format == "json" else yaml.safe_load(file.text)
    layout = {name: value for name, value in DOCUMENT.items() if name != "$schema"}
    validate(plain, layout, layout)
    await api.delete(PATH)
    kind = {"Content-Type": f"application/{file_format}"}
    again = await api.post("/api/templates", content=file.content, headers=kind)
    assert again.status_code == 201
    assert again.json() == {**first, "version": 2}  # the id was used before: its versions go on
    other = await api.put(f"{PATH}", content=file.content.replace(b"Quarter", b"Fourth"), headers=kind)
    assert (other.json()["name"], other.json()["version"]) == ("Fourth delta", 3)
    old = await api.get(f"{PATH}/export?format={file_format}&version=2")
    assert old.content == file.content


async def test_the_published_schema_is_that_of_the_exports(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/templates/schema")).json() == DOCUMENT


@pytest.mark.parametrize(
    ("sent", "status", "argument"),
    [
        ({"json": {**MINE, "legs": [{**LEG, "colour": 1}]}}, 422, "legs[0].colour"),
        ({"json": {**MINE, "legs": [LEG, {**LEG, "months": 100}]}}, 422, "legs[1].months"),
        ({"json": {"schema": 3, "template": MINE}}, 422, "schema"),
        ({"json": {**MINE, "id": "no_hedge"}}, 409, None),
        ({"json": []}, 422, "document"),
        ({"content": b"", "headers": {"Content-Type": "application/json"}}, 422, "document"),
        ({"content": b'{"name":', "headers": {"Content-Type": "application/json"}}, 422, "document"),
        ({"content": b'{"coverage": NaN}', "headers": {"Content-Type": "application/json"}}, 422, "document"),
        ({"content": b"name: x\ncoverage: .nan\n", "headers": {"Content-Type": "application/yaml"}}, 422, "coverage"),
        ({"content": b"name: x", "headers": {"Content-Type": "text/plain"}}, 415, None),
        ({"content": b"x" * 30_000, "headers": {"Content-Type": "application/yaml"}}, 422, "document"),
        ({"content": b'{"name": "a\\ud800"}', "headers": {"Content-Type": "application/json"}}, 422, "name"),
        ({"json": MINE, "headers": {"Origin": "https://evil.example"}}, 403, None),
    ],
)
async def test_what_cannot_be_taken_is_refused_by_name(
    api: httpx.AsyncClient, sent: dict[str, Any], status: int, argument: str | None
) -> None:
    assert told(await api.post("/api/templates", **sent))[:2] == (status, argument)
    assert len((await api.get("/api/templates")).json()["templates"]) == len(TEMPLATES)


@pytest.mark.parametrize(
    "url", ["/api/templates/UPPER", "/api/templates/no_hedge?version=0", f"{PATH}/export?format=x"]
)
async def test_what_cannot_be_asked_is_refused(api: httpx.AsyncClient, url: str) -> None:
    assert (await api.get(url)).status_code == 422


async def test_own_templates_stand_in_the_comparison_after_the_six(api: httpx.AsyncClient) -> None:
    asked = "/api/strategies?spot=460&loan_amount=600000&portfolio_value=1000000"
    before = (await api.get(asked)).json()
    await made(api, legs=[{**LEG, "share": 1.0}], coverage=1.0)
    await api.post("/api/templates/collar_95_110/copy", json={"name": "My collar"})
    after = (await api.get(asked)).json()
    assert after["strategies"][:6] == before["strategies"]
    (own,) = after["strategies"][6:]
    assert (own["name"], own["title"], own["legs"][0]["months"]) == ("quarter-delta", "Quarter delta", 6)
    assert before["left_out"] == []
    assert after["left_out"] == [
        {
            "name": "my-collar",
            "title": "My collar",
            "reason": "it sells options, and only bought puts are compared here",
        }
    ]
    assert len(after["recommendations"]["balanced"]["ranking"]) == 7

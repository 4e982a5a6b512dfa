"""The contract: every answer is what /openapi.json says, and /docs works without a way out."""

import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.api.json_schema import Mismatch, validate
from vaultdash.api.live import Broadcast

SEED = 20260610
OPTIONS = {f"/api/options{rest}" for rest in ("", "/expirations", "/chain", "/chain.csv", "/surface")}
OPERATIONS = {"/health", "/api/portfolio", "/api/strategies", "/api/history", *OPTIONS}
VALID = [
    "/health",
    "/api/portfolio",
    "/api/portfolio?symbol=IAU",
    "/api/strategies",
    "/api/strategies?symbol=SGOL&exercise=american&months=3",
    "/api/strategies?spot=460&loan_amount=1&portfolio_value=1e15&price_changes=0",
    "/api/options?symbol=GLDM",
    "/api/options/expirations",
    "/api/options/chain?symbol=GLDM&right=put&max_strike=90",
    "/api/options/surface?symbol=GLDM",
    "/api/history?days=20000",
    "/api/history?symbol=^GVZ&days=30",
]


@pytest.fixture
async def document(api_client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api_client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_document_names_every_operation_once(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Vault Dashboard"
    assert set(document["paths"]) == OPERATIONS
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert sorted(names) == [
        "chain",
        "chain_csv",
        "expirations",
        "health",
        "history",
        "options",
        "portfolio",
        "strategies",
        "surface",
    ]


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    found = 0
    for reference in _references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        found += 1
    assert found > 20


def test_every_parameter_of_the_comparison_is_documented(document: dict[str, Any]) -> None:
    parameters = {one["name"]: one for one in document["paths"]["/api/strategies"]["get"]["parameters"]}
    assert {"symbol", "spot", "volatility", "risk_free_rate", "portfolio_value", "loan_amount"} <= set(parameters)
    assert {"margin_call_ltv", "months", "exercise"} <= set(parameters)
    assert all(one.get("description") for one in parameters.values())


@pytest.mark.parametrize("url", VALID)
async def test_every_answer_is_what_its_schema_says(
    api_client: httpx.AsyncClient, document: dict[str, Any], url: str
) -> None:
    answer = await api_client.get(url)
    assert answer.status_code == 200, answer.text
    validate(answer.json(), schema_of(document, url, 200), document)


async def test_the_validator_notices_a_lie(api_client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    schema = schema_of(document, "/api/portfolio", 200)
    true = (await api_client.get("/api/portfolio")).json()
    for path, lie in (("symbol", 5), ("own", "yes"), ("quote", None), ("more", 1)):
        with pytest.raises(Mismatch):
            validate({**true, path: lie}, schema, document)
    with pytest.raises(Mismatch):
        validate({**true, "quote": {**true["quote"], "freshness": "good"}}, schema, document)
    del true["portfolio"]["ltv"]
    with pytest.raises(Mismatch):
        validate(true, schema, document)


async def test_500_random_requests_stay_within_the_contract(
    api_client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    counts: dict[int, int] = {}
    for _ in range(500):
        path = chance.choice(sorted(OPERATIONS))
        operation = document["paths"][path]["get"]
        query = {
            one["name"]: _value(one["schema"], chance)
            for one in operation.get("parameters", [])
            if chance.random() < 0.4
        }
        answer = await api_client.get(path, params=query)
        documented = operation["responses"].get(str(answer.status_code))
        assert documented is not None, f"undocumented {answer.status_code}: {path} {query}"
        if answer.headers["content-type"].startswith("text/csv"):
            assert "text/csv" in documented["content"]
        else:
            validate(answer.json(), documented["content"]["application/json"]["schema"], document)
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
    assert counts[200] > 50
    assert counts[422] > 50
    assert not [status for status in counts if status >= 500]


async def test_the_message_of_the_socket_holds_the_same_fields_as_the_answer(
    api_app: FastAPI, api_client: httpx.AsyncClient
) -> None:
    broadcast: Broadcast = api_app.state.broadcast
    messages: list[str] = []
    with broadcast.heard_by(messages.append):
        told = httpx.Response(200, text=messages[0]).json()
    asked = (await api_client.get("/api/portfolio")).json()
    assert told["portfolio"] == asked["portfolio"]
    assert set(told["quote"]) == set(asked["quote"])


async def test_the_documentation_needs_nothing_from_outside(api_client: httpx.AsyncClient) -> None:
    page = await api_client.get("/docs")
    assert page.status_code == 200
    links = _Links()
    links.feed(page.text)
    assert any(link.endswith(".js") for link in links.found)
    assert any(link.endswith(".css") for link in links.found)
    assert not re.search(r"https?:|//cdn", page.text)
    for link in links.found:
        assert link.startswith("/")
        if link == "/favicon.ico":  # served with the pages
            continue
        asset = await api_client.get(link)
        assert asset.status_code == 200
        assert len(asset.content) > 10_000
        assert not re.search(
            rb"@import|url\(\s*['\"]?https?:", asset.content[:2_000_000] if link.endswith("css") else b""
        )


def schema_of(document: dict[str, Any], url: str, status: int) -> dict[str, Any]:
    responses = document["paths"][url.split("?")[0]]["get"]["responses"]
    return dict(responses[str(status)]["content"]["application/json"]["schema"])


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for entry in value.values():
            yield from _references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _references(entry)


def _value(schema: dict[str, Any], chance: random.Random) -> str:
    """Half the time something the schema allows, half the time something it may not."""
    if chance.random() < 0.5:
        return chance.choice(
            ["", "x", "nan", "-1", "0", "1e999", "2026-01-01", "GLD", "true", "[]", "9" * 40, "½", "\x00"]
        )
    kinds = [schema, *schema.get("anyOf", [])]
    if any(kind.get("type") == "integer" for kind in kinds):
        return str(chance.randint(1, 60))
    if any(kind.get("type") == "number" for kind in kinds):
        return repr(chance.choice([chance.random(), 10 ** chance.uniform(-3, 7)]))
    if any("$ref" in kind for kind in kinds):
        return chance.choice(["european", "american"])
    return chance.choice(["GLD", "IAU", "GLDM", "SGOL", "2026-07-17", "-0.1,0,0.1", "put"])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]

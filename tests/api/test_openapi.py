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
IDS = ("no_hedge", "mine")
OPTIONS = {f"/api/options{rest}" for rest in ("", "/expirations", "/chain", "/chain.csv", "/surface")}
RISK = {f"/api/risk/{rest}" for rest in ("call-probability", "stress", "selloffs")}
LTV = {"/api/history/ltv", "/api/history/ltv.csv"}
ALERTS = {
    "/api/alerts",
    *(f"/api/alerts/{rest}" for rest in ("configure", "history", "receipts/{delivery_id}")),
    *(f"/api/alerts/channels{rest}" for rest in ("", "/{channel_id}", "/{channel_id}/test")),
    *(f"/api/alerts/push/{rest}" for rest in ("key", "subscriptions")),
    *(f"/api/alerts/{{event_id}}/{rest}" for rest in ("acknowledge", "snooze")),
}
PORTFOLIO = "/api/portfolios/{portfolio_id}"
PORTFOLIOS = {
    "/api/portfolios",
    PORTFOLIO,
    *(f"{PORTFOLIO}/{rest}" for rest in ("changes", "cure", "current", "undo")),
    *(f"{PORTFOLIO}/options{rest}" for rest in ("", "/import", "/{option_id}")),
}
TEMPLATE = "/api/templates/{template_id}"
TEMPLATES = {"/api/templates", "/api/templates/schema", TEMPLATE, f"{TEMPLATE}/copy", f"{TEMPLATE}/export"}
EVENT = "/api/events/{event_id}"
EVENTS = {"/api/events", EVENT}
BACKTEST = "/api/backtests/{run_id}"
BACKTESTS = {
    "/api/backtests",
    BACKTEST,
    *(f"{BACKTEST}/{rest}" for rest in ("again", "cancel", "series.csv", "trades.csv")),
    f"{EVENT}/report",
}
SWEEP = "/api/sweeps/{sweep_id}"
SWEEPS = {"/api/sweeps", SWEEP, *(f"{SWEEP}/{rest}" for rest in ("cancel", "results.csv", "resume"))}
HEDGES = {f"/api/hedges/{rest}" for rest in ("build", "cheapest", "evaluate", "frontier", "market", "path-verdict")}
WHAT_IF = {"/api/whatif", "/api/whatif/grids", "/api/whatif/grids/{name}"}
OPERATIONS = {
    "/health",
    "/api/portfolio",
    "/api/strategies",
    "/api/history",
    *OPTIONS,
    *LTV,
    *RISK,
    *PORTFOLIOS,
    *ALERTS,
    *TEMPLATES,
    *EVENTS,
    *BACKTESTS,
    *SWEEPS,
    *HEDGES,
    *WHAT_IF,
}
NAMES = """
    acknowledge add_channel add_event add_option add_portfolio add_template alert_history alerts
    backtest_series_csv backtest_trades_csv backtests call_probability cancel_backtest cancel_sweep chain chain_csv
    change_channel change_event change_option change_portfolio change_template channels choose_portfolio
    configure copy_template cure_portfolio events expirations export_template health history history_ltv
    history_ltv_csv import_options options portfolio portfolio_changes portfolios push_key read_backtest
    read_sweep remove_sweep resume_sweep start_sweep sweep_results_csv sweeps
    read_event read_portfolio read_template receipt remove_backtest remove_channel remove_event remove_option
    remove_portfolio remove_template rename_backtest repeat_backtest report_event selloffs snooze start_backtest
    strategies stress subscribe surface template_schema templates try_channel undo_change unsubscribe
    build_hedge cheapest_hedge evaluate_hedge hedge_frontier hedge_market keep_grid path_verdict remove_grid
    scenario_grids what_if
"""
A_PUT = {"contract": "GLD260918P00430000", "contracts": 5, "price_paid": 9.9, "opened_on": "2026-06-01"}
FILES = (
    "contract,contracts,price_paid,opened_on\nGLD260918P00420000,5,9.90,2026-06-01\n",
    "contract;contracts;price_paid;opened_on\nGLD260918P00420000;5;9,90;1.6.2026\nx;y;z\n",
    "",
    "\x00",
    "a,b\n1,2\n",
)
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
    "/api/portfolios",
    "/api/portfolios/main",
    "/api/portfolios/main/changes?limit=1",
    "/api/portfolios/main/cure?price=350&drop=0.2",
    "/api/templates",
    "/api/templates/schema",
    "/api/templates/no_hedge?version=1",
    "/api/templates/no_hedge/export",
    "/api/backtests?limit=5",
    "/api/sweeps?limit=5",
    "/api/events",
    "/api/events/january-2026",
    "/api/risk/call-probability",
    "/api/risk/call-probability?spot=460&call_price=368&volatility=0",
    "/api/risk/stress",
    "/api/risk/selloffs?ltv=0.7",
    "/api/history?days=20000",
    "/api/history/ltv",
    "/api/history/ltv?days=all&portfolio=main",
    "/api/hedges/market?horizon=2026-09-18&latest=2026-09-18",
    "/api/whatif/grids",
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
    assert sorted(names) == sorted(NAMES.split())


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
        path = chance.choice(sorted(path for path in document["paths"] if "get" in document["paths"][path]))
        operation = document["paths"][path]["get"]
        query = {
            one["name"]: _value(one["schema"], chance)
            for one in operation.get("parameters", [])
            if one["in"] == "query" and chance.random() < 0.4
        }
        answer = await api_client.get(_filled(path, chance), params=query)
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


async def test_300_random_writings_stay_within_the_contract(
    api_client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    writing = [
        (path, method)
        for path, methods in sorted(document["paths"].items())
        for method in sorted(methods)
        if method != "get" and path in PORTFOLIOS | TEMPLATES
    ]
    held = (await api_client.post("/api/portfolios/main/options", json=A_PUT)).json()["options"][0]["id"]
    counts: dict[int, int] = {}
    for _ in range(300):
        path, method = chance.choice(writing)
        operation = document["paths"][path][method]
        kinds = operation.get("requestBody", {}).get("content", {})
        sent: dict[str, Any] = {}
        if "application/json" in kinds:
            sent["json"] = _entry(kinds["application/json"]["schema"], document, chance)
        elif kinds:
            sent = {"content": chance.choice(FILES).encode(), "headers": {"Content-Type": next(iter(kinds))}}
        answer = await api_client.request(method, _filled(path, chance, held), **sent)
        documented = operation["responses"].get(str(answer.status_code))
        assert documented is not None, f"undocumented {answer.status_code}: {method} {path} {sent} {answer.text}"
        if answer.content:
            validate(answer.json(), documented["content"]["application/json"]["schema"], document)
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
    print(counts)
    assert counts[200] + counts.get(201, 0) > 20
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
    path = url.split("?")[0].replace("/portfolios/main", "/portfolios/{portfolio_id}")
    path = path.replace("/templates/no_hedge", "/templates/{template_id}")
    path = path.replace("/events/january-2026", EVENT.removeprefix("/api"))
    responses = document["paths"][path]["get"]["responses"]
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


def _filled(path: str, chance: random.Random, held: str = "none") -> str:
    """The path with ids in it, most of which are there."""
    for name in re.findall(r"{(\w+)}", path):
        known = {"portfolio_id": "main", "option_id": held, "template_id": chance.choice(IDS)}.get(name, "none")
        odd = chance.choice(["x", "-", "0", "%00", "é"])
        path = path.replace(f"{{{name}}}", known if chance.random() < 0.8 else odd)
    return path


def _entry(schema: dict[str, Any], document: dict[str, Any], chance: random.Random) -> Any:
    """Something like what the schema asks for; now and then something else."""
    if chance.random() < 0.06:
        return chance.choice([None, [], {}, "x", -1, 0, 1e308, True, "2026-02-30", "\x00", {"x": 1}])
    if "$ref" in schema:
        return _entry(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document, chance)
    if "anyOf" in schema:
        return _entry(chance.choice(schema["anyOf"]), document, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        given = {name: one for name, one in schema.get("properties", {}).items() if chance.random() < 0.25}
        return {name: _entry(one, document, chance) for name, one in given.items()}
    if kind == "array":
        return [_entry(schema["items"], document, chance) for _ in range(chance.choice((0, 1, 1, 2)))]
    if kind == "integer":
        return chance.choice((1, 2, 3, 5, -4, 10**6))
    if kind == "number":
        return chance.choice((chance.random(), 10 ** chance.uniform(-3, 7), 0.7, 0.75, 430))
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "null":
        return None
    return chance.choice(("2026-06-01", "GLD", "XAU-KG", "put", "A name", "GLD260918P00430000", "GLD270115C00500000"))


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

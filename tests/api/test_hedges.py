"""The endpoints of hedges and what-if: examples that run, answers that match their schema, nonsense refused."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.api.json_schema import validate
from tests.api.test_openapi import _entry
from tests.builders import NOON
from tests.conftest import BASE_URL
from tests.services.workbench_house import a_small_workbench
from vaultdash.api import hedge_examples as examples
from vaultdash.api.hedge_routes import unless_left
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

CHEAPEST, EVALUATE, PATHS, WHAT_IF = (
    "/api/hedges/cheapest",
    "/api/hedges/evaluate",
    "/api/hedges/path-verdict",
    "/api/whatif",
)
EXAMPLES = [
    (path, name, example["value"])
    for path, group in (
        (CHEAPEST, examples.CHEAPEST),
        (EVALUATE, examples.EVALUATE),
        (PATHS, examples.PATHS),
        (WHAT_IF, examples.WHAT_IF),
        ("/api/hedges/build", examples.BUILD),
    )
    for name, example in group.items()
]
LOAN = {"spot": 400, "units": 1000, "loan_amount": 240_000}
GIVEN = {**LOAN, "max_hedged_ltv": 0.75}
PUT = {"right": "P", "strike": 330, "expiration": "2026-10-16", "bid": 1.9, "ask": 2.1, "multiplier": 100}
CALL = {"right": "C", "strike": 460, "expiration": "2026-10-16", "bid": 5.5, "ask": 5.8}
LEG = {**PUT, "contracts": 10}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"loan_amount": 400_000}, "loan_amount", "a loan must be below 100 % of it"),
    ({"contracts": [{**PUT, "bid": 5, "ask": 4}]}, "contracts", "one of the two is old"),
    ({"contracts": []}, "contracts", "leave them out"),
    ({"contracts": [{**PUT, "right": "X"}]}, "right", "must be C or call, or P or put"),
    ({"contracts": [{**PUT, "strike": 0}]}, "strike", "greater than 0"),
    ({"contracts": [{**PUT, "multiplier": 0}]}, "multiplier", "greater than or equal to 1"),
    ({"contracts": [{**PUT, "expiration": "soon"}]}, "expiration", "must be a day"),
    ({"contracts": [{**PUT, "premium": 3}]}, "premium", "is no field that is known here"),
    ({"credit": "maybe"}, "credit", "the credit factor as a number from 0 to 1"),
    ({"credit": True}, "credit", "the credit factor as a number from 0 to 1"),
    ({"credit": 7}, "credit_factor", "from 0"),
    ({"max_hedged_ltv": 75}, "max_hedged_ltv", "less than 2"),
    ({"price_range": [0.6, -0.6]}, "price_range", "the lower first"),
    ({"price_range": [-0.6]}, "price_range", "at least 2"),
    ({"price_range": [-1, 0.5]}, "price_range", "the lower first"),
    ({"max_puts": 1.5}, "max_puts", "valid integer"),
    ({"max_loss": 20}, "max_loss", "less than or equal to 1"),
    ({"goal": "best_protection"}, "budget", "is missing"),
    ({"check_dates": "sometimes"}, "check_dates", "'expiry' or 'all'"),
    ({"horizon": "2026-02-30"}, "horizon", "date"),
    ({"nonsense": 1}, "nonsense", "is no field that is known here"),
]
HOSTILE = [
    b'{"spot": NaN}',
    b'{"spot": 1e999}',
    b'{"units": ' + b"9" * 400 + b"}",
    b'{"contracts": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"contracts": [[]]}',
    b'{"contracts": {"right": "P"}}',
    b'{"price_range": [null, Infinity]}',
    b'{"credit": "\\ud800"}',
    b"[]",
    b"null",
    b"",
    b'{"contracts": [' + b",".join([b'{"right":"P","strike":1,"expiration":"2027-01-01"}'] * 20_000) + b"]}",
]


@pytest.fixture
async def client(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the API of a house with a price and a few listed contracts around it."""
    demo_vault.workbench = a_small_workbench(demo_vault, lambda: NOON)
    await demo_vault.heartbeat.beat()
    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as asking:
        yield asking


async def schema(client: httpx.AsyncClient, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = (await client.get("/openapi.json")).json()
    told = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    return told, document


@pytest.mark.parametrize(("path", "name", "body"), EXAMPLES, ids=[f"{path} {name}" for path, name, _ in EXAMPLES])
async def test_every_example_of_the_description_runs(
    client: httpx.AsyncClient, path: str, name: str, body: dict[str, Any]
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told, document = await schema(client, path)
    validate(answer.json(), told, document)
    shown = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert shown[name]["value"] == body


async def test_the_cheapest_hedge_has_the_fields_that_were_promised(client: httpx.AsyncClient) -> None:
    found = (await client.post(CHEAPEST, json={**GIVEN, "contracts": [PUT]})).json()
    # one strike: n puts keep 240,000 <= 0.75 * (1000 S + 100 n (330 - S)) at 160 from n = 9.41, at 330 from 0
    assert (found["status"], found["net_cost"]) == ("optimal", pytest.approx(10 * 210.65))
    assert found["legs"][0]["side"] == "buy"
    assert (found["legs"][0]["contracts"], found["legs"][0]["price"]) == (10, 2.1)
    assert found["lp_bound"] <= found["net_cost"]
    assert found["worst_hedged_ltv"] == pytest.approx(240_000 / 330_000)
    assert all(isinstance(price, float) for price in found["binding_prices"])
    assert found["rejected"] == []
    assert found["link"] == "h1~GLD~10P330-261016"
    assert (found["source"], found["at"], found["withheld"]) == (None, None, None)
    assert found["case"]["split_custody"] is False


async def test_infeasible_is_an_answer_with_its_reason(client: httpx.AsyncClient) -> None:
    answer = await client.post(CHEAPEST, json={**GIVEN, "credit": "ignored", "contracts": [PUT]})
    found = answer.json()
    assert (answer.status_code, found["status"], found["legs"], found["net_cost"]) == (200, "infeasible", [], None)
    assert "this lender counts" in found["reason"]
    assert found["nearest"]["repay"] == pytest.approx(240_000 - 0.75 * 160_000, rel=1e-6)


async def test_without_contracts_the_live_chain_is_searched(client: httpx.AsyncClient) -> None:
    found = (await client.post(CHEAPEST, json={"max_hedged_ltv": 0.74, "credit": "credited"})).json()
    assert (found["status"], found["source"], found["case"]["demo"]) == ("optimal", "Scripted", True)
    assert found["measure"]["countings"]
    assert "the price is invented (DEMO)" in found["case"]["remarks"]
    assert sum(found["rejected_counts"].values()) == len(found["rejected"])


async def test_a_quote_that_is_missing_or_zero_cannot_be_traded(client: httpx.AsyncClient) -> None:
    contracts = [
        {**PUT, "strike": 340, "ask": 0},
        {**PUT, "strike": 350, "ask": None},
        {**PUT, "strike": 360, "bid": None, "ask": 9.0},
        {**CALL, "bid": 0},
        {**CALL, "strike": 470, "bid": None},
    ]
    asked = {**GIVEN, "contracts": contracts, "allow_calls": True}
    found = (await client.post(CHEAPEST, json=asked)).json()
    assert {leg["strike"] for leg in found["legs"]} == {360}
    assert sorted(each["strike"] for each in found["rejected"]) == [340, 350, 460, 470]


async def test_calls_are_refused_only_with_split_custody(client: httpx.AsyncClient) -> None:
    asked = {**GIVEN, "contracts": [PUT, CALL], "allow_calls": True}
    free = (await client.post(CHEAPEST, json=asked)).json()
    assert [leg["side"] for leg in free["legs"]] == ["buy", "sell"]
    split = (await client.post(CHEAPEST, json={**asked, "split_custody": True})).json()
    assert [leg["side"] for leg in split["legs"]] == ["buy"]
    assert [each["strike"] for each in split["rejected"]] == [460]
    assert any("uncovered at the broker" in remark for remark in split["remarks"])
    rich = (await client.post(CHEAPEST, json={**asked, "split_custody": True, "broker_margin": 1e6})).json()
    assert rich["net_cost"] == free["net_cost"]
    assert rich["measure"]["calls"]["refusal"] == ""


async def test_a_row_of_the_chain_can_be_sent_back(options: httpx.AsyncClient) -> None:
    chain = (await options.get("/api/options/chain", params={"expiration": "2027-06-17"})).json()
    rows = [row for row in chain["contracts"] if row["right"] == "P"]
    asked = {**GIVEN, "spot": 460, "loan_amount": 276_000, "price_range": [-0.2, 0.2], "contracts": rows}
    answer = await options.post(CHEAPEST, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "optimal"


async def test_what_makes_no_sense_is_refused_by_name(client: httpx.AsyncClient) -> None:
    for change, argument, words in REFUSED:
        answer = await client.post(CHEAPEST, json={**GIVEN, "contracts": [PUT], **change})
        assert answer.status_code == 422, (change, answer.text)
        error = answer.json()["error"]
        assert error["argument"] == argument, (change, error)
        assert words in error["message"], (change, error)


async def test_hostile_bodies_are_refused(client: httpx.AsyncClient) -> None:
    for body in HOSTILE:
        for path in (CHEAPEST, EVALUATE, PATHS, WHAT_IF, "/api/hedges/build"):
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 413, 422), (path, body[:60], answer.text)


async def test_a_hedge_is_measured_with_its_curves(client: httpx.AsyncClient) -> None:
    asked = {"spot": 400, "units": 1000, "loan_amount": 240_000, "hedge": {"legs": [LEG]}}
    found = (await client.post(EVALUATE, json=asked)).json()
    curves, cost = found["curves"], 10 * (210 + 0.65)
    assert found["hedge"]["net_cost"] == pytest.approx(cost)
    assert {160, 320, 330, 400, 640} <= set(curves["prices"])
    for price, payoff, gain, credited, sold in zip(
        curves["prices"], curves["payoff"], curves["gain"], curves["credited"], curves["after_payment"], strict=True
    ):
        worth = 1000 * max(330 - price, 0)
        assert payoff == pytest.approx(worth)
        assert gain == pytest.approx(worth - cost)
        assert credited == pytest.approx(240_000 / (1000 * price + worth))
        assert sold == pytest.approx((240_000 - worth) / (1000 * price))
    assert found["measure"]["breakevens"] == [pytest.approx(330 - cost / 1000)]


async def test_a_link_is_a_hedge_of_the_live_chain(client: httpx.AsyncClient) -> None:
    built = (await client.post("/api/hedges/build", json={"kind": "put_spread", "strikes": [440, 410]})).json()
    found = (await client.post(EVALUATE, json={"hedge": {"link": built["link"]}})).json()
    assert found["hedge"]["legs"] == built["legs"]
    assert found["hedge"]["net_cost"] == built["net_cost"]
    both = {"hedge": {"link": built["link"], "legs": [LEG]}}
    assert (await client.post(EVALUATE, json=both)).json()["error"]["argument"] == "link"
    strange = {"legs": [{**LEG, "bid": None, "ask": None, "strike": 331.5}]}
    assert (await client.post(EVALUATE, json={"hedge": strange})).status_code == 404


async def test_a_template_is_built_from_the_live_chain(client: httpx.AsyncClient) -> None:
    built = (await client.post("/api/hedges/build", json={"template": "collar_95_110"})).json()
    assert [leg["side"] for leg in built["legs"]] == ["buy", "sell"]
    for body, status in (({}, 422), ({"kind": "leaps", "template": "no_hedge"}, 422), ({"template": "none"}, 404)):
        assert (await client.post("/api/hedges/build", json=body)).status_code == status
    refused = (await client.post("/api/hedges/build", json={"kind": "custom"})).json()["error"]
    assert refused["argument"] == "kind"


async def test_the_frontier_and_the_market_stand_on_the_same_chain(client: httpx.AsyncClient) -> None:
    market = (await client.get("/api/hedges/market")).json()
    frontier = (await client.get("/api/hedges/frontier", params={"counting": "credited"})).json()
    assert market["source"] == frontier["source"] == "Scripted"
    listed = {(each["right"], each["strike"], each["expiration"]) for each in market["contracts"]}
    legs = [leg for point in frontier["points"] for leg in point["legs"]]
    assert legs
    assert {(leg["right"], leg["strike"], leg["expiration"]) for leg in legs} <= listed
    assert frontier["points"][0]["alternative"] == "nothing"
    assert (await client.get("/api/hedges/market", params={"horizon": "2040-01-01"})).status_code == 422


async def test_what_if_moves_only_what_is_asked(client: httpx.AsyncClient) -> None:
    asked = {"spot": 400, "units": 1000, "loan_amount": 240_000, "hedge": {"legs": [{**LEG, "volatility": 0.2}]}}
    found = (await client.post(WHAT_IF, json={**asked, "price_change": -0.25, "maps": False})).json()
    assert found["hypothetical"] is True
    assert found["now"]["unhedged_ltv"] == pytest.approx(0.6)
    assert found["then"]["price"] == pytest.approx(300)
    assert found["then"]["unhedged_ltv"] == pytest.approx(0.8)
    assert found["then"]["gold_pnl"] == pytest.approx(-100_000)
    assert found["then"]["hedge_value"] >= 1000 * 30 - 1
    worth = found["then"]["hedge_value"]
    assert found["then"]["ltvs"]["credited"] == pytest.approx(240_000 / (300_000 + worth))
    assert (found["by_time"], found["by_volatility"]) == (None, None)
    maps = (await client.post(WHAT_IF, json=asked)).json()
    assert len(maps["by_time"]["ltv"]) == len(maps["by_time"]["rows"])


async def test_scenario_grids_are_kept_listed_and_removed(client: httpx.AsyncClient) -> None:
    grid = {"prices": [-0.2, 0], "volatilities": [0.1], "days": [0, 30]}
    kept = await client.put("/api/whatif/grids/My%20falls", json=grid)
    assert (kept.status_code, kept.json()["name"]) == (200, "My falls")
    assert (await client.get("/api/whatif/grids")).json()["grids"] == [{"name": "My falls", **grid}]
    assert (await client.delete("/api/whatif/grids/My%20falls")).status_code == 204
    assert (await client.delete("/api/whatif/grids/My%20falls")).status_code == 404
    assert (await client.put("/api/whatif/grids/x", json={**grid, "prices": [-2]})).status_code == 422


async def test_work_ends_when_whoever_asked_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    class Left:
        async def is_disconnected(self) -> bool:
            return True

    async def work() -> int:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return 1

    monkeypatch.setattr("vaultdash.api.hedge_routes.LISTENING_SECONDS", 0.01)
    assert await unless_left(Left(), work()) is None  # type: ignore[arg-type]  # all that is asked of a request
    async with asyncio.timeout(5):
        await ended.wait()


async def test_150_random_questions_stay_within_the_contract(client: httpx.AsyncClient) -> None:
    chance = random.Random(20260511)
    document = (await client.get("/openapi.json")).json()
    paths = [CHEAPEST, CHEAPEST, EVALUATE, WHAT_IF, "/api/hedges/build", PATHS]
    counts: dict[int, int] = {}
    for _ in range(150):
        path = chance.choice(paths)
        told = document["paths"][path]["post"]
        body = _entry(told["requestBody"]["content"]["application/json"]["schema"], document, chance)
        answer = await client.post(path, json=body)
        documented = told["responses"].get(str(answer.status_code))
        assert documented is not None, f"undocumented {answer.status_code}: {path} {body} {answer.text}"
        validate(answer.json(), documented["content"]["application/json"]["schema"], document)
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
    print(counts)
    assert counts[422] > 20
    assert counts[200] > 10
    assert not [status for status in counts if status >= 500]


async def test_before_the_first_price_it_says_that_there_is_none(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        answer = await client.post(CHEAPEST, json={"max_hedged_ltv": 0.7})
        assert answer.status_code == 503
        assert "There is no price yet" in answer.json()["error"]["message"]
        given = await client.post(CHEAPEST, json={**GIVEN, "contracts": [PUT]})
        assert given.json()["status"] == "optimal"


async def test_what_a_worker_refuses_is_refused_in_words(api_client: httpx.AsyncClient) -> None:
    past = {"legs": [{**LEG, "expiration": "2025-09-19"}]}
    answer = await api_client.post(PATHS, json={**LOAN, "hedges": [past], "paths": 128})
    assert answer.status_code == 422
    assert "19 Sep 2025 is past" in answer.json()["error"]["message"]

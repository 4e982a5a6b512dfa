"""What hedges are asked with: days nobody can judge refused, whole numbers as tables write them, and marks."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.builders import NOON
from tests.conftest import BASE_URL
from tests.services.workbench_house import a_small_workbench
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

LOAN = {"spot": 400, "units": 1000, "loan_amount": 240_000}
PUT = {"right": "P", "strike": 330, "expiration": "2026-10-16", "bid": 1.9, "ask": 2.1, "multiplier": 100}
CALL = {"right": "C", "strike": 460, "expiration": "2026-10-16", "bid": 5.5, "ask": 5.8}
COLLAR = {"kind": "collar", "expiration": "2026-10-16", "strikes": [430, 510]}
FAR = ("0001-01-01", "1999-12-31", "2060-05-11", "2126-09-18", "9999-12-31")


@pytest.fixture
async def asking(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the API of a house with a price and a few listed contracts around it."""
    demo_vault.workbench = a_small_workbench(demo_vault, lambda: NOON)
    await demo_vault.heartbeat.beat()
    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def refused(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, str]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 422, (path, body, answer.text)
    error: dict[str, str] = answer.json()["error"]
    return error


@pytest.mark.parametrize("day", [day for day in FAR if day > "2027" or day < "2000"])
async def test_a_leg_of_a_day_that_nobody_can_judge_is_refused(asking: httpx.AsyncClient, day: str) -> None:
    leg = {**PUT, "expiration": day, "contracts": 10}
    bodies = [
        ("/api/hedges/evaluate", {**LOAN, "hedge": {"legs": [leg]}}),
        ("/api/whatif", {**LOAN, "hedge": {"legs": [leg]}}),
        ("/api/hedges/path-verdict", {**LOAN, "hedges": [{"legs": [leg]}], "paths": 128, "models": ["flat"]}),
        ("/api/hedges/cheapest", {**LOAN, "max_hedged_ltv": 0.75, "contracts": [{**PUT, "expiration": day}]}),
    ]
    for path, body in bodies:
        error = await refused(asking, path, body)
        assert error["argument"] == "expiration"
        assert "from 2000-01-01 to 2099-12-31" in error["message"] or "more than 15 years after" in error["message"]


async def test_a_link_of_a_day_that_nobody_can_judge_is_refused(asking: httpx.AsyncClient) -> None:
    for path, key in (("/api/hedges/evaluate", "hedge"), ("/api/whatif", "hedge")):
        error = await refused(asking, path, {**LOAN, key: {"link": "h1~GLD~10P330-990918-o2"}})
        assert "more than 15 years after" in error["message"]
    linked = {"link": "h1~GLD~10P330-990918-o2"}
    await refused(asking, "/api/hedges/path-verdict", {**LOAN, "hedges": [linked], "paths": 128})


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
async def test_a_day_of_judgement_far_away_is_refused(asking: httpx.AsyncClient, day: str) -> None:
    leg = {**PUT, "contracts": 10}
    for path, body in (
        ("/api/hedges/evaluate", {**LOAN, "hedge": {"legs": [leg]}}),
        ("/api/whatif", {**LOAN}),
        ("/api/hedges/path-verdict", {**LOAN, "hedges": [{"legs": [leg]}], "paths": 128}),
        ("/api/hedges/cheapest", {**LOAN, "max_hedged_ltv": 0.75, "contracts": [PUT]}),
        ("/api/hedges/build", {"kind": "protective_put"}),
    ):
        error = await refused(asking, path, {**body, "as_of": day})
        assert (error["argument"], "from 2000-01-01 to 2099-12-31" in error["message"]) == ("as_of", True)
    error = await refused(asking, "/api/hedges/cheapest", {**LOAN, "contracts": [PUT], "horizon": day})
    assert error["argument"] == "horizon"


async def test_a_leap_of_three_years_and_a_case_of_the_past_are_judged(asking: httpx.AsyncClient) -> None:
    for day, as_of in (("2029-06-15", "2026-06-10"), ("2013-09-20", "2013-04-12")):
        leg = {**PUT, "expiration": day, "contracts": 10}
        asked = {**LOAN, "as_of": as_of, "hedge": {"legs": [leg]}}
        assert (await asking.post("/api/hedges/evaluate", json=asked)).status_code == 200


async def test_whole_numbers_may_be_written_as_tables_write_them(asking: httpx.AsyncClient) -> None:
    whole = {**LOAN, "max_hedged_ltv": 0.75, "contracts": [PUT], "max_puts": 12, "max_contracts_per_line": 12}
    floats = {
        **whole,
        "contracts": [{**PUT, "multiplier": 100.0, "open_interest": 5.0, "volume": 0.0}],
        "max_puts": 12.0,
        "max_contracts_per_line": 12.0,
    }
    ours, theirs = [(await asking.post("/api/hedges/cheapest", json=body)).json() for body in (whole, floats)]
    assert ours["net_cost"] == theirs["net_cost"] == pytest.approx(10 * 210.65)
    leg = {**PUT, "contracts": 2.0, "multiplier": 100.0}
    found = (await asking.post("/api/hedges/evaluate", json={**LOAN, "hedge": {"legs": [leg]}})).json()
    assert found["hedge"]["legs"][0]["contracts"] == 2
    for value in (2.5, "2", True, None):
        error = await refused(
            asking, "/api/hedges/evaluate", {**LOAN, "hedge": {"legs": [{**leg, "contracts": value}]}}
        )
        assert error["argument"] == "contracts"


async def test_a_collar_is_refused_with_split_custody_and_remarked_on_without_a_word_of_it(
    asking: httpx.AsyncClient,
) -> None:
    answer = await asking.post("/api/hedges/build", json={**COLLAR, "split_custody": True})
    assert answer.status_code == 409
    assert "counts the sold calls as uncovered" in answer.json()["error"]["message"]
    untold = (await asking.post("/api/hedges/build", json=COLLAR)).json()
    assert untold["calls"]["refusal"] in untold["remarks"][0]
    assert untold["calls"]["contracts"] == 21
    together = (await asking.post("/api/hedges/build", json={**COLLAR, "split_custody": False})).json()
    assert (together["calls"]["is_covered"], together["calls"]["refusal"]) == (True, "")
    put = (await asking.post("/api/hedges/build", json={"kind": "protective_put"})).json()
    assert put["calls"] is None
    assert "the price is invented (DEMO)" in put["remarks"]


async def test_the_owners_own_search_says_that_calls_are_taken_as_covered(asking: httpx.AsyncClient) -> None:
    asked = {"max_hedged_ltv": 0.74, "credit": "credited", "allow_calls": True, "max_calls": 5}
    found = (await asking.post("/api/hedges/cheapest", json=asked)).json()
    assert found["case"]["split_custody"] is False
    assert any(remark.startswith("The 5 sold calls are taken as covered") for remark in found["remarks"])


@pytest.mark.parametrize("body", [{}, {**LOAN, "contracts": [PUT]}, {"margin_call_ltv": 0.7}])
async def test_a_search_for_nothing_says_that_nothing_is_judged(
    asking: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    found = (await asking.post("/api/hedges/cheapest", json=body)).json()
    assert (found["status"], found["net_cost"], found["legs"]) == ("optimal", 0.0, [])
    assert found["reason"].startswith("Nothing was asked for, so nothing is judged")
    assert f"the call comes at {found['case']['call_price']:,.2f}" in found["remarks"][0]

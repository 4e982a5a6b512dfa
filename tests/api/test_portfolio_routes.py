"""Portfolios by API: made, read, changed, brought back; what is wrong is named; who may not write is refused."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from tests.builders import NOON
from tests.conftest import BASE_URL
from vaultdash.domain.portfolio import cure
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

SEED = {"symbol": "GLD", "entry_mode": "value", "start_value": 1_000_000, "entry_price": 460}
NEW = {"name": "Zürich loan", "lender": "A Bank", "loan_amount": 250_000, "lots": [SEED]}
PUT = {"symbol": "GLD", "expiration": "2026-09-18", "strike": 430, "right": "put"}
HELD = {**PUT, "contracts": 5, "price_paid": 9.9, "opened_on": "2026-06-01"}


@pytest.fixture
async def api(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application, opened and with a first price; no jobs run beside the tests."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    app = create_app(demo_settings(), demo_vault, pages=False)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/api/portfolios", json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def refused(api: httpx.AsyncClient, fields: dict[str, Any], path: str = "main") -> tuple[int, str | None, str]:
    answer = await api.put(f"/api/portfolios/{path}", json=fields)
    error = answer.json()["error"]
    return answer.status_code, error["argument"], error["message"]


# reading


async def test_all_portfolios_are_listed_with_how_they_stand(api: httpx.AsyncClient) -> None:
    await made(api)
    found = (await api.get("/api/portfolios")).json()
    assert found["current"] == "main"
    assert [line["document"]["id"] for line in found["portfolios"]] == ["main", "zurich-loan"]
    state, quote = found["portfolios"][1]["state"], found["portfolios"][1]["quote"]
    assert state["ltv"] == pytest.approx(250_000 / (1_000_000 / 460 * quote["price"]))


async def test_the_portfolio_of_the_seeds_has_its_document(api: httpx.AsyncClient) -> None:
    found = (await api.get("/api/portfolios/main")).json()
    assert (found["version"], found["example"], found["current"]) == (1, True, True)
    assert (found["loan_amount"], found["quoted_by"], found["unit"]) == (600_000, "GLD", "shares")
    assert found["units"] == pytest.approx(1_000_000 / 460)


async def test_what_is_not_there_is_not_found(api: httpx.AsyncClient) -> None:
    for path in ("nothing", "nothing/changes", "nothing/cure"):
        answer = await api.get(f"/api/portfolios/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


# making


async def test_two_without_a_name_at_once_get_a_name_and_an_id_of_their_own(api: httpx.AsyncClient) -> None:
    entry = {key: value for key, value in NEW.items() if key != "name"}
    answers = await asyncio.gather(*(api.post("/api/portfolios", json=entry) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3
    found = [answer.json() for answer in answers]
    assert {each["name"] for each in found} == {"My loan 2", "My loan 3", "My loan 4"}
    assert {each["id"] for each in found} == {"loan", "loan-2", "loan-3"}


async def test_a_portfolio_is_made_with_what_was_typed_and_what_follows(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/portfolios", json=NEW)
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/portfolios/zurich-loan")
    found = answer.json()
    assert (found["id"], found["name"], found["lender"], found["version"]) == (
        "zurich-loan",
        *list(NEW.values())[:2],
        1,
    )
    (lot,) = found["lots"]
    assert (lot["entry_mode"], lot["units"], lot["unit"]) == ("value", 1_000_000 / 460, "shares")
    assert found["margin_call_ltv"] == 0.75
    assert (await api.get("/api/portfolios/zurich-loan")).json() == found


TYPED: list[tuple[dict[str, Any], str, float, float | None, float | None]] = [
    ({"start_value": 460_000, "entry_price": 460}, "value", 1_000, 460, 460_000),
    ({"units": 1_000, "entry_price": 460}, "weight", 1_000, 460, 460_000),
    ({"units": 1_000, "start_value": 460_000}, "weight", 1_000, 460, 460_000),
    ({"units": 1_000}, "weight", 1_000, None, None),
    ({"units": 1_000, "start_value": 460_000, "entry_price": 460}, "weight", 1_000, 460, 460_000),
    (
        {"entry_mode": "value", "units": 1_000, "start_value": 460_000, "entry_price": 460},
        "value",
        1_000,
        460,
        460_000,
    ),
]


async def test_weight_is_start_value_by_entry_price_whichever_was_typed(api: httpx.AsyncClient) -> None:
    for number, (lot, *expected) in enumerate(TYPED):
        (found,) = (await made(api, name=f"Loan {number}", lots=[{"symbol": "GLD", **lot}]))["lots"]
        assert [found["entry_mode"], found["units"], found["entry_price"], found["start_value"]] == expected


async def test_gold_may_be_entered_in_grams_ounces_kilograms_and_shares(api: httpx.AsyncClient) -> None:
    lots = [
        {"symbol": name, "units": units}
        for name, units in (("XAU-G", 31.1034768), ("XAU-OZ", 1), ("XAU-KG", 1), ("GLD", 10))
    ]
    found = await made(api, lots=lots, loan_amount=10_000)
    assert [lot["ounces"] for lot in found["lots"][:3]] == pytest.approx([1.0, 1.0, 1000 / 31.1034768])
    assert [lot["unit"] for lot in found["lots"]] == ["grams", "troy ounces", "kilograms", "shares"]
    assert found["quoted_by"] == "GLD"


async def test_names_that_make_the_same_id_have_ids_of_their_own(api: httpx.AsyncClient) -> None:
    assert [(await made(api))["id"], (await made(api, name="Zurich Loan"))["id"]] == ["zurich-loan", "zurich-loan-2"]


async def test_a_loan_without_a_name_is_given_one_that_is_free(api: httpx.AsyncClient) -> None:
    nameless = {key: value for key, value in NEW.items() if key != "name"}
    answers = [await api.post("/api/portfolios", json=nameless) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["name"] for answer in answers] == ["My loan 2", "My loan 3"]


async def test_two_loans_of_one_name_are_refused_in_words(api: httpx.AsyncClient) -> None:
    await made(api)
    answer = await api.post("/api/portfolios", json={**NEW, "name": "ZÜRICH loan"})
    error = answer.json()["error"]
    assert (answer.status_code, error["argument"]) == (422, "name")
    assert "is that of another loan" in error["message"]
    assert (await refused(api, {"name": "Zürich loan"}))[:2] == (422, "name")
    assert (await api.put("/api/portfolios/main", json={"name": "My loan"})).status_code == 200


# changing


async def test_a_document_can_be_sent_back_as_it_was_read(api: httpx.AsyncClient) -> None:
    read = await made(
        api, options=[HELD], as_of="2026-04-01", capitalised=True, hedge_counting="credited", hedge_haircut=0.2
    )
    answer = await api.put("/api/portfolios/zurich-loan", json=read)
    assert answer.status_code == 200, answer.text
    assert answer.json() == read


async def test_what_is_left_out_stays(api: httpx.AsyncClient) -> None:
    read = await made(api, options=[HELD])
    changed = (await api.put("/api/portfolios/zurich-loan", json={"loan_amount": 240_000})).json()
    assert {key for key in read if changed[key] != read[key]} == {"loan_amount", "owed_today", "version"}
    assert (changed["loan_amount"], changed["version"]) == (240_000, 2)


async def test_a_version_that_is_not_the_newest_is_refused_with_who_and_when(api: httpx.AsyncClient) -> None:
    assert (
        await api.put("/api/portfolios/main", json={"loan_amount": 590_000, "expected_version": 1})
    ).status_code == 200
    for fields, headers in (
        ({"expected_version": 1}, {}),
        ({"version": 1}, {}),
        ({}, {"If-Match": '"1"'}),
        ({}, {"If-Match": 'W/"1"'}),
    ):
        answer = await api.put("/api/portfolios/main", json={"loan_amount": 580_000, **fields}, headers=headers)
        assert answer.status_code == 409
        assert "through the API at 16:00 on 10 Jun 2026 UTC" in answer.json()["error"]["message"]
    assert (await api.delete("/api/portfolios/main", headers={"If-Match": '"1"'})).status_code == 409
    assert (
        await api.put("/api/portfolios/main", json={"loan_amount": 1}, headers={"If-Match": '"2"'})
    ).status_code == 200


@pytest.mark.parametrize(
    ("header", "version", "argument"), [("abc", None, "If-Match"), ('"3"', 2, "expected_version")]
)
async def test_versions_that_make_no_sense_are_refused(
    api: httpx.AsyncClient, header: str, version: int | None, argument: str
) -> None:
    answer = await api.put("/api/portfolios/main", json={"expected_version": version}, headers={"If-Match": header})
    assert (answer.status_code, answer.json()["error"]["argument"]) == (422, argument)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"loan_amount": 0}, "loan_amount", "above zero"),
    ({"loan_amount": -1}, "loan_amount", "above zero"),
    ({"loan_amount": "600000"}, "loan_amount", "valid number"),
    ({"loan_amount": True}, "loan_amount", "valid number"),
    ({"loan_amount": 2_000_000}, "loan_amount", "below 100 %"),
    ({"loan_amount": 1e13}, "loan_amount", "at most|between"),
    ({"margin_call_ltv": 75}, "margin_call_ltv", "0.75"),
    ({"warning_ltv": 0.8}, "warning_ltv", "below"),
    ({"close_out_ltv": 0.5}, "close_out_ltv", "not be below"),
    ({"target_ltv": 1.0}, "target_ltv", "between 0 and 1"),
    ({"hedge_haircut": 1.5}, "hedge_haircut", "from 0 to 1"),
    ({"hedge_counting": "often"}, "hedge_counting", "ignored"),
    ({"cure_days": 61}, "cure_days", "between 0 and 60"),
    ({"cure_days": 1.5}, "cure_days", "valid integer"),
    ({"reference_rate": 4.5}, "reference_rate", "0.045"),
    ({"spread": -1}, "spread", "fraction"),
    ({"day_count": "30/360"}, "day_count", "act/360"),
    ({"capitalised": "yes"}, "capitalised", "valid boolean"),
    ({"currency": "JPY"}, "currency", "USD"),
    ({"as_of": "2026-06-11"}, "as_of", "in the future"),
    ({"as_of": "1.1.2026"}, "as_of", "2026-01-30"),
    ({"as_of": 1}, "as_of", "2026-01-30"),
    ({"name": ""}, "name", "not be empty"),
    ({"name": "x" * 81}, "name", "80"),
    ({"name": "a\u0000b"}, "name", "plain text"),
    ({"lender": "a\nb"}, "lender", "plain text"),
    ({"lots": []}, "lots", "at least one"),
    ({"lots": [{"symbol": "GLD"}]}, "entry_price", "must be given"),
    ({"lots": [{"symbol": "GLD", "start_value": 10}]}, "entry_price", "must be given"),
    ({"lots": [{"symbol": "GLD", "entry_mode": "weight", "entry_price": 460}]}, "units", "must be given"),
    ({"lots": [{**SEED, "units": 2_000}]}, "units", "contradicts"),
    ({"lots": [{**SEED, "entry_price": 0}]}, "entry_price", "above zero"),
    ({"lots": [{"symbol": "GLD", "units": 2_000}, {"symbol": "GLD", "units": -1}]}, "units", "of lot 2"),
    ({"lots": [{"symbol": "GLD", "units": 2_000}, {"symbol": "IAU", "units": 1}]}, "lots", "different prices"),
    ({"lots": [{"symbol": "TSLA", "units": 2_000}]}, "symbol", "no known form of gold"),
    ({"lots": [{"symbol": "", "units": 2_000}]}, "symbol", "1 to 15"),
    ({"lots": [{**SEED, "acquired_on": "2027-01-01"}]}, "acquired_on", "future"),
    ({"lots": [{**SEED, "weight": 3}]}, "weight", "no field that is known here; they are symbol"),
    ({"loan": 500_000}, "loan", "no field that is known here; they are name"),
    ({"options": [{**HELD, "contracts": 0}]}, "contracts", "other than zero"),
    ({"options": [{**HELD, "contracts": 10**9}]}, "contracts", "whole number|at most|million"),
    ({"options": [{**HELD, "price_paid": -1}]}, "price_paid", "negative"),
    ({"options": [{**HELD, "strike": 430.0001}]}, "strike", "thousandths"),
    ({"options": [{**HELD, "right": "X"}]}, "right", "put or call"),
    ({"options": [{**HELD, "symbol": "IAU"}]}, "contract", "valued by GLD"),
    ({"options": [{**HELD, "opened_on": "2026-07-01"}]}, "opened_on", "future"),
    ({"options": [{**HELD, "closed_on": "2026-06-05"}]}, "closed_price", "belong together"),
    ({"options": [{**HELD, "closed_on": "2026-05-05", "closed_price": 1}]}, "closed_on", "before"),
    ({"options": [{**HELD, "contract": "GLD   260918C00430000"}]}, "contract", "contradicts"),
    ({"options": [{"contract": "nothing"}]}, "contract", "no option symbol"),
    ({"options": [{"contracts": 5}]}, "contract", "must be given"),
    ({"options": [{**PUT}]}, "contracts", "must be given"),
    ({"options": [{**HELD, "id": "made-up"}]}, "id", "no position"),
    ({"options": [{**HELD, "note": "a\u202eb"}]}, "note", "plain text"),
]


async def test_what_is_wrong_is_named_as_it_was_typed(api: httpx.AsyncClient) -> None:
    for fields, argument, reason in WRONG:
        status, named, message = await refused(api, fields)
        assert (status, named) == (422, argument), (fields, message)
        assert any(part in message for part in reason.split("|")), (fields, message)
    assert (await api.get("/api/portfolios/main")).json()["version"] == 1


NONE = [
    b'{"loan_amount": NaN}',
    b'{"loan_amount": 1e999}',
    b'{"loan_amount": -Infinity}',
    b'{"loan_amount": 5e-324}',
    b'{"loan_amount": ' + b"9" * 400 + b"}",
    b'{"name": "\\ud800"}',
    b'{"\\ud800": 1}',
    b"[]",
    b"null",
    b'"x"',
    b"{",
]


async def test_numbers_and_texts_that_are_none_are_422(api: httpx.AsyncClient) -> None:
    for body in NONE:
        answer = await api.put("/api/portfolios/main", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (body[:40], answer.text)
        assert answer.json()["error"]["code"] == "invalid_input"


async def test_a_body_that_cannot_be_read_is_400_in_the_shape_of_every_error(api: httpx.AsyncClient) -> None:
    for body in (b"\xff", b"[" * 100_000):
        answer = await api.put("/api/portfolios/main", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


# the wire


async def test_a_body_of_another_kind_is_415(api: httpx.AsyncClient) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": kind} if kind else {}
        answer = await api.put("/api/portfolios/main", content=b'{"loan_amount": 1}', headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
        assert "application/json" in answer.json()["error"]["message"]


async def test_a_body_above_a_megabyte_is_413_whether_its_length_is_told_or_not(api: httpx.AsyncClient) -> None:
    body = b'{"name": "' + b"x" * 1_000_000 + b'"}'

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, in_pieces()):
        answer = await api.put("/api/portfolios/main", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert (await api.get("/api/portfolios/main")).json()["version"] == 1


ALLOWED = {
    "/api/portfolios": "GET, HEAD, POST",
    "/api/portfolios/main": "DELETE, GET, HEAD, PUT",
    "/api/portfolios/main/undo": "POST",
    "/api/portfolios/main/current": "POST",
    "/api/portfolios/main/changes": "GET, HEAD",
    "/api/portfolios/main/options": "POST",
    "/api/portfolios/main/options/x": "DELETE, PUT",
    "/api/portfolios/main/options/import": "DELETE, POST, PUT",
    "/api/portfolio": "GET, HEAD",
    "/api/nothing": "GET, HEAD",
}


async def test_other_methods_are_refused_with_those_that_may_be_used(api: httpx.AsyncClient) -> None:
    for path, allow in ALLOWED.items():
        answer = await api.request("PATCH", path, json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)
        if "GET" not in allow:
            assert (await api.get(path)).status_code == 405


async def test_head_is_answered_like_get(api: httpx.AsyncClient) -> None:
    assert (await api.head("/api/portfolios/main")).status_code == 200


async def test_a_foreign_page_cannot_write(api: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/api/portfolios"),
        ("PUT", "/api/portfolios/main"),
        ("DELETE", "/api/portfolios/main"),
    ):
        answer = await api.request(method, path, json=NEW, headers={"Origin": "http://evil.example"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")
    assert len((await api.get("/api/portfolios")).json()["portfolios"]) == 1


# history


async def test_changes_are_listed_and_taken_back(api: httpx.AsyncClient) -> None:
    await api.put("/api/portfolios/main", json={"loan_amount": 550_000, "margin_call_ltv": 0.72})
    newest, first = (await api.get("/api/portfolios/main/changes")).json()["changes"]
    assert newest["what"] == "loan 600,000 → 550,000 USD; call LTV 0.75 → 0.72"
    assert (newest["before"]["loan_amount"], newest["after"]["loan_amount"], newest["actor"]) == (
        600_000,
        550_000,
        "api",
    )
    assert (first["before"], first["actor"]) == (None, "start")
    undone = (await api.post("/api/portfolios/main/undo", json={"change_id": newest["id"]})).json()
    assert undone["what"] == "taken back: loan 550,000 → 600,000 USD; call LTV 0.72 → 0.75"
    last = (await api.get("/api/portfolios/main/changes?limit=1")).json()["changes"][0]
    assert (last["id"], last["what"], last["undoes"]) == (undone["change_id"], undone["what"], newest["id"])
    back = undone["portfolio"]
    assert (back["loan_amount"], back["margin_call_ltv"], back["version"]) == (600_000, 0.75, 3)


async def test_a_removed_portfolio_keeps_its_history_and_comes_back(api: httpx.AsyncClient) -> None:
    await made(api)
    assert (await api.delete("/api/portfolios/zurich-loan")).status_code == 204
    assert (await api.get("/api/portfolios/zurich-loan")).status_code == 404
    newest = (await api.get("/api/portfolios/zurich-loan/changes")).json()["changes"][0]
    assert (newest["what"], newest["after"]) == ("removed", None)
    answer = await api.post("/api/portfolios/zurich-loan/undo", json={"change_id": newest["id"]})
    assert answer.json()["portfolio"]["name"] == "Zürich loan"


async def test_the_last_portfolio_is_not_removed(api: httpx.AsyncClient) -> None:
    answer = await api.delete("/api/portfolios/main")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")


async def test_a_change_of_another_portfolio_or_none_is_not_taken_back(api: httpx.AsyncClient) -> None:
    second = await made(api)
    foreign = (await api.get(f"/api/portfolios/{second['id']}/changes")).json()["changes"][0]["id"]
    for change in (-1, 0, 999, 10**30, foreign):
        answer = await api.post("/api/portfolios/main/undo", json={"change_id": change})
        assert answer.status_code == 404, answer.text


async def test_the_chosen_portfolio_is_what_the_seeds_endpoint_shows(api: httpx.AsyncClient) -> None:
    await made(api)
    assert (await api.post("/api/portfolios/zurich-loan/current")).status_code == 200
    found = (await api.get("/api/portfolio")).json()
    assert (found["own"], found["portfolio"]["id"], found["portfolio"]["loan_amount"]) == (
        True,
        "zurich-loan",
        250_000,
    )


# options


async def test_an_option_is_entered_changed_closed_and_taken_out(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/portfolios/main/options", json=HELD)
    assert answer.status_code == 201
    (held,) = answer.json()["options"]
    assert answer.headers["location"] == f"/api/portfolios/main/options/{held['id']}"
    assert (held["contract"], held["cost"], held["is_open"]) == ("GLD   260918P00430000", 4_950.0, True)
    path = answer.headers["location"]
    (held,) = (await api.put(path, json={"contracts": 7})).json()["options"]
    assert (held["contracts"], held["price_paid"], held["strike"]) == (7, 9.9, 430)
    (held,) = (await api.put(path, json={"closed_on": "2026-06-10", "closed_price": 12.5})).json()["options"]
    assert (held["closed_price"], held["is_open"]) == (12.5, False)
    assert (await api.delete(path)).json()["options"] == []
    assert (await api.delete(path)).status_code == 404
    assert (await api.put(path, json={})).status_code == 404
    words = [change["what"] for change in (await api.get("/api/portfolios/main/changes")).json()["changes"]]
    assert words[0].startswith("option removed: 7 GLD 18 Sep 2026 430 put, bought at 9.90, closed on")
    assert words[1:4] == [
        "GLD 18 Sep 2026 430 put closed on 2026-06-10 at 12.50",
        "GLD 18 Sep 2026 430 put: contracts 5 → 7",
        "option added: 5 GLD 18 Sep 2026 430 put, bought at 9.90",
    ]


async def test_held_options_count_in_the_answer_of_the_portfolio(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    listed = (await api.get("/api/options/expirations")).json()
    day = next(each for each in listed["expirations"] if each["days_to_expiry"] > 60)["expiration"]
    before = (await api.get("/api/portfolio")).json()["portfolio"]
    assert (before["hedge_value"], before["positions"], before["position_greeks"]["delta"]) == (
        0.0,
        [],
        before["shares"],
    )
    price = before["gold_value"] / before["shares"]
    strike = float(round(price / 5) * 5)
    await api.post("/api/portfolios/main/options", json={**HELD, "expiration": day, "strike": strike})
    await demo_vault.held.refresh(demo_vault.book.all)
    demo_vault.heartbeat.remark()
    state = (await api.get("/api/portfolio")).json()["portfolio"]
    (position,) = state["positions"]
    assert position["basis"] in ("quote", "model")
    assert position["value"] == state["hedge_value"] > 0
    assert position["value"] == pytest.approx(500 * position["price"])
    assert -500 < position["greeks"]["delta"] < 0
    assert state["position_greeks"]["delta"] == pytest.approx(state["shares"] + position["greeks"]["delta"])
    assert state["lender_ltv"] == state["ltv"]
    assert state["ltv_after_payment"] == pytest.approx((600_000 - state["hedge_value"]) / state["gold_value"])
    assert state["ltv_credited"] == pytest.approx(600_000 / (state["gold_value"] + state["hedge_value"]))
    assert (state["credit_factor"], state["cure_days"], state["accrued_interest"]) == (0.0, 2, 0.0)
    assert state["hedge_doubts"] == []


async def test_interest_that_is_added_to_the_loan_is_in_what_is_owed(api: httpx.AsyncClient) -> None:
    found = (await api.put("/api/portfolios/main", json={"capitalised": True, "as_of": "2026-04-10"})).json()
    days = (NOON.date() - date(2026, 4, 10)).days
    # No quarter ends between: 10 April to 10 June is 61 days at 4.5 % + 1.95 % by a year of 360.
    assert days == 61
    assert found["accrued_interest"] == pytest.approx(600_000 * 0.0645 * 61 / 360 - 0, rel=0.02)
    state = (await api.get("/api/portfolio")).json()["portfolio"]
    assert state["accrued_interest"] == pytest.approx(found["accrued_interest"])
    assert state["loan_amount"] == pytest.approx(600_000 + found["accrued_interest"])


# positions from a file


CSV = "contract,contracts,price_paid,opened_on\nGLD260918P00430000,5,9.90,2026-06-01\n"


async def imported(api: httpx.AsyncClient, text: str, query: str = "") -> httpx.Response:
    return await api.post(
        f"/api/portfolios/main/options/import{query}", content=text.encode(), headers={"Content-Type": "text/csv"}
    )


async def test_positions_are_taken_from_a_file(api: httpx.AsyncClient) -> None:
    answer = await imported(api, CSV)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["taken"], found["rejected"], len(found["portfolio"]["options"])) == (1, [], 1)


async def test_a_bad_row_keeps_the_whole_file_out_unless_asked(api: httpx.AsyncClient) -> None:
    text = CSV + "GLD260918P00430000,five,9.90,2026-06-01\n"
    answer = await imported(api, text)
    assert (answer.status_code, answer.json()["error"]["argument"]) == (422, "file")
    assert "line 3: contracts must be a number" in answer.json()["error"]["message"]
    assert (await api.get("/api/portfolios/main")).json()["options"] == []
    tried = (await imported(api, text, "?dry_run=true")).json()
    assert (tried["taken"], len(tried["found"]), [row["line"] for row in tried["rejected"]]) == (0, 1, [3])
    taken = (await imported(api, text, "?partial=true")).json()
    assert (taken["taken"], len(taken["portfolio"]["options"])) == (1, 1)


async def test_a_file_that_is_none_is_422(api: httpx.AsyncClient) -> None:
    for content in (b"", b"\xff", b"a,b\n1,2\n", b"contract\n", b'"', b"\x00" * 100, b"=1+1\n"):
        answer = await api.post(
            "/api/portfolios/main/options/import", content=content, headers={"Content-Type": "text/csv"}
        )
        assert (answer.status_code, answer.json()["error"]["argument"]) == (422, "file")


async def test_a_file_sent_as_json_is_415(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/portfolios/main/options/import", json={"a": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


# cure


async def test_the_cure_at_any_price_brings_the_loan_to_its_target(api: httpx.AsyncClient) -> None:
    found = (await api.get("/api/portfolios/main/cure?price=350&target=0.65&drop=0.3")).json()
    value = 1_000_000 / 460 * 350
    exact = cure(600_000, value, 0.65)
    assert (found["repay_cash"], found["add_gold"], found["sell_gold"]) == (
        exact.repay_cash,
        exact.add_gold,
        exact.sell_gold,
    )
    assert found["add_units"] == pytest.approx(exact.add_gold / 350)
    assert (600_000 - found["repay_cash"]) / value == pytest.approx(0.65)
    assert 600_000 / (value + found["add_gold"]) == pytest.approx(0.65)
    assert (600_000 - found["sell_gold"]) / (value - found["sell_gold"]) == pytest.approx(0.65)
    assert (found["zone"], found["called"], found["under_water"], found["quote"]) == ("call", True, False, None)
    assert found["survives"] == {
        "drop": 0.3,
        "ltv": pytest.approx(0.525),
        "loan": pytest.approx(0.525 * value),
        "to_spare": pytest.approx(0.525 * value - 600_000),
        "loan_in_loan_currency": pytest.approx(0.525 * value),
        "to_spare_in_loan_currency": pytest.approx(0.525 * value - 600_000),
    }
    assert found["recommended_collateral"] - value == pytest.approx(found["missing_collateral"])


async def test_the_cost_a_year_is_interest_and_premiums_over_their_terms(api: httpx.AsyncClient) -> None:
    await api.post(
        "/api/portfolios/main/options", json={**HELD, "opened_on": "2026-06-10", "expiration": "2026-12-18"}
    )
    found = (await api.get("/api/portfolios/main/cure")).json()
    interest, hedge = 600_000 * 0.0645 * 365 / 360, 500 * 9.9 * 365 / 191
    assert found["carry"]["interest"] == pytest.approx(interest)
    assert found["carry"]["hedge"] == pytest.approx(hedge)
    assert found["carry"]["of_collateral"] == pytest.approx((interest + hedge) / found["gold_value"])
    assert found["quote"]["source"] == "DEMO"


SENSELESS = {
    "price=0": "price",
    "price=nan": "price",
    "price=1e999": "price",
    "target=0": "target_ltv",
    "target=1": "target_ltv",
    "target=nan": "target_ltv",
    "drop=1": "drop",
    "drop=-0.1": "drop",
}


async def test_a_cure_for_nothing_is_refused_by_name(api: httpx.AsyncClient) -> None:
    for query, argument in SENSELESS.items():
        answer = await api.get(f"/api/portfolios/main/cure?{query}")
        assert (answer.status_code, answer.json()["error"]["argument"]) == (422, argument)


async def test_a_cure_of_an_extreme_price_is_still_numbers(api: httpx.AsyncClient) -> None:
    for price in ("1e-300", "1e9", "0.01"):
        answer = await api.get(f"/api/portfolios/main/cure?price={price}")
        assert answer.status_code in (200, 422)
        assert math.isfinite(answer.json().get("repay_cash", 0.0))


async def test_every_page_of_the_house_follows_a_change_at_once(api: httpx.AsyncClient, demo_vault: Vault) -> None:
    beat = demo_vault.heartbeat.feed.latest
    assert beat is not None
    await api.put("/api/portfolios/main", json={"loan_amount": 500_000})
    now = demo_vault.heartbeat.feed.latest
    assert now is not None
    assert (now.number, now.snapshot and now.snapshot.portfolio.loan.amount) == (beat.number + 1, 500_000)
    assert now.status == replace(now.status, quote=beat.status.quote)  # type: ignore[union-attr]  # both have a price


# what is owed after a change


async def test_a_new_amount_is_owed_today_and_the_interest_of_the_past_is_not_added_again(
    api: httpx.AsyncClient,
) -> None:
    before = (await api.put("/api/portfolios/main", json={"capitalised": True, "as_of": "2025-06-10"})).json()
    assert before["accrued_interest"] > 39_000
    paid = round(before["owed_today"] - 40_000, 2)
    after = (await api.put("/api/portfolios/main", json={"loan_amount": paid})).json()
    assert (after["as_of"], after["owed_today"], after["accrued_interest"]) == ("2026-06-10", paid, 0)
    change = (await api.get("/api/portfolios/main/changes?limit=1")).json()["changes"][0]
    assert f"with interest {before['owed_today']:,.2f} USD were owed on 2026-06-10" in change["what"]


async def test_a_new_amount_of_a_day_that_is_given_is_of_that_day(api: httpx.AsyncClient) -> None:
    await api.put("/api/portfolios/main", json={"capitalised": True, "as_of": "2025-06-10"})
    told = {"loan_amount": 500_000, "as_of": "2025-06-10"}
    after = (await api.put("/api/portfolios/main", json=told)).json()
    assert after["as_of"] == "2025-06-10"
    assert after["accrued_interest"] > 30_000


async def test_a_document_sent_back_with_another_rate_rewrites_nothing_of_the_past(api: httpx.AsyncClient) -> None:
    kept = (await api.put("/api/portfolios/main", json={"capitalised": True, "as_of": "2025-06-10"})).json()
    after = (await api.put("/api/portfolios/main", json={**kept, "reference_rate": 0.12})).json()
    assert after["owed_today"] == pytest.approx(kept["owed_today"], abs=0.005)
    assert (after["as_of"], after["reference_rate"]) == ("2026-06-10", 0.12)
    change = (await api.get("/api/portfolios/main/changes?limit=1")).json()["changes"][0]
    assert f"{kept['accrued_interest']:,.2f} USD of interest until 2026-06-10 added" in change["what"]


# taking back, opening again


async def test_an_older_change_is_taken_back_only_when_what_goes_with_it_is_confirmed(api: httpx.AsyncClient) -> None:
    await api.put("/api/portfolios/main", json={"lender": "Bank B"})
    older = (await api.get("/api/portfolios/main/changes?limit=1")).json()["changes"][0]["id"]
    version = (await api.put("/api/portfolios/main", json={"loan_amount": 550_000})).json()["version"]
    answer = await api.post("/api/portfolios/main/undo", json={"change_id": older})
    assert answer.status_code == 409
    assert "lender Bank B → none; loan 550,000 → 600,000 USD" in answer.json()["error"]["message"]
    sent = {"change_id": older, "expected_version": version - 1}
    assert (await api.post("/api/portfolios/main/undo", json=sent)).status_code == 409
    assert (await api.get("/api/portfolios/main")).json()["loan_amount"] == 550_000
    answer = await api.post("/api/portfolios/main/undo", json={**sent, "expected_version": version})
    assert (answer.status_code, answer.json()["portfolio"]["loan_amount"]) == (200, 600_000)


async def test_a_position_closed_by_mistake_is_opened_again_by_null_for_both(api: httpx.AsyncClient) -> None:
    found = (await api.post("/api/portfolios/main/options", json=HELD)).json()["options"][0]
    path = f"/api/portfolios/main/options/{found['id']}"
    await api.put(path, json={"closed_on": "2026-06-05", "closed_price": 3.0})
    for kept in ({}, {"closed_on": None}, {"closed_price": None}, {"note": "x"}):
        still = (await api.put(path, json=kept)).json()["options"][0]
        assert (still["closed_on"], still["closed_price"]) == ("2026-06-05", 3.0), kept
    for opening in ({"closed_on": None, "closed_price": None}, {"reopened": True}):
        again = (await api.put(path, json=opening)).json()["options"][0]
        assert (again["closed_on"], again["closed_price"], again["is_open"]) == (None, None, True)
        await api.put(path, json={"closed_on": "2026-06-05", "closed_price": 3.0})
    answer = await api.put(path, json={"reopened": True, "closed_price": 2.0})
    assert (answer.status_code, answer.json()["error"]["argument"]) == (422, "reopened")

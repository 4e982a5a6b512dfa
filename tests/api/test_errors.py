"""Every error has one shape, names what is wrong, and says nothing of the inside."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from vaultdash.domain.errors import ProviderError, RateLimited, Refused, Unavailable, VaultError

BAD_NUMBERS = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "1e999",
    "-1e999",
    "-1",
    "0",
    "-0",
    "9" * 400,
    "abc",
    "",
    "1e300",
)
NUMBERS = {
    "spot": BAD_NUMBERS,
    "portfolio_value": BAD_NUMBERS,
    "loan_amount": BAD_NUMBERS,
    "margin_call_ltv": (*BAD_NUMBERS, "75", "1"),
    "volatility": (*BAD_NUMBERS, "16"),
    "risk_free_rate": ("nan", "inf", "-inf", "1e999", "4.5", "-1", "9" * 400, "abc", ""),
    "months": (*BAD_NUMBERS, "1.5", "61", "9" * 5000),
    "exercise": ("", "bermudan", "EUROPEAN\x00"),
    "price_changes": ("nan", "1e999", "-2", "x", ""),
    "symbol": ("", " ", "A" * 16, "<script>", "G LD", "../x", "GLD\x00", "💰", "'; DROP TABLE"),
}
OTHERS = [
    ("/api/history", "days", value) for value in ("nan", "inf", "1e999", "-1", "0", "9" * 30, "20001", "x", "")
] + [("/api/options", "expiration", value) for value in ("nan", "1e999", "-1", "2026-13-01", "x", "", "9" * 40)]
CASES = [("/api/strategies", name, value) for name, values in NUMBERS.items() for value in values] + OTHERS


def the_error(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "argument"}
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"]
    return dict(body["error"])


async def test_a_number_that_makes_no_sense_is_422_and_named(api_client: httpx.AsyncClient) -> None:
    wrong = []
    for path, name, value in CASES:
        answer = await api_client.get(path, params={"symbol": "GLD", name: value})
        if answer.status_code != 422 or the_error(answer)["argument"] != name:
            wrong.append((path, name, value[:20], answer.status_code, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("spot", ["460", None])
async def test_bad_numbers_are_named_whatever_else_is_given(api_client: httpx.AsyncClient, spot: str | None) -> None:
    for name in ("portfolio_value", "loan_amount", "margin_call_ltv", "volatility"):
        for symbol in ("GLD", "IAU"):
            query = {"symbol": symbol, name: "0", **({"spot": spot} if spot else {})}
            answer = await api_client.get("/api/strategies", params=query)
            assert answer.status_code == 422, answer.text
            assert the_error(answer)["argument"] == name


async def test_no_error_repeats_what_was_sent(api_client: httpx.AsyncClient) -> None:
    for name in ("spot", "months", "exercise", "symbol", "price_changes"):
        answer = await api_client.get("/api/strategies", params={name: "<b>canary</b>"})
        assert answer.status_code == 422
        assert "canary" not in answer.text


async def test_a_loan_above_its_collateral_is_refused_in_a_sentence(api_client: httpx.AsyncClient) -> None:
    query = {"spot": 460, "portfolio_value": 1000, "loan_amount": 2000}
    answer = await api_client.get("/api/strategies", params=query)
    assert answer.status_code == 422
    assert "200%" in the_error(answer)["message"]


async def test_a_limit_in_per_cent_is_told_how_to_write_it(api_client: httpx.AsyncClient) -> None:
    answer = await api_client.get("/api/strategies", params={"margin_call_ltv": 75})
    assert "0.75" in the_error(answer)["message"]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/portfolio/", "/nothing"])
async def test_an_unknown_path_is_404_in_the_same_shape(api_client: httpx.AsyncClient, path: str) -> None:
    answer = await api_client.get(path)
    assert answer.status_code == 404
    assert the_error(answer)["code"] == "not_found"


@pytest.mark.parametrize(
    "path", ["/health", "/api/portfolio", "/api/strategies", "/api/nothing", "/docs", "/openapi.json"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_nothing_can_be_changed(api_client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await api_client.request(method, path, content=b'{"a": NaN')
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert the_error(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Refused("over the limit"), 409, "refused"),
        (Unavailable("Yahoo could not be reached"), 503, "provider_unavailable"),
        (ProviderError("failed"), 503, "provider_unavailable"),
        (RateLimited("wait", 12.3), 503, "rate_limited"),
        (VaultError("a sentence"), 500, "internal"),
    ],
)
async def test_each_class_of_error_has_its_status(
    api_app: FastAPI, api_client: httpx.AsyncClient, raised: Exception, status: int, code: str
) -> None:
    _raise_at(api_app, raised)
    answer = await api_client.get("/raise")
    assert answer.status_code == status
    assert the_error(answer)["code"] == code
    assert answer.headers.get("retry-after") == ("12" if isinstance(raised, RateLimited) else None)


async def test_an_unforeseen_error_is_500_in_the_same_shape_without_internals(
    api_app: FastAPI, api_client: httpx.AsyncClient
) -> None:
    _raise_at(api_app, ZeroDivisionError("secret internals"))
    with capture_logs() as logged:
        answer = await api_client.get("/raise")
    assert answer.status_code == 500
    assert the_error(answer)["code"] == "internal"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert any("ZeroDivisionError" in line.get("reason", "") for line in logged)


def _raise_at(app: FastAPI, raised: Exception) -> None:
    async def broken() -> None:
        raise raised

    app.add_api_route("/raise", broken)


async def test_a_parameter_that_no_endpoint_knows_is_named_with_the_known_ones(api_client: httpx.AsyncClient) -> None:
    for method, path, named, known in (
        ("GET", "/api/history?symbl=GLD", "symbl", "known are days, symbol"),
        ("HEAD", "/api/history?symbol=GLD&dayz=3", "dayz", ""),
        ("GET", "/api/history/ltv?portfoliio=main", "portfoliio", "known are days, portfolio"),
        ("GET", "/api/portfolios?page=2", "page", "this endpoint takes none"),
        ("POST", "/api/portfolios/main/options/import?dryrun=true", "dryrun", "known are dry_run, partial"),
        ("GET", "/api/history?%00=1", "(unreadable)", "known are days, symbol"),
    ):
        answer = await api_client.request(method, path)
        assert answer.status_code == 422, path
        if method != "HEAD":
            error = the_error(answer)
            assert (error["code"], error["argument"]) == ("invalid_input", named)
            assert error["message"] == f"{named} is no parameter here; {known}"
    assert (await api_client.get("/api/history?symbol=GLD&days=7")).status_code == 200
    assert (await api_client.get("/api/nothing?symbl=GLD")).status_code == 404
    assert (await api_client.get("/health?_=17")).status_code != 422  # as monitors add to what they ask

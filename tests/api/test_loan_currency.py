"""A loan in francs by API: kept in francs, marked in dollars at a rate that is told, and no mark without one."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.builders import NOON
from tests.conftest import BASE_URL
from vaultdash.api.answers import portfolio_update
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.market import Freshness, Quote
from vaultdash.main import create_app
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

FRANCS = 480_000.0


@pytest.fixture
async def api(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application about a loan in francs; no beat has been yet."""
    await demo_vault.open()
    app = create_app(demo_settings(), demo_vault, pages=False)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        answer = await client.put("/api/portfolios/main", json={"currency": "CHF", "loan_amount": FRANCS})
        assert answer.status_code == 200, answer.text
        yield client


async def told(api: httpx.AsyncClient, path: str, status: int = 200) -> dict[str, Any]:
    answer = await api.get(path)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_the_document_is_in_francs_and_the_state_in_dollars_at_a_rate_that_is_told(
    api: httpx.AsyncClient, demo_vault: Vault
) -> None:
    await demo_vault.heartbeat.beat()
    (line,) = (await told(api, "/api/portfolios"))["portfolios"]
    document, state = line["document"], line["state"]
    assert (document["currency"], document["loan_amount"], document["owed_today"]) == ("CHF", FRANCS, FRANCS)
    rate = state["exchange_rate"]
    assert {**rate, "per_dollar": 0, "age_seconds": 0} == {
        "pair": "CHF=X",
        "per_dollar": 0,
        "at": "2026-06-10T16:00:00Z",
        "age_seconds": 0,
        "freshness": "live",
        "source": "DEMO",
        "is_demo": True,
    }
    assert (state["currency"], state["loan_currency"]) == ("USD", "CHF")
    assert state["loan_owed"] == pytest.approx(FRANCS)
    assert state["loan_amount"] == pytest.approx(FRANCS / rate["per_dollar"])
    assert state["ltv"] == pytest.approx(state["loan_amount"] / state["gold_value"])
    assert (await told(api, "/api/portfolio"))["portfolio"] == state
    beat = demo_vault.heartbeat.current()
    assert beat is not None
    assert portfolio_update(beat, "GLD", NOON).portfolio.loan_owed == pytest.approx(FRANCS)  # type: ignore[union-attr]  # there is a price


async def test_what_is_to_be_repaid_is_told_in_francs_too(api: httpx.AsyncClient) -> None:
    found = await told(api, "/api/portfolios/main/cure?price=400&target=0.5&drop=0.3")
    rate = found["exchange_rate"]["per_dollar"]
    assert found["repay_cash"] == pytest.approx(FRANCS / rate - 0.5 * 400 * 1_000_000 / 460)
    for owner, name in ((found, "repay_cash"), (found["survives"], "to_spare"), (found["carry"], "interest")):
        assert owner[f"{name}_in_loan_currency"] == pytest.approx(owner[name] * rate)
    assert (found["loan_currency"], found["loan_owed"]) == ("CHF", pytest.approx(FRANCS))


async def test_a_loan_in_dollars_has_no_exchange_rate(api: httpx.AsyncClient) -> None:
    await api.put("/api/portfolios/main", json={"currency": "USD", "loan_amount": 600_000})
    state = (await told(api, "/api/portfolio"))["portfolio"]
    assert (state["loan_currency"], state["loan_owed"], state["exchange_rate"]) == ("USD", 600_000, None)


async def test_without_a_rate_there_is_no_state_and_the_problem_in_words(
    api: httpx.AsyncClient, demo_vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = demo_vault.prices._ask

    async def ask(symbol: str, *, refresh: bool) -> QuoteStatus:
        if symbol == "CHF=X":
            raise Unavailable("Nobody says what a dollar costs in CHF")
        return await usual(symbol, refresh=refresh)

    monkeypatch.setattr(demo_vault.prices, "_ask", ask)
    await demo_vault.heartbeat.beat()
    (line,) = (await told(api, "/api/portfolios"))["portfolios"]
    assert line["state"] is None
    assert line["quote"]["price"] > 0
    assert "a dollar costs in CHF is not known" in line["problem"]
    for path in (
        "/api/portfolio",
        "/api/strategies",
        "/api/portfolios/main/cure",
        "/api/portfolios/main/cure?price=4",
    ):
        error = (await told(api, path, 503))["error"]
        assert (error["code"], error["message"]) == ("provider_unavailable", "Nobody says what a dollar costs in CHF")


async def test_a_pair_is_quoted_in_its_currency_and_nothing_is_pledged_in_it(api: httpx.AsyncClient) -> None:
    assert (await told(api, "/api/history?symbol=EUR=X"))["symbol"] == "EUR=X"
    for path in ("portfolio?symbol=EUR=X", "strategies?symbol=EUR=X", "strategies?symbol=EUR=X&spot=0.9"):
        error = (await told(api, f"/api/{path}", 422))["error"]
        assert error["argument"] == "symbol"
        assert "EUR=X is what a dollar costs in EUR" in error["message"]


async def test_a_loan_in_pounds_has_a_year_of_365_days_unless_another_is_told(api: httpx.AsyncClient) -> None:
    async def day_count(path: str, **entry: object) -> str:
        send = api.post if path == "/api/portfolios" else api.put
        answer = await send(path, json=entry)
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["day_count"])

    lots = [{"symbol": "GLD", "units": 2000}]
    new: dict[str, object] = {"lots": lots, "loan_amount": 450_000, "currency": "GBP"}
    assert await day_count("/api/portfolios", name="Pounds", **new) == "act/365"
    assert await day_count("/api/portfolios", name="Told", **new, day_count="act/360") == "act/360"
    assert await day_count("/api/portfolios/main", currency="GBP") == "act/365"
    assert await day_count("/api/portfolios/main", loan_amount=450_000) == "act/365"
    assert await day_count("/api/portfolios/main", currency="EUR") == "act/360"
    assert await day_count("/api/portfolios/main", currency="GBP", day_count="act/360") == "act/360"


async def test_another_currency_than_the_four_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.put("/api/portfolios/main", json={"currency": "JPY"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "currency must be one of USD, CHF, EUR, GBP, not 'JPY'"


async def test_a_quote_is_judged_by_itself_and_the_loan_by_its_rate_too(
    api: httpx.AsyncClient, demo_vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await demo_vault.heartbeat.beat()
    assert (await told(api, "/api/portfolio"))["portfolio"]["problem"] is None
    usual = demo_vault.prices.status

    def judged(quote: Quote) -> QuoteStatus:
        status = usual(quote)
        return replace(status, freshness=Freshness.STALE) if quote.symbol == "CHF=X" else status

    monkeypatch.setattr(demo_vault.prices, "status", judged)  # as when nobody has told the rate for long
    (line,) = (await told(api, "/api/portfolios"))["portfolios"]
    one, stress = await told(api, "/api/portfolio"), await told(api, "/api/risk/stress")
    compared = await told(api, "/api/strategies")
    beat = demo_vault.heartbeat.current()
    assert beat is not None
    pushed = portfolio_update(beat, "GLD", NOON)
    assert pushed.quote is not None
    for quote in (line["quote"], one["quote"], stress["quote"], compared["quote"]):
        assert (quote["freshness"], quote["stale"], quote["problem"]) == ("live", False, None)
    assert (pushed.quote.stale, pushed.problem) == (False, "What a dollar costs in CHF is old")
    for state in (line["state"], one["portfolio"], compared["portfolio"]):
        assert (state["exchange_rate"]["freshness"], state["problem"]) == (
            "stale",
            "What a dollar costs in CHF is old",
        )
    assert "What a dollar costs in CHF" in compared["withheld"]


async def test_a_rate_that_is_learnt_and_not_yet_published_is_told_with_its_age(
    api: httpx.AsyncClient, demo_vault: Vault
) -> None:
    await demo_vault.heartbeat.beat()
    known = demo_vault.prices.known("CHF=X")
    assert known is not None
    demo_vault.prices._best["CHF=X"] = replace(known, price=known.price * 1.01, at=known.at + timedelta(seconds=1))
    newer = (await told(api, "/api/strategies"))["portfolio"]["exchange_rate"]
    assert newer["per_dollar"] == pytest.approx(known.price * 1.01)
    assert (newer["freshness"], newer["age_seconds"]) == ("live", 0)
    (line,) = (await told(api, "/api/portfolios"))["portfolios"]
    published = line["state"]["exchange_rate"]  # what the portfolio was marked at, until the next beat
    assert (published["per_dollar"], published["freshness"], published["age_seconds"]) == (known.price, "live", 0)

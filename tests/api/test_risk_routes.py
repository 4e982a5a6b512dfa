"""The risk endpoints: the closed form to the last digit, what is assumed is said, and nonsense is refused."""

import math
from typing import Any

import httpx
import pytest
from scipy.stats import norm

from vaultdash.risk import call_probability
from vaultdash.services.vault import Vault

URL = "/api/risk/call-probability"


async def asked(api_client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await api_client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_given_numbers_get_their_closed_form(api_client: httpx.AsyncClient) -> None:
    given = {"spot": 460, "call_price": 368, "years": 1, "volatility": 0.2, "drift": 0.03, "loan_rate": 0.01}
    for monitoring in ("continuous", "daily"):
        found = await asked(api_client, URL, **given, monitoring=monitoring)
        assert found["probability"] == call_probability(460.0, 368.0, 1.0, 0.2, 0.03, 0.01, monitoring)  # type: ignore[arg-type]
        assert found["parameters"] == {**given, "monitoring": monitoring}
        assert found["assumed"] == {}
        assert found["range"]["low"] <= found["probability"] <= found["range"]["high"]


async def test_without_drift_over_the_loan_it_is_twice_the_chance_of_ending_below(
    api_client: httpx.AsyncClient,
) -> None:
    # domain notes, section 6: with nu = drift - loan_rate - sigma^2/2 = 0
    found = await asked(
        api_client, URL, spot=460, call_price=368, years=0.75, volatility=0.2, drift=0.05, loan_rate=0.03
    )
    expected = 2 * norm.cdf(-math.log(460 / 368) / (0.2 * math.sqrt(0.75)))
    assert found["probability"] == pytest.approx(expected, abs=1e-12)


async def test_what_is_not_given_is_the_current_portfolios_and_said(api_client: httpx.AsyncClient) -> None:
    portfolio = (await asked(api_client, "/api/portfolio"))["portfolio"]
    found = await asked(api_client, URL, years=0.5)
    assert set(found["assumed"]) == {"spot", "call_price", "volatility", "drift", "loan_rate", "monitoring"}
    assert found["parameters"]["call_price"] == pytest.approx(portfolio["margin_call_price"])
    assert "GLD" in found["assumed"]["spot"]
    numbers = await asked(api_client, URL, spot=500, call_price=400, volatility=0.2)
    assert numbers["assumed"]["loan_rate"] == "none"
    assert numbers["probability"] == call_probability(500.0, 400.0, 1.0, 0.2)


async def test_without_parameters_it_speaks_of_the_current_portfolio(api_client: httpx.AsyncClient) -> None:
    found = await asked(api_client, URL)
    assert found["portfolio_id"] == "main"
    assert found["parameters"]["monitoring"] == "daily"
    assert [each["months"] for each in found["horizons"]] == [1, 3, 6, 12]
    for each in found["horizons"]:
        assert each["low"] <= each["probability"] <= each["high"]
    assert found["probability"] == found["horizons"][-1]["probability"]
    assert found["range"] == {"low": found["horizons"][-1]["low"], "high": found["horizons"][-1]["high"]}
    assert found["range"]["low"] < found["range"]["high"]
    assert {model["model"] for model in found["models"]} == {"closed form"}
    assert len(found["models"]) == 3
    (used,) = [each for each in found["volatilities"] if each["used"]]
    assert used["kind"] == "ewma"
    assert used["probability"] == found["probability"]
    assert found["distance"]["drop_pct"] > 0
    assert found["distance"]["daily_sigmas"] > found["distance"]["monthly_sigmas"] > 0
    assert found["quote"]["demo"] is True
    assert all(each["wanted"] == 0.05 for each in found["lower"])


async def test_the_wanted_probability_gives_an_ltv(api_client: httpx.AsyncClient) -> None:
    likely, seldom = [await asked(api_client, URL, wanted=wanted) for wanted in (0.3, 0.01)]
    assert likely["lower"][0]["ltv"] > seldom["lower"][0]["ltv"]
    row = seldom["lower"][0]
    assert row["repay_cash"] == pytest.approx(600_000 - row["loan"])


NONSENSE: list[tuple[dict[str, str], str]] = [
    ({"spot": "nan"}, "spot"),
    ({"spot": "-1"}, "spot"),
    ({"spot": "0"}, "spot"),
    ({"spot": "1e999"}, "spot"),
    ({"spot": "gold"}, "spot"),
    ({"call_price": "inf"}, "call_price"),
    ({"years": "-1"}, "years"),
    ({"years": "1e6"}, "years"),
    ({"volatility": "nan"}, "volatility"),
    ({"volatility": "-0.1"}, "volatility"),
    ({"volatility": "1e308"}, "volatility"),
    ({"drift": "1e999"}, "drift"),
    ({"drift": "-1e300"}, "drift"),
    ({"loan_rate": "NaN"}, "loan_rate"),
    ({"monitoring": "hourly"}, "monitoring"),
    ({"wanted": "5"}, "wanted"),
]


async def test_nonsense_is_refused_with_the_argument(api_client: httpx.AsyncClient) -> None:
    for parameters, argument in NONSENSE:
        answer = await api_client.get(URL, params=parameters)
        assert answer.status_code == 422, parameters
        assert answer.json()["error"]["code"] == "invalid_input"
        assert answer.json()["error"]["argument"] == argument


EXTREMES: list[dict[str, float]] = [
    {"spot": 1e15, "call_price": 1e-300, "years": 1000, "volatility": 10},
    {"spot": 1e-300, "call_price": 1e15, "years": 0, "volatility": 0},
    {"spot": 460, "call_price": 460, "years": 0, "volatility": 0},
    {"spot": 460, "call_price": 368, "years": 0, "volatility": 0.2, "drift": 10, "loan_rate": -10},
    {"spot": 460, "call_price": 368, "years": 1000, "volatility": 1e-9, "drift": -10},
    {"spot": 5e-324, "call_price": 5e-324, "years": 5e-324, "volatility": 5e-324},
]


async def test_extremes_have_an_answer(api_client: httpx.AsyncClient) -> None:
    for parameters in EXTREMES:
        found = await asked(api_client, URL, **parameters)
        assert 0 <= found["range"]["low"] <= found["probability"] <= found["range"]["high"] <= 1, parameters


async def test_the_stress_table_has_every_fall_with_its_cure(api_client: httpx.AsyncClient) -> None:
    found = await asked(api_client, "/api/risk/stress")
    assert [row["price_change_pct"] for row in found["rows"]] == [-0.05, -0.1, -0.15, -0.2, -0.3, -0.4]
    for row in found["rows"]:
        value = row["gold_value"]
        assert row["lender_ltv"] == pytest.approx(600_000 / value)
        assert row["called"] == (row["zone"] in ("call", "close_out"))
        if row["zone"] != "room":
            assert (600_000 - row["cure"]["repay_cash"]) / value == pytest.approx(0.70)
    assert len(found["lender_shocks"]) == 2
    assert found["lender_shocks"][0]["margin_call_ltv"] == pytest.approx(0.70)
    assert any("No options are held" in remark for remark in found["remarks"])


async def test_what_a_loan_in_francs_is_to_repay_is_in_francs_at_the_rate_that_is_told(
    api_client: httpx.AsyncClient, demo_vault: Vault
) -> None:
    answer = await api_client.put("/api/portfolios/main", json={"currency": "CHF", "loan_amount": 560_000})
    assert answer.status_code == 200, answer.text
    await demo_vault.heartbeat.beat()
    odds = await asked(api_client, URL)
    stress = await asked(api_client, "/api/risk/stress")
    falls = await asked(api_client, "/api/risk/selloffs")
    for found in (odds, stress, falls):
        assert found["loan_currency"] == "CHF"
        assert found["exchange_rate"]["pair"] == "CHF=X"
    rate = stress["exchange_rate"]["per_dollar"]
    worst = stress["rows"][-1]["cure"]
    assert worst["repay_cash_in_loan_currency"] == pytest.approx(worst["repay_cash"] * rate)
    assert worst["repay_cash"] > 0
    assert odds["lower"][0]["loan_in_loan_currency"] == pytest.approx(odds["lower"][0]["loan"] * rate)
    called = [row["call"] for row in falls["selloffs"] if row["call"]]
    assert called
    assert called[0]["owed_in_loan_currency"] == pytest.approx(560_000, rel=1e-6)  # today's loan
    assert all(choice["name"].endswith(", in CHF") for choice in odds["volatilities"])
    assert any("by the rate of each day" in remark for remark in falls["remarks"])


async def test_selloffs_are_replayed_and_demo_prices_are_marked(api_client: httpx.AsyncClient) -> None:
    found = await asked(api_client, "/api/risk/selloffs")
    assert found["demo"] is True
    assert "vault-dash history import" in found["remarks"][0]
    assert found["todays_loan"] is True
    assert len(found["selloffs"]) == 20
    for row in found["selloffs"]:
        assert row["missing"] is None or row["outcome"] is None
        if row["called"]:
            assert row["call"]["ltv"] >= 0.75 - 1e-9
            assert row["worst_ltv"] >= row["call"]["ltv"]
    drawn = await asked(api_client, "/api/risk/selloffs", ltv=0.74)
    assert drawn["todays_loan"] is False
    assert drawn["start_ltv"] == 0.74
    own = await asked(api_client, "/api/risk/selloffs", start="2020-03-09", end="2020-03-19")
    assert [row["id"] for row in own["selloffs"]] == ["own"]


NO_FALLS: list[tuple[dict[str, str], int]] = [
    ({"start": "2026-02-30"}, 422),
    ({"start": "yesterday"}, 422),
    ({"start": "2020-03-19", "end": "2020-03-09"}, 422),
    ({"ltv": "nan"}, 422),
    ({"ltv": "60"}, 422),
    ({"start": "0001-01-01", "end": "0001-01-02"}, 404),
    ({"start": "9999-12-31"}, 404),
]


async def test_days_that_cannot_be_replayed_are_refused(api_client: httpx.AsyncClient) -> None:
    for parameters, status in NO_FALLS:
        answer = await api_client.get("/api/risk/selloffs", params=parameters)
        assert answer.status_code == status, parameters
        assert answer.json()["error"]["message"]


async def test_before_the_first_price_numbers_are_answered_and_the_portfolio_is_asked_for_later(
    demo_vault: Any, demo_settings: Any
) -> None:
    from vaultdash.main import create_app

    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        full = await client.get(URL, params={"spot": 460, "call_price": 368, "volatility": 0.2})
        assert full.status_code == 200
        for path in (URL, "/api/risk/stress", "/api/risk/selloffs"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "no price yet" in answer.json()["error"]["message"]

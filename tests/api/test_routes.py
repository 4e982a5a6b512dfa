"""What each endpoint answers, against the words of the promise rather than our own schemas."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.api.structure import Instant, Maybe, require
from tests.builders import NOON
from vaultdash.api.routes import parse_changes
from vaultdash.domain.errors import InvalidInput
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

SEEDS = {
    "symbol": "GLD",
    "spot": "460",
    "volatility": "0.16",
    "risk_free_rate": "0.045",
    "portfolio_value": "1000000",
    "loan_amount": "600000",
    "margin_call_ltv": "0.75",
}
SIX = (
    "protective_put_atm",
    "protective_put_otm_95",
    "protective_put_otm_90",
    "laddered_put_50_50_atm_otm95",
    "laddered_put_33_33_33_atm_otm95_otm90",
    "lease_duration_analysis",
)
PROFILES = ("conservative", "balanced", "cost_sensitive")

QUOTE = {"price": float, "at": Instant, "source": str, "stale": bool, "age_seconds": float}
PORTFOLIO = {
    "units": float,
    "gold_ounces": float,
    "gold_value": float,
    "loan_amount": float,
    "ltv": float,
    "margin_call_ltv": float,
    "margin_call_price": float,
    "drop_to_margin_call": float,
}
COST = {
    "premium_per_share": float,
    "total_cost": float,
    "cost_pct_of_portfolio": float,
    "term_months": int,
    "annualized_cost": float,
    "annualized_cost_pct": float,
}
PROTECTION = {
    "threshold_price": float,
    "payoff_at_threshold": float,
    "gold_value_at_threshold": float,
    "hedged_value_at_threshold": float,
    "hedged_ltv_at_threshold": float,
    "maintains_margin_call_buffer": bool,
    "portfolio_floor_value": float,
}
SCENARIO = {
    "price_change_pct": float,
    "scenario_price": float,
    "gold_value": float,
    "option_payoff": float,
    "hedge_cost": float,
    "hedged_collateral": float,
    "net_portfolio_value": float,
    "net_equity": float,
    "unhedged_ltv": float,
    "hedged_ltv": float,
    "hedged_ltv_after_payment": float,
    "margin_call_without_hedge": bool,
    "margin_call_with_hedge": bool,
}
LEG = {
    "right": str,
    "strike": float,
    "strike_pct": float,
    "weight": float,
    "months": int,
    "premium_per_share": float,
    "leg_cost": float,
}
WHOLE = {"contracts": int, "cost": COST, "protection": PROTECTION}
RECOMMENDATION = {"name": str, "reason": str, "ranking": [{"name": str, "score": float}]}
SENSITIVITY = [{"value": float, "recommendations": dict.fromkeys(PROFILES, str)}]
STRATEGIES = {
    "symbol": str,
    "as_of": Instant,
    "quote": Maybe(QUOTE),
    "parameters": {
        "spot": float,
        "volatility": float,
        "risk_free_rate": float,
        "portfolio_value": float,
        "loan_amount": float,
        "margin_call_ltv": float,
        "months": int,
        "exercise": str,
    },
    "portfolio": PORTFOLIO,
    "strategies": [
        {
            "name": str,
            "title": str,
            "legs": [LEG],
            "cost": COST,
            "protection": PROTECTION,
            "scenarios": [SCENARIO],
            "contracts": {"floor": WHOLE, "ceil": WHOLE},
        }
    ],
    "recommendations": dict.fromkeys(PROFILES, RECOMMENDATION),
    "sensitivity": {"volatility": SENSITIVITY, "spot": SENSITIVITY},
}


async def ask(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_seeds_parameters_give_the_seeds_figures(api_client: httpx.AsyncClient) -> None:
    found = await ask(api_client, "/api/strategies", **SEEDS)
    assert found["portfolio"]["ltv"] == pytest.approx(0.60, abs=1e-12)
    assert found["portfolio"]["margin_call_price"] == pytest.approx(368.00, abs=1e-9)
    at_the_money = found["strategies"][0]
    assert at_the_money["name"] == "protective_put_atm"
    assert at_the_money["cost"]["term_months"] == 12
    assert at_the_money["cost"]["cost_pct_of_portfolio"] == pytest.approx(0.0428, abs=5e-5)
    fallen = next(one for one in at_the_money["scenarios"] if one["price_change_pct"] == -0.2)
    assert fallen["margin_call_without_hedge"] is True
    assert fallen["margin_call_with_hedge"] is False


async def test_strategies_has_every_promised_field(api_client: httpx.AsyncClient) -> None:
    found = await ask(api_client, "/api/strategies", symbol="GLD")
    require(found, {**STRATEGIES, "quote": QUOTE})
    assert tuple(one["name"] for one in found["strategies"]) == SIX
    assert all(len(one["scenarios"]) == 12 for one in found["strategies"])
    assert found["parameters"]["exercise"] == "european"
    assert found["parameters"]["months"] == 12


async def test_only_the_lease_analysis_has_durations_and_they_ascend(api_client: httpx.AsyncClient) -> None:
    strategies = (await ask(api_client, "/api/strategies", **SEEDS))["strategies"]
    assert [one["name"] for one in strategies if one["durations"]] == ["lease_duration_analysis"]
    require(strategies[-1]["durations"], [{"months": int, "cost": COST, "protection": PROTECTION}])
    assert [one["months"] for one in strategies[-1]["durations"]] == [3, 6, 9, 12, 18, 24]
    cheapest = min(one["cost"]["annualized_cost"] for one in strategies[-1]["durations"])
    assert strategies[-1]["cost"]["annualized_cost"] == pytest.approx(cheapest)


async def test_every_pct_is_a_fraction(api_client: httpx.AsyncClient) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for name, entry in value.items():
                if name.endswith(("_pct", "ltv")) and entry is not None:
                    assert -1 <= entry < 3, (name, entry)
                walk(entry)
        elif isinstance(value, list):
            for entry in value:
                walk(entry)

    walk(await ask(api_client, "/api/strategies", **SEEDS))
    walk(await ask(api_client, "/api/portfolio"))


async def test_each_parameter_reaches_the_comparison(api_client: httpx.AsyncClient) -> None:
    given = {**SEEDS, "months": "6", "exercise": "american", "volatility": "0.25", "risk_free_rate": "0.03"}
    found = await ask(api_client, "/api/strategies", **given, price_changes="-0.5,0,0.25")
    assert found["parameters"] == {
        "spot": 460.0,
        "volatility": 0.25,
        "risk_free_rate": 0.03,
        "portfolio_value": 1_000_000.0,
        "loan_amount": 600_000.0,
        "margin_call_ltv": 0.75,
        "months": 6,
        "exercise": "american",
    }
    assert [one["price_change_pct"] for one in found["strategies"][0]["scenarios"]] == [-0.5, 0.0, 0.25]
    assert found["quote"] is None


async def test_american_puts_cost_at_least_as_much_as_european_ones(api_client: httpx.AsyncClient) -> None:
    european = await ask(api_client, "/api/strategies", **SEEDS)
    american = await ask(api_client, "/api/strategies", **SEEDS, exercise="american")
    for old, new in zip(european["strategies"], american["strategies"], strict=True):
        assert new["cost"]["premium_per_share"] >= old["cost"]["premium_per_share"]


async def test_portfolio_shows_the_loan_of_the_settings(api_client: httpx.AsyncClient) -> None:
    found = await ask(api_client, "/api/portfolio", symbol="GLD")
    require(found, {"symbol": str, "as_of": Instant, "own": bool, "quote": QUOTE, "portfolio": PORTFOLIO})
    state = found["portfolio"]
    assert found["own"] is True
    assert state["units"] == pytest.approx(1_000_000 / 460)
    assert state["ltv"] == pytest.approx(600_000 / (state["units"] * found["quote"]["price"]))
    assert state["margin_call_price"] == pytest.approx(600_000 / (0.75 * state["units"]))
    assert found["daily_sigmas_to_call"] is not None


async def test_every_demo_number_says_that_it_is_demo(api_client: httpx.AsyncClient) -> None:
    for path in ("/api/portfolio", "/api/strategies", "/api/options"):
        quote = (await ask(api_client, path))["quote"]
        assert (quote["source"], quote["demo"]) == ("DEMO", True)
    history = await ask(api_client, "/api/history")
    assert (history["source"], history["demo"]) == ("DEMO", True)
    assert (await ask(api_client, "/health"))["market"] == "demo"


async def test_history_reaches_back_as_far_as_asked(api_client: httpx.AsyncClient) -> None:
    found = await ask(api_client, "/api/history", symbol="GLD", days=90)
    days = [date.fromisoformat(bar["date"]) for bar in found["bars"]]
    assert days == sorted(set(days))
    assert NOON.date() - timedelta(days=90) <= days[0] <= NOON.date() - timedelta(days=86)
    assert days[-1] < NOON.date()
    assert (found["first"], found["last"]) == (str(days[0]), str(days[-1]))
    everything = await ask(api_client, "/api/history", days=20_000)
    assert everything["first"] == "2004-11-18"


async def test_a_day_without_bars_is_an_empty_history_and_no_error(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    sunday = NOON + timedelta(days=4)
    demo_vault.now = lambda: sunday
    app = create_app(demo_settings(), demo_vault, pages=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
        found = await ask(client, "/api/history", days=1)
    assert (found["bars"], found["first"], found["last"]) == ([], None, None)


@pytest.mark.parametrize("symbol", ["IAU", "GLDM", "SGOL", "gldm"])
async def test_other_gold_funds_work_as_research_portfolios(api_client: httpx.AsyncClient, symbol: str) -> None:
    for path in ("/api/portfolio", "/api/options", "/api/history", "/api/strategies"):
        found = await ask(api_client, path, symbol=symbol)
        assert found["symbol"] == symbol.upper()
    require(found, {**STRATEGIES, "quote": QUOTE})
    assert found["portfolio"]["gold_value"] == pytest.approx(1_000_000)
    assert any("research portfolio" in text for text in found["assumptions"])


@pytest.mark.parametrize("path", ["portfolio", "options", "history", "strategies"])
async def test_an_unknown_symbol_is_a_clear_404(api_client: httpx.AsyncClient, path: str) -> None:
    answer = await api_client.get(f"/api/{path}", params={"symbol": "NOSUCH"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert "NOSUCH" in answer.json()["error"]["message"]


async def test_health_says_how_the_house_is(api_client: httpx.AsyncClient) -> None:
    found = await ask(api_client, "/health")
    require(
        found,
        {
            "status": str,
            "environment": str,
            "version": str,
            "redis_enabled": bool,
            "dependencies": {"cache": str, "storage": str},
            "quote_age_seconds": float,
        },
    )
    assert (found["status"], found["environment"], found["redis_enabled"]) == ("ok", "local", False)
    assert found["not_ready"] == []


async def test_health_is_503_with_names_before_the_first_price(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    app = create_app(demo_settings(), demo_vault, pages=False)  # its lifespan has not begun: nobody has asked
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
        answer = await client.get("/health")
    assert answer.status_code == 503
    found = answer.json()
    assert (found["status"], found["not_ready"], found["quote_age_seconds"]) == ("not_ready", ["price"], None)


async def test_health_names_a_data_directory_that_cannot_be_written(
    demo_settings: Callable[..., Settings], demo_vault: Vault, api_client: httpx.AsyncClient
) -> None:
    folder = demo_settings().data_dir
    folder.rename(folder.with_name("moved away"))
    folder.write_bytes(b"a file where the folder should be")
    found = await ask(api_client, "/health")
    assert found["status"] == "degraded"
    assert str(folder) in found["dependencies"]["storage"]


@pytest.mark.parametrize("text", ["", "a", "-0.2,", "nan", "0,inf", "-1", "11", ",".join(["0.1"] * 201), "1e999"])
def test_price_changes_that_make_no_sense_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_changes(text)
    assert caught.value.argument == "price_changes"


def test_price_changes_are_sorted_and_each_taken_once() -> None:
    assert parse_changes("0.1, -0.2,0.1") == (-0.2, 0.1)
    assert parse_changes(None) is None

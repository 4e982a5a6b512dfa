"""Listed options as the API gives them: every promised field, the filters, and what happens when a source fails."""

import csv
import io
import math
from datetime import date
from typing import Any

import httpx
import pytest

from tests.api.conftest import LEAPS, MONTH, QUARTER, SOON
from tests.api.structure import Instant, Maybe, require
from tests.builders import a_contract, an_option_quote
from tests.services.twins import Clock, ScriptedChains, a_priced_smile
from vaultdash.api.option_answers import chains_csv, parse_right
from vaultdash.domain.errors import InvalidInput, NotFound, RateLimited, Unavailable
from vaultdash.domain.option import QuoteFlag, Right

HEAD = {
    "symbol": str,
    "as_of": Instant,
    "source": str,
    "at": Instant,
    "age_seconds": float,
    "freshness": str,
    "stale": bool,
    "demo": bool,
    "problem": Maybe(str),
    "quote": {"price": float, "at": Instant, "source": str, "stale": bool, "age_seconds": float},
}
CONTRACT = {
    "contract": str,
    "root": str,
    "expiration": str,
    "days_to_expiry": int,
    "strike": float,
    "right": str,
    "multiplier": int,
    "bid": Maybe(float),
    "ask": Maybe(float),
    "bid_size": Maybe(int),
    "ask_size": Maybe(int),
    "mid": Maybe(float),
    "spread": Maybe(float),
    "spread_pct": Maybe(float),
    "last": Maybe(float),
    "last_trade_at": Maybe(Instant),
    "volume": Maybe(int),
    "open_interest": Maybe(int),
    "open_interest_on": Maybe(str),
    "vendor_iv": Maybe(float),
    "usable": bool,
    "moneyness": float,
    "implied_volatility": Maybe(float),
    "iv_status": str,
    "surface_volatility": Maybe(float),
    "delta": Maybe(float),
    "gamma": Maybe(float),
    "vega": Maybe(float),
    "theta": Maybe(float),
    "greeks_from": Maybe(str),
}
DAY = {
    "expiration": str,
    "days_to_expiry": int,
    "years": float,
    "forward": float,
    "effective_yield": float,
    "yield_basis": str,
    "parity_pairs": int,
    "source": str,
    "at": Instant,
    "age_seconds": float,
    "stale": bool,
    "problem": Maybe(str),
    "filtered": {},
    "left_out": {},
    "engine": str,
}
CHAIN = {
    **HEAD,
    "delayed": bool,
    "market_state": str,
    "rate": {"value": float, "on": Maybe(str), "source": str},
    "expirations": [DAY],
    "filtered": {},
    "contracts": [CONTRACT],
}


async def ask(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(f"/api/options{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client: httpx.AsyncClient, path: str, status: int, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/options{path}", params=query)
    assert answer.status_code == status, answer.text
    return dict(answer.json()["error"])


async def test_expirations_are_listed_with_their_days_and_the_one_to_begin_with(options: httpx.AsyncClient) -> None:
    found = await ask(options, "/expirations", symbol="gld")
    require(found, {**HEAD, "default": str, "expirations": [{"expiration": str, "days_to_expiry": int}]})
    assert found["symbol"] == "GLD"
    assert found["default"] == str(MONTH)
    assert found["expirations"][0] == {"expiration": str(SOON), "days_to_expiry": 2}
    assert [one["expiration"] for one in found["expirations"]] == [str(day) for day in (SOON, MONTH, QUARTER, LEAPS)]


async def test_a_chain_has_every_promised_field(options: httpx.AsyncClient) -> None:
    found = await ask(options, "/chain")
    require(found, CHAIN)
    assert found["rate"] == {"value": 0.037, "on": "2026-06-09", "source": "test"}
    assert found["missing"] == []
    assert all(isinstance(one["flags"], list) and isinstance(one["reasons"], list) for one in found["contracts"])


async def test_without_a_wish_it_is_the_default_expiration_by_strike_calls_first(options: httpx.AsyncClient) -> None:
    found = await ask(options, "/chain")
    assert [one["expiration"] for one in found["expirations"]] == [str(MONTH)]
    order = [(one["strike"], one["right"]) for one in found["contracts"]]
    assert order == sorted(order)
    assert found["contracts"][0]["contract"] == "GLD   260717C00400000"


async def test_one_expiration_is_asked_for_alone(options: httpx.AsyncClient, listed: ScriptedChains) -> None:
    found = await ask(options, "/chain", expiration=str(LEAPS))
    assert listed.asked == [("GLD", LEAPS)]
    assert {one["expiration"] for one in found["contracts"]} == {str(LEAPS)}


@pytest.mark.parametrize(("max_days", "days"), [(30, {SOON}), (60, {SOON, MONTH}), (90, {SOON, MONTH, QUARTER})])
async def test_within_some_days_all_expirations_come(
    options: httpx.AsyncClient, max_days: int, days: set[date]
) -> None:
    found = await ask(options, "/chain", max_days=max_days)
    require(found, CHAIN)
    assert {one["expiration"] for one in found["contracts"]} == {str(day) for day in days}
    assert [one["expiration"] for one in found["expirations"]] == sorted(str(day) for day in days)


async def test_within_30_days_without_any_expiration_nothing_is_an_answer(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    listed.days = (LEAPS,)
    found = await ask(options, "/chain", max_days=30)
    assert (found["contracts"], found["expirations"], found["missing"], found["rate"]) == ([], [], [], None)


async def test_an_expiration_that_could_not_be_had_is_named_beside_the_others(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    await ask(options, "/chain", expiration=str(SOON))
    listed.failure = None
    real = listed.chain

    async def chain(symbol: str, expiration: date, *, refresh: bool = False) -> Any:
        if expiration == MONTH:
            raise Unavailable("the line is cut")
        return await real(symbol, expiration, refresh=refresh)

    listed.chain = chain  # type: ignore[method-assign]
    found = await ask(options, "/chain", max_days=60)
    assert {one["expiration"] for one in found["contracts"]} == {str(SOON)}
    assert found["missing"] == [{"expiration": str(MONTH), "reason": "the line is cut"}]
    listed.days = (MONTH,)
    assert "the line is cut" in (await refused(options, "/chain", 503, max_days=60))["message"]


@pytest.mark.parametrize(
    ("right", "letter"), [("C", "C"), ("call", "C"), ("CALL", "C"), ("p", "P"), ("Put", "P"), (" put ", "P")]
)
async def test_one_side_is_left_when_asked_for(options: httpx.AsyncClient, right: str, letter: str) -> None:
    found = await ask(options, "/chain", right=right)
    assert {one["right"] for one in found["contracts"]} == {letter}
    assert parse_right(right) is Right(letter)


async def test_strikes_are_taken_between_both_limits_included(options: httpx.AsyncClient) -> None:
    found = await ask(options, "/chain", min_strike=440, max_strike=460)
    assert {one["strike"] for one in found["contracts"]} == {440.0, 450.0, 460.0}
    assert (await ask(options, "/chain", min_strike=9_999))["contracts"] == []


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ({"expiration": str(MONTH), "max_days": 30}, "max_days"),
        ({"max_days": 45}, "max_days"),
        ({"max_days": "x"}, "max_days"),
        ({"right": "straddle"}, "right"),
        ({"right": ""}, "right"),
        ({"min_strike": 460, "max_strike": 440}, "min_strike"),
        ({"min_strike": "nan"}, "min_strike"),
        ({"max_strike": "1e999"}, "max_strike"),
        ({"min_strike": -1}, "min_strike"),
        ({"expiration": "2026-02-30"}, "expiration"),
        ({"expiration": "soon"}, "expiration"),
        ({"symbol": "%%"}, "symbol"),
    ],
)
@pytest.mark.parametrize("path", ["/chain", "/chain.csv"])
async def test_what_makes_no_sense_is_refused_by_name(
    options: httpx.AsyncClient, listed: ScriptedChains, path: str, query: dict[str, Any], argument: str
) -> None:
    assert (await refused(options, path, 422, **query))["argument"] == argument
    assert listed.asked == []


@pytest.mark.parametrize("path", ["", "/expirations", "/chain", "/chain.csv", "/surface"])
async def test_an_unknown_symbol_is_a_clear_404(
    options: httpx.AsyncClient, listed: ScriptedChains, path: str
) -> None:
    listed.failure = NotFound("No source knows NOSUCH")
    error = await refused(options, path, 404, symbol="NOSUCH")
    assert (error["code"], error["message"]) == ("not_found", "No source knows NOSUCH")


async def test_a_day_without_listed_options_is_a_404(options: httpx.AsyncClient) -> None:
    assert "2026-07-18" in (await refused(options, "/chain", 404, expiration="2026-07-18"))["message"]


@pytest.mark.parametrize("path", ["", "/expirations", "/chain", "/chain.csv", "/surface"])
async def test_a_source_that_fails_with_nothing_remembered_is_a_503(
    options: httpx.AsyncClient, listed: ScriptedChains, path: str
) -> None:
    listed.failure = RateLimited("Yahoo asks us to wait", 90)
    answer = await options.get(f"/api/options{path}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "90")
    assert answer.json()["error"]["code"] == "rate_limited"


async def test_what_is_remembered_is_shown_with_its_age_and_the_reason(
    options: httpx.AsyncClient, listed: ScriptedChains, clock: Clock
) -> None:
    await ask(options, "")
    listed.failure = Unavailable("the line is cut")
    clock.go_on(seconds=3600)
    for path in ("", "/expirations", "/chain"):
        found = await ask(options, path)
        assert (found["stale"], found["freshness"], found["problem"]) == (True, "stale", "the line is cut")
        assert found["age_seconds"] == 3600
        assert found["quote"]["age_seconds"] == 3600


async def test_a_quote_that_is_no_good_is_shown_with_its_flags_and_reasons(
    options: httpx.AsyncClient, listed: ScriptedChains, clock: Clock
) -> None:
    nobody = an_option_quote(a_contract(300.0), bid=0.0, ask=0.05, flags=QuoteFlag.ZERO_BID, vendor_iv=None)
    listed.quotes = (nobody, *a_priced_smile("GLD", MONTH, clock()))
    found = await ask(options, "/chain", max_strike=300)
    (contract,) = found["contracts"]
    assert (contract["usable"], contract["flags"]) == (False, ["zero_bid"])
    assert "no_bid" in contract["reasons"]
    assert (contract["mid"], contract["implied_volatility"], contract["vendor_iv"]) == (None, None, None)
    assert found["filtered"]["no_bid"] == 1
    assert found["expirations"][0]["filtered"] == found["filtered"]


async def test_volatility_and_greeks_are_in_the_documented_units(options: httpx.AsyncClient) -> None:
    found = await ask(options, "/chain", min_strike=460, max_strike=460)
    put = next(one for one in found["contracts"] if one["right"] == "P")
    years = found["expirations"][0]["years"]
    assert put["implied_volatility"] == pytest.approx(0.20, abs=0.015)  # the quotes are made without interest
    density = math.exp(-0.5 * (0.1 * math.sqrt(years)) ** 2) / math.sqrt(2 * math.pi)
    assert put["vega"] == pytest.approx(460 * density * math.sqrt(years) / 100, rel=0.03)  # by volatility point
    assert put["theta"] == pytest.approx(-460 * density * 0.2 / (2 * math.sqrt(years)) / 365, rel=0.15)  # by day
    assert -0.6 < put["delta"] < -0.4
    assert put["moneyness"] == 0.0
    assert put["greeks_from"] == "mid"


async def test_the_first_answer_has_expirations_and_the_contracts_of_one(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    found = await ask(options, "", symbol="GLD")
    require(found, {**HEAD, "delayed": bool, "expirations": [str], "expiration": str, "options": [CONTRACT]})
    assert found["expirations"] == [str(day) for day in (SOON, MONTH, QUARTER, LEAPS)]
    assert found["expiration"] == str(MONTH)
    assert listed.asked == [("GLD", None), ("GLD", MONTH)]
    other = await ask(options, "", symbol="GLD", expiration=str(LEAPS))
    assert {one["expiration"] for one in other["options"]} == {str(LEAPS)}
    assert other["options"] == (await ask(options, "/chain", expiration=str(LEAPS)))["contracts"]


async def test_the_surface_goes_through_the_chains_that_have_been_asked_for(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    found = await ask(options, "/surface")
    assert (found["loaded"], [one["expiration"] for one in found["slices"]]) == (1, [str(MONTH)])
    await ask(options, "/chain", expiration=str(LEAPS))
    listed.asked.clear()
    found = await ask(options, "/surface")
    assert listed.asked == []
    assert [one["expiration"] for one in found["slices"]] == [str(MONTH), str(LEAPS)]
    for smile in found["slices"]:
        require(smile, {"model": str, "quotes": int, "sparse": bool, "rms_error": float, "butterfly": bool})
        require(smile["parameters"], dict.fromkeys("abms", float) | {"rho": float})
        assert smile["atm_volatility"] == pytest.approx(0.20, abs=0.015)  # the quotes are made without interest
        assert smile["lowest_k"] < 0 < smile["highest_k"]
    assert found["sentence"]


async def test_without_a_good_quote_there_is_no_surface_and_no_error(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    listed.quotes = (an_option_quote(a_contract(460.0), bid=0.0, ask=None),)
    found = await ask(options, "/surface")
    assert (found["slices"], found["remarks"], found["calendar"]) == ([], [], [])
    assert "No surface" in found["sentence"]


async def test_the_file_has_a_line_a_contract_with_its_origin(options: httpx.AsyncClient) -> None:
    answer = await options.get("/api/options/chain.csv", params={"right": "put", "max_strike": 420})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="GLD-2026-07-17-options.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    contracts = (await ask(options, "/chain", right="put", max_strike=420))["contracts"]
    assert [line["contract"] for line in lines] == [one["contract"] for one in contracts]
    assert set(lines[0]) == {"symbol", "source", "quoted_at", "stale", *contracts[0]}
    for line, contract in zip(lines, contracts, strict=True):
        assert float(line["delta"]) == contract["delta"]  # a negative number stays a number
        assert line["volume"] == ""
        assert line["usable"] == str(contract["usable"]).lower()
    within = await options.get("/api/options/chain.csv", params={"max_days": 60})
    assert 'filename="GLD-60-days-options.csv"' in within.headers["content-disposition"]


async def test_text_that_a_spreadsheet_would_take_for_a_formula_is_made_harmless(
    options: httpx.AsyncClient, listed: ScriptedChains
) -> None:
    listed.source = '=HYPERLINK("evil")'
    answer = await options.get("/api/options/chain.csv", params={"min_strike": 460, "max_strike": 460})
    for line in csv.DictReader(io.StringIO(answer.text)):
        assert line["source"] == '\'=HYPERLINK("evil")'
        assert not any(cell.startswith(("=", "+", "@")) for cell in line.values())


async def test_an_unchanged_answer_costs_nothing(options: httpx.AsyncClient) -> None:
    first = await options.get("/api/options/expirations")
    again = await options.get("/api/options/expirations", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_right_nobody_knows_is_refused() -> None:
    assert parse_right(None) is None
    with pytest.raises(InvalidInput):
        parse_right("pu")


def test_an_answer_without_contracts_is_a_file_with_a_head_only() -> None:
    class Empty:
        contracts = expirations = ()
        symbol = "GLD"

    assert chains_csv(Empty()).count("\n") == 1  # type: ignore[arg-type]  # nothing else of it is read

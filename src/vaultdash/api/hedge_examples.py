"""Examples for the description of the API: each can be sent as it is."""

from typing import Any

from fastapi.openapi.models import Example

DAY = "2026-05-11"
EXPIRATION = "2026-09-18"
LOAN: dict[str, Any] = {"spot": 434.0, "units": 10000, "loan_amount": 2604000, "as_of": DAY}
PUTS: list[dict[str, Any]] = [
    {"right": "P", "strike": 330, "expiration": EXPIRATION, "bid": 1.9, "ask": 2.05, "multiplier": 100},
    {"right": "P", "strike": 345, "expiration": EXPIRATION, "bid": 2.75, "ask": 2.9, "multiplier": 100},
    {"right": "P", "strike": 350, "expiration": EXPIRATION, "bid": 3.1, "ask": 3.25, "multiplier": 100},
    {"right": "P", "strike": 360, "expiration": EXPIRATION, "bid": 4.0, "ask": 4.2, "multiplier": 100},
    {"right": "P", "strike": 400, "expiration": EXPIRATION, "bid": 11.6, "ask": 11.9, "multiplier": 100},
]
CALL: dict[str, Any] = {
    "right": "C",
    "strike": 500,
    "expiration": EXPIRATION,
    "bid": 8.1,
    "ask": 8.4,
    "multiplier": 100,
}
PUT_LEG: dict[str, Any] = {
    "right": "P",
    "strike": 360,
    "expiration": EXPIRATION,
    "contracts": 100,
    "bid": 4.0,
    "ask": 4.2,
}
CALL_LEG: dict[str, Any] = {
    "right": "C",
    "strike": 500,
    "expiration": EXPIRATION,
    "contracts": -100,
    "bid": 8.1,
    "ask": 8.4,
}
CALLED = {"max_hedged_ltv": 0.75, "credit": "credited"}


def _example(summary: str, value: dict[str, Any]) -> Example:
    return Example(summary=summary, value=value)


CHEAPEST = {
    "given": _example("A loan and five puts", {**LOAN, **CALLED, "contracts": PUTS}),
    "collar": _example(
        "Calls may be sold from 490 on; earlier days are checked as well",
        {
            **LOAN,
            **CALLED,
            "contracts": [*PUTS[2:4], CALL],
            "allow_calls": True,
            "min_call_strike": 490,
            "max_calls": 100,
            "check_dates": "all",
        },
    ),
    "loss": _example(
        "A loss of at most a fifth, the cost of the hedge included", {**LOAN, "max_loss": 0.2, "contracts": PUTS}
    ),
    "infeasible": _example(
        "A lender who ignores options: no hedge keeps the limit", {**LOAN, **CALLED, "credit": 0, "contracts": PUTS}
    ),
}
EVALUATE = {
    "collar": _example("A collar at these quotes", {**LOAN, "hedge": {"legs": [PUT_LEG, CALL_LEG]}}),
    "nothing": _example("No hedge", {**LOAN}),
}
PATHS = {
    "two": _example(
        "A put and a collar over three months",
        {
            **LOAN,
            "hedges": [{"title": "put", "legs": [PUT_LEG]}, {"title": "collar", "legs": [PUT_LEG, CALL_LEG]}],
            "months": 3,
            "paths": 2000,
            "volatility": 0.25,
            "models": ["flat", "jumps"],
        },
    ),
}
WHAT_IF = {
    "fall": _example(
        "Gold falls by a quarter in a month, volatility rises by ten points",
        {
            **LOAN,
            "hedge": {"legs": [PUT_LEG]},
            "price_change": -0.25,
            "volatility_change": 0.1,
            "days": 30,
            "maps": False,
        },
    ),
    "lender": _example(
        "The lender counts options no more and lowers its limits by five points",
        {**LOAN, "hedge": {"legs": [PUT_LEG]}, "lender": {"limit_cut": 0.05, "stops_counting": True}},
    ),
}
BUILD = {
    "put": _example("A put over all the gold, from the live chain", {"kind": "protective_put"}),
    "template": _example("A template of the house on the live chain", {"template": "protective_put_otm_95"}),
}
GRID = {
    "usual": _example(
        "Falls and rises by tens of per cent",
        {"prices": [-0.3, -0.2, -0.1, 0, 0.1], "volatilities": [0, 0.1], "days": [0, 30, 90]},
    )
}

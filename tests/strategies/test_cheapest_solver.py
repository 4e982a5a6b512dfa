"""Whole numbers by way of fractions: the same optimum as the solver alone, honest ends, a deadline that holds."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from vaultdash.domain.hedge_verdict import CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import Right
from vaultdash.strategies import cheapest_solver
from vaultdash.strategies.cheapest import cheapest_hedge
from vaultdash.strategies.cheapest_answer import timed_out
from vaultdash.strategies.cheapest_relaxed import relaxed, tightened
from vaultdash.strategies.cheapest_rows import Rows, rows
from vaultdash.strategies.cheapest_search import Searched, search
from vaultdash.strategies.cheapest_solver import solve
from vaultdash.strategies.cheapest_terms import search_terms, usable
from vaultdash.strategies.cheapest_time import Deadline

NOW, SEPTEMBER, DECEMBER = datetime(2026, 6, 18, 20, 0, tzinfo=UTC), date(2026, 9, 18), date(2026, 12, 18)


def random_rows(seed: int) -> Rows:
    """Covering rows with limits per line: 30 lines of which a few are needed."""
    rng = np.random.default_rng(seed)
    lines, count = 30, 12
    worth = rng.integers(1, 40, (count, lines)).astype(float)
    cost = np.round(worth.mean(axis=0) * rng.uniform(0.9, 1.3, lines) + rng.uniform(0, 2, lines), 2)
    return Rows(
        matrix=worth,
        least=rng.uniform(60, 160, count),
        price=np.arange(count, dtype=float),
        fewest=np.zeros(lines),
        most=np.full(lines, float(rng.integers(2, 6))),
        whole=np.ones(lines),
        cost=cost,
    )


@pytest.mark.parametrize("seed", range(6))
def test_ruling_lines_out_by_fractions_keeps_the_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cheapest_solver, "SMALL", (0, 0))
    made = random_rows(seed)
    found = solve(made, Deadline(20.0))
    alone = milp(
        made.cost,
        integrality=made.whole,
        bounds=Bounds(made.fewest, made.most),
        constraints=LinearConstraint(made.matrix, lb=made.least),
        options={"mip_rel_gap": 0.0},
    )
    assert found.outcome == "optimal"
    assert found.counts is not None
    assert made.cost @ found.counts == pytest.approx(alone.fun, abs=1e-6)
    assert (made.matrix @ found.counts >= made.least - 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_limits_tightened_by_a_known_hedge_hold_for_the_optimum_and_are_narrower(seed: int) -> None:
    made = random_rows(seed)
    found = solve(made, Deadline(20.0))
    assert found.counts is not None
    below = relaxed(made, made.cost, Deadline(5.0))
    best = float(made.cost @ found.counts)
    assert below.bound is not None
    assert below.bound <= best
    limits = tightened(made, below, best)
    assert ((found.counts >= limits.fewest) & (found.counts <= limits.most)).all()
    assert (limits.most - limits.fewest).sum() < made.most.sum()


def test_rows_that_the_judge_adds_are_kept() -> None:
    made = random_rows(3)
    wanted = 3.0

    def judge(counts: np.ndarray) -> Any:
        if counts[0] >= wanted:
            return "kept"
        made.matrix = np.vstack([made.matrix, np.eye(len(counts))[:1]])
        made.least = np.append(made.least, wanted)
        made.price = np.append(made.price, np.nan)
        return "more"

    made.most[0] = 5.0
    found = solve(made, Deadline(20.0), None, judge)
    assert found.counts is not None
    assert found.counts[0] >= wanted


def chain(calls: bool = True) -> list[ListedOption]:
    """Four hundred contracts of two expirations around 450, their prices smooth and rounded to cents."""
    made = []
    for expiration, years in ((SEPTEMBER, 0.25), (DECEMBER, 0.5)):
        deviation = 0.2 * years**0.5
        for strike in range(320, 420):
            ask = round(450 * deviation * float(np.exp(-3.2 * (450 - strike) / 450 / deviation)) * 0.4 + 0.05, 2)
            made.append(ListedOption(Right.PUT, strike, expiration, round(ask * 0.95, 2), ask, volatility=0.2))
        for strike in range(470, 570) if calls else ():
            bid = round(450 * deviation * float(np.exp(-2.6 * (strike - 450) / 450 / deviation)) * 0.4 + 0.03, 2)
            made.append(ListedOption(Right.CALL, strike, expiration, bid, round(bid * 1.05, 2), volatility=0.2))
    return made


CASE: tuple[float, float, float, float] = (2_173.9, 600_000.0, 450.0, 0.74)
DAYS: dict[str, Any] = {"check_dates": "all", "at": NOW, "rate": 0.04}


def test_sold_calls_on_every_day_find_a_hedge_in_time_with_its_bound() -> None:
    found = cheapest_hedge(chain(), *CASE, allow_calls=True, **DAYS, time_limit=6.0)
    assert found.status in (SolveStatus.OPTIMAL, SolveStatus.TIMEOUT)
    assert found.hedge is not None
    assert any(leg.contracts < 0 for leg in found.hedge.legs)
    assert found.net_cost is not None
    assert found.lp_bound is not None
    assert found.lp_bound <= found.net_cost
    puts = cheapest_hedge(chain(calls=False), *CASE)
    assert puts.net_cost is not None
    assert found.net_cost < puts.net_cost


def none_in_time(*_: Any, **__: Any) -> Any:
    """A search with calls that the time never suffices for."""
    return Searched("timeout", bound=-5_000.0)


def test_where_no_hedge_with_calls_was_found_the_cheapest_without_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultdash.strategies.cheapest.search_dates", none_in_time)
    found = cheapest_hedge(chain(), *CASE, allow_calls=True, **DAYS)
    assert found.status is SolveStatus.TIMEOUT
    assert found.net_cost == pytest.approx(milp_of_puts([each for each in chain() if each.right is Right.PUT]))
    assert "no hedge with sold calls was found; the cheapest without them is given" in found.reason
    assert "would save at most" in found.reason


def milp_of_puts(puts: list[ListedOption]) -> float:
    """The cost by the solver alone, rows written down here: 600,000 <= 0.74 (U S + Pi) at strikes and at 180."""
    prices = np.array(sorted({180.0, *[each.strike for each in puts]}))
    strike = np.array([each.strike for each in puts])
    pays = 100 * np.maximum(strike - prices[:, None], 0.0)
    cost = np.array([100 * (each.ask or 0.0) + 0.65 for each in puts])
    found = milp(
        cost,
        integrality=np.ones(len(puts)),
        constraints=LinearConstraint(0.74 * pays / 1e3, lb=(600_000 - 0.74 * 2_173.9 * prices) / 1e3 - 5e-7),
        options={"mip_rel_gap": 0.0, "time_limit": 20.0},
    )
    return float(found.fun)


def half_done(aim: str) -> CheapestHedge:
    """A hedge of ten puts for 506.50 that a search had found when its time was over, its bound 400."""
    contracts = [ListedOption(Right.PUT, 80.0, SEPTEMBER, 0.45, 0.50)]
    terms = search_terms(contracts, 1_000, 60_000, 100.0, 0.75, price_range=(-0.5, 0.5))
    lines, rejected = usable(contracts, terms)
    found = search(terms, lines, rows(terms, lines), Deadline(5.0))
    return timed_out(terms, rejected, replace(found, outcome="timeout", bound=400.0), 7.26, aim)


def test_a_search_for_the_least_cost_says_how_much_less_there_could_be() -> None:
    said = half_done("")
    assert said.reason == (
        "The search was not finished after 7.3 s: this hedge keeps every rule; a cheaper one would save at most "
        "106.50."
    )
    assert (said.net_cost, said.lp_bound, said.gap) == (506.5, 400.0, 106.5)


def test_other_aims_that_are_not_proved_say_what_was_sought_and_nothing_of_savings() -> None:
    said = half_done("a floor higher by up to 50.00 is not ruled out")
    assert said.reason == (
        "The search was not finished after 7.3 s: this hedge keeps every rule, but a floor higher by up to 50.00 is "
        "not ruled out."
    )
    assert (said.net_cost, said.lp_bound, said.gap) == (506.5, None, None)


def test_a_lender_who_ignores_options_is_never_offered_an_ltv_above_any_close_out() -> None:
    found = cheapest_hedge(chain(calls=False), *CASE, credit_factor=0.0)
    assert found.status is SolveStatus.INFEASIBLE
    assert found.nearest is not None
    assert found.nearest.max_hedged_ltv is None
    assert found.nearest.repay == pytest.approx(600_000 - 0.74 * 2_173.9 * 180.0, abs=0.011)
    assert "LTV" not in found.nearest.words
    assert "above 74.0 %" in found.reason

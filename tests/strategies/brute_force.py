"""Random small searches and every combination of their contracts: an oracle that knows no solver."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from vaultdash.domain.hedge_verdict import CheapestHedge
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import Right
from vaultdash.strategies.cheapest import cheapest_hedge

Floats = npt.NDArray[np.float64]
EXPIRATION = date(2026, 9, 18)
GRID = 61
MOST_COMBINATIONS = 60_000


@dataclass
class Search:
    """One random request, in plain numbers."""

    contracts: list[ListedOption]
    units: float
    loan: float
    spot: float
    call_ltv: float | None
    credit: str | float
    owed: float | None
    funding: str
    price_range: tuple[float, float]
    commission: float
    per_line: int
    max_puts: int | None
    max_calls: int | None
    allow_calls: bool
    least_call: float | None
    budget: float | None
    max_loss: float | None
    buffer: float

    def solve(self, search: Callable[..., CheapestHedge] = cheapest_hedge) -> CheapestHedge:
        """By the product."""
        return search(
            self.contracts,
            self.units,
            self.loan,
            self.spot,
            self.call_ltv,
            credit_factor=self.credit,
            owed_factor=self.owed,
            premium_funding=self.funding,
            price_range=self.price_range,
            commission=self.commission,
            max_contracts_per_line=self.per_line,
            max_puts=self.max_puts,
            max_calls=self.max_calls,
            allow_calls=self.allow_calls,
            min_call_strike=self.least_call,
            budget=self.budget,
            max_loss=self.max_loss,
            buffer=self.buffer,
        )


def random_search(seed: int) -> Search:
    """Two to five contracts around a spot, rules that bite about as often as not."""
    rng = np.random.default_rng(seed)
    spot = float(rng.choice([50.0, 100.0, 433.17]))
    size = int(rng.choice([10, 100]))
    held = float(rng.uniform(1, 5)) * size
    units = float(np.round(held)) if rng.random() < 0.5 else held
    ltv = float(rng.uniform(0.35, 0.85))
    allow_calls = bool(rng.random() < 0.4)
    count = int(rng.integers(2, 6))
    contracts = []
    for _ in range(count):
        is_call = bool(rng.random() < (0.4 if allow_calls else 0.1))
        moneyness = rng.uniform(0.95, 1.4) if is_call else rng.uniform(0.55, 1.3)
        strike = float(np.round(spot * moneyness, int(rng.choice([0, 1]))))
        inside = max(strike - spot, 0.0) if not is_call else max(spot - strike, 0.0)
        ask = float(np.round(inside + spot * rng.uniform(0.002, 0.06), 2))
        bid = float(np.round(ask * rng.uniform(0.5, 1.0), 2))
        multiplier = size if rng.random() < 0.85 else int(rng.choice([1, 7, 10, 150]))
        right = Right.CALL if is_call else Right.PUT
        contracts.append(
            ListedOption(
                right,
                strike,
                EXPIRATION,
                None if rng.random() < 0.03 else bid,
                None if rng.random() < 0.03 else ask,
                multiplier,
            )
        )
    per_line = int(rng.integers(1, 9 if count <= 4 else 7))
    credit: str | float = [
        "credited",
        "credited",
        "after_payment",
        "ignored",
        float(np.round(rng.uniform(0.2, 1), 2)),
    ][int(rng.choice(5, p=[0.25, 0.25, 0.25, 0.05, 0.2]))]
    factor = {"credited": 0.0, "after_payment": 1.0, "ignored": 0.0}.get(str(credit), credit)
    has_ltv = bool(rng.random() < 0.85)
    return Search(
        contracts=contracts,
        units=units,
        loan=ltv * units * spot,
        spot=spot,
        call_ltv=float(np.round(rng.uniform(ltv, min(ltv * 1.6, 0.98)), 3)) if has_ltv else None,
        credit=credit,
        owed=1.0 if rng.random() < 0.15 and isinstance(factor, float) and factor <= 1 else None,
        funding=str(rng.choice(["cash", "cash", "loan", "sell_gold"])),
        price_range=(-float(np.round(rng.uniform(0.05, 0.6), 2)), float(np.round(rng.uniform(0.0, 0.7), 2))),
        commission=float(rng.choice([0.0, 0.65, 1.5])),
        per_line=per_line,
        max_puts=int(rng.integers(0, 12)) if rng.random() < 0.25 else None,
        max_calls=int(rng.integers(0, 6)) if rng.random() < 0.3 else None,
        allow_calls=allow_calls,
        least_call=float(np.round(spot * rng.uniform(0.95, 1.2))) if rng.random() < 0.3 else None,
        budget=float(np.round(units * spot * rng.uniform(-0.01, 0.12), 2)) if rng.random() < 0.25 else None,
        max_loss=float(np.round(rng.uniform(0.04, 0.4), 2)) if rng.random() < (0.25 if has_ltv else 1.0) else None,
        buffer=0.01 if rng.random() < 0.2 else 0.0,
    )


@dataclass
class Combinations:
    """Each count of each contract that may be traded: what it costs, its floor, and whether it keeps the rules."""

    traded: list[ListedOption]
    counts: Floats
    cost: Floats
    floor: Floats
    keeps: npt.NDArray[np.bool_]


def every_combination(search: Search) -> float | None:
    """The least cost over all combinations; None when none keeps the rules."""
    every = combinations(search)
    return float(every.cost[every.keeps].min()) if every.keeps.any() else None


def combinations(search: Search) -> Combinations:
    """All of them.

    By the formulas as they stand in the description of the product, prices on a grid and at every strike.
    """
    traded = [
        option
        for option in search.contracts
        if (option.right is Right.PUT and option.ask)
        or (
            option.right is Right.CALL
            and search.allow_calls
            and option.bid
            and (search.least_call is None or option.strike >= search.least_call)
        )
    ]
    is_call = np.array([option.right is Right.CALL for option in traded], dtype=bool)
    size = np.array([float(option.multiplier) for option in traded])
    sides = [np.arange(search.per_line + 1)] * len(traded)
    counts = (
        np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, len(traded)).astype(float)
        if traded
        else np.zeros((1, 0))
    )
    assert len(counts) <= MOST_COMBINATIONS
    price = np.array(
        [float(option.bid if call else option.ask) for option, call in zip(traded, is_call, strict=True)]
    )
    each = np.where(is_call, -size * price, size * price) + search.commission
    cost = counts @ each
    gold = search.units * search.spot
    units = search.units - cost / search.spot if search.funding == "sell_gold" else np.full(len(cost), search.units)
    loan = search.loan + cost if search.funding == "loan" else np.full(len(cost), search.loan)
    paid = np.zeros(len(cost)) if search.funding == "sell_gold" else cost
    low, high = (search.spot * (1 + move) for move in search.price_range)
    strikes = [option.strike for option in traded]
    prices = np.unique([*np.linspace(low, high, GRID), *[strike for strike in strikes if low < strike < high]])
    spare: list[Floats] = [units / search.units * gold]
    sold = counts[:, is_call] @ size[is_call]
    spare.append(np.where(sold > 0, (np.minimum(units, search.units) - sold) * search.spot, gold))
    if search.budget is not None:
        spare.append(search.budget - cost)
    for most, chosen in ((search.max_puts, ~is_call), (search.max_calls, is_call)):
        if most is not None:
            spare.append((most - counts[:, chosen].sum(axis=1)) * gold)
    if search.call_ltv is not None:
        limit = search.call_ltv - search.buffer
        factor = {"credited": limit, "after_payment": 1.0, "ignored": 0.0}.get(str(search.credit), search.credit)
        owed = factor if search.owed is None else search.owed
    floor = np.full(len(cost), np.inf)
    for at in prices:
        pays = np.array(
            [max(at - o.strike, 0.0) if c else max(o.strike - at, 0.0) for o, c in zip(traded, is_call, strict=True)]
        )
        payoff = counts @ (np.where(is_call, -size, size) * pays)
        if search.call_ltv is not None:
            credit = np.where(payoff >= 0, float(factor) * payoff, float(owed) * payoff)
            spare.append(limit * units * at + credit - loan)
        floor = np.minimum(floor, units * at + payoff - paid)
        if search.max_loss is not None:
            spare.append(units * at + payoff - paid - (1 - search.max_loss) * gold)
    least = np.min(np.array(spare), axis=0) / gold
    return Combinations(traded, counts, cost, floor, least >= -1e-9)

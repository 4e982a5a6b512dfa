"""The rules of a search as the rows of a linear program in whole contracts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line

Floats = npt.NDArray[np.float64]

# Rows in USD are scaled so that the gold is worth this much: the solver, true to 1e-6, then errs by 1e-9 of it.
SCALED_GOLD = 1e3
# Half of what the check outside the solver allows, so that a rule kept exactly is never lost to rounding.
SLACK = 5e-10
LARGEST_COUNT = 1_000_000.0
SMALLEST_PAYOFF = 1e-4  # USD; payoffs of a contract are multiples of it at prices in cents
MOST_EXACT = 2.0**53
MOST_ROUND_PRICES = 700


@dataclass(slots=True)
class Rows:
    """`matrix @ x >= least`, row by row, with the price each is about (NaN for totals).

    x are counts from `fewest` to `most`, whole ones where `whole` is 1; `cost` is that of one, USD.
    """

    matrix: Floats
    least: Floats
    price: Floats
    fewest: Floats
    most: Floats
    whole: Floats
    cost: Floats
    rules: list[str] = field(default_factory=list)


def kinks(lines: Sequence[Line], terms: HedgeTerms) -> Floats:
    """Where a payoff of these lines can bend inside the range, and both its ends: between them all is straight."""
    strikes = {line.option.strike for line in lines}
    inside = [strike for strike in strikes if terms.lowest < strike < terms.highest]
    return np.array(sorted({*inside, terms.lowest, terms.highest}))


def payoffs(lines: Sequence[Line], prices: Floats) -> Floats:
    """What one contract of each line pays at each price, USD, (prices, lines); negative when it is sold."""
    strike = np.array([line.option.strike for line in lines])
    sign = np.array([-1.0 if line.option.right is Right.PUT else 1.0 for line in lines])
    shares = np.array([line.shares for line in lines])
    return np.asarray(np.maximum(sign * (prices[:, None] - strike), 0.0) * shares)


def rows(
    terms: HedgeTerms,
    lines: Sequence[Line],
    without: frozenset[str] = frozenset(),
    *,
    sharp: bool = True,
    slack: float = SLACK,
) -> Rows:
    """Every rule but those in `without`: `ltv`, `max_loss`, `budget`, `max_puts`, `max_calls` or `max_per_line`.

    `sharp` rows say the same of whole contracts and more of fractions of them, which spares the solver most of its
    work; the bound that fractions give is asked of rows that are not.
    """
    prices = kinks(lines, terms)
    cost = np.array([line.cost for line in lines])
    most = LARGEST_COUNT if terms.max_per_line is None or "max_per_line" in without else float(terms.max_per_line)
    made = Rows(
        matrix=np.empty((0, len(lines))),
        least=np.empty(0),
        price=np.empty(0),
        fewest=np.zeros(len(lines)),
        most=np.full(len(lines), most),
        whole=np.ones(len(lines)),
        cost=cost,
    )
    sharp = sharp and terms.limit is not None and terms.funding is PremiumFunding.CASH and "ltv" not in without
    add_prices(made, terms, prices, payoffs(lines, prices), without | ({"ltv"} if sharp else frozenset()), slack)
    if sharp:
        _add_sharp(made, terms, lines, prices, slack)
    _add_totals(made, terms, lines, without)
    return made


def add_prices(
    made: Rows,
    terms: HedgeTerms,
    prices: Floats,
    values: Floats,
    without: frozenset[str] = frozenset(),
    slack: float = SLACK,
) -> None:
    """LTV and loss at `prices`, where one contract of each line is worth `values` USD, (prices, lines)."""
    scale = SCALED_GOLD / terms.gold_value
    allowed = slack * max(terms.loan, terms.gold_value)
    if terms.limit is not None and "ltv" not in without:
        # M*U'*S + h*Pi - L' >= 0, where L' or U' take what the hedge costs
        by_cost = np.zeros(len(prices))
        if terms.has_debt_in_cost:
            by_cost = np.ones(len(prices))
        elif terms.sells_gold:
            by_cost = terms.limit * prices / terms.spot
        least = terms.loan - terms.limit * terms.units * prices - allowed
        for factor in sorted({terms.factor, terms.owed_factor}):
            matrix = factor * values - by_cost[:, None] * made.cost
            _add(made, matrix * scale, least * scale, prices, "ltv")
    if terms.max_loss is not None and "max_loss" not in without:
        by_cost = prices / terms.spot if terms.sells_gold else np.ones(len(prices))
        least = (1.0 - terms.max_loss) * terms.gold_value - terms.units * prices - allowed
        _add(made, (values - by_cost[:, None] * made.cost) * scale, least * scale, prices, "max_loss")


def _add_sharp(made: Rows, terms: HedgeTerms, lines: Sequence[Line], prices: Floats, slack: float) -> None:
    """LTV rows of a hedge paid in cash, with what is needed rounded up to what whole contracts can pay.

    At one price the contracts pay whole multiples of some amount g, so a need of b is one of ceil(b / g) * g
    (Chvatal-Gomory rounding). Between the kinks a payoff is straight, but what is needed and rounded up is not, so
    rows at round prices there cut off further fractions; no whole contracts are lost by them.
    """
    assert terms.limit is not None
    step = max(1.0, np.ceil((terms.highest - terms.lowest) / MOST_ROUND_PRICES))
    points = np.unique(np.concatenate([prices, np.arange(np.ceil(terms.lowest), terms.highest, step)]))
    values = payoffs(lines, points)
    need = terms.loan - terms.limit * terms.units * points - slack * max(terms.loan, terms.gold_value)
    is_bought = bool((values >= 0).all())
    scale = SCALED_GOLD / terms.gold_value
    kept: list[tuple[Floats, float, float]] = []
    for factor in sorted({terms.factor, terms.owed_factor}):
        for price, value, least in zip(points, values, need, strict=True):
            if least <= 0 and is_bought:
                continue
            exact = np.rint(value / SMALLEST_PAYOFF)
            fits = factor > 0 and exact.any() and np.abs(exact).max() < MOST_EXACT
            if fits and np.abs(exact - value / SMALLEST_PAYOFF).max() < 1e-3:
                unit = float(np.gcd.reduce(exact.astype(np.int64)))
                kept.append((exact / unit, float(np.ceil(least / factor / SMALLEST_PAYOFF / unit)), price))
            elif price in prices:
                kept.append((factor * value * scale, least * scale, price))
    if kept:
        matrix, least_of, price_of = zip(*kept, strict=True)
        _add(made, np.array(matrix), np.array(least_of), np.array(price_of), "ltv")


def _add_totals(made: Rows, terms: HedgeTerms, lines: Sequence[Line], without: frozenset[str]) -> None:
    is_call = np.array([line.option.right is Right.CALL for line in lines], dtype=bool)
    sold = np.where(is_call, [-line.shares for line in lines], 0.0)
    gold_sold = made.cost / terms.spot if terms.sells_gold else np.zeros(len(lines))
    nowhere = np.array([np.nan])
    if is_call.any():  # sold calls are covered, in whole contracts, by the gold that is there, and none that they buy
        size = float(np.gcd.reduce(np.rint(sold).astype(np.int64)))
        most = np.floor(terms.units * (1 + SLACK) / size)
        _add(made, -(sold / size)[None, :], np.array([-most]), nowhere, "cover")
    if terms.sells_gold:  # and by what is left of it
        _add(made, -(sold + gold_sold)[None, :], np.array([-terms.units * (1 + SLACK)]), nowhere, "cover")
    if terms.sells_gold and is_call.any():
        _add(made, -gold_sold[None, :], np.array([-terms.units * (1 + SLACK)]), nowhere, "gold")
    if terms.budget is not None and "budget" not in without:
        _add(made, -made.cost[None, :], np.array([-terms.budget - 5e-7]), nowhere, "budget")
    for name, chosen, count in (("max_puts", ~is_call, terms.max_puts), ("max_calls", is_call, terms.max_calls)):
        if count is not None and name not in without and chosen.any():
            _add(made, -np.where(chosen, 1.0, 0.0)[None, :], np.array([-float(count)]), nowhere, name)


def _add(made: Rows, matrix: Floats, least: Floats, prices: Floats, rule: str) -> None:
    unknowns = made.matrix.shape[1] - matrix.shape[1]  # behind the lines, and in no rule
    matrix = np.hstack([matrix, np.zeros((len(matrix), unknowns))])
    made.matrix = np.vstack([made.matrix, matrix])
    made.least = np.concatenate([made.least, least])
    made.price = np.concatenate([made.price, prices])
    made.rules += [rule] * len(least)


def floor_rows(terms: HedgeTerms, lines: Sequence[Line], without: frozenset[str] = frozenset()) -> Rows:
    """The rules, and z as one unknown more, scaled like the rows: z <= U'*S + Pi - paid at every kink."""
    made = rows(terms, lines, without)
    prices = kinks(lines, terms)
    by_cost = prices / terms.spot if terms.sells_gold else np.ones(len(prices))
    scale = SCALED_GOLD / terms.gold_value
    worth = (payoffs(lines, prices) - by_cost[:, None] * made.cost) * scale
    made.matrix = np.vstack(
        [
            np.hstack([made.matrix, np.zeros((len(made.matrix), 1))]),
            np.hstack([worth, -np.ones((len(prices), 1))]),
        ]
    )
    made.least = np.concatenate([made.least, -terms.units * prices * scale])
    made.fewest, made.most = np.append(made.fewest, -100 * SCALED_GOLD), np.append(made.most, 1e4 * SCALED_GOLD)
    made.whole = np.append(made.whole, 0.0)
    return made

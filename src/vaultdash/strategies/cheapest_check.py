"""A hedge held against the rules of a search, price by price, in plain floats: nothing of the solver's is used."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from vaultdash.domain.hedge_verdict import BindingPrice
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.cheapest_terms import HedgeTerms

TOLERANCE = 1e-9  # of the loan or the gold, whichever is larger
CENT_TOLERANCE = 1e-6  # USD, on amounts that are sums of prices
GRID_STEPS = 200
MOST_BINDING = 3  # of each rule


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that is not kept: `rule` by name, in words, and the price where it breaks worst, if at one."""

    rule: str
    words: str
    price: float | None = None
    ltv: float | None = None
    missing: float = 0.0


@dataclass(frozen=True, slots=True)
class HedgeCheck:
    """What calculating everything again comes to; `worst_ltv` is None when nothing says how options count."""

    net_cost: float
    broken: tuple[Broken, ...]
    binding: tuple[BindingPrice, ...]
    worst_ltv: float | None
    worst_price: float | None
    least_spare: float
    floor: float
    floor_price: float
    checked: int


@dataclass(frozen=True, slots=True)
class Held:
    """Loan and gold after the premium is paid: L', U', and what cash or loan paid for it, USD."""

    loan: float
    units: float
    paid: float


def after_premium(terms: HedgeTerms, net_cost: float) -> Held:
    """L' and U' by the funding: cash changes neither, a loan grows by the cost, sold gold is gone."""
    if terms.has_debt_in_cost:
        return Held(terms.loan + net_cost, terms.units, net_cost)
    if terms.sells_gold:
        return Held(terms.loan, terms.units - net_cost / terms.spot, 0.0)
    return Held(terms.loan, terms.units, net_cost)


def hedged_ltv_at(terms: HedgeTerms, held: Held, price: float, payoff: float) -> float | None:
    """LTV as counted: L'/(U'S + Pi) credited, (L' - Pi)/(U'S) after payment, L'/(U'S) ignored, else by h/M."""
    gold = held.units * price
    debt, value = held.loan, gold
    if terms.counting is HedgeCounting.AFTER_PAYMENT or (terms.counting is None and terms.factor == 1.0):
        debt -= max(payoff, 0.0) + min(payoff, 0.0) * terms.owed_factor
    elif terms.counting is HedgeCounting.CREDITED:
        value += payoff if payoff > 0 else payoff * terms.owed_factor / terms.factor
    elif payoff and (terms.factor or terms.owed_factor):
        if terms.limit is None:
            return None
        value += payoff * (terms.factor if payoff > 0 else terms.owed_factor) / terms.limit
    if value <= 0:
        return math.inf if debt > 0 else 0.0
    return debt / value


def check(
    terms: HedgeTerms,
    hedge: ListedHedge,
    earlier: Iterable[tuple[date, float, float]] = (),
    steps: int = GRID_STEPS,
) -> HedgeCheck:
    """Every rule on every price where something can bend, on a grid of `steps` between them, and on the totals.

    `earlier` are days before expiry as (day, price, value of the hedge then, USD), where the rules must hold too.
    """
    cost = hedge.net_cost
    held = after_premium(terms, cost)
    points: list[tuple[float, float, date | None]] = [
        (price, hedge.payoff(price), None) for price in prices(terms, hedge)
    ]
    points += [(price, value, day) for day, price, value in earlier]
    spares: list[BindingPrice] = []
    broken = list(_totals(terms, hedge, held, cost))
    worst_ltv, worst_price, floor, floor_price = -math.inf, terms.lowest, math.inf, terms.lowest
    is_known = True
    for price, payoff, day in points:
        ltv = hedged_ltv_at(terms, held, price, payoff)
        is_known = is_known and ltv is not None
        if ltv is not None and ltv > worst_ltv:
            worst_ltv, worst_price = ltv, price
        worth = held.units * price + payoff - held.paid
        if worth < floor:
            floor, floor_price = worth, price
        shown = math.nan if ltv is None else ltv
        if terms.limit is not None:
            counted = min(terms.factor * payoff, terms.owed_factor * payoff)
            spare = terms.limit * held.units * price + counted - held.loan
            spares.append(BindingPrice(price, "ltv", shown, spare, day))
        if terms.max_loss is not None:
            spare = worth - (1.0 - terms.max_loss) * terms.gold_value
            spares.append(BindingPrice(price, "max_loss", shown, spare, day))
    allowed = -TOLERANCE * max(terms.loan, terms.gold_value)
    for rule in ("ltv", "max_loss"):
        of_rule = [each for each in spares if each.rule == rule]
        worst = min(of_rule, key=lambda each: each.spare, default=None)
        if worst is not None and worst.spare < allowed:
            broken.append(Broken(rule, _broken_words(terms, worst), worst.price, worst.ltv, -worst.spare))
    return HedgeCheck(
        net_cost=cost,
        broken=tuple(broken),
        binding=_binding(terms, hedge, spares),
        worst_ltv=worst_ltv if is_known else None,
        worst_price=worst_price if is_known else None,
        least_spare=min((each.spare for each in spares), default=math.inf),
        floor=floor,
        floor_price=floor_price,
        checked=len(points),
    )


def prices(terms: HedgeTerms, hedge: ListedHedge, steps: int = GRID_STEPS) -> list[float]:
    """Both ends, every strike between them, and a grid: the strikes are what decides, the grid is distrust."""
    low, high = terms.lowest, terms.highest
    kinks = [strike for strike in hedge.strikes if low < strike < high]
    grid = [low + (high - low) * step / steps for step in range(steps)]
    return sorted({*kinks, *grid, high})


def _totals(terms: HedgeTerms, hedge: ListedHedge, held: Held, cost: float) -> Iterable[Broken]:
    puts = sum(leg.contracts for leg in hedge.legs if leg.option.right is Right.PUT)
    calls = sum(-leg.contracts for leg in hedge.legs if leg.option.right is Right.CALL)
    sold = -math.fsum(leg.shares for leg in hedge.legs if leg.option.right is Right.CALL)
    if any((leg.contracts > 0) is not (leg.option.right is Right.PUT) for leg in hedge.legs):
        yield Broken("direction", "only puts are bought and only calls are sold")
    if calls and not terms.allow_calls:
        yield Broken("calls", "calls are not to be sold")
    if terms.budget is not None and cost > terms.budget + CENT_TOLERANCE:
        yield Broken("budget", f"costs {cost:,.2f}, more than the budget of {terms.budget:,.2f}")
    if held.units < -TOLERANCE * terms.units:
        yield Broken("gold", "would need more gold to be sold than there is")
    gold = min(held.units, terms.units)  # what a credit would buy is not there yet when the calls are sold
    if sold > gold + TOLERANCE * terms.units and calls:
        yield Broken("cover", f"sells calls on {sold:,.0f} shares of {gold:,.2f}: some would be uncovered")
    for name, count, most in (("max_puts", puts, terms.max_puts), ("max_calls", calls, terms.max_calls)):
        if most is not None and count > most:
            yield Broken(name, f"needs {count} {name[4:]}, of which at most {most} are allowed")
    if terms.max_per_line is not None:
        for leg in hedge.legs:
            if abs(leg.contracts) > terms.max_per_line:
                words = (
                    f"needs {abs(leg.contracts)} of the {leg.option.title}; at most {terms.max_per_line} are allowed"
                )
                yield Broken("max_contracts_per_line", words)
    least = terms.least_call_strike
    for leg in hedge.legs:
        if leg.option.right is Right.CALL and least is not None and leg.option.strike < least - TOLERANCE * least:
            yield Broken("call_strike", f"the {leg.option.title} is below the lowest strike allowed of {least:,.2f}")
        if leg.option.expiration < terms.horizon:
            yield Broken("horizon", f"the {leg.option.title} expires before {terms.horizon:%-d %b %Y}")


def _broken_words(terms: HedgeTerms, worst: BindingPrice) -> str:
    when = f" on {worst.on:%-d %b %Y}" if worst.on else ""
    at = f"at {terms.price_words(worst.price)}{when}"
    if worst.rule == "max_loss":
        assert terms.max_loss is not None
        return f"{at} the loss is more than {terms.max_loss:.2%} of the gold, by {-worst.spare:,.2f} USD"
    if math.isnan(worst.ltv) or terms.limit is None:
        return f"{at} {-worst.spare:,.2f} USD of credit are missing"
    return f"{at} the hedged LTV would be {ltv_words(worst.ltv, terms.limit)}, above {per_cent(terms.limit)}"


def _binding(terms: HedgeTerms, hedge: ListedHedge, spares: list[BindingPrice]) -> tuple[BindingPrice, ...]:
    """Of each rule the bends and ends with the least to spare: there the next dollar would be missing."""
    bends = {*hedge.strikes, terms.lowest, terms.highest}
    found: list[BindingPrice] = []
    for rule in ("ltv", "max_loss"):
        of_rule = sorted((each for each in spares if each.rule == rule), key=lambda each: each.spare)
        at_expiry = [each for each in of_rule if each.on is None and each.price in bends]
        of_day = {each.on: each for each in reversed(of_rule) if each.on is not None}  # the least of each day
        found += sorted([*at_expiry, *of_day.values()], key=lambda each: each.spare)[:MOST_BINDING]
    return tuple(found)


def per_cent(share: float) -> str:
    """`74.0 %`, with a second digit where there is one."""
    one = f"{100 * share:.1f}"
    return f"{one if abs(100 * share - float(one)) < 5e-3 else f'{100 * share:.2f}'} %"


def ltv_words(ltv: float, limit: float) -> str:
    """An LTV per cent, with one digit or the two that tell it from the limit, four where it is above it."""
    if not math.isfinite(ltv):
        return "beyond all measure"
    of_limit = 100 * limit
    for digits in (1, 2, 3, 4) if ltv > limit else (1, 2):
        if abs(round(100 * ltv, digits) - of_limit) >= 0.5 * 10**-digits:
            return f"{100 * ltv:.{digits}f} %"
    return per_cent(limit)

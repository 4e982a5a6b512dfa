"""What is no option: doing nothing, repaying, adding gold, selling gold; and when one of them is better."""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace
from enum import StrEnum

from vaultdash.domain.hedge_verdict import AlternativeKind, FrontierPoint, ListedMeasure
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import DEFAULT_TARGET_LTV, cure
from vaultdash.strategies.listed_measure import DEFAULT_RANGE, upside_kept
from vaultdash.strategies.listed_protection import PriceRange, counted_protection, known_range

SIZES = (0.05, 0.10, 0.20, 0.30, 0.50)  # of the loan
SAME_SIZE = 0.005  # of the loan
BELOW_LIMIT = 1e-6  # of LTV: at the limit is a call
YEAR_DAYS = 365
NOTHING = ListedHedge("No hedge")
DEAR_HEDGE = 0.05  # a year, of what would have to be repaid instead
FAR_CALL = 0.50  # a fall; the fund fell 46 % from August 2011 to December 2015, its deepest since 2004


class Instead(StrEnum):
    """What is better: the hedge, nothing at all, or a smaller loan."""

    HEDGE = "hedge"
    NOTHING = "nothing"
    REPAY = "repay"


@dataclass(frozen=True, slots=True)
class WithoutHedge:
    """Whether one is better off without the cheapest hedge, in sentences, with the figures behind them by name."""

    verdict: Instead
    sentences: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enough:
    """What each alternative alone takes, USD, so that no call comes down to a fall; infinite where none helps."""

    repay: float
    add_gold: float
    sell_gold: float


def enough(case: HedgeCase, fall: float) -> Enough:
    """What keeps every call away down to `fall`, a fraction, when it is done now, at spot; zero where none is needed.

    With W the gold's worth at the fallen price and t just below the limit: repay L - t W; add gold now worth
    (L/t - W) / (1 - fall); sell gold now and repay (L - t W) / (1 - t (1 - fall)), which is domain.md 2 at fall 0.
    More gold than there is cannot be sold: then it is infinite.
    """
    left = 1.0 - fall
    at_bottom = case.gold_value * left
    growth = case.judged_loan(None) / case.loan.amount  # what is repaid now bears no interest until then
    target = (case.loan.margin_call_ltv - BELOW_LIMIT) / growth
    cured = cure(case.loan.amount, at_bottom, target)
    sold = cured.repay_cash / (1.0 - target * left)
    return Enough(cured.repay_cash, cured.add_gold / left, sold if sold < case.gold_value else math.inf)


def yearly_interest(case: HedgeCase, amount: float) -> float:
    """What a part of the loan costs in a year, USD."""
    return case.loan.interest.accrued(amount, YEAR_DAYS)


def yearly_earnings(case: HedgeCase, amount: float) -> float:
    """What dollars would have earned in a year at the case's rate, USD."""
    return amount * math.expm1(case.rate)


def nothing(case: HedgeCase, price_range: PriceRange = DEFAULT_RANGE) -> FrontierPoint:
    """Doing nothing: it costs nothing, and the call stays where it is."""
    return _point(
        "Do nothing", AlternativeKind.NOTHING, case, case, price_range, 0.0, 0.0, "Costs nothing and changes nothing."
    )


def alternatives(case: HedgeCase, price_range: PriceRange, fall: float) -> tuple[FrontierPoint, ...]:
    """Doing nothing first, then repaying, adding gold and selling gold at several sizes and at that for `fall`.

    The sizes are parts of the loan, and what keeps every call away down to `fall`. A year costs: repaying, what the
    dollars would have earned less the interest that is saved; adding gold, what the dollars would have earned;
    selling gold, minus the interest that is saved. No alternative is greyed, and none greys a hedge: they take
    dollars or gold that a hedge does not.
    """
    known_range(price_range)
    wanted = enough(case, fall)
    found = [nothing(case, price_range)]
    for part in SIZES:
        amount = part * case.loan.amount
        sizes = (0.0 if _is_near(each, amount, case) else amount for each in astuple(wanted))
        found += _of_size(case, price_range, Enough(*sizes), "")
    found += _of_size(case, price_range, wanted, f"Keeps every call away down to a fall of {fall:.0%}. ")
    return tuple(found)


def _is_near(wanted: float, amount: float, case: HedgeCase) -> bool:
    """True when a round size says the same as the one that is enough."""
    return abs(wanted - amount) < SAME_SIZE * case.loan.amount


def _of_size(case: HedgeCase, price_range: PriceRange, size: Enough, why: str) -> list[FrontierPoint]:
    loan, found = case.loan, []
    if 0 < size.repay < loan.amount:
        after = replace(case, loan=replace(loan, amount=loan.amount - size.repay))
        saved, forgone = yearly_interest(case, size.repay), yearly_earnings(case, size.repay)
        note = (
            f"{why}Saves {saved:,.0f} USD interest a year; the dollars would have earned {forgone:,.0f} at "
            f"{case.rate:.2%}."
        )
        title = f"Repay {size.repay:,.0f} USD"
        found.append(
            _point(title, AlternativeKind.REPAY, case, after, price_range, size.repay, forgone - saved, note)
        )
    if 0 < size.add_gold < math.inf:
        after = replace(case, units=case.units + size.add_gold / case.spot)
        forgone = yearly_earnings(case, size.add_gold)
        note = (
            f"{why}More gold, so more to gain and to lose; the dollars would have earned {forgone:,.0f} USD a year, "
            "which gold you own already does not cost."
        )
        title = f"Add gold worth {size.add_gold:,.0f} USD"
        found.append(_point(title, AlternativeKind.ADD_GOLD, case, after, price_range, size.add_gold, forgone, note))
    if 0 < size.sell_gold < min(case.gold_value, loan.amount):
        after = replace(
            case,
            loan=replace(loan, amount=loan.amount - size.sell_gold),
            units=case.units - size.sell_gold / case.spot,
        )
        saved = yearly_interest(case, size.sell_gold)
        note = f"{why}Saves {saved:,.0f} USD interest a year; what is sold gains no more, and may be taxed."
        title = f"Sell gold worth {size.sell_gold:,.0f} USD and repay"
        found.append(_point(title, AlternativeKind.SELL_GOLD, case, after, price_range, 0.0, -saved, note))
    return found


def _point(
    title: str,
    kind: AlternativeKind,
    case: HedgeCase,
    after: HedgeCase,
    price_range: PriceRange,
    capital: float,
    yearly: float,
    note: str,
) -> FrontierPoint:
    kept = counted_protection(NOTHING, after, case.loan.hedge_counting, price_range)
    return FrontierPoint(
        title=title,
        hedge=None,
        alternative=kind,
        net_cost=0.0,
        cost_per_year=yearly,
        cost_per_year_pct=yearly / case.gold_value,
        deepest_fall=kept.deepest_fall,
        worst_ltv=kept.worst_ltv,
        upside_kept=upside_kept(NOTHING, after, price_range[1]) * after.units / case.units,
        capital=capital,
        note=note,
    )


def better_without(
    cheapest: ListedMeasure | None,
    case: HedgeCase,
    price_range: PriceRange = DEFAULT_RANGE,
    *,
    dear: float = DEAR_HEDGE,
    far: float = FAR_CALL,
) -> WithoutHedge:
    """Whether doing nothing or repaying is better than the cheapest hedge that was found, as the lender counts.

    In this order: a call that is there already is cured by repaying. Nothing is better when no price of the range is
    a call without a hedge, or the call is `far` away, by default further than the fund has ever fallen. Repaying is
    better when no hedge keeps every call away as the lender counts, when the one that does sells calls the broker
    refuses, or when it costs a year more than `dear` of what would have to be repaid for the same. Else the hedge.
    """
    low, _ = known_range(price_range)
    bare = counted_protection(NOTHING, case, case.loan.hedge_counting, price_range)
    if bare.deepest_fall is None:
        return _called(case)
    figures = {"unhedged_fall": bare.deepest_fall, "range_fall": -low, "call_price": case.call_price}
    if bare.keeps:
        sentence = (
            f"Do nothing: without a hedge no call comes down to a fall of {-low:.0%}, and further is not asked for."
        )
        return WithoutHedge(Instead.NOTHING, (sentence,), figures)
    distance = (
        f"Without a hedge the call comes at {case.spot * (1.0 - bare.deepest_fall):,.2f} USD, after a fall of "
        f"{bare.deepest_fall:.1%}."
    )
    if bare.deepest_fall >= far:
        sentence = f"Do nothing: a fall of {far:.0%} or more is deeper than any of the fund since 2004 (46 %)."
        return WithoutHedge(Instead.NOTHING, (distance, sentence), {**figures, "far": far})
    repay = enough(case, -low).repay
    figures["repay"] = repay
    instead = f"Repaying {repay:,.0f} USD keeps every call away down to a fall of {-low:.0%}."
    reason = _useless(cheapest, case, price_range)
    if reason or cheapest is None or cheapest.cost_per_year is None:
        return WithoutHedge(
            Instead.REPAY, (distance, reason, instead, *_answer(cheapest, case, price_range)), figures
        )
    yearly = cheapest.cost_per_year
    part = yearly / repay
    interest = yearly_interest(case, repay)
    figures |= {"cost_per_year": yearly, "part_of_repay": part, "interest": interest, "dear": dear}
    costs = (
        f"The cheapest hedge costs {yearly:,.0f} USD a year, {part:.1%} of the {repay:,.0f} USD that would have to "
        f"be repaid for the same; with their interest, {interest:,.0f}, keeping them borrowed costs "
        f"{(yearly + interest) / repay:.1%} a year."
    )
    if part > dear:
        sentence = f"Repay, if you have the dollars: more than {dear:.0%} a year for keeping them is dear. {instead}"
        return WithoutHedge(Instead.REPAY, (distance, costs, sentence), figures)
    sentence = f"The hedge is the better way unless the dollars earn you less than that. {instead}"
    return WithoutHedge(Instead.HEDGE, (distance, costs, sentence), figures)


def _called(case: HedgeCase) -> WithoutHedge:
    needed = cure(case.loan.amount, case.gold_value, DEFAULT_TARGET_LTV)
    sentences = (
        f"The loan is called already: it stands at {case.ltv:.1%}, the limit is {case.loan.margin_call_ltv:.0%}.",
        f"Cure it first: repay {needed.repay_cash:,.0f} USD, add gold worth {needed.add_gold:,.0f}, or sell gold "
        f"worth {needed.sell_gold:,.0f} and repay, each to {DEFAULT_TARGET_LTV:.0%}. A hedge comes after that.",
    )
    return WithoutHedge(Instead.REPAY, sentences, {"ltv": case.ltv, "repay": needed.repay_cash})


def _answer(cheapest: ListedMeasure | None, case: HedgeCase, price_range: PriceRange) -> list[str]:
    """What a hedge that the lender ignores does all the same, if it is sold to answer the call."""
    if cheapest is None or not cheapest.hedge.legs or cheapest.cost_per_year is None:
        return []
    if case.loan.hedge_counting is not HedgeCounting.IGNORED or (cheapest.calls and cheapest.calls.refusal):
        return []
    if not counted_protection(cheapest.hedge, case, HedgeCounting.AFTER_PAYMENT, price_range).keeps:
        return []
    return [
        f"Without these dollars: {cheapest.hedge.title}, sold when the call comes, repays enough down to a fall of "
        f"{-price_range[0]:.0%}, for {cheapest.cost_per_year:,.0f} USD a year, if the money is there within the "
        f"{case.loan.cure_days} business days of the call."
    ]


def _useless(cheapest: ListedMeasure | None, case: HedgeCase, price_range: PriceRange) -> str:
    """Why the hedge does not help; "" when it does."""
    if case.loan.hedge_counting is HedgeCounting.IGNORED:
        return (
            "This lender looks at gold and loan alone: no option keeps its call away, it only brings money with "
            "which to answer it, if it is sold and the money arrives in time."
        )
    if cheapest is None or not cheapest.hedge.legs:
        return "No hedge of the listed contracts keeps every call away in the range."
    if not counted_protection(cheapest.hedge, case, case.loan.hedge_counting, price_range).keeps:
        return f"The hedge found, {cheapest.hedge.title}, does not keep every call away in the range."
    if cheapest.calls is not None and cheapest.calls.refusal:
        return cheapest.calls.refusal
    return ""

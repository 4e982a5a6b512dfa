"""The path verdict: how likely it is that a margin call comes which the hedge itself does not cure in time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import HoldingRule, PathDifference, PathOdds, PathVerdict, PathVerdicts
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.validation import finite, open_fraction, positive
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine, answered, kernels_problem, known_engine
from vaultdash.risk.models import Jumps, Model
from vaultdash.risk.path_verdict_layout import Legs, Marks, Outcome, Rules, no_outcome
from vaultdash.risk.path_verdict_marks import Marking, safe_above, tabulated
from vaultdash.risk.price_paths import price_paths
from vaultdash.risk.simulation import (
    DAYS_IN_MONTH,
    LARGEST_RATE,
    LARGEST_SEED,
    LONGEST_MONTHS,
    MOST_PATHS,
    SEED,
    WHOLE_BLOCKS,
    paired_error,
    whole_number,
)

PATHS_OF_A_VERDICT = 20_000
LONGEST_SETTLEMENT = 20
MOST_HEDGES = 64
NO_HEDGE_TITLE = "no hedge"
CALENDAR_DAYS = 365.0 / TRADING_DAYS  # in a trading day


def path_verdicts(
    case: HedgeCase,
    hedges: Sequence[ListedHedge | None],
    models: Sequence[Model],
    *,
    months: int = 12,
    rule: HoldingRule = HoldingRule.SELL,
    settlement_days: int = 2,
    target_ltv: float | None = None,
    volatility: float | None = None,
    paths: int = PATHS_OF_A_VERDICT,
    seed: int = SEED,
    drift: float = 0.0,
    engine: Engine = "kernel",
) -> PathVerdicts:
    """Judge hedges, None is no hedge, on the same random paths of daily closes; differences are to the first of them.

    `months` of 21 trading days; `settlement_days` trading days from the close of a call until the money of the
    options sold for it has repaid: the sale is at the next close, at the bid. `target_ltv` is where a sale leads, by
    default the loan's warning LTV. `volatility` marks options that have none of their own and no mid. `drift` of the
    price, continuous a year. `paths` are rounded up to a multiple of 128, half of them mirrored; standard errors
    count a mirrored pair as one draw. The rules of a day are in docs/path-verdict.md. Raises InvalidInput naming the
    argument.
    """
    known_engine(engine)
    chosen = _rule(rule)
    steps = whole_number("months", months, 1, LONGEST_MONTHS) * DAYS_IN_MONTH
    count = whole_number("paths", paths, 2, MOST_PATHS)
    count += -count % WHOLE_BLOCKS
    known_seed = whole_number("seed", seed, 0, LARGEST_SEED)
    wait = whole_number("settlement_days", settlement_days, 0, LONGEST_SETTLEMENT)
    target = _target(case, target_ltv)
    if not 1 <= len(hedges) <= MOST_HEDGES:
        raise InvalidInput("hedges", f"must be 1 to {MOST_HEDGES}")
    if not models:
        raise InvalidInput("models", "must name at least one model of the price")
    if abs(finite("drift", drift)) > LARGEST_RATE:
        raise InvalidInput("drift", f"must be within {LARGEST_RATE:g} a year; write 0.05 for 5 %")
    otherwise = _yearly(models[0]) if volatility is None else positive("volatility", volatility)
    days = steps + case.loan.cure_days
    legs, marks, markings = tabulated(hedges, case, days, otherwise, engine)
    rules = [rules_of(case, hedge, chosen, target, wait, steps) for hedge in hedges]
    owed = growth_of_a_loan(case, days)
    safe = [safe_above(owed, own, held, marks) for own, held in zip(rules, legs, strict=True)]
    odds: list[list[PathOdds]] = [[] for _ in hedges]
    differences: list[list[PathDifference]] = [[] for _ in hedges]
    for model in models:
        outcomes = [no_outcome(count) for _ in hedges]
        first = 0
        for prices in price_paths(model, drift, days, count, known_seed, engine):
            for outcome, own, held, above in zip(outcomes, rules, legs, safe, strict=True):
                judged(prices, owed, own, held, marks, above, outcome.part(first, len(prices)), engine)
            first += len(prices)
        for place, outcome in enumerate(outcomes):
            odds[place].append(_odds(model, outcome))
            if place:
                differences[place].append(_difference(model, outcome, outcomes[0]))
    verdicts = (
        PathVerdict(NO_HEDGE_TITLE if hedge is None else hedge.title, tuple(own), tuple(against))
        for hedge, own, against in zip(hedges, odds, differences, strict=True)
    )
    return PathVerdicts(
        verdicts=tuple(verdicts),
        months=months,
        rule=chosen,
        settlement_days=wait,
        target_ltv=target,
        paths=count,
        seed=known_seed,
        engine="reference" if kernels_problem() is not None else engine,
        remarks=_remarks(case, hedges, markings, chosen, wait, steps),
    )


def growth_of_a_loan(case: HedgeCase, days: int) -> FloatArray:
    """What 1 USD owed now has grown to at each close, shape (days + 1,): by the loan's own interest when capitalised.

    A trading day is 365/252 calendar days; interest is added at each end of a quarter.
    """
    today = case.at.date()
    loan = replace(case.loan, as_of=today)
    dates = (today + timedelta(days=round(day * CALENDAR_DAYS)) for day in range(days + 1))
    return np.array([loan.owed(on) / loan.amount for on in dates])


def judged(
    prices: FloatArray,
    owed: FloatArray,
    rules: Rules,
    legs: Legs,
    marks: Marks,
    safe: FloatArray,
    outcome: Outcome,
    engine: Engine,
) -> None:
    """Fill the outcome of each path, a row of `prices` over spot; `safe` is `safe_above`. Nothing is checked."""

    def by_kernel() -> None:
        from vaultdash.risk.path_verdict_kernels import judge  # numba comes with it

        judge(prices, owed, rules, legs, marks, safe, *outcome)

    def by_reference() -> None:
        from vaultdash.risk.path_verdict_reference import judge

        judge(prices, owed, rules, legs, marks, *outcome)

    answered(by_kernel, by_reference, engine)


def rules_of(
    case: HedgeCase, hedge: ListedHedge | None, rule: HoldingRule, target: float, wait: int, steps: int
) -> Rules:
    loan, units = case.loan, case.units
    owed = loan.amount
    if hedge is not None and hedge.funding is PremiumFunding.LOAN:
        owed += hedge.net_cost
    if hedge is not None and hedge.funding is PremiumFunding.SELL_GOLD:
        units -= hedge.net_cost / case.spot
    if owed <= 0 or units <= 0:
        raise InvalidInput("premium_funding", "leaves no loan or no gold: the hedge costs more than there is")
    return Rules(
        loan=float(owed),
        units=float(units),
        spot=float(case.spot),
        call_ltv=loan.margin_call_ltv,
        close_out_ltv=loan.close_out_ltv,
        target_ltv=target,
        counted=1.0 - loan.hedge_haircut if loan.hedge_counting is HedgeCounting.CREDITED else 0.0,
        sells=rule is HoldingRule.SELL,
        steps=steps,
        cure_days=loan.cure_days,
        sale_lag=min(wait, 1),
        money_lag=max(wait - 1, 0),
        commission=0.0 if hedge is None else float(hedge.commission),
    )


def _rule(rule: HoldingRule) -> HoldingRule:
    try:
        return HoldingRule(rule)
    except ValueError:
        raise InvalidInput("rule", f"must be one of {', '.join(HoldingRule)}, not {rule!r}") from None


def _target(case: HedgeCase, target_ltv: float | None) -> float:
    if target_ltv is None:
        return case.loan.warning_ltv
    if open_fraction("target_ltv", target_ltv) >= case.loan.margin_call_ltv:
        raise InvalidInput("target_ltv", f"must be below the margin-call LTV of {case.loan.margin_call_ltv:g}")
    return target_ltv


def _yearly(model: Model) -> float:
    return model.total_volatility if isinstance(model, Jumps) else model.parameters()["volatility"]


def _odds(model: Model, outcome: Outcome) -> PathOdds:
    return PathOdds(
        model=model.name,
        called=float(outcome.called.mean()),
        called_error=paired_error(outcome.called),
        uncured=float(outcome.uncured.mean()),
        uncured_error=paired_error(outcome.uncured),
        sold=float(outcome.sold.mean()),
        sold_error=paired_error(outcome.sold),
        mean_repaid=float(outcome.repaid.mean()),
        basis=model.basis,
    )


def _difference(model: Model, outcome: Outcome, first: Outcome) -> PathDifference:
    own, other = (each.uncured.astype(np.float64) for each in (outcome, first))
    return PathDifference(model.name, float(own.mean() - other.mean()), paired_error(own - other))


def _remarks(
    case: HedgeCase,
    hedges: Sequence[ListedHedge | None],
    markings: dict[ListedOption, Marking],
    rule: HoldingRule,
    wait: int,
    steps: int,
) -> tuple[str, ...]:
    told = []
    loan = case.loan
    if loan.hedge_counting is HedgeCounting.AFTER_PAYMENT and any(hedge and hedge.legs for hedge in hedges):
        told.append("The lender calls on the gold alone, and counts what the options pay once the money has arrived.")
    if rule is HoldingRule.SELL and wait > loan.cure_days:
        told.append(
            f"The money of a sale comes {wait} trading days after the call, the lender waits {loan.cure_days}: no "
            "call can be cured by selling options then."
        )
    for option, marked in markings.items():
        if marked.expiry <= steps:
            told.append(
                f"The {option.title} expires within the term: what it pays repays the loan, and from then on it "
                "protects nothing."
            )
        if marked.basis == "assumed":
            told.append(f"The {option.title} is marked at an assumed volatility of {marked.volatility:.0%}.")
        if not marked.has_spread:
            told.append(f"The {option.title} has no bid and ask: half a spread of {marked.half:.2f} USD is assumed.")
    if any(leg.contracts < 0 and leg.option.right is Right.CALL for hedge in hedges if hedge for leg in hedge.legs):
        told.append("Sold calls are kept until they expire; what they cost then is settled by selling gold.")
    return tuple(told)

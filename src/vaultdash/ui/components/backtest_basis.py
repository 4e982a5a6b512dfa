"""What a backtest stands on, in words: days, loan, prices, costs, and what its source of prices cannot know."""

import numpy as np

from vaultdash.backtest.result import BacktestRun, Comparison
from vaultdash.backtest.scenario import Scenario, Source, TradeAt
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.backtest_words import start_value
from vaultdash.ui.components.backtest_words import COUNTINGS, breach_of, hedges_of, with_days
from vaultdash.ui.format import day, number, pct, price, unbroken, usd

LIMITS = {
    Source.MODELLED: "Modelled premiums follow the volatility known on each day. In a panic a maker asks more, and "
    "far strikes cost more than a smile says: help would have been dearer than here. Contracts are third Fridays in "
    "whole lots of 100 shares; that each was listed and had a buyer is assumed.",
    Source.OBSERVED: "Observed premiums are the recorded quotes of each day's close: bought at the ask, sold at the "
    "bid, only what was quoted then. Days without a record and thin quotes are counted with each hedge; nothing says "
    "how many contracts could have been had at that price.",
}
BREACHES = (
    "A call is one of a close. At the day's low options are marked with the volatility of the close. A lender's fees "
    "for a call are not known and left out."
)

RANKED = (
    "Ranked by survival, then highest LTV, net cost and equity at the end; where the lender ignores options how the "
    "calls ended comes before the highest LTV. Net: paid for options, less what they brought and what the rest would "
    "bring at the bid on the last day; equity counts the rest at the mid. “Same money repaid”: what the options cost "
    "repays the loan instead, on the same days."
)
DRAWN = (
    "Dashed is the path without a hedge, dotted the same money repaid. A ring marks the first close at the call "
    "limit; a diamond on the price a day on which the chosen hedge was traded. A row of the table, or a name above "
    "the picture, brings a hedge forward."
)
SAME_LTV = 1e-6  # lanes this close are one line on any screen


def loan_basis(comparison: Comparison) -> str:
    """The loan and its terms in a line."""
    scenario = comparison.scenario
    loan, gold = scenario.loan, start_value(comparison)
    interest = "added to the loan" if loan.interest.capitalised else "paid in cash"
    cash = f", {usd(scenario.spare_cash)} of cash at hand" if scenario.spare_cash else ""
    return unbroken(
        f"{day(scenario.start)} to {day(scenario.end)} · {number(scenario.units)} GLD shares worth {usd(gold)}, loan "
        f"{usd(loan.amount)}, LTV {pct(loan.amount / gold)} · warning {pct(loan.warning_ltv, 0)}, call "
        f"{pct(loan.margin_call_ltv, 0)}, close-out {pct(loan.close_out_ltv, 0)} · {loan.cure_days} business days to "
        f"cure, back to {pct(scenario.cure_target, 0)}{cash} · interest {pct(loan.interest.rate, 2)} {interest}"
    )


def price_basis(comparison: Comparison) -> str:
    """Where prices come from, how trades are made, and the limits of that."""
    scenario = comparison.scenario
    return unbroken(
        f"Prices: {with_days(comparison.source)}. {_trading(scenario)} {LIMITS[scenario.source]} {BREACHES}"
    )


def counting_words(comparison: Comparison, shown: HedgeCounting) -> str:
    """Which counting is shown, and which one decided."""
    decides = comparison.scenario.loan.hedge_counting
    other = [
        run.template.name
        for run in hedges_of(comparison)
        if run.summary.counting is not decides and run.template.counting is not None
    ]
    apart = f" {', '.join(other)}: counted as the template says." if other else ""
    if shown is decides:
        return f"As this lender counts ({COUNTINGS[shown]}): this decided the calls.{apart}{_one_line(comparison)}"
    return (
        f"Only looked at in another way ({COUNTINGS[shown]}): the calls were decided by {COUNTINGS[decides]}, and "
        f"what was sold or repaid followed from that.{apart}"
    )


def _one_line(comparison: Comparison) -> str:
    """With options ignored hedges lie on the line without one until a call: else the picture looks broken."""
    if comparison.scenario.loan.hedge_counting is not HedgeCounting.IGNORED:
        return ""
    runs = hedges_of(comparison)
    same = sum(_is_plain_until_called(run, comparison.unhedged) for run in runs)
    if not same:
        return ""
    which = "All lanes are" if same == len(runs) else f"{same} of {len(runs)} lanes are"
    return f" {which} the same as without a hedge until a call: what hedges change is how it ends."


def _is_plain_until_called(run: BacktestRun, unhedged: BacktestRun) -> bool:
    """Whether its LTV is that without a hedge on every day up to the first call of either."""
    days = unhedged.series.days
    calls = [on for one in (run, unhedged) if (on := breach_of(one, HedgeCounting.IGNORED)) is not None]
    until = days.index(min(calls)) + 1 if calls else len(days)
    mine, bare = run.series.ltv_ignored[:until], unhedged.series.ltv_ignored[:until]
    return bool(np.allclose(mine, bare, rtol=0.0, atol=SAME_LTV, equal_nan=True))


def drawn_words(left_out: int) -> str:
    """What the picture leaves out."""
    if not left_out:
        return ""
    return (
        f"{number(left_out)} days are left out of the picture; of each stretch the highest LTV of every hedge is "
        "kept. The file has every day."
    )


def _trading(scenario: Scenario) -> str:
    costs = scenario.costs
    when = "the next close" if scenario.trade_at is TradeAt.NEXT_CLOSE else "the same close"
    half = ""
    if scenario.source is Source.MODELLED:
        half = (
            f"half-spread the largest of {price(costs.least_half_spread)} USD, {pct(costs.half_spread_of_mid)} of "
            f"the mid and {costs.half_spread_vega_points:g} points of volatility; "
        )
    return (
        f"Decided at a close, traded at {when}, the first purchase at the start's; {half}commission "
        f"{price(costs.commission)} USD a contract; gold sold {pct(costs.gold_slippage)} below the price."
    )

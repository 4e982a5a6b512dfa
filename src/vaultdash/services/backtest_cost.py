"""What a hedge cost to have: its first purchase, or a year of options where one was bought again and again."""

from collections.abc import Sequence

from vaultdash.backtest.result import BacktestRun, Comparison, Trade

DAYS_A_YEAR = 365.0


def hedging(comparison: Comparison) -> list[BacktestRun]:
    """The runs that hedged: neither doing nothing nor repaying, and something was bought or sold."""
    return [run for run in comparison.runs if run.template.hedges and run.summary.trades > 0]


def idle(comparison: Comparison) -> list[BacktestRun]:
    """Hedges that never came to a trade, because of a budget that buys no contract or too little gold."""
    return [run for run in comparison.runs if run.template.hedges and run.summary.trades == 0]


def openings(run: BacktestRun) -> list[Trade]:
    """Trades that opened an option: a bought leg bought, a sold leg sold; what closes one is left out."""
    return [trade for trade in run.trades if trade.contracts * run.template.legs[trade.leg].sign > 0]


def is_bought_again(run: BacktestRun) -> bool:
    """True when some leg was opened on more than one day."""
    days: dict[int, set[object]] = {}
    for trade in openings(run):
        days.setdefault(trade.leg, set()).add(trade.on)
    return any(len(each) > 1 for each in days.values())


def yearly_cost(run: BacktestRun) -> float:
    """USD paid for options, for a year of being covered, less what sold ones brought when they were sold.

    Leg by leg: all of its openings, over the time from the first of them to the expiration of the last. What is
    sold again, or pays at expiry, is not taken off: at the end of a fall that would make every hedge a gain.
    """
    total = 0.0
    for leg in range(len(run.template.legs)):
        opened = [trade for trade in openings(run) if trade.leg == leg]
        if opened:
            last = max(trade.expiration for trade in opened)
            days = max((last - min(trade.on for trade in opened)).days, 1)
            total -= sum(trade.cash for trade in opened) * DAYS_A_YEAR / days
    return total


def are_compared_yearly(runs: Sequence[BacktestRun]) -> bool:
    """True when prices of first purchases say nothing of which is cheaper: one was bought again, or for another time.

    Expirations within the same month count as the same time.
    """
    lasts = [max(trade.expiration for trade in openings(run)) for run in runs if openings(run)]
    months = {(last.year, last.month) for last in lasts}
    return len(months) > 1 or any(is_bought_again(run) for run in runs)


def comparable_costs(runs: Sequence[BacktestRun]) -> tuple[list[float], bool]:
    """USD for each run, and whether they are a year's: else what the first purchase cost."""
    yearly = are_compared_yearly(runs)
    return [yearly_cost(run) if yearly else run.summary.entry_cost for run in runs], yearly

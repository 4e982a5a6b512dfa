"""What a broker wants for sold calls while the gold is pledged elsewhere: no replay pays or counts it."""

from datetime import date

from vaultdash.backtest.result import BacktestRun
from vaultdash.domain.option import Right
from vaultdash.domain.uncovered_calls import uncovered_margin


def most_margin(run: BacktestRun) -> tuple[date, float] | None:
    """The day on which the run's sold calls would need the most at a close, and USD; None where none is sold."""
    calls = [trade for trade in run.trades if trade.right is Right.CALL]
    held: dict[tuple[int, float, date], int] = {}
    found: tuple[date, float] | None = None
    place = 0
    for day, price in zip(run.series.days, run.series.price.tolist(), strict=True):
        while place < len(calls) and calls[place].on <= day:
            trade = calls[place]
            contract = (trade.leg, trade.strike, trade.expiration)
            held[contract] = held.get(contract, 0) + trade.contracts
            place += 1
        margin = sum(uncovered_margin(-count, strike, price) for (_, strike, _), count in held.items() if count < 0)
        if margin > 0 and (found is None or margin > found[1]):
            found = day, margin
    return found

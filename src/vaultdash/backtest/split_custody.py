"""What a broker wants for sold calls while the gold is pledged elsewhere: no replay pays or counts it."""

from datetime import date

from vaultdash.backtest.result import BacktestRun
from vaultdash.domain.option import Right

SHARES = 100.0  # a contract
OF_PRICE, LEAST_OF_PRICE, LEAST_A_SHARE = 0.25, 0.10, 2.50  # as one large broker publishes them; others ask 20 %


def uncovered_margin(contracts: float, strike: float, price: float) -> float:
    """USD that a broker with fixed rules wants at least for so many uncovered calls; `strike`, `price` USD a share.

    The call's price + max(25 % of the price less what the strike is above it, 10 % of the price), at least 2.50 USD a
    share. The call's price is taken as what exercise pays: time value comes on top.
    """
    beyond = max(OF_PRICE * price - max(strike - price, 0.0), LEAST_OF_PRICE * price)
    return contracts * SHARES * max(max(price - strike, 0.0) + beyond, LEAST_A_SHARE)


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

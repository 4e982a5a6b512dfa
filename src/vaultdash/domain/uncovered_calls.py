"""What a broker with fixed rules wants for calls that are sold without the share behind them."""

from vaultdash.domain.option import SHARES_PER_CONTRACT

OF_PRICE, LEAST_OF_PRICE, LEAST_A_SHARE = 0.25, 0.10, 2.50  # as one large broker publishes them; others ask 20 %


def uncovered_margin(
    contracts: float,
    strike: float,
    price: float,
    *,
    call_price: float | None = None,
    multiplier: int = SHARES_PER_CONTRACT,
) -> float:
    """USD that a broker wants at least for so many uncovered calls; `strike`, `price`, `call_price` USD a share.

    The call's price + max(25 % of the price less what the strike is above it, 10 % of the price), at least 2.50 USD a
    share (the published 25 % / 10 % / 250 USD a contract). Without `call_price` the call is taken at what exercise
    pays, and time value comes on top; one below that is not believed.
    """
    exercise = max(price - strike, 0.0)
    call = exercise if call_price is None else max(call_price, exercise)
    beyond = max(OF_PRICE * price - max(strike - price, 0.0), LEAST_OF_PRICE * price)
    return contracts * multiplier * max(call + beyond, LEAST_A_SHARE)

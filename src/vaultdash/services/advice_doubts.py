"""Why nothing may be recommended on a price: it is old or invented, or the loan is called at it already."""

from vaultdash.domain.exchange import PAIRS, ExchangeRate
from vaultdash.domain.market import Quote
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.price_feed import PriceFeed, QuoteStatus


class AdviceDoubts:
    """Judges a price and an exchange rate as of now; with `demo` the owner asked for invented prices."""

    def __init__(self, prices: PriceFeed, *, demo: bool = False) -> None:
        self._prices = prices
        self._demo = demo

    def is_called(self, status: QuoteStatus | None, snapshot: Snapshot) -> bool:
        """True when the loan is called at this price; by an invented price or rate no call is certain."""
        is_invented = snapshot.rate.is_demo or (status is not None and status.quote.is_demo)
        return snapshot.is_called and (self._demo or not is_invented)

    def withheld(self, status: QuoteStatus | None, snapshot: Snapshot) -> str | None:
        """A sentence that says why nothing is recommended; None when something may be."""
        if status is not None and status.quote.is_demo and not self._demo:
            return "The price is invented (DEMO), because no real one could be had: nothing is recommended on it."
        currency, rate = snapshot.rate.currency, self._rate_status(snapshot.rate)
        if rate is not None and rate.quote.is_demo and not self._demo:
            return (
                f"What a dollar costs in {currency} is invented (DEMO), because no real rate could be had: nothing "
                "is recommended on it, and whether the loan is called cannot be said."
            )
        gold = None if status is None else self._prices.status(status.quote)  # the status given may be the rate's
        if rate is not None and rate.is_stale:
            beside = f", the price {gold.age_words}" if gold is not None and gold.is_stale else ""
            called = f" By that rate the loan is called, at an LTV of {snapshot.ltv * 100:.1f} %."
            return (
                f"What a dollar costs in {currency} is {rate.age_words} old{beside}: no recommendation until a new "
                f"rate arrives.{called if snapshot.is_called else ''}"
            )
        if snapshot.is_called:
            return (
                f"The loan is called at this price: its LTV of {snapshot.ltv * 100:.1f} % has reached the limit, and "
                "no put bought now undoes that. Repay, add gold or sell gold first."
            )
        if gold is not None and gold.is_stale:
            return f"The price is {gold.age_words} old: no recommendation until a new one arrives."
        if status is not None and status.is_stale:
            return f"{status.problem or 'What the loan is judged by is not current'}: nothing is recommended on it."
        return None

    def _rate_status(self, rate: ExchangeRate) -> QuoteStatus | None:
        """How far the exchange rate can be trusted now; None for a loan in dollars."""
        if rate.at is None:
            return None
        pair = PAIRS[rate.currency]
        given = Quote(pair, rate.per_dollar, None, rate.at, rate.source, currency=rate.currency)
        return self._prices.status(self._prices.known(pair) or given)

"""What a dollar costs in the currency of a loan, as the price feed knows it."""

from collections.abc import Awaitable, Callable

from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import DOLLAR, PAIRS, ExchangeRate
from vaultdash.domain.market import Quote
from vaultdash.services.price_feed import QuoteStatus


class ExchangeRates:
    """`known` gives the best quote of a symbol had so far, `ask` asks for one where no beat has."""

    def __init__(
        self, known: Callable[[str], Quote | None], ask: Callable[[str], Awaitable[object]] | None = None
    ) -> None:
        self._known = known
        self._ask = ask

    def of(self, currency: str) -> ExchangeRate:
        """The rate of one of the loans' currencies; raises Unavailable while none is known."""
        if currency == DOLLAR.currency:
            return DOLLAR
        quote = self._known(PAIRS[currency])
        if quote is None:
            raise Unavailable(f"The loan is in {currency}, and what a dollar costs in {currency} is not known yet")
        return ExchangeRate.of(quote)

    async def learn(self, currency: str) -> None:
        """Ask for the rate of a loan's currency when none is known, as in a command; raises as asking does."""
        pair = PAIRS.get(currency)
        if pair is not None and self._ask is not None and self._known(pair) is None:
            await self._ask(pair)


def rate_problem(rate: ExchangeRate, known: QuoteStatus | None, *, beside_invented: bool) -> str | None:
    """Why a loan cannot be judged by its exchange rate, whose quote is `known`; None when it can, or is in dollars.

    An invented rate stands for none, but `beside_invented` prices.
    """
    if rate.is_dollar:
        return None
    if known is None:
        why = "is not known"
    elif known.quote.is_demo and not beside_invented:
        why = "is invented (DEMO)"
    elif known.is_stale:
        why = "is old"
    else:
        return None
    return f"What a dollar costs in {rate.currency} {why}"


def rate_words(status: QuoteStatus) -> str:
    """`1 USD = 0.8000 CHF, Yahoo, 2026-06-10 16:00:25 UTC, 5 seconds old, live`."""
    quote = status.quote
    said = (
        f"1 USD = {quote.price:.4f} {quote.currency}, {quote.source}, {quote.at:%Y-%m-%d %H:%M:%S} UTC, "
        f"{status.age_words} old, {status.freshness}"
    )
    said += ": an invented market" if quote.is_demo else ""
    return said if status.problem is None else f"{said}; {status.problem}"

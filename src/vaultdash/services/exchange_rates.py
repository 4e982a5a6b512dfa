"""What a dollar costs in the currency of a loan, as the price feed knows it."""

from collections.abc import Callable

from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import DOLLAR, PAIRS, ExchangeRate
from vaultdash.domain.market import Quote


class ExchangeRates:
    """`known` gives the best quote of a symbol had so far; nothing is asked here, the heartbeat asks."""

    def __init__(self, known: Callable[[str], Quote | None]) -> None:
        self._known = known

    def of(self, currency: str) -> ExchangeRate:
        """The rate of one of the loans' currencies; raises Unavailable while none is known."""
        if currency == DOLLAR.currency:
            return DOLLAR
        quote = self._known(PAIRS[currency])
        if quote is None:
            raise Unavailable(f"The loan is in {currency}, and what a dollar costs in {currency} is not known yet")
        return ExchangeRate.of(quote)

"""Loans in another currency than the dollar, in which gold is quoted: what a dollar costs."""

from dataclasses import dataclass
from datetime import datetime

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import Quote
from vaultdash.domain.validation import positive

PAIRS = {"CHF": "CHF=X", "EUR": "EUR=X", "GBP": "GBP=X"}  # quoted as units of the currency per US dollar
CURRENCIES = ("USD", *PAIRS)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """X: units of `currency` for one US dollar, when it was quoted and by whom; the dollar itself has no quote."""

    currency: str
    per_dollar: float
    at: datetime | None = None
    source: str = ""
    is_demo: bool = False

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise InvalidInput("currency", f"must be one of {', '.join(CURRENCIES)}, not {self.currency!r}")
        positive("exchange_rate", self.per_dollar)

    @classmethod
    def of(cls, quote: Quote) -> "ExchangeRate":
        """The rate that a quote of one of the `PAIRS` tells."""
        return cls(quote.currency, quote.price, quote.at, quote.source, quote.is_demo)

    @property
    def is_dollar(self) -> bool:
        """True when nothing is exchanged."""
        return self.currency == DOLLAR.currency

    def dollars(self, amount: float) -> float:
        """An amount of the currency in USD: amount / X."""
        return amount / self.per_dollar

    def own(self, dollars: float) -> float:
        """An amount of USD in the currency: amount * X."""
        return dollars * self.per_dollar


DOLLAR = ExchangeRate("USD", 1.0)


def quoted_in(symbol: str) -> str:
    """The currency in which a symbol's price must be: that of a pair, else USD."""
    return next((currency for currency, pair in PAIRS.items() if pair == symbol), DOLLAR.currency)

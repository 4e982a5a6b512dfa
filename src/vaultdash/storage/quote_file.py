"""The last quote of a symbol as JSON, and back."""

import json
from datetime import datetime

from vaultdash.domain.market import MarketState, Quote


def packed_quote(quote: Quote) -> bytes:
    """The quote as JSON."""
    fields = {
        "symbol": quote.symbol,
        "price": quote.price,
        "previous_close": quote.previous_close,
        "at": quote.at.isoformat(),
        "source": quote.source,
        "market_state": quote.market_state.value,
        "delay_seconds": quote.delay_seconds,
        "currency": quote.currency,
    }
    return json.dumps(fields, indent=1).encode()


def unpacked_quote(content: bytes, symbol: str) -> Quote:
    """The quote in the JSON; ValueError (InvalidInput included), KeyError or TypeError when there is none in it."""
    fields = json.loads(content)
    quote = Quote(
        symbol=str(fields["symbol"]),
        price=fields["price"],
        previous_close=fields["previous_close"],
        at=datetime.fromisoformat(fields["at"]),
        source=str(fields["source"]),
        market_state=MarketState(fields["market_state"]),
        delay_seconds=fields["delay_seconds"],
        currency=str(fields["currency"]),
    )
    if quote.symbol != symbol or quote.is_demo:
        raise ValueError(f"it holds a quote of {quote.symbol} from {quote.source}")
    return quote

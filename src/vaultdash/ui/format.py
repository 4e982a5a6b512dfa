"""How numbers are shown: the only place where a fraction becomes per cent."""

import re
from collections.abc import Callable
from datetime import date, datetime

from vaultdash.clock import NEW_YORK
from vaultdash.domain.exchange import DOLLAR, ExchangeRate

NOTHING = "–"
UNIT = re.compile(r"(?<=[0-9]) (%|CHF\b|EUR\b|GBP\b)")  # stays beside its number at a line's end


def pct(fraction: float | None, digits: int = 1) -> str:
    """0.584 as `58.4 %`, with a true minus sign."""
    return NOTHING if fraction is None else _sign(f"{fraction * 100:.{digits}f} %")


def signed_pct(fraction: float | None, digits: int = 1) -> str:
    """A move: `+1.2 %` or `−0.8 %`; a move that rounds to nothing has no sign."""
    if fraction is None:
        return NOTHING
    text = f"{fraction * 100:+.{digits}f} %"
    return _sign(text if float(text[:-2]) else text[1:])


def usd(amount: float | None) -> str:
    """Money in whole dollars: `$ 157,480`."""
    return NOTHING if amount is None else _sign(f"$ {amount:,.0f}" if amount >= 0 else f"-$ {-amount:,.0f}")


def money(amount: float | None, currency: str) -> str:
    """Money in whole units of a currency: `480,000 CHF`, dollars as `usd` shows them."""
    if amount is None or currency == DOLLAR.currency:
        return usd(amount)
    return _sign(f"{amount:,.0f} {currency}")


def owed(dollars: float, rate: ExchangeRate) -> str:
    """What a loan owes, in its own currency with the dollars beside it: `480,000 CHF ($ 592,446)`."""
    return usd(dollars) if rate.is_dollar else f"{money(rate.own(dollars), rate.currency)} ({usd(dollars)})"


def rate_words(rate: ExchangeRate) -> str:
    """What a dollar costs: `0.8102 CHF`."""
    return f"{rate.per_dollar:.4f} {rate.currency}"


def price(value: float | None) -> str:
    """A price to the cent: `343.20`."""
    return NOTHING if value is None else f"{value:,.2f}"


def number(value: float | None, digits: int = 0) -> str:
    """A count: `2,173.91`."""
    return NOTHING if value is None else _sign(f"{value:,.{digits}f}")


def signed_number(value: float | None, digits: int = 0) -> str:
    """A number with its sign: `+2,173.9`, `−528.0`."""
    return NOTHING if value is None else _sign(f"{value:+,.{digits}f}")


def greek(digits: int) -> Callable[[float | None], str]:
    """Shows a Greek: `−0.24`; one that rounds to nothing has no sign."""

    def shown(value: float | None) -> str:
        if value is None:
            return NOTHING
        text = f"{value:.{digits}f}"
        return _sign(text if float(text) else text.lstrip("-"))

    return shown


def strike(value: float) -> str:
    """A strike as the exchange lists it: `370`, `372.5`."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def source_words(source: str) -> str:
    """A source with what must be said of it."""
    return f"{source} (unofficial, for personal use)" if source.startswith("Yahoo") else source


def day(on: date | None) -> str:
    """`20 Nov 2026`."""
    return NOTHING if on is None else f"{on.day} {on:%b %Y}"


def moment(at: datetime) -> str:
    """An instant in New York time: `20 Nov 2026 16:00 New York`."""
    local = at.astimezone(NEW_YORK)
    return f"{day(local.date())} {local:%H:%M} New York"


def age(seconds: float) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `4 days ago`."""
    if seconds < 90:
        return f"{int(seconds)} s ago"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago" if seconds < 172_800 else f"{seconds / 86_400:.0f} days ago"


def unbroken(text: str) -> str:
    """The text with its numbers kept together with their unit at a line's end."""
    return UNIT.sub("\u00a0\\1", text).replace("$ ", "$\u00a0")


def _sign(text: str) -> str:
    return unbroken(text.replace("-", "−"))

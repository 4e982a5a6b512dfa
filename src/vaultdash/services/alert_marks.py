"""How far what a beat tells of a loan can be believed, and what is missing when it cannot."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vaultdash.domain.alert import LONGEST_RATE
from vaultdash.domain.alert_words import rate_of
from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.portfolio import Portfolio, Snapshot
from vaultdash.services.heartbeat import Beat
from vaultdash.services.price_feed import QuoteStatus


@dataclass(frozen=True, slots=True)
class Marked:
    """A portfolio at a beat; `snapshot` is None when its price or its exchange rate is not known.

    `gold` and `rate` are the quotes it stands on, `status` that of the gold, stale as well while the rate is.
    `currency` is that of the loan.
    """

    portfolio: Portfolio
    snapshot: Snapshot | None
    status: QuoteStatus | None
    gold: QuoteStatus | None
    rate: QuoteStatus | None
    currency: str

    def is_known(self, *, trusts_demo: bool) -> bool:
        """True when an LTV can be judged: a current price and a current rate, neither invented."""
        return self.snapshot is not None and _is_current(self.status, trusts_demo=trusts_demo)

    def has_price(self, *, trusts_demo: bool) -> bool:
        """True when the price of gold is current, whatever else is missing."""
        return _is_current(self.gold, trusts_demo=trusts_demo)

    def lacks_rate(self, *, trusts_demo: bool) -> bool:
        """True when the price is known and only what a dollar costs in the loan's currency is not."""
        return (
            self.currency in PAIRS
            and self.has_price(trusts_demo=trusts_demo)
            and not self.is_known(trusts_demo=trusts_demo)
            and not self.lacks_value(trusts_demo=trusts_demo)
        )

    def lacks_value(self, *, trusts_demo: bool) -> bool:
        """True when price and rate were told and the loan could not be valued for another reason."""
        return (
            self.snapshot is None
            and self.has_price(trusts_demo=trusts_demo)
            and (self.currency not in PAIRS or self.rate is not None)
        )

    def has_old_rate(self, *, trusts_demo: bool) -> bool:
        """True when an LTV stands on a current price and on a real exchange rate, however old."""
        return (
            self.snapshot is not None
            and self.lacks_rate(trusts_demo=trusts_demo)
            and (trusts_demo or not self.snapshot.rate.is_demo)
        )

    def is_judged(self, at: datetime, *, trusts_demo: bool) -> bool:
        """True when an LTV can raise an alert: what is known, and what stands on a real rate of the last days.

        Gold moves so much more than the dollar that silence would be worse than such a rate.
        """
        if self.is_known(trusts_demo=trusts_demo):
            return True
        told = self.snapshot.rate.at if self.snapshot is not None else None
        return told is not None and self.has_old_rate(trusts_demo=trusts_demo) and abs(at - told) <= LONGEST_RATE

    def told_at(self, at: datetime, *, trusts_demo: bool) -> datetime | None:
        """When the older of the quotes was told; None while one is missing, invented or of the future."""
        if self.snapshot is None:
            return None
        found = []
        for status in (self.gold, self.rate) if self.currency in PAIRS else (self.gold,):
            if status is None or status.quote.is_from_the_future(at) or (status.quote.is_demo and not trusts_demo):
                return None
            found.append(status.quote.at + timedelta(seconds=status.quote.delay_seconds))
        return min(found)

    def problem(self, *, trusts_demo: bool) -> str | None:
        """Why the price or the rate is missing, when that is known."""
        if not self.lacks_rate(trusts_demo=trusts_demo):
            return self.gold.problem if self.gold else None
        if self.rate is None:
            return f"What a dollar costs in {self.currency} is not known"
        words = f"What a dollar costs in {self.currency} is {'invented (DEMO)' if self.rate.quote.is_demo else 'old'}"
        return f"{words} ({self.rate.problem})" if self.rate.problem else words


def marked(portfolio: Portfolio, beat: Beat) -> Marked:
    """A portfolio as a beat knows it."""
    snapshot, symbol = beat.snapshots.get(portfolio.id), portfolio.collateral.quoted_by
    if snapshot is None and beat.snapshot is not None and beat.snapshot.portfolio.id == portfolio.id:
        snapshot = beat.snapshot
    gold = beat.statuses.get(symbol)
    if gold is None and beat.status is not None and beat.status.quote.symbol == symbol:
        gold = beat.status
    currency = portfolio.loan.currency if snapshot is None else snapshot.rate.currency
    status = gold if snapshot is None else beat.status_of(snapshot) or gold
    rate = beat.statuses.get(PAIRS[currency]) if currency in PAIRS else None
    return Marked(snapshot.portfolio if snapshot else portfolio, snapshot, status, gold, rate, currency)


def why_silent(mark: Marked, beat: Beat, at: datetime, *, trusts_demo: bool) -> str | None:
    """Why no alert on the LTV can be raised, or only by an old rate, in a sentence; None while all is current."""
    if mark.is_known(trusts_demo=trusts_demo):
        return None
    symbol, gold = mark.portfolio.collateral.quoted_by, mark.gold
    problem = why_missing(mark, beat, trusts_demo=trusts_demo)
    reason = f" ({problem})" if problem else ""
    if mark.snapshot is not None and mark.is_judged(at, trusts_demo=trusts_demo):
        old = rate_of(mark.snapshot.rate, at)
        return f"The LTV is judged by {old}: it raises alerts and ends none ({problem})."
    if mark.lacks_value(trusts_demo=trusts_demo):
        return f"No alert on the LTV can be raised now: the loan cannot be valued{reason}."
    if mark.lacks_rate(trusts_demo=trusts_demo):
        return f"No alert on the LTV can be raised now: {problem}."
    if gold is None:
        return f"No alert can be raised now: there is no price of {symbol}{reason}."
    if gold.quote.is_demo and not trusts_demo:
        return f"No alert can be raised now: the price of {symbol} is invented (DEMO), a real one is missing{reason}."
    return f"No alert can be raised now: a fresh price of {symbol} is missing{reason}."


def why_missing(mark: Marked, beat: Beat, *, trusts_demo: bool) -> str | None:
    """Why a loan is not valued by what is current, when that is known: the beat says it of the current portfolio."""
    if mark.lacks_value(trusts_demo=trusts_demo):
        return beat.problem if beat.snapshot is None else None
    return mark.problem(trusts_demo=trusts_demo) or beat.problem


def _is_current(status: QuoteStatus | None, *, trusts_demo: bool) -> bool:
    return status is not None and not status.is_stale and (trusts_demo or not status.quote.is_demo)

"""How far what a beat tells of a loan can be believed, and what is missing when it cannot."""

from dataclasses import dataclass
from datetime import datetime, timedelta

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

    def lacks_rate(self, *, trusts_demo: bool) -> bool:
        """True when the price is known and only what a dollar costs in the loan's currency is not."""
        return (
            self.currency in PAIRS
            and _is_current(self.gold, trusts_demo=trusts_demo)
            and not self.is_known(trusts_demo=trusts_demo)
        )

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
            return self.status.problem if self.status else None
        stands = None if self.snapshot is None or self.status is None else self.status.problem
        words = stands or f"What a dollar costs in {self.currency} is not known"
        return f"{words} ({self.rate.problem})" if self.rate is not None and self.rate.problem else words


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


def why_silent(mark: Marked, beat: Beat, *, trusts_demo: bool) -> str | None:
    """Why no alert on the LTV can be raised at a beat, in a sentence; None while it can."""
    if mark.is_known(trusts_demo=trusts_demo):
        return None
    symbol, gold = mark.portfolio.collateral.quoted_by, mark.gold
    problem = mark.problem(trusts_demo=trusts_demo) or beat.problem
    reason = f" ({problem})" if problem else ""
    if mark.lacks_rate(trusts_demo=trusts_demo):
        return f"No alert on the LTV can be raised now: {problem}."
    if gold is None:
        return f"No alert can be raised now: there is no price of {symbol}{reason}."
    if gold.quote.is_demo and not trusts_demo:
        return f"No alert can be raised now: the price of {symbol} is invented (DEMO), a real one is missing{reason}."
    return f"No alert can be raised now: a fresh price of {symbol} is missing{reason}."


def _is_current(status: QuoteStatus | None, *, trusts_demo: bool) -> bool:
    return status is not None and not status.is_stale and (trusts_demo or not status.quote.is_demo)

"""Compares the hedges on a price, and recommends one unless the price cannot be trusted."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.gold import InstrumentKind, clean_symbol
from vaultdash.domain.hedge import Comparison, Exercise, Situation
from vaultdash.domain.portfolio import Snapshot, mark, require_solvent
from vaultdash.domain.template import HedgeTemplate
from vaultdash.domain.validation import positive
from vaultdash.services.advice_doubts import AdviceDoubts
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed, QuoteStatus
from vaultdash.strategies.engine import (
    DEFAULT_MONTHS,
    DEFAULT_PRICE_CHANGES,
    DEFAULT_RATE,
    DEFAULT_VOLATILITY,
    STRATEGIES,
    compare,
)
from vaultdash.strategies.templated import Templated, unmeasured

REMEMBERED = 64
PATIENCE_SECONDS = 1.0
NOT_COMPARED = "your own templates are not compared, as they could not be read"
OwnTemplates = Callable[[], Awaitable[Sequence[HedgeTemplate]]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Research:
    """What to compare on; None takes the live price, the owner's portfolio or the research default."""

    symbol: str = "GLD"
    spot: float | None = None
    volatility: float | None = None
    risk_free_rate: float | None = None
    portfolio_value: float | None = None
    loan_amount: float | None = None
    margin_call_ltv: float | None = None
    months: int | None = None
    exercise: Exercise | None = None
    price_changes: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A template of the owner's that the comparison cannot measure, and why."""

    name: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A comparison with the price it stands on, what was assumed, and why it is withheld if it is.

    `is_called` is False as well where price or exchange rate is invented: by those no call is certain. `left_out` are
    templates of the owner's that are not among the hedges.
    """

    symbol: str
    at: datetime
    status: QuoteStatus | None
    snapshot: Snapshot
    comparison: Comparison
    assumptions: tuple[str, ...]
    withheld: str | None
    is_called: bool
    left_out: tuple[LeftOut, ...] = ()


Compared = tuple[Situation, tuple[HedgeTemplate, ...]]


class HedgeAdvisor:
    """Runs the strategy engine off the event loop and remembers the last comparisons.

    The owner's templates of `own` stand after the hedges of the research, where they can be measured. Advice is
    withheld on a stale price or exchange rate, on an invented one unless the owner asked for the `demo` market, and
    when the loan is called already.
    """

    def __init__(
        self,
        prices: PriceFeed,
        book: PortfolioBook,
        now: Callable[[], datetime],
        *,
        demo: bool = False,
        own: OwnTemplates | None = None,
    ) -> None:
        self._prices = prices
        self._book = book
        self._now = now
        self._doubts = AdviceDoubts(prices, demo=demo)
        self._own = own
        self._asking: asyncio.Future[Sequence[HedgeTemplate]] | None = None
        self._remembered: OrderedDict[Compared, tuple[Comparison, tuple[LeftOut, ...]]] = OrderedDict()

    async def advise(self, research: Research, status: QuoteStatus | None = None) -> Advice:
        """Compare the hedges; `status` is the price to stand on when the caller has it already."""
        symbol = clean_symbol(research.symbol)
        if research.spot is not None:
            positive("spot", research.spot)
            status = None
        elif status is None:
            status = await self._prices.latest(symbol)
        await self._book.rates.learn(self._book.current.loan.currency)
        snapshot, own = self._snapshot(symbol, research, status)
        situation = Situation(
            spot=snapshot.price,
            units=snapshot.shares,
            loan_amount=snapshot.portfolio.loan.amount,
            margin_call_ltv=snapshot.portfolio.loan.margin_call_ltv,
            volatility=_given(research.volatility, DEFAULT_VOLATILITY),
            rate=_given(research.risk_free_rate, DEFAULT_RATE),
            months=_given(research.months, DEFAULT_MONTHS),
            exercise=_given(research.exercise, Exercise.EUROPEAN),
            price_changes=_given(research.price_changes, DEFAULT_PRICE_CHANGES),
        )
        templates, problem = await self._templates()
        comparison, left_out = await self._compare(situation, templates)
        assumptions = (*self._assumptions(research, snapshot, own=own), *problem)
        is_called, withheld = self._doubts.is_called(status, snapshot), self._doubts.withheld(status, snapshot)
        return Advice(symbol, self._now(), status, snapshot, comparison, assumptions, withheld, is_called, left_out)

    def _snapshot(self, symbol: str, research: Research, status: QuoteStatus | None) -> tuple[Snapshot, bool]:
        at = status.quote.at if status else self._now()
        spot = status.quote.price if status else _given(research.spot, 0.0)
        on = at.astimezone(NEW_YORK).date()
        portfolio, own = self._book.priced_by(symbol, spot, on, research.portfolio_value)
        if own and research.loan_amount is None:  # as it is kept: what has accrued is told as well
            return self._book.mark(self._book.current.with_terms(None, research.margin_call_ltv), spot, on), own
        if research.loan_amount is not None or research.margin_call_ltv is not None:
            portfolio = portfolio.with_terms(research.loan_amount, research.margin_call_ltv)
        snapshot = mark(portfolio, spot, on, rate=self._book.rates.of(self._book.current.loan.currency))
        entered = research.loan_amount is not None or research.portfolio_value is not None
        return (require_solvent(snapshot) if entered else snapshot), own

    async def _templates(self) -> tuple[tuple[HedgeTemplate, ...], tuple[str, ...]]:
        """The owner's, and a sentence when they cannot be read: advice does not wait for a database that is away."""
        if self._own is None:
            return (), ()
        asking = self._asking = self._asking or asyncio.ensure_future(self._own())
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE_SECONDS)  # it ends by itself, if late
        if not done:
            return (), (f"{NOT_COMPARED}: the database does not answer",)
        if self._asking is asking:
            self._asking = None
        try:
            return tuple(asking.result()), ()
        except DatabaseError as error:
            return (), (f"{NOT_COMPARED}: {error}",)

    async def _compare(
        self, situation: Situation, templates: tuple[HedgeTemplate, ...]
    ) -> tuple[Comparison, tuple[LeftOut, ...]]:
        asked = situation, templates
        known = self._remembered.pop(asked, None)
        compared = known if known is not None else await asyncio.to_thread(_compared, *asked)
        self._remembered[asked] = compared
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return compared

    def _assumptions(self, research: Research, snapshot: Snapshot, *, own: bool) -> list[str]:
        said = []
        if research.volatility is None:
            said.append(f"volatility {DEFAULT_VOLATILITY * 100:g} % a year is assumed, not observed")
        if research.risk_free_rate is None:
            said.append(f"interest rate {DEFAULT_RATE * 100:g} % a year is assumed, not observed")
        if not own and research.portfolio_value is None:
            value = f"{snapshot.gold_value:,.0f} USD"
            said.append(f"collateral is a research portfolio worth {value}, not the collateral in your settings")
        kind = snapshot.portfolio.collateral.instrument.kind
        if kind is InstrumentKind.OTHER:
            said.append(f"{snapshot.portfolio.collateral.instrument.symbol} is no known gold instrument: no ounces")
        said.append("premiums are model prices without bid, ask, smile or commission")
        return said


def _compared(situation: Situation, templates: tuple[HedgeTemplate, ...]) -> tuple[Comparison, tuple[LeftOut, ...]]:
    """The hedges of the research, then the owner's; and those of the owner's that cannot be measured."""
    reasons = [(template, unmeasured(template, situation)) for template in templates]
    own = [Templated(template) for template, reason in reasons if reason is None]
    left_out = tuple(LeftOut(each.id, each.name, reason) for each, reason in reasons if reason is not None)
    return compare(situation, (*STRATEGIES, *own)), left_out


def _given(value: T | None, default: T) -> T:
    return default if value is None else value

"""What hedges are judged on: the owner's loan at the latest price, or the figures somebody gave instead."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.gold import instrument
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.option import DollarRate, Right
from vaultdash.domain.portfolio import Portfolio, Snapshot
from vaultdash.domain.validation import positive
from vaultdash.services.advice_doubts import AdviceDoubts
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.heartbeat import Beat, Heartbeat
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.workbench_request import CaseChange, Standing

RATE_KEPT = timedelta(minutes=1)  # it is of a day; a page that redraws need not read it each time
GIVEN_RATE = "given by you"
GIVEN_GOLD = "GLD"  # what figures without a portfolio are shares of
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)  # of which something can be judged
MOST_NAMED = 4  # options held, in a sentence
MOST_YEARS = 15  # from then to an expiration; the longest that are listed on gold are of three


class HedgeCases:
    """Makes cases of the latest beat; one whose price, units and loan are all given needs none."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        book: PortfolioBook,
        rates: DollarRates,
        doubts: AdviceDoubts,
        now: Callable[[], datetime],
    ) -> None:
        self._heartbeat = heartbeat
        self._book = book
        self._rates = rates
        self._doubts = doubts
        self._now = now
        self._rate: dict[bool, tuple[datetime, DollarRate]] = {}

    async def of(self, change: CaseChange) -> tuple[HedgeCase, Standing]:
        """The case with `change` applied, and what it stands on.

        Raises InvalidInput for figures that make no sense, Unavailable while there is no price.
        """
        if change.at is not None and not FIRST_DAY <= change.at.date() <= LAST_DAY:
            raise InvalidInput("as_of", f"must be a day from {FIRST_DAY} to {LAST_DAY}")
        if is_whole(change):
            return await self._given(change)
        beat = self._heartbeat.current()
        snapshot, status = required(beat)
        spot = snapshot.price if change.spot is None else change.spot
        units = snapshot.shares if change.units is None else change.units
        loan = _changed(snapshot.portfolio, change)
        if change.spot is not None or change.units is not None or change.loan_amount is not None:
            _require_solvent(loan, units, spot)
        rate = await self._dollars(change, invented=status.quote.is_demo)
        case = HedgeCase(
            spot=spot,
            units=units,
            loan=loan,
            at=change.at or status.quote.at,
            rate=rate.value,
            split_custody=True if change.split_custody is None else change.split_custody,
            broker_margin=change.broker_margin or 0.0,
        )
        made_up = change.spot is not None
        withheld = None if made_up else self._doubts.withheld(status, snapshot)
        held = _held(snapshot)
        return case, Standing(
            symbol=status.quote.symbol,
            at=self._now(),
            quote=status.quote,
            rate=rate,
            remarks=(*_remarks(change, snapshot, status, rate), *([held] if held else [])),
            withheld=withheld,
            hypothetical=made_up,
            held=held,
        )

    async def _given(self, change: CaseChange) -> tuple[HedgeCase, Standing]:
        assert change.spot is not None
        assert change.units is not None
        assert change.loan_amount is not None
        loan = Loan(change.loan_amount, hedge_counting=HedgeCounting.CREDITED)
        portfolio = Portfolio("given", Collateral.of(instrument(GIVEN_GOLD), positive("units", change.units)), loan)
        loan = _changed(portfolio, change)
        _require_solvent(loan, change.units, change.spot)
        rate = await self._dollars(change, invented=False)
        case = HedgeCase(
            spot=change.spot,
            units=change.units,
            loan=loan,
            at=change.at or self._now(),
            rate=rate.value,
            split_custody=True if change.split_custody is None else change.split_custody,
            broker_margin=change.broker_margin or 0.0,
        )
        said = "price, units and loan are those given, not those of your settings"
        return case, Standing(self._book.symbol, self._now(), None, rate, (said,), None, hypothetical=True)

    async def _dollars(self, change: CaseChange, *, invented: bool) -> DollarRate:
        """What dollars earn, as given or as last known, within the bounds of a case."""
        if change.rate is not None:
            return DollarRate(change.rate, None, GIVEN_RATE)
        known = self._rate.get(invented)
        if known is None or not timedelta(0) <= self._now() - known[0] < RATE_KEPT:
            found = await self._rates.latest(invented=invented)
            known = self._now(), replace(found, value=min(max(found.value, -0.1), 0.5))
            self._rate[invented] = known
        return known[1]


def is_whole(change: CaseChange) -> bool:
    """True when nothing of the owner's is needed: price, units and loan are all given."""
    return change.spot is not None and change.units is not None and change.loan_amount is not None


def require_near(expirations: Iterable[date], case: HedgeCase, argument: str = "expiration") -> None:
    """Raises InvalidInput for a day so long after the moment judged that no model says anything of it."""
    today = case.at.date()
    for day in expirations:
        if (day - today).days > MOST_YEARS * 365.25:
            raise InvalidInput(
                argument,
                f"{day} is more than {MOST_YEARS} years after {today}, the day that is judged; give a nearer one, or "
                "a later as_of",
            )


def required(beat: Beat | None) -> tuple[Snapshot, QuoteStatus]:
    """The snapshot of a beat with how far it can be trusted; raises Unavailable while there is none."""
    if beat is None or beat.snapshot is None or beat.status is None:
        reason = "" if beat is None or beat.problem is None else f": {beat.problem}"
        raise Unavailable(f"There is no price yet{reason}; ask again in a few seconds")
    return beat.snapshot, beat.status


def _changed(portfolio: Portfolio, change: CaseChange) -> Loan:
    loan = portfolio.with_terms(change.loan_amount, change.margin_call_ltv).loan
    return replace(
        loan,
        hedge_counting=loan.hedge_counting if change.counting is None else change.counting,
        hedge_haircut=loan.hedge_haircut if change.haircut is None else change.haircut,
    )


def _require_solvent(loan: Loan, units: float, spot: float) -> None:
    """An *entered* loan must be below the value of its collateral."""
    ltv = loan.amount / (positive("units", units) * positive("spot", spot))
    if ltv >= 1:
        raise InvalidInput(
            "loan_amount", f"is {ltv:,.0%} of the collateral's value; a loan must be below 100 % of it"
        )


def _held(snapshot: Snapshot) -> str | None:
    """That options are held already, which no search and no measure of another hedge counts."""
    marks = () if snapshot.hedge is None else snapshot.hedge.marks
    counts: dict[str, int] = {}
    for mark in marks:
        contract = mark.held.contract
        name = (
            f"{contract.strike:g} {'put' if contract.right is Right.PUT else 'call'}, {contract.expiration:%-d %b %Y}"
        )
        counts[name] = counts.get(name, 0) + mark.held.contracts
    told = [f"{count:,} of the {name}" for name, count in counts.items() if count]
    if not told:
        return None
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return (
        f"you hold options already ({'; '.join(told[:MOST_NAMED])}{more}): they are not counted here, so that you "
        "might buy the same protection twice"
    )


def _remarks(change: CaseChange, snapshot: Snapshot, status: QuoteStatus, rate: DollarRate) -> list[str]:
    said = []
    quote = status.quote
    if change.spot is not None:
        said.append(f"the price of {change.spot:,.2f} was given; the market's is {quote.price:,.2f}")
    elif quote.is_demo:
        said.append("the price is invented (DEMO)")
    elif status.is_stale:
        said.append(f"the price of {quote.price:,.2f} is {status.age_words} old")
    if change.units is not None or change.loan_amount is not None:
        said.append("units and loan are not those of your settings")
    if not snapshot.rate.is_dollar:
        own = snapshot.rate
        said.append(
            f"the loan is owed in {own.currency} and counted at {own.per_dollar:.4f} {own.currency} for a dollar; "
            "these options protect the price in dollars alone"
        )
    if rate.on is None and rate.source != GIVEN_RATE:
        said.append(f"interest of {rate.value:.2%} a year is assumed: no dollar rate is known")
    return said

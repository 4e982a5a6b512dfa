"""The owner's portfolios: kept in the database, marked at a quote, each change with its old value."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

import structlog

from vaultdash.clock import NEW_YORK
from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.exchange import DOLLAR, PAIRS, ExchangeRate, quoted_in
from vaultdash.domain.gold import instrument
from vaultdash.domain.loan import in_dollars
from vaultdash.domain.portfolio import Portfolio, Snapshot, mark
from vaultdash.domain.position import HedgeMark
from vaultdash.domain.record import PortfolioChange, StoredPortfolio
from vaultdash.feed import Feed
from vaultdash.services.exchange_rates import ExchangeRates
from vaultdash.services.portfolio_entry import entered, free_name, slug
from vaultdash.services.portfolio_words import change_words, changed_meanwhile_words, settings_words
from vaultdash.storage.records import Database, Transaction

log = structlog.get_logger()
RESEARCH_VALUE = 1_000_000.0
CURRENT = "current_portfolio"
EXAMPLE = "example_portfolio"
START = "start"
NOTHING = "nothing"
UNNAMED = "loan"  # of which the id is made where no name is given


class PortfolioBook:
    """Knows all portfolios at any time; a change is on the disk before it is shown.

    Until `open` has read the database, the portfolio of the settings stands in; it becomes the first one kept.
    `changed` is told the id of each portfolio that changed, appeared or went. `given` names the settings that were
    set, `price` gives what is known of a symbol's price now, USD a share.
    """

    def __init__(
        self,
        first: Portfolio,
        database: Database,
        now: Callable[[], datetime],
        *,
        is_example: bool = False,
        given: frozenset[str] = frozenset(),
        price: Callable[[str], float | None] = lambda _: None,
        rates: ExchangeRates | None = None,
    ) -> None:
        self.changed: Feed[str] = Feed()
        self._first = first
        self._database = database
        self._now = now
        self._given = given
        self._price = price
        self.rates = rates or ExchangeRates(lambda _: None)
        self._is_example_given = is_example
        self._example: str | None = first.id if is_example else None
        self._kept: dict[str, StoredPortfolio] = {}
        self._current = first.id
        self._revision = -1
        self._is_open = False
        self._turn = asyncio.Lock()

    @property
    def is_example(self) -> bool:
        """True while nobody has said what is owed on what: the current portfolio was never saved."""
        return self._example is not None and self._example == self.current.id

    @property
    def current(self) -> Portfolio:
        """The portfolio that pages and commands speak of unless another is named."""
        return self._kept[self._current].portfolio if self._current in self._kept else self._first

    @property
    def symbol(self) -> str:
        """The symbol whose price values the current portfolio's collateral."""
        return self.current.collateral.quoted_by

    @property
    def all(self) -> tuple[Portfolio, ...]:
        """Every portfolio, in the order in which they were made."""
        return tuple(kept.portfolio for kept in self._kept.values()) or (self._first,)

    @property
    def settings_remark(self) -> str | None:
        """A sentence when the environment, which counts at the first start, says something else than what is kept."""
        kept = self._kept.get(self._first.id)
        first = None if kept is None else kept.portfolio
        return settings_words(self._given, self._first, first) if self._kept else None

    @property
    def today(self) -> date:
        """The day in New York."""
        return self._now().astimezone(NEW_YORK).date()

    def named(self, portfolio_id: str | None) -> Portfolio:
        """The portfolio of an id, the current one for None; raises NotFound."""
        return self.current if portfolio_id is None else self.stored(portfolio_id).portfolio

    def stored(self, portfolio_id: str) -> StoredPortfolio:
        """One with its version; raises NotFound."""
        if portfolio_id not in self._kept:
            raise NotFound(f"There is no portfolio {portfolio_id!r}")
        return self._kept[portfolio_id]

    async def open(self) -> None:
        """Read what is kept; keep the portfolio of the settings when nothing is, or only an example."""
        async with self._writing() as records:
            kept = await records.portfolios.all()
            example = await records.preferences.get(EXAMPLE)
            is_new = not kept
            of_example = next((one.portfolio for one in kept if one.portfolio.id == example), None)
            if is_new or (self._first.id == example and of_example != self._first):
                await records.portfolios.put(self._first, self._now(), START, change_words(of_example, self._first))
                await records.preferences.put(EXAMPLE, self._first.id if self._is_example_given else None)
        remark = self.settings_remark
        if remark is not None and not self._is_open:  # it may be opened more than once
            log.warning("settings_not_used", reason=remark)
        self._is_open = True

    async def refresh(self) -> None:
        """Read again what another process has changed, if anything."""
        async with self._turn, self._database.reading() as records:
            current = await records.preferences.get(CURRENT)
            if await records.portfolios.revision() != self._revision or (current or self._current) != self._current:
                self._show(await _read(records))

    async def choose(self, portfolio_id: str) -> None:
        """Make one the current portfolio."""
        async with self._writing() as records:
            if await records.portfolios.get(portfolio_id) is None:
                raise NotFound(f"There is no portfolio {portfolio_id!r}")
            await records.preferences.put(CURRENT, portfolio_id)

    async def free_id(self, name: str) -> str:
        """An id made of a name that no portfolio has or had."""
        async with self._database.reading() as records:
            return await _free_id(records, name)

    async def add(self, portfolio: Portfolio, actor: str, *, is_named: bool = True) -> StoredPortfolio:
        """Keep a new portfolio; its id must be free. One that its owner did not name gets an id and a name that no
        other has by then. Raises Refused or InvalidInput.
        """
        async with self._writing() as records:
            if not is_named:
                name = free_name([one.portfolio for one in await records.portfolios.all()])
                portfolio = replace(portfolio, id=await _free_id(records, UNNAMED), name=name)
            made = self._checked(portfolio, None)
            await _require_own_name(records, made)
            await records.portfolios.put(made, self._now(), actor, change_words(None, made), expected_version=0)
        return self.stored(made.id)

    async def save(
        self, portfolio: Portfolio, actor: str, *, what: str | None = None, expected_version: int | None = None
    ) -> StoredPortfolio:
        """Keep a changed portfolio; `what` changed is told in words when not given. Raises Refused when it was
        changed by somebody else since `expected_version`, NotFound, or InvalidInput.
        """
        return await self.change(
            portfolio.id, lambda _: portfolio, actor, what=what, expected_version=expected_version
        )

    async def change(
        self,
        portfolio_id: str,
        edit: Callable[[Portfolio], Portfolio],
        actor: str,
        *,
        what: str | None = None,
        expected_version: int | None = None,
    ) -> StoredPortfolio:
        """Keep what `edit` makes of a portfolio as it is kept now; errors as in `save`."""
        async with self._writing() as records:
            kept = await records.portfolios.get(portfolio_id)
            if kept is None:
                raise NotFound(f"There is no portfolio {portfolio_id!r}")
            if expected_version is not None and kept.version != expected_version:
                raise Refused(await _changed_meanwhile(records, kept))
            made = self._checked(edit(kept.portfolio), kept.portfolio)
            if made.name != kept.portfolio.name:
                await _require_own_name(records, made)
            is_first_saving = await records.preferences.get(EXAMPLE) == portfolio_id
            words = change_words(kept.portfolio, made)
            if words != NOTHING or is_first_saving:
                told = what or ("confirmed as it is" if words == NOTHING else words)
                await records.portfolios.put(made, self._now(), actor, told)
            if is_first_saving:
                await records.preferences.put(EXAMPLE, None)
        return self.stored(portfolio_id)

    async def remove(self, portfolio_id: str, actor: str, *, expected_version: int | None = None) -> None:
        """Take one out; the last one is refused."""
        async with self._writing() as records:
            kept = await records.portfolios.get(portfolio_id)
            if kept is None:
                raise NotFound(f"There is no portfolio {portfolio_id!r}")
            if expected_version is not None and kept.version != expected_version:
                raise Refused(await _changed_meanwhile(records, kept))
            await self._take_out(records, portfolio_id, actor, "removed", None)

    async def changes(self, portfolio_id: str | None = None, limit: int = 100) -> Sequence[PortfolioChange]:
        """The audit trail, newest first."""
        async with self._database.reading() as records:
            return await records.portfolios.changes(portfolio_id, limit)

    async def undoing(self, change_id: int) -> "Undoing":
        """What taking a change back would do now. Raises NotFound."""
        async with self._database.reading() as records:
            return (await _undoing(records, change_id))[0]

    async def undo(
        self, change_id: int, actor: str, *, expected_version: int | None = None, sure: bool = False
    ) -> "Undone":
        """Bring back what was before a change, as a new change, unless its name is that of another loan by now.

        Changes made after it go, too: it must be the newest one of its portfolio unless the caller is `sure`, or
        knows the `expected_version` that is kept now (0 when it was removed). The words of the new one say all that
        is different. Raises NotFound, and Refused with those words, or when there is nothing to bring back.
        """
        async with self._writing() as records:
            undoing, change, kept = await _undoing(records, change_id)
            if undoing.words == NOTHING:
                raise Refused("Everything is as it was before that change already; nothing is taken back")
            if expected_version is not None and expected_version != undoing.version:
                raise Refused(await _changed_meanwhile(records, kept) if kept else "It was removed meanwhile")
            if not (undoing.is_newest or sure or expected_version is not None):
                raise Refused(
                    f"Other changes were made after that one and would be taken back with it: {undoing.words}. "
                    f"Confirm it with --yes, or through the API with expected_version {undoing.version}"
                )
            words = f"taken back: {undoing.words}"
            if change.before is None:
                await self._take_out(records, change.portfolio_id, actor, words, change_id)
            else:
                if await _is_taken(records, change.before):
                    raise Refused(
                        f"“{change.before.name}” is the name of another loan by now: give that one another name and "
                        "then take the change back"
                    )
                await records.portfolios.put(change.before, self._now(), actor, words, undoes=change_id)
                if await records.preferences.get(EXAMPLE) == change.portfolio_id:
                    await records.preferences.put(EXAMPLE, None)
            back = await records.portfolios.get(change.portfolio_id)
            made = (await records.portfolios.changes(change.portfolio_id, limit=1))[0]
        return Undone(back, made)

    def mark(self, portfolio: Portfolio, price: float, on: date, hedge: HedgeMark | None = None) -> Snapshot:
        """A portfolio at a price and at the exchange rate known; raises Unavailable while that is not."""
        return mark(portfolio, price, on, hedge, self.rates.of(portfolio.loan.currency))

    def in_dollars(self, on: date, portfolio: Portfolio | None = None) -> Portfolio:
        """A portfolio, the current one unless given, with what is owed on a day in USD; raises Unavailable."""
        portfolio = portfolio or self.current
        loan = portfolio.loan.brought_to(on)
        return replace(portfolio, loan=in_dollars(loan, self.rates.of(loan.currency)))

    def holds(self, symbol: str) -> bool:
        """True when the symbol's price values the owner's own collateral."""
        return symbol == self.symbol

    def priced_by(self, symbol: str, spot: float, on: date, value: float | None = None) -> tuple[Portfolio, bool]:
        """The portfolio to use for a symbol at `spot`, and whether its units are the owner's own.

        Its loan is in USD, brought to the day and at the exchange rate known. Another symbol than the collateral's,
        or a given `value`, makes a research portfolio whose units are value / spot; its value is 1,000,000 USD unless
        given. Raises Unavailable while the rate is not known, InvalidInput when the symbol is itself a currency.
        """
        if symbol in PAIRS.values():
            raise InvalidInput(
                "symbol", f"{symbol} is what a dollar costs in {quoted_in(symbol)}; name gold or a share"
            )
        if self.holds(symbol) and value is None:
            return self.in_dollars(on), True
        own = self.in_dollars(on, None if self.holds(symbol) else self._research(symbol))
        return own.with_value(RESEARCH_VALUE if value is None else value, spot, on), False

    def _research(self, symbol: str) -> Portfolio:
        return Portfolio("research", Collateral.of(instrument(symbol), 1.0), self.current.loan)

    def _checked(self, portfolio: Portfolio, before: Portfolio | None) -> Portfolio:
        return entered(portfolio, before, self.today, self._price(portfolio.collateral.quoted_by), self.believed_rate)

    def believed_rate(self, currency: str) -> ExchangeRate | None:
        """A rate by which an entry may be refused: none that is invented beside a real price."""
        if currency == DOLLAR.currency:
            return DOLLAR
        price = self._price(PAIRS[currency])
        return None if price is None else ExchangeRate(currency, price)

    async def _take_out(
        self, records: Transaction, portfolio_id: str, actor: str, what: str, undoes: int | None
    ) -> None:
        rest = [one.portfolio.id for one in await records.portfolios.all() if one.portfolio.id != portfolio_id]
        if not rest:
            raise Refused("This is the only portfolio; make another one before removing it")
        await records.portfolios.remove(portfolio_id, self._now(), actor, what, undoes=undoes)
        if (await records.preferences.get(CURRENT) or self._current) == portfolio_id:
            await records.preferences.put(CURRENT, rest[0])

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Transaction]:
        """A transaction whose outcome is shown once it is on the disk."""
        async with self._turn:
            async with self._database.transaction() as records:
                yield records
                found = await _read(records)
            self._show(found)

    def _show(self, found: "_Kept") -> None:
        before, chosen = self._kept, self._current
        self._kept, self._revision, self._example = found.portfolios, found.revision, found.example
        self._current = found.current if found.current in found.portfolios else next(iter(found.portfolios))
        told = [key for key in {**before, **self._kept} if before.get(key) != self._kept.get(key)]
        if chosen != self._current and self._current not in told:
            told.append(self._current)
        for key in told:
            self.changed.publish(key)


async def _require_own_name(records: Transaction, made: Portfolio) -> None:
    """Raises InvalidInput when another portfolio has that name: an alert must say which loan it is about."""
    if await _is_taken(records, made):
        raise InvalidInput("name", f"“{made.name}” is that of another loan; give each one a name of its own")


async def _is_taken(records: Transaction, made: Portfolio) -> bool:
    others = [one.portfolio for one in await records.portfolios.all() if one.portfolio.id != made.id]
    return made.name.casefold() in {other.name.casefold() for other in others}


async def _free_id(records: Transaction, name: str) -> str:
    taken = {one.portfolio.id for one in await records.portfolios.all()}
    while await records.portfolios.changes(found := slug(name, taken), limit=1):
        taken.add(found)
    return found


class Undone(NamedTuple):
    """The portfolio as it is back, None when it was taken away, and the change that this was."""

    portfolio: StoredPortfolio | None
    change: PortfolioChange


class Undoing(NamedTuple):
    """What would be different after a change is taken back, in words, and the version it would be taken back from."""

    words: str
    is_newest: bool
    version: int


class _Kept(NamedTuple):
    """What the database holds."""

    portfolios: dict[str, StoredPortfolio]
    revision: int
    current: str
    example: str | None


async def _read(records: Transaction) -> _Kept:
    kept = {one.portfolio.id: one for one in await records.portfolios.all()}
    current, example = await records.preferences.get(CURRENT), await records.preferences.get(EXAMPLE)
    return _Kept(
        kept,
        await records.portfolios.revision(),
        current if isinstance(current, str) else "",
        example if isinstance(example, str) else None,
    )


async def _undoing(records: Transaction, change_id: int) -> tuple[Undoing, PortfolioChange, StoredPortfolio | None]:
    change = await records.portfolios.change(change_id)
    if change is None:
        raise NotFound(f"There is no change {change_id}")
    kept = await records.portfolios.get(change.portfolio_id)
    newest = await records.portfolios.changes(change.portfolio_id, limit=1)
    words = change_words(None if kept is None else kept.portfolio, change.before)
    return Undoing(words, newest[0].id == change_id, 0 if kept is None else kept.version), change, kept


async def _changed_meanwhile(records: Transaction, kept: StoredPortfolio) -> str:
    last = next(iter(await records.portfolios.changes(kept.portfolio.id, limit=1)), None)
    return changed_meanwhile_words(kept.portfolio.name, last)

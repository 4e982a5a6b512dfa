"""Listed options with our own volatility and Greeks: one expiration at a time, priced off the event loop."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError, Unavailable
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import CLOCK_TOLERANCE_SECONDS, Freshness, Quote, freshness
from vaultdash.domain.option import ListedExpirations, OptionChain, contract_from_osi, expiry_at
from vaultdash.market.base import ChainProvider
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.surface import VolatilitySurface
from vaultdash.services.chain_pricing import PricedChain, PricedOption, price_chain, surface_of
from vaultdash.services.dollar_rate import DollarRates

CHAIN_SECONDS = 300.0  # how long a chain is taken for new
USUAL_DAYS = 30  # without a wish, the first expiration at least this far away
REMEMBERED = 64
MAX_DAYS = (30, 60, 90)

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Listing:
    """The expirations of a symbol with the one to begin with."""

    symbol: str
    days: tuple[date, ...]
    default: date
    today: date
    underlying: Quote
    at: datetime
    source: str
    age_seconds: float
    freshness: Freshness
    problem: str | None

    def within(self, max_days: int) -> tuple[date, ...]:
        """Expirations with days to expiry in (0, max_days]."""
        return tuple(day for day in self.days if 0 < (day - self.today).days <= max_days)


@dataclass(frozen=True, slots=True)
class ChainsWithin:
    """The chains of all expirations within some days; `missing` says why an expiration could not be had."""

    listing: Listing
    chains: tuple[PricedChain, ...]
    missing: Mapping[date, str]


class OptionChains:
    """Asks the provider, keeps the last real answers, prices each chain once."""

    def __init__(
        self,
        provider: ChainProvider,
        rates: DollarRates,
        hours: MarketHours,
        now: Callable[[], datetime],
        engine: Callable[[], Awaitable[Engine]],
        *,
        problems: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._provider = provider
        self._rates = rates
        self._hours = hours
        self._now = now
        self._problems = problems
        self._listings: OrderedDict[str, ListedExpirations] = OrderedDict()
        self._chains: OrderedDict[tuple[str, date], OptionChain] = OrderedDict()
        self._priced: OrderedDict[tuple[str, date], tuple[OptionChain, PricedChain]] = OrderedDict()
        self._surfaces: OrderedDict[str, tuple[object, VolatilitySurface | None]] = OrderedDict()
        self._turn = asyncio.Lock()
        self._pricing: OrderedDict[tuple[str, date], asyncio.Lock] = OrderedDict()

    async def expirations(self, symbol: str, *, refresh: bool = False) -> Listing:
        """What is listed; the last answer with its age and the reason when no newer one is to be had."""
        name = clean_symbol(symbol)
        known = self._listings.get(name)
        try:
            listed, problem = await self._provider.expirations(name, refresh=refresh), self._problems(name)
        except ProviderError as error:
            if known is None:
                raise
            listed, problem = known, str(error)
        if known is not None and _is_worse(listed, known, self._now()):
            listed = known
        _remember(self._listings, name, listed)
        today = self._now().astimezone(NEW_YORK).date()
        days = tuple(day for day in listed.days if self._lives(day))
        if not days:
            raise NotFound(f"{name} has no listed expiration from {today} on")
        return Listing(
            symbol=name,
            days=days,
            default=next((day for day in days if (day - today).days >= USUAL_DAYS), days[-1]),
            today=today,
            underlying=listed.underlying,
            at=listed.at,
            source=listed.source,
            age_seconds=self._age(listed.at),
            freshness=self._freshness(listed.underlying, listed.at),
            problem=problem,
        )

    async def chain(self, symbol: str, expiration: date | None = None, *, refresh: bool = False) -> PricedChain:
        """One expiration priced, the default one unless given; raises NotFound when it is not listed."""
        name = clean_symbol(symbol)
        if expiration is None:
            expiration = (await self.expirations(name)).default
        key = (name, expiration)
        known = self._chains.get(key)
        try:
            chain, problem = await self._ask(name, expiration, refresh=refresh), self._problems(name)
        except ProviderError as error:
            if known is None:
                self._require_listed(name, expiration)
                raise
            chain, problem = known, str(error)
        if known is not None and _is_worse(chain, known, self._now()):
            chain = known
        _remember(self._chains, key, chain)
        return self.dated(await self._price(chain), problem)

    async def within(self, symbol: str, max_days: int, *, refresh: bool = False) -> ChainsWithin:
        """All expirations within 30, 60 or 90 days, one after the other as the provider bears it."""
        if max_days not in MAX_DAYS:
            raise InvalidInput("max_days", f"must be one of {', '.join(map(str, MAX_DAYS))}, not {max_days}")
        listing = await self.expirations(symbol, refresh=refresh)
        chains: list[PricedChain] = []
        missing: dict[date, str] = {}
        for day in listing.within(max_days):
            try:
                chains.append(await self.chain(listing.symbol, day, refresh=refresh))
            except (ProviderError, NotFound) as error:
                missing[day] = str(error)
        return ChainsWithin(listing, tuple(self.dated(chain, chain.problem) for chain in chains), missing)

    async def contract(self, osi: str) -> tuple[PricedChain, PricedOption]:
        """A contract by its OSI symbol, with its chain; raises InvalidInput or NotFound."""
        wanted = contract_from_osi(osi)
        chain = await self.chain(wanted.root, wanted.expiration)
        for option in chain.options:
            if option.quote.contract.osi == wanted.osi:
                return chain, option
        raise NotFound(f"{osi.strip()} is not in the chain of {wanted.expiration}")

    def loaded(self, symbol: str) -> tuple[PricedChain, ...]:
        """The chains of a symbol priced so far, by expiration; nothing is asked.

        Only those that live and are of the newest session: times to expiry of different days do not compare.
        """
        name = clean_symbol(symbol)
        chains = [priced for (whose, day), (_, priced) in self._priced.items() if whose == name and self._lives(day)]
        if any(not chain.is_demo for chain in chains):
            chains = [chain for chain in chains if not chain.is_demo]
        newest = max((_session(chain) for chain in chains), default=None)
        of_one_session = [self.dated(chain) for chain in chains if _session(chain) == newest and chain.years > 0]
        return tuple(sorted(of_one_session, key=lambda chain: chain.expiration))

    async def surface(self, symbol: str) -> VolatilitySurface | None:
        """The surface through the chains loaded so far; None when no quote of them is good enough."""
        name = clean_symbol(symbol)
        async with self._turn:
            chains = self.loaded(name)
            stamp = tuple((chain.expiration, chain.at, chain.source, chain.engine) for chain in chains)
            known = self._surfaces.get(name)
            if known is None or known[0] != stamp:
                known = (stamp, await asyncio.to_thread(surface_of, chains))
                _remember(self._surfaces, name, known)
            return known[1]

    async def aclose(self) -> None:
        """Release the provider."""
        await self._provider.aclose()

    async def _ask(self, symbol: str, expiration: date, *, refresh: bool) -> OptionChain:
        """The provider's chain; never an invented one of a day that the real market has listed."""
        chain = await self._provider.chain(symbol, expiration, refresh=refresh)
        listed = self._listings.get(symbol)
        if chain.is_demo and listed is not None and not listed.underlying.is_demo:
            raise Unavailable(self._problems(symbol) or f"no quotes of {symbol} for {expiration} can be had")
        return chain

    def _require_listed(self, symbol: str, expiration: date) -> None:
        """NotFound when the last known list has no such day: then it is not the provider's failure that matters."""
        listed = self._listings.get(symbol)
        if listed is not None and expiration not in listed.days:
            near = sorted(listed.days, key=lambda day: abs((day - expiration).days))[:2]
            raise NotFound(
                f"{symbol} lists no options of {expiration} ({listed.source}); the nearest are "
                f"{' and '.join(map(str, sorted(near)))}"
            )

    async def _price(self, chain: OptionChain) -> PricedChain:
        """Priced off the loop, once; again when the compiled kernels have become ready or the rate has changed."""
        key, rate, engine = (
            (chain.symbol, chain.expiration),
            await self._rates.latest(invented=chain.is_demo),
            await self._engine(),
        )
        lock = self._pricing.get(key) or asyncio.Lock()
        _remember(self._pricing, key, lock)
        async with lock:  # whoever asks for the same meanwhile finds it
            known = self._priced.get(key)
            if known is not None and (known[1].rate, known[1].engine) == (rate, engine) and known[0] == chain:
                return known[1]
            priced = await asyncio.to_thread(price_chain, chain, rate, engine)
            _remember(self._priced, key, (chain, priced))
            return priced

    def dated(self, chain: PricedChain, problem: str | None = None) -> PricedChain:
        """The same chain with its age, freshness and days to expiry as of now."""
        return replace(
            chain,
            age_seconds=self._age(chain.at),
            freshness=self._freshness(chain.underlying, chain.at),
            days_to_expiry=(chain.expiration - self._now().astimezone(NEW_YORK).date()).days,
            problem=problem,
        )

    def _lives(self, expiration: date) -> bool:
        return expiry_at(expiration) > self._now()

    def _age(self, at: datetime) -> float:
        return max((self._now() - at).total_seconds(), 0.0)

    def _freshness(self, underlying: Quote, at: datetime) -> Freshness:
        now = self._now()
        if underlying.is_demo:
            return Freshness.LIVE
        return freshness(
            replace(underlying, at=at),
            now,
            open_seconds=self._hours.open_seconds(at, now),
            market_is_open=self._hours.is_open(now),
            interval_seconds=CHAIN_SECONDS,
        )


def _session(chain: PricedChain) -> date:
    return chain.underlying.at.astimezone(NEW_YORK).date()


def _is_worse(found: OptionChain | ListedExpirations, known: OptionChain | ListedExpirations, now: datetime) -> bool:
    """True when invented ones would replace real ones, or older real ones newer ones.

    What is from the future was read before a clock was set back, and would stand for ever.
    """
    if known.underlying.is_demo or (known.at - now).total_seconds() > CLOCK_TOLERANCE_SECONDS:
        return False
    return found.underlying.is_demo or found.at < known.at


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)

"""The volatility of the odds: what options say at the call price, else at the money, else what gold did."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import NotFound, ProviderError, VaultError
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.chain_pricing import PricedChain
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.gold_in_currency import GoldInCurrency, RateMoves
from vaultdash.services.option_chains import OptionChains

VOLATILITY_INDEX = "^GVZ"
HORIZONS = (1, 3, 6, 12)  # months
FRESH_INDEX = timedelta(days=7)
LEAST_REACH = timedelta(days=270)  # of the last expiration: weeks say nothing of a year
LEAST, MOST = 0.01, 4.0  # what no volatility of gold has ever left
DAYS_PER_MONTH = 365 / 12


class VolatilityKind(StrEnum):
    """Where a volatility comes from, the best first."""

    AT_CALL = "implied_at_call"
    AT_THE_MONEY = "implied_at_the_money"
    INDEX = "gvz"
    MOVES = "ewma"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class VolatilityChoice:
    """A volatility for each horizon in months, per sqrt(year), with what it stands on and from when."""

    kind: VolatilityKind
    name: str
    by_months: Mapping[int, float]
    source: str
    at: datetime | None
    is_demo: bool = False
    is_stale: bool = False

    @property
    def yearly(self) -> float:
        """The one for twelve months."""
        return self.by_months[12]

    def at_years(self, years: float) -> float:
        """The one of the nearest horizon."""
        return self.by_months[min(self.by_months, key=lambda months: abs(months / 12 - years))]

    def joined(self, moves: RateMoves) -> "VolatilityChoice":
        """That of gold in the currency of a loan."""
        return replace(
            self,
            name=f"{self.name}, in {moves.currency}",
            by_months={months: moves.joined(value) for months, value in self.by_months.items()},
            source=f"{self.source}; {moves.source}",
        )


def flat(kind: VolatilityKind, name: str, value: float, source: str, at: datetime | None = None) -> VolatilityChoice:
    """The same volatility for all horizons."""
    return VolatilityChoice(kind, name, dict.fromkeys(HORIZONS, value), source, at)


class OddsVolatility:
    """Lists what is known, the one to use first; nothing is asked of a provider except by `load_chains`."""

    def __init__(self, history: DailyHistory, chains: OptionChains, now: Callable[[], datetime]) -> None:
        self._history = history
        self._chains = chains
        self._now = now
        self._gold = GoldInCurrency(history)

    async def choices(
        self, snapshot: Snapshot, moves: float, moves_source: str, *, is_demo: bool
    ) -> tuple[VolatilityChoice, ...]:
        """The best first; `moves` is the volatility of daily closes, which is always there. `is_demo` is the price's.

        An old volatility index stands behind the closes. Invented option prices never count beside real ones, and
        none that end within months: the odds would follow whichever expirations have been looked at. All
        are of gold in dollars; for a loan in another currency each is joined with the moves of the rate.
        """
        found = list(await self._implied(snapshot, is_demo=is_demo))
        own = flat(VolatilityKind.MOVES, "daily closes", moves, moves_source)
        index = await self._index()
        if index is None:
            found += [own]
        else:
            is_old = index.at is None or self._now() - index.at > FRESH_INDEX
            found += [own, index] if is_old else [index, own]
        if snapshot.rate.is_dollar:
            return tuple(found)
        joining = await self.rate_moves(snapshot)
        return tuple(choice.joined(joining) for choice in found)

    async def rate_moves(self, snapshot: Snapshot) -> RateMoves:
        """How what a dollar costs in the loan's currency, which is not the dollar, moves beside the loan's gold."""
        return await self._gold.moves(snapshot.portfolio.collateral.quoted_by, snapshot.rate)

    def lacks_chains(self, symbol: str) -> bool:
        """True while the option prices loaded do not reach so far that they can speak for a year."""
        chains = self._chains.loaded(symbol)
        return not chains or chains[-1].expiration - self._now().date() < LEAST_REACH

    async def load_chains(self, symbol: str) -> str | None:
        """Ask for the expirations nearest the horizons, so that options can say it; else why it cannot be had."""
        try:
            listing = await self._chains.expirations(symbol)
            for day in nearest_expirations(listing.days, listing.today):
                await self._chains.chain(symbol, day)
        except (ProviderError, NotFound) as error:
            return str(error)
        return None

    async def _implied(self, snapshot: Snapshot, *, is_demo: bool) -> tuple[VolatilityChoice, ...]:
        symbol = snapshot.portfolio.collateral.quoted_by
        chains = self._chains.loaded(symbol)
        if self.lacks_chains(symbol) or (chains[0].is_demo and not is_demo):
            return ()
        try:
            surface = await self._chains.surface(symbol)
            if surface is None:
                return ()
            years = [months / 12 for months in HORIZONS]
            call = snapshot.margin_call_price
            at_call = await asyncio.to_thread(surface.volatility, call, years)
            at_money = await asyncio.to_thread(surface.volatility, surface.forward(years), years)
        except VaultError:  # a surface through quotes that allow none
            return ()
        source, at = _chain_source(chains), min(chain.at for chain in chains)
        stale, demo = any(chain.is_stale for chain in chains), chains[0].is_demo
        found = (
            (VolatilityKind.AT_CALL, f"options at {call:,.2f}", at_call),
            (VolatilityKind.AT_THE_MONEY, "options at the money", at_money),
        )
        return tuple(
            VolatilityChoice(
                kind, name, dict(zip(HORIZONS, map(float, values), strict=True)), source, at, demo, is_stale=stale
            )
            for kind, name, values in found
            if all(LEAST <= value <= MOST for value in values)
        )

    async def _index(self) -> VolatilityChoice | None:
        try:
            history = await self._history.kept(VOLATILITY_INDEX)
        except VaultError:
            return None
        if history is None or not history.bars or not LEAST <= history.bars[-1].close / 100 <= MOST:
            return None
        last = history.bars[-1]
        closed = datetime(last.on.year, last.on.month, last.on.day, 16, tzinfo=NEW_YORK)
        source = f"Cboe gold volatility index, close of {last.on:%-d %b %Y} ({history.source}), 30 days ahead"
        return flat(VolatilityKind.INDEX, "GVZ", last.close / 100, source, closed)


def nearest_expirations(days: tuple[date, ...], today: date) -> tuple[date, ...]:
    """The expiration nearest each horizon, each once."""
    wanted = (round(months * DAYS_PER_MONTH) for months in HORIZONS)
    return tuple(sorted({min(days, key=lambda day: abs((day - today).days - away)) for away in wanted}))


def _chain_source(chains: tuple[PricedChain, ...]) -> str:
    first, last = chains[0].expiration, chains[-1].expiration
    span = f"to {last:%-d %b %Y}" if first == last else f"{first:%-d %b %Y} to {last:%-d %b %Y}"
    count = "1 expiration" if len(chains) == 1 else f"{len(chains)} expirations"
    return f"{chains[-1].source} options, {count}, {span}; beyond them as at the last"

"""The latest recorded chains as a source of chains: old quotes that say how old they are."""

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import NotFound, Unavailable
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.option import ListedExpirations, OptionChain, expiry_at
from vaultdash.files.whole import Stamp
from vaultdash.market.observed.schema import StoredSession
from vaultdash.market.observed.store import RECORDED, ObservedSnapshots, best

SAME_WEEK = timedelta(days=7)  # an expiration missing in the newest recording is taken from one up to so much older
REMEMBERED = 4

Chains = dict[date, OptionChain]


class ObservedChains:
    """For each expiration the newest recording of it, with its own time; never asks the outside.

    A recording that has only begun does not hide the one of the day before. Unavailable when nothing is recorded, or
    nothing that has not expired; NotFound for an expiration that no recording of the last week lists.
    """

    name = "recorded"

    def __init__(self, store: ObservedSnapshots, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._guard = threading.Lock()
        self._remembered: dict[tuple[tuple[StoredSession, Stamp | None], ...], Chains] = {}

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The recorded expirations that have not passed."""
        name = clean_symbol(symbol)
        chains = await asyncio.to_thread(self._current, name)
        newest = max(chains.values(), key=lambda chain: chain.at)
        return ListedExpirations(name, tuple(sorted(chains)), newest.underlying, newest.at, newest.source)

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """The newest recording of one expiration."""
        name = clean_symbol(symbol)
        chains = await asyncio.to_thread(self._current, name)
        if expiration not in chains:
            raise NotFound(f"no chain of {name} for {expiration} is recorded")
        return chains[expiration]

    async def aclose(self) -> None:
        """Nothing to release."""

    def _current(self, symbol: str) -> Chains:
        now = self._now()
        today = now.astimezone(NEW_YORK).date()
        lines = [line for line in self._store.sessions(symbol) if line.on <= today]
        if not lines:
            raise Unavailable(f"no chains of {symbol} are recorded; import some, or record them after the close")
        newest = max(line.on for line in lines)
        days = sorted({line.on for line in lines if newest - line.on <= SAME_WEEK}, reverse=True)
        chosen = tuple(best([line for line in lines if line.on == day]) for day in days)
        chains = self._loaded(chosen)
        current = {day: chain for day, chain in chains.items() if expiry_at(day) > now}
        if not current:
            age = (today - newest).days
            raise Unavailable(
                f"the chains of {symbol} recorded on {newest:%-d %b %Y} are {age} days old "
                "and all their options have expired; record or import newer ones"
            )
        return current

    def _loaded(self, chosen: tuple[StoredSession, ...]) -> Chains:
        from vaultdash.market.observed.chains import chains_of

        key = tuple((line, self._store.stamp(line.underlying, line.on)) for line in chosen)
        with self._guard:
            known = self._remembered.get(key)
        if known is not None:
            return known
        chains: Chains = {}
        failure: Unavailable | None = None
        for line in chosen:
            rows = self._store.load(line.underlying, line.on, line.kind, line.source)
            missing = rows.filter(~rows["expiration"].is_in(list(chains)))
            words = f"recorded {line.on:%-d %b %Y} ({line.source.removeprefix(RECORDED)})"
            try:
                chains |= chains_of(missing, words)
            except Unavailable as error:  # no price of the underlying: an older recording may have one
                failure = failure or error
        if not chains and failure is not None:
            raise failure
        with self._guard:
            self._remembered = dict([*self._remembered.items(), (key, chains)][-REMEMBERED:])
        return chains

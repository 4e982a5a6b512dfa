"""Market days for backtests, from the daily prices that are stored; nothing is waited for."""

import asyncio
from bisect import bisect_right
from datetime import date, timedelta

from vaultdash.backtest.market_days import MarketDays, market_days, monthly_expirations
from vaultdash.backtest.observed import observed_remarks, recorded_quotes
from vaultdash.backtest.premiums import ModelledPremiums, Premiums
from vaultdash.backtest.scenario import Scenario, Source, VolatilityLevel
from vaultdash.clock import MarketHours
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import PriceHistory
from vaultdash.market.base import ChainHistory, SnapshotKind
from vaultdash.services.daily_history import DailyHistory

GOLD, LEVEL, BILL = "GLD", "^GVZ", "^IRX"
IMPORT_HINT = (
    "`vault-dash history import FILE` stores daily prices of your own, `vault-dash history update` asks the provider."
)
LONGEST_TENOR = timedelta(days=5 * 366 + 62)  # sixty months, and the expiration that is nearest to them


class BacktestMarkets:
    """Reads GLD, the gold volatility index, the bill's rate and recorded chains as they are stored."""

    def __init__(self, history: DailyHistory, hours: MarketHours, chains: ChainHistory) -> None:
        self._history = history
        self._chains = chains
        self._hours = hours

    async def gold(self, symbol: str = GOLD) -> PriceHistory:
        """The stored prices; while there are none what the provider gives in a moment, else the demo market's."""
        return await self._history.kept(symbol) or await self._history.load(symbol)

    async def days(
        self,
        symbol: str,
        start: date,
        end: date,
        level: VolatilityLevel = VolatilityLevel.AUTO,
        fallback_rate: float = 0.045,
    ) -> MarketDays:
        """The trading days from `start` to `end` with what was known on each. Raises InvalidInput for days that are
        not there. Index and rate are taken as they are stored, and beside invented prices not at all.
        """
        gold = await self.gold(symbol)
        index, bill = (None, None) if gold.is_demo else [await self._history.kept(name) for name in (LEVEL, BILL)]

        def made() -> MarketDays:
            return market_days(gold, index, bill, self._listed(start, end), start, end, level, fallback_rate)

        return await asyncio.to_thread(made)

    async def premiums(self, scenario: Scenario, market: MarketDays) -> tuple[Premiums, tuple[str, ...]]:
        """Where the scenario's option prices come from, and what is to be said of them. Raises InvalidInput when
        recorded chains are wanted and there are none of these days.
        """
        if scenario.source is Source.MODELLED:
            return ModelledPremiums(), ()
        return await asyncio.to_thread(self._recorded, market)

    async def require_premiums(self, scenario: Scenario, market: MarketDays, on: date | None = None) -> None:
        """Raises InvalidInput when recorded chains are wanted and there are none of these days, or of the day `on`,
        on which something is to be bought.
        """
        if scenario.source is not Source.OBSERVED:
            return
        _, days = await asyncio.to_thread(self._recorded_days, market)
        if on is not None and on not in days:
            raise InvalidInput("entry", f"cannot be on {on}: no option chain is recorded on that day")

    def _recorded(self, market: MarketDays) -> tuple[Premiums, tuple[str, ...]]:
        kind, days = self._recorded_days(market)
        found = recorded_quotes({day: self._chains.chains(market.symbol, day, kind).values() for day in days})
        return found.premiums, observed_remarks(found, market.days, market.closes)

    def _recorded_days(self, market: MarketDays) -> tuple[SnapshotKind, list[date]]:
        """One kind of snapshot, so that marks of one day compare with those of another."""
        first, last = market.days[0], market.days[-1]
        kind = self._chains.usual_kind(market.symbol, first, last)
        wanted = set(market.days)
        days = [] if kind is None else [day for day in self._chains.days(market.symbol, kind) if day in wanted]
        if kind is None or not days:
            raise InvalidInput(
                "source",
                f"is observed, and no option chains of {market.symbol} are recorded from {first} to {last}; "
                "`vault-dash snapshots --help` says how to import some. Or choose modelled",
            )
        return kind, days

    async def trading_day(self, symbol: str, wanted: date) -> date:
        """That day, or the last one before it with a price; raises InvalidInput before the first price."""
        bars = (await self.gold(symbol)).bars
        index = bisect_right(bars, wanted, key=lambda bar: bar.on)
        if index == 0:
            raise InvalidInput("entry", f"on {wanted} has no price: those of {symbol} begin on {bars[0].on}")
        return bars[index - 1].on

    def _listed(self, start: date, end: date) -> tuple[date, ...]:
        """Monthly expirations from the start to the longest tenor after the end; a holiday's is the day before."""
        last = end + LONGEST_TENOR
        return monthly_expirations(start, last, self._hours.sessions(start - timedelta(days=7), last))

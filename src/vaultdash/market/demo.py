"""The demo market: modelled prices without any network, the same for the same instant everywhere, marked DEMO."""

import asyncio
import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import starmap

import numpy as np

from vaultdash.clock import CALENDAR_END, NEW_YORK, MarketHours, session_close
from vaultdash.domain.errors import InvalidInput, NotFound, Unavailable
from vaultdash.domain.exchange import quoted_in
from vaultdash.domain.gold import clean_symbol, instrument
from vaultdash.domain.market import DEMO_SOURCE, Bar, MarketState, PriceHistory, Quote
from vaultdash.domain.option import ListedExpirations, OptionChain
from vaultdash.market.demo_anchors import FIRST_ANCHOR
from vaultdash.market.demo_options import DemoOptions, OptionPrices, Standing
from vaultdash.market.demo_path import DemoPath, Floats, demo_path, volatility_index
from vaultdash.market.listed import no_options

FUNDS = ("GLD", "IAU", "GLDM", "SGOL")
VOLATILITY_INDEX = "^GVZ"
DOLLAR_COSTS = {"CHF=X": 0.80, "EUR=X": 0.86, "GBP=X": 0.75}  # about, in the middle of 2026
BILL_RATE = "^IRX"
BILL_PER_CENT = 4.0
DIGITS = 4  # after the point, of what a dollar costs
BUCKET_SECONDS = 5
STRIKES_REMAIN = 60  # sessions for which strikes stay listed after the price has left them


class DemoMarket:
    """Quotes and daily history of four gold funds, a volatility index, a bill rate and what a dollar costs in three
    currencies, and options on the funds.

    `option_prices` says what an option is worth, the other numbers of a chain are made here; without it there are no
    chains. A session counts as completed at 16:00 New York. The price never stops: it runs from one close to the
    next, so a quote made at 16:00 equals the close the history then shows.
    """

    name = DEMO_SOURCE

    def __init__(
        self, now: Callable[[], datetime], hours: MarketHours, option_prices: OptionPrices | None = None
    ) -> None:
        self._now = now
        self._options = None if option_prices is None else DemoOptions(hours, option_prices)
        self._hours = hours
        self._lock = threading.Lock()
        self._bars: dict[str, tuple[Bar, ...]] = {}
        self._kept: dict[str, PriceHistory] = {}

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The modelled price at this second."""
        at = self._now().replace(microsecond=0)
        name = _known(symbol)
        return await asyncio.to_thread(self._quote, name, at)

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """The completed sessions from `start` to `end`."""
        name = _known(symbol)
        if start > end:
            raise InvalidInput("start", f"must not be after end: {start} to {end}")
        bars = await asyncio.to_thread(self._series, name)
        days = self._path.days
        stop = min(bisect_right(days, end), self._last_completed(self._now()) + 1)
        chosen = bars[bisect_left(days, start) : stop]
        if not chosen:
            raise Unavailable(f"The demo market has no completed session from {start} to {end}; it begins {days[0]}")
        kept = self._kept.get(name)
        if kept is None or kept.bars != chosen:  # the same object while nothing has changed: its answer is kept, too
            kept = self._kept[name] = PriceHistory(name, DEMO_SOURCE, chosen)
        return kept

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The days on which options of a fund would expire, were they listed like those of GLD."""
        at = self._now().replace(microsecond=0)
        name, options = _known(symbol), self._modelled_options()
        return await asyncio.to_thread(lambda: options.listed(self._standing(name, at)))

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """Modelled options at this second, with the flaws that quotes have."""
        at = self._now().replace(microsecond=0)
        name, options = _known(symbol), self._modelled_options()
        return await asyncio.to_thread(lambda: options.chain(self._standing(name, at), expiration))

    async def aclose(self) -> None:
        """Nothing to release."""

    def _modelled_options(self) -> DemoOptions:
        if self._options is None:
            raise Unavailable("The demo market was made without option prices")
        return self._options

    def _standing(self, symbol: str, at: datetime) -> Standing:
        if symbol not in FUNDS:
            raise no_options(DEMO_SOURCE, symbol)
        bars, last = self._series(symbol), self._last_completed(at)
        closes = [bar.close for bar in bars[max(last - STRIKES_REMAIN, 0) : last + 1]]
        volatility = self._quote(VOLATILITY_INDEX, at).price / 100
        return Standing(self._quote(symbol, at), min(closes), max(closes), volatility)

    def _quote(self, symbol: str, at: datetime) -> Quote:
        bars, last = self._series(symbol), self._last_completed(at)
        price = _price_between(bars[last], bars[min(last + 1, len(bars) - 1)], at, _WAVES_OF.get(symbol, 1.0))
        return Quote(symbol, price, bars[last].close, at, DEMO_SOURCE, MarketState.OPEN, currency=quoted_in(symbol))

    def _last_completed(self, at: datetime) -> int:
        """Place of the last session that has ended."""
        days = self._path.days
        place = bisect_right(days, at.astimezone(NEW_YORK).date()) - 1
        if place >= 0 and session_close(days[place]) > at:
            place -= 1
        if place < 0:
            raise Unavailable(f"The demo market begins {days[0]}")
        return place

    def _series(self, symbol: str) -> tuple[Bar, ...]:
        """All bars of a symbol to the end of the calendar, made once."""
        with self._lock:
            if symbol not in self._bars:
                self._bars[symbol] = _bars(self._path, symbol)
            return self._bars[symbol]

    @cached_property
    def _path(self) -> DemoPath:
        return demo_path(self._hours.sessions(FIRST_ANCHOR[0], date.fromisoformat(CALENDAR_END)))


def _known(symbol: str) -> str:
    name = clean_symbol(symbol)
    if name not in (*FUNDS, *DOLLAR_COSTS, VOLATILITY_INDEX, BILL_RATE):
        raise NotFound(f"The demo market has no price for {name}; it knows {', '.join(FUNDS)}")
    return name


def _bars(path: DemoPath, symbol: str) -> tuple[Bar, ...]:
    if symbol == VOLATILITY_INDEX:
        return tuple(map(Bar, path.days, volatility_index(path.close).tolist()))
    if symbol == BILL_RATE:
        return tuple(Bar(day, BILL_PER_CENT) for day in path.days)
    if symbol in DOLLAR_COSTS:
        return tuple(map(Bar, path.days, _dollar_costs(symbol, path.days)))
    ratio = np.array(1.0) if symbol == "GLD" else _ounces(symbol, path.days) / _ounces("GLD", path.days)
    prices = (np.round(column * ratio, 2).tolist() for column in (path.close, path.open, path.high, path.low))
    return tuple(starmap(Bar, zip(path.days, *prices, path.volume.tolist(), strict=True)))


def _dollar_costs(symbol: str, days: list[date]) -> list[float]:
    """Around its level in waves of years to days: some 7 % a year, no trend, and a value fixed by its date."""
    day = np.array([each.toordinal() for each in days]) + 400.0 * list(DOLLAR_COSTS).index(symbol)
    swing = sum(size * np.sin(2 * math.pi * day / period) for size, period in _SWINGS)
    return [round(cost, DIGITS) for cost in (DOLLAR_COSTS[symbol] * np.exp(swing)).tolist()]


def _ounces(symbol: str, days: list[date]) -> Floats:
    known = instrument(symbol)
    return np.array([known.ounces_per_unit(day) or math.nan for day in days])


def _price_between(last: Bar, coming: Bar, at: datetime, size: float) -> float:
    """From one close to the next in log space, with waves and noise of some size that vanish at both closes."""
    if size == 0:
        return last.close
    begin = session_close(last.on)
    span = (session_close(coming.on) - begin) or timedelta(days=1)
    passed = min(max((at - begin) / span, 0.0), 1.0)  # weekends count: the price drifts through them
    bucket = int(at.timestamp()) // BUCKET_SECONDS
    waves = math.fsum(size * math.sin(2 * math.pi * bucket * BUCKET_SECONDS / period) for size, period in _WAVES)
    swing = (waves + 0.0002 * _noise(bucket)) * math.sqrt(4 * passed * (1 - passed))
    price = last.close * math.exp(passed * math.log(coming.close / last.close) + size * swing)
    return round(price, 2 if size == 1.0 else DIGITS)


_WAVES_OF = {BILL_RATE: 0.0, **dict.fromkeys(DOLLAR_COSTS, 0.25)}
_SWINGS = ((0.06, 2500.0), (0.02, 310.0), (0.01, 31.0), (0.006, 13.3), (0.003, 6.1))  # share of the level, days
_WAVES = ((0.0030, 7919.0), (0.0012, 1201.0), (0.0005, 307.0))  # share of the price, seconds


def _noise(bucket: int) -> float:
    """A number in [-1, 1) fixed by the bucket (the splitmix64 finaliser)."""
    mixed = (bucket * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-52 - 1.0

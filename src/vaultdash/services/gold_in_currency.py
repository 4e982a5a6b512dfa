"""Gold in the currency of a loan: its daily history, and how what a dollar costs moves beside gold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from vaultdash.domain.errors import VaultError
from vaultdash.domain.exchange import PAIRS, ExchangeRate
from vaultdash.domain.market import DEMO_SOURCE, Bar, PriceHistory
from vaultdash.risk.volatility import joined_volatility, return_correlation
from vaultdash.services.daily_history import DailyHistory, unbroken_bars

ASSUMED_VOLATILITY = 0.08  # of what a dollar costs; francs, euros and pounds have moved by 6 to 12 % a year
LEAST_JOINED = 0.01  # two that cancel each other out do so in the past only
LEAST_COMMON = 60  # days: fewer tell no correlation
NO_CORRELATION = "its correlation with gold is not known and taken as 0"
A_YEAR = timedelta(days=365)


def gold_words(rate: ExchangeRate) -> str:
    """What rises and falls for a loan: `gold`, or `gold in CHF`."""
    return "gold" if rate.is_dollar else f"gold in {rate.currency}"


@dataclass(frozen=True, slots=True)
class RateMoves:
    """How what a dollar costs in a currency moves: per sqrt(year), and its correlation with gold in dollars."""

    currency: str
    volatility: float
    correlation: float
    source: str

    def joined(self, volatility: float) -> float:
        """The volatility of gold in the currency from that of gold in dollars."""
        return max(joined_volatility(volatility, self.volatility, self.correlation), LEAST_JOINED)


class GoldInCurrency:
    """Joins the histories of a gold fund and of a pair; invented ones count only where today's rate is invented."""

    def __init__(self, history: DailyHistory) -> None:
        self._history = history

    async def history(self, symbol: str, rate: ExchangeRate) -> tuple[PriceHistory, str]:
        """Closes of S_t * X_t / X_now on the days both are known, so in USD at today's rate; and a remark, if any.

        A day's low in another currency is not known, so none is given. Without a history of the pair the dollar
        prices are given, and the remark says so. Raises what loading the fund's raises.
        """
        gold = await self._history.load(symbol)
        if rate.is_dollar:
            return gold, ""
        pair = await self._pair(rate)
        joined = () if pair is None else _joined(gold.bars, pair.bars, rate.per_dollar)
        if pair is None or len(joined) < 2:
            return gold, (
                f"No daily history of {PAIRS[rate.currency]} is stored, so prices are those in dollars, and a dollar "
                f"costs {rate.per_dollar:.4f} {rate.currency} all the time, as it does today."
            )
        by_pair = f"{gold.source}, in {rate.currency} by {pair.symbol} ({pair.source})"
        source = gold.source if gold.is_demo else by_pair
        remark = (
            f"Prices are those of gold in {rate.currency} by the rate of each day, shown in USD at today's "
            f"{rate.per_dollar:.4f}; closes alone, as no low of a day is known in {rate.currency}."
        )
        return replace(gold, source=source, bars=joined), remark

    async def moves(self, symbol: str, rate: ExchangeRate) -> RateMoves:
        """From the last year of daily prices; what they do not tell is assumed, 8 % and no correlation."""
        currency = rate.currency
        own = await self._history.volatility(PAIRS[currency])
        correlation, days = await self._correlation(symbol, rate)
        said = f"correlation with gold {correlation:+.2f} over {days} days" if days else NO_CORRELATION
        if own is None or (own.is_demo and not rate.is_demo):
            words = f"a dollar in {currency} assumed to move by {ASSUMED_VOLATILITY:.0%} a year, {said}"
            return RateMoves(currency, ASSUMED_VOLATILITY, correlation, words)
        words = f"a dollar in {currency} moves by {own.value:.1%} a year ({own.source}), {said}"
        return RateMoves(currency, own.value, correlation, words)

    async def _correlation(self, symbol: str, rate: ExchangeRate) -> tuple[float, int]:
        """Of the days both are known; 0 of no days when there are too few."""
        pair = await self._pair(rate)
        if pair is None:
            return 0.0, 0
        try:
            gold = await self._history.load(symbol)
            if gold.is_demo and not rate.is_demo:
                return 0.0, 0
            since = pair.bars[-1].on - A_YEAR
            costs = {bar.on: bar.close for bar in pair.between(since, None).bars}
            common = unbroken_bars(tuple(bar for bar in gold.between(since, None).bars if bar.on in costs))
            if len(common) <= LEAST_COMMON:
                return 0.0, 0
            found = return_correlation([bar.close for bar in common], [costs[bar.on] for bar in common])
        except VaultError:  # no prices, or some that are none
            return 0.0, 0
        return found, len(common) - 1

    async def _pair(self, rate: ExchangeRate) -> PriceHistory | None:
        try:
            pair = await self._history.load(PAIRS[rate.currency])
        except VaultError:  # not stored, and not to be had
            return None
        return None if not pair.bars or (pair.source == DEMO_SOURCE and not rate.is_demo) else pair


def _joined(gold: Sequence[Bar], pair: Sequence[Bar], per_dollar: float) -> tuple[Bar, ...]:
    costs = {bar.on: bar.close for bar in pair if bar.close > 0}
    return tuple(Bar(bar.on, bar.close * costs[bar.on] / per_dollar) for bar in gold if bar.on in costs)

"""Recorded chains of several days as premiums of a replay: which quotes are used, and how many are not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from vaultdash.backtest.premiums import ObservedPremiums
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import SHARES_PER_CONTRACT, OptionChain, OptionQuote, Right
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.quote_filter import two_sided

ROUNDING = 1e-9  # of the strike
OTHER_MOMENT = 0.005  # of the close; a share price further off than that was read at another time

Mask = npt.NDArray[np.bool_]
Contract = tuple[date, float, Right]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedQuotes:
    """Premiums, and what was there before the doubtful quotes went: `quotes` in all, `left_out` by reason.

    `share_prices` USD are those that were recorded with the chains, by day.
    """

    premiums: ObservedPremiums
    quotes: int
    left_out: Mapping[str, int]
    share_prices: Mapping[date, float]


def recorded_quotes(chains: Mapping[date, Collection[OptionChain]]) -> RecordedQuotes:
    """The quotes of each day's chains, in one table of days and contracts.

    A quote is used when its bid is above zero, its ask above the bid, the spread at most 0.10 USD or a quarter of
    mid, its ask not below what exercise pays at the share price that was recorded with it, and its bid not above what
    the option can ever pay (S for a call, K for a put). Half a spread is thus the tolerance at the exercise value, as
    for `quote_filter`. Contracts that deliver something else than 100 shares, and other classes than that of the
    symbol, are not used. What expires on the day itself has no premium any more and is not counted either. Raises
    InvalidInput when no day has a chain.
    """
    days = tuple(sorted(day for day, listed in chains.items() if any(chain.expiration > day for chain in listed)))
    if not days:
        raise InvalidInput("source", "observed needs recorded chains, and there are none of these days")
    left_out: dict[str, int] = {}
    tables: list[tuple[list[Contract], FloatArray, FloatArray]] = []
    share_prices: dict[date, float] = {}
    count = 0
    for day in days:
        listed = [chain for chain in chains[day] if chain.expiration > day]
        quotes = [(quote, chain) for chain in listed for quote in chain.quotes]
        count += len(quotes) + sum(sum(chain.left_out.values()) for chain in listed)
        for chain in listed:
            for words, number in chain.left_out.items():
                left_out[words] = left_out.get(words, 0) + number
        table, reasons = _believed(quotes)
        for words, number in reasons.items():
            left_out[words] = left_out.get(words, 0) + number
        tables.append(table)
        share_prices[day] = max(listed, key=lambda chain: chain.at).underlying.price
    contracts = sorted({contract for names, _, _ in tables for contract in names})
    places = {contract: place for place, contract in enumerate(contracts)}
    bids, asks = (np.full((len(days), len(contracts)), np.nan) for _ in range(2))
    for row, (names, bid, ask) in enumerate(tables):
        columns = [places[contract] for contract in names]
        bids[row, columns], asks[row, columns] = bid, ask
    premiums = ObservedPremiums(
        days=days,
        rights=np.array([1 if right is Right.CALL else -1 for _, _, right in contracts], dtype=np.int8),
        strikes=np.array([strike for _, strike, _ in contracts], dtype=np.float64),
        expirations=tuple(expiration for expiration, _, _ in contracts),
        bids=bids,
        asks=asks,
        thin_quotes=sum(left_out.values()),
    )
    return RecordedQuotes(premiums, count, dict(sorted(left_out.items())), share_prices)


def observed_remarks(recorded: RecordedQuotes, days: Sequence[date], closes: FloatArray) -> tuple[str, ...]:
    """What a reader must know of recorded quotes on the trading `days` of a replay with these `closes`, USD."""
    prices, last = recorded.share_prices, max(recorded.premiums.expirations, default=None)
    missing = [day for day in days if day not in prices]
    remarks = [f"The recorded options expire by {last}: longer tenors take the nearest there is."] if last else []
    if missing:
        named = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        remarks.append(
            f"No chains are recorded for {len(missing)} of {len(days)} days ({named}): nothing is bought or sold on "
            "them, and options are worth what exercise pays and the time value of their last quote."
        )
    if recorded.left_out:
        reasons = ", ".join(f"{words.replace('_', ' ')} {number:,}" for words, number in recorded.left_out.items())
        remarks.append(
            f"{recorded.premiums.thin_quotes:,} of {recorded.quotes:,} recorded quotes are not used: {reasons}."
        )
    off = [
        f"{day} ({prices[day]:.2f} against a close of {close:.2f})"
        for day, close in zip(days, closes.tolist(), strict=True)
        if day in prices and abs(prices[day] / close - 1.0) > OTHER_MOMENT
    ]
    if off:
        remarks.append(f"Chains were recorded at another share price than the day's close: {', '.join(off)}.")
    return tuple(remarks)


def _believed(
    quotes: Sequence[tuple[OptionQuote, OptionChain]],
) -> tuple[tuple[list[Contract], FloatArray, FloatArray], dict[str, int]]:
    """The contracts of a day that are used, their bids and asks; and how many are not, each by its first reason."""
    bid = np.array([np.nan if quote.bid is None else quote.bid for quote, _ in quotes], dtype=np.float64)
    ask = np.array([np.nan if quote.ask is None else quote.ask for quote, _ in quotes], dtype=np.float64)
    strike = np.array([quote.contract.strike for quote, _ in quotes], dtype=np.float64)
    spot = np.array([chain.underlying.price for _, chain in quotes], dtype=np.float64)
    is_call = np.array([quote.contract.right is Right.CALL for quote, _ in quotes], dtype=np.bool_)
    usual = [q.contract.multiplier == SHARES_PER_CONTRACT and q.contract.root == c.symbol for q, c in quotes]
    exercise = np.where(is_call, spot - strike, strike - spot)
    most = np.where(is_call, spot, strike)
    tests: tuple[tuple[str, Mask], ...] = (
        ("adjusted", ~np.array(usual, dtype=np.bool_)),
        ("no_bid", ~(bid > 0.0)),
        ("no_ask", ~(ask > 0.0)),
        ("locked_or_crossed", ask <= bid),
        ("wide_spread", ~two_sided(bid, ask)),
        ("below_intrinsic", ask < exercise - ROUNDING * strike),
        ("above_bound", bid > most + ROUNDING * strike),
    )
    is_used = np.ones(len(quotes), dtype=np.bool_)
    reasons = {}
    for words, is_wrong in tests:
        number = int(np.count_nonzero(is_used & is_wrong))
        if number:
            reasons[words] = number
        is_used &= ~is_wrong
    used = np.flatnonzero(is_used)
    contracts = [quotes[place][0].contract for place in used.tolist()]
    names = [(contract.expiration, contract.strike, contract.right) for contract in contracts]
    return (names, bid[used], ask[used]), reasons

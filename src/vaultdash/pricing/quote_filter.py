"""Which quotes of a chain are fit to be priced from, and what is wrong with the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.base import FloatArray, Numbers

WIDE_SPREAD = 0.25  # of mid
WIDE_SPREAD_USD = 0.10
ROUNDING = 1e-9  # of the strike
NONSENSE = 1e9  # USD; a larger number is no price
PARITY_TOLERANCE = 0.005  # of spot: the share and its options are not always read at the same moment
MOST_SUSPECTS = 12  # that are tried one by one when quotes contradict each other

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Reasons = npt.NDArray[np.int64]


class Reason(IntFlag):
    """Why a quote is not used."""

    NO_BID = 1
    NO_ASK = 2
    CROSSED = 4  # bid above ask
    LOCKED = 8  # bid equal to ask
    WIDE_SPREAD = 16  # the spread is more than a quarter of mid and more than 0.10
    BELOW_INTRINSIC = 32  # the ask is less than exercise pays
    ABOVE_BOUND = 64  # the bid is more than the option can ever pay
    NOT_MONOTONE = 128  # buy one strike, sell another, and keep the difference
    NOT_CONVEX = 256  # the same with three strikes


REASON_WORDS: Mapping[Reason, str] = {reason: str(reason.name).lower() for reason in Reason}


def reason_words(reasons: int) -> tuple[str, ...]:
    """The names of the reasons in a bit mask, in order; none when the quote is usable."""
    return tuple(word for reason, word in REASON_WORDS.items() if reasons & reason)


@dataclass(frozen=True, slots=True, eq=False)
class QuoteFilter:
    """One entry a quote, in the order given: `usable`, and in `reasons` the bits of `Reason` against it."""

    usable: Mask
    reasons: Reasons

    def count(self, reason: Reason) -> int:
        """How many quotes have that reason."""
        return int(np.count_nonzero(self.reasons & reason))

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The reasons of each quote by name."""
        return tuple(reason_words(int(bits)) for bits in self.reasons)


def two_sided(bid: Numbers, ask: Numbers) -> Mask:
    """Where bid and ask (USD, one shape, NaN where there is none) are both there, apart, and not wide.

    What can be judged before the share price is believed: enough for the pairs of `parity_forward`.
    """
    bids, asks = (np.asarray(given, dtype=np.float64) for given in (bid, ask))
    with np.errstate(all="ignore"):
        quoted = (bids > 0) & (asks > bids) & (asks < NONSENSE)
        wide = asks - bids > np.maximum(WIDE_SPREAD_USD, WIDE_SPREAD * 0.5 * (asks + bids)) + ROUNDING
    return np.asarray(quoted & ~wide, dtype=np.bool_)


def filter_quotes(
    bid: Numbers,
    ask: Numbers,
    strike: Numbers,
    sign: Numbers,
    spot: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
) -> QuoteFilter:
    """Judge the quotes of one or more expiries of American options; arrays by broadcasting to one dimension.

    `bid`, `ask`, `strike`, `spot` USD, NaN where there is none; `sign` +1 call, -1 put; `years` to expiry, `rate` and
    `dividend_yield` continuous a year. No row raises; arguments that do not broadcast raise InvalidInput.

    A quote is refused as arbitrage only when it can be traded at bid and ask. So a mid below the exercise value
    passes while the ask is not below it (half a spread is the tolerance: usual deep in the money), and a bid, not a
    mid, breaks the upper bound: S for a call, K for a put, each grown by its negative yield or rate.
    Within one expiry and right: a bid above the ask of a strike that pays at least as much, two strikes further
    apart in price than in strike (not monotone), or a bid above the line between two asks around it (not convex).
    `spot` and `dividend_yield` must belong to the quotes' own moment: against a share price that is 0.7 % off, good
    quotes look like arbitrage. So find the forward first, from pairs that are `two_sided`, and give its `spot` and
    `effective_yield` here.
    They are judged among the quotes without another reason (a wide spread aside). When they contradict each other,
    one at a time goes so that its good neighbours stay: first the one in the money (where quotes may be weeks old)
    that contradicts the other right's quotes by put-call parity too, by more than half a per cent of spot; then the
    one whose going leaves the least contradiction.
    """
    rows = _broadcast(bid, ask, strike, sign, spot, years, rate, dividend_yield)
    bids, asks, strikes = (np.where(np.abs(row) < NONSENSE, row, np.nan) for row in rows[:3])
    signs, spots, expiries, rates, yields = rows[3:]
    with np.errstate(all="ignore"):
        has_bid, has_ask = bids > 0, asks > 0
        both = has_bid & has_ask
        spread, mid = asks - bids, 0.5 * (asks + bids)
        tolerance = ROUNDING * strikes
        bound = np.where(
            signs > 0,
            spots * np.exp(np.maximum(-yields * expiries, 0.0)),
            strikes * np.exp(np.maximum(-rates * expiries, 0.0)),
        )
        reasons = (
            np.where(has_bid, 0, Reason.NO_BID)
            | np.where(has_ask, 0, Reason.NO_ASK)
            | np.where(both & (spread < 0), Reason.CROSSED, 0)
            | np.where(both & (spread == 0), Reason.LOCKED, 0)
            | np.where(
                both & (spread > np.maximum(WIDE_SPREAD_USD, WIDE_SPREAD * mid) + tolerance), Reason.WIDE_SPREAD, 0
            )
            | np.where(has_ask & (asks < signs * (spots - strikes) - tolerance), Reason.BELOW_INTRINSIC, 0)
            | np.where(has_bid & (bids > bound + tolerance), Reason.ABOVE_BOUND, 0)
            | np.where(strikes > 0, 0, Reason.ABOVE_BOUND)  # without a strike it pays nothing
        ).astype(np.int64)
    judged = (reasons & ~np.int64(Reason.WIDE_SPREAD)) == 0
    for years_left in np.unique(expiries[judged]):
        expiry = np.flatnonzero((expiries == years_left) & (strikes > 0))
        expiry = expiry[np.lexsort((asks[expiry], strikes[expiry]))]
        market = (row[expiry] for row in (bids, asks, strikes, signs, spots, expiries, rates, yields))
        doubt = _parity_gaps(*market) - PARITY_TOLERANCE * spots[expiry]
        for right in (1.0, -1.0):
            group = judged[expiry] & (signs[expiry] == right)
            chosen = expiry[group]
            reasons[chosen] |= _contradictions(strikes[chosen], bids[chosen], asks[chosen], right, doubt[group])
    return QuoteFilter(reasons == 0, reasons)


def _broadcast(*given: npt.ArrayLike) -> list[FloatArray]:
    try:
        return [np.ravel(row) for row in np.broadcast_arrays(*(np.asarray(row, dtype=np.float64) for row in given))]
    except (TypeError, ValueError):
        raise InvalidInput("quotes", "must be numbers in arrays that broadcast to one shape") from None


def _parity_gaps(
    bid: FloatArray,
    ask: FloatArray,
    strike: FloatArray,
    sign: FloatArray,
    spot: FloatArray,
    years: FloatArray,
    rate: FloatArray,
    dividend_yield: FloatArray,
) -> FloatArray:
    """By how many USD each quote of an expiry misses S exp(-qT) - K <= C - P <= S - K exp(-rT) (r, q >= 0); 0 within.

    Only for quotes in the money, 0 for others: out of the money the other right is the doubtful one. It is held
    against the lowest ask of opposite options that pay at least as much, and the highest bid of those that pay less.
    """
    carry, discount = np.exp(-dividend_yield * years), np.exp(-rate * years)
    most = spot * np.maximum(carry, 1.0) - strike * np.minimum(discount, 1.0)
    least = spot * np.minimum(carry, 1.0) - strike * np.maximum(discount, 1.0)
    gaps = np.zeros_like(strike)
    for right, highest, lowest in ((1.0, most, least), (-1.0, -least, -most)):
        own, other = np.flatnonzero((sign == right) & (right * (spot - strike) > 0)), np.flatnonzero(sign == -right)
        other = other[np.argsort(right * strike[other], kind="stable")]
        places, at = right * strike[other], right * strike[own]
        asks = np.where(ask[other] > 0, ask[other], np.inf)
        bids = np.where(bid[other] > 0, bid[other], 0.0)
        cheapest = np.append(np.minimum.accumulate(asks[::-1])[::-1], np.inf)[np.searchsorted(places, at, "left")]
        dearest = np.append(0.0, np.maximum.accumulate(bids))[np.searchsorted(places, at, "right")]
        gap = np.maximum(bid[own] - cheapest - highest[own], dearest + lowest[own] - ask[own])
        gaps[own] = np.maximum(np.nan_to_num(gap), 0.0)
    return gaps


def _contradictions(strike: FloatArray, bid: FloatArray, ask: FloatArray, sign: float, doubt: FloatArray) -> Reasons:
    """The reasons of quotes of one expiry and right, by strike; `doubt` above 0 marks those that go first."""
    # A call falls with the strike as a put rises: seen from the other end they are the same.
    turn = slice(None, None, -1 if sign > 0 else 1)
    book = _Book(-sign * strike[turn], bid[turn], ask[turn], doubt[turn])
    found = np.zeros(len(strike), dtype=np.int64)
    rows = np.arange(len(strike))
    while len(rows):
        monotone, convex = book.gains(rows)
        if not (np.maximum(monotone, convex) > 0).any():
            break
        worst = book.worst(rows, np.maximum(monotone, convex))
        # Either it bids too much itself, or its ask makes others look so.
        own = np.array([monotone[rows == worst][0], convex[rows == worst][0]])
        steps, bends = own if own.any() else (monotone.max(), convex.max())
        found[worst] = Reason.NOT_MONOTONE if steps >= bends else Reason.NOT_CONVEX
        rows = rows[rows != worst]
    return found[turn]


class _Book:
    """Bids and asks of puts by strike (or of calls, mirrored), and what trading one against others gains."""

    def __init__(self, strike: FloatArray, bid: FloatArray, ask: FloatArray, doubt: FloatArray) -> None:
        self._strike, self._bid, self._ask, self._doubt = strike, bid, ask, doubt
        self._tolerance = ROUNDING * np.abs(strike)

    def gains(self, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """USD to be had by selling each of `rows` at its bid and buying one other, or two around it, at ask."""
        strike, bid, ask = self._strike[rows], self._bid[rows], self._ask[rows]
        higher = np.minimum.accumulate(ask[::-1])[::-1]  # the cheapest that pays at least as much
        lower = strike + np.minimum.accumulate(ask - strike)  # the cheapest that pays less by the distance at most
        hull = _hull(strike, ask)
        below = np.interp(strike, strike[hull], ask[hull])
        tolerance = self._tolerance[rows]
        monotone, convex = bid - np.minimum(higher, lower) - tolerance, bid - below - tolerance
        return np.maximum(monotone, 0.0), np.maximum(convex, 0.0)

    def worst(self, rows: Rows, gains: FloatArray) -> int:
        """The row that is doubted most, else the one without which the least is left to gain.

        Of equals it is the one farther from its neighbours.
        """
        suspects = rows[self._suspects(rows, gains)]
        doubtful = suspects[np.argmax(self._doubt[suspects])]
        if self._doubt[doubtful] > 0:
            return int(doubtful)
        suspects = suspects[:MOST_SUSPECTS]
        left = [float(np.sum(np.maximum(*self.gains(rows[rows != suspect])))) for suspect in suspects]
        least = min(left)
        equal = [int(suspect) for suspect, rest in zip(suspects, left, strict=True) if rest <= least + ROUNDING]
        neighbours = rows[~np.isin(rows, equal)]
        return max(equal, key=lambda row: self._distance(row, neighbours))

    def _suspects(self, rows: Rows, gains: FloatArray) -> list[int]:
        strike, ask, bid = self._strike[rows], self._ask[rows], self._bid[rows]
        hull = _hull(strike, ask)
        blame = gains.copy()
        for seller in np.flatnonzero(gains > 0):
            right = int(np.searchsorted(strike[hull], strike[seller]))
            for buyer in hull[max(right - 1, 0) : right + 1]:
                blame[buyer] += gains[seller]
            for buyer in (seller + int(np.argmin(ask[seller:])), int(np.argmin((ask - strike)[: seller + 1]))):
                blame[buyer] += max(bid[seller] - ask[buyer] - max(strike[seller] - strike[buyer], 0.0), 0.0)
        found = np.flatnonzero(blame > 0)
        return [int(row) for row in found[np.argsort(-blame[found])]]

    def _distance(self, row: int, neighbours: Rows) -> float:
        """How far its mid is from the line between the nearest others, in half spreads."""
        if not len(neighbours):
            return float(self._ask[row] - self._bid[row])
        mids = 0.5 * (self._bid + self._ask)
        line = np.interp(self._strike[row], self._strike[neighbours], mids[neighbours])
        return float(abs(mids[row] - line) / (0.5 * (self._ask[row] - self._bid[row])))


def _hull(x: FloatArray, y: FloatArray) -> Rows:
    """Positions of the corners of the greatest convex function below the points; `x` ascending."""
    corners: list[int] = []
    xs, ys = x.tolist(), y.tolist()
    for i in range(len(xs)):
        if corners and xs[i] == xs[corners[-1]]:
            if ys[i] >= ys[corners[-1]]:
                continue
            corners.pop()
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (ys[b] - ys[a]) * (xs[i] - xs[a]) < (ys[i] - ys[a]) * (xs[b] - xs[a]):
                break
            corners.pop()
        corners.append(i)
    return np.array(corners, dtype=np.intp)

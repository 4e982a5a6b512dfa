"""Days before expiry: what the options of a hedge are worth then, and the search that keeps the rules there too."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.option import SECONDS_PER_YEAR, Right, expiry_at
from vaultdash.pricing.american import american_price
from vaultdash.pricing.implied import implied_volatility
from vaultdash.strategies.cheapest_check import check
from vaultdash.strategies.cheapest_rows import Floats, Rows, add_prices
from vaultdash.strategies.cheapest_search import TITLE, Searched, search
from vaultdash.strategies.cheapest_terms import ALL_DATES, HedgeTerms, Line
from vaultdash.strategies.cheapest_time import Deadline

MOMENTS = 12  # from now to the horizon, both tested, closer together towards the end: time value goes fastest there
PRICES = 96  # on each of them, beside the strikes
MONTH = 30 / 365
POINTS_PER_MOVE = 1.0  # volatility points per 1 % of the price, for 30 days: domain note on volatility in scenarios
UNKNOWN_SPREAD = 0.25  # of the bid, where nobody says what buying back would cost
LEAST_SPREAD = 0.10  # USD

Point = tuple[datetime, float]


class EarlierDates:
    """The value of lines and hedges on days before the horizon, marked against their owner.

    American prices at each contract's own volatility, which stays with the strike: its `volatility`, or that of its
    mid, or the highest known one for a sold contract; a bought one without any counts at what exercise pays. A bought
    option is taken at half its spread below the model, not below exercise, and no help from volatility; a sold one at
    half its spread above, with volatility up by a point per 1 % that the price has moved either way.
    """

    def __init__(self, terms: HedgeTerms, lines: Sequence[Line]) -> None:
        self.terms = terms
        self.lines = lines
        has_calls = any(line.direction < 0 for line in lines)
        self.is_needed = terms.check_dates == ALL_DATES and has_calls and terms.at is not None
        self.moments = self._moments() if self.is_needed else ()
        self._volatility = self._volatilities() if self.moments else np.empty(0)
        self._place = {id(line.option): place for place, line in enumerate(lines)}
        self._on_grid: Floats | None = None  # worth keeping: a search asks for it several times

    def points(self, hedge: ListedHedge) -> list[tuple[date, float, float]]:
        """Every moment and price that is tested: (day, price, value of the hedge, USD)."""
        return [point for moment in self.moments for point in self.at_moment(hedge, moment)]

    def at_moment(self, hedge: ListedHedge, moment: datetime) -> list[tuple[date, float, float]]:
        """The same at one moment."""
        low, high = self.terms.lowest, self.terms.highest
        inside = [strike for strike in hedge.strikes if low < strike < high]
        prices = np.array(sorted({*np.linspace(low, high, PRICES + 1).tolist(), *inside, self.terms.spot}))
        prices = prices[(prices >= low) & (prices <= high)]
        places = [self._place[id(leg.option)] for leg in hedge.legs]
        counts = np.array([abs(leg.contracts) for leg in hedge.legs], dtype=np.float64)
        total = self.values(places, moment, prices) @ counts
        day = moment.astimezone(UTC).date()
        return [(day, float(price), float(value)) for price, value in zip(prices, total, strict=True)]

    def places(self, lines: Sequence[Line]) -> list[int]:
        """Where these lines stand among all of them."""
        return [self._place[id(line.option)] for line in lines]

    def grid(self, lines: Sequence[Line]) -> tuple[Floats, Floats]:
        """The prices of the grid, moment after moment, and the values of these lines there, (prices, lines), USD."""
        prices = np.linspace(self.terms.lowest, self.terms.highest, PRICES + 1)
        if self._on_grid is None:
            every = range(len(self.lines))
            parts = [self.values(every, moment, prices) for moment in self.moments]
            self._on_grid = np.vstack(parts) if parts else np.empty((0, len(self.lines)))
        return np.tile(prices, len(self.moments)), self._on_grid[:, self.places(lines)]

    def values(self, places: Sequence[int], moment: datetime, prices: Floats) -> Floats:
        """One contract of the lines at `places`, (prices, lines), USD; negative when sold."""
        if not places:
            return np.zeros((len(prices), 0))
        chosen = [self.lines[place] for place in places]
        strike = np.array([line.option.strike for line in chosen])
        sign = np.array([-1.0 if line.option.right is Right.PUT else 1.0 for line in chosen])
        years = np.array([(expiry_at(line.option.expiration) - moment).total_seconds() for line in chosen])
        years = np.maximum(years / SECONDS_PER_YEAR, 0.0)
        sold = np.array([line.direction < 0 for line in chosen])
        volatility = self._volatility[list(places)]
        exercise = np.maximum(sign * (prices[:, None] - strike), 0.0)
        move = np.abs(prices[:, None] / self.terms.spot - 1.0)
        shift = POINTS_PER_MOVE * move * np.sqrt(np.minimum(1.0, MONTH / np.maximum(years, 1e-9)))
        is_priced = (years > 0) & np.isfinite(volatility)
        worth = exercise.copy()
        if is_priced.any():
            worth[:, is_priced] = american_price(
                prices[:, None],
                strike[is_priced],
                years[is_priced],
                self.terms.rate,
                0.0,
                volatility[is_priced] + np.where(sold[is_priced], shift[:, is_priced], 0.0),
                np.where(sign[is_priced] > 0, "C", "P"),
            )
        half = np.array([_half_spread(line) for line in chosen])
        marked = np.where(sold, worth + half, worth - half)
        open_still = np.maximum(marked, exercise)
        shares = np.array([line.shares for line in chosen])
        return np.asarray(np.where(years > 0, open_still, exercise) * shares)

    def _moments(self) -> tuple[datetime, ...]:
        assert self.terms.at is not None
        end = expiry_at(self.terms.horizon)
        if end <= self.terms.at:
            return ()
        left = [(1.0 - number / (MOMENTS - 1)) ** 2 for number in range(MOMENTS)]
        return tuple(end - (end - self.terms.at) * part for part in left)

    def _volatilities(self) -> Floats:
        assert self.terms.at is not None
        options = [line.option for line in self.lines]
        own = np.array([np.nan if each.volatility is None else each.volatility for each in options])
        mids = np.array([np.nan if each.mid is None else each.mid for each in options])
        years = [max((expiry_at(each.expiration) - self.terms.at).total_seconds(), 0.0) for each in options]
        found = implied_volatility(
            mids,
            self.terms.spot,
            [each.strike for each in options],
            np.array(years) / SECONDS_PER_YEAR,
            self.terms.rate,
            0.0,
            [each.right.value for each in options],
        )
        known = np.where(np.isfinite(own) & (own > 0), own, found.value)
        highest = float(np.nanmax(known)) if np.isfinite(known).any() else 1.0
        sold = np.array([line.direction < 0 for line in self.lines])
        return np.where(np.isnan(known) & sold, highest, known)


def search_dates(
    terms: HedgeTerms,
    lines: Sequence[Line],
    rows: Rows,
    deadline: Deadline,
    earlier: EarlierDates,
    objective: Floats | None = None,
    title: str = TITLE,
    *,
    enough: bool = False,
) -> Searched:
    """`search` with the rules on the days before as further rows.

    Every moment has a row for each price of a grid. A hedge's own strikes come to it where its value breaks a rule
    there; a rule that was broken at a point holds from then on, so that it ends.
    """
    if not earlier.moments:
        return search(terms, lines, rows, deadline, objective, title, enough=enough)
    add_grid(terms, lines, rows, earlier)

    def further(hedge: ListedHedge) -> int:
        before = len(rows.least)
        for moment, price in _broken_points(terms, hedge, earlier):
            at = np.array([price])
            add_prices(rows, terms, at, earlier.values(earlier.places(lines), moment, at))
        return len(rows.least) - before

    found = search(terms, lines, rows, deadline, objective, title, further=further, enough=enough)
    if found.hedge is None:
        return found
    return replace(found, check=check(terms, found.hedge, earlier.points(found.hedge)))


def add_grid(terms: HedgeTerms, lines: Sequence[Line], rows: Rows, earlier: EarlierDates) -> None:
    """The rules at every moment, on the grid of prices, as further rows."""
    prices, values = earlier.grid(lines)
    if len(prices):
        add_prices(rows, terms, prices, values)


def _broken_points(terms: HedgeTerms, hedge: ListedHedge, earlier: EarlierDates) -> list[Point]:
    found: list[Point] = []
    for moment in earlier.moments:
        result = check(terms, hedge, earlier.at_moment(hedge, moment), steps=1)
        found += [(moment, each.price) for each in result.broken if each.price is not None]
    return found


def _half_spread(line: Line) -> float:
    option = line.option
    if option.mid is not None and option.ask is not None:
        return option.ask - option.mid
    if line.direction > 0:
        return 0.5 * line.price  # nobody bids
    return 0.5 * max(LEAST_SPREAD, UNKNOWN_SPREAD * line.price)

"""How likely a margin call is: a range over models and drifts, never one number."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from vaultdash.compute.base import Compute
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.validation import finite
from vaultdash.feed import Feed
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.gold_in_currency import RateMoves, gold_words
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_report import Odds, accrual_rate, closed_form, reckon
from vaultdash.services.odds_simulation import OddsSimulations, Progress
from vaultdash.services.odds_volatility import HORIZONS, OddsVolatility, VolatilityKind, flat
from vaultdash.services.option_chains import OptionChains

LARGEST_VIEW = 1.0  # a yearly drift; beyond it nobody speaks of gold
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 4.0
RENEWED_AFTER = timedelta(hours=1)  # daily closes come once a day
Rate = tuple[str, str, bool]  # symbol of the gold, currency of the loan, whether its rate is invented


class CallOdds:
    """Closed form at once; simulations in a worker, remembered for the price and loan they were made for."""

    def __init__(
        self,
        history: DailyHistory,
        chains: OptionChains,
        rates: DollarRates,
        compute: Compute,
        now: Callable[[], datetime],
    ) -> None:
        self.volatilities = OddsVolatility(history, chains, now)
        self._simulations = OddsSimulations(history, compute, now)
        self._rates = rates
        self._now = now
        self._moves: dict[Rate, tuple[datetime, RateMoves]] = {}  # when they were read
        self._reading: dict[Rate, asyncio.Task[None]] = {}

    def quick(self, snapshot: Snapshot, volatility: float) -> Mapping[int, float]:
        """Closed form by months, drift 0, close-of-day monitoring, at the loan's own accrual: what alerts watch.

        `volatility` is that of gold in dollars; for a loan in another currency it is joined with the moves of the
        rate, and nothing is said in the moments until they have been read. No option is counted: too high for a
        lender who counts bought ones, too low for one who counts sold ones. A loan called already has 1.
        """
        if snapshot.is_called:
            return dict.fromkeys(HORIZONS, 1.0)
        moves = flat(VolatilityKind.MOVES, "", volatility, "")
        if not snapshot.rate.is_dollar:
            joining = self._rate_moves(snapshot)
            if joining is None:
                return {}
            moves = moves.joined(joining)
        return closed_form(snapshot, moves, 0.0, accrual_rate(snapshot.portfolio.loan.interest))

    def _rate_moves(self, snapshot: Snapshot) -> RateMoves | None:
        """As last read, at most an hour ago or being read again behind the caller."""
        rate = snapshot.rate
        key = snapshot.portfolio.collateral.quoted_by, rate.currency, rate.is_demo
        read_at, known = self._moves.get(key, (None, None))
        if key not in self._reading and (read_at is None or self._now() - read_at > RENEWED_AFTER):

            async def read() -> None:
                try:
                    self._moves[key] = self._now(), await self.volatilities.rate_moves(snapshot)
                finally:
                    del self._reading[key]

            self._reading[key] = asyncio.create_task(read(), name="moves of the exchange rate")
        return known

    async def look(
        self,
        beat: Beat,
        snapshot: Snapshot,
        *,
        kind: VolatilityKind | None = None,
        volatility: float | None = None,
        view: float | None = None,
    ) -> Odds:
        """What is known now, at once: the best volatility unless a `kind` or a number is given; `view` is the owner's
        own drift. Raises InvalidInput.
        """
        is_demo = beat.status is not None and beat.status.quote.is_demo
        known = await self.volatilities.choices(snapshot, beat.volatility, beat.volatility_source, is_demo=is_demo)
        chosen = next((choice for choice in known if choice.kind is kind), known[0])
        if volatility is not None:
            if not LEAST_VOLATILITY <= finite("volatility", volatility) <= MOST_VOLATILITY:
                raise InvalidInput("volatility", "must be a fraction from 0.01 to 4; write 0.18 for 18 %")
            chosen = flat(VolatilityKind.GIVEN, "yours", volatility, f"given by you for {gold_words(snapshot.rate)}")
            known = (chosen, *known)
        if view is not None and abs(finite("drift", view)) > LARGEST_VIEW:
            raise InvalidInput("drift", "must be a fraction from -1 to 1 a year; write 0.05 for 5 %")
        rate = await self._rates.latest(invented=is_demo)
        odds = reckon(snapshot, self._now(), known, chosen, rate, view)
        return replace(odds, simulated=self._simulations.known(odds))

    @property
    def told(self) -> Feed[Progress]:
        """Is told how far a simulation is, and when it is done, cancelled or has failed."""
        return self._simulations.told

    @property
    def progress(self) -> Progress:
        """How far the simulation is."""
        return self._simulations.progress

    def wish(self, odds: Odds, *, anew: bool = False) -> None:
        """Simulate behind the caller what these odds lack; `anew` also what was cancelled, failed or is known."""
        self._simulations.wish(odds, anew=anew)

    async def simulated(self, odds: Odds) -> Odds:
        """The odds with their simulations, waited for."""
        return replace(odds, simulated=await self._simulations.finish(odds))

    def cancel(self) -> None:
        """Stop the simulation that is under way."""
        self._simulations.cancel()

    async def aclose(self) -> None:
        """Stop what is under way."""
        reading = tuple(self._reading.values())
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        await self._simulations.aclose()

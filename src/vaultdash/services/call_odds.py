"""How likely a margin call is: a range over models and drifts, never one number."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from vaultdash.compute.base import Compute
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.validation import finite
from vaultdash.feed import Feed
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_report import Odds, accrual_rate, closed_form, reckon
from vaultdash.services.odds_simulation import OddsSimulations, Progress
from vaultdash.services.odds_volatility import HORIZONS, OddsVolatility, VolatilityKind, flat
from vaultdash.services.option_chains import OptionChains

LARGEST_VIEW = 1.0  # a yearly drift; beyond it nobody speaks of gold
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 4.0


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

    def quick(self, snapshot: Snapshot, volatility: float) -> Mapping[int, float]:
        """Closed form by months, drift 0, close-of-day monitoring, at the loan's own accrual: what alerts watch.

        No option is counted: too high for a lender who counts bought ones, too low for one who counts sold ones. A
        loan called already has 1.
        """
        if snapshot.is_called:
            return dict.fromkeys(HORIZONS, 1.0)
        moves = flat(VolatilityKind.MOVES, "", volatility, "")
        return closed_form(snapshot, moves, 0.0, accrual_rate(snapshot.portfolio.loan.interest))

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
            chosen = flat(VolatilityKind.GIVEN, "yours", volatility, "given by you")
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
        await self._simulations.aclose()

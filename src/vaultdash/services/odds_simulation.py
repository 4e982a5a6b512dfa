"""Simulated odds: in a worker, one set of models at a time, remembered for what they were made for."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from vaultdash.compute.base import Compute
from vaultdash.domain.errors import VaultError
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.portfolio import price_at_ltv
from vaultdash.feed import Feed
from vaultdash.risk.calibration import model_parameters
from vaultdash.risk.models import Model
from vaultdash.risk.simulation import PATHS, SEED, CallTerms, SimulatedOdds, simulated_odds
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.gold_in_currency import GoldInCurrency
from vaultdash.services.odds_report import Drift, ModelOdds, Odds

log = structlog.get_logger()
REMEMBERED = 16
SAME_DISTANCE = 0.005  # of the price: so far a simulation speaks for it, and is shown with its own
SAME_VOLATILITY = 0.0025
SAME_RATE = 1e-4
MODEL_NAMES = {
    "flat": "simulated, flat volatility",
    "jumps": "simulated, jumps",
    "stochastic volatility": "simulated, changing volatility",
    "filtered history": "simulated, past shocks",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a simulation is made for."""

    symbol: str
    rate: ExchangeRate
    spot: float
    distance: float  # ln(price / call price)
    call_price: float
    close_out_price: float
    volatility: float
    drifts: tuple[Drift, ...]
    loan_rate: float
    cure_days: int

    @classmethod
    def of(cls, odds: Odds) -> "Wanted":
        """What these odds need beside their closed form."""
        snapshot = odds.snapshot
        loan = snapshot.portfolio.loan
        return cls(
            symbol=snapshot.portfolio.collateral.quoted_by,
            rate=snapshot.rate,
            spot=snapshot.price,
            distance=math.log(snapshot.price / snapshot.margin_call_price),
            call_price=snapshot.margin_call_price,
            close_out_price=price_at_ltv(loan.amount, snapshot.shares, loan.close_out_ltv),
            volatility=odds.volatility.yearly,
            drifts=odds.drifts,
            loan_rate=odds.loan_rate,
            cure_days=loan.cure_days,
        )

    def speaks_for(self, other: "Wanted") -> bool:
        """True when the other is so near that it need not be simulated again."""
        return (
            self.symbol == other.symbol
            and self.rate.currency == other.rate.currency
            and self.cure_days == other.cure_days
            and abs(self.distance - other.distance) <= SAME_DISTANCE
            and abs(self.volatility - other.volatility) <= SAME_VOLATILITY
            and abs(self.loan_rate - other.loan_rate) <= SAME_RATE
            and abs(self.close_out_price / self.call_price - other.close_out_price / other.call_price) < 1e-9
            and len(self.drifts) == len(other.drifts)
            and all(
                abs(mine.value - theirs.value) <= SAME_RATE
                for mine, theirs in zip(self.drifts, other.drifts, strict=True)
            )
        )

    def terms(self, drift: Drift) -> CallTerms:
        """As the simulation takes it."""
        return CallTerms(
            spot=self.spot,
            call_price=self.call_price,
            close_out_price=self.close_out_price,
            drift=drift.value,
            loan_rate=self.loan_rate,
            cure_days=self.cure_days,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the simulation is, in words; empty words when nothing is to be said."""

    words: str = ""
    is_working: bool = False


class OddsSimulations:
    """One at a time; a newer wish takes the place of one that is under way for something else."""

    def __init__(self, history: DailyHistory, compute: Compute, now: Callable[[], datetime]) -> None:
        self.told: Feed[Progress] = Feed()
        self.progress = Progress()
        self._gold = GoldInCurrency(history)
        self._compute = compute
        self._now = now
        self._done: OrderedDict[Wanted, tuple[ModelOdds, ...]] = OrderedDict()
        self._refused: list[Wanted] = []  # cancelled or failed: not tried again until it is asked for
        self._turn = asyncio.Lock()
        self._working: tuple[Wanted, asyncio.Task[None]] | None = None

    def known(self, odds: Odds) -> tuple[ModelOdds, ...]:
        """What has been simulated for these odds or so near that it speaks for them; the nearest."""
        wanted = Wanted.of(odds)
        near = [made for made in self._done if made.speaks_for(wanted)]
        if not near:
            return ()
        nearest = min(near, key=lambda made: abs(made.distance - wanted.distance))
        return self._done[nearest]

    def wish(self, odds: Odds, *, anew: bool = False) -> None:
        """Simulate behind the page what is not known yet; with `anew` also what was cancelled, failed or is known."""
        wanted = Wanted.of(odds)
        if wanted.distance <= 0:
            return
        if self._working is not None and not self._working[1].done():
            if self._working[0].speaks_for(wanted):
                return  # else it ends at its next step, which leaves the worker and what it has loaded alive
        elif not anew and (self.known(odds) or any(refused.speaks_for(wanted) for refused in self._refused)):
            return
        self._refused = [refused for refused in self._refused if not refused.speaks_for(wanted)]
        task = asyncio.create_task(self._run(wanted), name="odds simulation")
        self._working = wanted, task

    async def finish(self, odds: Odds) -> tuple[ModelOdds, ...]:
        """Simulate and wait; raises what the work raises."""
        return self.known(odds) or await self._simulate(Wanted.of(odds), lambda: True)

    def cancel(self) -> None:
        """Stop what is under way; it is not begun again by itself."""
        if self._working is not None and not self._working[1].done():
            self._refused.append(self._working[0])
            self._working[1].cancel()

    async def aclose(self) -> None:
        """Stop what is under way."""
        if self._working is not None:
            self._working[1].cancel()
            await asyncio.gather(self._working[1], return_exceptions=True)

    async def _run(self, wanted: Wanted) -> None:
        def is_current() -> bool:
            return self._working is not None and self._working[0] is wanted

        try:
            async with self._turn:
                await self._simulate(wanted, is_current)
        except asyncio.CancelledError:
            self._tell("Simulation cancelled; the closed form stands alone.")
            raise
        except Exception as error:  # noqa: BLE001 - whatever a worker raises, the closed form stands
            log.warning("odds_not_simulated", reason=repr(error))
            self._refused.append(wanted)
            reason = str(error) if isinstance(error, VaultError) else "the log says why"
            self._tell(f"The models could not be simulated ({reason}); the closed form stands alone.")

    async def _simulate(self, wanted: Wanted, is_current: Callable[[], bool]) -> tuple[ModelOdds, ...]:
        self._tell("Fitting the models to daily prices …", working=True)
        closes, source = await self._closes(wanted.symbol, wanted.rate)
        parameters = await self._compute.run(model_parameters, closes, wanted.volatility)
        works = [(model, drift) for model in parameters.models for drift in wanted.drifts]
        made: list[ModelOdds] = []
        for number, (model, drift) in enumerate(works, start=1):
            if not is_current():
                return ()
            self._tell(f"Simulating {model.name}, {number} of {len(works)} …", working=True)
            found = await self._compute.run(simulated_odds, wanted.terms(drift), model, paths=PATHS, seed=SEED)
            made.append(self._model(found, model, drift, wanted, source))
        self._done[wanted] = tuple(made)
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)
        lacking = (
            f" Past shocks are left out: {parameters.no_filtered_because}." if parameters.filtered is None else ""
        )
        self._tell(f"Simulated with {made[0].paths:,} paths a model and drift.{lacking}")
        return tuple(made)

    async def _closes(self, symbol: str, rate: ExchangeRate) -> tuple[tuple[float, ...], str]:
        try:
            history, _ = await self._gold.history(symbol, rate)
        except VaultError as error:
            return (), f"no daily prices: {error}"
        closes = tuple(bar.close for bar in history.bars)
        return (closes, history.source) if all(close > 0 for close in closes) else ((), "prices at or below zero")

    def _model(self, found: SimulatedOdds, model: Model, drift: Drift, wanted: Wanted, source: str) -> ModelOdds:
        return ModelOdds(
            model=MODEL_NAMES.get(model.name, model.name),
            drift=drift,
            by_months=found.probabilities,
            errors=found.standard_errors,
            price=wanted.spot,
            at=self._now(),
            seed=found.seed,
            paths=found.paths,
            gap=found.gap_probability,
            basis=f"{found.basis} ({source})" if source else found.basis,
        )

    def _tell(self, words: str, *, working: bool = False) -> None:
        self.progress = Progress(words, working)
        self.told.publish(self.progress)

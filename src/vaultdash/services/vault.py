"""The Vault: everything the owner can do, and how the house is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog

from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.services.backtester import Backtester
from vaultdash.services.call_odds import CallOdds
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.heartbeat import Heartbeat
from vaultdash.services.hedge_advisor import HedgeAdvisor
from vaultdash.services.held_hedges import HeldHedges
from vaultdash.services.loan_stress import LoanStress
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed, QuoteStatus
from vaultdash.services.selloff_events import SelloffEvents
from vaultdash.services.selloff_replay import SelloffReplays
from vaultdash.services.snapshot_recorder import SnapshotRecorder
from vaultdash.services.sweeps import Sweeps
from vaultdash.services.templates import Templates
from vaultdash.services.workbench import Workbench
from vaultdash.storage.records import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """How the house is. `not_ready` names what a request would miss now; `dependencies` says `ok` or why not."""

    status: str
    environment: str
    version: str
    market: str
    redis_enabled: bool
    dependencies: dict[str, str]
    quote_age_seconds: float | None
    not_ready: tuple[str, ...]


@dataclass(slots=True)
class Vault:
    """Carries the services; made once by bootstrap, closed once."""

    environment: str
    version: str
    market: str
    redis_enabled: bool
    websocket_interval_seconds: float
    now: Callable[[], datetime]
    prices: PriceFeed
    book: PortfolioBook
    history: DailyHistory
    heartbeat: Heartbeat
    advisor: HedgeAdvisor
    chains: OptionChains
    recorder: SnapshotRecorder | None  # of the live market; the demo market's chains are not kept
    database: Database
    held: HeldHedges
    odds: CallOdds
    stress: LoanStress
    selloffs: SelloffReplays
    templates: Templates
    events: SelloffEvents
    backtests: Backtester
    sweeps: Sweeps
    workbench: Workbench
    records: LtvHistory
    alerts: AlertWatch
    outbox: AlertOutbox
    push_key: Callable[[], Awaitable[str]]  # by which a browser subscribes
    recorded_prices: Callable[
        [str], Awaitable[Sequence[tuple[date, float]]]
    ]  # a contract's mids by day, by its symbol
    warm: Callable[[], Awaitable[None]]
    warm_pricing: Callable[[], Awaitable[None]]
    dependencies: Callable[[], Awaitable[dict[str, str]]]
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def open(self) -> None:
        """Read what is kept; raises DatabaseError. Until then the portfolio of the settings stands in."""
        await self.database.open()
        await self.book.open()

    async def health(self) -> Health:
        """Readiness and the state of each dependency; asks nothing of the outside but the cache."""
        beat = self.heartbeat.current()
        states = await self.dependencies()
        status = beat.status if beat else None
        not_ready = () if status else ("price",)
        unwell = [name for name, state in states.items() if state != "ok"]
        if status is not None and (status.is_stale or status.quote.is_demo) and self.market != "demo":
            unwell.append("price")
        word = "not_ready" if not_ready else "degraded" if unwell else "ok"
        return Health(
            status=word,
            environment=self.environment,
            version=self.version,
            market=self.market,
            redis_enabled=self.redis_enabled,
            dependencies=states,
            quote_age_seconds=status.age_seconds if status else None,
            not_ready=not_ready,
        )

    async def quote_status(self, symbol: str) -> QuoteStatus:
        """The price of a symbol: the one the pages show for the collateral's own, else the provider's latest."""
        beat = self.heartbeat.current()
        if beat is not None and symbol in beat.statuses and self.book.holds(symbol):
            return beat.statuses[symbol]
        return await self.prices.latest(symbol)

    def known_status(self, symbol: str) -> QuoteStatus | None:
        """The newest price known of a symbol, with its freshness now; nothing is asked.

        A beat under way may have learnt one that is not published yet.
        """
        beat = self.heartbeat.current()
        told = None if beat is None else beat.statuses.get(symbol)
        quote = self.prices.known(symbol)
        if quote is None or (told is not None and told.quote.at >= quote.at):
            return told
        return self.prices.status(quote)

    async def aclose(self) -> None:
        """Release everything, in the reverse order of its making."""
        for close in reversed(self.closers):
            try:
                await close()
            except Exception as error:  # noqa: BLE001 - the others must be closed all the same
                log.error("not_closed", what=repr(close), reason=str(error))

"""The WebSocket: what happens is encoded once and sent to every client, each message with its type and version."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import cast

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from vaultdash.api.answers import portfolio_update
from vaultdash.api.events import alert_update, backtest_update, quote_update
from vaultdash.api.health_watch import HealthWatch
from vaultdash.api.outlet import MOST_ALERTS, Outlet
from vaultdash.api.respond import encode
from vaultdash.domain.alert import AlertEvent
from vaultdash.domain.errors import VaultError
from vaultdash.domain.market import Freshness, Quote
from vaultdash.domain.record import StoredRun
from vaultdash.feed import Feed
from vaultdash.services.heartbeat import Beat
from vaultdash.services.open_alerts import open_alerts
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault

log = structlog.get_logger()
SEND_TIMEOUT_SECONDS = 10.0
MOST_BACKTESTS = 20  # in one message
OPEN_ALERTS_SECONDS = 5.0  # for which what stands is not read again: many clients may come at once


class Broadcast:
    """Turns beats, alerts and the state of the house into messages, on a feed of encoded text.

    The first message any client hears is a `portfolio_update`; alerts before the first beat wait for it.
    """

    def __init__(self, vault: Vault) -> None:
        self.messages: Feed[str] = Feed()
        self._vault = vault
        self._health = HealthWatch(vault, self.messages)
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = ExitStack()
        self._broken: set[str] = set()
        self._begun = asyncio.Event()
        self._early: list[AlertEvent] = []
        self._told: dict[str, tuple[Quote, Freshness]] = {}
        self._alerts = 0  # told so far
        self._open: tuple[int, float, tuple[str, ...]] | None = None
        self._turn = asyncio.Lock()
        self._backtests: dict[str, StoredRun] = {}  # the last that changed, the newest change last

    async def start(self) -> None:
        """Follow beats, alerts and health until stopped."""
        self._heard.enter_context(self._vault.alerts.events.heard_by(self._alert))  # loses none, unlike `follow`
        self._heard.enter_context(self._vault.backtests.feed.heard_by(self._backtest))
        self._heard.enter_context(self._vault.sweeps.feed.heard_by(self._backtest))
        self._tasks = [
            asyncio.create_task(self._follow_beats(), name="broadcast"),
            asyncio.create_task(self._follow_health(), name="broadcast-health"),
        ]

    async def stop(self) -> None:
        """End the broadcast."""
        self._heard.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def heard_by(self, hear: Callable[[str], None]) -> Iterator[None]:
        """Tell a new client how things stand now, then each new message, until it is gone."""
        beat = self._vault.heartbeat.current()
        if beat is not None:
            hear(self._update(beat))
            for symbol, status in self._statuses(beat).items():
                hear(self._quote(symbol, status))
            self._health.greet(hear)
        self.messages.latest = None  # what was last sent to others may be old by now
        with self.messages.heard_by(hear):
            yield

    async def open_alerts(self) -> tuple[str, ...]:
        """The alerts that stand, as messages, once a first beat has been told; none when they cannot be read."""
        await self._begun.wait()
        async with self._turn:
            now = asyncio.get_running_loop().time()
            while self._open is None or self._open[0] != self._alerts or now - self._open[1] > OPEN_ALERTS_SECONDS:
                count = self._alerts  # what happens while they are read may have changed them: then once more
                try:
                    found = await open_alerts(
                        self._vault.database, [portfolio.id for portfolio in self._vault.book.all]
                    )
                except VaultError as error:
                    log.warning("open_alerts_not_told", reason=str(error))
                    return ()
                self._open = count, now, tuple(_text(alert_update(event, self._vault.now())) for event in found)
            return self._open[2]

    async def _follow_beats(self) -> None:
        beats = cast(AsyncGenerator[object, None], self._vault.heartbeat.feed.follow())
        waiting = asyncio.ensure_future(anext(beats))
        try:
            while True:
                await asyncio.wait({waiting}, timeout=self._vault.websocket_interval_seconds)
                if waiting.done():
                    waiting.result()
                    waiting = asyncio.ensure_future(anext(beats))
                with self._going_on("beat"):
                    self._beat()
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await waiting
            await beats.aclose()

    async def _follow_health(self) -> None:
        await self._begun.wait()
        await self._health.follow()

    def _beat(self) -> None:
        beat = self._vault.heartbeat.current()
        if beat is None:
            return
        if self.messages.listeners:
            self.messages.publish(self._update(beat))
        self._begun.set()
        for symbol, status in self._statuses(beat).items():
            known, self._told[symbol] = self._told.get(symbol), (status.quote, status.freshness)
            if known != self._told[symbol] and self.messages.listeners:
                self.messages.publish(self._quote(symbol, status))
        while self._early:
            self._alert(self._early.pop(0))

    def _alert(self, event: AlertEvent) -> None:
        self._alerts += 1
        if not self._begun.is_set():
            del self._early[: len(self._early) - MOST_ALERTS + 1]
            self._early.append(event)
        elif self.messages.listeners:
            with self._going_on("alert"):
                self.messages.publish(_text(alert_update(event, self._vault.now())))

    def _backtest(self, run: StoredRun) -> None:
        self._backtests.pop(run.id, None)
        self._backtests[run.id] = run
        if len(self._backtests) > MOST_BACKTESTS:
            del self._backtests[next(iter(self._backtests))]
        if self._begun.is_set() and self.messages.listeners:
            with self._going_on("backtest"):
                recent = tuple(reversed(self._backtests.values()))
                self.messages.publish(_text(backtest_update(run, recent, self._vault.now())))

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """One message that cannot be made must not silence those after it; the first time is logged."""
        try:
            yield
        except Exception as error:
            if what not in self._broken:
                log.error("broadcast_broke", what=what, reason=repr(error), exc_info=True)
            self._broken.add(what)
        else:
            self._broken.discard(what)

    def _statuses(self, beat: Beat) -> Mapping[str, QuoteStatus]:
        """The newest price of every symbol that values a portfolio or its loan, each judged now by itself."""
        shown = {} if beat.status is None else {beat.status.quote.symbol: beat.status}
        return {**shown, **beat.statuses}

    def _update(self, beat: Beat) -> str:
        return _text(portfolio_update(beat, self._vault.book.symbol, self._vault.now()))

    def _quote(self, symbol: str, status: QuoteStatus) -> str:
        return _text(quote_update(symbol, status, self._vault.now()))


def live_router(broadcast: Broadcast, send_timeout_seconds: float = SEND_TIMEOUT_SECONDS) -> APIRouter:
    """`/ws/updates`. What a client sends is read and ignored; a client that takes nothing for 10 s is dropped."""
    router = APIRouter()

    @router.websocket("/ws/updates")
    async def updates(socket: WebSocket) -> None:
        await socket.accept()
        ended = asyncio.create_task(_until_gone(socket))
        sending = asyncio.create_task(_send_all(socket, broadcast, send_timeout_seconds))
        try:
            await asyncio.wait({ended, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, sending):
                task.cancel()
            await asyncio.gather(ended, sending, return_exceptions=True)
        _explain(sending)

    return router


async def _send_all(socket: WebSocket, broadcast: Broadcast, timeout: float) -> None:  # noqa: ASYNC109  # for each message
    outlet = Outlet(socket.send, timeout)
    standing = asyncio.create_task(_send_standing(outlet, broadcast))
    try:
        with broadcast.heard_by(outlet.put):
            await outlet.broken
    finally:
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)
        await outlet.aclose()


async def _send_standing(outlet: Outlet, broadcast: Broadcast) -> None:
    """The alerts that stand, after what the client is told at once."""
    for message in await broadcast.open_alerts():
        outlet.put(message)


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()


def _text(message: object) -> str:
    return encode(message).decode()


def _explain(sending: asyncio.Task[None]) -> None:
    """A client that went is nothing to tell; a slow one is told once, anything else is our own mistake."""
    error = None if sending.cancelled() else sending.exception()
    if isinstance(error, TimeoutError):
        log.info("slow_client_dropped")
    elif error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError | OSError):
        log.error("socket_broke", reason=repr(error), exc_info=error)

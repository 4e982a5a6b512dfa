"""Alerts: what is raised, what is watched, who is told, and everything that happened."""

from collections.abc import Sequence
from datetime import datetime

from nicegui import background_tasks, ui

from vaultdash.domain.alert import AlertEvent, AlertPlan, Channel
from vaultdash.domain.errors import VaultError
from vaultdash.services.alert_board import AlertBoard, alert_board
from vaultdash.services.alert_outbox import TestResult
from vaultdash.services.vault import Vault
from vaultdash.ui.components.alert_history import AlertHistory
from vaultdash.ui.components.alert_list import AlertList
from vaultdash.ui.components.alert_phrases import headline
from vaultdash.ui.components.channel_list import ChannelList
from vaultdash.ui.components.channel_setup import ChannelSetup
from vaultdash.ui.components.rule_editor import RuleEditor
from vaultdash.ui.format import unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.channel_actions import channel_actions
from vaultdash.ui.theme import TONES, card, note, text

HISTORY = 200


class Alerts:
    """The page's parts; `refresh` reads and shows everything of one moment."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "Reading the alerts …").mark("headline")
            self._list = AlertList(self._acknowledge, self._snooze, vault.now)
            self._source = note("")
            self._problem = text("div", "", "vd-problem call").props("role=alert")
        with ui.element("div").classes("vd-columns even vd-settings"):
            with card("What is watched"):
                self._rules = RuleEditor(self._configure)
                self._usual = note("")
            with card("Who is told"):
                self._channels = ChannelList(self._change, self._remove, self._test, vault.now)
                with ui.element("details").classes("vd-past vd-add").mark("add-channel") as self._adding:
                    text("summary", "Add a way to reach you")
                    self._setup = ChannelSetup(channel_actions(vault, self.refresh))
        with card("What happened") as head:
            self._history = AlertHistory(head, vault.outbox.deliveries, vault.now)

    async def refresh(self) -> None:
        """Read what is kept and show it; says so when it cannot be read, and leaves what was shown."""
        vault = self._vault
        portfolio = vault.book.current
        try:
            board = await alert_board(vault.database, portfolio)
            events = await vault.alerts.history(portfolio.id, HISTORY)
        except VaultError as error:
            self._problem.set_text(f"{error}.")
            return
        self._problem.set_text("")
        self._show(board, events)

    def _show(self, board: AlertBoard, events: Sequence[AlertEvent]) -> None:
        words, tone = headline(board)
        self._headline.set_text(unbroken(words))
        self._headline.classes(remove=" ".join(TONES), add=tone)
        self._list.show(board)
        self._rules.show(board.plan, board.states, self._vault.book.current.loan.margin_call_ltv)
        self._channels.show(board.channels)
        self._usual.set_text(
            "The usual rules, from the limits of your loan." if board.is_usual else "Your own rules."
        )
        if not board.channels:
            self._adding.props("open")
        self._history.show(events, board.channels)
        beat = self._vault.heartbeat.current()
        status = beat.status if beat else None
        name = self._vault.book.current.name
        price = (
            f"held against every price of {status.quote.symbol}, the last from {status.quote.source}"
            if status
            else "waiting for a first price"
        )
        self._source.set_text(f"{name} · {price} · kept in this installation's database")

    async def _acknowledge(self, event_id: str) -> None:
        await self._do(self._vault.alerts.acknowledge(event_id))

    async def _snooze(self, event_id: str, until: datetime) -> None:
        await self._do(self._vault.alerts.snooze(event_id, until))

    async def _do(self, answer: object) -> None:
        try:
            await answer  # type: ignore[misc]  # one of the answers above
        except VaultError as error:
            self._problem.set_text(f"{error}.")
        else:
            await self.refresh()

    async def _configure(self, plan: AlertPlan) -> None:
        await self._vault.alerts.configure(self._vault.book.current.id, plan)
        await self.refresh()

    async def _change(self, channel: Channel) -> None:
        await self._vault.outbox.change_channel(channel)
        await self.refresh()

    async def _remove(self, channel_id: str) -> None:
        await self._vault.outbox.remove_channel(channel_id)
        await self.refresh()

    async def _test(self, channel_id: str) -> TestResult:
        result = await self._vault.outbox.test(channel_id)
        await self.refresh()
        return result


async def build(vault: Vault) -> None:
    """The page; it follows alerts, the chosen loan and, for the states of the channels, each beat."""
    root = ui.element("div").style("display:contents")
    with root:
        page = Alerts(vault)

    async def update(_: object) -> None:
        await page.refresh()

    background_tasks.create(page.refresh(), name="alerts page", context=root)
    follow(vault.alerts.events, update)
    follow(vault.book.changed, update)
    follow(vault.heartbeat.feed, update)

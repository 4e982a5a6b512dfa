"""Alerts: what is raised, what is watched, who is told, and everything that happened."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nicegui import background_tasks, ui
from nicegui.element import Element

from vaultdash.domain.alert import AlertEvent, AlertPlan, Channel, usual_plan
from vaultdash.domain.alert_words import measured
from vaultdash.domain.errors import VaultError
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.services.alert_board import AlertBoard, alert_board
from vaultdash.services.alert_doubts import silence_of
from vaultdash.services.alert_outbox import TestResult
from vaultdash.services.standing import PRICE, doubted
from vaultdash.services.vault import Vault
from vaultdash.ui.components.alert_history import AlertHistory
from vaultdash.ui.components.alert_list import AlertList
from vaultdash.ui.components.alert_phrases import headline
from vaultdash.ui.components.channel_list import ChannelList
from vaultdash.ui.components.channel_setup import ChannelSetup
from vaultdash.ui.components.rule_editor import RuleEditor
from vaultdash.ui.format import age, moment, rate_words, unbroken
from vaultdash.ui.format import price as price_words
from vaultdash.ui.live import follow
from vaultdash.ui.pages.channel_actions import channel_actions
from vaultdash.ui.theme import TONES, card, note, text, visible

HISTORY = 200


class Alerts:
    """The page's parts; `refresh` reads and shows everything of one moment."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._turn = asyncio.Lock()
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "Reading the alerts …").mark("headline")
            self._doubts = ui.element("ul").classes("vd-remarks vd-hidden").mark("doubts")
            self._list = AlertList(self._acknowledge, self._snooze, vault.now)
            self._source = note("")
            self._problem = text("div", "", "vd-problem call").props("role=alert")
        with ui.element("div").classes("vd-columns even vd-settings"):
            with card("What is watched"):
                self._rules = RuleEditor(self._configure, self._use_the_usual)
                self._remarks = ui.element("ul").classes("vd-remarks vd-hidden").mark("remarks")
                self._usual = note("")
            with card("Who is told"):
                self._channels = ChannelList(self._change, self._remove, self._test, vault.now)
                with ui.element("details").classes("vd-past vd-add").mark("add-channel") as self._adding:
                    text("summary", "Add a way to reach you")
                    self._setup = ChannelSetup(channel_actions(vault, self.refresh))
        with card("What happened") as head:
            self._history = AlertHistory(head, vault.outbox.deliveries, vault.now)

    async def refresh(self) -> None:
        """Read what is kept and show it; says so when it cannot be read, and leaves what was shown.

        One after the other, so that nothing older is shown after something newer.
        """
        async with self._turn:
            await self._refresh()

    async def _refresh(self) -> None:
        vault = self._vault
        portfolio = vault.book.current
        try:
            board = await alert_board(vault.database, portfolio, silence_of(vault, portfolio))
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
        _list_out(self._doubts, [doubt for doubt in board.doubts if doubt != words])
        _list_out(self._remarks, board.remarks)
        self._list.show(board, self._standing())
        self._rules.show(board.plan, board.states, self._vault.book.current.loan.margin_call_ltv)
        self._channels.show(board.channels)
        self._usual.set_text(
            "The usual rules, at the limits of your loan: they move with them."
            if board.plan.follows_loan
            else "Your own rules."
        )
        if not board.channels:
            self._adding.props("open")
        self._history.show(events, board.channels)
        beat = self._vault.heartbeat.current()
        status = beat.status if beat else None
        doubt = doubted(beat) if beat else None
        name = self._vault.book.current.name
        if status is None:
            price = "waiting for a first price"
        elif doubt is not None and doubt.thing != PRICE and not status.quote.is_demo:
            price = f"held against every price of {status.quote.symbol}, the last from {status.quote.source}"
            price += f" · {doubt.sentence}"
        elif silence_of(self._vault, self._vault.book.current) is not None:
            price = f"held against no price now; the last of {status.quote.symbol} is from {status.quote.source}"
        else:
            price = f"held against every price of {status.quote.symbol}, the last from {status.quote.source}"
        self._source.set_text(f"{name} · {price} · kept in this installation's database")

    def _standing(self) -> str:
        """How the loan stands now, beside figures of another time."""
        beat = self._vault.heartbeat.current()
        snapshot = beat.snapshots.get(self._vault.book.current.id) if beat else None
        if beat is None or snapshot is None or beat.status is None:
            return "There is no price now."
        quote = beat.status.quote
        made = "an invented (DEMO) price" if quote.is_demo else f"{quote.symbol} {price_words(quote.price)}"
        doubt = doubted(beat)
        return (
            f"Now: LTV {measured(snapshot.lender_ltv)} at {made} of {moment(quote.at)}"
            f"{_by_rate(snapshot.rate, self._vault.now())}.{f' {doubt.sentence}' if doubt else ''}"
        )

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

    async def _use_the_usual(self) -> None:
        portfolio = self._vault.book.current
        known = await self._vault.alerts.plan(portfolio.id)
        await self._configure(replace(usual_plan(portfolio.loan), quiet=known.quiet))

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


def _by_rate(rate: ExchangeRate, now: datetime) -> str:
    """The exchange rate that a figure stands on, with its source and age; empty for dollars."""
    if rate.is_dollar or rate.at is None:
        return ""
    made = "invented (DEMO)" if rate.is_demo else f"from {rate.source}"
    return f", a dollar at {rate_words(rate)}, {made}, {moment(rate.at)}, {age((now - rate.at).total_seconds())}"


def _list_out(box: Element, sentences: Sequence[str]) -> None:
    visible(box, when=bool(sentences))
    if [label.text for label in box.default_slot.children if isinstance(label, ui.label)] != list(sentences):
        box.clear()
        with box:
            for sentence in sentences:
                text("li", sentence, "warning")


async def build(vault: Vault) -> None:
    """The page; it follows alerts, the chosen loan and, for the states of the channels, each beat."""
    root = ui.element("div").style("display:contents")
    with root:
        page = Alerts(vault)

    async def update(_: object) -> None:
        await page.refresh()

    background_tasks.create(page.refresh(), name="alerts page", context=root)
    follow(vault.alerts.events, update)
    follow(vault.outbox.changed, update)
    follow(vault.book.changed, update)
    follow(vault.heartbeat.feed, update)

"""The ways to the owner in the order in which they are tried: how each is, a test, and what can be changed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from nicegui import ui

from vaultdash.domain.alert import Channel
from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.services.alert_outbox import TestResult
from vaultdash.ui.components.alert_phrases import CHANNEL_KINDS, channel_words, step_words
from vaultdash.ui.components.field import Field
from vaultdash.ui.theme import TONES, button, note, text
from vaultdash.ui.typed import amount, whole


class ChannelList:
    """`change` and `remove` keep at once and may raise VaultError; `test` sends one message now."""

    def __init__(
        self,
        change: Callable[[Channel], Awaitable[None]],
        remove: Callable[[str], Awaitable[None]],
        test: Callable[[str], Awaitable[TestResult]],
        now: Callable[[], datetime],
    ) -> None:
        self._change = change
        self._remove = remove
        self._test = test
        self._now = now
        self._drawn: object = None
        self._results: dict[str, tuple[str, str]] = {}
        self._states: dict[str, ui.label] = {}
        self._list = ui.element("div").classes("vd-list").mark("channels")
        self._said = text("div", "", "vd-problem call").props("role=alert")
        self._form()

    def show(self, channels: Sequence[Channel]) -> None:
        """Draw the channels; their states are put into the lines that are there."""
        known = [replace(channel, accepted_at=None, confirmed_at=None, problem=None) for channel in channels]
        if self._drawn != known:
            self._drawn = known
            self._draw(channels)
        for channel in channels:
            words, tone = self._results.get(channel.id) or channel_words(channel, self._now())
            self._states[channel.id].set_text(words)
            self._states[channel.id].classes(remove=" ".join(TONES), add=tone)

    def _draw(self, channels: Sequence[Channel]) -> None:
        self._list.clear()
        self._states.clear()
        with self._list:
            if not channels:
                text("div", "No way to reach you yet. An alert would stand only on these pages.", "vd-empty")
            for channel in channels:
                with ui.element("div").classes("vd-line vd-channel" + ("" if channel.is_on else " vd-off")):
                    with ui.element("div").classes("vd-line-name"):
                        text("b", channel.name)
                        text("span", f"{CHANNEL_KINDS[channel.kind]} · {step_words(channels, channel)}", "vd-note")
                    self._states[channel.id] = text("span", "").props("role=status")
                    with ui.element("div").classes("vd-tabs"):
                        button(
                            "Send a test",
                            lambda channel=channel: self._try(channel),  # type: ignore[misc]  # mypy loses the default
                            words=f"Send a test to {channel.name}",
                        )
                        button(
                            "Change",
                            lambda channel=channel: self._open(channel),  # type: ignore[misc]  # mypy loses the default
                            words=f"Change {channel.name}",
                        )

    async def _try(self, channel: Channel) -> None:
        label = self._states[channel.id]
        label.classes(remove=" ".join(TONES), add="muted")
        label.set_text("sending …")
        words, tone = await result_of(self._test, channel.id)
        self._results[channel.id] = words, tone
        label = self._states.get(channel.id, label)
        label.set_text(words)
        label.classes(remove=" ".join(TONES), add=tone)

    def _form(self) -> None:
        self._channel: Channel | None = None
        self._dialog = ui.dialog()
        with self._dialog, ui.element("div").classes("vd-dialog").props("role=dialog"):
            text("h2", "Change a channel", "vd-sentence")
            with ui.element("div").classes("vd-fields"):
                self._name = Field("Name", lambda _: None)
                self._step = Field(
                    "Step", lambda _: None, kind="amount", hint="1 is tried at once, then 2, then 3 ..."
                )
                self._wait = Field(
                    "Wait",
                    lambda _: None,
                    unit="minutes",
                    kind="amount",
                    hint="After the step before it.",
                )
            note(
                "Channels of the same step are told at the same time. A later step follows for a call until you say "
                "that you know or it is over; for anything else until then or until a device has shown it."
            )
            self._wrong = text("div", "", "vd-problem call").props("role=alert")
            with ui.element("div").classes("vd-actions"):
                button("Keep", self._keep, main=True)
                self._switch = button("Switch off", self._turn)
                button("Remove", self._take_away)
                button("Cancel", self._dialog.close)

    def _open(self, channel: Channel) -> None:
        self._channel = channel
        self._name.fill(channel.name)
        self._step.fill(str(channel.step + 1))
        self._wait.fill(f"{channel.wait_minutes:g}")
        self._wrong.set_text("")
        self._switch.clear()
        with self._switch:
            ui.label("Switch off" if channel.is_on else "Switch on")
        self._dialog.open()

    async def _keep(self) -> None:
        assert self._channel is not None
        await self._done(self._entered)

    async def _entered(self) -> None:
        assert self._channel is not None
        step = whole("step", self._step.text) - 1
        if not 0 <= step <= 9:
            raise InvalidInput("step", "must be between 1 and 10")
        wait = amount("wait", self._wait.text)
        await self._change(replace(self._channel, name=self._name.text.strip(), step=step, wait_minutes=wait))

    async def _turn(self) -> None:
        channel = self._channel
        assert channel is not None
        await self._done(lambda: self._change(replace(channel, is_on=not channel.is_on)))

    async def _take_away(self) -> None:
        channel = self._channel
        assert channel is not None
        await self._done(lambda: self._remove(channel.id))

    async def _done(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except VaultError as error:
            self._wrong.set_text(f"{error}.")
        else:
            self._results.clear()
            self._dialog.close()


async def result_of(test: Callable[[str], Awaitable[TestResult]], channel_id: str) -> tuple[str, str]:
    """What came of a test, in words, and its tone."""
    try:
        result = await test(channel_id)
    except VaultError as error:
        return f"{error}.", "call"
    if not result.is_accepted:
        return f"Not sent: {result.problem}.", "call"
    return "Sent: its service took the test. Has it arrived?", "room"

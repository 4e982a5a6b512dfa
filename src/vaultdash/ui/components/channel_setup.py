"""Adds a way to the owner: this browser, a mail server, or a service with an address; each is tried at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nicegui import events, ui
from nicegui.element import Element

from vaultdash.domain.alert import Channel, ChannelKind
from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.services.alert_outbox import TestResult
from vaultdash.services.mail_server import USUAL_PORTS, MailSecurity, MailServer
from vaultdash.ui.components.channel_list import result_of
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.theme import TONES, Tabs, button, note, text, visible

WAYS = (("push", "This browser"), ("mail", "E-mail"), ("service", "Another service"))
SECURITIES = {
    MailSecurity.STARTTLS.value: "STARTTLS",
    MailSecurity.TLS.value: "TLS from the start",
    MailSecurity.NONE.value: "none",
}
USUAL_WAIT = 5.0
MOST_STEP = 9
INSTEAD = " Until then use e-mail or another service."
HINDRANCES = {
    "insecure": "Browsers allow notifications only on pages that came over https with a certificate they trust, or "
    "from the computer itself (http://localhost). This page came over plain http from elsewhere." + INSTEAD,
    "certificate": "This browser does not trust the certificate of this server, for instance because it is "
    "self-signed: then it runs nothing in the background. A certificate of a known authority is needed." + INSTEAD,
    "no_worker": "This browser runs nothing in the background: it is very old, or this is a private window."
    + INSTEAD,
    "no_push": "This browser knows no notifications that arrive while its pages are closed." + INSTEAD,
    "home_screen": "On iPhone and iPad, first put the dashboard on the home screen (Share, then Add to Home Screen) "
    "and open it from there." + INSTEAD,
    "denied": "This browser refuses notifications from here: it was told to, or this is a private window. Allow them "
    "beside the address of the page, then try again." + INSTEAD,
    "not_asked": "The question was closed without an answer. Try again and allow notifications.",
    "no_service": "This browser reaches no push service: it is a private window, a Chromium without Google's "
    "services, or the network blocks them." + INSTEAD,
    "unknown": "The browser did not say why it failed." + INSTEAD,
}


@dataclass(frozen=True, slots=True)
class ChannelActions:
    """What the set-up may do. `add` and `test` may raise VaultError; `changed` is told when one came or went."""

    add: Callable[[ChannelKind, str, str, int, float], Awaitable[Channel]]
    test: Callable[[str], Awaitable[TestResult]]
    channels: Callable[[], Awaitable[list[Channel]]]
    is_known_browser: Callable[[str], Awaitable[bool]]  # by the fingerprint of its endpoint
    changed: Callable[[], Awaitable[None]]


class ChannelSetup:
    """One panel a way; the browser's own says at once when notifications cannot work here, and why."""

    def __init__(self, actions: ChannelActions) -> None:
        self._actions = actions
        self._panels: dict[str, Element] = {}
        with ui.element("div").classes("vd-way"):
            Tabs(WAYS, "push", self._turn_to)
            for way, fill in (
                ("push", self._push_panel),
                ("mail", self._mail_panel),
                ("service", self._service_panel),
            ):
                with ui.element("div").classes("vd-way") as self._panels[way]:
                    fill()
            self._said = text("div", "", "vd-said").props("role=status").mark("setup-said")
        self._turn_to("push")

    def _turn_to(self, way: str) -> None:
        for name, panel in self._panels.items():
            visible(panel, when=name == way)
        self._say("", "")

    def _say(self, words: str, tone: str) -> None:
        self._said.set_text(words)
        self._said.classes(remove=" ".join(TONES), add=tone)

    # this browser

    def _push_panel(self) -> None:
        self._push_box = ui.element("div").classes("vd-way").props("data-push").mark("push-box")
        with self._push_box:
            self._push_words = text("p", "Asking this browser …", "vd-push-words")
            with ui.element("div").classes("vd-actions"):
                self._turn_on = ui.element("button").classes("vd-button vd-hidden").props("type=button")
                with self._turn_on:
                    ui.label("Notify this browser")
                self._turn_on.on("click", js_handler="(event) => vdPush.turnOn(event.currentTarget)")
                self._turn_off = ui.element("button").classes("vd-tab vd-hidden").props("type=button")
                with self._turn_off:
                    ui.label("Stop notifying this browser")
                self._turn_off.on("click", js_handler="(event) => vdPush.turnOff(event.currentTarget)")
            note("Notifications arrive while the page is closed, encrypted for this browser alone.")
        self._push_box.on("vdpush", self._told, args=["detail"])
        ui.run_javascript(f"window.vdPush && vdPush.tell(document.getElementById('{self._push_box.html_id}'))")

    async def _told(self, event: events.GenericEventArguments) -> None:
        """What the browser says of itself, or of what it did."""
        detail: dict[str, Any] = event.args.get("detail") or {} if isinstance(event.args, dict) else {}
        state: dict[str, Any] = detail.get("state") or {}
        mark = str(state.get("mark") or "")
        is_on = bool(mark) and await self._actions.is_known_browser(mark)
        hindrance = state.get("hindrance")
        if isinstance(hindrance, str) and hindrance:
            self._push_words.set_text(HINDRANCES.get(hindrance, HINDRANCES["unknown"]))
        elif is_on:
            self._push_words.set_text("This browser is notified.")
        else:
            self._push_words.set_text("This browser can be notified. It will ask you whether that is allowed.")
        visible(self._turn_on, when=not is_on and not hindrance)
        visible(self._turn_off, when=is_on)
        if detail.get("event") == "done":
            await self._push_done(detail)

    async def _push_done(self, detail: dict[str, Any]) -> None:
        problem, channel = detail.get("problem"), detail.get("channel")
        if problem:
            said = str(detail.get("said") or "")[:200]
            words = HINDRANCES.get(str(problem), f"It did not work: {said}." + INSTEAD)
            self._push_words.set_text(words)
            self._say("This browser is not notified.", "warning")
            return
        await self._actions.changed()
        if channel:
            await self._try(str(channel))
        else:
            self._say("This browser is notified no more.", "muted")

    # mail

    def _mail_panel(self) -> None:
        self._security = MailSecurity.STARTTLS
        with ui.element("div").classes("vd-fields"):
            self._server = Field("Mail server", _ignore, hint="Such as smtp.example.org: your provider names it.")
            self._port = Field("Port", _ignore, kind="amount", value="587")
            Choice("Encryption", SECURITIES, self._security.value, self._choose_security)
            self._user = Field("User", _ignore, hint="Often the whole address; empty when none is wanted.")
            self._password = _Secret("Password", "Often an app password made for this.")
            self._to = Field("To", _ignore, hint="me@example.org; several with commas.")
            self._sender = Field("From", _ignore, hint="Empty: the same as To.")
        self._mail_when = _When()
        with ui.element("div").classes("vd-actions"):
            button("Add and send a test", self._add_mail, main=True, words="Add e-mail and send a test")
        note(
            "A repeat of the same alert has the same Message-ID: most mailboxes keep one. The password is kept in "
            "the data directory of this installation and shown nowhere."
        )

    def _choose_security(self, value: str) -> None:
        usual = {str(port) for port in USUAL_PORTS.values()}
        self._security = MailSecurity(value)
        if self._port.text in usual or not self._port.text:
            self._port.fill(str(USUAL_PORTS[self._security]))

    async def _add_mail(self) -> None:
        fields = {"server": self._server, "port": self._port, "to": self._to, "from": self._sender}
        for field in (*fields.values(), self._user):
            field.say(None)
        self._password.say(None)
        try:
            port = self._port.text.strip()
            if port and not (port.isascii() and port.isdecimal()):
                raise InvalidInput("port", "must be a number such as 587")
            server = MailServer(
                server=self._server.text.strip(),
                to=self._to.text.strip(),
                port=int(port) if port else None,
                security=self._security,
                user=self._user.text.strip(),
                password=self._password.text,
                sender=self._sender.text.strip(),
            )
        except InvalidInput as error:
            where: Field | _Secret = fields.get(error.argument, self._password)
            where.say(f"{error.argument.capitalize()} {error.reason}.")
            return
        name = f"E-mail to {server.to}"
        await self._add(name if len(name) <= 80 else f"{name[:79]}…", server.address, self._mail_when)

    # anything else

    def _service_panel(self) -> None:
        with ui.element("div").classes("vd-fields"):
            self._service_name = Field("Name", _ignore, hint="How you call it, such as ntfy on my phone.")
        self._address = _Secret("Address", "It holds the keys of the service and is shown nowhere again.", wide=True)
        with ui.element("details").classes("vd-past"):
            text("summary", "How addresses are written")
            with ui.element("dl").classes("vd-facts vd-addresses"):
                for service, written in EXAMPLES:
                    text("dt", service)
                    text("dd", written)
            note(
                "Everything apprise knows can be used. Services on a network of your own must be allowed in "
                "VAULT_PUSH_HOSTS by whoever runs this installation."
            )
        self._service_when = _When()
        with ui.element("div").classes("vd-actions"):
            button("Add and send a test", self._add_service, main=True, words="Add the service and send a test")

    async def _add_service(self) -> None:
        self._address.say(None)
        address = self._address.text.strip()
        name = self._service_name.text.strip() or address.partition("://")[0][:20] or "A service"
        await self._add(name, address, self._service_when)

    async def _add(self, name: str, address: str, when: "_When") -> None:
        self._say("Looking at the address …", "muted")
        try:
            step, wait = when.chosen([channel.step for channel in await self._actions.channels() if channel.is_on])
            channel = await self._actions.add(ChannelKind.APPRISE, name, address, step, wait)
        except VaultError as error:
            self._say(f"Not added: {error}.", "call")
            return
        self._password.clear()
        self._address.clear()
        await self._actions.changed()
        await self._try(channel.id)

    async def _try(self, channel_id: str) -> None:
        self._say("Added. Sending a test …", "muted")
        words, tone = await result_of(self._actions.test, channel_id)
        self._say(f"Added. {words}", tone)
        await self._actions.changed()


EXAMPLES = (
    ("ntfy", "ntfy://my-long-secret-topic"),
    ("ntfy of your own", "ntfys://user:password@ntfy.example.org/topic"),
    ("Telegram", "tgram://bot-token/chat-id"),
    ("Pushover", "pover://user-key@application-token"),
    ("Discord", "discord://webhook-id/webhook-token"),
    ("Slack", "slack://token-a/token-b/token-c"),
    ("Webhook", "jsons://example.org/path"),
)


class _When:
    """At once with the others, or later and only while it is needed."""

    def __init__(self) -> None:
        self._value = "once"
        Choice(
            "When",
            {"once": "at once", "later": f"{USUAL_WAIT:g} minutes later, if still needed"},
            self._value,
            self._choose,
            hint="Later: a call unless you have said by then that you know; anything else also not when a device "
            "has shown it.",
        )

    def _choose(self, value: str) -> None:
        self._value = value

    def chosen(self, steps: list[int]) -> tuple[int, float]:
        """Step and minutes of waiting, beside the channels that are there."""
        if self._value == "once" or not steps:
            return min(steps, default=0), USUAL_WAIT
        return min(max(steps) + 1, MOST_STEP), USUAL_WAIT


class _Secret:
    """A field whose content is not shown."""

    def __init__(self, label: str, hint: str, *, wide: bool = False) -> None:
        with ui.element("label").classes("vd-field" + (" wide" if wide else "")):
            text("span", label, "vd-field-label")
            self._input = ui.input(password=True, password_toggle_button=True)
            self._input.props("outlined dense no-error-icon autocomplete=new-password maxlength=4000")
            self._input.props["aria-label"] = label
            text("span", hint, "vd-note")

    @property
    def text(self) -> str:
        """What stands in it."""
        return str(self._input.value or "")

    def say(self, problem: str | None) -> None:
        """Say what is wrong with it, or nothing."""
        self._input.error = problem

    def clear(self) -> None:
        """Forget it."""
        self._input.value = ""


def _ignore(_: str) -> None:
    """What is typed is read when it is added."""

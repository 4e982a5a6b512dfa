"""A real SMTP server on the loopback: it keeps what it gets, and may want a login or refuse."""

import asyncio
import email
import ssl
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Mailbox:
    """Handler and authenticator; `refuses` maps a recipient to the answer he gets."""

    def __init__(self, users: dict[str, str] | None = None) -> None:
        self.users = users or {}
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []
        self.refuses: dict[str, str] = {}
        self.answer = "250 OK"
        self.hangs = threading.Event()
        self.begun = 0

    async def handle_RCPT(  # noqa: N802  # the name the server calls
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # as above
        self.begun += 1
        if self.hangs.is_set():  # it never gets as far as keeping the mail
            while self.hangs.is_set():  # noqa: ASYNC110  # set in another thread
                await asyncio.sleep(0.05)
            return "451 too late"
        if self.answer.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer

    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = data.login.decode(), data.password.decode()
        self.logins.append(given)
        return AuthResult(success=self.users.get(given[0]) == given[1], handled=False)


class MailServer(Controller):
    """Listens on a free port of the loopback; `encryption` is none, starttls or tls."""

    def __init__(self, box: Mailbox, context: ssl.SSLContext | None = None, encryption: str = "none") -> None:
        self.box = box
        self._context, self._encryption = context, encryption
        super().__init__(box, hostname="127.0.0.1", port=0, ssl_context=context if encryption == "tls" else None)

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            hostname="mail.test",
            authenticator=self.box if self.box.users else None,
            auth_required=bool(self.box.users),
            auth_require_tls=False,
            tls_context=self._context if self._encryption == "starttls" else None,
            require_starttls=self._encryption == "starttls",
        )

    def _trigger_server(self) -> None:
        """The port is known only now: the base class would knock at port 0."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

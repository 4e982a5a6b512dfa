"""Mail and the services apprise knows, against real servers on the loopback."""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.notify.mail_server import Mailbox, MailServer
from vaultdash.domain.alert import AlertSeverity, Channel, ChannelKind
from vaultdash.domain.errors import InvalidInput, ProviderError, RateLimited, Unavailable
from vaultdash.notify.apprise_channel import AppriseNotifier
from vaultdash.notify.base import Accepted, Message
from vaultdash.notify.push_hosts import PushHosts
from vaultdash.services import mail_server as mail

CALL = Message(
    key="7c1f0e-call",
    title="Margin call: LTV 75.2 %",
    body="Repay $ 12,000 or add 29 shares to be back at 60 %.\nGold fell – quickly.",
    severity=AlertSeverity.CALL,
)
CANARY = "k4nary+p@ss: w/rd%#?%41&="


def channel(address: str) -> Channel:
    return Channel("c-1", ChannelKind.APPRISE, "a channel", address)


class WebService(ThreadingHTTPServer):
    """Notes what is posted, as an ntfy server or a webhook gets it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.hangs = threading.Event()
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name the server calls
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if service.hangs.is_set():
                    time.sleep(2)
                service.got.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(service.status)
                if service.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Silent."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_port
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def web() -> Iterator[WebService]:
    service = WebService()
    yield service
    service.shutdown()
    service.server_close()


@pytest.fixture
def notifier(web: WebService) -> AppriseNotifier:
    return AppriseNotifier(PushHosts((f"localhost:{web.port}", f"127.0.0.1:{web.port}")))


@pytest.fixture
def mailing() -> Iterator[Callable[..., MailServer]]:
    """Starts mail servers."""
    running: list[MailServer] = []

    def start(context: ssl.SSLContext | None = None, encryption: str = "none", **users: str) -> MailServer:
        server = MailServer(Mailbox(users), context, encryption)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def mail_to(server: MailServer, security: mail.MailSecurity = mail.MailSecurity.NONE, **given: str) -> str:
    fields = {"to": "owner@example.org", "sender": "vault@example.org", **given}
    return mail.MailServer("127.0.0.1", port=server.port, security=security, **fields).address  # type: ignore[arg-type]


# mail


async def test_a_mail_arrives_at_a_real_server(notifier, mailing):
    server = mailing()
    assert await notifier.send(channel(mail_to(server)), CALL) == Accepted(gives_receipts=False)
    (found,) = server.box.mails
    assert found["Subject"] == CALL.title
    assert found["To"] == "owner@example.org"
    assert "vault@example.org" in found["From"]
    assert found["Importance"] == "high"
    assert found.get_content_type() == "text/plain"
    assert CALL.body in found.get_content().replace("\r\n", "\n")


async def test_a_repeat_has_the_same_message_id_so_that_mailboxes_keep_one(notifier, mailing):
    server = mailing()
    other = replace(CALL, key="strange key: <with> ümlauts")
    for message in (CALL, CALL, other, other):
        await notifier.send(channel(mail_to(server)), message)
    ids = [each.get_all("Message-ID") for each in server.box.mails]
    assert ids[0] == ids[1] == ["<7c1f0e-call@example.org>"]
    assert ids[2] == ids[3] != ids[0]
    assert len(ids[2]) == 1


async def test_user_and_password_arrive_as_they_were_typed(notifier, mailing):
    server = mailing(**{"me@example.org": CANARY})
    await notifier.send(channel(mail_to(server, user="me@example.org", password=CANARY)), CALL)
    assert server.box.logins == [("me@example.org", CANARY)]
    assert len(server.box.mails) == 1


async def test_several_recipients_all_get_it(notifier, mailing):
    server = mailing()
    await notifier.send(channel(mail_to(server, to="one@example.org, two@example.org")), CALL)
    assert sorted(each["To"] for each in server.box.mails) == ["one@example.org", "two@example.org"]


@pytest.mark.parametrize(("encryption", "security"), [("starttls", "STARTTLS"), ("tls", "TLS")])
async def test_an_encrypted_server_is_trusted_only_with_a_good_certificate(
    notifier, mailing, authority: tuple[Path, ssl.SSLContext], monkeypatch, encryption, security
):
    server = mailing(authority[1], encryption)
    address = mail_to(server, mail.MailSecurity[security])
    with pytest.raises(Unavailable, match="certificate that is not trusted"):
        await notifier.send(channel(address), CALL)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    await notifier.send(channel(address), CALL)
    assert len(server.box.mails) == 1


async def test_a_wrong_password_is_said(notifier, mailing):
    server = mailing(me="right")
    with pytest.raises(Unavailable, match=r"does not accept this user and password \(535\)") as caught:
        await notifier.send(channel(mail_to(server, user="me", password=CANARY)), CALL)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert server.box.mails == []


async def test_a_refused_recipient_is_named(notifier, mailing):
    server = mailing()
    server.box.refuses["owner@example.org"] = "550 5.1.1 no such user"
    with pytest.raises(Unavailable, match=r"refused the recipient owner@example.org \(550\)"):
        await notifier.send(channel(mail_to(server)), CALL)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("451 later please", RateLimited, r"try again later \(451\)"),
        ("554 spam", Unavailable, r"the message \(554\)"),
    ],
)
async def test_a_refused_message_is_said(notifier, mailing, answer, kind, words):
    server = mailing()
    server.box.answer = answer
    with pytest.raises(kind, match=words):
        await notifier.send(channel(mail_to(server)), CALL)


async def test_a_server_without_encryption_is_said(notifier, mailing):
    server = mailing()
    with pytest.raises(Unavailable, match="offers no STARTTLS"):
        await notifier.send(channel(mail_to(server, mail.MailSecurity.STARTTLS)), CALL)
    with pytest.raises(Unavailable, match="does not speak TLS like that"):
        await notifier.send(channel(mail_to(server, mail.MailSecurity.TLS)), CALL)


async def test_nobody_listens_at_the_port(notifier):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = mail.MailServer("127.0.0.1", "owner@example.org", port=port, security=mail.MailSecurity.NONE).address
    with pytest.raises(Unavailable, match=f"Nothing listens at 127.0.0.1:{port}"):
        await notifier.send(channel(address), CALL)


async def test_a_server_that_does_not_exist_is_named(notifier):
    address = mail.MailServer("mail.invalid", "owner@example.org").address
    with pytest.raises(Unavailable, match=r"no mail server named mail\.invalid"):
        await notifier.send(channel(address), CALL)


# services reached over the web


async def test_an_ntfy_server_gets_title_and_text(notifier, web):
    await notifier.send(channel(f"ntfy://localhost:{web.port}/gold"), CALL)
    ((_, _, body),) = web.got
    assert (body["topic"], body["title"]) == ("gold", CALL.title)
    assert body["message"].startswith(CALL.body)
    assert CALL.key in body["message"]


async def test_a_webhook_can_fold_repeats(notifier, web):
    for _ in range(2):
        await notifier.send(channel(f"json://localhost:{web.port}/hook"), CALL)
    assert [headers["Idempotency-Key"] for _, headers, _ in web.got] == [CALL.key, CALL.key]
    assert web.got[0][2]["title"] == CALL.title


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Unavailable, "does not accept this user, password or token"),
        (403, Unavailable, "does not accept this user, password or token"),
        (404, Unavailable, "knows no such recipient"),
        (429, RateLimited, "asks us to wait"),
        (500, Unavailable, r"refused the message \(500\)"),
        (302, Unavailable, "not followed"),
    ],
)
async def test_what_a_service_answers_is_told_in_words(notifier, web, status, kind, words):
    web.status = status
    with pytest.raises(kind, match=words):
        await notifier.send(channel(f"json://me:{'s3cret' * 3}@localhost:{web.port}/hook?redirect=yes"), CALL)
    assert [path for path, _, _ in web.got] == ["/hook"]


async def test_a_service_that_hangs_is_given_up(web):
    web.hangs.set()
    quick = AppriseNotifier(PushHosts((f"localhost:{web.port}",)), timeout_seconds=0.4)
    with pytest.raises(Unavailable, match=r"did not answer within 0.4 seconds"):
        await quick.send(channel(f"json://localhost:{web.port}/hook"), CALL)


# addresses


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "must begin with a service"),
        ("me@example.org", "must begin with a service"),
        ("nothing://x", "no known service"),
        ("exec://rm", "no known service"),
        ("tgram://", r"not complete for tgram://; it is written tgram://bot-token/chat-id"),
        ("discord://onlyone", "not complete"),
        ("mailto://server.example.org?to=nobody", "not a mail address|not complete"),
        ("syslog://", "acts on this computer"),
        ("dbus://", "acts on this computer"),
        ("windows://", "acts on this computer"),
        ("macosx://", "acts on this computer"),
        ("gnome://", "acts on this computer"),
        ("vapid://x@example.org", "acts on this computer"),
        ("file:///etc/passwd", "no known service"),
        ("mailto://u:p@example.org?pgppub=/etc/passwd", "files of this computer"),
        ("json://example.org/?template=/etc/passwd", "files of this computer"),
        ("json://example.org/" + "x" * 5000, "too long"),
        ("json://example.org/\r\nHost: evil", "cannot be printed"),
    ],
)
async def test_an_address_that_will_not_do_is_refused_in_words(notifier, address, words):
    with pytest.raises(InvalidInput, match=words):
        await notifier.check(address)


@pytest.mark.parametrize(
    "address",
    [
        "mailtos://me:secret@smtp.example.org:587?from=me@example.org&to=me@example.org",
        "ntfy://my-secret-topic",
        "tgram://123456789:abcdefg_hijklmnop/12315544",
        "mailto://127.0.0.1:1025?from=me@example.org&to=me@example.org",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    ],
)
async def test_an_address_that_will_do_is_taken(notifier, address):
    await notifier.check(address)


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:{other}/", "json://localhost:{other}/", "json://2130706433:{other}/", "form://10.0.0.1/",
        "xml://[::1]:{other}/", "jsons://192.168.1.1/admin", "ntfy://127.0.0.1:{other}/topic", "json://0x7f.1:{other}/",
        "gotify://169.254.169.254/AbCdEfGhIjKlMnO", "apprise://127.0.0.1:{other}/token",
    ],
)  # fmt: skip
async def test_a_webhook_does_not_reach_into_a_private_network(notifier, web, address):
    target = address.format(other=web.port + 1)
    with pytest.raises(InvalidInput, match=r"private network|not complete"):
        await notifier.check(target)
    with pytest.raises(ProviderError):
        await notifier.send(channel(target), CALL)


async def test_a_private_host_that_the_deployment_named_is_reached_at_its_port_only(web):
    named = AppriseNotifier(PushHosts((f"127.0.0.1:{web.port}",)))
    await named.check(f"json://127.0.0.1:{web.port}/")
    await named.send(channel(f"json://127.0.0.1:{web.port}/"), CALL)
    with pytest.raises(InvalidInput):
        await AppriseNotifier(PushHosts(("127.0.0.1:1",))).check(f"json://127.0.0.1:{web.port}/")
    assert len(web.got) == 1


# secrets


class Overheard(logging.Handler):
    """All that reaches the log of the house, at the lowest level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def overheard() -> Iterator[Overheard]:
    root, ear = logging.getLogger(), Overheard()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    yield ear
    root.setLevel(level)
    root.removeHandler(ear)


async def test_no_secret_is_in_any_error_or_log(notifier, mailing, web, capfd, overheard):
    """Everything is logged that can be, and every way of failing is gone through."""
    logging.getLogger("test").debug("heard")
    secret = "can4ry-s3cret-value"
    server = mailing(me="right")
    closed = web.port + 1
    web.status = 500
    bad = [
        mail_to(server, user="me", password=secret),
        mail_to(server, user=secret, password="wrong"),
        f"mailto://me:{secret}@127.0.0.1:{closed}?from=a@example.org&to=b@example.org",
        f"mailto://me:{secret}@mail.invalid?from=a@example.org&to=b@example.org&mode={secret}",
        f"json://me:{secret}@localhost:{web.port}/{secret}",
        f"json://me:{secret}@localhost:{closed}/{secret}",
        f"ntfy://me:{secret}@localhost:{web.port}/{secret}",
        f"tgram://{secret}/",
        f"discord://{secret}",
        f"nothing://{secret}",
        f"json://10.0.0.1/{secret}",
        f"mailtos://{secret}",
        f"slack://{secret}/{secret}",
    ]
    said = []
    for address in bad:
        for attempt in (notifier.check(address), notifier.send(channel(address), CALL)):
            try:
                await attempt
            except (InvalidInput, ProviderError) as error:
                said += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    assert len(said) > 50
    output = capfd.readouterr()
    everything = "\n".join([*said, *overheard.lines, output.out, output.err])
    assert "heard" in everything
    assert secret not in everything
    assert secret not in repr(channel(bad[0]))

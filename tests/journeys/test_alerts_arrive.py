"""A day of January 2026: from a price to a notification that the browser shows and a mail that a mailbox holds."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Worker, expect

from tests.journeys.servers import YahooDashboard, yahoo_dashboard
from tests.market.certificates import make_certificates
from tests.notify.mail_server import Mailbox, MailServer
from tests.notify.push_service import Arrived, PushService
from tests.notify.push_service import Browser as Subscriber

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# GLD in USD, daily bars of Yahoo Finance: close of 29 January 2026, open and low of the 30th, which lost 10.3 %.
CLOSE_BEFORE, OPEN, LOW = 495.90, 466.25, 430.80
MORNING = datetime(2026, 1, 30, 14, 35, tzinfo=UTC)  # five minutes after New York opened
UNITS, LOAN = "2000", "655000"  # 66 % of the gold the evening before, 70.2 % at the open, 76 % at the low
PATIENCE = 60.0


async def until(found: Callable[[], Awaitable[Any] | Any], what: str, seconds: float = PATIENCE) -> Any:
    """What `found` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = found()
        answer = await answer if asyncio.iscoroutine(answer) else answer
        if answer:
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"still not so after {seconds:g} s: {what}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_certificates(tmp_path_factory.mktemp("push-authority"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def push_service(authority: Any) -> AsyncIterator[PushService]:
    service = await PushService(authority[1]).start()
    yield service
    await service.stop()


@pytest.fixture(scope="module")
def mailbox() -> Iterator[MailServer]:
    server = MailServer(Mailbox({"owner": "a secret: 100% + @"}))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, authority: Any, push_service: PushService
) -> Iterator[YahooDashboard]:
    """The dashboard on the morning of the fall, which trusts the push service of the test."""
    directory: Path = tmp_path_factory.mktemp("fall")
    (directory / "switch").write_text(f"ok {CLOSE_BEFORE} 0 first.crumb", encoding="utf-8")
    with yahoo_dashboard(
        directory,
        begins=MORNING,
        VAULT_UNITS=UNITS,
        VAULT_LOAN_AMOUNT=LOAN,
        VAULT_PUSH_HOSTS=f"localhost:{push_service.port}",
        SSL_CERT_FILE=str(authority[0]),
    ) as running:
        yield running


class Owner:
    """A person with a browser whose dashboard tab is closed; the service worker alone is left."""

    def __init__(self, context: BrowserContext, house: YahooDashboard) -> None:
        self.context = context
        self.url = house.dashboard.url
        self.receipts: list[str] = []
        self.cdp: CDPSession
        self.registration: str
        context.on("request", lambda request: self._note(request.method, request.url))

    def _note(self, method: str, url: str) -> None:
        if method == "POST" and "/receipts/" in url:
            self.receipts.append(url)

    async def close_the_tab(self, page: Page) -> None:
        """Leave the dashboard; an empty page stays so that the browser can be spoken to."""
        empty = await self.context.new_page()
        await page.close()
        self.cdp = await self.context.new_cdp_session(empty)
        known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note(event: dict[str, Any]) -> None:
            for registration in event["registrations"]:
                if registration["scopeURL"] == f"{self.url}/" and not known.done():
                    known.set_result(registration["registrationId"])

        self.cdp.on("ServiceWorker.workerRegistrationUpdated", note)
        await self.cdp.send("ServiceWorker.enable")
        self.registration = await asyncio.wait_for(known, PATIENCE)

    async def is_pushed(self, payload: dict[str, Any]) -> None:
        """Wake the service worker with a message, as the browser does when its push service hands it over."""
        told = {"origin": f"{self.url}/", "registrationId": self.registration, "data": json.dumps(payload)}
        await self.cdp.send("ServiceWorker.deliverPushMessage", told)

    async def presses_i_know(self, tag: str) -> None:
        """Press the button of a notification; the event is ours, as a browser without a screen has none to press."""
        await self.context.service_workers[0].evaluate(
            "async tag => { const [notification] = await self.registration.getNotifications({tag}); "
            "const pressed = {notification, action: 'acknowledge'}; "
            "self.dispatchEvent(new NotificationEvent('notificationclick', pressed)); }",
            tag,
        )

    async def gets_another_subscription(self, old: Subscriber, new: Subscriber) -> None:
        """The push service gave the browser another address, as it may at any time."""
        await self.context.service_workers[0].evaluate(
            "({old, made}) => { const event = new ExtendableEvent('pushsubscriptionchange'); "
            "Object.defineProperty(event, 'oldSubscription', {value: {endpoint: old, options: {}}}); "
            "Object.defineProperty(event, 'newSubscription', {value: {toJSON: () => made}}); "
            "fetch('/api/alerts/push/key').then(() => self.dispatchEvent(event)); }",
            {"old": old.endpoint, "made": json.loads(new.subscription())},
        )

    async def sees(self) -> list[dict[str, str]]:
        """The notifications on the screen."""
        workers: list[Worker] = self.context.service_workers
        if not workers:
            return []
        shown: list[dict[str, str]] = await workers[0].evaluate(
            "async () => (await self.registration.getNotifications())"
            ".map(each => ({tag: each.tag, title: each.title, body: each.body}))"
        )
        return shown


@pytest_asyncio.fixture(loop_scope="session")
async def owner(browser: Browser, house: YahooDashboard) -> AsyncIterator[Owner]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    await context.grant_permissions(["notifications"], origin=house.dashboard.url)
    yield Owner(context, house)
    await context.close()


def alerts(house: YahooDashboard) -> dict[str, Any]:
    return dict(house.dashboard.get("/api/alerts").json())


def raised(house: YahooDashboard, rule: str) -> dict[str, Any] | None:
    return next((each for each in alerts(house)["raised"] if each["event"]["rule_id"] == rule), None)


def history(house: YahooDashboard, kind: str) -> list[dict[str, Any]]:
    return [each for each in house.dashboard.get("/api/alerts/history").json()["events"] if each["kind"] == kind]


def stands_at(house: YahooDashboard, price: float) -> bool:
    return bool(house.dashboard.get("/api/portfolio").json()["quote"]["price"] == price)


def pushes(service: PushService, key: str) -> list[Arrived]:
    return [each for each in service.arrived if each.payload["key"] == key]


def mails(server: MailServer, key: str) -> list[Any]:
    return [each for each in server.box.mails if key in each["Message-ID"]]


async def set_up(page: Page, house: YahooDashboard, mailbox: MailServer, push_service: PushService) -> Subscriber:
    """The owner adds this browser and a mail address on the alerts page."""
    await page.goto(house.dashboard.url + "/alerts")
    await expect(page.locator(".vd-sentence").first).to_contain_text("Nobody would be told", timeout=PATIENCE * 1000)
    await page.get_by_role("button", name="Notify this browser").click()
    # A browser without a push service of its own says so; its service worker is there from now on.
    await expect(page.get_by_text("This browser reaches no push service")).to_be_visible(timeout=PATIENCE * 1000)
    subscriber = push_service.subscribe()
    status = await page.evaluate(
        "async body => (await fetch('/api/alerts/push/subscriptions', "
        "{method: 'POST', headers: {'Content-Type': 'application/json'}, body})).status",
        subscriber.subscription(),
    )
    assert status == 200
    await page.get_by_role("button", name="E-mail").click()
    for label, value in (
        ("Mail server", "127.0.0.1"),
        ("User", "owner"),
        ("Password", "a secret: 100% + @"),
        ("To", "owner@example.org"),
    ):
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="none", exact=True).click()
    port = page.get_by_label("Port", exact=True)
    await expect(port).to_have_value("25", timeout=PATIENCE * 1000)  # usual without encryption
    await port.fill(str(mailbox.port))
    await page.get_by_role("button", name="Add e-mail and send a test").click()
    await expect(page.get_by_text("Added. Sent: its service took the test.")).to_be_visible(timeout=PATIENCE * 1000)
    assert [each["Subject"] for each in mailbox.box.mails] == ["Test: a message to E-mail to owner@example.org"]
    return subscriber


@pytest.mark.timeout(400)
async def test_a_fall_reaches_the_owner_once_although_the_server_dies_in_the_middle(
    owner: Owner, house: YahooDashboard, mailbox: MailServer, push_service: PushService
) -> None:
    page = await owner.context.new_page()
    subscriber = await set_up(page, house, mailbox, push_service)
    await owner.close_the_tab(page)
    await until(lambda: stands_at(house, CLOSE_BEFORE), "the price of the evening before")
    assert alerts(house)["raised"] == []

    # New York opens far below. While both messages are on their way the process is killed.
    push_service.hangs = True
    mailbox.box.hangs.set()
    begun = mailbox.box.begun
    house.tell(price=OPEN)
    await until(lambda: push_service.begun and mailbox.box.begun > begun, "both messages on their way")
    house.dashboard.kill()
    push_service.hangs = False
    mailbox.box.hangs.clear()
    assert push_service.arrived == []
    house.tell(price=OPEN, hours_later=0.05)  # three minutes later somebody has started it again
    await asyncio.to_thread(house.dashboard.start_again)

    found = await until(lambda: raised(house, "ltv-warning"), "the warning, known after the restart")
    warning = found["event"]["id"]
    arrived = (await until(lambda: pushes(push_service, warning), "the push of the warning"))[0]
    mail = (await until(lambda: mails(mailbox, warning), "the mail of the warning"))[0]
    assert arrived.payload["title"] == mail["Subject"] == found["event"]["title"]
    assert "LTV 70.2 %" in arrived.payload["title"]
    assert arrived.headers["Urgency"] == "normal"
    assert "repay" in arrived.payload["body"]
    assert subscriber.got == [arrived.payload]

    await owner.is_pushed(arrived.payload)
    shown = await until(owner.sees, "the notification")
    assert shown == [{"tag": warning, "title": found["event"]["title"], "body": arrived.payload["body"]}]
    await until(lambda: confirmed(house, "ltv-warning"), "the receipt of the warning")
    assert [httpx.URL(url).path for url in owner.receipts] == [arrived.payload["receipt_path"]]

    # The low of the day: a margin call.
    house.tell(price=LOW, hours_later=1.0)
    found = await until(lambda: raised(house, "ltv-call"), "the call")
    call = found["event"]["id"]
    arrived = (await until(lambda: pushes(push_service, call), "the push of the call"))[0]
    await until(lambda: mails(mailbox, call), "the mail of the call")
    assert arrived.headers["Urgency"] == "high"
    assert arrived.payload["title"].startswith("Margin call: LTV 76.0 %")
    for _ in range(2):  # a repeat of the same message takes the place of the first
        await owner.is_pushed(arrived.payload)
    await until(lambda: confirmed(house, "ltv-call"), "the receipt of the call")
    shown = await owner.sees()
    assert sorted(each["tag"] for each in shown) == sorted((warning, call))

    # The button of the notification is the owner's answer, without any page.
    await owner.presses_i_know(call)
    await until(lambda: (raised(house, "ltv-call") or {}).get("acknowledged_at"), "the answer of the owner")
    assert [each["tag"] for each in await owner.sees()] == [warning]

    # Prices go on coming, and no twin of anything: neither in the history nor at the services.
    asked = len(house.asked())
    await until(lambda: len(house.asked()) > asked + 2, "further prices")
    assert sorted(each["rule_id"] for each in history(house, "raised")) == ["ltv-call", "ltv-warning"]
    assert history(house, "undelivered") == []
    assert len(pushes(push_service, warning)) == len(pushes(push_service, call)) == 1
    assert len(mails(mailbox, warning)) == len(mails(mailbox, call)) == 1
    assert len({each["Message-ID"] for each in mailbox.box.mails}) == 3  # with the test
    # The browser's address at its push service changes: messages follow it.
    renewed = push_service.subscribe()
    (channel,) = [each for each in alerts(house)["channels"] if each["kind"] == "push"]
    await owner.gets_another_subscription(subscriber, renewed)

    async def is_reached() -> bool:
        path = f"{house.dashboard.url}/api/alerts/channels/{channel['id']}/test"
        async with httpx.AsyncClient(timeout=60) as client:
            await client.post(path)
        return bool(renewed.got)

    await until(is_reached, "a test at the new address")
    assert len(alerts(house)["channels"]) == 2

    paths = ("/api/alerts", "/api/alerts/channels", "/api/alerts/history", "/health", "/alerts")
    told = [house.dashboard.log.read_text(), *(house.dashboard.get(path).text for path in paths)]
    for secret in ("a secret", "a%20secret", subscriber.token):
        assert all(secret not in text for text in told)


def confirmed(house: YahooDashboard, rule: str) -> bool:
    """True when a device has said that it showed the message."""
    found = raised(house, rule)
    return found is not None and any(each["state"] == "confirmed" for each in found["deliveries"])

"""Browser notifications against a push service on the loopback that reads them as the browser would."""

import asyncio
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from tests.notify.push_service import decrypt, unb64
from vaultdash.domain.alert import AlertSeverity, Channel, ChannelKind
from vaultdash.domain.errors import InvalidInput, RateLimited, Unavailable
from vaultdash.notify.base import Accepted, ChannelGone, Message
from vaultdash.notify.webpush import LARGEST_PAYLOAD, payload, topic

CALL = Message(
    key="7c1f0e-call",
    title="Margin call: LTV 75.2 %",
    body="Repay $ 12,000 or add 29 shares to be back at 60 %.",
    severity=AlertSeverity.CALL,
    receipt_path="/api/alerts/receipts/d-1",
    details={"event_id": "e-1"},
)


def channel(address: str) -> Channel:
    return Channel("c-1", ChannelKind.PUSH, "this browser", address)


def test_the_reader_agrees_with_the_example_of_the_standard():
    """RFC 8291, appendix A."""
    number = int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    body = unb64(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    text = decrypt(body, ec.derive_private_key(number, ec.SECP256R1()), unb64("BTBZMqHH6r4Tts7J_aSIgg"))
    assert text == b"When I grow up, I want to be a watermelon"


async def test_a_message_arrives_readable_for_its_browser_only(push, push_service):
    browser = push_service.subscribe()
    notifier = push()
    assert await notifier.send(channel(browser.subscription()), CALL) == Accepted(gives_receipts=True)
    (arrived,) = push_service.arrived
    assert arrived.payload == {
        "key": CALL.key,
        "title": CALL.title,
        "body": CALL.body,
        "severity": "call",
        "path": "/alerts",
        "receipt_path": "/api/alerts/receipts/d-1",
        "details": {"event_id": "e-1"},
    }
    assert arrived.headers["Content-Encoding"] == "aes128gcm"
    assert arrived.headers["Urgency"] == "high"
    assert arrived.headers["TTL"] == "86400"
    assert arrived.headers["Topic"] == CALL.key
    assert arrived.vapid is not None
    assert arrived.vapid["sub"] == "mailto:owner@example.org"
    assert arrived.public_key == await notifier.public_key()
    assert b"Margin" not in arrived.raw
    with pytest.raises(InvalidTag):
        decrypt(arrived.raw, browser.key, bytes(16))


async def test_a_repeat_carries_the_same_topic_and_a_warning_is_less_urgent(push, push_service):
    browser = push_service.subscribe()
    notifier = push()
    long_key = replace(CALL, key="a key with blanks that is longer than thirty-two characters")
    for message in (long_key, long_key, replace(CALL, severity=AlertSeverity.WARNING)):
        await notifier.send(channel(browser.subscription()), message)
    first, second, warning = (each.headers for each in push_service.arrived)
    assert first["Topic"] == second["Topic"]
    assert len(first["Topic"]) == 32
    assert warning["Urgency"] == "normal"
    assert topic("other") == "other"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_withdrawn_subscription_is_gone(push, push_service, status):
    browser = push_service.subscribe()
    push_service.answers.append((status, {}))
    with pytest.raises(ChannelGone, match="withdrew"):
        await push().send(channel(browser.subscription()), CALL)


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        ("120", 120, 120),
        ("999999", 3600, 3600),
        ("0", 1, 1),
        ("", 60, 60),
        ("soon", 60, 60),
        ("a date in ten minutes", 300, 600),
    ],
)
async def test_a_busy_service_says_how_long_to_wait(push, push_service, given, least, most):
    browser = push_service.subscribe()
    if given.startswith("a date"):
        given = format_datetime(datetime.now(UTC) + timedelta(seconds=600))
    push_service.answers.append((429, {"Retry-After": given}))
    with pytest.raises(RateLimited) as caught:
        await push().send(channel(browser.subscription()), CALL)
    assert least <= caught.value.retry_after_seconds <= most


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "refused the message"),
        (401, "does not accept this installation's key"),
        (403, "does not accept this installation's key"),
        (413, "too large"),
        (500, "refused the message"),
        (503, "refused the message"),
    ],
)
async def test_other_failures_are_told_in_words_without_the_secret(push, push_service, status, words):
    browser = push_service.subscribe()
    push_service.answers.append((status, {}))
    with pytest.raises(Unavailable, match=words) as caught:
        await push().send(channel(browser.subscription()), CALL)
    assert browser.token not in str(caught.value)


async def test_a_redirect_is_not_followed(push, push_service):
    browser = push_service.subscribe()
    push_service.answers.append((307, {"Location": f"https://localhost:{push_service.port}/elsewhere"}))
    with pytest.raises(Unavailable, match="not followed"):
        await push().send(channel(browser.subscription()), CALL)
    assert push_service.redirected == 0


async def test_a_service_that_says_nothing_is_not_waited_for_forever(push, push_service):
    browser = push_service.subscribe()
    push_service.hangs = True
    with pytest.raises(Unavailable, match=r"did not answer within 0.3 seconds"):
        await push(timeout_seconds=0.3).send(channel(browser.subscription()), CALL)


async def test_nothing_listens_there(push, push_service):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = push_service.subscribe().subscription().replace(str(push_service.port), str(port))
    with pytest.raises(Unavailable, match="could not be reached"):
        await push(named=(f"localhost:{port}",)).send(channel(address), CALL)


async def test_a_host_taken_off_the_list_is_sent_nothing_more(push, push_service):
    browser = push_service.subscribe()
    with pytest.raises(Unavailable, match="no push service of a known browser"):
        await push(named=()).send(channel(browser.subscription()), CALL)
    assert push_service.arrived == []


async def test_a_known_name_that_leads_to_a_private_address_is_sent_nothing(push, push_service, monkeypatch):
    """DNS is not ours: the address is judged when the connection is made, not only when the browser subscribed."""
    lookup = socket.getaddrinfo

    def misled(host, port, *rest, **named):
        return lookup("127.0.0.1" if host == "fcm.googleapis.com" else host, port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", misled)
    browser = push_service.subscribe()
    address = browser.subscription().replace(f"localhost:{push_service.port}", "fcm.googleapis.com")
    with pytest.raises(Unavailable, match="private network"):
        await push().send(channel(address), CALL)


async def test_a_certificate_nobody_vouches_for_is_not_trusted(push, push_service, tmp_path):
    from vaultdash.notify.push_hosts import PushHosts
    from vaultdash.notify.push_keys import PushKeys
    from vaultdash.notify.webpush import WebPushNotifier

    hosts = PushHosts((f"localhost:{push_service.port}",))
    notifier = WebPushNotifier(PushKeys(tmp_path), hosts, "mailto:owner@example.org")
    with pytest.raises(Unavailable, match="certificate"):
        await notifier.send(channel(push_service.subscribe().subscription()), CALL)
    await notifier.aclose()


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given.pop("keys"),
        lambda given: given.pop("endpoint"),
        lambda given: given.update(endpoint=7),
        lambda given: given["keys"].update(auth="AAAA"),
        lambda given: given["keys"].update(p256dh="BAAA" + "A" * 84),
        lambda given: given["keys"].update(p256dh=None),
        lambda given: given["keys"].update(auth="ümlaut"),
        lambda given: given.update(keys=[]),
    ],
)
async def test_what_is_no_subscription_is_refused(push, push_service, change):
    given = json.loads(push_service.subscribe().subscription())
    change(given)
    with pytest.raises(InvalidInput):
        await push().check(json.dumps(given))


@pytest.mark.parametrize("address", ["", "no", "[]", "null", "{}", "[" * 100_000, '"x"', "1e999"])
async def test_nonsense_is_refused(push, address):
    with pytest.raises(InvalidInput):
        await push().check(address)


async def test_a_subscription_of_a_known_browser_is_accepted(push, push_service):
    await push().check(push_service.subscribe().subscription())
    await push(named=()).check(
        push_service.subscribe().subscription().replace(f"localhost:{push_service.port}", "fcm.googleapis.com")
    )


@pytest.mark.parametrize("body", ["x" * 10_000, "€" * 10_000, "\\" * 10_000, "\x01" * 10_000])
def test_a_long_text_is_cut_so_that_it_fits(body):
    made = payload(replace(CALL, body=body))
    assert len(made) <= LARGEST_PAYLOAD
    assert json.loads(made)["body"].endswith("…")


async def test_many_at_once_are_all_delivered(push, push_service):
    browsers = [push_service.subscribe() for _ in range(20)]
    notifier = push()
    await asyncio.gather(*(notifier.send(channel(each.subscription()), CALL) for each in browsers))
    assert all(each.got for each in browsers)

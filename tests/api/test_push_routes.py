"""What browsers send and get: key, subscriptions, receipts."""

import base64
import json
import os
from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conftest import BASE_URL
from vaultdash.domain.alert import ChannelKind
from vaultdash.main import create_app
from vaultdash.services.vault import Vault

SUBSCRIPTIONS = "/api/alerts/push/subscriptions"
SECRET = "s3cret-endpoint-token"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def a_subscription(token: str = SECRET, **fields: object) -> dict[str, object]:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    keys = {
        "p256dh": b64(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "auth": b64(os.urandom(16)),
    }
    given = {"endpoint": f"https://fcm.googleapis.com/fcm/send/{token}", "expirationTime": None, "keys": keys}
    return {**given, **fields}


@pytest.fixture
async def client(demo_vault: Vault, demo_settings) -> AsyncIterator[httpx.AsyncClient]:  # type: ignore[no-untyped-def]
    await demo_vault.open()
    transport = httpx.ASGITransport(create_app(demo_settings(), demo_vault, pages=False))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as asking:
        yield asking


async def test_the_key_is_a_point_of_p_256_and_stays(client):
    key = (await client.get("/api/alerts/push/key")).json()["key"]
    point = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    assert (await client.get("/api/alerts/push/key")).json()["key"] == key


async def test_a_subscription_becomes_a_channel_once_and_its_secret_is_not_repeated(client, demo_vault):
    given = a_subscription(name="Firefox on Linux")
    first = await client.post(SUBSCRIPTIONS, json=given)
    second = await client.post(SUBSCRIPTIONS, json=given)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["name"] == "Firefox on Linux"
    (channel,) = await demo_vault.outbox.channels()
    assert channel.kind is ChannelKind.PUSH
    assert json.loads(channel.address)["keys"] == given["keys"]
    for answer in (first, await client.get("/api/alerts"), await client.get("/api/alerts/channels")):
        assert SECRET not in answer.text
        assert str(given["keys"]["auth"]) not in answer.text


async def test_a_renewed_subscription_takes_the_place_of_the_old_one(client, demo_vault):
    old = a_subscription("old", name="My phone")
    made = (await client.post(SUBSCRIPTIONS, json=old)).json()
    renewed = a_subscription("new", replaces=old["endpoint"])
    assert (await client.post(SUBSCRIPTIONS, json=renewed)).json() == made
    (channel,) = await demo_vault.outbox.channels()
    assert json.loads(channel.address)["endpoint"].endswith("/new")
    assert channel.name == "My phone"


async def test_other_keys_of_the_same_endpoint_replace_the_old_ones(client, demo_vault):
    await client.post(SUBSCRIPTIONS, json=a_subscription())
    again = a_subscription()
    await client.post(SUBSCRIPTIONS, json=again)
    (channel,) = await demo_vault.outbox.channels()
    assert json.loads(channel.address)["keys"] == again["keys"]


async def test_a_browser_withdraws(client, demo_vault):
    given = a_subscription()
    await client.post(SUBSCRIPTIONS, json=given)
    for _ in range(2):  # twice is the same as once
        answer = await client.request("DELETE", SUBSCRIPTIONS, json={"endpoint": given["endpoint"]})
        assert answer.status_code == 204
    assert list(await demo_vault.outbox.channels()) == []


NONE = (
    {"endpoint": "https://evil.example.org/x"},
    {"endpoint": "http://fcm.googleapis.com/x"},
    {"endpoint": "https://127.0.0.1/x"},
    {"endpoint": "https://169.254.169.254/latest/meta-data"},
    {"endpoint": "x" * 3000},
    {"endpoint": 7},
    {"endpoint": "https://fcm.googleapis.com/\ud800"},
    {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
    {"keys": {"p256dh": "\ud800", "auth": "AAAA"}},
    {"keys": None},
    {"keys": {}},
    {"name": "x" * 81},
    {"name": "\ud800"},
    {"name": "a\x00b"},
    {"replaces": 1e308},
)


async def test_what_is_no_subscription_is_refused_and_nothing_is_kept(client, demo_vault):
    for change in NONE:
        body = json.dumps({**a_subscription(), **change})
        answer = await client.post(SUBSCRIPTIONS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, change
        assert SECRET not in answer.text
    assert list(await demo_vault.outbox.channels()) == []


async def test_a_receipt_of_something_unknown_gets_the_same_answer(client):
    for delivery in ("unknown", "x" * 400, "%00", "%F0%9F%98%80", "a b", "'; drop table outbox"):
        answer = await client.post(f"/api/alerts/receipts/{delivery}")
        assert answer.status_code == 204, delivery
        assert answer.content == b""


async def test_a_receipt_confirms_the_message_once(client, demo_vault):
    await client.post("/api/alerts/channels", json={"kind": "console", "name": "log", "address": ""})
    (channel,) = await demo_vault.outbox.channels()
    result = await demo_vault.outbox.test(channel.id)
    (row,) = await demo_vault.outbox.deliveries(result.event_id)
    for _ in range(2):
        assert (await client.post(f"/api/alerts/receipts/{row.id}")).status_code == 204
    (row,) = await demo_vault.outbox.deliveries(result.event_id)
    assert row.confirmed_at is not None


async def test_a_foreign_page_can_neither_subscribe_nor_confirm(client):
    for path in (SUBSCRIPTIONS, "/api/alerts/receipts/x"):
        answer = await client.post(path, json=a_subscription(), headers={"Origin": "https://evil.example.org"})
        assert answer.status_code == 403


async def test_delivery_ids_cannot_be_guessed(client, demo_vault):
    await client.post("/api/alerts/channels", json={"kind": "console", "name": "log", "address": ""})
    (channel,) = await demo_vault.outbox.channels()
    ids = set()
    for _ in range(3):
        result = await demo_vault.outbox.test(channel.id)
        ids |= {row.id for row in await demo_vault.outbox.deliveries(result.event_id)}
    assert len(ids) == 3
    assert all(len(each) >= 22 for each in ids)  # at least 120 bits as text

"""A push service on the loopback, with TLS, that reads messages as browsers do (RFC 8030, 8188, 8291, 8292)."""

import asyncio
import base64
import json
import os
import random
import ssl
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The text of an aes128gcm message for the holder of `key` and `auth`; raises when it is for somebody else."""
    salt, _, length = body[:16], struct.unpack("!L", body[16:20])[0], body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    info = b"WebPush: info\0" + point_of(key.public_key()) + sender
    secret = HKDF(hashes.SHA256(), 32, auth, info).derive(shared)
    content_key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    text = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\0")
    assert text[-1:] == b"\2", "the last record ends with a 2"
    return text[:-1]


@dataclass
class Browser:
    """Somebody who subscribed: only it can read what is sent to it."""

    token: str
    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    got: list[dict[str, Any]] = field(default_factory=list)

    def subscription(self) -> str:
        keys = {"p256dh": b64(point_of(self.key.public_key())), "auth": b64(self.auth)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys})


@dataclass
class Arrived:
    """One message as the service got it."""

    token: str
    status: int
    headers: dict[str, str]
    vapid: dict[str, Any] | None
    public_key: str
    payload: dict[str, Any]
    raw: bytes


class PushService:
    """Takes messages at https://localhost:port/push/TOKEN; `answers` are the next statuses, then 201."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._chance = random.Random(0)
        self._drops = 0.0
        self.browsers: dict[str, Browser] = {}
        self.arrived: list[Arrived] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.dropped = 0
        self.hangs = False
        self.begun = 0
        self.redirected = 0
        self.port = 0

    async def start(self) -> "PushService":
        app = web.Application()
        app.router.add_post("/push/{token}", self._take)
        app.router.add_route("*", "/elsewhere", self._elsewhere)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        await self._runner.cleanup()

    def subscribe(self, host: str = "localhost") -> Browser:
        token = b64(os.urandom(24))
        browser = Browser(token, f"https://{host}:{self.port}/push/{token}")
        self.browsers[token] = browser
        return browser

    def lose(self, share: float, seed: int) -> None:
        """Take messages from now on and lose some of them."""
        self._drops, self._chance = share, random.Random(seed)

    def forget(self, browser: Browser) -> None:
        """The owner withdrew the permission."""
        del self.browsers[browser.token]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.begun += 1
        if self.hangs:  # it never gets as far as keeping the message
            await asyncio.sleep(60)
            return web.Response(status=504)
        browser = self.browsers.get(request.match_info["token"])
        if browser is None:
            return web.Response(status=410, text="unsubscribed")
        status, headers = self.answers.pop(0) if self.answers else (201, {})
        public_key, claims = self._signed(request)
        text = json.loads(decrypt(body, browser.key, browser.auth))
        self.arrived.append(Arrived(browser.token, status, dict(request.headers), claims, public_key, text, body))
        if 200 <= status < 300:
            if self._chance.random() < self._drops:
                self.dropped += 1
            else:
                browser.got.append(text)
        return web.Response(status=status, headers=headers, text=f"about {browser.endpoint}")

    async def _elsewhere(self, request: web.Request) -> web.Response:
        self.redirected += 1
        return web.Response(status=201)

    def _signed(self, request: web.Request) -> tuple[str, dict[str, Any] | None]:
        """The sender's public key and its claims; None when the signature is not right."""
        scheme, _, rest = request.headers["Authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        signing, _, signature = parts["t"].rpartition(".")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(parts["k"]))
        raw = unb64(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        try:
            key.verify(der, signing.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return parts["k"], None
        claims = json.loads(unb64(signing.split(".")[1]))
        assert claims["aud"] == f"https://{request.headers['Host']}"
        assert time.time() < claims["exp"] <= time.time() + 24 * 3600
        return parts["k"], claims

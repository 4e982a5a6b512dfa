"""Browser notifications: encrypted for one browser (RFC 8291) and handed to its push service (RFC 8030)."""

import asyncio
import base64
import binascii
import hashlib
import json
import re
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from vaultdash.domain.alert import AlertSeverity, Channel
from vaultdash.domain.errors import InvalidInput, RateLimited, Unavailable, VaultError
from vaultdash.notify.base import Accepted, ChannelGone, Message
from vaultdash.notify.networks import is_public
from vaultdash.notify.push_hosts import PushHost, PushHosts
from vaultdash.notify.push_keys import PushKeys

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientSession

TIMEOUT_SECONDS = 12.0  # less than the outbox waits, so that the reason is told
KEPT_SECONDS = 24 * 3600  # by the push service, for a browser that is away
LARGEST_BODY = 1500  # characters; a push message holds 4,096 bytes, encrypted
LARGEST_PAYLOAD = 3500  # bytes
LONGEST_RETRY = 3600.0
URGENCY = {AlertSeverity.CALL: "high", AlertSeverity.WARNING: "normal", AlertSeverity.INFO: "low"}
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class WebPushNotifier:
    """Sends to browsers. `contact` is whom a push service may write to when something is wrong: mailto: or https:."""

    def __init__(
        self,
        keys: PushKeys,
        hosts: PushHosts,
        contact: str,
        *,
        trust: "ssl.SSLContext | None" = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._keys = keys
        self._hosts = hosts
        self._contact = contact
        self._trust = trust
        self._timeout_seconds = timeout_seconds
        self._session: ClientSession | None = None

    async def public_key(self) -> str:
        """What a browser needs to subscribe."""
        return await asyncio.to_thread(self._keys.public)

    async def check(self, address: str) -> None:
        """Raise InvalidInput when it is no subscription, or of a push service that is not on the list."""
        subscription = subscription_of(address)
        self._hosts.of(subscription["endpoint"])

    async def send(self, channel: Channel, message: Message) -> Accepted:
        """Hand over one message. ChannelGone when the browser withdrew, RateLimited and Unavailable otherwise."""
        try:
            subscription = subscription_of(channel.address)
            host = self._hosts.of(subscription["endpoint"])
        except InvalidInput as error:
            raise Unavailable(f"This browser's subscription is not used: {error}. Set it up again") from None
        headers, body = await asyncio.to_thread(self._sealed, subscription, host, message)
        status, retry_after = await self._post(subscription["endpoint"], host, headers, body)
        if 200 <= status < 300:
            return Accepted(gives_receipts=True)
        raise _failure(host.name, status, retry_after)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _sealed(self, subscription: dict[str, Any], host: PushHost, message: Message) -> tuple[dict[str, str], bytes]:
        """Headers and encrypted body. Blocks: the libraries are loaded on first use, which takes a while."""
        from py_vapid import Vapid02
        from pywebpush import WebPusher, WebPushException

        try:
            body = WebPusher(subscription).encode(payload(message), "aes128gcm")["body"]
        except (WebPushException, ValueError) as error:
            raise Unavailable("This browser's subscription has keys that do not work. Set it up again") from error
        name = f"[{host.name}]" if ":" in host.name else host.name
        audience = f"https://{name}" + ("" if host.port == 443 else f":{host.port}")
        signed = Vapid02(self._keys.private()).sign({"sub": self._contact, "aud": audience})
        headers = {
            **signed,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_SECONDS),
            "Urgency": URGENCY[message.severity],
            "Topic": topic(message.key),
        }
        return headers, body

    async def _post(self, endpoint: str, host: PushHost, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """Status and Retry-After; follows no redirect, and nothing of the answer's text goes further."""
        session = await self._opened()
        import aiohttp

        try:
            async with session.post(endpoint, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status, answer.headers.get("Retry-After", "")
        except TimeoutError:
            raise Unavailable(f"{host.name} did not answer within {self._timeout_seconds:g} seconds") from None
        except aiohttp.ClientConnectorCertificateError:
            raise Unavailable(f"{host.name} shows a certificate that is not trusted") from None
        except (aiohttp.ClientError, OSError) as error:  # its text may hold the endpoint
            reason = "could not be reached"
            if isinstance(getattr(error, "os_error", None), PrivateAddress):
                reason = "leads into a private network, so nothing was sent; name it in VAULT_PUSH_HOSTS to trust it"
            raise Unavailable(f"{host.name} {reason}") from None

    async def _opened(self) -> "ClientSession":
        if self._session is None:
            made = await asyncio.to_thread(_connections, self._hosts, self._trust)
            import aiohttp

            if self._session is None:
                connector = aiohttp.TCPConnector(resolver=made, ssl=self._trust or True, limit=20)
                self._session = aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers={"User-Agent": "vault-dash"},
                )
        return self._session


class PrivateAddress(OSError):
    """A name that should be public stands for an address that is not."""


def subscription_of(address: str) -> dict[str, Any]:
    """Endpoint and keys from a channel's address; raises InvalidInput without repeating any of it."""
    try:
        found = json.loads(address)
        endpoint, keys = found["endpoint"], found["keys"]
        point, auth = _decoded(keys["p256dh"]), _decoded(keys["auth"])
    except (ValueError, TypeError, LookupError, RecursionError):
        raise InvalidInput("subscription", "is not what a browser gives when it subscribes") from None
    if not isinstance(endpoint, str) or len(point) != 65 or point[0] != 4 or len(auth) != 16:
        raise InvalidInput("subscription", "is not what a browser gives when it subscribes")
    if not _is_on_curve(point):
        raise InvalidInput("subscription", "has a key that is none")
    return {"endpoint": endpoint, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}


def payload(message: Message) -> bytes:
    """What the service worker gets, as JSON; a long text is cut so that it fits."""
    body = message.body if len(message.body) <= LARGEST_BODY else message.body[: LARGEST_BODY - 1] + "…"
    while True:
        content = {
            "key": message.key,
            "title": message.title[:200],
            "body": body,
            "severity": message.severity.name.lower(),
            "path": message.path,
            "receipt_path": message.receipt_path,
            "details": dict(message.details),
        }
        encoded = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        if len(encoded) <= LARGEST_PAYLOAD or not body:
            return encoded
        body = body[: len(body) // 2].rstrip("…") + "…" if len(body) > 1 else ""


def topic(key: str) -> str:
    """A Topic header (RFC 8030 5.4): a repeat replaces what the push service still holds of the same key."""
    if _TOPIC.fullmatch(key):
        return key
    return base64.urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=24).digest()).decode()


def _failure(host: str, status: int, retry_after: str) -> VaultError:
    if status in (404, 410):
        return ChannelGone(f"The browser withdrew its subscription ({host} says {status}). Set it up again there")
    if status == 429 or (status == 503 and retry_after):
        return RateLimited(f"{host} asks us to wait", _seconds(retry_after))
    if 300 <= status < 400:
        return Unavailable(f"{host} wanted to redirect the message elsewhere, which is not followed")
    if status in (401, 403):
        return Unavailable(
            f"{host} does not accept this installation's key ({status}): remove this browser and set it up again"
        )
    if status == 413:
        return Unavailable(f"{host} finds the message too large")
    return Unavailable(f"{host} refused the message ({status})")


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds, given as a number or as a date."""
    if retry_after.strip().isdigit():
        return min(max(float(retry_after), 1.0), LONGEST_RETRY)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 60.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 1.0), LONGEST_RETRY)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (AttributeError, binascii.Error) as error:
        raise ValueError from error


def _is_on_curve(point: bytes) -> bool:
    """y^2 = x^3 - 3x + b modulo p: P-256, whose keys browsers make (SEC 2, 2.4.2)."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < p and y < p and (y * y - (x * x * x - 3 * x + b)) % p == 0


def _connections(hosts: PushHosts, trust: "ssl.SSLContext | None") -> Any:
    """A resolver that gives no private address unless the host was named. Blocks: it loads the client library."""
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.resolver import ThreadedResolver

    class PublicResolver(AbstractResolver):
        def __init__(self) -> None:
            self._resolver: ThreadedResolver | None = None

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            self._resolver = self._resolver or ThreadedResolver()
            found = await self._resolver.resolve(host, port, family)
            if not hosts.is_named(host, port) and not all(is_public(each["host"]) for each in found):
                raise PrivateAddress(host)
            return found

        async def close(self) -> None:
            self._resolver = None

    return PublicResolver()

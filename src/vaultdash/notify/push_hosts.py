"""The push services a message may be sent to: those of the browsers, and what the deployment names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from vaultdash.domain.errors import InvalidInput

BROWSERS = ("fcm.googleapis.com", "*.push.services.mozilla.com", "*.notify.windows.com", "*.push.apple.com")
LONGEST = 2000
HTTPS_PORT = 443
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True, slots=True)
class PushHost:
    """Where an endpoint is; `is_named` when the deployment named it, so that it may be on its own network."""

    name: str
    port: int
    is_named: bool


class PushHosts:
    """An allow-list; `named` are further hosts: `name`, `*.name`, or `name:port` for another port than 443."""

    def __init__(self, named: Sequence[str] = ()) -> None:
        self._named = tuple(host.lower() for host in named)

    def of(self, endpoint: str) -> PushHost:
        """The host of an endpoint; raises InvalidInput, which does not repeat the endpoint: it is a secret."""
        if len(endpoint) > LONGEST or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
            raise InvalidInput("endpoint", "is not the address of a push service")
        try:
            parts = urlsplit(endpoint)
            port = parts.port or HTTPS_PORT
        except ValueError:
            raise InvalidInput("endpoint", "is not the address of a push service") from None
        name = (parts.hostname or "").lower()
        if parts.scheme != "https" or "@" in parts.netloc or "\\" in endpoint or parts.fragment:
            raise InvalidInput("endpoint", "must be a plain https:// address")
        bracketed = f"[{name}]" if ":" in name else name
        if not _NAME.fullmatch(bracketed):
            raise InvalidInput("endpoint", "has no host name")
        if self.is_named(bracketed, port):
            return PushHost(name, port, is_named=True)
        if port == HTTPS_PORT and any(_matches(name, known) for known in BROWSERS):
            return PushHost(name, port, is_named=False)
        raise InvalidInput(
            "endpoint",
            f"belongs to {name}, no push service of a known browser; name it in VAULT_PUSH_HOSTS to trust it",
        )

    def is_named(self, name: str, port: int) -> bool:
        """True when the deployment trusts this host at this port, wherever it is."""
        for host in self._named:
            known, _, given = host.partition(":")
            if _matches(name, known) and port == int(given or HTTPS_PORT):
                return True
        return False

    def trusts(self, name: str, port: int) -> bool:
        """True when the deployment named this web server: at the port it gave, else at 80 or 443."""
        for host in self._named:
            known, _, given = host.partition(":")
            if _matches(name.lower(), known) and (port == int(given) if given else port in (80, 443)):
                return True
        return False


def _matches(name: str, known: str) -> bool:
    return name.endswith(known[1:]) if known.startswith("*.") else name == known

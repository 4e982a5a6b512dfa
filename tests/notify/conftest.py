"""Services on the loopback that take what is sent."""

import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.market.certificates import make_certificates
from tests.notify.push_service import PushService
from vaultdash.notify.push_hosts import PushHosts
from vaultdash.notify.push_keys import PushKeys
from vaultdash.notify.webpush import WebPushNotifier


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """`ca.pem` and the server's side of TLS."""
    return make_certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def push_service(authority: tuple[Path, ssl.SSLContext]) -> AsyncIterator[PushService]:
    service = await PushService(authority[1]).start()
    yield service
    await service.stop()


@pytest.fixture
async def push(
    tmp_path: Path, authority: tuple[Path, ssl.SSLContext], push_service: PushService
) -> AsyncIterator[Callable[..., WebPushNotifier]]:
    """Makes notifiers that trust the loopback service, unless given other hosts."""
    made: list[WebPushNotifier] = []

    def make(named: tuple[str, ...] | None = None, **given: object) -> WebPushNotifier:
        hosts = PushHosts((f"localhost:{push_service.port}",) if named is None else named)
        trust = ssl.create_default_context(cafile=authority[0])
        notifier = WebPushNotifier(
            PushKeys(tmp_path / "data"),
            hosts,
            "mailto:owner@example.org",
            trust=trust,
            **given,  # type: ignore[arg-type]
        )
        made.append(notifier)
        return notifier

    yield make
    for notifier in made:
        await notifier.aclose()

"""Writes messages into the log: the way that needs nothing."""

import structlog

from vaultdash.domain.alert import Channel
from vaultdash.notify.base import Accepted, Message

log = structlog.get_logger()


class ConsoleNotifier:
    """Accepts everything."""

    async def check(self, address: str) -> None:
        """Any address will do."""

    async def send(self, channel: Channel, message: Message) -> Accepted:
        """One line a message."""
        log.warning("alert", key=message.key, title=message.title, body=message.body)
        return Accepted(gives_receipts=False)

    async def aclose(self) -> None:
        """Nothing is held."""

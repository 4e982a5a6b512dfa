"""A process that delivers what is due and ends itself, without a last word, at the moment it is told to.

python -m tests.services.outbox_process DATABASE_URL PORT claimed|accepted|noted
"""

import asyncio
import os
import signal
import sys
from typing import Any

from vaultdash.clock import utc_now
from vaultdash.domain.alert import AlertEvent, Channel, ChannelKind
from vaultdash.feed import Feed
from vaultdash.notify.base import Accepted, Message
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.storage.sql import SqlDatabase


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Wire:
    """Hands the key over to a service on a socket, which says when it has it."""

    def __init__(self, port: int, moment: str) -> None:
        self.port, self.moment = port, moment

    async def check(self, address: str) -> None:
        pass

    async def send(self, channel: Channel, message: Message) -> Accepted:
        if self.moment == "claimed":
            end()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(message.key.encode() + b"\n")
        assert await reader.readline() == b"taken\n"
        writer.close()
        if self.moment == "accepted":
            end()
        return Accepted(gives_receipts=False)

    async def aclose(self) -> None:
        pass


async def main(url: str, port: str, moment: str) -> None:
    told: Feed[AlertEvent] = Feed()
    notifiers: Any = {ChannelKind.APPRISE: Wire(int(port), moment)}
    await AlertOutbox(SqlDatabase(url), notifiers, utc_now, told=told, patience_seconds=30.0).deliver()
    end()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

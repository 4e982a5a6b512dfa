"""The product with a market that crosses a threshold when told to, and a webhook that takes its alerts.

Usage: python -m benchmarks.alert_server PORT DATA_DIR. Prints a line when it listens; for a line with a number on its
standard input it crosses that often and prints a line of JSON: milliseconds from the quote to its acceptance.
"""

import asyncio
import json
import socket
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import uvicorn

from vaultdash.api.wire import wire_config
from vaultdash.bootstrap import build_vault
from vaultdash.clock import utc_now
from vaultdash.domain.alert import Channel, ChannelKind
from vaultdash.domain.market import MarketState, PriceHistory, Quote
from vaultdash.logs import quiet_logs
from vaultdash.main import create_app
from vaultdash.notify.base import Accepted, Message
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

PAUSE_SECONDS = 0.2
CALM, BEYOND = 460.0, 425.0  # LTV 65.2 % and 70.6 % of 600,000 USD on 2,000 shares


class SawTooth:
    """Quotes `price` as of now and remembers when it did."""

    name = "Saw-tooth"

    def __init__(self) -> None:
        self.price = CALM
        self.quoted_ns = 0

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The price as of now."""
        self.quoted_ns = time.monotonic_ns()
        return Quote(symbol, self.price, None, utc_now(), self.name, MarketState.OPEN)

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """None."""
        return PriceHistory(symbol, self.name, ())

    async def aclose(self) -> None:
        """Nothing is held."""


class Always:
    """A market that never shuts."""

    def is_open(self, now: datetime) -> bool:
        """Always."""
        return True

    def is_extended(self, now: datetime) -> bool:
        """Never."""
        return False

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """All of them."""
        return max((end - start).total_seconds(), 0.0)

    def sessions(self, start: date, end: date) -> list[date]:
        """None is asked for."""
        return []


class Timed:
    """The real notifier; when a raise was accepted is told to whom waits for it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.accepted: asyncio.Queue[int] = asyncio.Queue()

    async def check(self, address: str) -> None:
        """As the real one."""
        await self._inner.check(address)

    async def send(self, channel: Channel, message: Message) -> Accepted:
        """As the real one, timed."""
        answer: Accepted = await self._inner.send(channel, message)
        if message.details["kind"] == "raised":
            self.accepted.put_nowait(time.monotonic_ns())
        return answer

    async def aclose(self) -> None:
        """As the real one."""
        await self._inner.aclose()


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A webhook that takes everything."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(size)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def cross(vault: Vault, market: SawTooth, timed: Timed, times: int) -> list[float]:
    """Milliseconds from each quote beyond the threshold to the acceptance of its alert."""
    found = []
    for _ in range(times):
        market.price = BEYOND
        await vault.heartbeat.beat()
        quoted_ns = market.quoted_ns
        async with asyncio.timeout(60):
            found.append((await timed.accepted.get() - quoted_ns) / 1e6)
        market.price = CALM
        await vault.heartbeat.beat()
        await asyncio.sleep(PAUSE_SECONDS)
    return found


async def main(port: int, data_dir: Path) -> None:
    """Serve until the standard input ends."""
    webhook = await asyncio.start_server(take, "127.0.0.1", 0)
    address = f"127.0.0.1:{webhook.sockets[0].getsockname()[1]}"
    market = SawTooth()
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # nothing of this folder gets in
        market="yahoo",
        data_dir=data_dir,
        port=port,
        units=2_000.0,
        push_hosts=(address,),
        price_interval_seconds=3600.0,  # beats come when they are told to
    )
    vault = build_vault(settings, hours=Always(), yahoo=market)  # type: ignore[arg-type]  # without options
    timed = Timed(vault.outbox._notifiers[ChannelKind.APPRISE])
    vault.outbox._notifiers = {ChannelKind.APPRISE: timed}
    await vault.open()
    await vault.outbox.add_channel(ChannelKind.APPRISE, "hook", f"json://{address}/", step=0, wait_minutes=5.0)
    with socket.create_server(("127.0.0.1", port)) as listening:
        server = uvicorn.Server(wire_config(create_app(settings, vault, pages=False)))
        running = asyncio.create_task(server._serve([listening]))
        while not server.started:  # noqa: ASYNC110  # the server tells it by a flag
            await asyncio.sleep(0.05)
        await vault.heartbeat.beat()
        print(json.dumps({"listens": port}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await cross(vault, market, timed, int(line))), flush=True)
        server.should_exit = True
        await running


if __name__ == "__main__":
    import uvloop

    quiet_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), Path(sys.argv[2])))

"""Real servers for the journeys: the dashboard as its command starts it, and one whose Yahoo is on the loopback.

python -m tests.journeys.servers DIR PORT      a dashboard on a Yahoo that can be made to fail, at DIR/switch
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.new_york import with_calendar

ROOT = Path(__file__).resolve().parents[2]
WEDNESDAY_NOON = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)  # New York trades


class Dashboard:
    """A running dashboard."""

    def __init__(self, port: int, start: Callable[[], subprocess.Popen[bytes]], log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._start = start
        self.process = start()
        self.log = log

    def kill(self) -> None:
        """End it as a loss of power would: it can do nothing more."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """The same command on the same data directory and port, ready."""
        self.process = self._start()
        self.wait_until_ready()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10)

    def wait_until_ready(self, seconds: float = 180.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the dashboard was not ready: {self.log.read_text()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, directory: Path, **environment: str) -> Iterator[Dashboard]:
    """The command as a process, ready; ended with SIGTERM."""
    with_calendar(directory / "data")
    log = directory / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    settings = {"VAULT_DATA_DIR": str(directory / "data"), **environment}

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env={**inherited, **settings}, stdout=output, stderr=subprocess.STDOUT
            )

    dashboard = Dashboard(port, start, log)
    try:
        dashboard.wait_until_ready()
        yield dashboard
    finally:
        dashboard.process.terminate()
        dashboard.process.wait(timeout=15)


@contextmanager
def demo_dashboard(directory: Path, **environment: str) -> Iterator[Dashboard]:
    """`vault-dash serve` on the demo market, a new price every five seconds."""
    port = free_port()
    settings = {"VAULT_MARKET": "demo", "VAULT_PRICE_INTERVAL_SECONDS": "5", **environment}
    command = [sys.executable, "-m", "vaultdash", "serve", "--port", str(port)]
    with running(command, port, directory, **settings) as dashboard:
        yield dashboard


class YahooDashboard:
    """A dashboard whose Yahoo answers as told."""

    def __init__(self, dashboard: Dashboard, switch: Path) -> None:
        self.dashboard = dashboard
        self._switch = switch

    def asked(self) -> list[str]:
        """What Yahoo has been asked for so far, as `path` or `path?date`, a tenth of a second late."""
        return self._switch.with_name("asked").read_text(encoding="utf-8").split()

    def tell(
        self, *, scenario: str = "ok", price: float = 460.0, hours_later: float = 0.0, crumb: str = "first.crumb"
    ) -> None:
        """Change how Yahoo answers from now on; with `hours_later` the dashboard's clock jumps.

        A dashboard that runs has read it when this returns.
        """
        told = f"{scenario} {price} {hours_later} {crumb}"
        written = self._switch.with_suffix(".new")
        written.write_text(told, encoding="utf-8")
        written.replace(self._switch)  # the reader never sees half of it
        followed, end = self._switch.with_name("followed"), time.monotonic() + 20
        while self.dashboard.process.poll() is None and time.monotonic() < end:
            if followed.exists() and followed.read_text(encoding="utf-8") == told:
                return
            time.sleep(0.02)


@contextmanager
def yahoo_dashboard(
    directory: Path, market: str = "yahoo", begins: datetime = WEDNESDAY_NOON, **environment: str
) -> Iterator[YahooDashboard]:
    """The real yfinance client against a Yahoo on the loopback; its time begins at a Wednesday noon in New York."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (directory / "shift").write_text(str((begins - datetime.now(UTC)).total_seconds()), encoding="utf-8")
    command = [sys.executable, "-m", "tests.journeys.servers", str(directory), str(port)]
    with running(command, port, directory, VAULT_MARKET=market, **environment) as dashboard:
        yield YahooDashboard(dashboard, directory / "switch")


def serve_with_yahoo(directory: Path, port: int) -> None:
    """Run the application in this process on the loopback Yahoo, following the switch file."""
    import asyncio

    import uvicorn

    from tests.market.yahoo_server import YahooServer
    from vaultdash.bootstrap import build_vault
    from vaultdash.main import create_app
    from vaultdash.market.yahoo import BackOff, Limiter, YahooMarket
    from vaultdash.settings import load_settings

    shift = timedelta(seconds=float((directory / "shift").read_text(encoding="utf-8")))  # the same after a restart
    jump = timedelta()

    def now() -> datetime:
        return datetime.now(UTC) + shift + jump

    server = YahooServer(directory / "yahoo", now=lambda: now() + timedelta(seconds=5))  # its quotes are 5 s old
    settings = load_settings(port=port).model_copy(update={"price_interval_seconds": 2.0})
    yahoo = YahooMarket(
        Path(settings.data_dir) / "yfinance",
        session_factory=server.session_factory,
        now=now,
        limiter=Limiter(per_second=50, burst=50, per_hour=100_000),
        back_off=BackOff(seconds=(1.0,), jitter=0.0),
    )
    app = create_app(settings, build_vault(settings, yahoo=yahoo, now=now))

    def read_switch() -> None:
        nonlocal jump
        switch = directory / "switch"
        if switch.exists():
            told = switch.read_text(encoding="utf-8")
            scenario, price, hours, server.crumb = told.split()
            server.scenario, server.price, jump = scenario, float(price), timedelta(hours=float(hours))
            (directory / "followed").write_text(told, encoding="utf-8")

    async def follow_switch() -> None:
        while True:
            read_switch()
            asked = [
                f"{each.path}?{each.query['date']}" if "date" in each.query else each.path for each in server.requests
            ]
            (directory / "asked").write_text("\n".join(asked), encoding="utf-8")
            await asyncio.sleep(0.1)

    read_switch()  # before the first beat of a restart

    async def main() -> None:
        following = asyncio.create_task(follow_switch())
        await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).serve()
        following.cancel()

    asyncio.run(main())


if __name__ == "__main__":
    serve_with_yahoo(Path(sys.argv[1]), int(sys.argv[2]))

"""A real `vault-dash serve` in a process of its own, on the demo market and a free port of the loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.new_york import with_calendar


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(data_dir: Path, **given: str) -> dict[str, str]:
    """The machine's environment without settings of ours, without a way out, and the demo market."""
    plain = ("WEBSOCKET_INTERVAL_SECONDS", "CORS_ORIGINS", "ENVIRONMENT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_") and name not in plain}
    closed = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    usual = {"VAULT_MARKET": "demo", "VAULT_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    return {**kept, **closed, **usual, **given}


def vault_dash(
    *arguments: str, folder: Path, timeout: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder`, whose `data` is the data directory, as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "vaultdash", *arguments],
        cwd=folder,
        env=clean_environment(folder / "data", **environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class LiveServer:
    """Started when made; `stop` ends it and gives exit code and what it said."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._said = folder / "stderr.txt"
        with_calendar(folder / "data")
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vaultdash", "serve", "--port", str(self.port)],
                cwd=folder,
                env=clean_environment(folder / "data", **environment),
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def wait(self, seconds: float = 110) -> "LiveServer":
        """Until it has a price."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"ended at start:\n{self.said()}"
            try:
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s:\n{self.said()}")

    def said(self) -> str:
        """Standard error so far."""
        return self._said.read_text("utf-8", "replace")

    def stop(self, how: int = signal.SIGTERM, patience: float = 15) -> tuple[int, float]:
        """Exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return code, time.monotonic() - began

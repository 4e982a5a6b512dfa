"""Servers of their own process on a free port of this computer, and a way to ask them without a library."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `begun` is the moment just before its process was started."""

    process: subprocess.Popen[bytes]
    port: int
    begun: float

    def rss(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def cpu(self) -> float:
        """Processor seconds used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def until_200(self, path: str, pause: float = 0.002) -> float:
        """Seconds from the start of the process to the end of the first answer 200."""
        while time.perf_counter() - self.begun < START_LIMIT_SECONDS:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode} before it answered {path}")
            with suppress(OSError):
                if status(self.port, path) == 200:
                    return time.perf_counter() - self.begun
            time.sleep(pause)
        raise TimeoutError(f"{path} did not answer 200 within {START_LIMIT_SECONDS:.0f} s")


@contextmanager
def running(module: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`python -m <module ...>` in a folder of its own, ended on leaving."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory(prefix="vd-bench-", ignore_cleanup_errors=True) as folder:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env={**clean_environment(), "PYTHONPATH": path, **(environment or {})},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCH_SHOW_LOGS") else None,
        )
        try:
            yield Server(process, port, begun)
        finally:
            stop(process)


@contextmanager
def vault_dash(data_dir: Path, *, module: str = "vaultdash", **settings: str) -> Iterator[Server]:
    """The product on the demo market, started as an owner starts it."""
    port = free_port()
    environment = {"VAULT_MARKET": "demo", "VAULT_DATA_DIR": str(data_dir), "VAULT_PORT": str(port), **settings}
    with running([module, "serve"], port, environment) as server:
        yield server


def clean_environment() -> dict[str, str]:
    """The environment without settings of the product, so that every run measures the defaults."""
    names = ("WEBSOCKET_INTERVAL_SECONDS", "CORS_ORIGINS", "ENVIRONMENT", "NICEGUI_STORAGE_PATH", "LOAN")
    return {name: value for name, value in os.environ.items() if not name.startswith("VAULT_") and name not in names}


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def status(port: int, path: str) -> int:
    """The status of a GET, its body read to the end."""
    return fetch(port, path)[0]


def fetch(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET on a connection of its own."""
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        received = bytearray()
        while chunk := connection.recv(262_144):
            received += chunk
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def child(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A helper of the measurement in a process of its own, its output a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

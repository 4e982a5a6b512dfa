"""A Dask scheduler and its workers as processes of their own, on this computer."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
QUIET = {
    "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",  # usually 3: but that needs four workers to die
    "OMP_NUM_THREADS": "1",
}


class DaskCluster:
    """Started with `workers` processes of one thread each; `restore` replaces those that were killed."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self._folder = folder
        self._started = 0
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.workers: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            self.add_worker()
        self._wait()

    def add_worker(self) -> subprocess.Popen[bytes]:
        """One more; it serves as soon as it has found the scheduler."""
        self.workers.append(
            self._start(
                "worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1"
            )
        )
        return self.workers[-1]

    def restore(self) -> None:
        """Replace the workers that have ended."""
        alive = [worker for worker in self.workers if worker.poll() is None]
        missing = len(self.workers) - len(alive)
        self.workers = alive
        for _ in range(missing):
            self.add_worker()

    def stop(self) -> None:
        """End them all, without their long farewell."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def said(self) -> str:
        """What all of them have written."""
        return "\n".join(log.read_text() for log in sorted(self._folder.glob("*.log")))

    def _start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        self._started += 1
        folder = self._folder / f"{what}-{self._started}"
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        if what == "worker":
            command += ["--local-directory", str(folder)]
        known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(known)}
        with (self._folder / f"{folder.name}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def _wait(self) -> None:
        """Until the scheduler listens; its workers are waited for by who gives them work."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if self.scheduler.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the scheduler did not start:\n{self.said()}") from None
                time.sleep(0.05)
            else:
                return


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

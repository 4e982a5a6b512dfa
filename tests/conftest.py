"""How a run begins, and in which order it goes; what tests ask for is in `fixtures`."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest

BASE_URL = "http://127.0.0.1:8000"
WAITING = {"journeys", "sql", "notify", "tests", "test_fuzz.py"}  # for browsers, other processes and time-outs
WAITING_ENDS = 0.8  # of the run
SHARED = {
    "live_server": ("api/test_fuzz.py", "api/test_guards.py", "api/test_wire.py", "test_main.py"),
    "dashboard": tuple(
        f"journeys/test_{name}.py"
        for name in ("backtest", "hedge", "ltv_history", "options", "overview", "risk", "workbench")
    ),
}


def pytest_configure(config: pytest.Config) -> None:
    """Processes that run tests load the fixtures; the one that only shares them out begins without.

    Bytecode is kept, whatever the environment says: a hundred processes would each compile what they import.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    gc.set_threshold(50_000, 20, 20)  # thousands of tests stay: they need not be looked through for garbage so often
    if config.getoption("dist", "no") == "no":
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shared out to several processes, files that wait and files that compute are mixed, so that no core idles.

    Of those that compute the largest come first; those that wait end earlier, so that none is waited for at the end.
    """
    if not hasattr(config, "workerinput"):
        return
    waiting: dict[Path, list[pytest.Item]] = {}
    computing: dict[Path, list[pytest.Item]] = {}
    for item in items:
        kind = waiting if WAITING & {item.path.parent.name, item.path.name} else computing
        kind.setdefault(item.path, []).append(item)
    largest_first = sorted(computing.values(), key=len, reverse=True)
    turns = [(WAITING_ENDS * number / len(waiting), file) for number, file in enumerate(waiting.values())]
    turns += [(number / len(largest_first), file) for number, file in enumerate(largest_first)]
    turns.sort(key=lambda turn: turn[0])
    items[:] = [item for _, file in turns for item in file]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files that ask the same server are the work of one process, so that it is started once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((server for server, files in SHARED.items() if file.removeprefix("tests/") in files), file)

    return ByServer(config, log)


def pytest_collection_finish() -> None:
    """What is loaded and collected by now stays to the end: it is never looked through for garbage again."""
    gc.collect()
    gc.freeze()

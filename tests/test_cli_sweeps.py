"""vault-dash sweep: what is printed, what is refused, and nothing lost when it is stopped or killed."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment
from tests.backtest.sweep_market import END, START, falling_gold
from vaultdash.cli import app
from vaultdash.storage.parquet_prices import ParquetPrices

Run = Callable[..., Result]
ROOT = Path(__file__).parents[1]
PATIENCE = 90.0
SMALL = f"""
templates: [protective_put_otm_95, no_hedge]
vary: {{"legs[0].strike.value": [0.95, 1.0]}}
spans: [{{start: {START}, end: {END}}}]
terms: {{ltv: [0.60, 0.66], units: 1000}}
"""
LARGE = f"""
name: Killed in the middle
templates: [protective_put_otm_95, collar_95_110]
vary: {{"legs[0].strike.value": {{from: 0.85, to: 1.0, step: 0.01}}, coverage: [0.5, 0.75, 1.0]}}
spans: [{{start: {START}, end: {END}}}]
terms: {{ltv: {{from: 0.5, to: 0.7, step: 0.005}}, units: 1000}}
"""
POINTS = (1 + 2 * 16 * 3) * 41


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with the fall in it."""
    ParquetPrices(tmp_path / "data").merge_history(falling_gold())
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, **environment: str) -> Result:
        clean = clean_environment(data, VAULT_MARKET="auto", **environment)
        return CliRunner().invoke(app, list(arguments), env=clean)

    return run_command


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_json_is_all_that_is_printed_and_has_every_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(SMALL)
    result = run("sweep", "grid.yaml", "--workers", "1", "--name", "Mine", "--csv", "table.csv", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["name"], told["runs"], told["failed"], told["hedges"], told["scenarios"]) == ("Mine", 6, 0, 3, 2)
    assert [(row["template"], row["terms.ltv"]) for row in told["results"]] == [
        (slug, ltv) for ltv in (0.60, 0.66) for slug in ("no_hedge", "protective_put_otm_95", "protective_put_otm_95")
    ]
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 7
    listed = run("sweeps")
    assert "Mine" in listed.stdout
    assert "done" in listed.stdout
    assert "Mine" not in run("sweeps", "--remove", told["id"]).stdout
    assert f"There is no sweep {told['id']!r}" in refused(run("sweeps", "--remove", told["id"]))


def test_what_cannot_be_run_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(SMALL.replace("ltv", "lvt"))
    assert "terms.lvt is no term" in refused(run("sweep", "wrong.yaml"))
    assert "missing.yaml" in refused(run("sweep", "missing.yaml"))
    assert "There is no sweep 'nothing'" in refused(run("sweep", "--resume", "nothing"))
    assert "Name a grid file, or an id with --resume" in refused(run("sweep"))
    (tmp_path / "grid.yaml").write_text(SMALL)
    away = run("sweep", "grid.yaml", VAULT_DASK_SCHEDULER="tcp://127.0.0.1:9")
    assert "does not answer" in refused(away)
    both = run("sweep", "grid.yaml", "--workers", "2", VAULT_DASK_SCHEDULER="tcp://127.0.0.1:9")
    assert "Leave --workers out" in refused(both)


def started(data: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = clean_environment(data, VAULT_MARKET="auto")
    known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "vaultdash", "sweep", *arguments],
        env={**environment, "PYTHONPATH": os.pathsep.join(known)},
        cwd=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kept(data: Path) -> list[tuple[str, str, float, int]]:
    """Id, state, progress and number of parts of each sweep, as another process sees them."""
    file = data / "vault.db"
    if not file.exists():
        return []
    asked = (
        "SELECT id, state, progress, (SELECT count(*) FROM backtest_parts WHERE run_id = id) FROM backtest_runs "
        "ORDER BY number"
    )
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as database:
            return [tuple(row) for row in database.execute(asked)]
    except sqlite3.OperationalError:  # not made yet
        return []


def until_kept(data: Path, command: "subprocess.Popen[str]") -> str:
    """The id of a sweep of which a part is kept."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert command.poll() is None, command.communicate()
        for run, _, progress, parts in kept(data):
            if parts and progress < 1:
                return run
        time.sleep(0.05)
    raise AssertionError("no part was kept in time")


def digest(data: Path, run: str) -> bytes:
    with sqlite3.connect(data / "vault.db") as database:
        (content,) = database.execute("SELECT content FROM backtest_results WHERE run_id = ?", (run,)).fetchone()
    return bytes(content)


def test_a_command_that_is_killed_or_stopped_loses_nothing(data: Path, tmp_path: Path) -> None:
    (data / "grid.yaml").write_text(LARGE)
    killed = started(data, "grid.yaml", "--workers", "1")
    first = until_kept(data, killed)
    killed.kill()
    killed.communicate()
    ((_, state, share, _),) = kept(data)
    assert (state, 0 < share < 1) == ("running", True)

    stopped = started(data, "--resume", first, "--workers", "2")
    deadline = time.monotonic() + PATIENCE
    while kept(data)[0][2] <= share:
        assert stopped.poll() is None, stopped.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=PATIENCE)
    ended = kept(data)[0]
    if stopped.returncode == 130:  # else it was done before the signal came
        assert re.search(rf"what is done is kept. vault-dash sweep --resume {first} goes on", err), err
        assert (ended[1], ended[2] >= share, out) == ("cancelled", True, "")
        last = started(data, "--resume", first, "--workers", "1")
        out, err = last.communicate(timeout=PATIENCE)
        assert last.returncode == 0, err

    whole = started(data, "grid.yaml", "--workers", "2")
    out, err = whole.communicate(timeout=PATIENCE)
    assert whole.returncode == 0, err
    assert f"{POINTS:,} runs, kept as" in " ".join(out.split())
    second = kept(data)[-1][0]
    assert second != first
    assert digest(data, first) == digest(data, second)

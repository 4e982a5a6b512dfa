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
    away = run("sweep", "grid.yaml", VAULT_DASK_SCHEDULER="gopher://127.0.0.1:9")
    assert "must be the address of a Dask scheduler" in refused(away)
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


def kept(data: Path) -> list[tuple[str, str, str, float, int]]:
    """Id, name, state, progress and number of parts of each sweep, as another process sees them."""
    file = data / "vault.db"
    if not file.exists():
        return []
    asked = (
        "SELECT id, name, state, progress, (SELECT count(*) FROM backtest_parts WHERE run_id = id) "
        "FROM backtest_runs ORDER BY number"
    )
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as database:
            return [tuple(row) for row in database.execute(asked)]
    except sqlite3.OperationalError:  # not made yet
        return []


def interrupted(data: Path, signals: dict[str, signal.Signals]) -> dict[str, tuple[str, float]]:
    """Begin a sweep of each name and signal it as soon as a part is kept: its id, and the progress seen before."""
    commands = {name: started(data, "grid.yaml", "--workers", "1", "--name", name) for name in signals}
    found: dict[str, tuple[str, float]] = {}
    deadline = time.monotonic() + PATIENCE
    while len(found) < len(commands):
        assert time.monotonic() < deadline, "no part was kept in time"
        for run, name, _, progress, parts in kept(data):
            if name not in found and parts and progress < 1:
                commands[name].send_signal(signals[name])
                found[name] = run, progress
        for name, command in commands.items():
            assert name in found or command.poll() is None, command.communicate()
        time.sleep(0.02)
    for name, command in commands.items():
        out, err = command.communicate(timeout=PATIENCE)
        assert out == ""
        if signals[name] is signal.SIGINT:
            assert command.returncode == 130
            assert re.search(rf"what is done is kept. vault-dash sweep --resume {found[name][0]} goes on", err), err
    return found


def digest(data: Path, run: str) -> bytes:
    with sqlite3.connect(data / "vault.db") as database:
        (content,) = database.execute("SELECT content FROM backtest_results WHERE run_id = ?", (run,)).fetchone()
    return bytes(content)


def test_a_command_that_is_killed_or_stopped_loses_nothing(data: Path, run: Run) -> None:
    (data / "grid.yaml").write_text(LARGE)
    ended = interrupted(data, {"killed": signal.SIGKILL, "stopped": signal.SIGINT})
    states = {name: (state, progress) for _, name, state, progress, _ in kept(data)}
    assert {name: state for name, (state, _) in states.items()} == {"killed": "running", "stopped": "cancelled"}
    for name, (run_id, share) in ended.items():
        assert 0 < share <= states[name][1] < 1
        last = run("sweep", "--resume", run_id, "--workers", "1")
        assert last.exit_code == 0, last.output

    whole = run("sweep", str(data / "grid.yaml"), "--workers", "2")
    assert whole.exit_code == 0, whole.output
    assert f"{POINTS:,} runs, kept as" in " ".join(whole.stdout.split())
    ids = [run_id for run_id, *_ in kept(data)]
    assert len(ids) == 3
    assert len({digest(data, run_id) for run_id in ids}) == 1

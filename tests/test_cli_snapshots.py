"""vault-dash snapshots: what is typed and what comes back."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment
from tests.market.observed.texts import CBOE, DOLTHUB, OPTIONSDX, PLAIN, a_file
from tests.services.test_snapshot_recorder import ScriptedChains
from vaultdash.cli import app
from vaultdash.clock import NEW_YORK, NewYorkHours, session_close, utc_now
from vaultdash.domain.errors import Unavailable

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `snapshots` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, **environment: str) -> Result:
        settings = clean_environment(tmp_path / "data", **environment)
        return CliRunner().invoke(app, ["snapshots", *arguments], env=settings)

    return run_command


def refused(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.stderr
    return result.stderr


def test_an_import_tells_what_came_and_what_did_not(run: Run, tmp_path: Path) -> None:
    a_file(tmp_path, PLAIN, {}, {"strike": "x"}, {"strike": 425}, {"quote_date": "2026-05-18"})
    result = run("import", "chain.csv")
    assert result.exit_code == 0, result.output
    assert "chain.csv (plain): 4 rows read, 3 kept, 1 rejected." in result.stdout
    assert "Stored: 3 new, 0 replaced, 0 as they were." in result.stdout
    assert "rejected 1: strike is not a number (line 3)" in result.stdout
    assert "trading days without a row: 2026-05-15" in result.stdout
    assert "eod_1715" in result.stdout
    assert "Stored: 0 new, 0 replaced, 3 as they were." in run("import", "chain.csv").stdout


def test_several_files_and_options(run: Run, tmp_path: Path) -> None:
    a_file(tmp_path, CBOE, name="a.csv")
    a_file(tmp_path, DOLTHUB, name="b.csv")
    assert run("import", "a.csv", "b.csv", "--symbol", "gld").exit_code == 0
    a_file(tmp_path, OPTIONSDX, name="c.csv")
    assert run("import", "c.csv", "--format", "optionsdx", "--symbol", "SLV").exit_code == 0
    (tmp_path / "d.csv").write_text("d,e,k,cp,bid,ask\n2026-05-14,2026-06-18,420,P,6,6.2\n")
    named = ("quote_date=d", "expiration=e", "strike=k", "type=cp")
    maps = [word for pair in named for word in ("--map", pair)]
    assert run("import", "d.csv", "--symbol", "GLD", *maps).exit_code == 0
    listed = run("list").stdout
    assert [word in listed for word in ("cboe_datashop", "dolthub", "optionsdx", "mapped", "SLV", "t1545")] == [
        True
    ] * 6
    assert "SLV" not in run("list", "--symbol", "GLD").stdout


def test_nothing_taken_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    a_file(tmp_path, PLAIN, {"strike": "x"})
    assert "chain.csv: no row could be taken" in refused(run("import", "chain.csv"), 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.csv",), "nowhere.csv does not exist"),
        (("chain.csv", "--format", "excel"), "--format must be one of thetadata"),
        (("chain.csv", "--map", "strike"), "--map must be NAME=COLUMN"),
        (("chain.csv", "--map", "colour=x"), "--map knows no colour"),
        (("chain.csv", "--symbol", "../x"), "symbol"),
        (("junk.bin",), "junk.bin is not a text file"),
        (("other.csv",), "other.csv has columns of no known format: a, b"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    a_file(tmp_path, PLAIN)
    (tmp_path / "junk.bin").write_bytes(b"\0\1\2" * 9)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert words in refused(run("import", *arguments), 2)
    assert not (tmp_path / "data" / "option_eod").exists()


def test_a_check_of_a_sound_store(run: Run, tmp_path: Path) -> None:
    a_file(tmp_path, PLAIN, {}, {"quote_date": "2026-05-18", "quote_ts_utc": "2026-05-18T21:30:00Z"})
    run("import", "chain.csv")
    result = run("check")
    assert result.exit_code == 0
    assert "2 files read, 0 damaged." in result.stdout
    assert "note: GLD, plain, eod_1715 is missing 2026-05-15" in result.stdout


def test_a_check_of_a_damaged_store_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    a_file(tmp_path, PLAIN)
    run("import", "chain.csv")
    (path,) = (tmp_path / "data" / "option_eod").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    said = refused(run("check"), 1)
    assert f"DAMAGED: The recorded chains {path} are damaged" in said
    assert "1 of 1 files cannot be used" in said
    run("import", "chain.csv")
    mended = run("check")
    assert mended.exit_code == 0
    assert "was damaged and kept aside" in mended.stdout


def test_an_empty_store_is_listed_and_checked(run: Run) -> None:
    assert "No chains are recorded" in run("list").stdout
    assert run("check").exit_code == 0


def test_the_demo_market_is_never_recorded(run: Run) -> None:
    assert "The demo market is invented and is never recorded" in refused(run("record"), 2)


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, new_york: NewYorkHours) -> ScriptedChains:
    """Chains of the session that is open or was the last, in place of the network."""
    now = utc_now()
    today = now.astimezone(NEW_YORK).date()
    last = [day for day in new_york.sessions(today - timedelta(days=10), today) if session_close(day) <= now][-1]
    chains = ScriptedChains(utc_now)
    chains.priced_at = now if new_york.is_open(now) else session_close(last)
    chains.days = (today + timedelta(days=30), today + timedelta(days=60))
    monkeypatch.setattr("vaultdash.bootstrap.market_providers", lambda settings: [chains])
    return chains


def test_the_live_chains_are_recorded_at_once(run: Run, live: ScriptedChains) -> None:
    result = run("record", VAULT_MARKET="auto")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("GLD: recorded 2 of 2 expirations for ")
    assert "recorded:scripted" in run("list").stdout


def test_what_could_not_be_recorded_is_exit_code_1(run: Run, live: ScriptedChains) -> None:
    live.failures = {live.days[1]: Unavailable("no route")}
    said = refused(run("record", "--symbol", "slv", VAULT_MARKET="auto"), 1)
    assert said.startswith("SLV: recorded 1 of 2 expirations for ")
    assert said.endswith(": no route\n")
    assert "next try" not in said


def test_help_names_the_commands_and_loads_nothing_heavy(run: Run, tmp_path: Path) -> None:
    said = run("--help").stdout
    assert [word in said for word in ("import", "list", "check", "record")] == [True] * 4
    code = (
        "import sys, vaultdash.cli\n"
        "heavy = {'polars', 'numpy', 'pydantic', 'databento', 'rich', 'structlog'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_real_chains_are_imported_and_shown(run: Run, shared_data: Path) -> None:
    result = run("import", str(shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz"))
    assert result.exit_code == 0, result.output
    assert "15,997 rows read, 15,997 kept, 0 rejected." in result.stdout
    assert "417.29" in result.stdout

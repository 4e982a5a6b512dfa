"""What the owner types and what comes back: answers on standard output, sentences on standard error, a code."""

import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment, free_port, vault_dash
from tests.api.structure import require
from tests.api.test_routes import SIX, STRATEGIES
from vaultdash.cli import app

Run = Callable[..., Result]
GOOD = "date,close\n2026-06-08,400.5\n2026-06-09,402\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, in an empty folder, on the demo market unless told otherwise."""
    monkeypatch.chdir(tmp_path)
    for name in ("VAULT_HOST", "VAULT_PORT", "VAULT_REDIS_URL", "VAULT_UNITS", "CORS_ORIGINS", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=clean_environment(tmp_path / "data", **environment))

    return run_command


def refused(result: Result, code: int = 2) -> str:
    """The sentence of a command that was refused."""
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("serve", "status", "strategies", "history", "check")),
        (("serve",), ("--host", "--port")),
        (("status",), ("ten lines",)),
        (("strategies",), ("--symbol", "--volatility", "--json")),
        (("history",), ("import", "update", "show")),
        (("history", "import"), ("--symbol", "--column", "--force")),
        (("history", "show"), ("--from", "--to", "--list")),
        (("check", "market"), ("--symbol",)),
    ],
)
def test_help_says_what_a_command_takes(run: Run, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    result = run(*arguments, "--help", COLUMNS="120")
    assert result.exit_code == 0
    said = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    assert all(word in said for word in words), said


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, vaultdash.cli\n"
        "heavy = {'nicegui', 'fastapi', 'numpy', 'polars', 'pandas', 'QuantLib', 'scipy', 'yfinance', 'pydantic'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_status_is_the_loan_in_ten_lines(run: Run) -> None:
    result = run("status")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 10
    assert "368.00" in lines[3]
    assert "600,000.00 USD" in lines[5]
    assert "DEMO" in lines[9]


def test_status_watches_nothing(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.5)
        called = f"http://127.0.0.1:{outside.getsockname()[1]}/alive"
        over = {"VAULT_UNITS": "2174", "VAULT_LOAN_AMOUNT": "700000", "VAULT_DEADMAN_URL": called}
        result = run("status", **over)
        assert result.exit_code == 0, result.output
        assert "MARGIN CALL" in result.stdout.upper()
        with pytest.raises(TimeoutError):
            outside.accept()  # the server may be dead: nobody is told that all is well
    with sqlite3.connect(tmp_path / "data" / "demo.db") as kept:
        for table in ("alert_events", "alert_states", "outbox", "ltv_snapshots"):
            assert kept.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_the_demo_market_has_a_file_of_its_own(run: Run, tmp_path: Path) -> None:
    assert run("status").exit_code == 0
    assert [file.name for file in sorted((tmp_path / "data").glob("*.db"))] == ["demo.db"]
    assert "demo.db" in run("db", "check").stdout
    assert run("portfolio", "list", VAULT_MARKET="auto").exit_code == 0
    assert [file.name for file in sorted((tmp_path / "data").glob("*.db"))] == ["demo.db", "vault.db"]


def test_the_demo_market_is_not_let_into_a_database_of_ones_own(run: Run, tmp_path: Path) -> None:
    own = f"sqlite:///{tmp_path / 'own.db'}"
    for command in (("status",), ("serve", "--port", str(free_port())), ("portfolio", "list")):
        result = run(*command, VAULT_DATABASE_URL=own)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1), result.output
        assert "VAULT_MARKET=demo" in result.stderr
        assert "VAULT_DATABASE_URL" in result.stderr
    assert not (tmp_path / "own.db").exists()


def test_status_counts_the_loan_of_the_settings(run: Run) -> None:
    result = run("status", VAULT_COLLATERAL="XAU-KG", VAULT_UNITS="10", VAULT_LOAN_AMOUNT="500000")
    assert result.exit_code == 0
    assert "500,000.00 USD" in result.stdout
    assert "10.00 XAU-KG kilograms = 321.51 oz" in result.stdout


def test_status_without_any_price_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = vault_dash("status", folder=tmp_path, VAULT_MARKET="yahoo")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("No price of GLD: ")
    assert len(ended.stderr.splitlines()) == 1
    assert time.monotonic() - began < 30


def test_strategies_shows_the_six_side_by_side_with_a_reason_for_each_profile(run: Run) -> None:
    result = run("strategies", "--spot", "460", "--volatility", "0.16")
    assert result.exit_code == 0
    assert [name for name in SIX if name not in result.stdout] == []
    assert [word for word in ("conservative", "balanced", "cost sensitive") if word in result.stdout] == [
        "conservative",
        "balanced",
        "cost sensitive",
    ]
    assert "margin call at 368.00" in result.stdout
    assert "assumed" in result.stdout


def like(told: Any) -> Any:
    """The same, with room for the last digits of each number."""
    if isinstance(told, dict):
        return {name: like(value) for name, value in told.items()}
    if isinstance(told, list):
        return [like(each) for each in told]
    return pytest.approx(told, rel=1e-9, abs=1e-9) if isinstance(told, float) else told


async def test_strategies_as_json_is_what_the_api_answers(tmp_path: Path, api_client: httpx.AsyncClient) -> None:
    ended = vault_dash("strategies", "--json", "--spot", "460", "--symbol", "gld", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    printed = json.loads(ended.stdout)
    require(printed, STRATEGIES)
    answered = (await api_client.get("/api/strategies", params={"spot": 460, "symbol": "GLD"})).json()
    # one of the two processes may price with compiled kernels: their last digits differ
    assert like(printed["strategies"]) == answered["strategies"]
    assert like(printed["recommendations"]) == answered["recommendations"]
    assert printed.keys() == answered.keys()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--spot", "nan"), "spot"),
        (("--spot", "0"), "spot"),
        (("--spot", "-1"), "spot"),
        (("--spot", "1e999"), "spot"),
        (("--volatility", "16"), "volatility"),
        (("--months", "0"), "months"),
        (("--symbol", "../x"), "symbol"),
        (("--symbol", "NOSUCH"), "NOSUCH"),
    ],
)
def test_strategies_names_what_makes_no_sense(run: Run, arguments: tuple[str, ...], named: str) -> None:
    assert named in refused(run("strategies", *arguments))


def test_import_then_show_prints_the_fall_of_january_2026(run: Run, shared_data: Path) -> None:
    result = run("history", "import", str(shared_data / "gld_daily.csv"))
    assert result.exit_code == 0, result.output
    assert " 0 rejected" in result.stdout
    shown = run("history", "show", "--from", "2026-01-28", "--to", "2026-02-03")
    assert shown.exit_code == 0
    assert "gld_daily.csv, imported" in shown.stdout
    days = re.findall(r"2026-0\d-\d\d", shown.stdout)
    assert days == ["2026-01-28", "2026-01-29", "2026-01-30", "2026-02-02", "2026-02-03"]
    assert re.search(r"2026-01-30 .*-10\.2\d%", shown.stdout)
    assert len(re.findall(r"[+-]\d+\.\d\d%", shown.stdout)) == 5  # the first day, too
    again = run("history", "import", str(shared_data / "gld_daily.csv"))
    assert " 0 new, 0 replaced" in again.stdout


def test_a_file_of_another_symbol_is_refused_until_its_symbol_is_said(run: Run, shared_data: Path) -> None:
    file = str(shared_data / "gvz_daily.csv")
    assert "--symbol '^GVZ'" in refused(run("history", "import", file))
    assert "nothing" not in run("history", "show", "--list").stdout
    result = run("history", "import", file, "--symbol", "^GVZ")
    assert result.exit_code == 0, result.output
    listed = run("history", "show", "--list").stdout
    assert "^GVZ" in listed
    assert "GLD " not in listed


def test_an_imported_file_is_shown_and_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD)
    result = run("history", "import", "prices.csv")
    assert result.exit_code == 0, result.output
    assert "GLD: 2 rows read, 2 kept, 0 rejected; 2026-06-08 to 2026-06-09." in result.stdout
    shown = run("history", "show").stdout
    assert "402.00" in shown
    assert "+0.37%" in shown
    assert "DEMO" not in shown
    assert "2026-06-09" in run("history", "show", "--list").stdout


def test_ounce_prices_do_not_replace_stored_shares_unless_forced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD)
    (tmp_path / "gold.csv").write_text("date,close\n2026-06-08,4405.5\n2026-06-09,4422\n2026-06-10,4430\n")
    assert run("history", "import", "prices.csv").exit_code == 0
    for symbol in ((), ("--symbol", "GLD")):
        said = refused(run("history", "import", "gold.csv", *symbol))
        assert "gold.csv: its closes are 11 times those stored for GLD (the median of 2 common days)" in said
        assert "Nothing was stored" in said
        assert "--symbol" in said
        assert "--force" in said
    assert "4,422" not in run("history", "show").stdout
    ounces = run("history", "import", "gold.csv", "--symbol", "GC=F")
    assert ounces.exit_code == 0, ounces.output
    forced = run("history", "import", "gold.csv", "--force")
    assert "1 new, 2 replaced" in forced.stdout


def test_ounce_prices_are_not_taken_for_gld_into_an_empty_store(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text("date,close\n2026-06-08,4405.5\n2026-06-09,4422\n")
    assert "looks like the price of an ounce of gold" in refused(run("history", "import", "gold.csv"))
    assert not list((tmp_path / "data").rglob("*.parquet"))
    assert run("history", "import", "gold.csv", "--force").exit_code == 0


def test_a_damaged_store_is_still_mended_by_an_import(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD)
    assert run("history", "import", "prices.csv").exit_code == 0
    (path,) = (tmp_path / "data").rglob("*.parquet")
    path.write_bytes(b"PAR1 garbage PAR1")
    mended = run("history", "import", "prices.csv")
    assert mended.exit_code == 0, mended.output
    assert "2 new" in mended.stdout


def test_a_file_name_cannot_break_or_colour_the_table(run: Run, tmp_path: Path) -> None:
    (tmp_path / "[red]a[!].csv").write_text(GOOD)
    assert run("history", "import", "[red]a[!].csv").exit_code == 0
    for arguments in (("history", "show"), ("history", "show", "--list")):
        result = run(*arguments)
        assert result.exit_code == 0
        assert "[red]a[!].csv" in result.stdout


def test_rejected_rows_are_listed_with_their_reason(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD + "2026-06-10,none\n2026-06-09,500\n")
    result = run("history", "import", "prices.csv")
    assert result.exit_code == 0
    assert "2 rejected" in result.stdout
    assert "rejected line 4" in result.stdout
    assert "rejected line 5" in result.stdout


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\xff\xfe\x80" * 200,
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 500,
        b"just words\nand more words\n",
        b"date,close\n",
        b"date,close\nx,y\n" * 100,
        b"PAR1" + bytes(range(256)),
    ],
)
def test_a_file_that_holds_no_prices_is_refused_and_nothing_is_stored(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "garbage.csv").write_bytes(content)
    assert "garbage.csv" in refused(run("history", "import", "garbage.csv"))
    assert not list((tmp_path / "data").rglob("*.parquet"))


def test_a_missing_file_or_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    assert "does not exist" in refused(run("history", "import", "nowhere.csv"))
    assert "is a directory" in refused(run("history", "import", str(tmp_path)))


def test_a_data_directory_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    (tmp_path / "prices.csv").write_text(GOOD)
    assert str(tmp_path / "data") in refused(run("history", "import", "prices.csv"))
    assert f"{tmp_path / 'data' / 'demo.db'} cannot be opened" in refused(run("status"))


def test_showing_days_that_are_not_there_is_a_sentence(run: Run) -> None:
    assert "No prices of GLD" in refused(run("history", "show", "--from", "2001-01-01", "--to", "2001-02-01"))
    assert "No prices of GLD" in refused(run("history", "show", "--from", "2026-03-01", "--to", "2026-02-01"))
    assert "symbol" in refused(run("history", "show", "--symbol", "../../etc"))
    assert "does not match" in refused(run("history", "show", "--from", "yesterday"))


def test_show_prints_the_last_thirty_days(run: Run) -> None:
    shown = run("history", "show", "--symbol", "iau").stdout
    assert "IAU, DEMO" in shown
    assert len(re.findall(r"\d{4}-\d\d-\d\d", shown)) == 30


def test_the_demo_market_is_not_stored(run: Run, tmp_path: Path) -> None:
    assert "VAULT_MARKET" in refused(run("history", "update"))
    assert not list((tmp_path / "data").rglob("*.parquet"))


def test_updating_without_a_network_is_a_sentence(tmp_path: Path) -> None:
    ended = vault_dash("history", "update", folder=tmp_path, VAULT_MARKET="yahoo")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Yahoo could not be reached" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_check_market_says_ok_on_the_demo_market(run: Run) -> None:
    result = run("check", "market")
    assert result.exit_code == 0
    assert re.match(r"DEMO: ok in \d+\.\d s: GLD \d+\.\d\d USD", result.stdout)


def test_check_market_without_a_network_says_failed_with_exit_code_1(tmp_path: Path) -> None:
    ended = vault_dash("check", "market", folder=tmp_path, VAULT_MARKET="yahoo")
    assert ended.returncode == 1
    assert re.match(r"yahoo: FAILED after \d+\.\d s: Yahoo could not be reached", ended.stdout)
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VAULT_MARKET", "bloomberg"),
        ("VAULT_PORT", "abc"),
        ("VAULT_UNITS", "-5"),
        ("VAULT_UNITS", "nan"),
        ("VAULT_MARGIN_CALL_LTV", "75"),
        ("VAULT_PRICE_INTERVAL_SECONDS", "0"),
        ("WEBSOCKET_INTERVAL_SECONDS", "x"),
        ("CORS_ORIGINS", "evil.com"),
        ("ENVIRONMENT", "a b"),
        ("VAULT_REDIS_URL", "http://x"),
    ],
)
def test_a_wrong_setting_is_named_by_every_command(run: Run, name: str, value: str) -> None:
    for command in (("status",), ("strategies",), ("history", "show"), ("check", "market"), ("serve",)):
        assert name in refused(run(*command, **{name: value}))


def test_several_wrong_settings_are_named_together(run: Run) -> None:
    said = refused(run("status", VAULT_UNITS="x", VAULT_LOAN_AMOUNT="y"))
    assert "VAULT_UNITS" in said
    assert "VAULT_LOAN" in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"VAULT_UNITS=minus five\n", "VAULT_UNITS"),
        (b"VAULT_PORT 9000\n", "cannot be understood"),
        (b"'unfinished\n", "cannot be understood"),
        (b"\xff\xfe\x00V\x00A", ".env"),
    ],
)
def test_a_broken_env_file_is_named(run: Run, tmp_path: Path, content: bytes, named: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert named in refused(run("status"))


def test_an_env_file_is_read_and_the_environment_beats_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nVAULT_LOAN_AMOUNT=500000\n\nVAULT_MARKET=yahoo\n")
    result = run("status")
    assert result.exit_code == 0
    assert "500,000.00 USD" in result.stdout
    assert "DEMO" in result.stdout


def test_the_installed_module_runs_as_a_program(tmp_path: Path) -> None:
    ended = vault_dash("status", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 10
    unknown = vault_dash("sell-everything", folder=tmp_path)
    assert unknown.returncode == 2
    assert "Traceback" not in unknown.stderr


def test_a_corrected_import_corrects_the_status(tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_text("date,close\n2026-11-19,451.00\n2026-11-20,405.30\n", encoding="utf-8")
    right.write_text("date,close\n2026-11-20,450.30\n", encoding="utf-8")
    for file, price in ((wrong, "405.30"), (right, "450.30")):
        assert vault_dash("history", "import", str(file), folder=tmp_path, VAULT_MARKET="yahoo").returncode == 0
        assert f"GLD {price}" in vault_dash("status", folder=tmp_path, VAULT_MARKET="yahoo").stdout

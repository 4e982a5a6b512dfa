"""Backtests and events in a terminal, and the same as JSON, of which nothing else stands on standard output."""

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result

from tests.services.backtest_house import january_prices
from tests.test_cli import refused, run
from vaultdash.cli import app
from vaultdash.cli_backtests import _progress
from vaultdash.domain.selloff import SELLOFFS
from vaultdash.files.machine_code import mark_complete
from vaultdash.pricing import compiled
from vaultdash.services.pricing_kernels import edition

__all__ = ["run"]
Run = Callable[..., Result]
PUT = "protective_put_otm_95"
ASKED = ("backtest", "--event", "jan-2026", "--ltv", "0.66")


@pytest.fixture
def january(run: Run, tmp_path: Path) -> Run:
    """After an import of the prices of January 2026 and of the year before."""
    file = tmp_path / "gld.csv"
    lines = [f"{bar.on},{bar.close},{bar.low}" for bar in january_prices().bars]
    file.write_text("date,close,low\n" + "\n".join(lines) + "\n")
    assert run("history", "import", str(file), "--symbol", "GLD", "--force").exit_code == 0
    return run


def test_the_json_has_the_result_of_every_template_and_of_none(january: Run) -> None:
    result = january(*ASKED, "--template", PUT, "--template", "no_hedge", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["event"], found["start"], found["end"]) == ("jan-2026", "2026-01-29", "2026-02-02")
    assert found["terms"]["loan"] == pytest.approx(0.66 * 10_000 * 495.90)
    assert (found["terms"]["interest"], found["terms"]["call_ltv"], found["terms"]["close_out_ltv"]) == (
        0.0,
        0.75,
        0.85,
    )
    assert found["demo"] is False
    hedge, nothing = found["results"]
    assert (hedge["template"], hedge["survived"], hedge["ending"]) == (PUT, True, "no_call")
    assert (hedge["first_breach_date"], hedge["first_intraday_breach_date"]) == (None, None)
    assert hedge["max_ltv"] < 0.75
    assert hedge["final_equity"] > nothing["final_equity"]
    assert nothing["first_breach_date"] == "2026-02-02"
    for row in (nothing, found["unhedged"]):
        assert row["max_ltv"] == pytest.approx(0.66 * 495.90 / 427.13)
        assert row["hedge_cost_net"] == 0
        assert row["final_equity"] == pytest.approx(10_000 * (427.13 - 0.66 * 495.90))
    assert "without a gold volatility index" in " ".join(found["remarks"])
    assert "4.5% a year stands in" in " ".join(found["remarks"])


def test_a_loan_and_days_may_be_given_instead_and_the_fan_is_added(january: Run) -> None:
    days = (
        "--start",
        "2026-01-28",
        "--end",
        "2026-02-04",
        "--units",
        "5000",
        "--loan",
        "1600000",
        "--call-ltv",
        "0.8",
    )
    found = json.loads(january("backtest", *days, "--fan", "--template", PUT, "--json").stdout)
    assert found["event"] is None
    assert (found["terms"]["loan"], found["terms"]["units"], found["terms"]["call_ltv"]) == (1.6e6, 5000, 0.8)
    assert [entry["months"] for entry in found["fan"]] == [0, 1, 3, 6, 9]


def test_other_months_of_the_fan_and_the_time_of_trades_can_be_chosen(january: Run) -> None:
    asked = (*ASKED, "--template", PUT, "--json", "--trade-at", "same_close")
    found = json.loads(january(*asked, "--fan-months", "0, 3,6").stdout)
    assert [entry["months"] for entry in found["fan"]] == [0, 3, 6]
    assert found["terms"]["trade_at"] == "same_close"
    assert "such as 0,3,6; not '3-6'" in refused(january(*asked, "--fan-months", "3-6"))


DOCUMENTED = [
    line.strip().removeprefix(".venv/bin/")
    for name in ("README.md", "docs/backtests.md", "docs/backtests-events.md")
    for text in (Path(__file__).parents[1] / name).read_text().splitlines()
    for line in [
        *re.findall(r"`(vault-dash (?:backtest|events)\b[^`]*)`", text),
        *re.findall(r"^    (\S*vault-dash (?:backtest|events)\b.*)", text),
    ]
]


@pytest.mark.parametrize("line", DOCUMENTED)
def test_every_command_in_the_documents_is_one_that_is_understood(line: str) -> None:
    _, name, *arguments = shlex.split(line.split("  ")[0].replace("[", "").replace("]", ""))
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]  # a group
    command.make_context(name, arguments)


def test_options_that_the_documents_name_are_there(run: Run) -> None:
    text = (Path(__file__).parents[1] / "docs/backtests.md").read_text()
    named = set(re.findall(r"`(--[a-z-]+)", text)) - {"--symbol"}
    assert {"--trade-at", "--counting", "--interest", "--start"} <= named
    command = typer.main.get_command(app).commands["backtest"]  # type: ignore[attr-defined]  # a group
    assert named <= {option for each in command.params for option in each.opts}


def test_that_the_compiler_is_waited_for_is_said_on_standard_error_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "_state", compiled._State())  # a process that has loaded nothing yet
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with _progress() as told:
        told(0.0)
        told(0.5)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("Compiling the pricing code") == 1
    mark_complete(edition())
    with _progress() as told:
        told(0.0)
    assert capsys.readouterr().err == ""


def test_the_table_has_a_line_for_every_hedge_and_the_sentence_above(january: Run) -> None:
    result = january(*ASKED)
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert said.startswith("With these terms, ")
    assert "of twelve hedges survived" in said or "all twelve hedges survived" in said
    for words in (
        "ATM put",
        "Collar 95/110",
        "without a hedge",
        "called; still open",
        "2026-02-02",
        "76.6%",
        "LTV 66.0 %",
    ):
        assert words in said, words
    assert max(len(line) for line in said.splitlines() if "ATM put" in line) <= 140
    assert "DEMO" not in said


def test_tables_are_written_into_a_folder(january: Run, tmp_path: Path) -> None:
    result = january(*ASKED, "--template", PUT, "--json", "--csv", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    with (tmp_path / "out" / "series.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["date"] for row in rows if row["template"] == PUT] == ["2026-01-29", "2026-01-30", "2026-02-02"]
    assert (tmp_path / "out" / "trades.csv").read_text().count("entry") == 1
    blocked = tmp_path / "gld.csv" / "out"
    assert "cannot be written" in january(*ASKED, "--template", PUT, "--csv", str(blocked)).stderr


REFUSED = [
    (("--event", "no-such"), "There is no event 'no-such'; they are jan-2026"),
    (("--event", "jan-2026", "--template", "none"), "There is no template 'none'"),
    (("--event", "2008"), "prices of GLD go from 2025-01-02"),
    (("--start", "2026-02-02", "--end", "2026-01-29"), "end must be after the start"),
    (("--start", "2026-02-02"), "end is missing"),
    (("--event", "jan-2026", "--ltv", "60"), "write 0.6 for 60 %"),
    (("--event", "jan-2026", "--ltv", "0.6", "--loan", "5"), "not both"),
    (("--event", "jan-2026", "--loan", "5000000"), "of the collateral"),
    (("--event", "jan-2026", "--source", "observed"), "no option chains of GLD are recorded"),
    (("--start", "2025-01-10", "--end", "2025-02-28"), "no volatility is known for 2025-01-10"),
    (("--event", "jan-2026", "--interest", "nan"), "finite"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(january: Run, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(january("backtest", *arguments, "--json"))


def test_on_a_fresh_machine_prices_are_invented_and_that_is_said(run: Run) -> None:
    result = run(*ASKED, "--template", PUT)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("On DEMO prices, which are invented")
    assert "vault-dash history import FILE" in result.stdout


def test_events_are_listed_with_what_is_stored_of_them(january: Run) -> None:
    found = json.loads(january("events", "--json").stdout)
    assert [event["id"] for event in found["events"]] == [fall.id for fall in SELLOFFS]
    assert found["events"][0]["figures"]["lowest_close"] == 427.13
    assert found["events"][-1]["figures"] is None
    said = january("events").stdout
    assert "jan-2026" in said
    assert "-13.9%" in said


def test_a_database_that_cannot_be_read_leaves_own_templates_out(january: Run, tmp_path: Path) -> None:
    for name in ("demo.db", "demo.db-wal", "demo.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    (tmp_path / "data" / "demo.db").write_bytes(b"this is no database" * 100)
    result = january(*ASKED, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert len(found["results"]) == 14
    assert any("Your own templates are left out" in remark for remark in found["remarks"])
    listed = january("events")
    assert listed.exit_code == 0
    assert "Your own events are left out" in listed.stderr


def test_the_real_fall_of_january_is_what_its_prices_say(run: Run, shared_data: Path) -> None:
    for name, symbol in (("gld", "GLD"), ("gvz", "^GVZ"), ("rates", "^IRX")):
        assert run("history", "import", str(shared_data / f"{name}_daily.csv"), "--symbol", symbol).exit_code == 0
    found = json.loads(run("backtest", "--event", "jan-2026", "--ltv", "0.6", "--template", PUT, "--json").stdout)
    (hedge,), unhedged = found["results"], found["unhedged"]
    assert unhedged["survived"]
    assert unhedged["max_ltv"] == pytest.approx(0.6 * 495.90 / 427.13)
    assert unhedged["first_intraday_breach_date"] is None  # 0.6 x 495.90 / 422.55 = 0.704
    assert (hedge["survived"], hedge["first_breach_date"]) == (True, None)
    assert hedge["max_ltv"] < unhedged["max_ltv"]
    assert found["remarks"] == []  # the index and the bill's rate are known on all three days
    assert "gvz_daily.csv" in found["source"]


def test_recorded_chains_replace_the_model_and_say_what_they_lack(run: Run, shared_data: Path) -> None:
    assert run("history", "import", str(shared_data / "gld_daily.csv"), "--symbol", "GLD").exit_code == 0
    chains = next((shared_data / "chains").glob("gld_2026-05-11_*.csv.gz"))
    assert run("snapshots", "import", str(chains)).exit_code == 0
    days = (
        "backtest",
        "--start",
        "2026-05-11",
        "--end",
        "2026-05-15",
        "--template",
        "rolling_quarterly_95",
        "--json",
    )
    earlier = json.loads(run(*days, "--source", "observed", "--fan-months", "1").stdout)
    assert "no option chain is recorded on that day" in earlier["fan"][0]["missing"]
    assert "Bought 1 month before" not in earlier["sentence"]
    observed, modelled = (json.loads(run(*days, "--source", source).stdout) for source in ("observed", "modelled"))
    assert "recorded chains" in observed["source"]
    assert "recorded quotes are not used" in " ".join(observed["remarks"])
    assert "volatility index" not in " ".join(observed["remarks"])
    assert observed["results"][0]["thin_quotes"] > 1000
    paid = [each["results"][0]["hedge_cost_paid"] for each in (observed, modelled)]
    assert paid[0] != paid[1]
    assert paid[0] == pytest.approx(paid[1], rel=0.25)  # two ways of pricing the same put

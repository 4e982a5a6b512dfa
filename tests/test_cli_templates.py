"""Templates from a terminal: listed, shown, given away as a file and taken back, copied and removed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment
from vaultdash.cli import app
from vaultdash.services.template_schema import DOCUMENT
from vaultdash.strategies.templates import TEMPLATES

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `vault-dash templates` in this process, on the demo market and a data directory of the test's own."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> Result:
        given = clean_environment(tmp_path / "data", COLUMNS="200")
        return CliRunner().invoke(app, ["templates", *arguments], env=given)

    return run_command


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_template_goes_through_a_file_and_comes_back(run: Run, tmp_path: Path) -> None:
    assert done(run("copy", "collar_95_110", "My [b] collar")) == "My [b] collar is kept as my-b-collar.\n"
    assert "My [b] collar" in done(run("list"))
    before = json.loads(done(run("show", "my-b-collar", "--json")))
    assert done(run("export", "my-b-collar", "mine.yaml")) == "my-b-collar is in mine.yaml.\n"
    assert "is there already" in refused(run("export", "my-b-collar", "mine.yaml"))
    done(run("export", "my-b-collar", "mine.yaml", "--force"))
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text()) == json.loads(done(run("export", "my-b-collar")))
    assert "already" in refused(run("import", "mine.yaml"))
    assert done(run("remove", "my-b-collar")) == "my-b-collar is removed.\n"
    assert done(run("import", "mine.yaml")) == "My [b] collar is kept as my-b-collar, version 2.\n"
    assert json.loads(done(run("show", "my-b-collar", "--json"))) == {**before, "version": 2}
    (tmp_path / "mine.yaml").write_text(
        (tmp_path / "mine.yaml").read_text().replace("funding: cash", "funding: loan")
    )
    assert done(run("import", "mine.yaml", "--replace")).endswith("version 3.\n")
    assert done(run("import", "mine.yaml", "--id", "b", "--name", "B")) == "B is kept as b, version 1.\n"
    assert done(run("export", "my-b-collar", "--version", "2", "--format", "yaml")).count("funding: cash") == 1


def test_all_are_listed_as_the_api_answers_them(run: Run) -> None:
    found = json.loads(done(run("list", "--json")))["templates"]
    assert [each["id"] for each in found] == [each.id for each in TEMPLATES]


def test_one_is_shown_in_words(run: Run) -> None:
    assert done(run("show", "dynamic_rehedge_95")).splitlines() == [
        "95 % put, re-hedged (dynamic_rehedge_95, of the house)",
        "A put 5 % below spot that follows gold up by steps of 10 %, and is sold to repay the loan when it is deep "
        "in the money.",
        "Leg: put bought at 95 % of spot for 12 months",
        "Then: rolled 30 days before expiry; rolled up when gold has risen by 10 %; sold to repay the loan when a "
        "delta is beyond 0.85",
        "Over all of the gold; premium paid in cash; options as the loan says.",
    ]


def test_the_schema_is_printed_without_a_database(run: Run, tmp_path: Path) -> None:
    assert json.loads(done(run("schema"))) == DOCUMENT
    assert not (tmp_path / "data" / "demo.db").exists()


def test_what_cannot_be_done_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"name": "x", "legs": [{"right": "put"}]}')
    (tmp_path / "large.yaml").write_text("#" * 10**6)
    for words, command in {
        "no template 'none'; there are protective_put_atm": ("show", "none"),
        "copy it first": ("remove", "no_hedge"),
        "must be json or yaml, not 'xml'": ("export", "no_hedge", "--format", "xml"),
        "legs[0].strike is missing": ("import", "bad.json"),
        "at most 20,000 bytes": ("import", "large.yaml"),
        "has that name already": ("copy", "no_hedge", "No Hedge"),
    }.items():
        assert words in refused(run(*command)), command

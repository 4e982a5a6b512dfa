"""vault-dash backup, restore and db: what is typed and what comes back."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment
from tests.storage.sql.conftest import postgresql, postgresql_url  # noqa: F401 - fixtures
from tests.storage.sql.year import Year, write_a_year
from vaultdash.cli import app
from vaultdash.storage.sql import SqlDatabase

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(app, arguments, env=clean_environment(tmp_path / "data", **environment))

    return run_command


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The file of a database with a day of records, in the data folder."""
    file = tmp_path / "data" / "demo.db"

    async def write() -> None:
        database = SqlDatabase(f"sqlite:///{file}")
        await write_a_year(database, Year(hours=24))
        await database.aclose()

    asyncio.run(write())
    return file


def said(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result.stdout if code == 0 else result.stderr


def test_before_the_first_start_there_is_nothing(run: Run, tmp_path: Path) -> None:
    assert "There is no database" in said(run("backup", "a.backup"), 2)
    assert "There is no database" in said(run("db", "check"), 2)
    assert "There is no file a.backup" in said(run("restore", "a.backup"), 2)
    assert "There is no database" in said(run("db", "copy", "--to", "sqlite:///copy.db"), 2)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_market_touches_no_database_that_was_named(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    for command in (("backup", "a.backup"), ("db", "upgrade"), ("db", "check"), ("db", "copy", "--to", url)):
        assert "leave VAULT_DATABASE_URL empty" in said(run(*command, VAULT_DATABASE_URL=url), 2)
    assert list(tmp_path.iterdir()) == []


def test_upgrade_makes_the_tables_once(run: Run) -> None:
    assert said(run("db", "upgrade")) == "The tables have layout 0002; there were none.\n"
    assert said(run("db", "upgrade")) == "The tables have layout 0002.\n"
    assert "0 documents read" in said(run("db", "check"))


def test_a_backup_comes_back(run: Run, filled: Path) -> None:
    (filled.parent / "push.key").write_text("key")
    made = said(run("backup", "a.backup"))
    assert "50 ltv snapshots" in made
    assert "push.key; read back without a fault." in made
    assert "is there already" in said(run("backup", "a.backup"), 2)
    assert "is not empty" in said(run("restore", "a.backup"), 2)
    filled.unlink()
    (filled.parent / "push.key").unlink()
    back = said(run("restore", "a.backup"))
    assert "is now the backup of 20" in back
    assert "kept in" not in back
    assert (filled.parent / "push.key").read_text() == "key"
    assert "All is well." in said(run("db", "check"))
    again = said(run("restore", "a.backup", "--force"))
    assert "What was there before is kept in" in again


def test_check_names_what_is_wrong(run: Run, filled: Path) -> None:
    assert "integrity ok" in said(run("db", "check"))
    with closing(sqlite3.connect(filled)) as opened, opened:
        opened.execute("UPDATE portfolios SET document = replace(document, '\"loan\"', '\"lawn\"') WHERE id = 'main'")
        opened.execute("UPDATE outbox SET event_id = 'gone' WHERE id = 'delivery-0'")
    told = said(run("db", "check"), 1)
    assert "portfolios main: A portfolio in the database cannot be read" in told
    assert "of outbox refers to nothing in alert_events" in told


def test_a_damaged_file_fails_the_check(run: Run, filled: Path) -> None:
    content = bytearray(filled.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    filled.write_bytes(content)
    result = run("db", "check")
    assert result.exit_code in (1, 2)
    assert "integrity" in result.stderr or "restore a backup" in result.stderr


def test_a_copy_is_compared_row_by_row(run: Run, filled: Path, postgresql_url: str) -> None:  # noqa: F811 - the fixture
    there = {"VAULT_DATABASE_URL": postgresql_url, "VAULT_MARKET": "auto"}
    copied = said(run("db", "copy", "--to", postgresql_url))
    assert "ltv_snapshots                   50 rows,        50 in the copy" in copied
    assert " rows compared, 0 differences." in copied
    assert "is not empty" in said(run("db", "copy", "--to", postgresql_url), 2)
    assert "All is well." in said(run("db", "check", **there))
    assert "fsync on" in said(run("db", "check", **there))
    assert "0 differences" in said(run("db", "compare", "--to", postgresql_url))
    with closing(sqlite3.connect(filled)) as opened, opened:
        opened.execute("UPDATE channels SET name = 'changed' WHERE id = 'channel-1'")
    changed = run("db", "compare", "--to", postgresql_url)
    assert "channels channel-1: name differs" in said(changed, 1)
    assert "1 differences." in changed.stdout
    back = said(run("db", "copy", "--to", "sqlite:///back.db", **there))
    assert "0 differences" in back


def test_an_address_that_is_none_is_refused(run: Run, filled: Path) -> None:
    assert "must be postgresql://" in said(run("db", "copy", "--to", "mysql://root@localhost/x"), 2)
    away = said(run("db", "copy", "--to", "postgresql://owner:s3cret@127.0.0.1:1/vault"), 2)
    assert "cannot be reached" in away
    assert "s3cret" not in away

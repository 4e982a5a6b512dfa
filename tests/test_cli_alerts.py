"""Alerts in a terminal: what is watched, what stands, answers to it, and who is told."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import Result

from tests.test_cli import refused, run
from vaultdash.bootstrap import build_vault
from vaultdash.settings import Settings

__all__ = ["run"]
Run = Callable[..., Result]
CALLED = {"VAULT_LOAN_AMOUNT": "800000", "VAULT_UNITS": "2000"}  # far beyond 75 % at any price of the demo market


@pytest.fixture
def webhook() -> Iterator[tuple[int, list[dict[str, object]]]]:
    """A port that takes JSON, and what it took."""
    taken: list[dict[str, object]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, taken
    server.shutdown()
    server.server_close()


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def test_rules_are_listed_added_and_removed(run: Run) -> None:
    assert "LTV at 75 %" in said(run("alerts", "rules"))
    assert said(run("alerts", "add", "price", "300")).endswith("price at 300.00 USD.\n")
    assert "price-300" in said(run("alerts", "rules"))
    assert "300" not in said(run("alerts", "remove", "price-300"))
    assert "no rule price-300" in refused(run("alerts", "remove", "price-300"))
    run("alerts", "remove", "ltv-call")
    assert "LTV at 75 %" in said(run("alerts", "usual"))
    assert "write 0.7 for 70 %" in refused(run("alerts", "add", "ltv", "70"))
    assert "metric must be one of" in refused(run("alerts", "add", "weather", "1"))


async def watched(data_dir: Path) -> None:
    """What the server does with a price: hold it against the rules."""
    vault = build_vault(Settings(_env_file=None, market="demo", data_dir=data_dir))  # type: ignore[call-arg]  # pydantic-settings takes it
    await vault.open()
    await vault.alerts.evaluate(await vault.heartbeat.beat())
    await vault.aclose()


def test_a_crossing_is_listed_put_off_and_acknowledged(run: Run, tmp_path: Path) -> None:
    assert "No alert stands" in said(run("alerts", "list", **CALLED))
    run("status", **CALLED)
    assert "No alert stands" in said(run("alerts", "list"))  # a command watches nothing, the server does
    asyncio.run(watched(tmp_path / "data"))
    listed = said(run("alerts", "list"))
    assert "DEMO: Close-out: LTV" in listed or "DEMO: Margin call: LTV" in listed
    assert "not acknowledged" in listed
    assert "NOBODY WOULD BE TOLD" in listed
    found = json.loads(said(run("alerts", "list", "--json")))
    ids = [raised["event"]["rule_id"] for raised in found["raised"]]
    assert sorted(ids) == ["ltv-call", "ltv-close-out", "ltv-warning"]
    assert said(run("alerts", "snooze", "--minutes", "30")).startswith("Put off: DEMO: ")
    assert "put off until" in said(run("alerts", "list"))
    assert "30 days" in refused(run("alerts", "snooze", "--minutes", "1e9"))
    beginning = found["raised"][0]["event"]["id"][:8]
    assert said(run("alerts", "acknowledge", beginning)).startswith("Acknowledged: DEMO: ")
    assert "No such alert" in refused(run("alerts", "acknowledge", "nothing"))
    history = json.loads(said(run("alerts", "history", "--json")))
    assert [line["kind"] for line in history] == ["acknowledged", "snoozed", "raised", "raised", "raised"]


def test_a_channel_is_added_tested_and_removed_and_its_address_never_shown(
    run: Run, webhook: tuple[int, list[dict[str, object]]]
) -> None:
    port, taken = webhook
    trusted = {"VAULT_PUSH_HOSTS": f"127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}
    address = f"json://127.0.0.1:{port}/canary-4711"
    assert "NOBODY WOULD BE TOLD" in said(run("alerts", "channels"))
    assert "taken for hook" in said(run("alerts", "channels", "add", "hook", "--address", address, **trusted))
    assert said(run("alerts", "test", "hook", **trusted)).startswith("A test message was taken for hook")
    assert [message["title"] for message in taken] == ["Test: a message to hook"] * 2
    listed = said(run("alerts", "channels"))
    assert "hook" in listed
    assert "canary" not in listed
    wrong = run("alerts", "test", "hook", **trusted | {"VAULT_PUSH_HOSTS": ""})
    assert wrong.exit_code == 1
    assert "hook could not be reached" in wrong.stderr
    assert "canary" not in wrong.output
    assert said(run("alerts", "channels", "remove", "hook")) == "hook was removed.\n"
    assert "No channels are called hook" in refused(run("alerts", "test", "hook"))


def test_an_address_that_is_none_is_refused(run: Run) -> None:
    assert "address" in refused(run("alerts", "channels", "add", "x", "--address", "nonsense"))

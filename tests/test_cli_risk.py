"""The odds and the past falls in a terminal, and the same as JSON."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from tests.test_cli import refused, run
from vaultdash.domain.selloff import SELLOFFS

__all__ = ["run"]
Run = Callable[..., Result]


@pytest.fixture
def falls(tmp_path: Path) -> Path:
    """A file of daily prices that fall as the named falls did, from peak to trough in even steps."""
    prices: dict[date, float] = {}
    for fall in SELLOFFS:
        days = [fall.peak_on + timedelta(days=n) for n in range((fall.trough_on - fall.peak_on).days + 8)]
        days = [day for day in days if day.weekday() < 5]
        steps = sum(day <= fall.trough_on for day in days) - 1
        for index, day in enumerate(days):
            share = min(index / steps, 1.0)
            prices.setdefault(day, fall.peak_close + share * (fall.trough_close - fall.peak_close))
    file = tmp_path / "gld.csv"
    lines = [f"{day},{price:.2f},{price:.2f}" for day, price in sorted(prices.items())]
    file.write_text("date,close,low\n" + "\n".join(lines) + "\n")
    return file


def test_risk_says_the_odds_as_a_range_with_what_they_stand_on(run: Run) -> None:
    result = run("risk", "--wanted", "0.1", "--drift", "-0.1")
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert said.startswith("About one in ")
    assert "depending on the drift" in said
    for words in ("Distance", "Time to a call", "Gap", "For  10.0%", "Volatility", "closed form", "your own view"):
        assert words in said, words
    assert "close-out" in said
    assert "No options are held" in said


def test_risk_as_json_is_what_the_api_answers(run: Run) -> None:
    found = json.loads(run("risk", "--json", "--volatility", "0.2").stdout)
    assert found["call_probability"]["parameters"]["volatility"] == 0.2
    assert 0 < found["call_probability"]["probability"] < 1
    assert len(found["stress"]["rows"]) == 6
    assert "volatility" in refused(run("risk", "--volatility", "20"))


def test_selloffs_on_a_fresh_machine_says_that_prices_are_invented_and_what_to_do(run: Run) -> None:
    result = run("selloffs", "--ltv", "0.6")
    assert result.exit_code == 0, result.output
    assert "Only DEMO prices are there" in result.stdout
    assert "vault-dash history import FILE" in result.stdout


def test_selloffs_after_an_import_names_who_would_have_been_called(run: Run, falls: Path) -> None:
    assert run("history", "import", str(falls), "--symbol", "GLD", "--force").exit_code == 0
    result = run("selloffs", "--ltv", "0.60", "--json")
    found = json.loads(result.stdout)
    assert found["demo"] is False
    assert found["start_ltv"] == 0.6
    rows = {row["id"]: row for row in found["selloffs"]}
    assert rows["2022"]["called"] is True
    assert rows["mar-2020"]["called"] is False
    table = run("selloffs", "--ltv", "0.60").stdout
    assert "DEMO" not in table
    assert "A loan drawn at 60.0 % at each peak would have been called in" in " ".join(table.split())
    own = json.loads(run("selloffs", "--from", "2020-03-09", "--to", "2020-03-19", "--json").stdout)
    assert own["selloffs"][0]["depth_pct"] == pytest.approx(138.04 / 157.81 - 1, abs=1e-4)
    assert "before the end" in refused(run("selloffs", "--from", "2020-03-19", "--to", "2020-03-09"))
    assert "ltv" in refused(run("selloffs", "--ltv", "60"))


def test_selloffs_of_the_real_history(run: Run, shared_data: Path) -> None:
    assert run("history", "import", str(shared_data / "gld_daily.csv")).exit_code == 0
    said = " ".join(run("selloffs", "--ltv", "0.60").stdout.split())
    assert "called in 8 of 20 falls; 5 of the 10 deepest" in said
    assert "2013-04-15, 131.31" in said
    assert "2022-09-23, 153.01" in said

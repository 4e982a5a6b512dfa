"""`vault-dash cheapest` in a terminal: the live chain, a recorded day, the answer as JSON, and what is refused."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.test_cli import refused, run
from vaultdash.cli_hedges import quiet_output

__all__ = ["run"]
Run = Callable[..., Result]
HEADER = "quote_date,expiration,strike,type,bid,ask,underlying_price\n"
PUTS = {320: (1.2, 1.3), 330: (1.9, 2.0), 340: (2.9, 3.0), 350: (4.3, 4.4), 360: (6.3, 6.4), 370: (9.1, 9.2)}
CALLS = {440: (11.0, 11.2), 450: (8.6, 8.8), 460: (6.7, 6.9)}


@pytest.fixture
def recorded(run: Run, tmp_path: Path) -> Run:
    """With a chain of one day, GLD at 400, in the store."""
    rows = [f"2026-05-11,2026-09-18,{k},put,{bid},{ask},400" for k, (bid, ask) in PUTS.items()]
    rows += [f"2026-05-11,2026-09-18,{k},call,{bid},{ask},400" for k, (bid, ask) in CALLS.items()]
    file = tmp_path / "gld.csv.gz"
    file.write_bytes(gzip.compress((HEADER + "\n".join(rows) + "\n").encode()))
    result = run("snapshots", "import", str(file), "--symbol", "GLD")
    assert result.exit_code == 0, result.output
    return run


LOAN = ("--units", "1000", "--ltv", "0.60", "--call-ltv", "0.75", "--counting", "credited")
ON = ("--on", "2026-05-11", "--horizon", "2026-09-01")


def test_a_recorded_day_gives_the_same_answer_at_any_time(recorded: Run) -> None:
    result = recorded("cheapest", *ON, *LOAN)
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert "1,000 shares at 400.00 are 400,000 USD; the loan is 240,000 USD: LTV 60.0%, call at 75%" in said
    assert "net cost, commissions included" in said
    assert "cheaper, and fails" in said
    assert "outside the solver" in said
    assert "optimal after" in said
    first, second = (json.loads(recorded("cheapest", *ON, *LOAN, "--json").stdout) for _ in range(2))
    for one in (first, second):
        one.pop("seconds")
    assert first["status"] == "optimal"
    assert first["withheld"] is None
    assert first["case"]["at"] == "2026-05-11T20:00:00Z"
    assert {leg["expiration"] for leg in first["legs"]} == {"2026-09-18"}
    # one price binds: at -60 % all puts pay, ten of them at 370 or below keep 240,000 <= 0.74 (160,000 + payoff)
    assert sum(100 * leg["contracts"] * (leg["strike"] - 160) for leg in first["legs"]) >= 240_000 / 0.74 - 160_000
    first["case"].pop("rate_source")
    second["case"].pop("rate_source")
    assert first == second


def test_a_lender_who_ignores_options_is_told_what_to_repay(recorded: Run) -> None:
    result = recorded("cheapest", *ON, *LOAN[:-1], "ignored")
    assert result.exit_code == 0
    assert "infeasible after" in result.stdout
    assert "Repay" in result.stdout


def test_calls_need_free_money_at_the_broker_or_gold_beside_them(recorded: Run) -> None:
    calls = ("--allow-calls", "--min-call-strike", "440", "--json")
    split = json.loads(recorded("cheapest", *ON, *LOAN, *calls).stdout)
    together = json.loads(recorded("cheapest", *ON, *LOAN, *calls, "--no-split-custody").stdout)
    assert {leg["side"] for leg in split["legs"]} == {"buy"}
    assert any(remark.startswith("No call is sold.") for remark in split["remarks"])
    assert sum(leg["contracts"] for leg in together["legs"] if leg["side"] == "sell") == 10
    assert together["net_cost"] < split["net_cost"]


def test_without_figures_it_is_the_owners_loan(recorded: Run) -> None:
    found = json.loads(recorded("cheapest", *ON, "--counting", "after-payment", "--json", VAULT_UNITS="3000").stdout)
    assert (found["case"]["units"], found["case"]["loan_amount"]) == (3000, 600_000)
    assert found["case"]["counting"] == "after_payment"


def test_the_live_chain_is_taken_without_a_day(run: Run) -> None:
    result = run("cheapest", "--ltv", "0.6", "--counting", "0.7", "--max-ltv", "0.74")
    assert result.exit_code == 0, result.output
    assert "DEMO" in result.stdout
    assert "optimal after" in result.stdout
    assert "counts 0.7 of each dollar" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--on", "2026-05-12"), "No chain of GLD is recorded on 2026-05-12; the nearest days are 2026-05-11"),
        ((*ON[:2], "--horizon", "2027-01-01"), "after the last expiration of GLD"),
        ((*ON, "--ltv", "1.2", "--units", "10"), "a loan must be below 100 % of it"),
        ((*ON, "--ltv", "0.6", "--loan", "5"), "--ltv and --loan exclude each other"),
        ((*ON, *LOAN, "--counting", "maybe"), "--counting must be ignored, after_payment, credited"),
        ((*ON, *LOAN, "--max-ltv", "74"), "write 0.74 for 74 %"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(recorded: Run, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(recorded("cheapest", *arguments))


def test_without_recordings_it_says_how_to_get_some(run: Run) -> None:
    assert "`vault-dash snapshots import FILE` brings some" in refused(run("cheapest", "--on", "2026-05-11"))


def test_the_real_chain_of_may_gives_a_certified_hedge_in_two_countings(run: Run, shared_data: Path) -> None:
    file = shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz"
    assert run("snapshots", "import", str(file)).exit_code == 0
    costs = []
    for counting in ("credited", "after_payment"):
        asked = ("--units", "10000", "--ltv", "0.60", "--call-ltv", "0.75", "--counting", counting, "--json")
        found = json.loads(run("cheapest", "--on", "2026-05-11", "--horizon", "2026-09-01", *asked).stdout)
        assert found["status"] == "optimal"
        assert found["worst_hedged_ltv"] <= 0.74 + 1e-9
        assert 0 <= found["gap"] < 50
        units, loan = 10_000, found["case"]["loan_amount"]
        for price in [*found["binding_prices"], 0.4 * 434.65, 1.6 * 434.65]:
            pays = sum(100 * leg["contracts"] * max(leg["strike"] - price, 0) for leg in found["legs"])
            credited, sold = loan / (units * price + pays), (loan - pays) / (units * price)
            assert (credited if counting == "credited" else sold) <= 0.74 + 1e-9
        costs.append(found["net_cost"])
    assert costs[1] < costs[0]


def test_what_a_library_prints_while_json_is_made_does_not_get_into_it(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_output():
        os.write(1, b"solver: a line of its own\n")
    os.write(1, b"{}\n")
    out, err = capfd.readouterr()
    assert out == "{}\n"
    assert "solver: a line of its own" in err


def test_output_is_given_back_when_the_work_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), quiet_output():
        raise RuntimeError("no chain")
    os.write(1, b"again\n")
    assert capfd.readouterr().out == "again\n"

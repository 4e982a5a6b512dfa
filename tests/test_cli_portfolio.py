"""Portfolios from a terminal: what is typed, what comes back, and that another process sees it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.live_server import clean_environment, free_port, vault_dash
from vaultdash.cli import app

Run = Callable[..., Result]
CSV = "contract,contracts,price_paid,opened_on\nGLD351221P00400000,3,4.55,2026-01-30\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `vault-dash portfolio` in this process, on the demo market and a data directory of the test's own."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, **environment: str) -> Result:
        given = clean_environment(tmp_path / "data", COLUMNS="200", **environment)
        return CliRunner().invoke(app, ["portfolio", *arguments], env=given)

    return run_command


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result, code: int = 2) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr


def test_the_example_is_there_from_the_beginning(run: Run) -> None:
    said = done(run("list"))
    assert "main" in said
    assert "(example)" in said
    assert "600,000.00" in said


def test_what_is_set_is_told_in_words_kept_and_taken_back(run: Run) -> None:
    assert done(run("set", "--loan", "550000", "--call-ltv", "0.72", "--counting", "after_payment")) == (
        "main: loan 600,000 → 550,000 USD; call LTV 0.75 → 0.72; hedge counted ignored → after payment\n"
    )
    shown = done(run("show"))
    assert "Loan:      550,000.00 USD" in shown
    assert "call 72.0%" in shown
    assert "(example)" not in done(run("list"))
    number = re.search(r"^ +(\d+) +main .*cli", done(run("changes")), re.MULTILINE)
    assert number is not None
    assert done(run("undo", number[1])).startswith("taken back: loan 550,000 → 600,000 USD")
    assert done(run("set")) == "Nothing changed.\n"


def test_gold_is_entered_by_value_or_by_weight(run: Run) -> None:
    assert "1,000 shares of GLD at 460.00 USD" in done(
        run("set", "--value", "460000", "--entry-price", "460", "--loan", "1000")
    )
    assert "0.5 kilograms of XAU-KG" in done(run("set", "--symbol", "xau-kg", "--units", "0.5"))
    assert "entry_price must be given" in refused(run("set", "--value", "460000"))
    assert "500 grams of XAU-G" in done(run("set", "--symbol", "XAU-G", "--units", "500 g", "--loan", "$1,000"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("set", "--loan", "0"), "loan_amount must be above zero"),
        (("set", "--loan", "5,000,000,000"), "a loan must be below 100 % of it"),
        (("set", "--loan", "400.000"), "loan_amount may mean 400000 or 400; write"),
        (("set", "--loan", "400000 CHF"), "loan_amount must be in USD, not in CHF as “400000 CHF” says"),
        (("set", "--symbol", "XAU-KG", "--units", "1,250"), "weight may mean 1250 or 1.250"),
        (("set", "--currency", "JPY"), "currency must be one of USD, CHF, EUR, GBP"),
        (("set", "--call-ltv", "75"), "write 0.75 for 75 %"),
        (("set", "--counting", "often"), "hedge_counting must be one of ignored, after_payment, credited"),
        (("show", "nothing"), "There is no portfolio 'nothing'"),
        (("remove", "main", "--yes"), "only portfolio"),
        (("undo", "999"), "There is no change 999"),
        (("choose", "nothing"), "There is no portfolio 'nothing'"),
        (("options", "add", "nonsense", "5", "9.9"), "no option symbol"),
        (("options", "add", "GLD351221P00400000", "0", "9.9"), "other than zero"),
        (("options", "add", "GLD351221P00400000", "1", "9.9", "--funding", "luck"), "cash, loan or sell_gold"),
        (("options", "add", "GLD351221P00400000", "1", "9,9"), "price_paid has a decimal comma; write 9.9"),
        (("options", "close", "nothing", "1"), "names no position"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(run(*arguments))


def test_a_loan_in_francs_is_shown_in_francs_with_the_rate_its_age_and_source(run: Run) -> None:
    franc_words = "main: loan 600,000 USD → 480,000 CHF; reference rate 4.5 % → 0 %\n"
    assert done(run("set", "--currency", "chf", "--loan", "480'000 CHF")) == franc_words
    rate = r"1 USD = 0\.\d{4} CHF, DEMO, [\d-]+ [\d:]+ UTC, \d+ seconds? old, live: an invented market"
    for command, shown in (("list", r"480,000\.00 CHF"), ("show", r"Loan: +480,000\.00 CHF\nRate: +1 USD")):
        said = done(run(command))
        assert re.search(shown, said)
        assert re.search(rate, said)


def test_another_currency_alone_keeps_the_figure_and_says_so(run: Run) -> None:
    assert done(run("set", "--currency", "GBP")) == (
        "main: loan 600,000 USD → 600,000 GBP; reference rate 4.5 % → 4 %; day count act/360 → act/365\n"
        "600,000 USD is now 600,000 GBP; give --loan for another amount.\n"
    )
    assert "give --loan" not in done(run("set", "--currency", "EUR", "--loan", "€ 480,000"))
    assert "give --loan" not in done(run("set", "--currency", "EUR", "--lender", "Bank A"))
    assert "against a loan of 1,000 GBP" in done(
        run("add", "Pounds", "--loan", "1000 £", "--currency", "gbp", "--units", "9")
    )
    assert "act/365" in done(run("show", "pounds"))


def test_the_first_loan_of_the_environment_counts_pounds_by_365_days(run: Run) -> None:
    shown = done(run("show", VAULT_LOAN_CURRENCY="GBP", VAULT_LOAN_AMOUNT="450000"))
    assert "450,000.00 GBP" in shown
    assert "act/365" in shown


def test_several_portfolios_are_made_chosen_and_removed(run: Run) -> None:
    assert done(run("add", "Zürich loan", "--loan", "100000", "--units", "500", "--lender", "A Bank")).startswith(
        "zurich-loan: made: 500 shares of GLD against a loan of 100,000 USD"
    )
    assert done(run("choose", "zurich-loan")) == "Zürich loan (zurich-loan) is the current portfolio.\n"
    assert re.search(r"^ \* +zurich-loan", done(run("list")), re.MULTILINE)
    assert "is removed" in done(run("remove", "zurich-loan", "--yes"))
    assert "zurich-loan" not in done(run("list"))


def test_options_are_entered_closed_and_listed(run: Run) -> None:
    assert "option added: 5 GLD 21 Dec 2035 400 put, bought at 9.90" in done(
        run("options", "add", "GLD351221P00400000", "5", "9.90", "--on", "2026-01-30")
    )
    assert "closed on 2026-02-27 at 12.50" in done(
        run("options", "close", "GLD351221P00400000", "12.5", "--on", "2026-02-27")
    )
    listed = done(run("options", "list"))
    assert "GLD 21 Dec 2035 400 put" in listed
    assert "12.50" in listed


def test_a_file_of_positions_is_taken_whole_or_not_at_all_unless_asked(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "positions.csv"
    file.write_text(CSV + "nonsense,1,1,2026-01-30\n", encoding="utf-8")
    said = refused(run("options", "import", str(file)), 1)
    assert "1 good, 1 rejected; nothing was taken (--partial takes the good ones)." in said
    assert "rejected line 3: contract is no option symbol" in said
    assert "nothing was taken" in done(run("options", "import", str(file), "--dry-run"))
    assert "1 taken" in done(run("options", "import", str(file), "--partial"))
    assert "already" in refused(run("options", "import", str(file)), 1)
    file.write_bytes(b"\xff\xff\x00")
    assert "UTF-8" in refused(run("options", "import", str(file)))


def test_a_database_that_cannot_be_read_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "demo.db").write_bytes(b"this is no database, it only looks like a file" * 100)
    ended = vault_dash("serve", folder=tmp_path, VAULT_DATA_DIR=str(data), VAULT_PORT=str(free_port()))
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    (sentence,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert "demo.db" in sentence


def test_an_older_change_wants_a_yes_and_says_what_goes_with_it(run: Run) -> None:
    done(run("set", "--lender", "Bank B"))
    done(run("set", "--loan", "550000"))
    numbers = re.findall(r"^ +(\d+) +main .*cli", done(run("changes")), re.MULTILINE)
    said = " ".join(run("undo", numbers[1]).stderr.split())
    assert "lender Bank B → none; loan 550,000 → 600,000 USD" in said
    assert "550,000" in done(run("show"))
    assert "600,000" in done(run("undo", numbers[1], "--yes"))


def test_a_new_amount_is_of_today_and_is_not_charged_the_interest_of_the_past(run: Run) -> None:
    done(run("set", "--capitalised", "--as-of", "2025-01-02"))
    said = done(run("set", "--loan", "600252"))
    assert "USD were owed on" in said
    assert "Loan:      600,252.00 USD" in done(run("show"))

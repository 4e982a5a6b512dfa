"""How things look in a terminal."""

from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from tests.builders import NOON, a_history, a_loan, a_portfolio, a_quote
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.market import DEMO_SOURCE, Freshness, Quote
from vaultdash.domain.portfolio import mark
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Research
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault
from vaultdash.terminal import (
    comparison_table,
    history_table,
    price_line,
    provider_verdict,
    recommendation_lines,
    status_lines,
)


class Provider:
    """Answers as told, and notes that it was closed."""

    name = "twin"

    def __init__(self, answer: Quote | Exception) -> None:
        self.answer = answer
        self.closed = False

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


def a_beat(price: float, *, loan: float = 600_000, freshness: Freshness = Freshness.LIVE, **quote: object) -> Beat:
    status = QuoteStatus(a_quote(price, **quote), freshness, 3.0)
    snapshot = mark(a_portfolio(loan=loan), price, NOON.date())
    return Beat(1, NOON, status, snapshot, 0.16, "assumed")


def printed(table: Table, width: int = 120) -> str:
    console = Console(width=width, file=StringIO())
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("price", "said"), [(460.0, "No call"), (390.0, "Close to a call"), (350.0, "Margin call")])
def test_the_first_of_ten_lines_is_the_verdict(price: float, said: str) -> None:
    lines = status_lines(a_beat(price), "GLD")
    assert len(lines) == 10
    assert lines[0].startswith(said)


def test_a_loan_in_francs_has_its_amount_in_francs_and_a_line_for_the_rate() -> None:
    rate = QuoteStatus(a_quote(0.80, "CHF=X", currency="CHF"), Freshness.LIVE, 300.0)
    portfolio = replace(a_portfolio(), loan=a_loan(480_000, currency="CHF"))
    snapshot = mark(portfolio, 460.0, NOON.date(), rate=ExchangeRate.of(rate.quote))
    beat = replace(a_beat(460.0), snapshot=snapshot, statuses={"CHF=X": rate})
    lines = status_lines(beat, "GLD")
    assert lines[3].endswith("volatility of gold in dollars), while a dollar costs 0.8000 CHF")
    assert " ".join(lines[5].split()) == "Loan 480,000.00 CHF = 600,000.00 USD, at 6.45% a year"
    assert lines[10] == "Exchange rate    1 USD = 0.8000 CHF, test, 2026-06-10 16:00:00 UTC, 5 minutes old, live"
    unknown = replace(beat, snapshot=None, problem="what a dollar costs in CHF is not known yet")
    assert status_lines(unknown, "GLD")[0] == f"The loan cannot be valued: {unknown.problem}"


def test_without_a_price_there_is_one_line_that_says_why() -> None:
    beat = Beat(1, NOON, None, None, 0.16, "assumed", "Yahoo could not be reached")
    assert status_lines(beat, "GLD") == ["No price of GLD: Yahoo could not be reached"]


def test_a_demo_price_is_called_invented() -> None:
    status = QuoteStatus(a_quote(460.0, source=DEMO_SOURCE), Freshness.LIVE, 1.0)
    assert price_line(status, "GLD").endswith("an invented market")


def test_an_old_price_is_called_stale_with_the_reason() -> None:
    status = QuoteStatus(a_quote(460.0), Freshness.STALE, 900.0, "yahoo: rate limited")
    assert price_line(status, "GLD").endswith("stale; yahoo: rate limited")


def test_history_shows_the_change_from_the_day_before_even_if_that_is_not_shown() -> None:
    history = a_history({date(2026, 6, 8): 400.0, date(2026, 6, 9): 440.0})
    shown = printed(history_table(history, history.bars[1:]))
    assert "+10.00%" in shown
    assert "2026-06-08" not in shown


def test_a_source_in_square_brackets_is_shown_as_it_is() -> None:
    history = a_history({date(2026, 6, 8): 400.0}, source="a[/red].csv [bold](imported)")
    assert "a[/red].csv [bold](imported)" in printed(history_table(history, history.bars))


async def test_each_profile_has_its_line_and_what_was_assumed_follows(demo_vault: Vault) -> None:
    lines = recommendation_lines(await demo_vault.advisor.advise(Research()))
    assert [line.split(":")[0].strip() for line in lines[1:5]] == [
        "conservative",
        "balanced",
        "cost sensitive",
        "price",
    ]
    assert all(line.strip().startswith("assumed:") for line in lines[5:])
    assert len(lines) > 5
    assert "none of these moves the call" in lines[0]


async def test_the_comparison_fits_into_80_columns_with_every_name_whole(demo_vault: Vault) -> None:
    shown = printed(comparison_table(await demo_vault.advisor.advise(Research(spot=460))), width=80)
    assert "…" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80
    first = "".join(line[:26].strip() for line in shown.splitlines())
    assert "laddered_put_33_33_33_atm_otm95_otm90" in first
    assert "lease_duration_analysis" in first


async def test_a_provider_that_answers_is_ok_and_closed() -> None:
    provider = Provider(a_quote(460.0))
    ok, line = await provider_verdict(provider, "GLD")
    assert ok
    assert line.startswith("twin: ok in 0.0 s: GLD 460.00 USD")
    assert provider.closed


async def test_a_provider_that_fails_is_failed_and_closed() -> None:
    provider = Provider(Unavailable("no route"))
    ok, line = await provider_verdict(provider, "GLD")
    assert not ok
    assert line.startswith("twin: FAILED after 0.0 s: no route")
    assert provider.closed

"""The risk page in every state it may be in, and its figures in words."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import date

import pytest
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import KnownRate, by_quantlib
from tests.builders import NOON, a_portfolio
from tests.risk.test_replay import a_path, a_replay
from tests.services.test_loan_stress import a_hedged, a_put
from vaultdash.compute.worker import WorkerDied
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Zone, mark
from vaultdash.risk.stress import lender_shocks, stress_row
from vaultdash.services.loan_stress import LoanStress
from vaultdash.services.selloff_replay import Replayed
from vaultdash.services.vault import Vault
from vaultdash.ui.components.odds_bars import chance, span_words
from vaultdash.ui.components.replay_chart import replay_options
from vaultdash.ui.components.replay_table import _row, told
from vaultdash.ui.components.risk_panel import odds_basis
from vaultdash.ui.components.stress_table import _dollar_fall, _fall, _shock
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import risk
from vaultdash.ui.theme import ChartColours


class NoCompute:
    """Refuses all work, as when no process can be started."""

    async def run(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
        raise WorkerDied("the process that did the work has ended")

    async def aclose(self) -> None: ...


@pytest.fixture
async def house(demo_vault: Vault) -> Vault:
    """No beat yet, and no process to simulate in."""
    demo_vault.odds._simulations._compute = NoCompute()
    return demo_vault


@pytest.fixture
async def person(house: Vault) -> AsyncIterator[User]:
    def root() -> None:
        frame(house, (Page("/risk", "Risk", lambda: risk.build(house)),))

    async with user_simulation(root) as someone:
        someone.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield someone


async def test_the_page_waits_for_a_price_and_fills_when_one_comes(person: User, house: Vault) -> None:
    await person.open("/risk")
    await person.should_see("Reckoning the odds")
    await house.heartbeat.beat()
    await person.should_see("over a year, between")
    await person.should_see("closed form")
    await person.should_see("Only DEMO prices are there")


async def test_without_a_price_the_page_says_so(person: User, house: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> None:
        raise Unavailable("the line is dead")

    monkeypatch.setattr(house.prices, "refresh", nothing)
    await house.heartbeat.beat()
    await person.open("/risk")
    await person.should_see("No price, so nothing can be said of the odds.")
    await person.should_see("the line is dead")
    await person.should_see("No price, so nothing can be replayed.")


async def test_a_simulation_that_fails_leaves_the_closed_form(person: User, house: Vault) -> None:
    await house.heartbeat.beat()
    await person.open("/risk")
    await person.should_see("The models could not be simulated", retries=300)
    await person.should_see("depending on the drift")


async def test_a_history_that_cannot_be_read_leaves_the_rest(
    person: User, house: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> None:
        raise Unavailable("the disk is full of holes")

    await house.heartbeat.beat()
    monkeypatch.setattr(house.selloffs._gold._history, "load", nothing)
    await person.open("/risk")
    await person.should_see("Past falls could not be replayed", retries=100)
    await person.should_see("No options are held")


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "0.0 %"),
        (0.0004, "< 0.1 %"),
        (0.0123, "1.2 %"),
        (0.9996, "> 99.9 %"),
        (0.9999999, "> 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_probability_never_rounds_to_never_or_always(probability: float, words: str) -> None:
    assert chance(probability).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1876, 0.3412, "19 to 34 %"),
        (0.017, 0.053, "1.7 to 5.3 %"),
        (0.083, 0.158, "8 to 16 %"),
        (0.00001, 0.004, "0 to 0.4 %"),
        (0.0, 0.0003, "< 0.1 %"),
        (1.0, 1.0, "100 %"),
    ],
)
def test_a_range_is_as_exact_as_it_is_known(low: float, high: float, words: str) -> None:
    assert span_words(low, high).replace("\u00a0", " ") == words


def test_a_row_that_is_a_call_says_what_cures_it() -> None:
    snapshot = mark(a_portfolio(), 460.0, date(2026, 6, 10))
    loan, units = snapshot.portfolio.loan, snapshot.shares
    room = _fall(stress_row(loan, units, 460.0, -0.05, 0.0, 0.0), snapshot, with_options=False).cells
    call = _fall(stress_row(loan, units, 460.0, -0.20, 0.0, 0.0), snapshot, with_options=False).cells
    assert (room["repay"].text, room["ltv"].tone) == ("–", "")
    assert call["ltv"].sub == "call"
    assert call["ltv"].tone == "call"
    assert all("$" in call[name].text for name in ("repay", "add", "sell"))


def test_what_is_repaid_is_in_the_currency_of_the_loan_with_the_dollars_below() -> None:
    rate = ExchangeRate("CHF", 0.80, NOON, "test")
    snapshot = mark(a_portfolio(loan=480_000, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate)
    row = stress_row(snapshot.portfolio.loan, snapshot.shares, 460.0, -0.20, 0.0, 0.0)
    cells = _fall(row, snapshot, with_options=False).cells
    assert cells["repay"].text.replace("\u00a0", " ") == "32,000 CHF"  # (600,000 - 0.70 * 800,000) * 0.80
    assert cells["repay"].sub.replace("\u00a0", " ") == "$ 40,000"
    assert "$" in cells["add"].text


async def test_a_fall_of_gold_and_dollar_is_cured_at_the_fallen_dollar() -> None:
    rate = ExchangeRate("CHF", 0.80, NOON, "test")
    snapshot = mark(a_portfolio(loan=480_000, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate)
    report = await LoanStress(KnownRate(), lambda: NOON, by_quantlib).table(snapshot)  # type: ignore[arg-type]  # a rate is enough
    assert report.dollar_fall is not None
    cells = _dollar_fall(report.dollar_fall, snapshot, with_options=False).cells
    assert (cells["fall"].text, cells["fall"].sub) == ("\u221220\u00a0%", "dollar \u221210\u00a0%")
    assert cells["ltv"].text.replace("\u00a0", " ") == "83.3 %"  # 480,000 / (800,000 * 0.72)
    assert cells["repay"].text.replace("\u00a0", " ") == "76,800 CHF"  # 480,000 - 0.70 * 800,000 * 0.72


def test_options_held_show_every_counting_and_the_crash() -> None:
    snapshot = a_hedged(a_put(), counting=HedgeCounting.AFTER_PAYMENT)
    loan = snapshot.portfolio.loan
    cells = _fall(
        stress_row(loan, snapshot.shares, 460.0, -0.30, 700_000.0, 710_000.0), snapshot, with_options=True
    ).cells
    assert cells["paid"].text == "repaid"
    assert cells["ignored"].tone == Zone.CLOSE_OUT.value
    assert "in a crash" in cells["credited"].sub
    assert "in a crash" in cells["options"].sub
    called = _shock(lender_shocks(loan, snapshot.shares, 300.0, 0.0)[0], snapshot.rate).cells
    assert called["drop"].text == "called"


def test_the_picture_of_a_fall_has_price_lanes_and_the_days_that_matter() -> None:
    found = a_replay(a_path(100.0, 79.0, 79.0, 79.0, 68.0, lows=(99.0, 78.0, 78.0, 78.0, 60.0)))
    options = replay_options(found, "GLD", ChartColours(dark=True))
    names = [series["name"] for series in options["series"]]
    assert names[0] == "GLD"
    assert {"warning 70\u00a0%", "call 75\u00a0%", "close-out 85\u00a0%", "lows"} <= set(names)
    assert options["series"][0]["data"] == [100.0, 79.0, 79.0, 79.0, 68.0]
    call = next(series for series in options["series"] if series["name"].startswith("call"))
    assert call["data"] == pytest.approx([80.0] * 5)  # 0.60 * 100 / 0.75
    marked = [point["label"]["formatter"] for point in options["series"][0]["markPoint"]["data"]]
    assert marked == ["call 3 Jan 2024", "may be sold", "close-out"]
    lowest = min(series for series in options["series"][-1]["data"])
    assert options["yAxis"]["min"] < lowest < options["yAxis"]["max"]


def test_a_fall_without_prices_says_why_and_one_within_the_day_says_when() -> None:
    missing = Replayed("x", "X", "Told.", date(2020, 1, 1), date(2020, 2, 1), -0.1, False, None, "no prices")
    assert _row(missing).cells["outcome"].text == "not known"
    assert told(missing) == "Told. Not replayed: no prices."
    low = a_replay(a_path(100.0, 82.0, lows=(99.0, 79.0)))
    row = _row(Replayed("x", "X", "Told.", low.days[0], low.days[1], -0.18, False, low))
    assert row.cells["outcome"].text == "only during the day"
    assert row.cells["outcome"].tone == "warning"


async def test_the_panel_names_its_volatility_and_that_the_risk_page_goes_by_options(house: Vault) -> None:
    beat = await house.heartbeat.beat()
    assert beat.snapshot is not None
    odds = await house.odds.look(beat, beat.snapshot)
    said = odds_basis(odds).replace("\u00a0", " ")
    assert f"volatility {odds.volatility.yearly:.1%} a year".replace("%", " %") in said
    assert odds.volatility.source in said
    assert said.endswith("the Risk page loads option prices and then goes by those")

from collections import Counter

import pytest

from tests.backtest.books import differences
from tests.backtest.invented import random_case
from vaultdash.backtest import day_loop, decisions, engine, loan_account, option_trades, selection
from vaultdash.backtest.layout import CASH, CLOSE
from vaultdash.backtest.result import Ending, Reason

SEEDS = 500


def test_the_books_of_500_random_runs_add_up_to_the_cent() -> None:
    endings: Counter[Ending] = Counter()
    reasons: Counter[Reason] = Counter()
    for seed in range(SEEDS):
        case = random_case(seed)
        run = engine.run(case.scenario, case.template, case.market, "reference")
        assert differences(case, run) == [], seed
        endings[run.summary.ending] += 1
        reasons.update(trade.reason for trade in run.trades)
    assert set(endings) == set(Ending), endings  # every way a loan can go was gone
    assert set(reasons) == set(Reason), reasons


def wrong_runs(seeds: int = 60) -> int:
    """How many of the first runs have books that do not add up."""
    wrong = 0
    for seed in range(seeds):
        case = random_case(seed)
        wrong += differences(case, engine.run(case.scenario, case.template, case.market, "reference")) != []
    return wrong


def test_an_expired_option_that_keeps_its_value_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_loop, "settle", lambda run, t: False)
    assert wrong_runs() > 0


def test_a_premium_that_nobody_pays_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_loop, "fund", lambda run, t, debit: None)
    assert wrong_runs() > 40


def test_a_commission_that_is_dropped_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(option_trades, "commission", lambda contracts, run: 0.0)
    assert wrong_runs() > 40


def test_interest_that_is_forgotten_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loan_account, "earned", lambda principal, days, terms: 0.0)
    assert wrong_runs() > 40


def test_proceeds_that_no_lender_counts_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(run, t, cash):  # type: ignore[no-untyped-def]
        run.account[CASH] += cash

    for module in (day_loop, option_trades):
        monkeypatch.setattr(module, "repay_from_hedge", kept)
    assert wrong_runs() > 10


def test_calls_that_keep_no_gold_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (day_loop, option_trades):
        monkeypatch.setattr(module, "cover_calls", lambda run, t, reason: None)
    assert wrong_runs(120) > 0


def test_puts_that_lose_their_cover_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (day_loop, option_trades):
        monkeypatch.setattr(module, "cover_puts", lambda run, t, reason: 0.0)
    assert wrong_runs(120) > 0
    monkeypatch.setattr(selection, "room_for_put", lambda run, leg: 1e9)
    assert wrong_runs() > 5


def test_a_strike_chosen_with_the_next_days_close_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = decisions.modelled_strike

    def peeking(days, t, *rest):  # type: ignore[no-untyped-def]
        seen = days.copy()
        seen[CLOSE, :-1] = days[CLOSE, 1:]
        return honest(seen, t, *rest)

    monkeypatch.setattr(decisions, "modelled_strike", peeking)
    assert wrong_runs() > 0

"""What the plan of a loan leaves unwatched is said."""

from dataclasses import replace

import pytest

from tests.builders import a_loan
from tests.services.alert_house import AlertHouse
from tests.services.alert_memory import MemoryDatabase
from vaultdash.domain.alert import AlertPlan, usual_plan
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.notify.base import Accepted
from vaultdash.services.alert_board import alert_board, remarks
from vaultdash.storage.sql import SqlDatabase

LENIENT, STRICT = a_loan(), a_loan(warning_ltv=0.55, margin_call_ltv=0.60)


@pytest.mark.parametrize("loan", [LENIENT, STRICT])
def test_the_usual_plan_leaves_nothing_unwatched(loan: Loan):
    assert remarks(usual_plan(loan), loan) == ()


def test_thresholds_beyond_the_lenders_call_are_named():
    assert remarks(usual_plan(LENIENT), STRICT) == (
        "Nothing warns of an LTV before the lender calls at 60 %.",
        "No rule stands at the lender's call of 60 %.",
    )


def without(*names: str) -> AlertPlan:
    return AlertPlan(tuple(rule for rule in usual_plan(LENIENT).rules if rule.id not in names))


def test_a_plan_that_was_frozen_before_the_lenders_limits_moved_is_named():
    moved = replace(LENIENT, margin_call_ltv=0.72, close_out_ltv=0.80)
    assert remarks(usual_plan(LENIENT), moved) == (
        "No rule stands at the lender's call of 72 %.",
        "No rule stands at the close-out of 80 %, where the lender may sell the gold.",
    )


def test_a_close_out_that_nothing_watches_is_named():
    assert len(remarks(without("ltv-close-out"), LENIENT)) == 1
    assert remarks(without("hedged-ltv-close-out"), LENIENT) == ()


def test_where_the_lender_counts_options_its_own_ltv_must_be_watched():
    counts = replace(LENIENT, hedge_counting=HedgeCounting.AFTER_PAYMENT)
    assert remarks(without("ltv-call"), counts) == ()
    assert remarks(without("hedged-ltv-call"), counts) == (
        "No rule for the LTV with options, which is the lender's, stands at the lender's call of 75 %.",
    )


def test_a_rule_that_is_off_watches_nothing():
    rules = usual_plan(LENIENT).rules
    off = tuple(replace(rule, is_on=rule.id not in ("ltv-warning", "hedged-ltv-warning")) for rule in rules)
    assert remarks(AlertPlan(off), LENIENT) == ("Nothing warns of an LTV before the lender calls at 75 %.",)


def test_prices_that_stay_away_unnoticed_are_named():
    found = remarks(without("stale"), LENIENT)
    assert found == ("Nothing tells when prices stay away, and without a price no other alert can come.",)


async def test_the_gravest_alert_stands_first_with_its_messages(database: SqlDatabase):
    house = AlertHouse(database)
    await house.keep()
    await house.channel("phone")
    call, warning = await house.ltv(0.76)
    board = await alert_board(database, house.portfolio)
    assert [raised.event.id for raised in board.raised] == [call.id, warning.id]
    assert [len(raised.deliveries) for raised in board.raised] == [1, 0]
    assert (board.plan.follows_loan, board.reaches_somebody, board.remarks) == (True, True, ())


@pytest.mark.parametrize("gives_receipts", [False, True])
async def test_what_reached_nobody_is_shown_until_a_service_took_it_after_all(gives_receipts: bool):
    house = AlertHouse(MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    await house.channel("phone")
    house.inbox.answer = lambda channel, message: Unavailable("it is down")
    await house.ltv(0.76)
    for _ in range(60):
        await house.outbox.deliver()
        house.clock.go_on(60)
    assert len((await alert_board(house.database, house.portfolio)).undelivered) == 1
    house.inbox.answer = lambda channel, message: Accepted(gives_receipts)
    house.clock.go_on(minutes=30)
    await house.outbox.deliver()
    assert house.inbox.taken
    assert (await alert_board(house.database, house.portfolio)).undelivered == ()
    house.clock.go_on(minutes=6)  # by when a device should have confirmed it
    await house.outbox.deliver()
    assert len((await alert_board(house.database, house.portfolio)).undelivered) == gives_receipts

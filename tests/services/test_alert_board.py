"""What the plan of a loan leaves unwatched is said."""

import pytest

from tests.builders import a_loan
from tests.services.alert_house import AlertHouse
from vaultdash.domain.alert import AlertMetric, AlertPlan, AlertRule, usual_plan
from vaultdash.domain.loan import Loan
from vaultdash.services.alert_board import alert_board, remarks
from vaultdash.storage.sql import SqlDatabase

LENIENT, STRICT = a_loan(), a_loan(warning_ltv=0.55, margin_call_ltv=0.60)
STALE = AlertRule("stale", AlertMetric.STALE_DATA, 15.0)


@pytest.mark.parametrize("loan", [LENIENT, STRICT])
def test_the_usual_plan_leaves_nothing_unwatched(loan: Loan):
    assert remarks(usual_plan(loan), loan) == ()


def test_thresholds_beyond_the_lenders_call_are_named():
    assert remarks(usual_plan(LENIENT), STRICT) == ("Nothing warns of an LTV before the lender calls at 60 %.",)


def test_a_rule_that_is_off_watches_nothing():
    off = AlertRule("70", AlertMetric.LTV, 0.70, is_on=False)
    assert len(remarks(AlertPlan((off, STALE)), LENIENT)) == 1


def test_prices_that_stay_away_unnoticed_are_named():
    found = remarks(AlertPlan((AlertRule("70", AlertMetric.LTV, 0.70),)), LENIENT)
    assert found == ("Nothing tells when prices stay away, and without a price no other alert can come.",)


async def test_the_gravest_alert_stands_first_with_its_messages(database: SqlDatabase):
    house = AlertHouse(database)
    await house.keep()
    await house.channel("phone")
    call, warning = await house.ltv(0.76)
    board = await alert_board(database, house.portfolio)
    assert [raised.event.id for raised in board.raised] == [call.id, warning.id]
    assert [len(raised.deliveries) for raised in board.raised] == [1, 0]
    assert (board.is_usual, board.reaches_somebody, board.remarks) == (True, True, ())

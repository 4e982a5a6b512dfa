"""What is typed for the search, and what it asks for."""

from datetime import date

import pytest

from tests.builders import NOON, SEED_UNITS, a_loan
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_request import CheapestRequest, CheckDates, Goal
from vaultdash.ui.components.workbench_search_draft import (
    NO,
    YES,
    SearchDraft,
    change_of,
    field_of,
    margin_problem,
    read_search,
)

HORIZON = date(2026, 10, 16)


def a_case(counting: HedgeCounting = HedgeCounting.IGNORED) -> HedgeCase:
    return HedgeCase(460.0, SEED_UNITS, a_loan(hedge_counting=counting), NOON)


def a_draft(**fields: object) -> SearchDraft:
    draft = SearchDraft()
    draft.begin(a_case(), HORIZON)
    for name, value in fields.items():
        setattr(draft, name, value)
    return draft


def asked(**fields: object) -> CheapestRequest:
    reading = read_search(a_draft(**fields), a_case())
    assert reading.problems == {}
    assert reading.request is not None
    return reading.request


def test_the_form_begins_a_point_below_the_lenders_limit_with_puts_alone() -> None:
    request = asked()
    assert request.max_hedged_ltv == pytest.approx(0.74)
    assert request.credit is HedgeCounting.AFTER_PAYMENT
    assert request.horizon == HORIZON
    assert request.price_range == (-0.6, 0.6)
    assert not request.allow_calls
    assert request.budget is request.max_loss is request.max_puts is request.min_call_strike is None


def test_a_lender_who_counts_options_is_taken_at_its_word() -> None:
    draft = SearchDraft()
    draft.begin(a_case(HedgeCounting.CREDITED), HORIZON)
    assert draft.counting == HedgeCounting.CREDITED.value


def test_the_limit_itself_is_a_call_so_what_is_asked_for_is_below_it() -> None:
    request = asked(ltv="75")
    assert request.max_hedged_ltv is not None
    assert 0.7499 < request.max_hedged_ltv < 0.75


def test_everything_typed_is_asked_for() -> None:
    request = asked(
        ltv="70",
        fall="40",
        counting="credited",
        funding="loan",
        calls=YES,
        call_above="15",
        budget="12,000",
        max_loss="25",
        max_puts="30",
        commission="1.20",
        check_dates="all",
        custody=YES,
        broker_margin="300,000",
    )
    assert request.max_hedged_ltv == pytest.approx(0.70)
    assert request.price_range == (-0.4, 0.6)
    assert request.credit is HedgeCounting.CREDITED
    assert request.premium_funding is PremiumFunding.LOAN
    assert request.allow_calls
    assert request.min_call_strike == pytest.approx(529.0)
    assert (request.budget, request.max_loss, request.max_puts) == (12_000.0, 0.25, 30)
    assert request.commission_per_contract == 1.2
    assert request.check_dates is CheckDates.ALL
    assert request.case.split_custody is True
    assert request.case.broker_margin == 300_000.0


@pytest.mark.parametrize("fields", [{"calls": YES}, {"goal": "zero_cost"}])
def test_where_calls_may_be_sold_earlier_days_are_checked_unless_chosen_otherwise(fields: dict[str, object]) -> None:
    assert asked().check_dates is CheckDates.EXPIRY
    assert asked(**fields).check_dates is CheckDates.ALL
    assert asked(**fields, check_dates="expiry").check_dates is CheckDates.EXPIRY


def test_a_collar_that_costs_nothing_sells_calls_and_has_no_budget() -> None:
    request = asked(goal="zero_cost", budget="500", custody=NO)
    assert request.goal is Goal.ZERO_COST
    assert request.allow_calls
    assert request.budget is None
    assert request.case.split_custody is False


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"ltv": "0.7"}, "ltv", "may mean 0.7 % or 70 %"),
        ({"ltv": "80"}, "ltv", "must not be above the lender's limit of 75.0"),
        ({"ltv": "", "max_loss": ""}, "ltv", "the cheapest of all is no hedge"),
        ({"fall": "99"}, "fall", "at most 95 %"),
        ({"budget": "-1"}, "budget", "must not be negative"),
        ({"goal": "best_protection"}, "budget", "needs a budget"),
        ({"max_puts": "2.5"}, "max_puts", "must be a whole number"),
        ({"calls": YES, "call_above": "-5"}, "call_above", "between 0 and 200 %"),
        ({"horizon": None}, "horizon", "until which it must last"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(fields: dict[str, object], name: str, words: str) -> None:
    reading = read_search(a_draft(**fields), a_case())
    assert reading.request is None
    assert words in reading.problems[name]


def test_half_typed_money_at_the_broker_changes_nothing_yet() -> None:
    draft = a_draft(broker_margin="12,")
    assert margin_problem(draft) is not None
    assert change_of(draft).broker_margin is None


@pytest.mark.parametrize(
    ("argument", "name"), [("max_hedged_ltv", "ltv"), ("price_range", "fall"), ("other", "other")]
)
def test_a_refusal_is_shown_where_it_was_typed(argument: str, name: str) -> None:
    assert field_of(InvalidInput(argument, "is wrong")) == name

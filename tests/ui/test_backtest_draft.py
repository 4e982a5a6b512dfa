"""What is typed for a backtest makes a request, or is told what is wrong, field by field."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import a_portfolio
from vaultdash.backtest.scenario import Costs, Source, TradeAt
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.portfolio import Snapshot, mark
from vaultdash.services.backtest_request import FAN_MONTHS, BacktestRequest
from vaultdash.services.backtest_scenario import check_terms
from vaultdash.services.selloff_events import EventFigures, find, named_events
from vaultdash.strategies.templates import TEMPLATES
from vaultdash.ui.components.backtest_draft import (
    BY_AMOUNT,
    CAPITALISED,
    FIRST_HEDGES,
    OWN_DAYS,
    TYPED,
    BacktestDraft,
    draft_of,
    field_of,
    read_draft,
    typed_as_today,
)
from vaultdash.ui.components.backtest_start import start_doubt

TODAY = date(2026, 6, 10)


def today(price: float = 460.0, **terms: object) -> Snapshot:
    return mark(a_portfolio(**terms), price, TODAY)  # type: ignore[arg-type]


def a_draft(**fields: object) -> BacktestDraft:
    return replace(BacktestDraft(basis=TYPED), **fields)  # type: ignore[arg-type]


def problems(**fields: object) -> dict[str, str]:
    reading = read_draft(a_draft(**fields), None, TODAY)
    assert (reading.request is None) == bool(reading.problems)
    return dict(reading.problems)


def test_the_first_fall_is_the_whole_one_of_the_year() -> None:
    event = find(BacktestDraft().event)
    assert event is not None
    assert (event.start, event.end) == (date(2026, 1, 29), date(2026, 7, 16))


FALL = replace(
    named_events()[0],
    figures=EventFigures(
        date(2026, 1, 29),
        date(2026, 2, 2),
        500.0,
        430.0,
        430.0,
        date(2026, 2, 2),
        None,
        -0.14,
        -0.14,
        3,
        "test",
        False,
    ),
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ltv": "80"}, "An LTV of 80.0 % is at or above the call of 75 %"),
        ({"ltv": "75"}, "is called on the first day"),
        ({"ltv": "74.9"}, ""),
        (
            {"ltv": "90", "close_out_ltv": "85"},
            "above the close-out of 85 %: without options that count, the loan may be sold",
        ),
        ({"ltv": "90", "close_out_ltv": "95"}, "is called on the first day"),
        ({"ltv": "166"}, ""),  # refused in words of its own
        ({"ltv": "high"}, ""),
        ({"ltv": "80", "call_ltv": ""}, ""),
        # 1,000 shares at the stored close of 500: 380,000 are 76 %
        ({"owes": BY_AMOUNT, "units": "1,000", "loan": "380,000"}, "An LTV of 76.0 %"),
        ({"owes": BY_AMOUNT, "units": "1,000", "loan": "370,000"}, ""),
        ({"owes": BY_AMOUNT, "units": "1,000", "loan": ""}, ""),
    ],
)
def test_a_loan_called_on_the_first_day_is_said_while_it_is_typed(fields: dict[str, object], said: str) -> None:
    doubt = start_doubt(a_draft(**fields), None, FALL).replace("\u00a0", " ")
    assert said in doubt
    assert bool(doubt) == bool(said)


def test_of_an_amount_on_days_without_a_known_price_nothing_is_said() -> None:
    draft = a_draft(owes=BY_AMOUNT, units="1,000", loan="380,000")
    assert start_doubt(draft, None, None) == ""


def test_todays_loan_is_doubted_by_its_own_limits() -> None:
    assert start_doubt(BacktestDraft(), today(350.0), None) != ""
    assert start_doubt(BacktestDraft(), today(460.0), None) == ""
    assert start_doubt(BacktestDraft(), None, None) == ""


def test_the_hedges_chosen_at_first_are_there() -> None:
    assert set(FIRST_HEDGES) <= {template.id for template in TEMPLATES}


def test_todays_loan_is_taken_back_with_its_units_ltv_terms_and_counting() -> None:
    snapshot = today(
        margin_call_ltv=0.8,
        warning_ltv=0.72,
        close_out_ltv=0.9,
        cure_days=3,
        hedge_counting=HedgeCounting.CREDITED,
        hedge_haircut=0.2,
        interest=Interest(0.05, 0.01, capitalised=True),
    )
    request = read_draft(BacktestDraft(), snapshot, TODAY).request
    assert request is not None
    assert request.units == pytest.approx(1_000_000 / 460)
    assert request.ltv == pytest.approx(0.6)
    assert request.loan is None
    assert (request.warning_ltv, request.call_ltv, request.close_out_ltv) == (0.72, 0.8, 0.9)
    assert (request.cure_days, request.counting, request.hedge_haircut) == (3, HedgeCounting.CREDITED, 0.2)
    assert request.interest == pytest.approx(0.06)
    assert request.capitalised
    assert request.fan == FAN_MONTHS
    check_terms(request)


@pytest.mark.parametrize(
    ("symbol", "price", "shares"),
    [
        ("GLD", 460.0, 1_000.0),
        # 0.0188 oz against 0.1 oz x exp(-0.4 % x years since 2004), by hand: 0.09174 on 10 June 2026, less IAU's fee
        ("IAU", 94.0, 1_000.0 * 0.01878 / 0.09174),
        ("XAU-OZ", 460.0, 1_000.0 / 0.09174),
    ],
)
def test_what_is_pledged_becomes_gld_shares_by_its_gold(symbol: str, price: float, shares: float) -> None:
    snapshot = mark(a_portfolio(1_000.0, 10_000.0, symbol), price, TODAY)
    request = read_draft(BacktestDraft(), snapshot, TODAY).request
    assert request is not None
    assert request.units == pytest.approx(shares, rel=1e-3)
    assert request.ltv == pytest.approx(snapshot.ltv)


def test_what_is_not_gold_is_not_taken_back() -> None:
    snapshot = mark(a_portfolio(1_000.0, 10_000.0, "SPY"), 600.0, TODAY)
    assert "not gold" in read_draft(BacktestDraft(), snapshot, TODAY).problems["basis"]


def test_without_a_price_todays_loan_is_not_known() -> None:
    reading = read_draft(BacktestDraft(), None, TODAY)
    assert reading.request is None
    assert "other terms" in reading.problems["basis"]


def test_a_loan_larger_than_its_gold_is_not_taken_back() -> None:
    assert "larger than its gold" in read_draft(BacktestDraft(), today(270.0), TODAY).problems["basis"]


def test_typed_terms_are_read_as_everywhere_else() -> None:
    draft = a_draft(
        units="1'000",
        owes=BY_AMOUNT,
        loan="$ 250,000",
        call_ltv="75 %",
        warning_ltv="",
        close_out_ltv="82.5",
        cure_days="5",
        interest="0.5",
        paying=CAPITALISED,
        counting="after_payment",
        spare_cash="12,000",
        templates=["no_hedge"],
        source="observed",
        trade_at="same_close",
        fan=False,
        name=" mine ",
    )
    assert read_draft(draft, None, TODAY).request == BacktestRequest(
        ("no_hedge",),
        event="jan-jul-2026",
        units=1000.0,
        loan=250_000.0,
        call_ltv=0.75,
        close_out_ltv=0.825,
        cure_days=5,
        interest=0.005,
        capitalised=True,
        counting=HedgeCounting.AFTER_PAYMENT,
        spare_cash=12_000.0,
        source=Source.OBSERVED,
        trade_at=TradeAt.SAME_CLOSE,
        name="mine",
    )


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("units", "none", "The gold must be a number"),
        ("units", "0", "The gold must be above zero"),
        ("ltv", "0.6", "may mean 0.6 % or 60 %"),
        ("ltv", "100", "The LTV must be above 0 and below 100 %"),
        ("ltv", "", "The LTV is missing"),
        ("call_ltv", "", "The call limit is missing"),
        ("warning_ltv", "80", "must be below the call limit"),
        ("close_out_ltv", "60", "must not be below the call limit"),
        ("cure_days", "2.5", "must be a whole number"),
        ("cure_days", "-1", "must be between 0 and 60"),
        ("interest", "60", "must be between −5 and 50 % a year"),
        ("haircut", "120", "must be between 0 and 100 %"),
        ("spare_cash", "-5", "must not be negative"),
        ("name", "x" * 101, "at most"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field: str, typed: str, words: str) -> None:
    said = problems(**{field: typed})
    assert list(said) == [field]
    assert words in said[field]


def test_without_a_hedge_there_is_nothing_to_compare() -> None:
    assert "at least one hedge" in problems(templates=[])["templates"]


@pytest.mark.parametrize(
    ("start", "end", "field", "words"),
    [
        ("2026-02-02", "2026-01-29", "end", "must be after the first"),
        ("2026-01-29", "2027-01-29", "end", "must not be in the future"),
        ("", "2026-01-29", "start", "is missing"),
        ("01/02/2026", "2026-03-01", "start", "may have the month or the day first"),
    ],
)
def test_days_of_ones_own_are_checked(start: str, end: str, field: str, words: str) -> None:
    assert words in problems(event=OWN_DAYS, start=start, end=end)[field]


def test_what_is_run_again_is_the_same_request() -> None:
    request = BacktestRequest(
        ("protective_put_atm", "collar_95_110"),
        event="apr-2013",
        units=1234.5,
        ltv=0.665,
        warning_ltv=0.7,
        call_ltv=0.76,
        close_out_ltv=0.86,
        cure_days=4,
        counting=HedgeCounting.IGNORED,
        interest=0.0645,
        costs=Costs(commission=1.3),
        target_ltv=0.55,
        fan=(0, 2),
    )
    assert read_draft(draft_of(request), None, TODAY).request == request


def test_a_request_by_value_and_days_is_the_same_again() -> None:
    request = BacktestRequest(
        ("no_hedge",), start=date(2013, 4, 1), end=date(2013, 5, 1), start_value=1_000_000.0, loan=640_000.0
    )
    assert read_draft(draft_of(request), None, TODAY).request == request


def test_an_event_whose_end_was_moved_keeps_its_days_when_run_again() -> None:
    request = BacktestRequest(("no_hedge",), event="apr-2013", end=date(2013, 7, 1), units=10.0, ltv=0.6)
    again = read_draft(draft_of(request, find("apr-2013")), None, TODAY).request
    assert again is not None
    assert again.event is None
    assert (again.start, again.end) == (date(2013, 4, 9), date(2013, 7, 1))


def test_other_terms_begin_with_todays() -> None:
    draft = BacktestDraft()
    typed_as_today(draft, today(margin_call_ltv=0.775, hedge_counting=HedgeCounting.AFTER_PAYMENT))
    draft.basis = TYPED
    request = read_draft(draft, None, TODAY).request
    assert request is not None
    assert request.ltv == pytest.approx(0.6)
    assert request.call_ltv == pytest.approx(0.775)
    assert request.counting is HedgeCounting.AFTER_PAYMENT
    assert request.interest == pytest.approx(Interest().rate)


@pytest.mark.parametrize(
    ("argument", "field"),
    [("loan", "loan"), ("costs.commission", "costs"), ("margin_call_ltv", "call_ltv"), ("templates", "templates")],
)
def test_a_refusal_belongs_to_the_field_of_its_argument(argument: str, field: str) -> None:
    assert field_of(InvalidInput(argument, "is wrong")) == field

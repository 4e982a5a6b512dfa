"""Records of each kind for tests of the database: arbitrary ones, and plain ones."""

import sys
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from tests.builders import NOON
from vaultdash.domain.alert import (
    HORIZONS,
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    AlertState,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
    QuietHours,
)
from vaultdash.domain.collateral import Collateral, Lot
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest, Loan
from vaultdash.domain.option import OptionContract, Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.domain.record import LtvRecord, RecordKind, RunKind, RunState, StoredRun
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg

PRICES = st.floats(min_value=1e-6, max_value=1e12)
ANY_FLOAT = st.floats(allow_nan=False)
DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))
MOMENTS = st.integers(-(2**50), 2**52).map(
    lambda ticks: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks)
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
NAMES = st.text(min_size=1, max_size=80).filter(str.strip)
IDS = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)


@st.composite
def lots(draw: st.DrawFn) -> Lot:
    symbol = "GLD"
    try:
        if draw(st.booleans()):
            return Lot.by_value(symbol, draw(PRICES), draw(PRICES), draw(st.none() | DAYS))
        return Lot.by_weight(symbol, draw(PRICES), draw(st.none() | PRICES), draw(st.none() | DAYS))
    except ValueError:
        return Lot.by_weight("GLD", draw(PRICES))


@st.composite
def held_options(draw: st.DrawFn) -> HeldOption:
    expiration = draw(st.dates(date(2024, 1, 1), date(2040, 1, 1)))
    opened = expiration - timedelta(days=draw(st.integers(0, 900)))
    closed = draw(st.none() | st.just(expiration))
    return HeldOption(
        id=draw(IDS),
        contract=OptionContract(
            "GLD", expiration, draw(st.integers(1, 9_999_999)) / 1000, draw(st.sampled_from(Right))
        ),
        contracts=draw(st.integers(1, 1_000_000)) * draw(st.sampled_from([1, -1])),
        price_paid=draw(st.floats(0, 1e6)),
        opened_on=opened,
        funding=draw(st.sampled_from(PremiumFunding)),
        closed_on=closed,
        closed_price=None if closed is None else draw(st.floats(0, 1e6)),
        note=draw(st.text(max_size=30)),
    )


@st.composite
def portfolios(draw: st.DrawFn) -> Portfolio:
    warning, call = sorted(draw(st.lists(st.floats(0.01, 0.98), min_size=2, max_size=2, unique=True)))
    loan = Loan(
        amount=draw(PRICES),
        margin_call_ltv=call,
        warning_ltv=warning,
        close_out_ltv=draw(st.floats(call, 0.99)),
        hedge_counting=draw(st.sampled_from(HedgeCounting)),
        interest=Interest(
            draw(st.floats(-0.05, 0.5)),
            draw(st.floats(-0.05, 0.5)),
            draw(st.sampled_from(DayCount)),
            draw(st.booleans()),
        ),
        hedge_haircut=draw(st.floats(0, 1)),
        cure_days=draw(st.integers(0, 60)),
        as_of=draw(st.none() | DAYS),
    )
    options = draw(st.lists(held_options(), max_size=3, unique_by=lambda option: option.id))
    return Portfolio(
        id=draw(IDS),
        collateral=Collateral((Lot.by_weight("GLD", 1.0), *draw(st.lists(lots(), max_size=3)))),
        loan=loan,
        options=tuple(options),
        name=draw(NAMES),
        lender=draw(st.text(max_size=80)),
        target_ltv=draw(st.floats(0.01, 0.99)),
    )


@st.composite
def plans(draw: st.DrawFn) -> AlertPlan:
    rules = tuple(
        AlertRule(
            id=f"rule-{number}",
            metric=draw(st.sampled_from(AlertMetric)),
            threshold=draw(st.floats(0.01, 0.99)),
            severity=draw(st.sampled_from(AlertSeverity)),
            rearm=draw(st.none() | st.floats(0, 0.009)),
            months=draw(st.sampled_from(HORIZONS)),
            is_on=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    quiet = QuietHours(time(22, 30), time(7, 0, 1), "Europe/Zurich") if draw(st.booleans()) else None
    return AlertPlan(rules, quiet)


@st.composite
def strikes(draw: st.DrawFn) -> Strike:
    rule = draw(st.sampled_from(StrikeRule))
    if rule is StrikeRule.FIRST_ABOVE_CALL:
        return Strike(rule)
    bounds = {"exclude_min": True, "exclude_max": True}
    return Strike(rule, draw(st.floats(0, 1, **bounds) if rule is StrikeRule.DELTA else st.floats(0.1, 3)))


@st.composite
def templates(draw: st.DrawFn) -> HedgeTemplate:
    """Any template of bought options, and of calls sold over a part of the gold."""
    fraction = st.floats(0, 1, exclude_min=True, exclude_max=True)
    legs = [
        TemplateLeg(
            right=draw(st.sampled_from(Right)),
            strike=draw(strikes()),
            months=draw(st.floats(0.25, 60)),
            share=draw(st.floats(0, 1, exclude_min=True)),
            contracts=draw(st.none() | st.integers(1, 100_000)),
        )
        for _ in range(draw(st.integers(0, 5)))
    ]
    if draw(st.booleans()):
        legs.append(TemplateLeg(Right.CALL, draw(strikes()), draw(st.floats(0.25, 60)), Side.SELL, draw(fraction)))
    roll = RollPolicy(
        days_before_expiry=draw(st.none() | st.integers(1, 365)),
        ratchet=draw(st.none() | st.floats(0.005, 5)),
        monetise_delta=draw(st.none() | fraction),
        monetise_ltv=draw(st.none() | fraction),
        rebuy=draw(st.booleans()),
        yearly_budget=draw(st.none() | fraction),
    )
    return HedgeTemplate(
        id=draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)),
        name=draw(NAMES),
        description=draw(st.text(max_size=80)),
        legs=tuple(legs),
        roll=roll,
        coverage=draw(st.floats(0, 1, exclude_min=True)),
        funding=draw(st.sampled_from(PremiumFunding)),
        counting=draw(st.none() | st.sampled_from(HedgeCounting)),
        repays=bool(legs) and draw(st.booleans()),
        version=draw(st.integers(1, 1000)),
    )


def ltv_records() -> st.SearchStrategy[LtvRecord]:
    figures = ("loan_amount", "gold_value", "hedge_value", "ltv", "lender_ltv", "ltv_after_payment", "ltv_credited")
    limits = ("price", "warning_ltv", "margin_call_ltv", "close_out_ltv")
    flags = ("is_fresh", "is_demo", "market_open")
    return st.builds(
        LtvRecord,
        portfolio_id=st.just("main"),
        at=MOMENTS,
        kind=st.sampled_from(RecordKind),
        quote_at=MOMENTS,
        source=TEXT,
        **dict.fromkeys((*figures, *limits), ANY_FLOAT),
        **dict.fromkeys(flags, st.booleans()),
    )


def an_ltv_record(at: datetime = NOON, kind: RecordKind = RecordKind.HOURLY, **fields: object) -> LtvRecord:
    given: dict[str, object] = {
        "portfolio_id": "main",
        "at": at,
        "kind": kind,
        "price": 460.0,
        "quote_at": at - timedelta(seconds=3),
        "source": "test",
        "is_fresh": True,
        "is_demo": False,
        "market_open": True,
        "loan_amount": 600_000.0,
        "gold_value": 1_000_000.0,
        "hedge_value": sys.float_info.min,
        "ltv": 0.1 + 0.2,
        "lender_ltv": float("inf"),
        "ltv_after_payment": 0.6,
        "ltv_credited": 0.6,
        "warning_ltv": 0.7,
        "margin_call_ltv": 0.75,
        "close_out_ltv": 0.85,
        **fields,
    }
    return LtvRecord(**given)  # type: ignore[arg-type]


def an_event(number: int = 1, at: datetime = NOON, **fields: object) -> AlertEvent:
    given: dict[str, object] = {
        "id": f"event-{number}",
        "portfolio_id": "main",
        "at": at,
        "kind": AlertEventKind.RAISED,
        "title": "LTV 70.1 %",
        "body": "Repay 12,345 USD.\nOr add gold.",
        "rule_id": "ltv-warning",
        "metric": AlertMetric.LTV,
        "severity": AlertSeverity.CALL,
        "threshold": 0.7,
        "value": 0.7010000000000001,
        "price": 394.5,
        "quote_at": at - timedelta(microseconds=1),
        "source": "test",
        "is_demo": True,
        "about": "event-0",
        "covered": True,
        **fields,
    }
    return AlertEvent(**given)  # type: ignore[arg-type]


def a_channel(number: int = 1, **fields: object) -> Channel:
    given: dict[str, object] = {
        "id": f"channel-{number}",
        "kind": ChannelKind.APPRISE,
        "name": "Mail",
        "address": "mailtos://user:secret@example.org",
        "step": 1,
        "wait_minutes": 2.5,
        "is_on": False,
        "added_at": NOON,
        "problem": "refused",
        **fields,
    }
    return Channel(**given)  # type: ignore[arg-type]


def a_delivery(number: int = 1, **fields: object) -> Delivery:
    given: dict[str, object] = {
        "id": f"delivery-{number}",
        "event_id": "event-1",
        "portfolio_id": "main",
        "channel_id": "channel-1",
        "key": "key-1",
        "step": 0,
        "due_at": NOON,
        "state": DeliveryState.WAITING,
        "attempts": 2,
        "problem": "no answer",
        **fields,
    }
    return Delivery(**given)  # type: ignore[arg-type]


def a_state(**fields: object) -> AlertState:
    given: dict[str, object] = {
        "rule_id": "ltv-warning",
        "is_raised": True,
        "event_id": "event-1",
        "raised_at": NOON,
        "acknowledged_at": NOON + timedelta(seconds=1),
        "snoozed_until": NOON + timedelta(days=1),
        **fields,
    }
    return AlertState(**given)  # type: ignore[arg-type]


def a_template(**fields: object) -> HedgeTemplate:
    given: dict[str, object] = {
        "id": "mine",
        "name": "Größe: puts under the call",
        "description": "A third\nof the gold.",
        "legs": (
            TemplateLeg(Right.PUT, Strike(StrikeRule.DISTANCE_TO_CALL, 0.1 + 0.2), 7.3, share=1 / 3),
            TemplateLeg(Right.CALL, Strike(StrikeRule.DELTA, 0.2), 6.0, Side.SELL, contracts=4),
        ),
        "roll": RollPolicy(10, 0.1, 0.85, 0.7, False, 0.03),
        "coverage": 0.7,
        "funding": PremiumFunding.LOAN,
        "counting": HedgeCounting.AFTER_PAYMENT,
        **fields,
    }
    return HedgeTemplate(**given)  # type: ignore[arg-type]


def a_run(number: int = 1, **fields: object) -> StoredRun:
    given: dict[str, object] = {
        "id": f"run-{number}",
        "kind": RunKind.EVENT,
        "name": "January 2026 – as it was",
        "state": RunState.RUNNING,
        "created_at": NOON,
        "request": '{"templates":["mine"]}',
        "progress": 1 / 3,
        **fields,
    }
    return StoredRun(**given)  # type: ignore[arg-type]

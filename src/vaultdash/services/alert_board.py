"""How the alerts of a portfolio stand: what is watched, what is raised and whom it reached, who would be told."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertState,
    Channel,
    Delivery,
    plan_in_force,
)
from vaultdash.domain.alert_rules import LTVS
from vaultdash.domain.alert_sending import is_settled
from vaultdash.domain.alert_words import percent
from vaultdash.domain.loan import LTV_TOLERANCE, HedgeCounting, Loan
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.alert_doubts import channel_doubts
from vaultdash.services.alert_notes import reaches
from vaultdash.storage.records import Database, Transaction

SAME_LIMIT = 1e-6  # a rule this near to a limit of the loan stands at it
LOOKED_BACK = 300  # lines of the history searched for what was not delivered


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert that stands: its last message, its state, and where the message is."""

    event: AlertEvent
    state: AlertState
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class AlertBoard:
    """`undelivered` is what reached nobody and was not seen since.

    `reaches_somebody` is false when no channel leads to a person: then an alert is only shown here. `doubts` are
    sentences about why it is not sure that an alert would come and be told, `remarks` about what the plan leaves
    unwatched.
    """

    portfolio_id: str
    plan: AlertPlan
    states: Mapping[str, AlertState]
    raised: tuple[RaisedAlert, ...]
    undelivered: tuple[AlertEvent, ...]
    channels: tuple[Channel, ...]
    reaches_somebody: bool
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


async def alert_board(database: Database, portfolio: Portfolio, silence: str | None = None) -> AlertBoard:
    """Everything of one moment; `silence` says why nothing can be raised, if so. Raises DatabaseError."""
    async with database.reading() as stored:
        plan = plan_in_force(await stored.alerts.plan(portfolio.id), portfolio.loan)
        states = await stored.alerts.states(portfolio.id)
        channels = tuple(await stored.alerts.channels())
        return AlertBoard(
            portfolio_id=portfolio.id,
            plan=plan,
            states=states,
            raised=await _raised(stored, states),
            undelivered=await _undelivered(stored, portfolio.id),
            channels=channels,
            reaches_somebody=any(reaches(channel) for channel in channels),
            doubts=(*channel_doubts(channels), *([] if silence is None else [silence])),
            remarks=remarks(plan, portfolio.loan),
        )


def remarks(plan: AlertPlan, loan: Loan) -> tuple[str, ...]:
    """What a plan leaves unwatched, in sentences: an LTV below the lender's call, the call itself and the close-out
    in the LTV that the lender looks at, and prices that stay away.
    """
    on = [rule for rule in plan.rules if rule.is_on]
    call, close_out = loan.margin_call_ltv, loan.close_out_ltv
    counts = loan.hedge_counting is not HedgeCounting.IGNORED
    looked_at = AlertMetric.HEDGED_LTV if counts else AlertMetric.LTV
    limits = [rule.threshold for rule in on if rule.metric is looked_at]
    of = " for the LTV with options, which is the lender's," if counts else ""
    found = []
    if not any(rule.threshold < call - LTV_TOLERANCE for rule in on if rule.metric in LTVS):
        found.append(f"Nothing warns of an LTV before the lender calls at {percent(call)}.")
    if not any(abs(limit - call) <= SAME_LIMIT for limit in limits):
        found.append(f"No rule{of} stands at the lender's call of {percent(call)}.")
    if not any(abs(limit - close_out) <= SAME_LIMIT for limit in limits):
        found.append(
            f"No rule{of} stands at the close-out of {percent(close_out)}, where the lender may sell the gold."
        )
    if not any(rule.metric is AlertMetric.STALE_DATA for rule in on):
        found.append("Nothing tells when prices stay away, and without a price no other alert can come.")
    return tuple(found)


async def _raised(stored: Transaction, states: Mapping[str, AlertState]) -> tuple[RaisedAlert, ...]:
    found = []
    for state in states.values():
        event = await stored.alerts.event(state.event_id) if state.is_raised and state.event_id else None
        if event is not None:
            found.append(RaisedAlert(event, state, tuple(await stored.alerts.deliveries(event.id))))
    return tuple(sorted(found, key=lambda raised: (-raised.event.severity, raised.event.covered, raised.event.id)))


async def _undelivered(stored: Transaction, portfolio_id: str) -> tuple[AlertEvent, ...]:
    found = []
    for event in await stored.alerts.events(portfolio_id, LOOKED_BACK):
        if event.kind is not AlertEventKind.UNDELIVERED or event.about is None:
            continue
        rows = await stored.alerts.deliveries(event.about)
        is_seen = await stored.alerts.event(f"{event.about}-ack") is not None
        is_taken = any(row.is_accepted and row.problem is None for row in rows)
        if not (is_seen or is_taken or is_settled(rows)):
            found.append(event)
    return tuple(found)

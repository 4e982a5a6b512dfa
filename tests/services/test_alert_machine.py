"""No crossing is missed and nothing is sent twice, whatever ends when; broken engines are found out."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.alert_machine import AlertMachine, SqliteMachine
from vaultdash.domain import alert_rules
from vaultdash.domain.alert import AlertEvent, Channel, Delivery
from vaultdash.domain.errors import ProviderError
from vaultdash.domain.portfolio import Snapshot
from vaultdash.notify.base import Accepted
from vaultdash.services.alert_marks import Marked
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.services.alert_watch import AlertWatch, Hedged
from vaultdash.services.heartbeat import Beat

STEPS = 12
RUNS, SQLITE_RUNS = 200, 10
SOAK_RUNS, SQLITE_SOAK_RUNS, BATCH = 10_000, 500, 250
SEED = int(os.environ.get("VAULT_SEED", "20260610"))


def run(machine: type[AlertMachine], runs: int, number: int) -> None:
    found = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    print(f"seed {number}, {runs} runs")
    run_state_machine_as_test(seed(number)(machine), settings=found, _min_steps=STEPS - 1)


def fresh(base: type[AlertMachine] = AlertMachine, **broken: object) -> type[AlertMachine]:
    """A machine of its own, as its counts and its seed are kept with the class."""
    return type("Machine", (base,), {"runs": 0, "crashes": Counter(), "seen": Counter(), **broken})


def test_no_crossing_is_missed_and_none_is_told_twice():
    machine = fresh()
    run(machine, RUNS, SEED)
    assert machine.runs >= RUNS
    assert min(machine.crashes[name] for name in ("evaluate", "deliver", "acknowledge", "snooze", "configure")) > 0
    kinds = ("raised", "anew", "cleared", "reminded", "undelivered", "channel_lost", "by old rate")
    assert min(machine.seen[kind] for kind in kinds) > 0


def test_the_same_holds_on_a_real_database_and_step_by_step_the_same_happens_there():
    real, twin = fresh(SqliteMachine), fresh()
    run(real, SQLITE_RUNS, SEED)
    run(twin, SQLITE_RUNS, SEED)
    assert (real.seen, real.crashes) == (twin.seen, twin.crashes)


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize(("base", "runs"), [(AlertMachine, SOAK_RUNS), (SqliteMachine, SQLITE_SOAK_RUNS)])
def test_no_crossing_is_missed_in_ten_thousand_runs(base: type[AlertMachine], runs: int):
    done, crashes, seen = 0, Counter[str](), Counter[str]()
    for number in range(runs // BATCH):
        machine = fresh(base)
        run(machine, BATCH, number)
        done, crashes, seen = done + machine.runs, crashes + machine.crashes, seen + machine.seen
    print(f"{done:,} runs, nothing lost, ended in: {dict(crashes)}; seen: {dict(seen)}")
    assert done >= runs


class TornWatch(AlertWatch):
    """Writes the states in a transaction of their own, before the events and messages."""

    async def evaluate(self, beat: Beat) -> tuple[AlertEvent, ...]:
        late: list[tuple[str, Any]] = []
        whole = self._database

        class Torn:
            @asynccontextmanager
            async def transaction(self) -> AsyncIterator[Any]:
                async with whole.transaction() as into:
                    yield Deferring(into, late)

        self._database = Torn()  # type: ignore[assignment]  # for this evaluation
        try:
            events = await super().evaluate(beat)
        finally:
            self._database = whole
        async with whole.transaction() as into:
            for name, given in late:
                await getattr(into.alerts, name)(given)
        return events


class Deferring:
    """Records that keep events and messages for later."""

    def __init__(self, inner: Any, late: list[tuple[str, Any]]) -> None:
        self._inner = inner
        self._late = late

    def __getattr__(self, name: str) -> Any:
        if name == "alerts":
            return Deferring(self._inner.alerts, self._late)
        if name in ("add_event", "add_delivery"):

            async def later(given: Any) -> None:
                self._late.append((name, given))

            return later
        return getattr(self._inner, name)


class HastyOutbox(AlertOutbox):
    """Notes the acceptance before it sends."""

    async def _send(self, row: Delivery, channel: Channel, event: AlertEvent) -> bool:
        await self._note(row, Accepted(gives_receipts=False))
        outcome = await self._hand_over(channel, self._message(row, event))
        return isinstance(outcome, Accepted)


class ForgetfulOutbox(AlertOutbox):
    """Notes nothing at the first attempt: the row is sent again by whoever comes next."""

    async def _note(self, row: Delivery, outcome: Accepted | ProviderError, *, again: bool = True) -> None:
        if row.attempts % 2 == 0:
            await super()._note(row, outcome, again=again)


def test_states_written_apart_from_their_events_are_found_out():
    with pytest.raises(AssertionError):
        run(fresh(watch_type=TornWatch), RUNS, SEED)


def test_missing_hysteresis_is_found_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alert_rules, "is_back", lambda rule, value: not alert_rules.is_reached(rule, value))
    with pytest.raises(AssertionError):
        run(fresh(), RUNS, SEED)


def test_an_edit_that_leaves_a_rule_raised_is_found_out(monkeypatch: pytest.MonkeyPatch):
    async def nothing(*_: object) -> set[str]:
        return set()

    monkeypatch.setattr("vaultdash.services.alert_watch._moved", nothing)
    with pytest.raises(AssertionError, match="should"):
        run(fresh(), RUNS, SEED)


def test_options_forgotten_when_none_is_held_are_found_out(monkeypatch: pytest.MonkeyPatch):
    known = AlertWatch._hedged

    def forgetful(self: AlertWatch, snapshot: Snapshot, at: datetime) -> Hedged:
        return Hedged(None, None) if snapshot.hedge is None else known(self, snapshot, at)

    monkeypatch.setattr(AlertWatch, "_hedged", forgetful)
    with pytest.raises(AssertionError, match="should"):
        run(fresh(), RUNS, SEED)


def test_silence_while_the_exchange_rate_is_old_is_found_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Marked, "is_judged", lambda mark, at, **asked: mark.is_known(**asked))
    with pytest.raises(AssertionError, match="should"):
        run(fresh(), RUNS, SEED)


def test_an_old_exchange_rate_that_ends_alerts_is_found_out(monkeypatch: pytest.MonkeyPatch):
    known = Marked.is_known
    monkeypatch.setattr(Marked, "is_known", lambda mark, **asked: known(mark, **asked) or _is_old(mark))
    with pytest.raises(AssertionError, match="should"):
        run(fresh(), RUNS, SEED)


def _is_old(mark: Marked) -> bool:
    return mark.snapshot is not None and mark.gold is not None and not mark.gold.is_stale


def test_a_message_noted_before_it_is_sent_is_found_out():
    with pytest.raises(AssertionError, match="was lost"):
        run(fresh(outbox_type=HastyOutbox), RUNS, SEED)


def test_a_message_that_is_not_noted_is_found_out():
    with pytest.raises(AssertionError, match="times"):
        run(fresh(outbox_type=ForgetfulOutbox), RUNS, SEED)

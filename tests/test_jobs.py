"""Jobs run on their own, and a failing one stops nobody."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.builders import a_loan
from tests.services.alert_house import Inbox, a_beat, a_status
from tests.services.twins import until
from vaultdash.bootstrap import build_vault
from vaultdash.domain.alert import ChannelKind
from vaultdash.jobs import Job, jobs, start_jobs, watched
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

EVERY = {"beat": 5.0, "freshness": 5.0, "held": 5.0, "portfolios": 5.0, "watch": 30.0, "alerts": 2.0}


@pytest.fixture
def vault(demo_settings: Callable[..., Settings]) -> Vault:
    return build_vault(demo_settings())


class Work:
    """A coroutine that breaks as long as it is told to."""

    def __init__(self) -> None:
        self.broken = False
        self.runs = 0

    async def __call__(self) -> None:
        self.runs += 1
        if self.broken:
            raise RuntimeError("the disk is gone")


async def test_a_failing_job_does_not_raise():
    work = Work()
    work.broken = True
    with capture_logs():
        await watched(Job("beat", 5, work))()
    assert work.runs == 1


async def test_a_job_says_once_that_it_broke_and_once_that_it_recovered():
    work = Work()
    run = watched(Job("beat", 5, work))
    with capture_logs() as lines:
        for broken in (False, True, True, True, False, False):
            work.broken = broken
            await run()
    assert [(line["event"], line["job"]) for line in lines] == [("job_broke", "beat"), ("job_recovered", "beat")]
    assert lines[0]["reason"] == "the disk is gone"


async def test_a_job_that_breaks_again_says_so_again():
    work = Work()
    run = watched(Job("beat", 5, work))
    with capture_logs() as lines:
        for broken in (True, False, True):
            work.broken = broken
            await run()
    assert [line["event"] for line in lines] == ["job_broke", "job_recovered", "job_broke"]


async def test_two_jobs_break_apart():
    good, bad = Work(), Work()
    bad.broken = True
    with capture_logs() as lines:
        await watched(Job("bad", 5, bad))()
        await watched(Job("good", 5, good))()
    assert [line["job"] for line in lines] == ["bad"]


def test_the_house_looks_for_due_beats_and_changed_freshness(vault: Vault):
    assert {job.name: job.seconds for job in jobs(vault)} == EVERY


async def test_the_table_runs_the_heartbeat(vault: Vault):
    await vault.open()
    for job in jobs(vault):
        await job.run()
    assert vault.heartbeat.feed.latest is not None
    await vault.aclose()


async def test_jobs_are_on_a_schedule_that_folds_missed_runs(vault: Vault):
    scheduler = start_jobs(vault)
    try:
        scheduled = {job.id: job for job in scheduler.get_jobs()}
        assert set(scheduled) == set(EVERY)
        assert all(job.coalesce and job.max_instances == 1 for job in scheduled.values())
        assert {name: job.trigger.interval.total_seconds() for name, job in scheduled.items()} == EVERY
    finally:
        scheduler.shutdown(wait=False)
        await vault.aclose()


async def test_an_alert_is_sent_at_once_and_not_at_the_jobs_next_turn(vault: Vault):
    await vault.open()
    inbox = Inbox()
    vault.outbox._notifiers = {ChannelKind.APPRISE: inbox}
    await vault.outbox.add_channel(ChannelKind.APPRISE, "phone", "test://", step=0, wait_minutes=5.0)
    scheduler = start_jobs(vault)
    scheduler.remove_all_jobs()  # none of them will ever run
    try:
        called = replace(vault.book.current, loan=a_loan(800_000.0))
        await vault.alerts.evaluate(a_beat(a_status(400.0, source="DEMO"), called))
        await until(lambda: bool(inbox.taken))
        assert inbox.titles[0].startswith("phone: DEMO: Close-out")
    finally:
        scheduler.shutdown(wait=False)
        await vault.aclose()


async def test_jobs_that_are_stopped_at_their_work_say_nothing(vault: Vault, caplog: pytest.LogCaptureFixture):
    begun = asyncio.Event()

    async def hangs() -> None:
        begun.set()
        await asyncio.sleep(60)

    vault.heartbeat.beat_if_due = hangs  # type: ignore[method-assign]  # the first beat, waiting for a price
    with caplog.at_level(logging.WARNING), capture_logs() as lines:
        scheduler = start_jobs(vault)
        scheduler.modify_job("beat", next_run_time=vault.now())
        await asyncio.wait_for(begun.wait(), 20)
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0.05)
    await vault.aclose()
    assert [record.getMessage() for record in caplog.records] == []
    assert lines == []
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_work_whose_own_part_was_cancelled_has_broken():
    async def gave_up() -> None:
        part = asyncio.ensure_future(asyncio.sleep(60))
        part.cancel()
        await part

    with capture_logs() as lines:
        await watched(Job("beat", 5, gave_up))()
    assert [line["event"] for line in lines] == ["job_broke"]

"""Jobs run on their own, and a failing one stops nobody."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from vaultdash.bootstrap import build_vault
from vaultdash.jobs import Job, jobs, start_jobs, watched
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings


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
    assert [(job.name, job.seconds) for job in jobs(vault)] == [("beat", 5.0), ("freshness", 5.0)]


async def test_the_table_runs_the_heartbeat(vault: Vault):
    beat, freshness = jobs(vault)
    await beat.run()
    assert vault.heartbeat.feed.latest is not None
    await freshness.run()
    await vault.aclose()


async def test_jobs_are_on_a_schedule_that_folds_missed_runs(vault: Vault):
    scheduler = start_jobs(vault)
    try:
        scheduled = {job.id: job for job in scheduler.get_jobs()}
        assert set(scheduled) == {"beat", "freshness"}
        assert all(job.coalesce and job.max_instances == 1 for job in scheduled.values())
        assert all(job.trigger.interval.total_seconds() == 5 for job in scheduled.values())
    finally:
        scheduler.shutdown(wait=False)
        await vault.aclose()

"""What runs on its own, and how often."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from apscheduler.events import EVENT_SCHEDULER_SHUTDOWN
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from vaultdash.services.vault import Vault

log = structlog.get_logger()
ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Job:
    """A coroutine of the Vault and the seconds between its runs."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[None]]


def jobs(vault: Vault) -> tuple[Job, ...]:
    """The table of jobs."""

    async def republish() -> None:
        vault.heartbeat.republish()

    async def mark_held() -> None:
        if await vault.held.refresh_if_due(vault.book.all):
            vault.heartbeat.remark()

    async def deliver() -> None:
        await vault.outbox.deliver()

    recording = () if vault.recorder is None else (Job("snapshots", 60.0, vault.recorder.record_if_due),)
    return (
        *recording,
        Job("beat", min(vault.prices.interval_seconds, 5.0), vault.heartbeat.beat_if_due),
        Job("freshness", 5.0, republish),
        Job("held", 5.0, mark_held),
        Job("portfolios", 5.0, vault.book.refresh),
        Job("watch", 30.0, vault.heartbeat.keep_again),  # while the market is shut there is seldom a new price
        Job(ALERTS, 2.0, deliver),
    )


def watched(job: Job) -> Callable[[], Awaitable[None]]:
    """The job, saying once when it breaks and once when it recovers; a failing job never stops the house.

    Who cancels it has it cancelled; a part of its work that was cancelled is a failure.
    """
    broken = False

    async def run() -> None:
        nonlocal broken
        try:
            await job.run()
        except (Exception, asyncio.CancelledError) as error:  # whatever broke, the other jobs go on
            if _is_cancelled():
                raise
            if not broken:
                log.error("job_broke", job=job.name, reason=str(error), exc_info=True)
            broken = True
            return
        if broken:
            log.info("job_recovered", job=job.name)
        broken = False

    return run


def until_stopped(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The work, ending quietly when the scheduler stops it, which would log a traceback for each."""

    async def quietly() -> None:
        try:
            await run()
        except asyncio.CancelledError:
            if not _is_cancelled():
                raise

    return quietly


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def start_jobs(vault: Vault) -> AsyncIOScheduler:
    """Start all jobs on the running loop; missed runs are folded into one."""
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    runs = {job.name: watched(job) for job in jobs(vault)}
    for job in jobs(vault):
        run = until_stopped(runs[job.name])
        scheduler.add_job(run, "interval", seconds=job.seconds, id=job.name, misfire_grace_time=None)
    scheduler.start()
    waking = asyncio.create_task(_at_once(vault, runs[ALERTS]))
    scheduler.add_listener(lambda _: waking.cancel(), EVENT_SCHEDULER_SHUTDOWN)
    return scheduler


async def _at_once(vault: Vault, deliver: Callable[[], Awaitable[None]]) -> None:
    """Deliver as soon as an alert was written, not at the job's next turn."""
    async for _ in vault.alerts.events.follow():
        await deliver()

"""What runs on its own, and how often."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from vaultdash.services.vault import Vault

log = structlog.get_logger()


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

    return (
        Job("beat", min(vault.prices.interval_seconds, 5.0), vault.heartbeat.beat_if_due),
        Job("freshness", 5.0, republish),
    )


class Watch:
    """Runs a job and says once when it breaks and once when it recovers; a failing job never stops the house."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.broken = False

    async def __call__(self) -> None:
        """One run."""
        try:
            await self.job.run()
        except Exception as error:
            if not self.broken:
                log.exception("job_broke", job=self.job.name, reason=str(error))
            self.broken = True
            return
        if self.broken:
            log.info("job_recovered", job=self.job.name)
        self.broken = False


def start_jobs(vault: Vault) -> AsyncIOScheduler:
    """Start all jobs on the running loop; missed runs are folded into one."""
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    for job in jobs(vault):
        scheduler.add_job(Watch(job), "interval", seconds=job.seconds, id=job.name, misfire_grace_time=None)
    scheduler.start()
    return scheduler

"""Commits on a disk that notes everything, in a process of its own, and keeps the notes."""

import asyncio
import pickle
import sys
from pathlib import Path

from tests.builders import NOON, a_portfolio
from tests.storage.sql.power import Recorder
from tests.storage.sql.records import an_event
from vaultdash.storage.sql import SqlDatabase, address, database

OUT_OF_REACH = 77  # exit code


async def write(file: str, commits: int, recorder: Recorder) -> None:
    kept = SqlDatabase(f"sqlite:///{file}")
    await kept.open()
    for number in range(1, commits + 1):
        async with kept.transaction() as tx:
            await tx.portfolios.put(a_portfolio(loan=float(number)), NOON, "test", f"change {number}")
            await tx.alerts.add_event(an_event(number))
        recorder.done(number)
    await kept.aclose()


def main(file: str, commits: str, synchronous: str, notes: str) -> None:
    """Write `commits` into `file` with a synchronous setting, then the notes."""
    if synchronous != "FULL":  # the control: as a careless program would open it
        address.PRAGMAS = ("journal_mode = WAL", f"synchronous = {synchronous}")
        database.FULL = {"OFF": 0, "NORMAL": 1}[synchronous]
    try:
        recorder = Recorder()
    except LookupError:
        sys.exit(OUT_OF_REACH)
    recorder.install()
    asyncio.run(write(file, int(commits), recorder))
    Path(notes).write_bytes(pickle.dumps(recorder.steps))

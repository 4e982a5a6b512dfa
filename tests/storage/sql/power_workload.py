"""Commits on a disk that notes everything, and keeps the notes. Arguments: FILE COMMITS SYNCHRONOUS NOTES."""

import asyncio
import pickle
import sys
from pathlib import Path

from tests.builders import NOON, a_portfolio
from tests.storage.sql.power import Recorder
from tests.storage.sql.records import an_event
from vaultdash.storage.sql import SqlDatabase, address, database


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
    if synchronous != "FULL":  # the control: as a careless program would open it
        address.PRAGMAS = ("journal_mode = WAL", f"synchronous = {synchronous}")
        database.FULL = {"OFF": 0, "NORMAL": 1}[synchronous]
    recorder = Recorder()
    recorder.install()
    asyncio.run(write(file, int(commits), recorder))
    Path(notes).write_bytes(pickle.dumps(recorder.steps))


if __name__ == "__main__":
    main(*sys.argv[1:])

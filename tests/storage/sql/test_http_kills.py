"""A server that is killed while clients write through HTTP has kept everything that it acknowledged."""

import asyncio
import itertools
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.live_server import LiveServer
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.checking import check

SEED = 815
CLIENTS = 4
LOAN = {"lots": [{"symbol": "GLD", "units": 10.0}], "loan_amount": 2000.0}
Asked = tuple[str, str]  # what was asked for (made or changed), and its mark


async def write_until_it_dies(url: str, marks: Iterator[int], kept: list[Asked]) -> None:
    """Make one portfolio, then change another without end; what was answered with success goes into `kept`."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        try:
            name = f"Made {next(marks)}"
            made = await client.post("/api/portfolios", json={**LOAN, "name": name})
            assert made.status_code == 201, made.text
            kept.append(("made", name))
            while True:
                mark = f"Bank {next(marks)}"
                changed = await client.put("/api/portfolios/main", json={"lender": mark})
                assert changed.status_code == 200, changed.text
                kept.append(("changed", mark))
        except httpx.TransportError:
            return


async def what_is_there(url: str) -> tuple[set[Asked], str]:
    """Everything that the server tells of, and the lender that it shows last."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        listed = (await client.get("/api/portfolios")).json()["portfolios"]
        trail = (await client.get("/api/portfolios/main/changes", params={"limit": 1000})).json()["changes"]
        shown = (await client.get("/api/portfolios/main")).json()["lender"]
    changed = {("changed", line["after"]["lender"]) for line in trail}
    return {("made", line["document"]["name"]) for line in listed} | changed, shown


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(2, marks=pytest.mark.timeout(240)),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
async def test_what_was_acknowledged_is_there_after_the_kill(tmp_path: Path, kills: int) -> None:
    chance = random.Random(SEED)
    marks = itertools.count(1)
    acknowledged = 0
    kept: list[Asked] = []
    for number in range(kills + 1):
        server = LiveServer(tmp_path)
        try:
            await asyncio.to_thread(server.wait, 120)
            there, shown = await what_is_there(server.url)
            lost = [asked for asked in kept if asked not in there]
            assert lost == [], f"kill {number} of seed {SEED}"
            assert ("changed", shown) in there
            kept.clear()
            if number == kills:
                break
            clients = [asyncio.create_task(write_until_it_dies(server.url, marks, kept)) for _ in range(CLIENTS)]
            for pause in [0.1] * 600:
                done, _ = await asyncio.wait(
                    clients, timeout=pause if len(kept) < CLIENTS else chance.uniform(0, 0.7)
                )
                assert not done, "a client gave up before the kill"
                if len(kept) > CLIENTS:
                    break
        finally:
            server.stop(signal.SIGKILL)
        await asyncio.gather(*clients)
        acknowledged += len(kept)
        print(f"kill {number + 1} after {acknowledged} acknowledged writes", flush=True)
    assert acknowledged > 2 * kills
    assert (await check(SqlDatabase(f"sqlite:///{tmp_path}/data/demo.db").address)).problems == []
    print(f"{kills} kills, {acknowledged} acknowledged writes, 0 lost")

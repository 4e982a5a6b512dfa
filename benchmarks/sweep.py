"""A sweep of ten thousand backtests on this computer and on a Dask scheduler, and with a worker killed in the middle.

Every way must give the same bytes; one that does not could not be measured.
"""

import asyncio
import os
import signal
import tempfile
import time
from contextlib import aclosing, suppress
from pathlib import Path

from tests.compute.dask_cluster import DaskCluster

from benchmarks.options import Options
from benchmarks.report import Figure, Line
from vaultdash.backtest.sweep import Row, Sweep, run_chunk
from vaultdash.bootstrap import build_vault
from vaultdash.compute.base import Compute
from vaultdash.compute.dask import DaskCompute
from vaultdash.compute.local import LocalCompute
from vaultdash.domain.errors import VaultError
from vaultdash.services.pricing_kernels import share_machine_code
from vaultdash.services.sweep_grid import grid_of
from vaultdash.services.sweep_pace import Pace
from vaultdash.services.sweep_plan import SweepPlan
from vaultdash.services.sweep_result import packed_result, result_of
from vaultdash.settings import Settings
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.price_csv import read_price_csv

DATA = Path(__file__).parents[2] / "shared" / "data"
FILES = (("gld_daily.csv", "GLD", None), ("gvz_daily.csv", "^GVZ", None), ("rates_daily.csv", "^IRX", "irx"))
GRID = {
    "templates": ["protective_put_otm_95", "collar_95_110", "put_spread_95_80"],
    "vary": {
        "legs[0].strike.value": {"from": 0.85, "to": 1.05, "step": 0.05},
        "legs[0].months": [3, 6, 12, 24],
        "coverage": [0.5, 1.0],
    },
    "terms": {"ltv": [0.60, 0.66, 0.70], "counting": ["ignored", "credited"]},
}
FALLS = {"events": ["jan-2026", "apr-2013", "mar-2020", "2022", "2008", "2011-2015", "2016"], "entries": [0, 3]}
INVENTED = {"rolling": {"from": "2012-01-02", "to": "2020-01-02", "months": 12, "every_months": 6}}


def run(options: Options) -> list[Line]:
    """Times of the same sweep by each way, beside one process alone."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> list[Line]:
    plan = await _plan(folder)
    alone, expected = await _timed(plan, LocalCompute(1, share_machine_code))
    lines = [_line(plan, "one process", alone, None)]

    async def add(what: str, compute: Compute, *, kill: bool = False) -> None:
        taken, content = await _timed(plan, compute, kill=kill)
        if content != expected:
            raise RuntimeError(f"{what} gave another result than one process")
        lines.append(_line(plan, what, taken, alone))

    await add("two processes", LocalCompute(2, share_machine_code))
    await add("two processes, one killed in the middle", LocalCompute(2, share_machine_code), kill=True)
    cluster = DaskCluster(folder / "dask")
    try:
        for what, kill in (("Dask, two workers", False), ("Dask, two workers, one killed in the middle", True)):
            compute = DaskCompute(cluster.address, share_machine_code, answer_seconds=60)
            await _until_two(compute)
            await add(what, compute, kill=kill)
    finally:
        cluster.stop()
    return lines


async def _plan(folder: Path) -> SweepPlan:
    """On the shared history where it is there, else on the demo market's."""
    real = DATA.is_dir()
    settings = Settings(_env_file=None, data_dir=folder, market="auto" if real else "demo")  # type: ignore[call-arg]  # pydantic's own
    for file, symbol, column in FILES if real else ():
        ParquetPrices(folder).merge_history(read_price_csv(DATA / file, symbol, column).history)
    vault = build_vault(settings)
    try:
        await vault.open()
        grid = grid_of({**GRID, **(FALLS if real else INVENTED)})
        return await vault.sweeps.planner.plan(grid, await vault.sweeps.planner.asked(grid))
    finally:
        await vault.aclose()


async def _timed(plan: SweepPlan, compute: Compute, *, kill: bool = False) -> tuple[float, bytes]:
    """Seconds from the first piece to the last row, and the result; workers are warm before."""
    try:
        victim = await _warm(plan.sweep, compute)
        pace = Pace([(0, plan.points)])
        rows: list[Row] = [[] for _ in range(plan.points)]
        begun, done = time.perf_counter(), 0
        async with aclosing(compute.map(run_chunk, pace.spans(), shared=plan.sweep)) as results:
            async for place, found in results:
                first, last = pace.taken[place]
                rows[first:last] = found
                done += len(found)
                pace.done(len(found), time.perf_counter(), compute.workers)
                if kill and done > plan.points / 3:
                    kill = False
                    os.kill(victim, signal.SIGKILL)
        taken = time.perf_counter() - begun
        return taken, packed_result(result_of(plan, rows))
    finally:
        await compute.aclose()


async def _warm(sweep: Sweep, compute: Compute) -> int:
    """Have each worker load its code; the process id of one of them."""
    spans = [(place, place + 1) for place in range(4 * compute.workers)]
    async with aclosing(compute.map(run_chunk, spans, shared=sweep)) as results:
        async for _ in results:
            pass
    return await compute.run(os.getpid)


async def _until_two(compute: DaskCompute) -> None:
    while compute.workers < 2:
        with suppress(VaultError):
            await compute.run(os.getpid)
        await asyncio.sleep(0.05)


def _line(plan: SweepPlan, what: str, seconds: float, alone: float | None) -> Line:
    peer = None if alone is None else Figure.one(alone)
    note = f"{plan.points:,} runs, {plan.points / seconds:,.0f} a second; {plan.source[:40]}"
    return Line("E", f"sweep, {what}", "s", Figure.one(seconds), peer, "one process" if peer else "", (), note)

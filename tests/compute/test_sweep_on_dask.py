"""A sweep on a Dask scheduler with two workers is, byte by byte, the sweep on this computer."""

import os
import signal
from contextlib import aclosing

from tests.backtest.sweep_market import a_scenario, falling_days
from tests.compute.dask_cluster import DaskCluster
from tests.compute.tasks import whose
from tests.compute.test_contract import until_two
from vaultdash.backtest.grid import Axis, variants
from vaultdash.backtest.sweep import Row, Sweep, run_chunk
from vaultdash.compute.base import Compute
from vaultdash.compute.dask import DaskCompute
from vaultdash.compute.local import LocalCompute
from vaultdash.services.sweep_result import packed_part
from vaultdash.strategies.templates import system_template


def a_sweep() -> Sweep:
    hedges = variants([system_template("protective_put_otm_95")], [Axis("coverage", (0.4, 0.6, 0.8, 0.9, 1.0))])
    scenarios = tuple(a_scenario(ltv) for ltv in (0.60, 0.64, 0.66, 0.70))
    return Sweep(scenarios, tuple(each.hedge or "" for each in hedges), (falling_days(),), (0,) * 4, "reference")


async def swept(compute: Compute, sweep: Sweep, size: int, kill: bool = False) -> bytes:
    """All rows in bytes; with `kill` a worker is ended in the middle."""
    spans = [(first, min(first + size, sweep.points)) for first in range(0, sweep.points, size)]
    rows: dict[int, list[Row]] = {}
    victim = await compute.run(whose)
    async with aclosing(compute.map(run_chunk, spans, shared=sweep)) as results:
        async for place, found in results:
            rows[place] = found
            if kill and len(rows) == 3:
                os.kill(victim, signal.SIGKILL)
    assert sorted(rows) == list(range(len(spans)))
    return packed_part("same", 0, [row for place in sorted(rows) for row in rows[place]])


async def test_workers_pieces_and_deaths_change_no_byte(dask_cluster: DaskCluster) -> None:
    dask_cluster.restore()
    sweep = a_sweep()
    assert sweep.points == 24
    here, there = LocalCompute(1), DaskCompute(dask_cluster.address, answer_seconds=30)
    try:
        await until_two(there)
        alone = await swept(here, sweep, 15)
        assert await swept(here, sweep, 3, kill=True) == alone
        assert await swept(there, sweep, 4) == alone
        assert await swept(there, sweep, 2, kill=True) == alone
    finally:
        await here.aclose()
        await there.aclose()

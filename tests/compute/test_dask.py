"""What can go wrong with a Dask scheduler is told in a sentence that says what to do."""

import os
import pickle
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.compute.dask_cluster import ROOT, DaskCluster, free_port
from tests.compute.tasks import Tough, halved, marked, whose
from tests.compute.test_contract import until_two
from vaultdash.compute import errand
from vaultdash.compute.base import WorkFailed
from vaultdash.compute.dask import DaskCompute
from vaultdash.domain.errors import Refused, Unavailable


async def test_a_scheduler_that_does_not_answer_is_named_with_what_to_do() -> None:
    compute = DaskCompute(f"tcp://127.0.0.1:{free_port()}", answer_seconds=0.5)
    with pytest.raises(Unavailable, match=r"does not answer within 0\.5 s .*leave VAULT_DASK_SCHEDULER empty"):
        await compute.run(whose)
    with pytest.raises(Unavailable, match="does not answer"):
        _ = [each async for each in compute.map(halved, [1], shared=1)]
    await compute.aclose()


async def test_an_address_that_is_none_is_refused() -> None:
    compute = DaskCompute("gopher://nowhere:1", answer_seconds=2)
    with pytest.raises(Refused, match=r"no address of a scheduler.*tcp://host:8786"):
        await compute.run(whose)


def test_without_dask_the_way_to_install_it_is_said() -> None:
    code = (
        "import asyncio, sys; sys.modules['distributed'] = None\n"
        "from vaultdash.compute.dask import DaskCompute\n"
        "try: asyncio.run(DaskCompute('tcp://127.0.0.1:1').run(int))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Refused VAULT_DASK_SCHEDULER names a Dask scheduler, but Dask is not installed")
    assert "pip install 'vault-dash[dask]'" in said


def test_dask_is_not_imported_until_it_is_used() -> None:
    code = "import sys, vaultdash.bootstrap; print([name for name in ('dask', 'distributed') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


async def test_a_scheduler_without_workers_is_said_and_a_worker_that_comes_later_is_used(tmp_path: Path) -> None:
    cluster = DaskCluster(tmp_path, workers=0)
    compute = DaskCompute(cluster.address, answer_seconds=30)
    try:
        with pytest.raises(Unavailable, match=f"has no workers. Start some: dask worker {cluster.address}"):
            await compute.run(whose)
        for _ in range(2):
            cluster.add_worker()
        await until_two(compute)
        assert await compute.run(whose) != os.getpid()
    finally:
        await compute.aclose()
        cluster.stop()


async def test_a_scheduler_that_goes_away_in_the_middle_is_said(tmp_path: Path) -> None:
    cluster = DaskCluster(tmp_path / "dask")
    compute = DaskCompute(cluster.address, answer_seconds=5)
    marks = tmp_path / "marks"
    marks.mkdir()
    try:
        await until_two(compute)
        with pytest.raises(Unavailable, match=r"connection to the Dask scheduler .* was lost. What is done is kept"):
            await killed_in_the_middle(compute, cluster, marks)
    finally:
        await compute.aclose()
        cluster.stop()


async def killed_in_the_middle(compute: DaskCompute, cluster: DaskCluster, marks: Path) -> None:
    async with aclosing(compute.map(marked, range(1_000), shared=str(marks))) as results:
        async for _ in results:
            cluster.scheduler.kill()


@pytest.mark.parametrize("name", ["Python", "numpy", "vault-dash", "source of vault-dash"])
def test_a_worker_that_is_not_the_same_refuses_the_work_and_says_why(name: str) -> None:
    _, asked = pickle.loads(errand.packed(whose, (), {}, None))
    theirs = {**errand.edition(), name: "of last year"}
    with pytest.raises(Refused, match=f"its {name} is .*, not of last year. Install the same versions"):
        errand.answer(errand.done(pickle.dumps((theirs, asked))))


def test_a_worker_that_is_the_same_does_the_work() -> None:
    assert errand.answer(errand.done(errand.packed(whose, (), {}, None))) == os.getpid()


def test_work_that_a_worker_cannot_find_is_said() -> None:
    edition, _ = pickle.loads(errand.packed(whose, (), {}, None))
    nowhere = b"cvaultdash.nowhere\nwork\n."
    with pytest.raises(ModuleNotFoundError, match=r"vaultdash\.nowhere"):
        errand.answer(errand.done(pickle.dumps((edition, nowhere))))


def test_work_that_cannot_be_sent_is_said() -> None:
    with pytest.raises(WorkFailed, match="a socket cannot be sent"):
        errand.packed(halved, (Tough(), 1), {}, None)


def test_another_source_is_another_edition(tmp_path: Path) -> None:
    package = ROOT / "src" / "vaultdash"
    for file in package.rglob("*.py"):
        copy = tmp_path / "vaultdash" / file.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    same = edition_in(tmp_path)
    (tmp_path / "vaultdash" / "ui" / "format.py").write_text('"""Other pages change no result."""')
    assert edition_in(tmp_path) == same
    with (tmp_path / "vaultdash" / "backtest" / "result.py").open("a") as source:
        source.write("# changed\n")
    assert edition_in(tmp_path) != same


def edition_in(folder: Path) -> str:
    code = "from vaultdash.compute.errand import edition; print(edition()['source of vault-dash'])"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return told.stdout.strip()

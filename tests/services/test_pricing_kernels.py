"""Kernels are loaded once and waited for; a compiler is not."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import vaultdash
from vaultdash.pricing.compiled import is_ready, ready_engine
from vaultdash.services import pricing_kernels
from vaultdash.services.pricing_kernels import PricingKernels, compile_kernels, edition

SOURCE = Path(vaultdash.__file__).parent.parent
FIRST = """
import asyncio
from vaultdash.pricing.compiled import ready_engine
from vaultdash.services.pricing_kernels import PricingKernels, compile_kernels, edition
print(ready_engine())
print(asyncio.run(PricingKernels().engine()))
"""


def engines(*options: str, **environment: str) -> list[str]:
    """What a fresh process prices with, at once and after asking."""
    command = [sys.executable, *options, "-c", FIRST]
    usual = {**os.environ, "PYTHONPATH": str(SOURCE), **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=usual, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


async def test_after_loading_kernels_price_here():
    kernels = PricingKernels()
    await asyncio.gather(kernels.load(), kernels.load())
    assert is_ready()
    assert await kernels.engine() == ready_engine() == "kernel"
    await kernels.aclose()


def test_kernels_on_disk_are_waited_for():
    assert compile_kernels() is None
    assert engines() == ["reference", "kernel"]


def test_a_compiler_is_not_waited_for(tmp_path):
    assert engines(XDG_CACHE_HOME=str(tmp_path)) == ["reference", "reference"]


def test_code_that_is_not_complete_is_not_waited_for(tmp_path):
    folder = edition()
    shutil.copytree(folder, tmp_path / "vault-dash" / "kernels" / folder.name)
    (tmp_path / "vault-dash" / "kernels" / folder.name / "complete").unlink()
    assert engines(XDG_CACHE_HOME=str(tmp_path)) == ["reference", "reference"]


def test_the_source_of_the_simulations_belongs_to_the_edition(tmp_path, monkeypatch):
    before = edition()
    other = tmp_path / "lane_kernels.py"
    other.write_text("changed")
    monkeypatch.setattr(pricing_kernels, "SIMULATION", [other, *pricing_kernels.SIMULATION[1:]])
    names = [source.name for source in pricing_kernels.SIMULATION]
    assert names[0] == "lane_kernels.py"
    assert {"simulation_kernels.py", "path_verdict_kernels.py", "path_verdict_layout.py"} <= set(names)
    assert edition() != before


async def test_without_kernels_quantlib_prices_at_once():
    blocked = "import sys; sys.modules['numba'] = None\nfrom vaultdash.pricing.compiled import warm_up; warm_up()\n"
    command = [sys.executable, "-c", blocked + FIRST]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert said.split() == [b"reference", b"reference"]

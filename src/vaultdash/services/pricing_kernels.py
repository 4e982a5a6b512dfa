"""The compiled kernels of this process: compiled where it holds up nobody, loaded once, waited for only briefly."""

import asyncio
import subprocess
import sys
from pathlib import Path

import vaultdash.pricing
from vaultdash.files.machine_code import forget_outdated, is_compiled
from vaultdash.pricing.compiled import Engine, is_ready, kernels_problem, ready_engine, warm_up

PRICING = Path(vaultdash.pricing.__file__).parent
PATIENCE_SECONDS = 5.0  # loading takes about one; QuantLib needs longer than that for a chain


class PricingKernels:
    """Loads the kernels in a thread; what is not compiled yet is compiled by a process of its own before."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Return when the kernels are ready, or known not to be had; several callers wait for the same."""
        if is_ready() or kernels_problem() is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(_load())
        await asyncio.shield(self._loading)

    async def engine(self) -> Engine:
        """What to price with now: kernels that only have to be loaded are waited for, a compiler is not."""
        if not is_ready() and kernels_problem() is None and await asyncio.to_thread(is_compiled, PRICING):
            await asyncio.wait({asyncio.ensure_future(self.load())}, timeout=PATIENCE_SECONDS)
        return ready_engine()

    async def aclose(self) -> None:
        """Stop compiling."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)


def compile_kernels() -> str | None:
    """Compile what is not compiled yet and keep it on disk; why that cannot be done, or None."""
    forget_outdated(PRICING)
    warm_up()
    return kernels_problem()


async def _load() -> None:
    await asyncio.to_thread(forget_outdated, PRICING)
    if not await asyncio.to_thread(is_compiled, PRICING):
        await _compile()
    await asyncio.to_thread(warm_up)


async def _compile() -> None:
    compiler = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vaultdash", "warmup"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await compiler.wait()
    finally:
        if compiler.returncode is None:
            compiler.kill()

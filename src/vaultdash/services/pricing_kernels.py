"""The compiled kernels of this process: compiled where it holds up nobody, loaded once, waited for only briefly."""

import asyncio
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import structlog

import vaultdash.backtest
import vaultdash.pricing
import vaultdash.risk
from vaultdash.backtest.engine import LOOP_MODULES, warm_up_backtests
from vaultdash.files.machine_code import code_folder, is_complete, mark_complete
from vaultdash.pricing.compiled import (
    Engine,
    is_ready,
    keep_machine_code_in,
    kernels_problem,
    ready_engine,
    warm_up,
)
from vaultdash.risk.simulation import warm_up_simulations

PRICING = Path(vaultdash.pricing.__file__).parent
# With the arrays that kernels are handed: code compiled for another order of their columns must not be loaded.
SIMULATION = sorted(
    source for kind in ("kernels", "layout") for source in Path(vaultdash.risk.__file__).parent.glob(f"*_{kind}.py")
)
BACKTEST = [Path(vaultdash.backtest.__file__).parent / f"{name}.py" for name in LOOP_MODULES]
PATIENCE_SECONDS = 5.0  # loading takes about one; QuantLib needs longer than that for a chain

log = structlog.get_logger()


class PricingKernels:
    """Loads the kernels in a thread; what is not compiled yet is compiled by a process of its own before."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[None] | None = None
        self._only_to_load = False
        self._patience = PATIENCE_SECONDS

    async def load(self) -> None:
        """Return when the kernels are ready, or known not to be had; several callers wait for the same."""
        if is_ready() or kernels_problem() is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load())
        await asyncio.shield(self._loading)

    async def engine(self) -> Engine:
        """What to price with now: kernels that only have to be loaded are waited for, once; a compiler is not."""
        if is_ready() or kernels_problem() is not None or self._patience <= 0:
            return ready_engine()
        if self._only_to_load or await asyncio.to_thread(lambda: is_complete(edition())):
            loading = asyncio.ensure_future(self.load())
            await asyncio.wait({loading}, timeout=self._patience)
            if not is_ready():
                self._patience = 0.0
        return ready_engine()

    async def aclose(self) -> None:
        """Stop compiling."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    async def _load(self) -> None:
        folder = await asyncio.to_thread(edition)
        self._only_to_load = await asyncio.to_thread(is_complete, folder)
        if not self._only_to_load:
            await _compile()
        await asyncio.to_thread(compile_kernels, simulations=False)
        problem = kernels_problem()
        if problem is not None:
            log.warning("pricing_without_kernels", reason=problem)


def edition() -> Path:
    """The folder of the code that fits the source, the interpreter and the compiler of this process."""
    sources = [source.read_text() for source in (*SIMULATION, *BACKTEST)]
    return code_folder(PRICING, [version("numba"), version("llvmlite"), *sources])


def must_compile() -> bool:
    """True when kernels are neither in this process nor on disk: who waits for them then waits for the compiler."""
    return not is_ready() and kernels_problem() is None and not is_complete(edition())


def share_machine_code() -> Path:
    """Keep and look for code in the folder of this edition, which all processes share; call it before any pricing."""
    folder = edition()
    keep_machine_code_in(str(folder))
    return folder


def compile_kernels(*, simulations: bool = True) -> str | None:
    """Load what is compiled, compile the rest and keep it on disk; why that cannot be done, or None.

    Only workers simulate and replay; who does neither can leave that code on disk.
    """
    try:
        folder = share_machine_code()
    except ImportError:  # no compiler: `warm_up` says so
        warm_up()
        return kernels_problem()
    warm_up()
    if simulations:
        warm_up_simulations()
        warm_up_backtests()
    if kernels_problem() is None:
        mark_complete(folder)
    return kernels_problem()


async def _compile() -> None:
    compiler = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vaultdash", "warmup"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await compiler.wait()
    finally:
        if compiler.returncode is None:
            compiler.kill()

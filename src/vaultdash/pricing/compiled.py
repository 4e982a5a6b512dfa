"""The one place that decides whether compiled kernels are used, and how they are compiled."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, ParamSpec, TypeVar, cast

from vaultdash.domain.errors import InvalidInput, VaultError

P = ParamSpec("P")
T = TypeVar("T")
Engine = Literal["kernel", "reference"]
ENGINES: tuple[Engine, ...] = ("kernel", "reference")

# Imported by name, and only when asked: they import this module, and numba takes a third of a second.
KERNEL_MODULES = tuple(f"vaultdash.pricing.{name}_kernels" for name in ("european", "implied", "american"))


class _State:
    """What this process knows about its compiler."""

    problem: str | None = None
    compiles = False
    is_ready = False

    def __init__(self) -> None:
        self.cached: list[Any] = []  # kernels whose machine code is kept on disk


_state = _State()


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile at the first call, without the interpreter's lock, and keep the machine code on disk.

    Sums may be reordered and no value may be NaN or infinite (`fastmath`): check inputs before. Only modules that
    are imported lazily may use it, because it imports numba. The disk cache follows the file in which a kernel
    stands, not the files of the kernels it calls.
    """
    return _compiled(function, fastmath=True)


def exact_kernel(function: Callable[P, T]) -> Callable[P, T]:
    """The same, but only multiplications and additions may be fused: NaN, infinity and compensated sums are kept."""
    return _compiled(function, fastmath={"contract"})


def inlined_kernel(function: Callable[P, T]) -> Callable[P, T]:
    """An exact kernel that is put into the loops that call it, however large: a call ends vectorisation."""
    return _compiled(function, fastmath={"contract"}, forceinline=True)


def _compiled(function: Callable[P, T], fastmath: bool | set[str], forceinline: bool = False) -> Callable[P, T]:
    import numba

    how: dict[str, Any] = {"nogil": True, "fastmath": fastmath, "error_model": "numpy", "forceinline": forceinline}
    try:
        compiled = numba.njit(cache=True, **how)(function)
        _state.cached.append(compiled)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        compiled = numba.njit(**how)(function)
    return cast(Callable[P, T], compiled)


def known_engine(engine: Engine) -> Engine:
    """The engine itself; raises InvalidInput when there is none of that name."""
    if engine not in ENGINES:
        raise InvalidInput("engine", f"must be one of {', '.join(ENGINES)}, not {engine!r}")
    return engine


def answered(by_kernel: Callable[[], T], by_reference: Callable[[], T], engine: Engine) -> T:
    """What the kernel says; what the reference says when that was asked for or no kernel can be compiled.

    `by_kernel` imports its kernels module and calls it. Its failure is remembered for the rest of the process.
    Raises InvalidInput for an unknown `engine`.
    """
    if known_engine(engine) == "reference" or _state.problem is not None:
        return by_reference()
    try:
        return by_kernel()
    except VaultError:
        raise
    except Exception:  # noqa: BLE001  # whatever numba or LLVM raises, there is an answer without them
        _forget_disk()
    try:
        return by_kernel()
    except Exception as error:  # noqa: BLE001  # the disk cache was not to blame
        reference = by_reference()  # raises itself where the numbers are to blame, not the compiler
        _state.problem = f"{type(error).__name__}: {error}"
        return reference


def _forget_disk() -> None:
    """From now on compile in memory: a cache that is full, damaged or gone must not cost the kernels."""
    if _state.cached:
        from numba.core.caching import NullCache

        for compiled in _state.cached:
            compiled._cache = NullCache()  # numba has no public switch
        _state.cached.clear()


def kernels_problem() -> str | None:
    """Why this process prices without kernels; None when it has no reason to, or has not tried yet."""
    return _state.problem


def kernels_available() -> bool:
    """True when kernels can be compiled here; finds out by compiling the smallest one, once."""
    if not _state.compiles and _state.problem is None:
        _state.compiles = answered(_compiles, lambda: False, "kernel")
    return _state.compiles and _state.problem is None


def _compiles() -> bool:
    def doubled(number: float) -> float:
        return number + number

    return kernel(doubled)(1.0) == 2.0


def warm_up() -> None:
    """Run every kernel once, so that its machine code is on disk and in memory.

    Takes seconds the first time and a fraction of one later; never raises: see `kernels_problem`.
    """
    if answered(_all_run, lambda: False, "kernel"):
        _state.is_ready = True


def _all_run() -> bool:
    for name in KERNEL_MODULES:
        import_module(name).warm()
    return True


def is_ready() -> bool:
    """True when `warm_up` has finished in this process with every kernel compiled."""
    return _state.is_ready


def ready_engine() -> Engine:
    """The kernels when `warm_up` has run them all, else the reference, so that nobody waits for a compiler."""
    return "kernel" if is_ready() else "reference"


def keep_machine_code_in(folder: str) -> None:
    """Where kernels that are loaded from now on keep their code, instead of beside their source."""
    import numba

    numba.config.CACHE_DIR = folder

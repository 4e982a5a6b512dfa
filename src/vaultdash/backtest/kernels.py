"""The day loop compiled: the plain functions of its modules, with branch-free logarithm and exponential in them.

Import it lazily, numba comes with it. Nothing is written twice: what runs here is the code of those modules.
"""

from collections.abc import Callable
from hashlib import sha256
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from vaultdash.backtest import (
    day_loop,
    decisions,
    figures,
    layout,
    loan_account,
    marks,
    model,
    option_trades,
    quiet_days,
    selection,
)
from vaultdash.backtest.layout import Sets
from vaultdash.pricing import early_exercise_kernels
from vaultdash.pricing import elementary_kernels as elementary
from vaultdash.pricing.compiled import exact_kernel, inlined_kernel

INVERSE_ROOT_TWO_PI = 0.3989422804014327
FARTHEST = 37.0  # deviations; beyond them nothing is left of a tail
# Called within the loops over days, which are fast only as a whole.
IN_LOOPS = (
    *("decay", "years_to", "volatility", "black", "european", "delta_size", "ratio", "lender_ratio"),
    "counted_value",
)
# Called every day or stretch: a call hands over all arrays of a run, which takes longer than what is done there.
BY_DAY = (
    *("is_quiet", "pass_quietly", "ends_quarter", "days_without_dates", "spot_limit", "fill", "first_event"),
    *("last_to_mark", "accrue", "_earn", "earned", "owed", "left_to_repay", "ltv", "room", "is_breach", "read_low"),
    *("receive", "read", "settle", "judge", "record", "holds_puts", "monetises_delta", "monetises_ltv"),
    *("can_trade", "is_quoted", "is_entry", "decide", "decide_leg", "clear_order", "spare_cash", "commission"),
    "half_spread",
)
INLINED = (*IN_LOOPS, *BY_DAY)
MODULES = (model, selection, loan_account, option_trades, decisions, marks, quiet_days, day_loop, figures)


@inlined_kernel
def normal(x: float) -> float:
    """The standard normal distribution's N(x), to 1e-15, without branches and calls."""
    size = min(abs(x), FARTHEST)
    tail = elementary.exp(-0.5 * size * size) * INVERSE_ROOT_TWO_PI
    tail *= elementary.mills_above(size) / elementary.mills_below(size)
    return tail if x < 0.0 else 1.0 - tail


@inlined_kernel
def weighted_normals(spot: float, x: float, kept: float, y: float) -> tuple[float, float]:
    """spot N(x) and kept N(y) with one division and one exponential: both densities come to the same."""
    size_x, size_y = min(abs(x), FARTHEST), min(abs(y), FARTHEST)
    below_x, below_y = elementary.mills_below(size_x), elementary.mills_below(size_y)
    density = kept * elementary.exp(max(-0.5 * y * y, -700.0)) * INVERSE_ROOT_TWO_PI
    shared = density / (below_x * below_y)
    tail_x = elementary.mills_above(size_x) * below_y * shared
    tail_y = elementary.mills_above(size_y) * below_x * shared
    return (tail_x if x < 0.0 else spot - tail_x), (tail_y if y < 0.0 else kept - tail_y)


@inlined_kernel
def bounded_exp(x: float) -> float:
    """The exponential, 0 where it is below the least number."""
    return elementary.exp(max(x, -700.0))


def _loop_kernel(function: Callable[..., Any], is_inlined: bool) -> Callable[..., Any]:
    """A kernel that only kernels call: no door for Python, no counting of references, nothing of its own on disk."""
    import numba

    how: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
    door = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: Callable[..., Any] = numba.njit(forceinline=is_inlined, **door, **how)(function)
    return compiled


def _functions(module: ModuleType) -> dict[str, FunctionType]:
    return {
        name: each
        for name, each in vars(module).items()
        if isinstance(each, FunctionType) and each.__module__ == module.__name__
    }


def _compiled() -> tuple[Callable[[Sets], None], str]:
    """The loop, in one namespace in which every function finds the compiled others, and the edition of its code."""
    scope: dict[str, Any] = {"__name__": __name__, "__builtins__": __builtins__}
    for module in MODULES:
        scope.update({name: each for name, each in vars(module).items() if not name.startswith("__")})
    scope.update(exp=bounded_exp, log_ratio=elementary.log_ratio, normal=normal, weighted_normals=weighted_normals)
    scope.update(early_exercise_premium=early_exercise_kernels.early_exercise_premium)
    edition = sha256(repr(sorted((name, each) for name, each in vars(layout).items() if name.isupper())).encode())
    for module in MODULES:
        for name, plain in _functions(module).items():
            again = FunctionType(plain.__code__, scope, name, plain.__defaults__)
            again.__module__ = module.__name__
            scope[name] = _loop_kernel(again, name in INLINED)
            edition.update(name.encode() + plain.__code__.co_code + repr(plain.__code__.co_consts).encode())
    return scope["walk_sets"], edition.hexdigest()


_walk, _edition = _compiled()


def _entry(edition: str) -> Callable[[Sets], None]:
    """The door: what is kept on disk is told apart by what a function closes over, here the edition of all of it."""

    def walk_sets(sets: Sets) -> None:
        if edition:
            _walk(sets)

    return walk_sets


walk_sets = exact_kernel(_entry(_edition))


def warm() -> None:
    """Compile, or load from disk, and run once on two days without a hedge."""
    days = np.ones((layout.DAY_FIELDS, 2))
    days[layout.DAY] = days[layout.NEXT_DAY] = (1.0, 2.0)
    walk_sets(
        Sets(
            days=days,
            listed=np.empty(0),
            quarters=np.empty(0),
            contracts=np.empty((layout.CONTRACT_FIELDS, 0)),
            quoted=np.empty((layout.QUOTE_FIELDS, 2, 0)),
            early=layout.Early(np.empty(0), np.empty(0)),
            terms=np.ones((1, layout.TERMS)),
            legs=np.zeros((1, 0, layout.LEG_FIELDS)),
            counts=np.zeros(1),
            account=np.zeros((1, layout.ACCOUNT)),
            book=np.zeros((1, 0, layout.BOOK)),
            series=np.zeros((layout.SERIES, 2)),
            trades=np.zeros((1, layout.TRADE_FIELDS)),
            calls=np.zeros((1, layout.CALL_FIELDS)),
            figures=np.zeros((1, layout.FIGURES)),
        )
    )

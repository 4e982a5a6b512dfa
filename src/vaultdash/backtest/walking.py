"""Replays carried out, compiled or as they stand: of one template with its trades, or of many for their figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vaultdash.backtest import figures
from vaultdash.backtest import layout as at
from vaultdash.backtest.inputs import Stage, require_levels, sets_of
from vaultdash.backtest.layout import Sets
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine, answered

FIRST_TRADES, FIRST_CALLS = 128, 32  # room at first; a replay that needs more is walked again


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """The arrays of one replay after it, as `layout` says; of those without trades and series only the first ones."""

    terms: FloatArray
    legs: FloatArray
    account: FloatArray
    book: FloatArray
    figures: FloatArray
    series: FloatArray
    trades: FloatArray
    calls: FloatArray


def walk_one(staged: Stage, template: HedgeTemplate, schedule: FloatArray | None, engine: Engine) -> Walked:
    """The template on the days, with what repays on each of them where there is a schedule."""
    require_levels(staged, template)
    trades, calls = FIRST_TRADES, FIRST_CALLS
    while True:
        sets = _walked(staged, [template], schedule, trades, calls, engine)
        traded, called = int(sets.account[0, at.TRADES]), int(sets.account[0, at.CALLS])
        if traded <= trades and called <= calls:
            return _row(sets, 0)
        trades, calls = max(traded, trades), max(called, calls)


def walk_many(staged: Stage, templates: Sequence[HedgeTemplate], engine: Engine) -> list[Walked]:
    """Templates that do not repay, each for its figures and account alone."""
    for template in templates:
        require_levels(staged, template)
    if not templates:
        return []
    sets = _walked(staged, templates, None, 1, 1, engine)
    return [_row(sets, k) for k in range(len(templates))]


def as_hedge(template: HedgeTemplate) -> HedgeTemplate:
    """The hedge that a template which repays stands for."""
    return replace(template, repays=False)


def _walked(
    staged: Stage,
    templates: Sequence[HedgeTemplate],
    schedule: FloatArray | None,
    trades: int,
    calls: int,
    engine: Engine,
) -> Sets:
    def by_kernel() -> Sets:
        from vaultdash.backtest import kernels  # numba comes with it

        ready = sets_of(staged, templates, schedule, trades, calls)
        kernels.walk_sets(ready)
        return ready

    def by_reference() -> Sets:
        ready = sets_of(staged, templates, schedule, trades, calls)
        figures.walk_sets(ready)
        return ready

    return answered(by_kernel, by_reference, engine)


def _row(sets: Sets, k: int) -> Walked:
    return Walked(
        terms=sets.terms[k],
        legs=sets.legs[k, : int(sets.counts[k])],
        account=sets.account[k],
        book=sets.book[k],
        figures=sets.figures[k],
        series=sets.series,
        trades=sets.trades,
        calls=sets.calls,
    )

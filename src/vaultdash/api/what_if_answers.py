"""Reads what is asked of what-if, and builds its answers."""

import math

from vaultdash.api.hedge_answers import case_answer, hedge_answer
from vaultdash.api.hedge_requests import case_change, hedge_request
from vaultdash.api.hedge_schemas import GreeksAnswer
from vaultdash.api.what_if_schemas import (
    GridAnswer,
    GridEntry,
    GridsAnswer,
    LenderEntry,
    LtvsAnswer,
    WhatIfAnswer,
    WhatIfCurvesAnswer,
    WhatIfEntry,
    WhatIfMapAnswer,
    WhatIfPointAnswer,
)
from vaultdash.domain.loan import HedgeCounting
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.what_if import LenderChange, WhatIfChange, WhatIfCurves, WhatIfMap, WhatIfPoint
from vaultdash.services.workbench_request import ScenarioGrid, WhatIfReport, WhatIfRequest

GIVEN_GRID = "given"


def what_if_request(entry: WhatIfEntry, symbol: str) -> WhatIfRequest:
    """The change; raises InvalidInput for one that makes no sense."""
    change = WhatIfChange(
        price=entry.price_change or 0.0,
        volatility=entry.volatility_change or 0.0,
        days=entry.days or 0,
        rate=entry.rate_change or 0.0,
        crash_volatility=bool(entry.crash_volatility),
        lender=_lender(entry.lender),
    )
    return WhatIfRequest(
        change=change,
        hedge=None if entry.hedge is None else hedge_request(entry.hedge, symbol),
        case=case_change(entry),
        with_maps=entry.maps is not False,
        grid=None if entry.grid is None else scenario_grid(GIVEN_GRID, entry.grid),
    )


def scenario_grid(name: str, entry: GridEntry) -> ScenarioGrid:
    """The steps under a name."""
    return ScenarioGrid(name, tuple(entry.prices), tuple(entry.volatilities), tuple(entry.days))


def grids_answer(grids: tuple[ScenarioGrid, ...]) -> GridsAnswer:
    """The grids that are kept."""
    return GridsAnswer(tuple(grid_answer(each) for each in grids))


def grid_answer(grid: ScenarioGrid) -> GridAnswer:
    """One of them."""
    return GridAnswer(grid.name, grid.prices, grid.volatilities, grid.days)


def what_if_answer(report: WhatIfReport) -> WhatIfAnswer:
    """A change applied, as JSON has it."""
    found = report.found
    return WhatIfAnswer(
        hypothetical=True,
        hedge=hedge_answer(report.hedge, report.standing.symbol),
        now=_point(found.now),
        then=_point(found.then),
        table=tuple(_point(each) for each in found.table),
        curves=_curves(found.curves),
        by_time=None if found.by_time is None else _map(found.by_time),
        by_volatility=None if found.by_volatility is None else _map(found.by_volatility),
        remarks=found.remarks,
        case=case_answer(report.case, report.standing),
    )


def _lender(entry: LenderEntry | None) -> LenderChange:
    if entry is None:
        return LenderChange()
    return LenderChange(
        haircut=entry.haircut,
        limit_cut=entry.limit_cut or 0.0,
        no_notice=bool(entry.no_notice),
        stops_counting=bool(entry.stops_counting),
    )


def _point(point: WhatIfPoint) -> WhatIfPointAnswer:
    return WhatIfPointAnswer(
        price=point.price,
        days=point.days,
        gold_value=point.gold_value,
        loan_amount=point.loan_amount,
        hedge_value=point.hedge_value,
        hedge_pnl=point.hedge_pnl,
        gold_pnl=point.gold_pnl,
        net_pnl=point.net_pnl,
        ltvs=LtvsAnswer(
            _known(point.ltvs[HedgeCounting.CREDITED]),
            _known(point.ltvs[HedgeCounting.AFTER_PAYMENT]),
            _known(point.ltvs[HedgeCounting.IGNORED]),
        ),
        unhedged_ltv=point.unhedged_ltv,
        zone=point.zone,
        unhedged_zone=point.unhedged_zone,
        equity=point.equity,
        unhedged_equity=point.unhedged_equity,
        greeks=GreeksAnswer(point.greeks.delta, point.greeks.gamma, point.greeks.vega, point.greeks.theta),
    )


def _curves(curves: WhatIfCurves) -> WhatIfCurvesAnswer:
    return WhatIfCurvesAnswer(
        prices=_row(curves.prices),
        value_now=_row(curves.value_now),
        value_then=_row(curves.value_then),
        value_at_expiry=_row(curves.value_at_expiry),
        ltv_then=[_known(each) for each in _row(curves.ltv_then)],
        ltv_at_expiry=[_known(each) for each in _row(curves.ltv_at_expiry)],
        unhedged_ltv=_row(curves.unhedged_ltv),
    )


def _map(found: WhatIfMap) -> WhatIfMapAnswer:
    return WhatIfMapAnswer(
        kind=found.kind,
        prices=_row(found.prices),
        rows=_row(found.rows),
        ltv=[[_known(each) for each in _row(row)] for row in found.ltv],
        hedge_value=[_row(row) for row in found.hedge_value],
    )


def _row(values: FloatArray) -> list[float]:
    return [float(each) for each in values]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None

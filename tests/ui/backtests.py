"""Results of backtests for tests of what is shown: paths by simple rules that can be checked by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from tests.builders import a_loan
from vaultdash.backtest.result import (
    BacktestRun,
    Comparison,
    Ending,
    MarginCall,
    Reason,
    Series,
    Summary,
    Trade,
)
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.base import FloatArray
from vaultdash.services.backtest_request import BacktestReport, BacktestRequest, FanEntry
from vaultdash.services.backtest_words import sentence
from vaultdash.strategies.templates import NO_HEDGE, system_template

PREMIUM = 0.03  # of the gold, for every hedge
START = date(2026, 1, 29)
FALL = (100.0, 90.0, 78.0, 84.0)  # at an LTV of 0.60 the third close is one of 0.769


def days_from(start: date, count: int) -> tuple[date, ...]:
    """Calendar days, for there is no exchange here."""
    return tuple(start + timedelta(days=number) for number in range(count))


def a_scenario(closes: Sequence[float] = FALL, **fields: object) -> Scenario:
    """10,000 shares at an LTV of 0.60 of the first close, called at 0.75."""
    start = fields.pop("start", START)
    assert isinstance(start, date)
    counting = fields.pop("counting", HedgeCounting.CREDITED)
    ltv = fields.pop("ltv", 0.60)
    assert isinstance(ltv, float)
    loan = a_loan(ltv * 10_000 * closes[0], hedge_counting=counting)
    end = days_from(start, len(closes))[-1]
    return Scenario(start, end, 10_000.0, loan, event="jan-2026", **fields)  # type: ignore[arg-type]


def a_run(
    scenario: Scenario, template: HedgeTemplate, closes: Sequence[float] = FALL, days: Sequence[date] | None = None
) -> BacktestRun:
    """A put held at its intrinsic value at the first close, never sold; what it cost was paid from outside."""
    price = np.array(closes, dtype=float)
    every = tuple(days or days_from(scenario.start, len(closes)))
    strike = _strike(template, price[0])
    options = np.maximum(strike - price, 0.0) * scenario.units * template.coverage
    gold, owed = price * scenario.units, np.full(len(price), scenario.loan.amount)
    paid = PREMIUM * gold[0] if template.hedges else 0.0
    if template.repays:
        owed = owed - PREMIUM * gold[0]
    haircut = scenario.loan.hedge_haircut
    lanes = {
        HedgeCounting.IGNORED: owed / gold,
        HedgeCounting.AFTER_PAYMENT: (owed - options) / gold,
        HedgeCounting.CREDITED: owed / (gold + options * (1 - haircut)),
    }
    counting = scenario.loan.hedge_counting
    equity = gold + options - owed - paid
    series = Series(
        days=every,
        price=price,
        units=np.full(len(price), scenario.units),
        gold_value=gold,
        loan=owed,
        hedge_value=options,
        cash=np.full(len(price), -paid),
        equity=equity,
        lender_ltv=lanes[counting],
        ltv_ignored=lanes[HedgeCounting.IGNORED],
        ltv_after_payment=lanes[HedgeCounting.AFTER_PAYMENT],
        ltv_credited=lanes[HedgeCounting.CREDITED],
        low_ltv=np.full(len(price), np.nan),
    )
    contracts = round(scenario.units / 100)
    trades = (
        (
            Trade(
                every[0],
                Reason.ENTRY,
                0,
                Right.PUT,
                strike,
                every[0] + timedelta(days=365),
                contracts,
                paid / scenario.units,
                paid / scenario.units - 0.02,
                0.65 * contracts,
                -paid,
            ),
        )
        if template.hedges
        else ()
    )
    summary, calls = _summary(scenario, series, lanes, paid)
    return BacktestRun(template, series, trades, calls, summary)


def _strike(template: HedgeTemplate, first: float) -> float:
    value = template.legs[0].strike.value if template.hedges else None
    return (value or 0.95) * first if template.hedges else 0.0


def _summary(
    scenario: Scenario, series: Series, lanes: dict[HedgeCounting, FloatArray], paid: float
) -> tuple[Summary, tuple[MarginCall, ...]]:
    limit, counting = scenario.loan.margin_call_ltv, scenario.loan.hedge_counting

    def first(values: FloatArray) -> date | None:
        return next((on for on, ltv in zip(series.days, values, strict=True) if is_breached(ltv, limit)), None)

    lane = lanes[counting]
    breach = first(lane)
    top = int(np.argmax(lane))
    calls = ()
    if breach is not None:
        place = series.days.index(breach)
        calls = (
            MarginCall(
                breach,
                float(series.price[place]),
                float(lane[place]),
                breach + timedelta(days=4),
                breach + timedelta(days=1),
                Ending.CURED_BY_ITSELF,
                0.0,
                0.0,
                0.0,
                0.0,
            ),
        )
    return (
        Summary(
            counting=counting,
            survived=breach is None,
            ending=Ending.NO_CALL if breach is None else Ending.CURED_BY_ITSELF,
            first_breach_date=breach,
            first_intraday_breach_date=breach,
            days_in_breach=sum(is_breached(ltv, limit) for ltv in lane),
            max_ltv=float(lane[top]),
            max_ltv_on=series.days[top],
            max_ltv_ignored=float(lanes[HedgeCounting.IGNORED].max()),
            max_ltv_after_payment=float(lanes[HedgeCounting.AFTER_PAYMENT].max()),
            max_ltv_credited=float(lanes[HedgeCounting.CREDITED].max()),
            least_headroom=float((limit * series.gold_value - series.loan).min()),
            hedge_cost_paid=paid,
            hedge_recovered=0.0,
            hedge_value_end=float(series.hedge_value[-1]),
            hedge_cost_net=paid - float(series.hedge_value[-1]),
            entry_cost=paid,
            cost_per_year=paid,
            trades=int(paid > 0),
            rolls=0,
            calls=len(calls),
            interest=0.0,
            repaid_from_hedge=0.0,
            units_end=scenario.units,
            loan_end=float(series.loan[-1]),
            final_equity=float(series.equity[-1]),
            breaches={one: first(values) for one, values in lanes.items()},
        ),
        calls,
    )


def a_comparison(
    templates: Sequence[HedgeTemplate] = (),
    closes: Sequence[float] = FALL,
    scenario: Scenario | None = None,
    days: Sequence[date] | None = None,
    *,
    is_demo: bool = False,
) -> Comparison:
    """Hedges side by side; ranked by survival, then by the highest LTV."""
    scenario = scenario or a_scenario(closes)
    hedges = list(templates) or [system_template("protective_put_atm"), system_template("protective_put_otm_90")]
    runs = [a_run(scenario, one, closes, days) for one in hedges]
    repaying = system_template("repay_with_premium")
    repaid = [a_run(scenario, repaying, closes, days) if run.trades else None for run in runs]
    order = sorted(runs, key=lambda run: (not run.summary.survived, run.summary.max_ltv))
    return Comparison(
        scenario,
        tuple(runs),
        a_run(scenario, system_template(NO_HEDGE), closes, days),
        tuple(repaid),
        tuple(run.template.id for run in order),
        "prices of the test",
        is_demo,
        ("Only DEMO prices are there.",) if is_demo else ("A remark.",),
    )


def a_report(comparison: Comparison | None = None, fan: Sequence[int] = (0, 1)) -> BacktestReport:
    """With the hedge bought at the start and a month before, which has no prices."""
    found = comparison or a_comparison()
    entries = [
        FanEntry(months, found if months == 0 else None, None if months == 0 else "no prices so early")
        for months in fan
    ]
    request = BacktestRequest(tuple(run.template.id for run in found.runs), event="jan-2026")
    return BacktestReport(request, None, found, tuple(entries), sentence(found))


def own(template_id: str, **fields: object) -> HedgeTemplate:
    """One of the owner's, a 95 % put unless told otherwise."""
    source = system_template("protective_put_otm_95")
    return replace(source, id=template_id, name="Mine", is_system=False, **fields)  # type: ignore[arg-type]

"""Turns backtests, their results and events into the shapes of the answers, and entries into requests."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from vaultdash.api.backtest_schemas import (
    BacktestAnswer,
    BacktestCallAnswer,
    BacktestEntry,
    CostsEntry,
    EventAnswer,
    FanAnswer,
    FanOutcomeAnswer,
    FiguresAnswer,
    HedgeOutcomeAnswer,
    ListingEntry,
    OutcomeAnswer,
    ResultAnswer,
    RunAnswer,
    RunsAnswer,
    RunSummary,
    SmileEntry,
    TemplateUsed,
    TermsAnswer,
)
from vaultdash.backtest.result import BacktestRun, Comparison, MarginCall
from vaultdash.backtest.scenario import Costs, Listing, Smile
from vaultdash.domain.errors import NotFound
from vaultdash.domain.record import RunKind, StoredRun
from vaultdash.files.spreadsheet_csv import Value, spreadsheet_csv
from vaultdash.services.backtest_request import Asked, BacktestReport, BacktestRequest, FanEntry
from vaultdash.services.backtest_words import start_value
from vaultdash.services.selloff_events import Event

UNHEDGED = "unhedged"
REPAID = "repaid:"  # and a template's id: the path on which its money repaid the loan instead
SERIES = (
    "price_usd_per_share", "units", "gold_value_usd", "loan_usd", "hedge_value_usd", "cash_usd", "equity_usd",
    "lender_ltv_fraction", "ltv_ignored_fraction", "ltv_after_payment_fraction", "ltv_credited_fraction",
    "lender_ltv_at_low_fraction",
)  # fmt: skip
TRADES = (
    "template", "name", "date", "reason", "leg", "right", "strike_usd", "expiration", "contracts",
    "price_usd_per_share", "mid_usd_per_share", "commission_usd", "cash_usd",
)  # fmt: skip
GROUPS = {"costs": Costs, "smile": Smile, "listing": Listing}
ENTRIES = {"costs": CostsEntry, "smile": SmileEntry, "listing": ListingEntry}


def request_of(entry: BacktestEntry) -> BacktestRequest:
    """An entry as a request; what is null is as usual. Raises InvalidInput for costs and rules that cannot be."""
    given: dict[str, Any] = {}
    for field in fields(entry):
        value = getattr(entry, field.name)
        if value is None:
            continue
        if field.name in GROUPS:
            told = {each.name: getattr(value, each.name) for each in fields(value)}
            value = GROUPS[field.name](**{name: number for name, number in told.items() if number is not None})
        given[field.name] = tuple(value) if isinstance(value, list) else value
    return BacktestRequest(**given)


def run_answer(run: StoredRun) -> RunAnswer:
    """A run as it stands."""
    return RunAnswer(
        id=run.id,
        kind=run.kind,
        name=run.name,
        state=run.state,
        progress=run.progress,
        created_at=run.created_at,
        finished_at=run.finished_at,
        problem=run.problem,
        summary=None if run.summary is None or run.kind is RunKind.SWEEP else _summary(json.loads(run.summary)),
    )


def runs_answer(runs: Sequence[StoredRun], now: datetime) -> RunsAnswer:
    """Runs in the order given."""
    return RunsAnswer(now, tuple(run_answer(run) for run in runs))


def backtest_answer(run: StoredRun, asked: Asked, report: BacktestReport | None) -> BacktestAnswer:
    """A run with its request and, once it is done, its result."""
    templates = tuple(TemplateUsed(each.id, each.name, each.version, each.description) for each in asked.templates)
    result = None if report is None else result_answer(report)
    return BacktestAnswer(run_answer(run), entry_of(asked.request), templates, result)


def entry_of(request: BacktestRequest) -> BacktestEntry:
    """The request as an entry that can be sent back; what was not given is null."""
    told: dict[str, Any] = {}
    for field in fields(BacktestEntry):
        value = getattr(request, field.name)
        if field.name in GROUPS:
            value = ENTRIES[field.name](**asdict(value))
        told[field.name] = list(value) if isinstance(value, tuple) else value
    return BacktestEntry(**told)


def result_answer(report: BacktestReport) -> ResultAnswer:
    """What came of a request, which commands print, too."""
    comparison, event = report.comparison, report.event
    places = {template: number for number, template in enumerate(comparison.ranking, 1)}
    gold = start_value(comparison)
    return ResultAnswer(
        event=None if event is None else event.id,
        event_name=None if event is None else event.name,
        start=comparison.scenario.start,
        end=comparison.scenario.end,
        days=sum(day >= comparison.scenario.start for day in comparison.unhedged.series.days),
        sentence=report.sentence,
        terms=_terms(comparison),
        source=comparison.source,
        demo=comparison.is_demo,
        results=tuple(
            HedgeOutcomeAnswer(
                template=run.template.id,
                name=run.template.name,
                version=run.template.version,
                rank=places[run.template.id],
                repaid=None if repaid is None else OutcomeAnswer(**_outcome(repaid, gold)),
                **_outcome(run, gold),
            )
            for run, repaid in zip(comparison.runs, comparison.repaid, strict=True)
        ),
        unhedged=OutcomeAnswer(**_outcome(comparison.unhedged, gold)),
        ranking=comparison.ranking,
        fan=tuple(_fan(entry) for entry in report.fan),
        remarks=comparison.remarks,
    )


def event_answer(event: Event) -> EventAnswer:
    """An event with its figures."""
    found = event.figures
    return EventAnswer(
        id=event.id,
        name=event.name,
        start=event.start,
        end=event.end,
        told=event.told,
        source=event.source,
        depth=event.depth,
        among_ten_deepest=event.is_deepest,
        own=event.is_own,
        figures=None
        if found is None
        else FiguresAnswer(
            first_day=found.first_day,
            last_day=found.last_day,
            first_close=found.first_close,
            last_close=found.last_close,
            lowest_close=found.lowest_close,
            lowest_date=found.lowest_on,
            lowest_low=found.lowest_low,
            change=found.change,
            depth=found.depth,
            days=found.days,
            source=found.source,
            demo=found.is_demo,
        ),
        missing=event.missing,
        doubt=event.doubt,
    )


def series_csv(comparison: Comparison, template: str | None) -> str:
    """A line a day of the paths wanted, all hedges and the one without when none is named; raises NotFound."""
    return spreadsheet_csv(("template", "name", "date", *SERIES), _days(paths(comparison, template)))


def trades_csv(comparison: Comparison, template: str | None) -> str:
    """A line a trade, as above."""
    return spreadsheet_csv(TRADES, _trades(paths(comparison, template)))


def paths(comparison: Comparison, template: str | None) -> list[tuple[str, BacktestRun]]:
    """The path of a template, `unhedged`, or `repaid:` and a template; all but the repayments for None."""
    known: dict[str, BacktestRun] = {run.template.id: run for run in comparison.runs}
    known[UNHEDGED] = comparison.unhedged
    if template is None:
        return list(known.items())
    for run, repaid in zip(comparison.runs, comparison.repaid, strict=True):
        if repaid is not None:
            known[f"{REPAID}{run.template.id}"] = repaid
    if template not in known:
        raise NotFound(f"This backtest has no path {template[:80]!r}; it has {', '.join(known)}")
    return [(template, known[template])]


def _summary(told: dict[str, Any]) -> RunSummary:
    days = {name: date.fromisoformat(told[name]) for name in ("start", "end")}
    return RunSummary(**{field.name: told[field.name] for field in fields(RunSummary)} | days)


def _days(wanted: Sequence[tuple[str, BacktestRun]]) -> Iterator[tuple[Value, ...]]:
    for path, run in wanted:
        series = run.series
        columns = (
            series.price,
            series.units,
            series.gold_value,
            series.loan,
            series.hedge_value,
            series.cash,
            series.equity,
            series.lender_ltv,
            series.ltv_ignored,
            series.ltv_after_payment,
            series.ltv_credited,
            series.low_ltv,
        )
        for day, *values in zip(series.days, *(column.tolist() for column in columns), strict=True):
            yield (path, run.template.name, day, *(known(value) for value in values))


def _trades(wanted: Sequence[tuple[str, BacktestRun]]) -> Iterator[tuple[Value, ...]]:
    for path, run in wanted:
        for trade in run.trades:
            yield (
                path,
                run.template.name,
                trade.on,
                trade.reason.value,
                trade.leg,
                "put" if trade.right.value == "P" else "call",
                trade.strike,
                trade.expiration,
                trade.contracts,
                trade.price,
                trade.mid,
                trade.commission,
                trade.cash,
            )


def _terms(comparison: Comparison) -> TermsAnswer:
    scenario, loan = comparison.scenario, comparison.scenario.loan
    gold = start_value(comparison)
    return TermsAnswer(
        units=scenario.units,
        start_price=gold / scenario.units,
        start_value=gold,
        loan=loan.amount,
        ltv=loan.amount / gold,
        warning_ltv=loan.warning_ltv,
        call_ltv=loan.margin_call_ltv,
        close_out_ltv=loan.close_out_ltv,
        target_ltv=scenario.cure_target,
        cure_days=loan.cure_days,
        counting=loan.hedge_counting,
        hedge_haircut=loan.hedge_haircut,
        interest=loan.interest.rate,
        capitalised=loan.interest.capitalised,
        spare_cash=scenario.spare_cash,
        source=scenario.source,
        exercise=scenario.exercise,
        level=scenario.level,
        trade_at=scenario.trade_at,
        settlement_days=scenario.settlement_days,
        fallback_rate=scenario.fallback_rate,
        costs=asdict(scenario.costs),
        smile=asdict(scenario.smile),
        listing=asdict(scenario.listing),
    )


def _outcome(run: BacktestRun, gold: float) -> dict[str, Any]:
    told = run.summary
    return {
        "survived": told.survived,
        "ending": told.ending,
        "counting": told.counting,
        "first_breach_date": told.first_breach_date,
        "first_intraday_breach_date": told.first_intraday_breach_date,
        "days_in_breach": told.days_in_breach,
        "max_ltv": known(told.max_ltv),
        "max_ltv_date": told.max_ltv_on,
        "max_ltv_ignored": known(told.max_ltv_ignored),
        "max_ltv_after_payment": known(told.max_ltv_after_payment),
        "max_ltv_credited": known(told.max_ltv_credited),
        "least_headroom": known(told.least_headroom),
        "hedge_cost_paid": _amount(told.hedge_cost_paid),
        "hedge_recovered": _amount(told.hedge_recovered),
        "hedge_value_end": _amount(told.hedge_value_end),
        "hedge_cost_net": _amount(told.hedge_cost_net),
        "hedge_cost_of_gold": _amount(told.hedge_cost_net / gold),
        "entry_cost": _amount(told.entry_cost),
        "cost_per_year": known(told.cost_per_year),
        "trades": told.trades,
        "rolls": told.rolls,
        "calls": told.calls,
        "interest": _amount(told.interest),
        "repaid_from_hedge": _amount(told.repaid_from_hedge),
        "units_end": _amount(told.units_end),
        "loan_end": _amount(told.loan_end),
        "final_equity": _amount(told.final_equity),
        "breaches": told.breaches,
        "missing_days": told.missing_days,
        "thin_quotes": told.thin_quotes,
        "margin_calls": tuple(_call(call) for call in run.calls),
        "remarks": run.remarks,
    }


def _call(call: MarginCall) -> BacktestCallAnswer:
    return BacktestCallAnswer(
        called_on=call.called_on,
        price=call.price,
        ltv=known(call.ltv),
        deadline=call.deadline,
        ended_on=call.ended_on,
        ending=call.ending,
        from_hedge=call.from_hedge,
        from_cash=call.from_cash,
        from_gold=call.from_gold,
        units_sold=call.units_sold,
    )


def _fan(entry: FanEntry) -> FanAnswer:
    comparison = entry.comparison
    if comparison is None:
        return FanAnswer(entry.months, None, entry.missing, (), ())
    results = tuple(
        FanOutcomeAnswer(
            template=run.template.id,
            survived=run.summary.survived,
            ending=run.summary.ending,
            first_breach_date=run.summary.first_breach_date,
            first_intraday_breach_date=run.summary.first_intraday_breach_date,
            max_ltv=known(run.summary.max_ltv),
            hedge_cost_net=_amount(run.summary.hedge_cost_net),
            final_equity=_amount(run.summary.final_equity),
        )
        for run in comparison.runs
    )
    bought = comparison.scenario.entry or comparison.scenario.start
    return FanAnswer(entry.months, bought, entry.missing, comparison.ranking, results)


def known(value: float) -> float | None:
    """A number that JSON and a spreadsheet have; None for NaN and infinity, and 0 without a sign."""
    return value + 0.0 if math.isfinite(value) else None


def _amount(value: float) -> float:
    return value + 0.0  # nothing paid is 0.0 and not -0.0

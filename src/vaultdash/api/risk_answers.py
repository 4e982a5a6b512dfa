"""Turns what the services say of risk into the shapes of the answers."""

import math
from collections.abc import Mapping
from datetime import datetime

from vaultdash.api.answers import Judge, quote_answer, rate_answer
from vaultdash.api.risk_schemas import (
    CallParameters,
    CallProbabilityAnswer,
    CureAnswer,
    DistanceAnswer,
    HorizonAnswer,
    LenderShockAnswer,
    LowerAnswer,
    MarginCallAnswer,
    ModelAnswer,
    ModelHorizon,
    RangeAnswer,
    SelloffAnswer,
    SelloffsAnswer,
    StressAnswer,
    StressRowAnswer,
    TimeAnswer,
    VolatilityAnswer,
)
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.risk.replay import Call, Outcome
from vaultdash.risk.stress import LenderShock, StressRow
from vaultdash.services.loan_stress import StressReport
from vaultdash.services.odds_question import Reply
from vaultdash.services.odds_report import LowerOdds, ModelOdds, Odds
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.selloff_replay import Replayed, SelloffReport


def probability_answer(
    reply: Reply, status: QuoteStatus | None, now: datetime, lower: tuple[LowerOdds, ...], judge: Judge
) -> CallProbabilityAnswer:
    """A reply; about the portfolio it has models, volatilities and the reverse, too. `judge` as in `rate_answer`."""
    odds, asked = reply.odds, reply.parameters
    rate = None if odds is None else odds.snapshot.rate
    return CallProbabilityAnswer(
        probability=reply.probability,
        range=RangeAnswer(reply.low, reply.high),
        horizons=tuple(HorizonAnswer(each.months, each.probability, each.low, each.high) for each in reply.horizons),
        parameters=CallParameters(
            asked.spot,
            asked.call_price,
            asked.years,
            asked.volatility,
            asked.drift,
            asked.loan_rate,
            asked.monitoring,
        ),
        assumed=reply.assumed,
        time_to_call=TimeAnswer(
            median_years=reply.time.median,
            tenth_years=reply.time.tenth,
            ever=reply.time.ever,
            within_years=reply.time.years,
            expected_years=reply.time.expected,
        ),
        distance=None if odds is None else _distance(odds),
        gap_risk=reply.gap,
        as_of=now,
        quote=None if status is None else quote_answer(status),
        portfolio_id=None if odds is None else odds.snapshot.portfolio.id,
        models=() if odds is None else tuple(_model(model) for model in odds.models),
        volatilities=() if odds is None else _volatilities(odds),
        lower=() if rate is None else tuple(_lower(each, rate) for each in lower),
        loan_currency=None if rate is None else rate.currency,
        exchange_rate=None if rate is None else rate_answer(rate, judge),
    )


def stress_answer(report: StressReport, status: QuoteStatus, judge: Judge) -> StressAnswer:
    """Falls and lender shocks; `judge` as in `rate_answer`."""
    snapshot = report.snapshot
    loan, rate = snapshot.portfolio.loan, snapshot.rate
    return StressAnswer(
        portfolio_id=snapshot.portfolio.id,
        as_of=report.at,
        quote=quote_answer(status),
        ltv=_known(snapshot.lender_ltv),
        hedge_counting=loan.hedge_counting,
        rows=tuple(_stress(row, loan.margin_call_ltv, rate) for row in report.rows),
        lender_shocks=tuple(_shock(shock, rate) for shock in report.shocks),
        loan_currency=rate.currency,
        exchange_rate=rate_answer(rate, judge),
        remarks=report.remarks,
    )


def selloffs_answer(report: SelloffReport, judge: Judge) -> SelloffsAnswer:
    """Replays with the terms they ran on; `judge` as in `rate_answer`."""
    loan = report.loan
    return SelloffsAnswer(
        symbol=report.symbol,
        source=report.source,
        demo=report.is_demo,
        first=report.first,
        last=report.last,
        as_of=report.at,
        price=report.price,
        start_ltv=report.ltv,
        todays_loan=report.is_todays_loan,
        warning_ltv=loan.warning_ltv,
        margin_call_ltv=loan.margin_call_ltv,
        close_out_ltv=loan.close_out_ltv,
        cure_days=loan.cure_days,
        loan_currency=report.rate.currency,
        exchange_rate=rate_answer(report.rate, judge),
        selloffs=tuple(_selloff(row, report.rate) for row in report.rows),
        remarks=report.remarks,
    )


def _distance(odds: Odds) -> DistanceAnswer:
    sigmas = dict(odds.sigmas())
    return DistanceAnswer(odds.snapshot.drop_to_margin_call, sigmas["day"], sigmas["month"], sigmas["year"])


def _model(model: ModelOdds) -> ModelAnswer:
    errors: Mapping[int, float] = model.errors or {}
    return ModelAnswer(
        model=model.model,
        drift_name=model.drift.name,
        drift=model.drift.value,
        horizons=tuple(
            ModelHorizon(months, probability, errors.get(months)) for months, probability in model.by_months.items()
        ),
        price=model.price,
        at=model.at,
        seed=model.seed,
        paths=model.paths,
    )


def _volatilities(odds: Odds) -> tuple[VolatilityAnswer, ...]:
    return tuple(
        VolatilityAnswer(
            kind=choice.kind,
            name=choice.name,
            volatility=choice.yearly,
            probability=probability,
            source=choice.source,
            at=choice.at,
            stale=choice.is_stale,
            demo=choice.is_demo,
            used=choice is odds.volatility,
        )
        for choice, probability in odds.by_volatility()
    )


def _lower(each: LowerOdds, rate: ExchangeRate) -> LowerAnswer:
    return LowerAnswer(
        wanted=each.probability,
        months=each.months,
        drift_name=each.drift.name,
        drift=each.drift.value,
        ltv=each.ltv,
        loan=each.loan,
        repay_cash=each.ways.repay_cash,
        add_gold=_known(each.ways.add_gold),
        sell_gold=_known(each.ways.sell_gold),
        loan_in_loan_currency=rate.own(each.loan),
        repay_cash_in_loan_currency=rate.own(each.ways.repay_cash),
    )


def _stress(row: StressRow, limit: float, rate: ExchangeRate) -> StressRowAnswer:
    return StressRowAnswer(
        price_change_pct=row.change,
        price=row.price,
        gold_value=row.gold_value,
        option_value=row.option_value,
        option_value_in_crash=row.crashed_option_value,
        lender_ltv=_known(row.lender_ltv),
        ltv=_ltvs(row.ltvs),
        ltv_in_crash=_ltvs(row.crashed_ltvs),
        zone=row.zone,
        called=is_breached(row.lender_ltv, limit),
        cure=CureAnswer.of(row.cure, rate),
    )


def _ltvs(found: Mapping[HedgeCounting, float]) -> dict[HedgeCounting, float | None]:
    return {counting: _known(ltv) for counting, ltv in found.items()}


def _shock(shock: LenderShock, rate: ExchangeRate) -> LenderShockAnswer:
    return LenderShockAnswer(
        name=shock.name,
        told=shock.told,
        warning_ltv=shock.loan.warning_ltv,
        margin_call_ltv=shock.loan.margin_call_ltv,
        close_out_ltv=shock.loan.close_out_ltv,
        ltv=_known(shock.ltv),
        drop_to_margin_call=shock.drop_to_call,
        zone=shock.zone,
        called=is_breached(shock.ltv, shock.loan.margin_call_ltv),
        cure=CureAnswer.of(shock.cure, rate),
    )


def _selloff(row: Replayed, rate: ExchangeRate) -> SelloffAnswer:
    found = row.replay
    return SelloffAnswer(
        id=row.id,
        name=row.name,
        told=row.told,
        start=row.start,
        end=row.end,
        depth_pct=row.depth,
        among_ten_deepest=row.is_deepest,
        outcome=None if found is None else found.outcome,
        called=None if found is None else found.call is not None,
        call=None if found is None or found.call is None else _call(found.call, rate),
        called_intraday_on=None if found is None else found.called_intraday_on,
        close_out_on=None if found is None else found.close_out_on,
        closed_out_intraday_on=None if found is None else found.closed_out_intraday_on,
        calls=None if found is None else found.calls,
        sale_possible_on=None if found is None else found.sale_on,
        close_out_within_cure=None
        if found is None
        else found.outcome in (Outcome.SOLD_IN_CURE, Outcome.SOLD_AT_ONCE),
        worst_ltv=None if found is None else found.worst_ltv,
        worst_on=None if found is None else found.worst_on,
        worst_ltv_intraday=None if found is None else found.worst_low_ltv,
        missing=row.missing,
    )


def _call(call: Call, rate: ExchangeRate) -> MarginCallAnswer:
    return MarginCallAnswer(
        on=call.on,
        price=call.price,
        ltv=call.ltv,
        drop_pct=call.drop,
        owed=call.owed,
        deadline=call.deadline,
        ltv_at_deadline=call.deadline_ltv,
        owed_in_loan_currency=rate.own(call.owed),
        to_warning=CureAnswer.of(call.to_warning, rate),
        to_target=CureAnswer.of(call.to_target, rate),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None

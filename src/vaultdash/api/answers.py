"""Turns what the Vault says into the shapes of the answers."""

from collections.abc import Callable
from datetime import datetime

from vaultdash.api.schemas import (
    BarAnswer,
    ContractsAnswer,
    GreeksState,
    HistoryAnswer,
    LeftOutAnswer,
    LegAnswer,
    Parameters,
    PortfolioState,
    PortfolioUpdate,
    PositionState,
    QuoteAnswer,
    RateAnswer,
    RecommendationAnswer,
    SensitivitiesAnswer,
    SensitivityAnswer,
    StrategiesAnswer,
    StrategyAnswer,
)
from vaultdash.domain.exchange import PAIRS, ExchangeRate
from vaultdash.domain.hedge import MeasuredHedge, RiskProfile, SensitivityPoint
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Freshness, PriceHistory
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.position import HedgeMark, OptionMark
from vaultdash.services.exchange_rates import rate_problem
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Advice
from vaultdash.services.price_feed import QuoteStatus

Judge = Callable[[str], QuoteStatus | None]  # a symbol's quote with its freshness now, None when it has none


def quote_answer(status: QuoteStatus) -> QuoteAnswer:
    """A quote with its age in whole seconds."""
    quote = status.quote
    return QuoteAnswer(
        price=quote.price,
        previous_close=quote.previous_close,
        change_pct=quote.change_pct,
        at=quote.at,
        source=quote.source,
        delayed=quote.is_delayed,
        delay_seconds=quote.delay_seconds,
        market_state=quote.market_state,
        freshness=status.freshness,
        stale=status.is_stale,
        demo=quote.is_demo,
        age_seconds=float(int(status.age_seconds)),
        problem=status.problem,
        currency=quote.currency,
    )


def rate_answer(rate: ExchangeRate, judge: Judge) -> RateAnswer | None:
    """The exchange rate of a loan with its age as `judge` sees it now; None of the dollar itself."""
    if rate.is_dollar:
        return None
    pair = PAIRS[rate.currency]
    status = judge(pair)
    is_known = status is not None and status.quote.at == rate.at
    return RateAnswer(
        pair=pair,
        per_dollar=rate.per_dollar,
        at=rate.at,
        age_seconds=float(int(status.age_seconds)) if status is not None and is_known else None,
        freshness=status.freshness if status is not None and is_known else Freshness.STALE,
        source=rate.source,
        is_demo=rate.is_demo,
    )


def portfolio_state(snapshot: Snapshot, judge: Judge) -> PortfolioState:
    """A loan at a price; `judge` gives the quote of its exchange rate with its freshness."""
    portfolio, loan = snapshot.portfolio, snapshot.portfolio.loan
    gold, rate = judge(portfolio.collateral.quoted_by), judge(PAIRS.get(snapshot.rate.currency, ""))
    instrument = portfolio.collateral.instrument
    return PortfolioState(
        id=portfolio.id,
        collateral=instrument.symbol,
        unit=instrument.unit,
        units=portfolio.collateral.units_on(snapshot.on),
        shares=snapshot.shares,
        gold_ounces=snapshot.gold_ounces,
        gold_value=snapshot.gold_value,
        loan_amount=loan.amount,
        currency=loan.currency,
        interest_rate=loan.interest.rate,
        hedge_counting=loan.hedge_counting,
        ltv=snapshot.ltv,
        zone=snapshot.zone,
        called=snapshot.is_called,
        warning_ltv=loan.warning_ltv,
        margin_call_ltv=loan.margin_call_ltv,
        close_out_ltv=loan.close_out_ltv,
        warning_price=snapshot.warning_price,
        margin_call_price=snapshot.margin_call_price,
        close_out_price=snapshot.close_out_price,
        drop_to_margin_call=snapshot.drop_to_margin_call,
        headroom=snapshot.headroom,
        max_loan=snapshot.max_loan,
        recommended_collateral=snapshot.recommended_collateral,
        name=portfolio.name,
        equity=snapshot.equity,
        accrued_interest=snapshot.accrued_interest,
        loan_currency=snapshot.rate.currency,
        loan_owed=snapshot.owed,
        exchange_rate=rate_answer(snapshot.rate, judge),
        cure_days=loan.cure_days,
        credit_factor=loan.credit_factor,
        hedge_value=snapshot.hedge_value,
        lender_ltv=snapshot.lender_ltv,
        ltv_after_payment=snapshot.counted(HedgeCounting.AFTER_PAYMENT),
        ltv_credited=snapshot.counted(HedgeCounting.CREDITED),
        hedge_doubts=() if snapshot.hedge is None else snapshot.hedge.doubts,
        positions=() if snapshot.hedge is None else tuple(_position(mark) for mark in snapshot.hedge.marks),
        option_greeks=_greeks(snapshot.hedge, 0.0),
        position_greeks=_greeks(snapshot.hedge, snapshot.shares),
        problem=rate_problem(snapshot.rate, rate, beside_invented=gold is not None and gold.quote.is_demo),
    )


def _position(mark: OptionMark) -> PositionState:
    held, contract = mark.held, mark.held.contract

    def whole(greek: float | None) -> float | None:
        return None if greek is None else held.shares * greek

    return PositionState(
        id=held.id,
        contract=contract.osi,
        symbol=contract.root,
        expiration=contract.expiration,
        strike=contract.strike,
        right=contract.right,
        contracts=held.contracts,
        price_paid=held.price_paid,
        opened_on=held.opened_on,
        basis=mark.basis,
        price=mark.price,
        mid=mark.mid,
        value=mark.value,
        profit=None if mark.value is None else mark.value - held.cost,
        at=mark.at,
        source=mark.source,
        stale=mark.is_stale,
        doubtful=mark.is_doubtful,
        problem=mark.problem,
        implied_volatility=mark.implied_volatility,
        greeks=GreeksState(whole(mark.delta), whole(mark.gamma), whole(mark.vega), whole(mark.theta)),
    )


def _greeks(hedge: HedgeMark | None, shares: float) -> GreeksState:
    """Of the options and so many shares; a share's delta is 1."""
    if hedge is None:
        return GreeksState(shares, 0.0, 0.0, 0.0)
    delta = hedge.greek("delta")
    return GreeksState(
        None if delta is None else shares + delta, hedge.greek("gamma"), hedge.greek("vega"), hedge.greek("theta")
    )


def portfolio_update(beat: Beat, symbol: str, now: datetime) -> PortfolioUpdate:
    """A beat as the WebSocket sends it `now`, which is what its ages count to."""
    return PortfolioUpdate(
        type="portfolio_update",
        version=1,
        number=beat.number,
        symbol=symbol,
        as_of=now,
        quote=quote_answer(beat.gold_status) if beat.gold_status else None,
        portfolio=portfolio_state(beat.snapshot, beat.statuses.get) if beat.snapshot else None,
        portfolios=tuple(portfolio_state(snapshot, beat.statuses.get) for snapshot in beat.snapshots.values()),
        volatility=beat.volatility,
        volatility_source=beat.volatility_source,
        daily_sigmas_to_call=beat.daily_sigmas_to_call,
        problem=beat.problem,
    )


def strategies_answer(advice: Advice, judge: Judge) -> StrategiesAnswer:
    """A comparison; recommendations keep their shape when advice is withheld."""
    comparison, situation = advice.comparison, advice.comparison.situation
    return StrategiesAnswer(
        symbol=advice.symbol,
        as_of=advice.at,
        quote=quote_answer(advice.status) if advice.status else None,
        parameters=Parameters(
            spot=situation.spot,
            volatility=situation.volatility,
            risk_free_rate=situation.rate,
            portfolio_value=situation.portfolio_value,
            loan_amount=situation.loan_amount,
            margin_call_ltv=situation.margin_call_ltv,
            months=situation.months,
            exercise=situation.exercise,
        ),
        assumptions=advice.assumptions,
        portfolio=portfolio_state(advice.snapshot, judge),
        strategies=tuple(_strategy(hedge) for hedge in comparison.hedges),
        recommendations={profile: _recommendation(advice, profile) for profile in RiskProfile},
        sensitivity=SensitivitiesAnswer(
            volatility=_points(advice, comparison.sensitivity.volatility),
            spot=_points(advice, comparison.sensitivity.spot),
            sentences={} if advice.withheld else comparison.sensitivity.sentences,
        ),
        withheld=advice.withheld,
        left_out=tuple(LeftOutAnswer(each.name, each.title, each.reason) for each in advice.left_out),
    )


def _recommendation(advice: Advice, profile: RiskProfile) -> RecommendationAnswer:
    if advice.withheld:
        return RecommendationAnswer(None, advice.withheld, ())
    found = advice.comparison.recommendations[profile]
    return RecommendationAnswer(found.name, found.reason, found.ranking)


def _points(advice: Advice, points: tuple[SensitivityPoint, ...]) -> tuple[SensitivityAnswer, ...]:
    if advice.withheld:
        return ()
    return tuple(SensitivityAnswer(point.value, point.recommendations, point.changed) for point in points)


def _strategy(hedge: MeasuredHedge) -> StrategyAnswer:
    return StrategyAnswer(
        name=hedge.plan.name,
        title=hedge.plan.title,
        legs=tuple(
            LegAnswer(
                right=line.leg.right,
                strike=line.leg.strike,
                strike_pct=line.leg.strike_pct,
                weight=line.leg.weight,
                months=line.leg.months,
                premium_per_share=line.premium_per_share,
                leg_cost=line.leg_cost,
            )
            for line in hedge.legs
        ),
        cost=hedge.cost,
        protection=hedge.protection,
        scenarios=hedge.scenarios,
        contracts=ContractsAnswer(hedge.contracts_floor, hedge.contracts_ceil),
        durations=hedge.durations or None,
    )


def history_answer(history: PriceHistory) -> HistoryAnswer:
    """Daily bars with their source."""
    bars = tuple(BarAnswer(bar.on, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in history.bars)
    return HistoryAnswer(
        symbol=history.symbol,
        source=history.source,
        demo=history.is_demo,
        first=bars[0].date if bars else None,
        last=bars[-1].date if bars else None,
        bars=bars,
    )

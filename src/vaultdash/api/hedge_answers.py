"""Builds the answers about hedges from what the workbench says."""

from collections.abc import Mapping, Sequence

from vaultdash.api.hedge_schemas import (
    BindingAnswer,
    BuiltAnswer,
    CallSafetyAnswer,
    CaseAnswer,
    CheapestAnswer,
    CountingAnswer,
    EvaluateAnswer,
    ExpiryCurvesAnswer,
    FrontierAnswer,
    FrontierPointAnswer,
    GreeksAnswer,
    HedgeAnswer,
    HedgeLegAnswer,
    HedgeMarketAnswer,
    ListedOptionAnswer,
    MeasureAnswer,
    NearestAnswer,
    NeighbourAnswer,
    PathDifferenceAnswer,
    PathOddsAnswer,
    PathVerdictAnswer,
    PathVerdictsAnswer,
    RejectedAnswer,
)
from vaultdash.domain.hedge_verdict import CallSafety, FrontierPoint, Greeks, ListedMeasure, PathVerdict
from vaultdash.domain.listed_hedge import (
    HedgeCase,
    HedgeMarket,
    ListedHedge,
    ListedLeg,
    Rejected,
    counted_reasons,
)
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.hedge_link import MOST_LINKED_LEGS, encode
from vaultdash.services.workbench_curves import expiry_curves
from vaultdash.services.workbench_request import BuildReport, CheapestReport, FrontierReport, PathReport, Standing


def legs_answer(legs: Sequence[ListedLeg]) -> tuple[HedgeLegAnswer, ...]:
    """Each leg with its side and the number of contracts above zero."""
    return tuple(
        HedgeLegAnswer(
            side="buy" if leg.contracts > 0 else "sell",
            right=leg.option.right,
            strike=leg.option.strike,
            expiration=leg.option.expiration,
            contracts=abs(leg.contracts),
            price=leg.price,
            multiplier=leg.option.multiplier,
            basis=leg.basis,
            bid=leg.option.bid,
            ask=leg.option.ask,
            volatility=leg.option.volatility,
            open_interest=leg.option.open_interest,
        )
        for leg in legs
    )


def hedge_answer(hedge: ListedHedge, symbol: str) -> HedgeAnswer:
    """A hedge with its link."""
    return HedgeAnswer(
        title=hedge.title,
        legs=legs_answer(hedge.legs),
        net_cost=hedge.net_cost,
        commission_per_contract=hedge.commission,
        premium_funding=hedge.funding,
        link=link_of(hedge, symbol),
    )


def built_answer(report: BuildReport) -> BuiltAnswer:
    """A hedge that was built, with its marks."""
    hedge, standing = report.hedge, report.standing
    return BuiltAnswer(
        title=hedge.title,
        legs=legs_answer(hedge.legs),
        net_cost=hedge.net_cost,
        commission_per_contract=hedge.commission,
        premium_funding=hedge.funding,
        link=link_of(hedge, standing.symbol),
        calls=_calls(report.calls),
        remarks=tuple(dict.fromkeys([*report.remarks, *standing.remarks])),
        withheld=standing.withheld,
    )


def link_of(hedge: ListedHedge | None, symbol: str) -> str | None:
    """The text of a hedge; None without legs, or with more than a link carries."""
    if hedge is None or not 1 <= len(hedge.legs) <= MOST_LINKED_LEGS:
        return None
    return encode(hedge, symbol)


def case_answer(case: HedgeCase, standing: Standing, withheld: str | None = None) -> CaseAnswer:
    """What was judged; `withheld` in place of the standing's own."""
    quote, loan = standing.quote, case.loan
    return CaseAnswer(
        symbol=standing.symbol,
        spot=case.spot,
        units=case.units,
        loan_amount=loan.amount,
        ltv=case.ltv,
        margin_call_ltv=loan.margin_call_ltv,
        call_price=case.call_price,
        counting=loan.hedge_counting,
        hedge_haircut=loan.hedge_haircut,
        rate=case.rate,
        rate_source=standing.rate.source,
        at=case.at,
        split_custody=case.split_custody,
        broker_margin=case.broker_margin,
        price_source=None if quote is None else quote.source,
        demo=quote is not None and quote.is_demo,
        hypothetical=standing.hypothetical,
        remarks=standing.remarks,
        withheld=withheld or standing.withheld,
    )


def measure_answer(measure: ListedMeasure) -> MeasureAnswer:
    """Every figure of a hedge."""
    return MeasureAnswer(
        price_range=measure.price_range,
        net_cost=measure.net_cost,
        cost_pct=measure.cost_pct,
        years=measure.years,
        cost_per_year=measure.cost_per_year,
        cost_per_year_pct=measure.cost_per_year_pct,
        countings=tuple(
            CountingAnswer(
                counting=each.counting,
                worst_ltv=each.worst_ltv,
                worst_price=each.worst_price,
                ltv_at_call=each.ltv_at_call,
                deepest_fall=each.deepest_fall,
                keeps=each.keeps,
            )
            for each in measure.countings.values()
        ),
        floor_pct=measure.floor_pct,
        floor_price=measure.floor_price,
        upside_kept=measure.upside_kept,
        breakevens=measure.breakevens,
        hedge_greeks=_greeks(measure.hedge_greeks),
        total_greeks=_greeks(measure.total_greeks),
        widest_spread=measure.widest_spread,
        least_open_interest=measure.least_open_interest,
        calls=_calls(measure.calls),
        remarks=measure.remarks,
    )


def evaluate_answer(measure: ListedMeasure, standing: Standing) -> EvaluateAnswer:
    """A hedge measured, with its curves."""
    curves = expiry_curves(measure)
    return EvaluateAnswer(
        hedge=hedge_answer(measure.hedge, standing.symbol),
        measure=measure_answer(measure),
        curves=ExpiryCurvesAnswer(
            prices=curves.prices,
            payoff=curves.payoff,
            gain=curves.gain,
            unhedged_ltv=curves.unhedged_ltv,
            credited=curves.ltvs[HedgeCounting.CREDITED],
            after_payment=curves.ltvs[HedgeCounting.AFTER_PAYMENT],
            ignored=curves.ltvs[HedgeCounting.IGNORED],
        ),
        case=case_answer(measure.case, standing),
    )


def cheapest_answer(report: CheapestReport) -> CheapestAnswer:
    """The answer of a search, with its certificate."""
    found, market, standing = report.found, report.market, report.standing
    hedge = found.hedge
    nearest = found.nearest
    return CheapestAnswer(
        status=found.status,
        reason=found.reason,
        net_cost=found.net_cost,
        lp_bound=found.lp_bound,
        legs=() if hedge is None else legs_answer(hedge.legs),
        worst_hedged_ltv=found.worst_hedged_ltv,
        binding_prices=tuple(dict.fromkeys(each.price for each in found.binding)),
        rejected=rejected_answer(found.rejected),
        title=None if hedge is None else hedge.title,
        gap=found.gap,
        worst_price=found.worst_price,
        binding=tuple(BindingAnswer(each.price, each.rule, each.ltv, each.spare, each.on) for each in found.binding),
        neighbours=tuple(
            NeighbourAnswer(each.change, each.net_cost, each.reason, each.price, each.ltv)
            for each in found.neighbours
        ),
        nearest=None
        if nearest is None
        else NearestAnswer(nearest.max_hedged_ltv, nearest.loan_amount, nearest.repay, nearest.budget, nearest.words),
        checked=found.checked,
        why=report.why,
        remarks=found.remarks,
        rejected_counts=dict(counted_reasons(found.rejected)),
        measure=None if report.measure is None else measure_answer(report.measure),
        link=link_of(hedge, standing.symbol),
        source=None if market is None else market.source,
        at=None if market is None else market.at,
        withheld=report.withheld,
        seconds=report.seconds,
        case=case_answer(report.case, standing, report.withheld),
    )


def rejected_answer(rejected: Sequence[Rejected]) -> tuple[RejectedAnswer, ...]:
    """Each contract that is not used, with its reason."""
    return tuple(
        RejectedAnswer(each.option.right, each.option.strike, each.option.expiration, each.reason)
        for each in rejected
    )


def path_verdicts_answer(report: PathReport) -> PathVerdictsAnswer:
    """The verdicts with what they stand on."""
    found = report.found
    return PathVerdictsAnswer(
        verdicts=tuple(_verdict(each) for each in found.verdicts),
        months=found.months,
        rule=found.rule,
        settlement_days=found.settlement_days,
        target_ltv=found.target_ltv,
        volatility=report.volatility,
        paths=found.paths,
        seed=found.seed,
        engine=found.engine,
        remarks=(*found.remarks, *report.remarks),
        case=case_answer(report.case, report.standing),
    )


def market_answer(market: HedgeMarket) -> HedgeMarketAnswer:
    """The contracts of a market and those that are not used."""
    counts: Mapping[str, int] = market.counts
    return HedgeMarketAnswer(
        symbol=market.symbol,
        spot=market.spot,
        at=market.at,
        source=market.source,
        stale=market.is_stale,
        demo=market.is_demo,
        expirations=market.expirations,
        contracts=tuple(
            ListedOptionAnswer(
                right=option.right,
                strike=option.strike,
                expiration=option.expiration,
                bid=option.bid,
                ask=option.ask,
                multiplier=option.multiplier,
                volatility=option.volatility,
                open_interest=option.open_interest,
                volume=option.volume,
            )
            for option in market.options
        ),
        rejected=rejected_answer(market.rejected),
        counts=dict(counts),
        remarks=market.remarks,
    )


def frontier_answer(report: FrontierReport) -> FrontierAnswer:
    """Every candidate in its place."""
    found = report.found
    return FrontierAnswer(
        counting=found.counting,
        price_range=found.price_range,
        points=tuple(_point(each, report.market.symbol) for each in found.points),
        best=found.best,
        remarks=(*found.remarks, *report.market.remarks),
        source=report.market.source,
        at=report.market.at,
        case=case_answer(report.case, report.standing),
    )


def _point(point: FrontierPoint, symbol: str) -> FrontierPointAnswer:
    return FrontierPointAnswer(
        title=point.title,
        alternative=point.alternative,
        legs=() if point.hedge is None else legs_answer(point.hedge.legs),
        link=link_of(point.hedge, symbol),
        net_cost=point.net_cost,
        cost_per_year=point.cost_per_year,
        cost_per_year_pct=point.cost_per_year_pct,
        deepest_fall=point.deepest_fall,
        worst_ltv=point.worst_ltv,
        upside_kept=point.upside_kept,
        capital=point.capital,
        dominated_by=point.dominated_by,
        note=point.note,
    )


def _verdict(verdict: PathVerdict) -> PathVerdictAnswer:
    low, high = verdict.span
    return PathVerdictAnswer(
        title=verdict.title,
        lowest=low,
        highest=high,
        odds=tuple(
            PathOddsAnswer(
                model=each.model,
                called=each.called,
                called_error=each.called_error,
                uncured=each.uncured,
                uncured_error=each.uncured_error,
                sold=each.sold,
                sold_error=each.sold_error,
                mean_repaid=each.mean_repaid,
                basis=each.basis,
            )
            for each in verdict.odds
        ),
        against_first=tuple(
            PathDifferenceAnswer(each.model, each.difference, each.error) for each in verdict.against_first
        ),
    )


def _calls(calls: CallSafety | None) -> CallSafetyAnswer | None:
    if calls is None:
        return None
    return CallSafetyAnswer(
        contracts=calls.contracts,
        is_covered=calls.is_covered,
        requirement=calls.requirement,
        rally=calls.rally,
        after_rally=calls.after_rally,
        broker_margin=calls.broker_margin,
        broker_calls_at=calls.broker_calls_at,
        refusal=calls.refusal,
    )


def _greeks(greeks: Greeks) -> GreeksAnswer:
    return GreeksAnswer(greeks.delta, greeks.gamma, greeks.vega, greeks.theta)

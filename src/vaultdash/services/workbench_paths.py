"""The path verdict of hedges: models fitted to daily prices, in a worker, at the volatility that options tell."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from vaultdash.compute.base import Compute, WorkerDied
from vaultdash.domain.errors import InvalidInput, Unavailable, VaultError
from vaultdash.domain.exchange import DOLLAR
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.risk.calibration import ModelParameters, model_parameters
from vaultdash.risk.models import Model
from vaultdash.risk.path_verdict import path_verdicts
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.heartbeat import Heartbeat
from vaultdash.services.odds_volatility import LEAST, MOST, OddsVolatility
from vaultdash.services.workbench_case import HedgeCases, require_near
from vaultdash.services.workbench_hedges import QuotedHedge, days_of, resolved, standing_on
from vaultdash.services.workbench_market import HedgeMarkets
from vaultdash.services.workbench_request import MOST_JUDGED, PathReport, PathRequest

MOST_MONTHS = 12
ASSUMED_VOLATILITY = 0.16


class PathJudge:
    """Brings the work to a process of its own; cancelling a call ends it there."""

    def __init__(
        self,
        cases: HedgeCases,
        markets: HedgeMarkets,
        heartbeat: Heartbeat,
        history: DailyHistory,
        volatilities: OddsVolatility,
        compute: Compute,
    ) -> None:
        self._cases = cases
        self._markets = markets
        self._heartbeat = heartbeat
        self._history = history
        self._volatilities = volatilities
        self._compute = compute

    async def of(self, request: PathRequest, hedges: Sequence[ListedHedge] | None = None) -> PathReport:
        """The verdicts of the hedges in the order asked for, and last that of no hedge; differences are to the first.

        `hedges` are those of the request where they are resolved already. Raises InvalidInput, NotFound and
        Unavailable as resolving them does.
        """
        asked = len(request.hedges) if hedges is None else len(hedges)
        if not 1 <= asked <= MOST_JUDGED:
            raise InvalidInput("hedges", f"must be 1 to {MOST_JUDGED}, not {asked}")
        case, standing = await self._cases.of(request.case)
        if hedges is None:
            quoted = [await resolved(each, self._markets) for each in request.hedges]
        else:
            quoted = [QuotedHedge(each) for each in hedges]
        made = [each.hedge for each in quoted]
        require_near(days_of(made), case)
        months = months_of(request, made, case)
        closes, source = await self._closes(standing.symbol)
        volatility, told = await self._volatility(request, made)
        try:
            parameters = await self._compute.run(model_parameters, closes, volatility, months / 12)
            models = _chosen(parameters, request.models)
            found = await self._compute.run(
                path_verdicts,
                case,
                (*made, None),
                models,
                months=months,
                rule=request.rule,
                settlement_days=request.settlement_days,
                target_ltv=request.target_ltv,
                volatility=volatility,
                paths=request.paths,
                seed=request.seed,
            )
        except WorkerDied as end:
            raise Unavailable(f"The paths could not be simulated: {end}") from end
        said = [f"models at a volatility of {volatility:.1%} a year, {told}", source]
        if request.models is None and parameters.filtered is None:
            said.append(f"past shocks are left out: {parameters.no_filtered_because}")
        said += await asyncio.to_thread(_uncovered, made, case)
        return PathReport(case, found, standing_on(standing, quoted), volatility, tuple(said))

    async def _closes(self, symbol: str) -> tuple[tuple[float, ...], str]:
        try:
            history = await self._history.load(symbol)
        except VaultError as error:
            return (), f"no daily prices: {error}"
        closes = tuple(bar.close for bar in history.bars)
        if not all(close > 0 for close in closes):
            return (), "no daily prices: some are at or below zero"
        return closes, f"jumps and past shocks from {len(closes):,} daily prices of {symbol} ({history.source})"

    async def _volatility(self, request: PathRequest, hedges: Sequence[ListedHedge]) -> tuple[float, str]:
        """As given; else as for the odds, of gold in dollars; else what the hedges' own options tell."""
        if request.volatility is not None:
            if not LEAST <= request.volatility <= MOST:
                raise InvalidInput("volatility", f"must be a fraction from {LEAST:g} to {MOST:g}, such as 0.18")
            return request.volatility, "as given"
        beat = self._heartbeat.current()
        if beat is not None and beat.snapshot is not None and beat.status is not None:
            of_gold = replace(beat.snapshot, rate=DOLLAR)
            choices = await self._volatilities.choices(
                of_gold, beat.volatility, beat.volatility_source, is_demo=beat.status.quote.is_demo
            )
            return choices[0].yearly, f"{choices[0].name}: {choices[0].source}"
        own = [leg.option.volatility for hedge in hedges for leg in hedge.legs if leg.option.volatility is not None]
        if own:
            return min(max(sum(own) / len(own), LEAST), MOST), "the mean of the contracts' own"
        return ASSUMED_VOLATILITY, "assumed"


def _uncovered(hedges: Sequence[ListedHedge], case: HedgeCase) -> list[str]:
    """Of each hedge whose sold calls the broker may call on before the lender does: the verdict knows the lender."""
    from vaultdash.strategies.call_safety import call_safety

    said = []
    for hedge in hedges:
        safety = call_safety(hedge, case)
        if safety is None or safety.is_covered:
            continue
        if safety.refusal:
            said.append(
                f"{hedge.title}: its verdict counts the lender's calls alone, and the broker would not carry the "
                f"calls that it sells. {safety.refusal}"
            )
        elif safety.broker_calls_at is not None:
            said.append(
                f"{hedge.title}: its verdict counts the lender's calls alone; the broker calls for the sold calls at "
                f"{safety.broker_calls_at:,.2f}"
            )
    return said


def months_of(request: PathRequest, hedges: Sequence[ListedHedge], case: HedgeCase) -> int:
    """The term asked for; else whole months until the first of the hedges expires, at least one, at most twelve."""
    if request.months is not None:
        return request.months
    ends = [each.first_expiration for each in hedges if each.first_expiration is not None]
    if not ends:
        return MOST_MONTHS
    return min(max(int(case.years_to(min(ends)) * 12), 1), MOST_MONTHS)


def _chosen(parameters: ModelParameters, names: Sequence[str] | None) -> tuple[Model, ...]:
    if names is None:
        return parameters.models
    known = {model.name: model for model in parameters.models}
    wanted = [name.strip().lower().replace("_", " ") for name in names]
    for name in wanted:
        if name not in known:
            why = f" ({parameters.no_filtered_because})" if parameters.filtered is None else ""
            raise InvalidInput("models", f"must be of {', '.join(known)}{why}")
    if not wanted:
        raise InvalidInput("models", "must name at least one, or be left out")
    return tuple(known[name] for name in dict.fromkeys(wanted))

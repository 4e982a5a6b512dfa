"""The hedge workbench: what a loan needs, which contracts there are, and what a hedge made of them does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from vaultdash.compute.base import Compute
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge, PriceBasis
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.compiled import Engine
from vaultdash.services.advice_doubts import AdviceDoubts
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.heartbeat import Heartbeat
from vaultdash.services.odds_volatility import OddsVolatility
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.template_files import fields_of
from vaultdash.services.templates import Templates
from vaultdash.services.workbench_advice import HedgeCounsel, ListedAdvice
from vaultdash.services.workbench_build import HedgeBuilder
from vaultdash.services.workbench_case import HedgeCases, require_near, required
from vaultdash.services.workbench_grids import ScenarioGrids
from vaultdash.services.workbench_hedges import QuotedHedge, days_of, held_hedge, resolved, standing_on
from vaultdash.services.workbench_market import HedgeMarkets
from vaultdash.services.workbench_paths import PathJudge
from vaultdash.services.workbench_request import (
    DEFAULT_RANGE,
    BuildReport,
    BuildRequest,
    CaseChange,
    CheapestReport,
    CheapestRequest,
    FrontierReport,
    HedgeRequest,
    MeasureReport,
    PathReport,
    PathRequest,
    ScenarioGrid,
    Standing,
    StrategyKind,
    WhatIfReport,
    WhatIfRequest,
)
from vaultdash.services.workbench_search import HedgeSearch
from vaultdash.storage.records import Database

MODEL_ID = "hedge"  # of a template that is not kept yet


class Workbench:
    """Cases, markets and hedges for pages, API and command; whatever computes does so off the event loop."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        book: PortfolioBook,
        chains: OptionChains,
        rates: DollarRates,
        history: DailyHistory,
        volatilities: OddsVolatility,
        templates: Templates,
        database: Database,
        compute: Compute,
        engine: Callable[[], Awaitable[Engine]],
        doubts: AdviceDoubts,
        now: Callable[[], datetime],
        *,
        demo: bool = False,
    ) -> None:
        self._heartbeat = heartbeat
        self._templates = templates
        self._engine = engine
        self._cases = HedgeCases(heartbeat, book, rates, doubts, now)
        self._markets = HedgeMarkets(chains, lambda: book.symbol, demo=demo)
        self._builder = HedgeBuilder(self._cases, self._markets, templates)
        self._search = HedgeSearch(self._cases, self._markets, demo=demo)
        self._paths = PathJudge(self._cases, self._markets, heartbeat, history, volatilities, compute)
        self._counsel = HedgeCounsel(self._cases, self._search)
        self._grids = ScenarioGrids(database)

    async def case(self, change: CaseChange | None = None) -> tuple[HedgeCase, Standing]:
        """The owner's loan at the latest price with `change` applied, and what that stands on.

        Raises Unavailable while there is no price, InvalidInput for figures that make no sense.
        """
        return await self._cases.of(change or CaseChange())

    async def market(self, horizon: date | None = None, *, latest: date | None = None) -> HedgeMarket:
        """The contracts that expire at or after `horizon`: of three expirations, or of all until `latest`.

        Raises InvalidInput when nothing is listed there, Unavailable in words when no chain can be had.
        """
        return await self._markets.of(horizon, latest=latest)

    async def cheapest(self, request: CheapestRequest, market: HedgeMarket | None = None) -> CheapestReport:
        """The cheapest hedge, the best one for a budget, or a collar that costs nothing, with the reasons.

        `market` takes the place of the live chain.
        """
        return await self._search.find(request, market)

    async def build(
        self,
        kind: StrategyKind,
        *,
        expiration: date | None = None,
        strikes: Sequence[float] = (),
        contracts: int | None = None,
        basis: PriceBasis = PriceBasis.MARKET,
        funding: PremiumFunding = PremiumFunding.CASH,
        change: CaseChange | None = None,
    ) -> ListedHedge:
        """A strategy from the live chain; raises as `strategies.listed.build` and `market` do."""
        request = BuildRequest(
            kind=kind,
            expiration=expiration,
            strikes=tuple(strikes),
            contracts=contracts,
            basis=basis,
            funding=funding,
            case=change or CaseChange(),
        )
        return (await self.built(request)).hedge

    async def from_template(
        self, template_id: str, expiration: date | None = None, *, change: CaseChange | None = None
    ) -> ListedHedge:
        """A template on the live chain: each leg at the listed expiration nearest to its months, unless one is given.

        Raises NotFound for a template or an expiration that is not there, else as `build`.
        """
        request = BuildRequest(template=template_id, expiration=expiration, case=change or CaseChange())
        return (await self.built(request)).hedge

    async def built(self, request: BuildRequest) -> BuildReport:
        """A strategy or a template with what its quotes and its sold calls need said; raises as `build`, and Refused.

        Refused are calls that the broker would not carry, where the request says that custody is split.
        """
        return await self._builder.of(request)

    async def resolve(self, request: HedgeRequest) -> ListedHedge:
        """The hedge with a price for each leg, by the quotes given or those of the live chain."""
        return (await self.quoted(request)).hedge

    async def quoted(self, request: HedgeRequest) -> QuotedHedge:
        """As `resolve`, with what is doubtful of the quotes."""
        return await resolved(request, self._markets)

    async def held(self) -> ListedHedge:
        """The options held against the loan, at what closing them brings; a hedge without legs for none."""
        return held_hedge(required(self._heartbeat.current())[0])

    async def measure(
        self,
        hedges: Sequence[HedgeRequest | ListedHedge | QuotedHedge],
        change: CaseChange | None = None,
        price_range: tuple[float, float] = DEFAULT_RANGE,
    ) -> MeasureReport:
        """Every figure by which hedges are compared, in the order given, with the marks of the quotes."""
        case, standing = await self.case(change)
        made = [await self._known(each) for each in hedges]
        require_near(days_of(each.hedge for each in made), case)
        from vaultdash.strategies.listed_measure import measure_listed

        measures = await asyncio.to_thread(
            lambda: tuple(measure_listed(each.hedge, case, price_range) for each in made)
        )
        return MeasureReport(case, measures, standing_on(standing, made))

    async def path_verdicts(self, request: PathRequest, hedges: Sequence[ListedHedge] | None = None) -> PathReport:
        """How likely a call is that the hedge itself does not cure in time; in a process of its own, for seconds.

        `hedges` are those of the request where they are resolved already. The last verdict is that of no hedge.
        """
        return await self._paths.of(request, hedges)

    async def what_if(self, request: WhatIfRequest, hedge: ListedHedge | None = None) -> WhatIfReport:
        """What a change does; `hedge` is one that is resolved already, else the request's, else the options held."""
        case, standing = await self.case(request.case)
        if hedge is not None:
            made = QuotedHedge(hedge)
        elif request.hedge is not None:
            made = await self.quoted(request.hedge)
        else:
            made = QuotedHedge(await self.held())
        require_near(days_of([made.hedge]), case)
        from vaultdash.risk.what_if import PRICE_MOVES, what_if

        engine, chosen, grid = await self._engine(), made.hedge, request.grid
        found = await asyncio.to_thread(
            lambda: what_if(
                case,
                chosen,
                request.change,
                price_moves=PRICE_MOVES if grid is None else grid.prices,
                with_maps=request.with_maps,
                map_days=None if grid is None else grid.days,
                map_volatilities=None if grid is None else grid.volatilities,
                map_moves=None if grid is None else grid.prices,
                engine=engine,
            )
        )
        return WhatIfReport(case, chosen, found, standing_on(standing, [made]))

    async def frontier(
        self,
        horizon: date | None = None,
        counting: HedgeCounting | None = None,
        change: CaseChange | None = None,
        price_range: tuple[float, float] = DEFAULT_RANGE,
    ) -> FrontierReport:
        """Cost against protection for many candidates of the live chain, beside what is no option."""
        case, standing = await self.case(change)
        market = await self._markets.of(horizon)
        from vaultdash.strategies.frontier import frontier

        found = await asyncio.to_thread(
            lambda: frontier(market.options, case, counting=counting, price_range=price_range, horizon=horizon)
        )
        withheld = standing.withheld or self._markets.withheld(market)
        return FrontierReport(case, found, market, replace(standing, withheld=withheld))

    async def _known(self, hedge: HedgeRequest | ListedHedge | QuotedHedge) -> QuotedHedge:
        if isinstance(hedge, HedgeRequest):
            return await self.quoted(hedge)
        return hedge if isinstance(hedge, QuotedHedge) else QuotedHedge(hedge)

    async def advise(self) -> ListedAdvice:
        """The cheapest hedge for the owner's loan as its lender counts, beside doing nothing and repaying."""
        return await self._counsel.advise()

    async def save_template(
        self, hedge: ListedHedge, name: str, *, change: CaseChange | None = None
    ) -> HedgeTemplate:
        """Keep a hedge as a template: strikes and tenors become rules; raises as `Templates.create`."""
        case, _ = await self.case(change)
        from vaultdash.strategies.listed import to_template

        made = to_template(hedge, case, MODEL_ID, name)
        fields = fields_of(made)
        del fields["id"]
        return await self._templates.create(fields)

    async def aclose(self) -> None:
        """Begin no search any more."""
        await self._search.aclose()

    async def grids(self) -> tuple[ScenarioGrid, ...]:
        """The owner's scenario grids by name."""
        return await self._grids.all()

    async def keep_grid(self, grid: ScenarioGrid) -> ScenarioGrid:
        """Make or replace the grid of its name."""
        return await self._grids.keep(grid)

    async def remove_grid(self, name: str) -> None:
        """Take one out; raises NotFound."""
        await self._grids.remove(name)

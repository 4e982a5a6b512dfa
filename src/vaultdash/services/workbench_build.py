"""Strategies and templates made of contracts of the live chain, with the marks of its quotes."""

import asyncio
from dataclasses import replace

from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.hedge_verdict import CallSafety
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, StrategyKind
from vaultdash.services.templates import Templates
from vaultdash.services.workbench_case import HedgeCases
from vaultdash.services.workbench_hedges import NO_HEDGE, QuotedHedge, quoted, standing_on
from vaultdash.services.workbench_market import HedgeMarkets
from vaultdash.services.workbench_request import BuildReport, BuildRequest

LEAPS_MONTHS = 12.0
NOT_TOLD = "it is not told where the gold is pledged; if the broker does not hold it: "


class HedgeBuilder:
    """Builds what is asked for by its kind or its template."""

    def __init__(self, cases: HedgeCases, markets: HedgeMarkets, templates: Templates) -> None:
        self._cases = cases
        self._markets = markets
        self._templates = templates

    async def of(self, request: BuildRequest) -> BuildReport:
        """The hedge and what its sold calls need; raises as `strategies.listed.build` and the market do.

        NotFound for a template or an expiration that is not there. Refused for calls that the broker would not carry,
        where the request says that custody is split; where it says nothing of custody that is a remark.
        """
        case, standing = await self._cases.of(request.case)
        made = await (self._strategy(request, case) if request.template is None else self._template(request, case))
        calls = await asyncio.to_thread(_safety, made.hedge, case)
        remarks = made.remarks
        if calls is not None and calls.refusal:
            if request.case.split_custody:
                raise Refused(calls.refusal)
            told = calls.refusal if request.case.split_custody is False else f"{NOT_TOLD}{calls.refusal}"
            remarks = (*remarks, told)
        return BuildReport(made.hedge, case, calls, standing_on(standing, [made]), remarks)

    async def _strategy(self, request: BuildRequest, case: HedgeCase) -> QuotedHedge:
        kind = request.kind
        if kind is None:
            raise InvalidInput("kind", "or template must be given, one of them")
        if request.expiration is not None:
            market = await self._markets.on([request.expiration])
        elif kind is StrategyKind.LEAPS:
            market = await self._markets.nearest([LEAPS_MONTHS])
        else:
            market = await self._markets.of()
        from vaultdash.strategies.listed import build

        hedge = await asyncio.to_thread(
            build,
            kind,
            market.options,
            case,
            expiration=request.expiration,
            strikes=request.strikes,
            contracts=request.contracts,
            basis=request.basis,
            funding=request.funding,
        )
        return quoted(hedge, market, self._markets)

    async def _template(self, request: BuildRequest, case: HedgeCase) -> QuotedHedge:
        """Each leg at the listed expiration nearest to its months, unless one is given."""
        assert request.template is not None
        template = await self._templates.named(request.template)
        if not template.hedges:
            return QuotedHedge(replace(NO_HEDGE, title=template.name))
        months = sorted({leg.months for leg in template.legs})
        on = request.expiration
        market = await (self._markets.on([on]) if on else self._markets.nearest(months))
        from vaultdash.strategies.listed import from_template

        hedge = await asyncio.to_thread(from_template, template, market.options, case)
        return quoted(hedge, market, self._markets)


def _safety(hedge: ListedHedge, case: HedgeCase) -> CallSafety | None:
    from vaultdash.strategies.call_safety import call_safety

    return call_safety(hedge, case)

"""What the workbench knows: the loan, the quotes that were read, and what was found out about each hedge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_market import USUAL_HORIZON
from vaultdash.services.workbench_request import CaseChange, Standing
from vaultdash.ui.components.workbench_draft import HedgeDraft, Listed, Resolved, resolve

QUOTES_KEPT = 300.0  # seconds until the quotes are read again
SAME_PRICE = 0.005  # of the price: what random paths came to stands until it has moved further
NOTHING = ListedHedge("no hedge")


class Known:
    """Reads what is asked of it; what was found out is dropped when the loan or the quotes it stands on have changed.

    A path verdict takes seconds, so it bears small moves of the price: it is that of `verdict_case`.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._read_at = vault.now()
        self.listed = Listed()
        self.change = CaseChange()
        self.case: HedgeCase | None = None
        self.standing: Standing | None = None
        self.market: HedgeMarket | None = None
        self.measures: dict[HedgeDraft, ListedMeasure] = {}
        self.unhedged: ListedMeasure | None = None
        self.verdicts: dict[HedgeDraft, PathVerdict] = {}
        self.verdict_case: HedgeCase | None = None

    async def read_case(self) -> HedgeCase:
        """The loan at its newest price; raises Unavailable while there is none."""
        change = self.change
        case, standing = await self._vault.workbench.case(change)
        if change == self.change:
            self._judge_on(case, standing)
        return case

    async def read_market(self) -> None:
        """The usual expirations; raises Unavailable when no chain can be had."""
        self.take(await self._vault.workbench.market())

    async def read_day(self, on: date) -> None:
        """The chain of one expiration; a day that is not listed has no contracts. Raises Unavailable."""
        try:
            self.take(await self._vault.workbench.market(on, latest=on))
        except InvalidInput:
            self.listed.note_asked(on)

    async def read_again(self, days: Sequence[date]) -> None:
        """The chains of these expirations anew, once the quotes have aged."""
        if (self._vault.now() - self._read_at).total_seconds() > QUOTES_KEPT:
            self._read_at = self._vault.now()
            for on in days:
                await self.read_day(on)

    def take(self, market: HedgeMarket) -> None:
        """Quotes that were read."""
        before = self.resolved(list(self.verdicts))
        self.listed.add(market)
        if self.resolved(list(self.verdicts)) != before:
            self.verdicts.clear()
        self.market = self.market or market
        self.measures.clear()

    @property
    def usual_horizon(self) -> date | None:
        """The first expiration that is listed a third of a year away, else the last."""
        days, usual = self.listed.expirations, self._vault.now().date() + USUAL_HORIZON
        return next((on for on in days if on >= usual), days[-1] if days else None)

    def resolved(self, drafts: Sequence[HedgeDraft]) -> list[Resolved]:
        """The hedges at the prices of now."""
        return [resolve(draft, self.listed) for draft in drafts]

    def lacks(self, found: Sequence[Resolved]) -> list[tuple[HedgeDraft, ListedHedge]]:
        """Those that have a price and no measure yet."""
        return [(one.draft, one.hedge) for one in found if one.hedge is not None and one.draft not in self.measures]

    def judge(self, found: Mapping[HedgeDraft, PathVerdict], case: HedgeCase, priced: Sequence[Resolved]) -> bool:
        """Keep what paths came to on a case with hedges at these prices; False when either is another one by now."""
        if self.case is None or not is_same_case(case, self.case):
            return False
        if self.resolved([one.draft for one in priced]) != list(priced):
            return False
        if self.verdict_case is None or not is_same_case(case, self.verdict_case):
            self.verdicts.clear()
        self.verdicts.update(found)
        self.verdict_case = case
        return True

    @property
    def knows_unhedged(self) -> bool:
        """True when the loan without a hedge was measured as it is now."""
        return self.unhedged is not None and self.unhedged.case == self.case

    async def measure(self, lacking: Sequence[tuple[HedgeDraft, ListedHedge]]) -> None:
        """Measure these hedges, and the loan without any."""
        hedges, change = [NOTHING, *(hedge for _, hedge in lacking)], self.change
        report = await self._vault.workbench.measure(hedges, change)
        if change != self.change:
            return  # it is of a case that nobody asks about any more
        self._judge_on(report.case, report.standing)
        self.unhedged = report.measures[0]
        for (draft, hedge), measure in zip(lacking, report.measures[1:], strict=True):
            if resolve(draft, self.listed).hedge == hedge:  # at the prices of now, not of before
                self.measures[draft] = measure

    def _judge_on(self, case: HedgeCase, standing: Standing) -> None:
        if case != self.case:
            self.measures.clear()
        if self.verdict_case is not None and not is_same_case(case, self.verdict_case):
            self.verdicts.clear()
        self.case, self.standing = case, standing


def is_same_case(one: HedgeCase, other: HedgeCase) -> bool:
    """True when two cases differ by their moment and a small move of the price alone."""
    return replace(one, spot=other.spot, at=other.at) == other and abs(one.spot / other.spot - 1) < SAME_PRICE

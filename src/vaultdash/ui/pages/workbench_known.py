"""What the workbench knows: the loan, the quotes that were read, and what was found out about each hedge."""

from collections.abc import Sequence
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_market import USUAL_HORIZON
from vaultdash.services.workbench_request import CaseChange, Standing
from vaultdash.ui.components.workbench_draft import HedgeDraft, Listed, Resolved, resolve

QUOTES_KEPT = 300.0  # seconds until the quotes are read again
NOTHING = ListedHedge("no hedge")


class Known:
    """Reads what is asked of it; a measure is dropped when the loan or the quotes that it stands on have changed."""

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

    async def read_case(self) -> HedgeCase:
        """The loan at its newest price; raises Unavailable while there is none."""
        case, standing = await self._vault.workbench.case(self.change)
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
        self.listed.add(market)
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

    @property
    def knows_unhedged(self) -> bool:
        """True when the loan without a hedge was measured as it is now."""
        return self.unhedged is not None and self.unhedged.case == self.case

    async def measure(self, lacking: Sequence[tuple[HedgeDraft, ListedHedge]]) -> None:
        """Measure these hedges, and the loan without any."""
        hedges = [NOTHING, *(hedge for _, hedge in lacking)]
        report = await self._vault.workbench.measure(hedges, self.change)
        self._judge_on(report.case, report.standing)
        self.unhedged = report.measures[0]
        for (draft, _), measure in zip(lacking, report.measures[1:], strict=True):
            self.measures[draft] = measure

    def _judge_on(self, case: HedgeCase, standing: Standing) -> None:
        if case != self.case:
            self.measures.clear()
        self.case, self.standing = case, standing

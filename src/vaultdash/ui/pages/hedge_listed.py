"""The part of the hedge page that speaks of listed contracts: asked behind the page, anew when the loan moves."""

import asyncio

from nicegui import background_tasks

from vaultdash.domain.errors import VaultError
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import PathRequest
from vaultdash.ui.components.listed_advice import ListedAdviceCard
from vaultdash.ui.components.workbench_draft import draft_of, request_of
from vaultdash.ui.components.workbench_words import paths_words

MOVED = 0.005  # of the price: what a search stands on until it is asked again


class ListedAdviceOnLoan:
    """Asks for the cheapest listed hedge; a search takes a core for a second or two, so small moves ask nothing."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._card = ListedAdviceCard(vault.book.symbol, self._again)
        self._asked: tuple[Portfolio, float] | None = None
        self._following: asyncio.Task[None] | None = None

    async def update(self, _: Beat) -> None:
        """At each beat: ask when nothing is known yet, or the loan or the price has moved since."""
        beat = self._vault.heartbeat.current()
        if beat is None or beat.snapshot is None:
            return
        portfolio, at = self._vault.book.current, beat.snapshot.price
        if self._asked is not None:
            was, price = self._asked
            if was == portfolio and abs(at / price - 1.0) < MOVED:
                return
        self._asked = (portfolio, at)
        await self._ask()

    async def _ask(self) -> None:
        try:
            advice = await self._vault.workbench.advise()
        except VaultError as error:
            self._asked = None
            self._card.fail(f"{error}.")
            return
        self._card.show(advice)
        if self._following is not None:
            self._following.cancel()
        report = advice.cheapest
        if report is not None and report.found.hedge is not None and report.found.hedge.legs:
            self._following = background_tasks.create(self._follow(report.found.hedge), name="listed advice, paths")

    async def _follow(self, hedge: ListedHedge) -> None:
        """Follow random paths of the hedge: a test at expiry alone says nothing of calls on the way."""
        self._card.tell_paths("Following random paths of this hedge …")
        request = PathRequest((request_of(draft_of(hedge, "")),))
        try:
            verdict, bare = (await self._vault.workbench.path_verdicts(request, (hedge,))).found.verdicts
        except VaultError as error:
            self._card.tell_paths(f"Random paths of it could not be followed: {error}.")
            return
        self._card.tell_paths(paths_words(verdict, bare))

    def _again(self) -> None:
        background_tasks.create(self._ask(), name="listed advice")

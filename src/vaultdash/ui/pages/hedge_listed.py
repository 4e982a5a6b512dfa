"""The part of the hedge page that speaks of listed contracts: asked behind the page, anew when the loan moves."""

from nicegui import background_tasks

from vaultdash.domain.errors import VaultError
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.ui.components.listed_advice import ListedAdviceCard

MOVED = 0.005  # of the price: what a search stands on until it is asked again


class ListedAdviceOnLoan:
    """Asks for the cheapest listed hedge; a search takes a core for a second or two, so small moves ask nothing."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._card = ListedAdviceCard(vault.book.symbol, self._again)
        self._asked: tuple[Portfolio, float] | None = None

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
            self._card.show(await self._vault.workbench.advise())
        except VaultError as error:
            self._asked = None
            self._card.fail(f"{error}.")

    def _again(self) -> None:
        background_tasks.create(self._ask(), name="listed advice")

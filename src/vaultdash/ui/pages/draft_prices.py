"""The prices by which a loan that is being typed is valued: those of the beat, else asked for behind the page."""

from collections.abc import Callable, Coroutine
from typing import Any

from vaultdash.domain.exchange import PAIRS
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault
from vaultdash.ui.components.loan_draft import LoanDraft


class DraftPrices:
    """`begin` runs what must be asked for behind the page, `told` is called when it is there."""

    def __init__(
        self, vault: Vault, begin: Callable[[Coroutine[Any, Any, None]], object], told: Callable[[], object]
    ) -> None:
        self._vault = vault
        self._begin = begin
        self._told = told
        self._others: dict[str, QuoteStatus] = {}
        self._asking: set[str] = set()

    def status(self, symbol: str) -> QuoteStatus | None:
        """The latest price of a symbol; one that no loan holds yet is asked for once."""
        beat = self._vault.heartbeat.current()
        if beat is not None and symbol in beat.statuses:
            return beat.statuses[symbol]
        if symbol not in self._others and symbol not in self._asking:
            self._asking.add(symbol)
            self._begin(self._ask(symbol))
        return self._others.get(symbol)

    def rate(self, currency: str) -> QuoteStatus | None:
        """What a dollar costs in the currency of a loan; None for the dollar itself and while it is not known."""
        pair = PAIRS.get(currency)
        return None if pair is None else self.status(pair)

    def believed(self, draft: LoanDraft) -> float | None:
        """The price by which what is typed may be refused: none that is invented beside the real market."""
        status = self.status(draft.quoted_by)
        if status is None or (status.quote.is_demo and self._vault.market != "demo"):
            return None
        return status.quote.price

    async def _ask(self, symbol: str) -> None:
        try:
            self._others[symbol] = await self._vault.quote_status(symbol)
        finally:
            self._asking.discard(symbol)
        self._told()

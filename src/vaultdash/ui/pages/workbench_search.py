"""The card of the workbench that finds the cheapest hedge: the form, the search behind it, and its certificate."""

import asyncio
from collections.abc import Callable
from datetime import date

from nicegui import background_tasks

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.hedge_verdict import NearestRequest
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CaseChange, CheapestReport, CheapestRequest
from vaultdash.ui.components.phone_fold import phone_fold
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.components.workbench_certificate import Certificate
from vaultdash.ui.components.workbench_search import SearchActs, SearchForm
from vaultdash.ui.components.workbench_search_draft import (
    SearchDraft,
    change_of,
    field_of,
    read_search,
)
from vaultdash.ui.format import day
from vaultdash.ui.pages.workbench_broken import broken
from vaultdash.ui.theme import card, note
from vaultdash.ui.typed import as_amount, as_percent


class SearchCard:
    """One search at a time; a new one, or the owner, ends the one before."""

    def __init__(
        self,
        vault: Vault,
        found: Callable[[CheapestReport], None],
        changed: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self._vault = vault
        self._found = found
        self._changed = changed
        self._ended = ended
        self._case: HedgeCase | None = None
        self._task: asyncio.Task[None] | None = None
        self.draft = SearchDraft()
        self.is_begun = False
        with card("Find the cheapest hedge") as head:
            with head:
                note("whole listed contracts, proved and re-checked")
            with phone_fold("What must be kept, and until when"):
                self._form = SearchForm(self.draft, SearchActs(self.find, self.cancel, self._typed))
            self._waiting = Waiting(self.find)
            self._certificate = Certificate(self._ask_instead)

    def know(self, case: HedgeCase, days: tuple[date, ...], horizon: date | None) -> None:
        """The loan and what is listed; the first time the form is filled with them."""
        self._case = case
        if not self.is_begun:
            self.is_begun = True
            self.draft.begin(case, horizon)
            self._form.show()
        self._form.offer(days)

    def outdate(self) -> None:
        """The question has changed since the answer that is shown."""
        self._certificate.outdate()

    @property
    def is_busy(self) -> bool:
        """True while a search is under way."""
        return self._task is not None and not self._task.done()

    @property
    def change(self) -> CaseChange:
        """What the form changes of the owner's case: where the gold lies, what is free at the broker."""
        return change_of(self.draft)

    @property
    def sells_calls(self) -> bool:
        """True while the search may sell calls."""
        return self.draft.sells_calls

    def find(self) -> None:
        """Begin a search with what is typed."""
        self.cancel()
        reading = read_search(self.draft, self._case)
        self._form.say(reading.problems)
        if reading.request is None:
            return
        until = day(self.draft.horizon)
        self._certificate.hide()
        self._form.busy(when=True)
        self._waiting.wait(f"Reading the chains from {until} on and looking for the best hedge", skeleton=False)
        self._task = background_tasks.create(self._search(reading.request), name="cheapest hedge")

    def begin_anew(self, horizon: date | None) -> None:
        """Ask what the recommendation asks: the loan's own limit, puts alone, paid in cash."""
        if self._case is None:
            return
        fresh = SearchDraft(custody=self.draft.custody, broker_margin=self.draft.broker_margin)
        fresh.begin(self._case, horizon)
        self.draft = self._form.draft = fresh
        self._form.show()
        self.find()

    def cancel(self) -> None:
        """Give up what is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None
        self._form.busy(when=False)
        self._waiting.done()

    async def _search(self, request: CheapestRequest) -> None:
        try:
            report = await self._vault.workbench.cheapest(request)
        except InvalidInput as error:
            self._done()
            self._form.say({field_of(error): f"{error}."})
            return
        except VaultError as error:
            self._done()
            self._waiting.fail("Nothing could be looked for", f"{error}.")
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the page says so and stays usable
            self._done()
            self._waiting.fail("Nothing could be looked for", broken(error))
            return
        self._done()
        self._certificate.show(report)
        self._found(report)

    def _done(self) -> None:
        self._task = None
        self._form.busy(when=False)
        self._waiting.done()
        self._ended()

    def _ask_instead(self, nearest: NearestRequest) -> None:
        if nearest.max_hedged_ltv is not None:
            self.draft.ltv = as_percent(_up(nearest.max_hedged_ltv))
        if nearest.budget is not None:
            self.draft.budget = as_amount(float(-(-nearest.budget // 1)))
        self._form.show()
        self.find()

    def _typed(self) -> None:
        """Something of the form: calls that may be sold show what the broker wants."""
        self._changed()


def _up(fraction: float) -> float:
    """Rounded up to a hundredth of a per cent, so that what can be kept is not missed by a rounding."""
    return -(-fraction * 10_000 // 1) / 10_000

"""The part of the workbench that follows random paths: how often a call would not be cured by the hedge itself."""

import asyncio
from collections.abc import Callable, Sequence

from nicegui import background_tasks, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CaseChange, PathReport, PathRequest
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.components.workbench_draft import HedgeDraft, request_of
from vaultdash.ui.components.workbench_words import sentences
from vaultdash.ui.format import number, pct, price, unbroken
from vaultdash.ui.pages.workbench_broken import broken
from vaultdash.ui.theme import Tabs, button, note, text, visible

RULES = ((HoldingRule.SELL.value, "sell it at a call"), (HoldingRule.HOLD.value, "hold it to expiry"))
WHAT = (
    "A call is not cured when the options alone do not bring the loan back in time, on paths with interest, spreads "
    "and settlement; the same paths for every hedge."
)


class PathsAsked:
    """Asks behind the page; `told` is given the answer with the drafts it is of."""

    def __init__(
        self, vault: Vault, told: Callable[[Sequence[HedgeDraft], PathReport], None], ask: Callable[[], None]
    ) -> None:
        self._vault = vault
        self._told = told
        self._task: asyncio.Task[None] | None = None
        self.rule = HoldingRule.SELL
        self._again = ask
        with ui.element("div").classes("vd-stack"):
            with ui.element("div").classes("vd-actions"):
                text("span", "When a call comes", "muted")
                Tabs(RULES, self.rule.value, self._choose)
                self._button = button("Follow 20,000 paths", ask, words="Follow 20,000 random paths of each hedge")
                self._cancel = button("Cancel", self.cancel, words="Cancel the paths")
            self._waiting = Waiting(ask)
            self._basis = note(WHAT)
        visible(self._cancel, when=False)

    def begin(self, drafts: Sequence[HedgeDraft], change: CaseChange) -> None:
        """Follow the paths of these hedges and of no hedge; what was under way is given up."""
        self.cancel()
        hedges = tuple(request_of(draft) for draft in drafts)
        request = PathRequest(hedges, rule=self.rule, case=change)
        self._busy(when=True)
        self._waiting.wait(f"Following {number(request.paths)} paths under several models", skeleton=False)
        self._task = background_tasks.create(self._follow(tuple(drafts), request), name="path verdict")

    def cancel(self) -> None:
        """Give up what is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None
        self._busy(when=False)
        self._waiting.done()

    async def _follow(self, drafts: Sequence[HedgeDraft], request: PathRequest) -> None:
        try:
            report = await self._vault.workbench.path_verdicts(request)
        except VaultError as error:
            self._busy(when=False)
            self._waiting.fail("No paths could be followed", f"{error}.")
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the page says so and stays usable
            self._busy(when=False)
            self._waiting.fail("No paths could be followed", broken(error))
            return
        self._busy(when=False)
        self._waiting.done()
        self._basis.set_text(unbroken(basis_words(report)))
        self._told(drafts, report)

    def _choose(self, value: str) -> None:
        self.rule = HoldingRule(value)
        self._again()

    def _busy(self, *, when: bool) -> None:
        visible(self._button, when=not when)
        visible(self._cancel, when=when)


def basis_words(report: PathReport) -> str:
    """What the odds stand on."""
    found = report.found
    rule = "sold at a call to repay" if found.rule is HoldingRule.SELL else "held to expiry"
    models = ", ".join(one.model for one in found.verdicts[0].odds) if found.verdicts else ""
    return (
        f"{WHAT} {number(found.paths)} paths over {found.months} months from {price(report.case.spot)}, under "
        f"{models}; options {rule}, money after {found.settlement_days} trading days, back to an LTV of "
        f"{pct(found.target_ltv, 0)}. {sentences([*report.remarks, *found.remarks])}"
    )

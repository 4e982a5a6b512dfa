"""Which hedge the what-if page bends: the options held, the cheapest one, one that a link names, or none."""

from collections.abc import Callable

from nicegui import background_tasks, ui
from nicegui.element import Element

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import SolveStatus
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.hedge_link import decode
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_advice import ROOM
from vaultdash.services.workbench_request import CheapestRequest, HedgeRequest, LegRequest
from vaultdash.ui.components.workbench_words import legs_words, until
from vaultdash.ui.format import unbroken, usd
from vaultdash.ui.theme import Tabs, text

NO_HEDGE = ListedHedge("no hedge")
HELD, CHEAPEST, LINKED, NOTHING = "held", "cheapest", "linked", "nothing"
LABELS = {HELD: "options held", CHEAPEST: "cheapest hedge", LINKED: "from the link", NOTHING: "none"}
WAITING = {HELD: "Reading the options held …", CHEAPEST: "Looking for the cheapest hedge …", LINKED: "Reading it …"}


class ChosenHedge:
    """`hedge` is always one, without legs while nothing is known; `told` hears of another one."""

    def __init__(self, vault: Vault, link: str | None, told: Callable[[ListedHedge], object], head: Element) -> None:
        self.hedge = NO_HEDGE
        self._vault = vault
        self._link = link
        self._told = told
        self._choice = HELD
        self._turn = 0
        self._found: HedgeRequest | None = None
        choices = [(name, words) for name, words in LABELS.items() if name != LINKED or link is not None]
        with head:
            self._tabs = Tabs(choices, HELD, self._choose)
        with ui.element("div"):
            self._words = text("div", "").mark("hedge-words")
            self._counted = text("div", "", "vd-note").mark("hedge-counted")
            self._problem = text("div", "", "vd-problem warning").props("role=status").mark("hedge-problem")

    async def begin(self) -> None:
        """The link's hedge; without one the options held, and without any of them the cheapest one."""
        if self._link is not None:
            await self._take(LINKED)
            return
        await self._take(HELD)
        if not self.hedge.legs and not self._problem.text:
            background_tasks.create(self._take(CHEAPEST), name="what-if hedge")

    async def refresh(self) -> None:
        """The same contracts at the prices of now; what has none any more keeps its last ones, and says so."""
        turn, choice = self._turn, self._choice
        try:
            if choice == HELD:
                hedge = await self._vault.workbench.held()
            elif self._found is not None:
                hedge = await self._vault.workbench.resolve(self._found)
            else:
                return
        except VaultError as error:
            if turn == self._turn:
                self._problem.set_text(f"Prices of the hedge are those of before: {error}.")
            return
        if turn == self._turn:
            self._show(hedge, None)

    def _choose(self, choice: str) -> None:
        background_tasks.create(self._take(choice), name="what-if hedge")

    async def _take(self, choice: str) -> None:
        self._turn += 1
        turn, self._choice, self._found = self._turn, choice, None
        if self._words.is_deleted:
            return
        with self._words:
            self._tabs.show(choice)
            self._problem.set_text("")
            self._counted.set_text("")
            self._words.set_text(WAITING.get(choice, ""))
            try:
                hedge, found, counted = await self._ask(choice)
            except VaultError as error:
                hedge, found, counted = NO_HEDGE, None, ""
                if turn == self._turn:
                    self._problem.set_text(f"{error}.")
            if turn != self._turn or self._words.is_deleted:  # something else was chosen meanwhile
                return
            self._found = found
            self._counted.set_text(counted)
            self._show(hedge, choice)
            self._told(hedge)

    async def _ask(self, choice: str) -> tuple[ListedHedge, HedgeRequest | None, str]:
        """The hedge, by what it is found again, and what must be said of how it was found."""
        bench = self._vault.workbench
        if choice == HELD:
            return await bench.held(), None, ""
        if choice == LINKED:
            request = decode(self._link or "", self._vault.book.symbol)
            return await bench.resolve(request), request, ""
        if choice == CHEAPEST:
            return await self._cheapest()
        return NO_HEDGE, None, ""

    async def _cheapest(self) -> tuple[ListedHedge, HedgeRequest | None, str]:
        loan = self._vault.book.current.loan
        ignores = loan.hedge_counting is HedgeCounting.IGNORED
        request = CheapestRequest(
            max_hedged_ltv=loan.margin_call_ltv - ROOM, credit=HedgeCounting.AFTER_PAYMENT if ignores else None
        )
        report = await self._vault.workbench.cheapest(request)
        found = report.found
        if found.hedge is None:
            self._problem.set_text(found.reason)
            return NO_HEDGE, None, ""
        if loan.hedge_counting is HedgeCounting.CREDITED:
            said = ["It keeps every price down to a fall of 60 % from a call at its expiry."]
        else:
            said = [
                "It does not stop the call, for your lender reads the gold alone; sold at once it would repay enough "
                "at every price down to a fall of 60 %."
            ]
        if found.status is SolveStatus.TIMEOUT:
            said.append("The best that was found in the time there was.")
        if report.withheld is not None:
            said.append(f"Not a recommendation: {report.withheld}")
        return found.hedge, asked_again(found.hedge), " ".join(said)

    def _show(self, hedge: ListedHedge, choice: str | None) -> None:
        self.hedge = hedge
        if hedge.legs:
            cost = "" if self._choice == HELD else f", {cost_words(hedge)}"
            self._words.set_text(unbroken(f"{_capital(legs_words(hedge))} {until(hedge)}{cost}."))
        else:
            self._words.set_text("You hold no option." if self._choice == HELD else "No hedge.")
        if choice is None:
            self._problem.set_text("")


def asked_again(hedge: ListedHedge) -> HedgeRequest:
    """The same contracts, to be priced by the chain of another moment."""
    legs = tuple(
        LegRequest(
            leg.option.right,
            leg.option.strike,
            leg.option.expiration,
            leg.contracts,
            leg.basis,
            multiplier=leg.option.multiplier,
        )
        for leg in hedge.legs
    )
    return HedgeRequest(hedge.title, legs, hedge.commission, hedge.funding)


def cost_words(hedge: ListedHedge) -> str:
    """`for $ 8,120 at what is asked and bid`; one that brings money says so."""
    cost = hedge.net_cost
    return f"which brings {usd(-cost)} today" if cost < 0 else f"for {usd(cost)} today"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

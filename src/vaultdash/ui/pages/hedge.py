"""Hedge: six hedges side by side, which one suits whom, and whether that holds."""

from nicegui import context, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge import HedgePlan, MeasuredHedge, RiskProfile
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Advice, Research
from vaultdash.services.vault import Vault
from vaultdash.strategies.engine import STRATEGIES
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.hedge_charts import cost_options, ltv_options, wealth_options
from vaultdash.ui.components.hedge_table import HedgeTable
from vaultdash.ui.components.listed_put import ListedPut
from vaultdash.ui.components.scenario_table import ScenarioTable
from vaultdash.ui.components.sensitivity_table import SensitivityTable
from vaultdash.ui.format import moment, pct, price
from vaultdash.ui.live import follow
from vaultdash.ui.pages.hedge_listed import ListedAdviceOnLoan
from vaultdash.ui.pages.own_loan import cover_or_reason
from vaultdash.ui.theme import ChartColours, Tabs, card, is_dark, note, text

PROFILES = (("conservative", "conservative"), ("balanced", "balanced"), ("cost_sensitive", "cost-sensitive"))
COUNTINGS = (("ignored", "as most lenders count"), ("after_payment", "after payment"), ("credited", "credited"))
COUNTING_NOTES = {
    HedgeCounting.IGNORED: "The lender does not see the puts: its LTV is the same with every hedge, and the "
    "call comes at the same price. The puts protect your wealth, not the loan, until they are sold.",
    HedgeCounting.AFTER_PAYMENT: "The puts are sold and the money repays the loan, if it arrives in time.",
    HedgeCounting.CREDITED: "The lender holds the puts and counts what they would pay as collateral.",
}

LENDERS = {
    HedgeCounting.IGNORED: "Most lenders ignore puts: none of these moves the call. They protect your wealth, and "
    "the loan once they are sold.",
    HedgeCounting.AFTER_PAYMENT: "Your lender looks at the loan after the puts are sold and have repaid it.",
    HedgeCounting.CREDITED: "Your lender counts what the puts would pay as collateral.",
}

WHAT_FOR = {
    HedgeCounting.IGNORED: ", for your wealth: your lender ignores it, and the call stays where it is.",
    HedgeCounting.AFTER_PAYMENT: ", counted by your lender once it is sold.",
    HedgeCounting.CREDITED: ", counted by your lender as collateral.",
}


class HedgePage:
    """The page's parts and what is chosen on them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._advice: Advice | None = None
        self._profile = RiskProfile.BALANCED
        self._counting = vault.book.current.loan.hedge_counting
        self._drawn: tuple[Loan, float, str | None, list[HedgePlan]] | None = None
        self._picked: str | None = None
        self._colours = ChartColours(dark=True)
        with card():
            with ui.element("div").classes("vd-card-head"):
                with ui.element("p").classes("vd-sentence"):
                    self._who = text("span", "Comparing the hedges …").mark("recommended-for")
                    self._winner = text("span", "", "room").mark("recommended")
                    self._for = text("span", "", "muted").mark("recommended-what-for")
                Tabs(PROFILES, self._profile, self._choose_profile)
            self._reason = text("div", "").mark("reason")
            self._lender = text("div", LENDERS[self._counting], "muted")
            self._basis = note("")
            ui.link("What would they have done in past falls?", "/backtest").classes("vd-link vd-follow")
        self.listed = ListedAdviceOnLoan(vault)
        with card("Six hedges side by side"):
            self._hedges = HedgeTable(self._choose_hedge)
            self._cover = note("")
            self._own = note("").mark("own-templates")
            ui.link("Your own hedges as templates", "/templates").classes("vd-link vd-follow")
        with ui.element("div").classes("vd-columns even"):
            with card("LTV against the gold price") as head:
                with head:
                    Tabs(COUNTINGS, self._counting, self._choose_counting)
                self._ltv = Chart()
                self._counted = note(COUNTING_NOTES[self._counting])
            with card("Gain and loss at expiry"):
                self._wealth = Chart()
                note("Gold and puts against today, premium paid, before interest; each hedge at its own expiry.")
        with ui.element("div").classes("vd-columns"):
            with card("Scenarios") as head:
                with head:
                    self._scenario_title = text("b", "")
                self._scenarios = ScenarioTable()
                note(
                    "At expiry. Ignored: as most banks count. After payment: the puts repay. Credited: as collateral."
                )
            with card("Cost against protection"):
                self._cost = Chart()
                note("Lower and further left is better. LTV at the call price, puts credited.")
        with card("Does the advice hold?"):
            self._sensitivity = SensitivityTable()
            self._holds = note("")

    def update(self, advice: Advice) -> None:
        """The texts at each beat; tables and charts when the price or the verdict has changed."""
        self._advice = advice
        self._show_recommendation(advice)
        loan = advice.snapshot.portfolio.loan
        self._lender.set_text(LENDERS[loan.hedge_counting])
        verdict = None if advice.withheld is None else advice.withheld[:20]
        drawn = (loan, advice.snapshot.price, verdict, [hedge.plan for hedge in advice.comparison.hedges])
        if drawn != self._drawn:
            self._drawn = drawn
            self.show(advice)

    def show(self, advice: Advice) -> None:
        """Fill every part from a comparison."""
        self._advice = advice
        if self._picked is None or self._chosen(advice) is None:  # the first time, or a template that was removed
            self._picked = advice.comparison.recommendations[self._profile].name
        self._show_recommendation(advice)
        comparison = advice.comparison
        self._hedges.show(comparison, advice.snapshot, self._picked, self._recommended())
        self._cost.show(cost_options(comparison, self._colours, self._picked))
        self._wealth.show(wealth_options(comparison, self._colours, self._picked))
        self._ltv.show(ltv_options(comparison, self._counting, self._colours, self._picked))
        hedge = self._chosen(advice)
        if hedge is not None:
            self._scenario_title.set_text(hedge.plan.title)
            self._scenarios.show(hedge, advice.snapshot.portfolio.loan.close_out_ltv)
        self._sensitivity.show(None if advice.withheld else comparison)
        self._cover.set_text(_cover(advice))
        self._own.set_text(_own(advice))

    def _chosen(self, advice: Advice) -> MeasuredHedge | None:
        return next((hedge for hedge in advice.comparison.hedges if hedge.plan.name == self._picked), None)

    def _recommended(self) -> str | None:
        if self._advice is None or self._advice.withheld:
            return None
        return self._advice.comparison.recommendations[self._profile].name

    def _show_recommendation(self, advice: Advice) -> None:
        words = dict(PROFILES)[self._profile].capitalize()
        if advice.withheld:
            self._who.set_text(
                "Repay, add gold or sell gold first." if advice.is_called else "No recommendation now."
            )
            self._winner.set_text("")
            self._for.set_text("")
            self._reason.set_text(advice.withheld)
            self._holds.set_text("Nothing is recommended now, so nothing can be tested.")
        else:
            found = advice.comparison.recommendations[self._profile]
            titles = {hedge.plan.name: hedge.plan.title for hedge in advice.comparison.hedges}
            self._who.set_text(f"{words}: ")
            self._winner.set_text(titles[found.name])
            self._for.set_text(WHAT_FOR[advice.snapshot.portfolio.loan.hedge_counting])
            self._reason.set_text(found.reason)
            self._holds.set_text(advice.comparison.sensitivity.sentences[self._profile])
        snapshot, status = advice.snapshot, advice.status
        source = f"{status.quote.source}, {moment(status.quote.at)}" if status else "a price you gave"
        self._basis.set_text(
            f"{advice.symbol} {price(snapshot.price)} from {source} · LTV {pct(snapshot.ltv)}, call at "
            f"{price(snapshot.margin_call_price)} · {'; '.join(advice.assumptions)}"
        )

    def say_no_price(self) -> None:
        """Nothing can be compared yet, or any more."""
        self._who.set_text("The loan cannot be valued, so nothing can be compared.")
        self._winner.set_text("")
        self._for.set_text("")

    def dress(self, *, dark: bool) -> None:
        """Draw the charts for the other mode."""
        self._colours = ChartColours(dark=dark)
        if self._advice is not None:
            self.show(self._advice)

    def _choose_profile(self, value: str) -> None:
        self._profile = RiskProfile(value)
        self._picked = None
        if self._advice is not None:
            self.show(self._advice)

    def _choose_counting(self, value: str) -> None:
        self._counting = HedgeCounting(value)
        self._counted.set_text(COUNTING_NOTES[self._counting])
        if self._advice is not None:
            self._ltv.show(ltv_options(self._advice.comparison, self._counting, self._colours, self._picked or ""))

    def _choose_hedge(self, name: str) -> None:
        if self._advice is not None and any(hedge.plan.name == name for hedge in self._advice.comparison.hedges):
            self._picked = name
            self.show(self._advice)


class ListedPutOnLoan:
    """Measures a listed put at each new price of the loan; what cannot be measured is said."""

    def __init__(self, vault: Vault, osi: str) -> None:
        self._vault = vault
        self._osi = osi
        self._card = ListedPut(osi)
        self._measured: tuple[Portfolio, float] | None = None

    async def update(self, _: Beat) -> None:
        """Measure it again when the price has moved, or when it failed before."""
        beat = self._vault.heartbeat.current()
        if beat is None or beat.snapshot is None:
            self._card.fail("No price for the loan yet, so this put cannot be measured.")
            return
        found_at = (beat.snapshot.portfolio, beat.snapshot.price)
        if self._measured == found_at:
            return
        try:
            chain, option = await self._vault.chains.contract(self._osi)
        except VaultError as error:
            self._card.fail(f"This contract cannot be used: {error}")
            return
        self._measured = found_at
        found = cover_or_reason(self._vault, chain, option)
        if isinstance(found, str):
            self._card.fail(found)
        else:
            self._card.show(found, self._vault.book.current.loan)


async def build(vault: Vault, contract: str | None = None) -> None:
    """Lay out the page, then compare at each new price; with `contract` a listed put stands on top."""
    put = None if contract is None else ListedPutOnLoan(vault, contract[:40])
    page = HedgePage(vault)
    await context.client.connected()
    page.dress(dark=await is_dark())
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))

    async def update(_: Beat) -> None:
        beat = vault.heartbeat.current()
        if beat is not None and beat.snapshot is None:
            page.say_no_price()
        elif beat is not None and beat.status is not None:
            page.update(await vault.advisor.advise(Research(symbol=vault.book.symbol), beat.status))

    if put is not None:
        follow(vault.heartbeat.feed, put.update)
    follow(vault.heartbeat.feed, update)
    follow(vault.heartbeat.feed, page.listed.update)


def _own(advice: Advice) -> str:
    """What became of the owner's own templates; nothing without any."""
    compared = len(advice.comparison.hedges) > len(STRATEGIES)
    said = ["Your own templates stand after the six, with their own tenors."] if compared else []
    left_out = "; ".join(f"{each.title}: {each.reason}" for each in advice.left_out)
    return " ".join([*said, f"Not compared: {left_out}."] if left_out else said)


def _cover(advice: Advice) -> str:
    call = price(advice.comparison.situation.margin_call_price)
    if advice.is_called:
        return (
            f"The price at which this loan is called, {call}, lies above the price now: figures at the call price "
            "say nothing about today. The puts would protect what is left of your wealth, not the loan."
        )
    return (
        "Model premiums, fractional cover; contracts rounded up to whole ones of 100 shares. A lender who ignores "
        "the puts calls at the same price with every hedge. After payment supposes that the puts are sold in time; "
        "what is sold is gone when gold falls again. Against a call alone, a put that the lender credits needs a "
        f"strike only just above {call}: these six protect equity as well. Choose a row for its scenarios."
    )

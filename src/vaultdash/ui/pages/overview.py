"""Overview: how the loan stands, how far a call is, and what a fall would do."""

from datetime import datetime

from nicegui import ui

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.hedge import RiskProfile
from vaultdash.domain.portfolio import Portfolio, Snapshot, price_at_ltv
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Advice, Research
from vaultdash.services.standing import Standing, doubted, standing
from vaultdash.services.vault import Vault
from vaultdash.ui.components.carry_card import CarryCard
from vaultdash.ui.components.countings import FORMULAS, LABELS, Countings
from vaultdash.ui.components.cure_card import CureCard
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.falls_table import FallsTable
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.hedge_colours import hedge_colours
from vaultdash.ui.components.held_card import HeldCard
from vaultdash.ui.components.loan_facts import LoanFacts
from vaultdash.ui.components.ltv_card import LtvCard
from vaultdash.ui.components.price_chart import PriceChart
from vaultdash.ui.components.risk_panel import RiskPanel
from vaultdash.ui.components.zone_bar import ZoneBar
from vaultdash.ui.format import moment, number, owed, pct, price, rate_words, signed_pct, source_words, unbroken, usd
from vaultdash.ui.live import follow
from vaultdash.ui.theme import TONES, Tone, age_of, card, note, show_age, text, visible

ADVICE_COLUMNS = (
    Column("profile", "if you are", left=True),
    Column("hedge", "then", left=True),
    Column("cost", "cost a year"),
    Column("ltv", "LTV at the call price"),
)


class Overview:
    """The page's parts; `show` fills them from a beat."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._advised: tuple[Portfolio, float, bool] | None = None
        self._offer()
        self._standing()
        with ui.element("div").classes("vd-columns"):
            with card(f"{vault.book.symbol} and the loan's prices") as head:
                self._chart = PriceChart(vault.book.symbol, head)
            with card("If gold falls"):
                self._falls = FallsTable()
        with ui.element("div").classes("vd-columns right-first"):
            with ui.element("div").classes("vd-stack"):
                self._held = HeldCard()
                self._history = LtvCard(vault.book.current.id)
                self._carry = CarryCard()
                with card("A hedge for each temper") as head:
                    with head:
                        ui.link("Compare all six", "/hedge").classes("vd-button")
                    self._advice = DataTable(ADVICE_COLUMNS, label="Recommended hedge by risk profile")
                    self._advice_note = note("Comparing the hedges …")
            with ui.element("div").classes("vd-stack"):
                self._odds = RiskPanel()
                self._cure = CureCard()
                self._facts = LoanFacts()
        self._show_terms()

    def _offer(self) -> None:
        with ui.element("div").classes("vd-offer").mark("offer") as self._offer_box:
            text("span", "These figures are of an example loan. Three minutes, and they are yours.")
            ui.link("Tell us your loan", "/welcome").classes("vd-button")

    def _show_terms(self) -> None:
        """What the loan says without any price: its limits and the prices at which they are reached."""
        self._bar.show(None, self._vault.book.current.loan)
        self._show_owner()
        today = self._vault.now().astimezone(NEW_YORK).date()
        try:
            portfolio = self._vault.book.in_dollars(today)
        except Unavailable:  # without the exchange rate no price of gold can be named
            return
        loan, shares = portfolio.loan, portfolio.collateral.shares(today)
        for figure, name, limit in (
            (self._call, "call", loan.margin_call_ltv),
            (self._close, "close-out", loan.close_out_ltv),
        ):
            at = price_at_ltv(loan.amount, shares, limit)
            figure.show(price(at), f"loan ÷ ({name} limit × shares)")

    def _show_owner(self) -> None:
        book = self._vault.book
        self._facts.show_terms(book.current, is_example=book.is_example)
        visible(self._offer_box, when=book.is_example)

    def _standing(self) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "Asking for the first price.").mark("headline")
                self._detail = text("span", "").mark("detail")
            with ui.element("div").classes("vd-figures"):
                self._ltv = Figure("LTV as the lender counts it", big=True)
                self._call = Figure("margin-call price")
                self._sigmas = Figure("daily moves to a call")
                self._headroom = Figure("headroom on the loan")
                self._close = Figure("close-out price")
            self._bar = ZoneBar()
            with ui.element("div").classes("vd-countings vd-hidden").mark("countings") as self._countings_box:
                self._countings = Countings()
            self._source = note("")
            with ui.element("div").classes("vd-note vd-origin"):
                self._rate = text("span", "")
                self._rate_age = age_of("", "")

    async def show(self, beat: Beat) -> None:
        """Fill every part."""
        said = standing(beat)
        self._show_owner()
        self._headline.set_text(said.headline + " ")
        self._headline.classes(remove=" ".join(TONES), add=said.zone.value if said.zone else "muted")
        self._detail.set_text(unbroken(said.detail))
        if beat.snapshot is None or beat.status is None:
            self._advice_note.set_text("The loan cannot be valued, so nothing can be compared.")
            self._odds.say_no_price()
            return
        self._show_figures(beat, said)
        self._chart.show(beat.snapshot, beat.status.quote.at)
        self._history.show(beat.snapshot.portfolio.id, beat.at)
        self._falls.show(beat.snapshot, judged=_is_judged(beat))
        now = self._vault.now()
        self._facts.show(beat.snapshot, now)
        self._show_rate(beat, now)
        self._held.show(beat.snapshot, now.astimezone(NEW_YORK).date(), now)
        self._cure.show(beat.snapshot)
        self._carry.show(beat.snapshot)
        self._odds.show(await self._vault.odds.look(beat, beat.snapshot))
        key = (beat.snapshot.portfolio, beat.snapshot.price, beat.status.is_stale)
        if self._advised != key or beat.status.is_stale:
            self._advised = key
            await self._show_advice(beat)

    def _show_figures(self, beat: Beat, said: Standing) -> None:
        snapshot, status = beat.snapshot, beat.status
        assert snapshot is not None
        assert status is not None
        loan, symbol = snapshot.portfolio.loan, self._vault.book.symbol
        worth = f"{number(snapshot.shares, 2)} {symbol} × {price(snapshot.price)} = {usd(snapshot.gold_value)}"
        tone: Tone = "" if said.zone is None or snapshot.zone.value == "room" else snapshot.zone.value
        rate = snapshot.rate
        while_rate = "" if rate.is_dollar else f"\nwhile a dollar costs {rate_words(rate)}"
        alone = ", gold alone" if snapshot.counts_options else ""
        held = f"options {usd(snapshot.hedge_value)}" if snapshot.hedge else "No hedge is held, so none is counted."
        self._ltv.show(
            pct(snapshot.lender_ltv),
            f"{FORMULAS[loan.hedge_counting]}\nloan {owed(loan.amount, snapshot.rate)}\ngold {worth}\n{held}",
            label="LTV as the lender counts it" + (f" · {LABELS[loan.hedge_counting]}" if snapshot.hedge else ""),
            tone=tone,
        )
        visible(self._countings_box, when=snapshot.hedge is not None)
        self._countings.show(snapshot, judged=_is_judged(beat))
        self._call.show(
            price(snapshot.margin_call_price),
            f"loan ÷ (call limit × shares)\n{usd(loan.amount)} ÷ "
            f"({loan.margin_call_ltv:g} × {number(snapshot.shares, 2)}){_with_options(snapshot)}{while_rate}",
            label=f"margin-call price{alone} · {signed_pct(-snapshot.drop_to_margin_call)}",
        )
        sigmas, of_gold = beat.daily_sigmas_to_call, "" if rate.is_dollar else " of gold in dollars"
        self._sigmas.show(
            f"{number(sigmas, 1)} σ" if not snapshot.is_called else "called" if said.zone is not None else "–",
            f"ln(price ÷ call price) ÷ one day's standard deviation\n"
            f"volatility{of_gold} {pct(beat.volatility)} a year: " + beat.volatility_source,
            label=f"daily moves to a call{of_gold and ', in USD'}{alone}",
        )
        self._headroom.show(
            owed(snapshot.headroom, snapshot.rate),
            f"call limit × collateral − loan{' + options as counted' if snapshot.hedge else ''}\n"
            f"{loan.margin_call_ltv:g} × {usd(snapshot.gold_value)} − {usd(loan.amount)}"
            + (f" + {usd(loan.factor_of(snapshot.hedge_value) * snapshot.hedge_value)}" if snapshot.hedge else ""),
        )
        self._close.show(
            price(snapshot.close_out_price),
            f"loan ÷ (close-out limit × shares)\nthe lender may sell at {pct(loan.close_out_ltv, 0)} LTV{while_rate}",
            label=f"close-out price{alone} · {signed_pct(snapshot.close_out_price / snapshot.price - 1)}",
        )
        self._bar.show(None if said.zone is None else snapshot.lender_ltv, loan)
        quote = status.quote
        unofficial = " · unofficial, personal use" if quote.source == "Yahoo" else ""
        self._source.set_text(
            f"{symbol} {price(quote.price)} from {quote.source}, {moment(quote.at)}{unofficial} · "
            f"call at {pct(loan.margin_call_ltv, 0)}; the prices of call and close-out count no option"
        )

    def _show_rate(self, beat: Beat, now: datetime) -> None:
        """What a dollar costs, with its age and source: the prices above hold at this rate only."""
        assert beat.snapshot is not None
        rate = beat.snapshot.rate
        old = doubted(beat)
        worse = f", {'invented' if old.is_invented else 'old'}" if old is not None and old.thing != "price" else ""
        self._rate.set_text(
            unbroken(
                f"A dollar costs {rate_words(rate)}, from {source_words(rate.source)}{worse}, {moment(rate.at)}; the "
                "prices of call and close-out hold at that rate · "
            )
            if rate.at is not None
            else ""
        )
        show_age(self._rate_age, rate.at, now)

    async def _show_advice(self, beat: Beat) -> None:
        advice = await self._vault.advisor.advise(Research(symbol=self._vault.book.symbol), beat.status)
        if advice.withheld:
            self._advice.show([])
            self._advice_note.set_text(advice.withheld)
            return
        self._advice.show([_advice_row(advice, profile) for profile in RiskProfile])
        self._advice_note.set_text(
            f"LTV if the lender credits the puts · {'; '.join(map(unbroken, advice.assumptions))}"
        )


def _is_judged(beat: Beat) -> bool:
    """False by a rate that is invented beside a real price: no zone is named then."""
    doubt = doubted(beat)
    return doubt is None or not doubt.is_invented


def _with_options(snapshot: Snapshot) -> str:
    """Where the call comes when the lender counts the options and they keep today's value."""
    if not snapshot.counts_options:
        return ""
    at = snapshot.counted_call_price
    where = f"it calls at {price(at)}" if at > 0 else "no price brings a call"
    return f"\nwith the options at today's value {where}: (loan − options as counted) ÷ (call limit × shares)"


def _advice_row(advice: Advice, profile: RiskProfile) -> Row:
    name = advice.comparison.recommendations[profile].name
    hedge = next(hedge for hedge in advice.comparison.hedges if hedge.plan.name == name)
    ltv = hedge.protection.hedged_ltv_at_threshold
    colours = hedge_colours(each.plan.name for each in advice.comparison.hedges)
    return Row(
        profile.value,
        {
            "profile": Cell(profile.value.replace("_", " ")),
            "hedge": Cell(hedge.plan.title, swatch=colours[name]),
            "cost": Cell(pct(hedge.cost.annualized_cost_pct), hedge.cost.annualized_cost_pct),
            "ltv": Cell(pct(ltv), ltv),
        },
    )


def build(vault: Vault) -> None:
    """Lay out the page and follow the heartbeat."""
    page = Overview(vault)

    async def update(_: Beat) -> None:
        beat = vault.heartbeat.current()
        if beat is not None:
            await page.show(beat)

    follow(vault.heartbeat.feed, update)

"""Overview: how the loan stands, how far a call is, and what a fall would do."""

from nicegui import ui

from vaultdash.domain.hedge import RiskProfile
from vaultdash.domain.portfolio import DEFAULT_TARGET_LTV, price_at_ltv
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Advice, Research
from vaultdash.services.standing import standing
from vaultdash.services.vault import Vault
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.falls_table import FallsTable
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.price_chart import PriceChart
from vaultdash.ui.components.zone_bar import ZoneBar
from vaultdash.ui.format import moment, number, pct, price, signed_pct, unbroken, usd
from vaultdash.ui.live import follow
from vaultdash.ui.theme import HEDGE_COLOURS, TONES, card, note, text

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
        self._advised: tuple[float, bool] | None = None
        self._standing()
        with ui.element("div").classes("vd-columns"):
            with card(f"{vault.book.symbol} and the loan's prices") as head:
                self._chart = PriceChart(vault.book.symbol, head)
            with card("If gold falls"):
                self._falls = FallsTable()
        with ui.element("div").classes("vd-columns"):
            with card("A hedge for each temper") as head:
                with head:
                    ui.link("Compare all six", "/hedge").classes("vd-button")
                self._advice = DataTable(ADVICE_COLUMNS, label="Recommended hedge by risk profile")
                self._advice_note = note("Comparing the hedges …")
            with card("The loan"):
                with ui.element("dl").classes("vd-facts"):
                    self._facts = {name: self._fact(name) for name in FACTS}
                note(
                    "An EXAMPLE: nothing is configured. Set VAULT_UNITS and VAULT_LOAN_AMOUNT, in .env for instance."
                    if vault.book.is_example
                    else "Loan and limits come from the settings of this installation; the price decides the rest."
                )
        self._show_terms()

    def _show_terms(self) -> None:
        """What the loan says without any price: its limits and the prices at which they are reached."""
        portfolio = self._vault.book.current
        loan, collateral = portfolio.loan, portfolio.collateral
        shares = collateral.shares(self._vault.now().date())
        self._bar.show(None, loan)
        for figure, name, limit in (
            (self._call, "call", loan.margin_call_ltv),
            (self._close, "close-out", loan.close_out_ltv),
        ):
            at = price_at_ltv(loan.amount, shares, limit)
            figure.show(price(at), f"loan ÷ ({name} limit × shares)")
        known = {
            "Loan": f"{usd(loan.amount)} {loan.currency}",
            "Interest": f"{pct(loan.interest.rate, 2)} a year",
            "Held as": f"{number(collateral.units_on(self._vault.now().date()), 2)} {collateral.instrument.symbol}",
        }
        for name, value in known.items():
            self._facts[name].set_text(value)

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
            self._source = note("")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", "–")

    async def show(self, beat: Beat) -> None:
        """Fill every part."""
        said = standing(beat)
        self._headline.set_text(said.headline + " ")
        self._headline.classes(remove=" ".join(TONES), add=said.zone.value if said.zone else "muted")
        self._detail.set_text(unbroken(said.detail))
        if beat.snapshot is None or beat.status is None:
            self._advice_note.set_text("No price, so nothing can be compared.")
            return
        self._show_figures(beat)
        self._show_facts(beat)
        self._chart.show(beat.snapshot, beat.status.quote.at)
        self._falls.show(beat.snapshot)
        key = (beat.snapshot.price, beat.status.is_stale)
        if self._advised != key or beat.status.is_stale:
            self._advised = key
            await self._show_advice(beat)

    def _show_figures(self, beat: Beat) -> None:
        snapshot, status = beat.snapshot, beat.status
        assert snapshot is not None
        assert status is not None
        loan, symbol = snapshot.portfolio.loan, self._vault.book.symbol
        worth = f"{number(snapshot.shares, 2)} {symbol} × {price(snapshot.price)} = {usd(snapshot.gold_value)}"
        self._ltv.show(
            pct(snapshot.ltv),
            f"loan ÷ collateral\n{usd(loan.amount)} ÷ ({worth})\nNo hedge is held, so none is counted.",
            tone="" if snapshot.zone.value == "room" else snapshot.zone.value,
        )
        self._call.show(
            price(snapshot.margin_call_price),
            f"loan ÷ (call limit × shares)\n{usd(loan.amount)} ÷ "
            f"({loan.margin_call_ltv:g} × {number(snapshot.shares, 2)})",
            label=f"margin-call price · {signed_pct(-snapshot.drop_to_margin_call)}",
        )
        sigmas = beat.daily_sigmas_to_call
        self._sigmas.show(
            "called" if snapshot.is_called else f"{number(sigmas, 1)} σ",
            f"ln(price ÷ call price) ÷ one day's standard deviation\nvolatility {pct(beat.volatility)} a year: "
            f"{beat.volatility_source}",
        )
        self._headroom.show(
            usd(snapshot.headroom),
            f"call limit × collateral − loan\n"
            f"{loan.margin_call_ltv:g} × {usd(snapshot.gold_value)} − {usd(loan.amount)}",
        )
        self._close.show(
            price(snapshot.close_out_price),
            f"loan ÷ (close-out limit × shares)\nthe lender may sell at {pct(loan.close_out_ltv, 0)} LTV",
            label=f"close-out price · {signed_pct(snapshot.close_out_price / snapshot.price - 1)}",
        )
        self._bar.show(snapshot.ltv, loan)
        quote = status.quote
        unofficial = " · unofficial, personal use" if quote.source == "Yahoo" else ""
        self._source.set_text(
            f"{symbol} {price(quote.price)} from {quote.source}, {moment(quote.at)}{unofficial} · "
            f"call at {pct(loan.margin_call_ltv, 0)}, counted without hedges"
        )

    def _show_facts(self, beat: Beat) -> None:
        snapshot = beat.snapshot
        assert snapshot is not None
        collateral, loan = snapshot.portfolio.collateral, snapshot.portfolio.loan
        ounces = snapshot.gold_ounces
        values = (
            f"{usd(loan.amount)} {loan.currency}",
            f"{pct(loan.interest.rate, 2)} a year",
            usd(snapshot.gold_value),
            f"{number(collateral.units_on(self._vault.now().date()), 2)} {collateral.instrument.symbol}",
            "–" if ounces is None else f"{number(ounces, 2)} oz",
            usd(snapshot.max_loan),
            usd(snapshot.recommended_collateral),
        )
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(value)

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


FACTS = (
    "Loan",
    "Interest",
    "Collateral",
    "Held as",
    "Gold in it",
    "Largest loan before a call",
    f"Collateral for {pct(DEFAULT_TARGET_LTV, 0)} LTV",
)


def _advice_row(advice: Advice, profile: RiskProfile) -> Row:
    name = advice.comparison.recommendations[profile].name
    hedge = next(hedge for hedge in advice.comparison.hedges if hedge.plan.name == name)
    ltv = hedge.protection.hedged_ltv_at_threshold
    return Row(
        profile.value,
        {
            "profile": Cell(profile.value.replace("_", " ")),
            "hedge": Cell(hedge.plan.title, swatch=HEDGE_COLOURS[name]),
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

"""Risk: how likely a call is and when, what a fall or a harsher lender does, and past falls on today's loan."""

from collections.abc import Coroutine
from typing import Any

from nicegui import background_tasks, context, ui

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_report import Odds, lower_odds
from vaultdash.services.odds_volatility import VolatilityKind
from vaultdash.services.risk_words import odds_sentence, time_words
from vaultdash.services.vault import Vault
from vaultdash.ui.components.field import Field
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.odds_bars import OddsBars, chance, span_words
from vaultdash.ui.components.odds_table import DriftTable, LowerTable, OddsTable, VolatilityTable
from vaultdash.ui.components.stress_table import ShockTable, StressTable
from vaultdash.ui.format import moment, number, pct, price, rate_words, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.past_falls import PastFalls
from vaultdash.ui.theme import ChartColours, Tabs, button, card, is_dark, note, text, visible
from vaultdash.ui.typed import percent

WANTED = (("0.01", "1 %"), ("0.05", "5 %"), ("0.1", "10 %"), ("0.2", "20 %"))
FIRST_WANTED = "0.05"
BEST = "best"
KINDS = (
    (BEST, "best known"),
    (VolatilityKind.AT_CALL.value, "options at the call"),
    (VolatilityKind.AT_THE_MONEY.value, "at the money"),
    (VolatilityKind.INDEX.value, "GVZ"),
    (VolatilityKind.MOVES.value, "daily closes"),
)
MISSING = {
    VolatilityKind.AT_CALL: "No option prices are loaded, so the best known volatility is used.",
    VolatilityKind.AT_THE_MONEY: "No option prices are loaded, so the best known volatility is used.",
    VolatilityKind.INDEX: "GVZ is not stored, so the best known volatility is used. "
    "`vault-dash history import gvz_daily.csv` stores it.",
}
FACTS = (
    "a tenth of all courses is called within",
    "mean time of a call within the year",
    "called some day, if nothing is done",
)
SIGMAS = ("day", "month", "year")
MOVES, GAP, PASSED = "moves of a day · month · year", "close-out before cured", "limit passed"
GAP_WORDS = (
    "from {begin}, the close-out price is reached within the {days} business days to cure\nclosed form with "
    "the volatility of the next month, every moment watched, no jumps{simulated}"
)


class RiskPage:
    """The page's parts; the closed form is there at once, what takes longer replaces it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._odds: Odds | None = None
        self._kind: VolatilityKind | None = None
        self._view: float | None = None
        self._wanted = float(FIRST_WANTED)
        self._stressed: tuple[object, ...] | None = None
        self._asked_chains = self._loads_chains = False
        with ui.element("div").classes("vd-page") as self._root:
            self._sentence()
            with ui.element("div").classes("vd-columns even"):
                self._horizons()
                self._reckoning()
            with card("By model"):
                self._models = OddsTable()
                with ui.element("details").classes("vd-past"):
                    text("summary", "Every model and drift, with standard errors")
                    self._drifts = DriftTable()
                note(
                    "Nobody can estimate the drift of gold, so each is shown: none, what dollars earn, and its "
                    "opposite. The closed form takes the volatility of each horizon, the simulations that of twelve "
                    "months. The closed form knows neither jumps nor changing volatility; the simulated models do. "
                    "A standard error says how exact the simulation is, not how true its model."
                )
            self._reverse()
            with card("If gold falls"):
                self._stress = StressTable()
                self._stress_note = note("")
            with card("If the lender changes its terms"):
                self._shocks = ShockTable()
                note("At the price now, without any fall. Many contracts let the lender change limits at will.")
            self._falls = PastFalls(vault, self._begin)

    def _sentence(self) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "Reckoning the odds …").mark("odds-sentence")
            with ui.element("div").classes("vd-figures"):
                self._year = Figure("a call within a year", big=True)
                self._drop = Figure("fall to a call")
                self._sigmas = Figure(MOVES)
                self._median = Figure("half are called within")
                self._gap = Figure(GAP)
            self._basis = note("")

    def _horizons(self) -> None:
        with card("Within 1, 3, 6 and 12 months"):
            self._bars = OddsBars()
            with ui.element("div").classes("vd-legend"):
                for kind, words in (
                    ("central", "closed form, no drift"),
                    ("closed", "other drifts"),
                    ("simulated", "simulated"),
                ):
                    with ui.element("span"):
                        ui.element("i").classes(f"mark {kind}")
                        text("span", words)
            with ui.element("div").classes("vd-actions"):
                self._simulate = button("Simulate", self._ask_simulation, words="Simulate the models now")
                self._cancel = button("Cancel", self._vault.odds.cancel, words="Stop the simulation")
                self._progress = text("span", "", "muted").props("role=status").mark("simulation")
            visible(self._cancel, when=False)
            with ui.element("dl").classes("vd-facts"):
                self._facts = {name: _fact(name) for name in FACTS}

    def _reckoning(self) -> None:
        with card("Volatility and drift"):
            Tabs(KINDS, BEST, self._choose_kind)
            self._unknown = text("div", "", "vd-problem warning").props("role=status")
            self._volatilities = VolatilityTable()
            with ui.element("div").classes("vd-actions"):
                currency = self._vault.book.current.loan.currency
                gold = "gold" if currency == DOLLAR.currency else f"gold in {currency}"
                self._view_field = Field(
                    f"Your own view: {gold} rises a year by",
                    self._type_view,
                    unit="%",
                    kind="percent",
                    hint="empty: none. −5 for a fall of 5 %",
                )
                self._chains = button("Load option prices", self._ask_chains, words="Load option prices for the odds")
            self._chains_said = note("").props("role=status")

    def _reverse(self) -> None:
        with card("The loan for a wanted probability") as head:
            with head:
                self._wanted_tabs = Tabs(WANTED, FIRST_WANTED, self._choose_wanted)
            self._reverse_words = text("div", "")
            self._lower = LowerTable()
            with ui.element("div").classes("vd-actions"):
                self._wanted_field = Field(
                    "Another probability of a call within a year", self._type_wanted, unit="%", kind="percent"
                )
            note(
                "Closed form, a call seen at a close. Each way alone is enough; gold added or sold at the price now."
            )

    async def update(self, _: Beat | None = None) -> None:
        """Everything that follows from the price."""
        beat = self._vault.heartbeat.current()
        if beat is None:
            return
        if beat.snapshot is None:
            self._headline.set_text("No price, so nothing can be said of the odds.")
            self._basis.set_text(beat.problem or "")
            self._falls.say_no_price()
            return
        odds = await self._vault.odds.look(beat, beat.snapshot, kind=self._kind, view=self._view)
        self._show(odds, beat)
        await self._show_stress(beat.snapshot, invented=beat.status is not None and beat.status.quote.is_demo)
        await self._falls.update(beat.snapshot)
        if not self._loads_chains:  # their volatility may be another
            self._vault.odds.wish(odds)

    def _show(self, odds: Odds, beat: Beat) -> None:
        self._odds = odds
        self._headline.set_text(unbroken(odds_sentence(odds)))
        self._headline.classes(add="call" if odds.is_called else "", remove="" if odds.is_called else "call")
        self._show_figures(odds)
        self._bars.show(odds)
        self._models.show(odds)
        self._drifts.show(odds)
        self._volatilities.show(odds)
        self._show_lower()
        self._show_progress()
        missing = self._kind is not None and odds.volatility.kind is not self._kind
        self._unknown.set_text(MISSING.get(self._kind or VolatilityKind.GIVEN, "") if missing else "")
        quote = beat.status.quote if beat.status is not None else None
        source = "" if quote is None else f" from {quote.source}, {moment(quote.at)}"
        stale = " (stale)" if beat.status is not None and beat.status.is_stale else ""
        growth = f"the loan grows {pct(odds.loan_rate, 2)} a year" if odds.loan_rate else "interest is paid in cash"
        self._basis.set_text(
            unbroken(
                f"{self._vault.book.symbol} {price(odds.snapshot.price)}{source}{stale} · call price "
                f"{price(odds.snapshot.margin_call_price)}{_held(odds.snapshot.rate)} · volatility "
                f"{pct(odds.volatility.yearly)} a year ahead "
                f"from {odds.volatility.name} · {growth} · a call is seen at a close · no option counted"
            )
        )

    def _show_figures(self, odds: Odds) -> None:
        snapshot, sigmas = odds.snapshot, dict(odds.sigmas())
        low, high = odds.span(12)
        self._year.show(
            span_words(low, high),
            f"lowest and highest of {len(odds.models)} models and drifts\nclosed form without drift: "
            f"{chance(odds.central.by_months[12])}\n{odds.volatility.source}",
            tone="call" if odds.is_called else "",
        )
        drop = snapshot.drop_to_margin_call
        self._drop.show(
            "called" if odds.is_called else PASSED if odds.passed else pct(drop),
            f"1 − call price ÷ price\n1 − {price(snapshot.margin_call_price)} ÷ {price(snapshot.price)}",
        )
        self._sigmas.show(
            PASSED if odds.passed else f"{' · '.join(number(sigmas[name], 1) for name in SIGMAS)} σ",
            "ln(price ÷ call price) ÷ standard deviation\nof a trading day, of 21 and of 252 of them",
            label="the call price" if odds.passed else MOVES,
        )
        ever = f"{chance(odds.time.ever)} are called some day, without drift"
        self._median.show(time_words(odds.time.median), f"closed form, no drift, at each close\n{ever}")
        facts = (time_words(odds.time.tenth), time_words(odds.time.expected), chance(odds.time.ever))
        for name, value in zip(FACTS, facts, strict=True):
            self._facts[name].set_text(value)
        gaps = odds.gaps
        simulated = "" if len(gaps) == 1 else f"\n{len(gaps) - 1} simulations are part of the range"
        begin = "the price now" if odds.passed else "the call price"
        self._gap.show(
            PASSED if odds.passed == "close-out" else span_words(min(gaps), max(gaps)),
            GAP_WORDS.format(begin=begin, days=snapshot.portfolio.loan.cure_days, simulated=simulated),
            label="the close-out price" if odds.passed == "close-out" else GAP,
        )

    def _show_lower(self) -> None:
        if self._odds is None:
            return
        rows = lower_odds(self._odds, self._wanted, 12)
        self._lower.show(rows, self._odds.snapshot.rate)
        worst = min(rows, key=lambda row: row.ltv)
        self._reverse_words.set_text(
            unbroken(
                f"For a call in {pct(self._wanted, 1)} of all courses over a year the LTV would be "
                f"{pct(worst.ltv)} to {pct(max(row.ltv for row in rows))}, depending on the drift; it is "
                f"{pct(self._odds.snapshot.ltv)} now."
            )
        )

    async def _show_stress(self, snapshot: Snapshot, *, invented: bool) -> None:
        key = (snapshot.price, snapshot.portfolio, snapshot.rate, round(snapshot.hedge_value, 2))
        if key == self._stressed:
            return
        report = await self._vault.stress.table(snapshot, invented=invented)
        self._stressed = key
        self._stress.show(report)
        self._shocks.show(report)
        self._stress_note.set_text(unbroken(" ".join(report.remarks)))

    def _show_progress(self) -> None:
        state = self._vault.odds.progress
        self._progress.set_text(state.words)
        visible(self._cancel, when=state.is_working)
        is_called = self._odds is None or self._odds.is_called or self._odds.needs_options
        visible(self._simulate, when=not state.is_working and not is_called)

    async def told(self, _: object) -> None:
        """A simulation has come further: the words at once, the figures when it is done."""
        self._show_progress()
        if not self._vault.odds.progress.is_working:
            await self.update()

    def dress(self, *, dark: bool) -> None:
        """Draw the chart for the other mode."""
        self._falls.dress(ChartColours(dark=dark))

    def _ask_simulation(self) -> None:
        if self._odds is not None:
            self._vault.odds.wish(self._odds, anew=True)

    def _ask_chains(self) -> None:
        self._begin(self._load_chains())

    async def _load_chains(self) -> None:
        self._chains_said.set_text("Asking for option prices …")
        self._loads_chains = True
        try:
            problem = await self._vault.odds.volatilities.load_chains(self._vault.book.symbol)
        finally:
            self._loads_chains = False
        self._chains_said.set_text(f"Option prices could not be had: {problem}." if problem else "")
        await self.update()

    def load_missing(self) -> None:
        """Ask once for option prices when those loaded do not reach over the horizons."""
        if not self._asked_chains and self._vault.odds.volatilities.lacks_chains(self._vault.book.symbol):
            self._asked_chains = self._loads_chains = True
            self._ask_chains()

    def _choose_kind(self, value: str) -> None:
        self._kind = None if value == BEST else VolatilityKind(value)
        self._begin(self.update())

    def _type_view(self, typed: str) -> None:
        try:
            view = percent("view", typed, least_bare=0.0) if typed.strip() else None
            if view is not None and abs(view) > 1:
                raise InvalidInput("view", "must be between −100 and 100 % a year")
        except InvalidInput as error:
            self._view_field.say(error.reason)
            return
        self._view_field.say(None)
        self._view = view
        self._begin(self.update())

    def _choose_wanted(self, value: str) -> None:
        self._wanted = float(value)
        self._wanted_field.fill("")
        self._wanted_field.say(None)
        self._show_lower()

    def _type_wanted(self, typed: str) -> None:
        if not typed.strip():
            return
        try:
            wanted = percent("probability", typed, least_bare=0.0)
            if not 0 < wanted < 1:
                raise InvalidInput("probability", "must be between 0 and 100 %")
        except InvalidInput as error:
            self._wanted_field.say(error.reason)
            return
        self._wanted_field.say(None)
        self._wanted = wanted
        self._wanted_tabs.show("")
        self._show_lower()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        background_tasks.create(self._guarded(work), name="risk page")

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        if self._root.is_deleted:
            work.close()
            return
        with self._root:
            try:
                await work
            except VaultError as error:
                self._chains_said.set_text(str(error))


def _held(rate: ExchangeRate) -> str:
    """Beside a call price in USD that holds at one exchange rate only."""
    if rate.is_dollar:
        return ""
    at = "" if rate.at is None else f", {moment(rate.at)}"
    return f" while a dollar costs {rate_words(rate)} ({rate.source}{at})"


def _fact(name: str) -> ui.label:
    text("dt", name)
    return text("dd", "–")


async def build(vault: Vault) -> None:
    """Lay out the page, fill it with what is known, and follow the price and the simulations."""
    page = RiskPage(vault)
    await context.client.connected()
    page.dress(dark=await is_dark())
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))
    page.load_missing()
    follow(vault.heartbeat.feed, page.update)
    follow(vault.odds.told, page.told)

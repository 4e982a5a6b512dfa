"""Past falls of gold on the loan: the table, the chosen one as a picture and in words, and days of one's own."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from typing import Any

from nicegui import ui

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.risk_words import cure_sentence, selloffs_sentence
from vaultdash.services.selloff_replay import SelloffReport
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.field import Field
from vaultdash.ui.components.replay_chart import replay_options
from vaultdash.ui.components.replay_table import ReplayTable, told
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.format import day, pct, price, unbroken
from vaultdash.ui.theme import ChartColours, Tabs, button, card, note, text, visible
from vaultdash.ui.typed import day as typed_day
from vaultdash.ui.typed import percent

TODAY, DRAWN = "today", "drawn"
LOANS = ((TODAY, "today's loan"), (DRAWN, "drawn at each peak"))
FIRST_DRAWN = 0.60
Begin = Callable[[Coroutine[Any, Any, None]], None]


class PastFalls:
    """Replays when the loan or its LTV has changed by a tenth of a point, not at every tick."""

    def __init__(self, vault: Vault, begin: Begin) -> None:
        self._vault = vault
        self._begin = begin
        self._snapshot: Snapshot | None = None
        self._ltv: float | None = None
        self._drawn_ltv = FIRST_DRAWN
        self._days: tuple[date | None, date | None] | None = None
        self._report: SelloffReport | None = None
        self._picked: str | None = None
        self._key: object = None
        self._colours = ChartColours(dark=True)
        with card("How it would have gone in past falls") as head:
            with head:
                self._tabs = Tabs(LOANS, TODAY, self._choose_loan)
            self._sentence = text("div", "Replaying past falls …").mark("selloffs-sentence")
            self._doubt = text("div", "", "vd-problem warning").props("role=status")
            self._waiting = Waiting(lambda: self._begin(self._load()))
            self._title = text("h3", "", "vd-fall-title")
            self._told = text("div", "").mark("fall-told")
            self._cure = text("div", "").mark("fall-cure")
            self._hedged = ui.link("Which hedge would have helped?", "/backtest").classes("vd-link vd-follow")
            with ui.element("div") as self._picture:
                self._chart = Chart("The price during the chosen fall, with the loan's limits")
            self._table = ReplayTable(self._pick)
            self._basis = note("")
            self._own_days()
        visible(self._picture, when=False)

    def _own_days(self) -> None:
        with ui.element("div").classes("vd-actions vd-own-days"):
            self._from = Field("From", lambda _: None, kind="day", words="First day of your own fall")
            self._to = Field("to", lambda _: None, kind="day", words="Last day of your own fall")
            self._drawn = Field(
                "LTV at each peak", self._type_ltv, value=f"{FIRST_DRAWN * 100:g}", unit="%", kind="percent"
            )
            button("Replay these days", self._ask_own, words="Replay the loan on your own days")
            self._back = button("Named falls", self._named, words="Back to the named falls")
        self._own_problem = text("div", "", "vd-field-problem call").props("role=alert")
        visible(self._back, when=False)

    async def update(self, snapshot: Snapshot) -> None:
        """Replay again when what it stands on has changed enough to be seen."""
        self._snapshot = snapshot
        terms = replace(snapshot.portfolio.loan, amount=1.0)  # whose dollars move with each tick of the rate
        owed = round(snapshot.owed, 2), snapshot.rate.currency
        key = (round(snapshot.ltv, 3), owed, terms, snapshot.portfolio.target_ltv, self._ltv, self._days)
        if key != self._key:
            self._key = key
            await self._load()

    async def _load(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        if self._report is None:
            self._waiting.wait("Replaying past falls")
        try:
            if self._days is None:
                report = await self._vault.selloffs.named(snapshot, self._ltv)
            else:
                report = await self._vault.selloffs.between(snapshot, *self._days, self._ltv)
        except VaultError as error:
            if self._days is not None:
                self._own_problem.set_text(f"{error}.")
                self._days = None
            else:
                self._waiting.fail("Past falls could not be replayed", str(error))
                self._sentence.set_text("")
            return
        self._waiting.done()
        self._show(report)

    def _show(self, report: SelloffReport) -> None:
        self._report = report
        visible(self._back, when=self._days is not None)
        self._sentence.set_text(unbroken(selloffs_sentence(report)))
        self._doubt.set_text(report.remarks[0] if report.is_demo else "")
        known = [row.id for row in report.rows]
        if self._picked not in known:
            self._picked = next((row.id for row in report.rows if row.replay is not None), known[0])
        self._table.show(report, self._picked)
        prices = "prices of the time" if report.rate.is_dollar else f"prices of {report.priced_by}"
        start = (
            f"today's loan at {pct(report.ltv)}, each path scaled to {price(report.price)}"
            if report.is_todays_loan
            else f"a loan drawn at {pct(report.ltv)} on today's units at each start, {prices}"
        )
        remarks = report.remarks[1:] if report.is_demo else report.remarks
        self._basis.set_text(
            unbroken(
                f"{report.symbol}, {report.source}, daily prices of {day(report.first)} to {day(report.last)} · "
                f"{start} · " + " ".join(remarks)
            )
        )
        self._show_picked()

    def _show_picked(self) -> None:
        report = self._report
        row = None if report is None else next((row for row in report.rows if row.id == self._picked), None)
        if report is None or row is None:
            return
        self._title.set_text(row.name)
        self._told.set_text(unbroken(told(row)))
        found = row.replay
        visible(self._hedged, when=self._days is None and found is not None)
        self._hedged.props(f'href="/backtest?event={row.id}"')
        self._cure.set_text("")
        if found is not None and found.call is not None:
            loan = report.loan
            cured = cure_sentence(found.call, pct(loan.warning_ltv, 0), found.call.to_warning, report.rate)
            self._cure.set_text(unbroken(cured))
        visible(self._picture, when=found is not None)
        if found is not None:
            self._chart.show(replay_options(found, report.priced_by, self._colours))

    def say_no_price(self) -> None:
        """Without a price there is no loan to replay."""
        self._sentence.set_text("No price, so nothing can be replayed.")

    def dress(self, colours: ChartColours) -> None:
        """Draw the picture in other colours."""
        self._colours = colours
        self._show_picked()

    def _pick(self, chosen: str) -> None:
        self._picked = chosen
        self._show_picked()
        ui.run_javascript(
            f"getHtmlElement({self._title.id}).scrollIntoView({{block: 'nearest', behavior: 'smooth'}})"
        )

    def _choose_loan(self, value: str) -> None:
        self._ltv = None if value == TODAY else self._drawn_ltv
        self._again()

    def _type_ltv(self, typed: str) -> None:
        try:
            ltv = percent("LTV", typed)
            if not 0 < ltv < 1:
                raise InvalidInput("LTV", "must be between 0 and 100 %")
        except InvalidInput as error:
            self._drawn.say(error.reason)
            return
        self._drawn.say(None)
        self._drawn_ltv = ltv
        self._ltv = ltv
        self._tabs.show(DRAWN)
        self._again()

    def _ask_own(self) -> None:
        self._own_problem.set_text("")
        try:
            first, last = (
                typed_day(name, field.text) if field.text.strip() else None
                for name, field in (("The first day", self._from), ("The last day", self._to))
            )
        except InvalidInput as error:
            self._own_problem.set_text(f"{error}.")
            return
        if first is None and last is None:
            self._own_problem.set_text("Say at least one of the days; the other is then the first or last known.")
            return
        self._days = (first, last)
        self._again()

    def _named(self) -> None:
        self._days = None
        self._own_problem.set_text("")
        self._again()

    def _again(self) -> None:
        if self._snapshot is not None:
            self._begin(self.update(self._snapshot))

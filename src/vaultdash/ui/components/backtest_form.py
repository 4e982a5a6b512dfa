"""The form of a backtest: which fall, which loan, which hedges, and by what prices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import events, ui

from vaultdash.backtest.scenario import Source, TradeAt
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.selloff_events import Event
from vaultdash.ui.components.backtest_draft import (
    BY_AMOUNT,
    BY_LTV,
    CAPITALISED,
    OWN_DAYS,
    PAID,
    TODAY,
    TYPED,
    BacktestDraft,
    gld_shares,
    typed_as_today,
)
from vaultdash.ui.components.backtest_hedges import HedgeChoice
from vaultdash.ui.components.backtest_start import start_doubt
from vaultdash.ui.components.backtest_words import COUNTINGS, with_days
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.format import day, number, pct, price, signed_pct, unbroken, usd
from vaultdash.ui.theme import button, note, text, visible

SOURCES = {Source.MODELLED.value: "modelled", Source.OBSERVED.value: "observed chains"}
SOURCE_HINTS = {
    Source.MODELLED.value: "From daily gold and its volatility index: any days whose prices are stored.",
    Source.OBSERVED.value: "Only contracts and quotes of recorded daily chains: the days that are stored, no others.",
}
TRADES = {TradeAt.NEXT_CLOSE.value: "at the next close", TradeAt.SAME_CLOSE.value: "at the same close"}
FAN = {"yes": "yes", "no": "no"}


@dataclass(frozen=True, slots=True)
class FormActs:
    """What the buttons of the form do: run, keep the typed days as a fall, take a fall of one's own out again."""

    run: Callable[[], object]
    keep_days: Callable[[], object]
    forget: Callable[[str], object]


class BacktestForm:
    """Writes into a draft; `show` fills it from another one, `say` puts what is wrong below the fields."""

    def __init__(self, draft: BacktestDraft, changed: Callable[[], object], acts: FormActs) -> None:
        self.draft = draft
        self._changed = changed
        self._events: Mapping[str, Event] = {}
        self._templates: Sequence[HedgeTemplate] = ()
        self._snapshot: Snapshot | None = None
        self._fields: dict[str, Field] = {}
        self._choices: dict[str, Choice] = {}
        self._lay_out(acts)
        self._follow()

    def _lay_out(self, acts: FormActs) -> None:
        with ui.element("div").classes("vd-fields"):
            with ui.element("div").classes("vd-field wide"):
                text("span", "Fall of gold", "vd-field-label")
                self._event = ui.select({OWN_DAYS: "days of your own"}, value=OWN_DAYS, on_change=self._choose_event)
                self._event.props("outlined dense options-dense aria-label='Fall of gold'").mark("event")
                self._told = note("")
                with ui.element("div").classes("vd-actions") as self._own:
                    forget = "Take this fall of yours out of the list"
                    button("Forget this fall", lambda: acts.forget(self.draft.event), words=forget)
                self._event_problem = text("span", "", "vd-field-problem call").props("role=alert")
            with ui.element("div").classes("vd-fields vd-inner") as self._days:
                self._field("start", "From", kind="day", words="First day of the backtest")
                self._field("end", "to", kind="day", words="Last day of the backtest")
                with ui.element("div").classes("vd-actions vd-below"):
                    button("Keep these days as a fall", acts.keep_days, words="Keep these days in the list of falls")
            self._choice("basis", "Loan", {TODAY: "today's loan", TYPED: "other terms"})
            with ui.element("div").classes("vd-fields vd-inner") as self._typed:
                self._terms()
            self._hedges = HedgeChoice(self._choose_hedges)
        with ui.element("details").classes("vd-past vd-further"):
            text("summary", "Prices, entry dates, cash and name")
            with ui.element("div").classes("vd-fields vd-more"):
                self._choice("source", "Option prices", SOURCES)
                self._choice("trade_at", "A decision made at a close is carried out", TRADES)
                self._choice(
                    "fan",
                    "Also bought 1, 3, 6 and 9 months before",
                    FAN,
                    "A hedge bought the day before a fall is luck; this shows how much.",
                )
                self._field("spare_cash", "Cash at hand for a call", unit="USD", kind="amount")
                self._field("name", "Name of the run", hint="May stay empty.")
        with ui.element("div").classes("vd-actions"):
            button("Run the backtest", acts.run, main=True)
            self._problem = (
                text("span", "", "vd-field-problem vd-lines call").props("role=alert").mark("form-problem")
            )

    def _terms(self) -> None:
        self._field("units", "Gold", unit="GLD shares", kind="amount")
        self._choice("owes", "Owed at the start, by", {BY_LTV: "LTV", BY_AMOUNT: "amount"})
        self._field("ltv", "LTV at the start", unit="%", kind="percent")
        self._field("loan", "Loan, in dollars of the time", unit="USD", kind="amount")
        self._field("call_ltv", "Margin call at", unit="%", kind="percent")
        self._field("warning_ltv", "Warning at", unit="%", kind="percent", hint="empty: 70 %, or below the call")
        self._field("close_out_ltv", "Close-out at", unit="%", kind="percent", hint="empty: 85 %, or the call")
        self._field("cure_days", "Business days to cure", kind="amount")
        self._field("interest", "Interest a year", unit="%", kind="percent")
        self._choice("paying", "Interest is", {PAID: "paid in cash", CAPITALISED: "added"})
        self._choice("counting", "The lender counts options", {one.value: words for one, words in COUNTINGS.items()})
        self._field("haircut", "Haircut on options", unit="%", kind="percent", hint="of a lender who credits them")

    def offer_events(self, events: Sequence[Event]) -> None:
        """The falls to choose from; one whose prices are not stored says so."""
        self._events = {event.id: event for event in events}
        options = {OWN_DAYS: "days of your own"} | {event.id: event_label(event) for event in events}
        if self.draft.event not in options:
            self.draft.event = OWN_DAYS
        self._event.set_options(options, value=self.draft.event)
        self._follow()

    def offer_hedges(self, templates: Sequence[HedgeTemplate]) -> None:
        """The hedges to choose from; one that is gone takes part no more."""
        self._templates = templates
        known = [one.id for one in templates]
        self.draft.templates = [one for one in known if one in self.draft.templates]
        self._hedges.offer(templates, self.draft.templates)

    def changed_since(self, used: Sequence[HedgeTemplate]) -> str:
        """What of the hedges that a run used is not the same any more: it is run with those of now."""
        now = {one.id: one for one in self._templates}
        gone = [one.name for one in used if one.id not in now]
        other = [
            f"{one.name} (version {one.version} then, {now[one.id].version} now)"
            for one in used
            if one.id in now and now[one.id].version != one.version
        ]
        said = [f"No longer there: {', '.join(gone)}."] if gone else []
        return " ".join([*said, f"Changed since: {', '.join(other)}."] if other else said)

    def show(self, draft: BacktestDraft) -> None:
        """Fill everything from another draft, which is typed into from now on."""
        self.draft = draft
        if self._templates:
            draft.templates = [one.id for one in self._templates if one.id in draft.templates]
        if self._events and draft.event not in self._events:
            draft.event = OWN_DAYS
        self._event.value = draft.event if draft.event in self._event.options else OWN_DAYS
        for name, field in self._fields.items():
            field.fill(getattr(draft, name))
            field.is_touched = False
        for name, choice in self._choices.items():
            value = getattr(draft, name)
            choice.fill(("yes" if value else "no") if name == "fan" else value)
        self._hedges.choose(draft.templates)
        self._follow()
        self.say({})

    def know(self, snapshot: Snapshot | None) -> None:
        """The loan of today, at its newest price."""
        self._snapshot = snapshot
        self._choices["basis"].explain(self._basis_words())
        self._show_doubt()

    def say(self, problems: Mapping[str, str], general: str = "") -> None:
        """Put the reasons below their fields, and below the button what belongs to none."""
        for name, field in self._fields.items():
            field.say(problems.get(name))
        for name, choice in self._choices.items():
            choice.say(problems.get(name))
        self._hedges.say(problems.get("templates"))
        self._event_problem.set_text(problems.get("event", ""))
        shown = {*self._fields, *self._choices, "templates", "event"}
        rest = [said for name, said in problems.items() if name not in shown or name in self._hidden()]
        self._problem.set_text("\n".join(said for said in (*rest, general) if said))
        self._show_doubt()

    def _hidden(self) -> set[str]:
        """Fields that may not be seen now: what is wrong with them is said below the button, too."""
        hidden = {"source", "trade_at", "fan", "spare_cash", "name"}  # behind the fold
        if self.draft.event != OWN_DAYS:
            hidden |= {"start", "end"}
        if self.draft.basis == TODAY:
            hidden |= {"units", "ltv", "loan", "call_ltv", "warning_ltv", "close_out_ltv", "cure_days", "interest"}
            hidden |= {"haircut", "counting", "paying", "owes"}
        return hidden | {"loan" if self.draft.owes == BY_LTV else "ltv"}

    def _field(self, name: str, label: str, **how: Any) -> None:
        self._fields[name] = Field(
            label, lambda typed: self._type(name, typed), value=str(getattr(self.draft, name)), **how
        )

    def _choice(self, name: str, label: str, choices: Mapping[str, str], hint: str = "") -> None:
        value = getattr(self.draft, name)
        chosen = ("yes" if value else "no") if name == "fan" else value
        self._choices[name] = Choice(label, choices, chosen, lambda picked: self._choose(name, picked), hint=hint)

    def _type(self, name: str, typed: str) -> None:
        setattr(self.draft, name, typed)
        self._changed()

    def _choose(self, name: str, picked: str) -> None:
        if name == "basis" and picked == TYPED and self.draft.basis == TODAY and self._snapshot is not None:
            typed_as_today(self.draft, self._snapshot)
            self.draft.basis = TYPED
            self.show(self.draft)
        setattr(self.draft, name, picked == "yes" if name == "fan" else picked)
        self._follow()
        self._changed()

    def _choose_event(self, event: events.ValueChangeEventArguments[Any]) -> None:
        chosen = str(event.value or "")
        if chosen == self.draft.event:
            return
        known = self._events.get(self.draft.event)
        self.draft.event = chosen
        if chosen == OWN_DAYS and known is not None and not self.draft.start:  # the days of the last one, to be moved
            self.draft.start, self.draft.end = known.start.isoformat(), known.end.isoformat()
            for name in ("start", "end"):
                self._fields[name].fill(getattr(self.draft, name))
        self._follow()
        self._changed()

    def _choose_hedges(self, chosen: list[str]) -> None:
        self.draft.templates = chosen
        self._changed()

    def _follow(self) -> None:
        """Show what belongs to the choices made."""
        known = self._events.get(self.draft.event)
        self._told.set_text("" if known is None else event_words(known))
        visible(self._own, when=known is not None and known.is_own)
        visible(self._days, when=self.draft.event == OWN_DAYS)
        visible(self._typed, when=self.draft.basis == TYPED)
        self._fields["ltv"].show(when=self.draft.owes == BY_LTV)
        self._fields["loan"].show(when=self.draft.owes == BY_AMOUNT)
        self._fields["haircut"].show(when=self.draft.counting == HedgeCounting.CREDITED.value)
        self._choices["source"].explain(SOURCE_HINTS[self.draft.source])
        self._choices["basis"].explain(self._basis_words())
        self._show_doubt()

    def _show_doubt(self) -> None:
        """Say at the LTV that the loan is called on the first day; a loan of today has no field for it."""
        draft = self.draft
        doubt = start_doubt(draft, self._snapshot, self._events.get(draft.event))
        by_ltv = draft.owes == BY_LTV
        self._choices["basis"].warn(doubt if draft.basis == TODAY else "")
        self._fields["ltv"].warn(doubt if draft.basis == TYPED and by_ltv else "")
        self._fields["loan"].warn(doubt if draft.basis == TYPED and not by_ltv else "")

    def _basis_words(self) -> str:
        if self.draft.basis == TYPED:
            return "Prices of the time: the loan is drawn at the start."
        return "" if self._snapshot is None else unbroken(today_words(self._snapshot))


def today_words(snapshot: Snapshot) -> str:
    """Today's loan in a line, as it is taken back in time."""
    loan, units = snapshot.portfolio.loan, gld_shares(snapshot)
    if units is None:
        return "What is pledged today is not gold."
    abroad = "" if snapshot.rate.is_dollar else " In dollars: what a dollar costs is taken to stand still."
    return (
        f"{number(units)} GLD shares at an LTV of {pct(snapshot.ltv)} at prices of the time (today "
        f"{usd(loan.amount)} at {price(snapshot.price)}), call at {pct(loan.margin_call_ltv, 0)}, close-out at "
        f"{pct(loan.close_out_ltv, 0)}, {loan.cure_days} business days to cure, interest "
        f"{pct(loan.interest.rate, 2)} "
        f"{'added to the loan' if loan.interest.capitalised else 'paid in cash'}, "
        f"options {COUNTINGS[loan.hedge_counting].removeprefix('options ')}. Options you hold are left out.{abroad}"
    )


def event_label(event: Event) -> str:
    """An event in the list: `January 2026 · −13.9 % · 29 Jan 2026 – 2 Feb 2026`."""
    depth = "" if event.depth is None else f" · {signed_pct(event.depth)}"
    lacking = " · no prices stored" if event.missing else ""
    return f"{event.name}{' (yours)' if event.is_own else ''}{depth} · {day(event.start)} – {day(event.end)}{lacking}"


def event_words(event: Event) -> str:
    """What happened, and what is doubtful about its prices."""
    figures = event.figures
    said = [event.told]
    if event.missing:
        said.append(
            f"It cannot be replayed: {with_days(event.missing)}. `vault-dash history import` brings older prices."
        )
    elif figures is not None:
        said.append(
            f"Stored closes: {price(figures.first_close)} to {price(figures.lowest_close)}, "
            f"{signed_pct(figures.depth)}, {figures.days} trading days"
            + (" (DEMO: invented prices)." if figures.is_demo else ".")
        )
    if event.doubt:
        said.append(event.doubt)
    return unbroken(" ".join(part for part in said if part))

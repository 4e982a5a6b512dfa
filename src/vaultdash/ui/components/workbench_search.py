"""The form of the search: what must be kept until when, how options count, and what may be used for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nicegui import events, ui

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_request import CheckDates, Goal
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.workbench_search_draft import NO, YES, SearchDraft
from vaultdash.ui.format import day, unbroken
from vaultdash.ui.theme import button, text, visible

GOALS = {
    Goal.CHEAPEST.value: "the cheapest hedge",
    Goal.BEST_PROTECTION.value: "the best for a budget",
    Goal.ZERO_COST.value: "a collar that costs nothing",
}
FIND = {
    Goal.CHEAPEST.value: "Find the cheapest",
    Goal.BEST_PROTECTION.value: "Find the best",
    Goal.ZERO_COST.value: "Find the collar",
}
GOAL_HINTS = {
    Goal.CHEAPEST.value: "Whole contracts, bought at the ask and sold at the bid, commission included.",
    Goal.BEST_PROTECTION.value: "The highest floor under gold and hedge that the budget buys.",
    Goal.ZERO_COST.value: "Puts paid for by sold calls, as far above the price as they can be sold.",
}
COUNTINGS = {
    HedgeCounting.AFTER_PAYMENT.value: "after payment",
    HedgeCounting.CREDITED.value: "credited",
    HedgeCounting.IGNORED.value: "ignored",
}
COUNTING_HINTS = {
    HedgeCounting.AFTER_PAYMENT.value: "sold or exercised, the money repays the loan",
    HedgeCounting.CREDITED.value: "the lender holds them as collateral",
    HedgeCounting.IGNORED.value: "gold and loan alone: no option can help",
}
FUNDINGS = {
    PremiumFunding.CASH.value: "cash",
    PremiumFunding.LOAN.value: "the loan",
    PremiumFunding.SELL_GOLD.value: "gold that is sold",
}
DATES = {CheckDates.EXPIRY.value: "at expiry", CheckDates.ALL.value: "on earlier days, too"}
YES_NO = {NO: "no", YES: "yes"}
BEHIND_FOLD = {"fall", "max_loss", "max_puts", "commission", "check_dates", "call_above"}


@dataclass(frozen=True, slots=True)
class SearchActs:
    """What the buttons do, and what is told at each change."""

    find: Callable[[], object]
    cancel: Callable[[], object]
    changed: Callable[[], object]


class SearchForm:
    """Writes into a draft; `say` puts what is wrong below the fields."""

    def __init__(self, draft: SearchDraft, acts: SearchActs) -> None:
        self.draft = draft
        self._acts = acts
        self._fields: dict[str, Field] = {}
        self._choices: dict[str, Choice] = {}
        self._filling = False
        with ui.element("div").classes("vd-fields vd-search"):
            self._choice("goal", "Find", GOALS)
            self._field("ltv", "LTV at most", unit="%", kind="percent")
            with ui.element("div").classes("vd-field"):
                text("span", "It must last until", "vd-field-label")
                self._until = ui.select({}, on_change=self._choose_day).props("outlined dense options-dense")
                self._until.props["aria-label"] = "It must last until"
                self._until_problem = text("span", "", "vd-field-problem call").props("role=alert")
            self._field("budget", "Costing at most", unit="USD", kind="amount", hint="empty: no limit")
            self._choice("calls", "Calls may be sold", YES_NO)
            self._choice("counting", "Options are counted", COUNTINGS)
            self._choice("funding", "The premium is paid from", FUNDINGS)
        self._further()
        with ui.element("div").classes("vd-actions"):
            with ui.element("button").classes("vd-button").props("type=button") as self._find:
                self._find_words = ui.label(FIND[draft.goal])
            self._find.on("click", lambda: acts.find())
            self._cancel = button("Cancel", acts.cancel, words="Cancel the search")
            self._problem = text("span", "", "vd-field-problem vd-lines call").props("role=alert")
        self.busy(when=False)
        self._follow()

    def _further(self) -> None:
        with ui.element("details").classes("vd-past vd-further"):
            text("summary", "Falls, losses, number of contracts, days")
            with ui.element("div").classes("vd-fields vd-search vd-more"):
                self._field("fall", "Down to a fall of", unit="%", kind="percent")
                self._field(
                    "max_loss",
                    "Loss of at most",
                    unit="%",
                    kind="percent",
                    hint="of the gold's value now, hedge included; empty: any",
                )
                self._field("max_puts", "Puts at most", kind="amount", hint="empty: any number")
                self._field("commission", "Commission a contract", unit="USD", kind="amount")
                self._field(
                    "call_above", "Calls sold from", unit="% above", kind="percent", hint="above the price now"
                )
                self._choice("check_dates", "Checked", DATES)

    def offer(self, days: Sequence[date]) -> None:
        """The expirations that are listed."""
        self._filling = True
        chosen = self.draft.horizon
        value = None if chosen is None else chosen.isoformat()
        options = {one.isoformat(): day(one) for one in days}
        self._until.set_options(options, value=value if value in options else None)
        self._filling = False

    def show(self) -> None:
        """Fill everything from the draft."""
        for name, field in self._fields.items():
            field.fill(str(getattr(self.draft, name)))
        for name, choice in self._choices.items():
            choice.fill(self._chosen(name))
        self.offer([date.fromisoformat(one) for one in self._until.options])
        self._follow()

    def say(self, problems: Mapping[str, str], general: str = "") -> None:
        """Put the reasons below their fields, and below the button what belongs to none or stands behind the fold."""
        for name, field in self._fields.items():
            field.say(problems.get(name))
        for name, choice in self._choices.items():
            choice.say(problems.get(name))
        self._until_problem.set_text(problems.get("horizon", ""))
        shown = {*self._fields, *self._choices, "horizon"} - BEHIND_FOLD
        rest = [said for name, said in problems.items() if name not in shown]
        self._problem.set_text(unbroken("\n".join(said for said in (*rest, general) if said)))

    def busy(self, *, when: bool) -> None:
        """While it searches: a way to give up in place of the way to begin."""
        visible(self._find, when=not when)
        visible(self._cancel, when=when)

    def _field(self, name: str, label: str, **how: Any) -> None:
        self._fields[name] = Field(
            label, lambda typed: self._type(name, typed), value=str(getattr(self.draft, name)), **how
        )

    def _choice(self, name: str, label: str, choices: Mapping[str, str]) -> None:
        self._choices[name] = Choice(label, choices, self._chosen(name), lambda picked: self._choose(name, picked))

    def _type(self, name: str, typed: str) -> None:
        setattr(self.draft, name, typed)
        self._fields[name].say(None)
        self._acts.changed()

    def _chosen(self, name: str) -> str:
        return self.draft.dates_checked if name == "check_dates" else str(getattr(self.draft, name))

    def _choose(self, name: str, picked: str) -> None:
        setattr(self.draft, name, picked)
        self._follow()
        self._acts.changed()

    def _choose_day(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if not self._filling:
            self.draft.horizon = date.fromisoformat(str(event.value)) if event.value else None
            self._until_problem.set_text("")
            self._acts.changed()

    def _follow(self) -> None:
        """Show what belongs to the choices made."""
        goal = self.draft.goal
        self._choices["goal"].explain(GOAL_HINTS[goal])
        self._choices["counting"].explain(COUNTING_HINTS[self.draft.counting])
        self._fields["budget"].show(when=goal != Goal.ZERO_COST.value)
        self._fields["call_above"].show(when=self.draft.sells_calls)
        self._choices["check_dates"].fill(self.draft.dates_checked)
        self._choices["calls"].show(when=goal != Goal.ZERO_COST.value)
        self._find_words.set_text(FIND[goal])

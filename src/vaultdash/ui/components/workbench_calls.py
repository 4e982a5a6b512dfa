"""Sold calls while the gold is pledged elsewhere: the prices at which somebody calls, and what the broker wants."""

from collections.abc import Callable

from nicegui import ui

from vaultdash.domain.hedge_verdict import CallSafety
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.workbench_search_draft import LABELS, NO, YES, SearchDraft, margin_problem
from vaultdash.ui.components.workbench_words import calls_words, typeset
from vaultdash.ui.format import NOTHING, number, pct, price, signed_pct, unbroken, usd
from vaultdash.ui.theme import card, note, text, visible

CUSTODY = {YES: "pledged elsewhere", NO: "at the options' broker"}
FACTS = (
    "On a rise the broker calls at",
    "On a fall the lender calls at",
    "The broker wants now",
    "and after a rise",
    "Free there",
)


class CallsCard:
    """Seen while calls are sold, or are to be; what is typed goes into the draft of the search and is told."""

    def __init__(self, draft: SearchDraft, changed: Callable[[], object]) -> None:
        self._draft = draft
        self._changed = changed
        with card("Sold calls") as head:
            assert head.parent_slot is not None
            self._box = head.parent_slot.parent
            self._said = text("div", "").mark("calls-said")
            with ui.element("div").classes("vd-columns even"):
                with ui.element("div").classes("vd-fields"):
                    self._custody = Choice("The gold is", CUSTODY, YES, self._choose)
                    self._margin = Field(
                        "Free money at the broker",
                        self._type,
                        value=draft.broker_margin,
                        unit="USD",
                        kind="amount",
                        hint="left once the hedge is paid for; it grows into the requirement as gold rises",
                    )
                with ui.element("dl").classes("vd-facts"):
                    self._facts = {name: self._fact(name) for name in FACTS}
            note(
                "A sold call is covered where the gold lies. Elsewhere it is naked: the broker wants its price and a "
                "quarter of the share's (less what it is out of the money, at least a tenth), more with every dollar "
                "that gold rises."
            )
        visible(self._box, when=False)

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", NOTHING)

    def follow(self, draft: SearchDraft) -> None:
        """Write into another draft from now on."""
        self._draft = draft

    def show(self, calls: CallSafety | None, case: HedgeCase, *, wanted: bool) -> None:
        """The safety of the chosen hedge; without sold calls the card is seen only where they are `wanted`."""
        visible(self._box, when=calls is not None or wanted)
        self._custody.fill(self._draft.custody or YES)
        self._margin.show(when=self._draft.custody != NO)
        if calls is None:
            self._said.set_text("No call is sold in this hedge.")
        else:
            self._said.set_text(typeset(calls.refusal or calls_words(calls, case)))
        self._said.classes(remove="call room", add="call" if calls is not None and calls.refusal else "")
        values = self._values(calls, case)
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(unbroken(value))

    @staticmethod
    def _values(calls: CallSafety | None, case: HedgeCase) -> tuple[str, ...]:
        fall = f"{price(case.call_price)} ({signed_pct(case.call_price / case.spot - 1)})"
        if calls is None:
            return (NOTHING, fall, NOTHING, NOTHING, usd(case.broker_margin))
        at = calls.broker_calls_at
        if calls.is_covered:
            rise = "no price: the calls are covered"
        elif at is not None:
            rise = f"{price(at)} ({signed_pct(at / case.spot - 1)})"
        else:
            rise = "once they are sold" if calls.requirement > calls.broker_margin else "no price within reason"
        later = f"{usd(calls.after_rally)} ({pct(calls.rally, 0)})"
        each = f"{usd(calls.requirement)} for {number(calls.contracts)}"
        return (rise, fall, each, later, usd(calls.broker_margin))

    def _choose(self, picked: str) -> None:
        self._draft.custody = picked
        self._changed()

    def _type(self, typed: str) -> None:
        self._draft.broker_margin = typed
        problem = margin_problem(self._draft)
        self._margin.say(None if problem is None else f"{LABELS['broker_margin']} {problem}.")
        if problem is None:
            self._changed()

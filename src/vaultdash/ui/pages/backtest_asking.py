"""The card in which a backtest is asked for: what there is to choose from, and what becomes of the form."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from nicegui import ui

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.record import RunKind
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.selloff_events import LONGEST_NAME, Event
from vaultdash.services.vault import Vault
from vaultdash.strategies.templates import TEMPLATES
from vaultdash.ui.components.backtest_draft import LABELS, BacktestDraft, Reading, draft_of, field_of, read_draft
from vaultdash.ui.components.backtest_form import BacktestForm, FormActs
from vaultdash.ui.components.backtest_words import with_days
from vaultdash.ui.components.name_question import NameQuestion
from vaultdash.ui.theme import button, card, note, visible
from vaultdash.ui.typed import day, sentence

LONGEST_ID = 60


class BacktestAsking:
    """Hidden while a result is read; `started` is told the id of each run that was begun."""

    def __init__(
        self,
        vault: Vault,
        begin: Callable[[Coroutine[Any, Any, None]], None],
        started: Callable[[str], Awaitable[None]],
    ) -> None:
        self._vault = vault
        self._begin = begin
        self._started = started
        self._is_starting = False
        with card("New backtest") as head:
            with head:
                self._toggle = button("Hide", self._turn, words="Show or hide the form")
            with ui.element("div").classes("vd-stack") as self._box:
                self._again = note("")
                acts = FormActs(
                    self._ask,
                    lambda: begin(self._keep_days()),
                    lambda event: begin(self._forget(event)),
                )
                self._form = BacktestForm(BacktestDraft(), self._typed, acts)
        self._fall_name = NameQuestion("A fall of your own", "Its name", LONGEST_NAME)
        self.show(when=True)

    async def offer(self, event_id: str | None) -> bool:
        """Falls and hedges to choose from, the fall of the address chosen; true when prices are invented."""
        self.priced()
        problem = ""
        events: Sequence[Event]
        try:
            events, templates = await self._vault.events.all(), await self._vault.templates.all()
        except VaultError as error:  # without the database those of the house are still there
            problem = f"Your own falls and hedges cannot be read: {error}"
            events, templates = await self._vault.events.named(), TEMPLATES
        wanted, draft = (event_id or "").strip()[:LONGEST_ID].lower(), self._form.draft
        known = {event.id: event for event in events}
        if wanted in known:
            draft.event = wanted
        elif wanted:
            problem = f"There is no fall “{wanted}” here; choose one of the list."
        elif draft.event in known and known[draft.event].missing:  # the newest one that can be replayed
            draft.event = next((one.id for one in events if not one.missing), "")
        self._form.offer_events(events)
        self._form.offer_hedges(templates)
        if problem:
            self._form.say({}, problem)
        return any(event.figures is not None and event.figures.is_demo for event in events)

    async def again_with(self, run_id: str, name: str) -> None:
        """Fill the form with what was asked for, to be changed."""
        asked = await self._vault.backtests.asked(run_id)
        draft = draft_of(asked.request, asked.event)
        draft.templates = [one.id for one in asked.templates]
        self._form.show(draft)
        changed = self._form.changed_since(asked.templates)
        self._again.set_text(f"As asked for “{name}”: change what you like, then run it. {changed}".strip())
        self.show(when=True)
        ui.run_javascript(f"getHtmlElement({self._box.id}).scrollIntoView({{block: 'center'}})")

    def priced(self) -> None:
        """Today's loan stands at another price."""
        self._form.know(self._snapshot())

    def show(self, *, when: bool) -> None:
        """Show the form, or its head alone."""
        self._is_shown = when
        visible(self._box, when=when)
        self._toggle.clear()
        with self._toggle:
            ui.label("Hide" if when else "Show")
        self._toggle.props(f"aria-expanded={'true' if when else 'false'}")

    def _turn(self) -> None:
        self.show(when=not self._is_shown)

    def _snapshot(self) -> Snapshot | None:
        beat = self._vault.heartbeat.current()
        return None if beat is None else beat.snapshot

    def _reading(self) -> Reading:
        return read_draft(self._form.draft, self._snapshot(), self._vault.now().date())

    def _typed(self) -> None:
        self._form.say(self._reading().problems)

    def _ask(self) -> None:
        reading = self._reading()
        self._form.say(reading.problems)
        if reading.request is not None and not self._is_starting:
            self._is_starting = True  # a second press of the button asks nothing
            self._begin(self._start(reading.request))

    async def _start(self, request: BacktestRequest) -> None:
        kind = RunKind.BACKTEST if request.event is None else RunKind.EVENT
        try:
            run = await self._vault.backtests.start(request, kind)
        except InvalidInput as error:
            field = field_of(error)
            label = LABELS.get(field) or error.argument.replace("_", " ").capitalize()
            self._form.say({field: with_days(sentence(label, error).replace("..", "."))})
            return
        except VaultError as error:
            self._form.say({}, with_days(f"{error}."))
            return
        finally:
            self._is_starting = False
        self._again.set_text("")
        await self._started(run.id)

    async def _keep_days(self) -> None:
        """The typed days become a fall of the owner's own, which is chosen."""
        problems = {name: said for name, said in self._reading().problems.items() if name in ("start", "end")}
        self._form.say(problems)
        if problems:
            return
        draft = self._form.draft
        name = await self._fall_name.ask("")
        if name is not None:
            kept = await self._vault.events.add(name, day("start", draft.start), day("end", draft.end))
            draft.event = kept.id
            self._form.offer_events(await self._vault.events.all())

    async def _forget(self, event_id: str) -> None:
        await self._vault.events.remove(event_id)
        self._form.offer_events(await self._vault.events.all())

"""The backtests that are kept: their list, what is done with each, and up to three of them side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from nicegui import ui

from vaultdash.domain.errors import NotFound, VaultError
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.services.backtest_words import LONGEST_NAME
from vaultdash.services.vault import Vault
from vaultdash.ui.components.backtest_beside import Beside, RunsBeside
from vaultdash.ui.components.backtest_runs import RunActs, RunLine, RunList
from vaultdash.ui.components.backtest_words import STATES, asked_words, is_working, with_days
from vaultdash.ui.components.name_question import NameQuestion
from vaultdash.ui.components.question import Question
from vaultdash.ui.theme import card, note, text, visible

MOST_LISTED = 50


class KeptRuns:
    """Reads the list again when a run begins or ends; a progress in between only moves its bar."""

    def __init__(
        self,
        vault: Vault,
        begin: Callable[[Coroutine[Any, Any, None]], None],
        open_run: Callable[[str], Coroutine[Any, Any, None]],
        again: Callable[[str], Coroutine[Any, Any, None]],
        ended: Callable[[str], Awaitable[None]],
        removed: Callable[[str], object],
    ) -> None:
        self._vault = vault
        self._ended = ended
        self._removed = removed
        self._reading = asyncio.Lock()
        self._runs: dict[str, StoredRun] = {}
        self._said: dict[tuple[str, bool], tuple[str, str]] = {}  # by run, and whether it is done; short, in full
        self._opened: str | None = None
        acts = RunActs(
            open=lambda one: begin(open_run(one)),
            again=lambda one: begin(again(one)),
            rename=lambda one: begin(self._rename(one)),
            remove=lambda one: begin(self._remove(one)),
            cancel=lambda one: begin(self._cancel(one)),
        )
        with card("Kept backtests"):
            self._problem = text("div", "", "vd-problem warning").props("role=alert")
            self._list = RunList(acts, lambda picked: begin(self._put_beside(picked)))
            self._rest = note("")
        with ui.element("div") as self._beside_card, card("Side by side"):
            self._beside = RunsBeside()
            note("Highest LTV and outcome as each run's lender counts. Equity in dollars of the time.")
        visible(self._beside_card, when=False)
        self._question = Question()
        self._name = NameQuestion("Another name", "Name of the run", LONGEST_NAME)

    async def read(self) -> None:
        """The list as it is kept now."""
        async with self._reading:  # one after the other, so that an older list never replaces a newer one
            try:
                runs = await self._vault.backtests.runs(MOST_LISTED + 1)
            except VaultError as error:
                self._problem.set_text(f"The kept backtests cannot be read: {error}")
                return
            self._take(runs)

    def _take(self, runs: Sequence[StoredRun]) -> None:
        self._problem.set_text("")
        self._runs = {run.id: run for run in runs[:MOST_LISTED]}
        more = len(runs) > MOST_LISTED
        self._rest.set_text(f"The newest {MOST_LISTED} are shown; the API gives all of them." if more else "")
        self._show()

    async def told(self, run: StoredRun) -> None:
        """A run was begun, has come further, or has ended."""
        known = self._runs.get(run.id)
        if known is not None and known.state is run.state and is_working(run):
            self._runs[run.id] = run
            self._show()
        else:
            await self.read()

    def known(self, run_id: str) -> StoredRun | None:
        """A run as the list has it."""
        return self._runs.get(run_id)

    def name_of(self, run_id: str) -> str:
        """What a run is called; nothing when it is not in the list."""
        run = self._runs.get(run_id)
        return "" if run is None else run.name

    def mark_open(self, run_id: str | None) -> None:
        """Say which one is shown above the list."""
        if run_id != self._opened:
            self._opened = run_id
            self._show()

    def _show(self) -> None:
        self._list.show([self._line(run) for run in self._runs.values()], self._opened)

    def _line(self, run: StoredRun) -> RunLine:
        words, tone = STATES[run.state]
        done = run.state is RunState.DONE
        key = run.id, done
        if key not in self._said:
            self._said[key] = asked_words(run), asked_words(run, None)
        said, in_full = self._said[key]
        return RunLine(
            run.id,
            run.name,
            run.created_at,
            said,
            words,
            tone,
            is_done=done,
            is_working=is_working(run),
            progress=run.progress,
            problem="" if done else with_days(run.problem or ""),
            in_full=in_full,
        )

    async def _put_beside(self, picked: tuple[str, ...]) -> None:
        self._show()
        backtests = self._vault.backtests
        found = [Beside(self.name_of(one), await backtests.result(one)) for one in picked]
        self._beside.show(found)
        visible(self._beside_card, when=len(found) > 1)
        if len(found) > 1:
            ui.run_javascript(f"getHtmlElement({self._beside_card.id}).scrollIntoView({{block: 'nearest'}})")

    async def _rename(self, run_id: str) -> None:
        name = await self._name.ask(self.name_of(run_id))
        if name is not None:
            await self._vault.backtests.rename(run_id, name)
            await self.read()
            await self._ended(run_id)

    async def _cancel(self, run_id: str) -> None:
        await self._vault.backtests.cancel(run_id)
        await self.read()
        await self._ended(run_id)

    async def _remove(self, run_id: str) -> None:
        name = self.name_of(run_id)
        sure = await self._question.ask(
            "Delete this backtest?", f"{name} and all that came of it. This cannot be taken back.", "Delete it"
        )
        if not sure:
            return
        with suppress(NotFound):  # another page was first
            await self._vault.backtests.remove(run_id)
        self._removed(run_id)
        await self.read()
        await self._put_beside(())

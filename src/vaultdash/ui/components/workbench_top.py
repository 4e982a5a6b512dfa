"""The first card of the workbench: the chosen hedge in a sentence, its figures, and what they stand on."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.components.workbench_words import (
    COUNTED,
    LENDER_SAYS,
    NO_BROKER,
    calls_words,
    counted_as,
    headline,
    paths_words,
    repay_words,
    sentences,
    typeset,
    verdict_words,
)
from vaultdash.ui.format import NOTHING, pct, price, unbroken, usd
from vaultdash.ui.theme import TONES, Tone, card, note, text, visible

QUESTION = "Which listed contracts keep the call away, and at what price?"


class WorkbenchTop:
    """`say` is for what is no hedge: nothing found, nothing known."""

    def __init__(self, again: Callable[[], object]) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._main = text("span", QUESTION).mark("workbench-sentence")
            self._lender = text("div", "", "vd-text")
            with ui.element("div").classes("vd-figures vd-hidden") as self._figures:
                self._ltv = Figure("highest LTV", big=True)
                self._cost = Figure("cost a year")
                self._uncured = Figure("a call not cured")
                self._floor = Figure("least that is left")
                self._upside = Figure("upside kept")
            self._doubt = text("div", "", "vd-problem warning").props("role=status").mark("workbench-doubt")
            self.waiting = Waiting(again)
            self._basis = note("")
            self._market = note("")

    def say(self, words: str, tone: Tone = "") -> None:
        """A sentence without figures."""
        self._main.set_text(typeset(words))
        self._main.classes(remove=" ".join(TONES), add=tone)
        self._lender.set_text("")
        visible(self._figures, when=False)

    def stand_on(self, case: str, market: str) -> None:
        """The loan that is judged and the quotes, in a line each."""
        self._basis.set_text(unbroken(case))
        self._market.set_text(unbroken(market))

    def doubt(self, said: Sequence[str]) -> None:
        """What is doubtful, a sentence each."""
        self._doubt.set_text(sentences(said))

    def show(
        self, measure: ListedMeasure, verdict: PathVerdict | None, bare: PathVerdict | None, *, is_cheapest: bool
    ) -> None:
        """Speak of the hedge that is worked on; `bare` is what paths came to without any."""
        words, tone = headline(measure, is_cheapest=is_cheapest)
        calls = measure.calls
        refused = calls is not None and bool(calls.refusal)
        if calls is not None and refused:
            self.say(f"Refused: {_small(calls_words(calls, measure.case))}", "call")
            self._lender.set_text(unbroken(f"Apart from that: {_small(words)}"))
        else:
            self.say(words, tone)
            said = LENDER_SAYS[measure.case.loan.hedge_counting] if measure.hedge.legs else ""
            rise = calls_words(calls, measure.case) if calls is not None else ""
            paths = paths_words(verdict, bare) if measure.hedge.legs else ""
            told = (said, paths, repay_words(measure), rise)
            self._lender.set_text(unbroken(" ".join(one for one in told if one)))
        visible(self._figures, when=True)
        self._show_figures(measure, verdict, is_refused=refused)

    def _show_figures(self, measure: ListedMeasure, verdict: PathVerdict | None, *, is_refused: bool) -> None:
        counting, loan = counted_as(measure), measure.case.loan
        if not measure.hedge.legs:
            counting = HedgeCounting.IGNORED
        counted = measure.countings[counting]
        tone: Tone = "call" if is_breached(counted.worst_ltv, loan.margin_call_ltv) else ""
        down, up = measure.price_range
        self._ltv.show(
            "> 200 %" if counted.worst_ltv > 2 else pct(max(counted.worst_ltv, 0.0)),
            f"Highest LTV at expiry between {pct(down, 0)} and {pct(up, 0)}, {COUNTED[counting]}: at "
            f"{price(counted.worst_price)}. The call comes at {pct(loan.margin_call_ltv, 0)}.",
            label=f"highest LTV, {COUNTED[counting]}{_lender_reads(measure, counting)}",
            tone=tone,
        )
        self._cost.show(
            pct(measure.cost_per_year_pct or 0.0, 2),
            f"{usd(measure.net_cost)} with commission, {pct(measure.cost_pct, 2)} of the gold; "
            f"{usd(measure.cost_per_year)} a year to the first expiration.",
            label=f"of the gold a year · {usd(measure.net_cost)}",
        )
        if verdict is None:
            self._uncured.show(NOTHING, "Follow the paths in the table below to know.")
        else:
            shown, error = verdict_words(verdict)
            models = "\n".join(f"{one.model}: {pct(one.uncured)} ± {pct(one.uncured_error)}" for one in verdict.odds)
            if is_refused:
                self._uncured.show(shown, f"{NO_BROKER}\n{error} standard error\n{models}", tone="muted")
            else:
                self._uncured.show(shown, f"{error} standard error\n{models}")
        self._floor.show(
            pct(measure.floor_pct), f"Gold and hedge, its cost taken off, at {price(measure.floor_price)}."
        )
        self._upside.show(pct(measure.upside_kept, 0), f"Of a rise of the price by {pct(up, 0)}.")


def _lender_reads(measure: ListedMeasure, counting: HedgeCounting) -> str:
    """What the lender himself reads there, where he counts otherwise than the figure."""
    if counting is not HedgeCounting.AFTER_PAYMENT:
        return ""
    seen = measure.countings[HedgeCounting.IGNORED].worst_ltv
    return f" · lender reads {'> 200 %' if seen > 2 else pct(seen)}"


def _small(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"

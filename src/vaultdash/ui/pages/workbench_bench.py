"""What lies on the workbench, drawn: the legs, the charts and the comparison, each in its place."""

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from vaultdash.domain.hedge_verdict import ListedMeasure
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.hedge_colours import BENCH_COLOURS
from vaultdash.ui.components.payoff_chart import Line, gain_options, ltv_options
from vaultdash.ui.components.strike_chart import StrikeChart
from vaultdash.ui.components.workbench_calls import CallsCard
from vaultdash.ui.components.workbench_compare import Compared, HedgesBeside
from vaultdash.ui.components.workbench_draft import (
    LETTERS,
    Bench,
    HedgeDraft,
    Resolved,
    title_of,
)
from vaultdash.ui.components.workbench_search_draft import SearchDraft
from vaultdash.ui.components.workbench_words import COUNTED, COUNTING_NOTES
from vaultdash.ui.pages.workbench_acts import BenchActs
from vaultdash.ui.pages.workbench_editor import BenchEditor
from vaultdash.ui.pages.workbench_frontier import FrontierCard
from vaultdash.ui.pages.workbench_known import Known
from vaultdash.ui.pages.workbench_paths import PathsAsked
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours, Tabs, card, note, text

COUNTINGS = tuple((one.value, words) for one, words in COUNTED.items())
ALONE, WITH_GOLD = "alone", "gold"
GAINS = ((ALONE, "hedge alone"), (WITH_GOLD, "gold and hedge"))


class BenchView:
    """Parts are made once and filled by `show`; what is typed changes the bench and asks to be shown."""

    def __init__(self, vault: Vault, bench: Bench, acts: BenchActs, counting: HedgeCounting) -> None:
        self._bench = bench
        self._acts = acts
        self._counting = counting
        self._gains = ALONE
        self._case: HedgeCase | None = None
        self._colours = ChartColours(dark=True)
        self._countings: list[Tabs] = []
        self._resolved: Sequence[Resolved] = ()
        self.editor = BenchEditor(vault, bench, acts)
        self._calls_box = ui.element("div").classes("vd-stack")
        with ui.element("div").classes("vd-columns even vd-bench"):
            with card("Gain and loss at expiry") as head:
                with head:
                    Tabs(GAINS, self._gains, self._choose_gains)
                self._gain = StrikeChart("Gain and loss of the hedges at expiry over the price", self.editor.drag)
                self._legend = ui.element("div").classes("vd-legend")
                note("Each leg at its own expiration, all costs paid, before interest. A strike can be dragged.")
            with card("LTV at expiry") as head:
                with head:
                    self._count_tabs()
                self._ltv = Chart("Hedged LTV at expiry over the price")
                note("The premium is in it where it is added to the loan or paid with gold.")
        with card("Side by side") as head:
            with head:
                self._count_tabs()
            self._beside = HedgesBeside(self._pick)
            self._counted = note("")
            self._paths_box = ui.element("div")
        self._frontier_box = ui.element("div").classes("vd-stack")

    def _count_tabs(self) -> None:
        self._countings.append(Tabs(COUNTINGS, self._counting.value, self._choose_counting))

    def frontier(self, vault: Vault) -> FrontierCard:
        """The card of the frontier, in its place."""
        with self._frontier_box:
            acts = self._acts
            return FrontierCard(vault, self._take, self._count_tabs, acts.ask_frontier, acts.answered_frontier)

    def calls(self, draft: SearchDraft, changed: Callable[[], object]) -> CallsCard:
        """The card about sold calls, in its place."""
        with self._calls_box:
            return CallsCard(draft, changed)

    def paths(self, vault: Vault) -> PathsAsked:
        """The part that asks random paths, in its place."""
        with self._paths_box:
            return PathsAsked(vault, self._acts.told_paths, self._acts.ask_paths)

    def show(self, known: Known, found: Sequence[Resolved]) -> None:
        """Fill everything; what is not measured yet says so."""
        if known.case is None:
            return
        self._case, self._resolved = known.case, found
        self.editor.show(known.case, known.listed, found)
        self._draw(known.measures)
        columns = [_column(place, one, known, self._bench.chosen) for place, one in enumerate(found)]
        plain = Compared("", "no hedge", UNHEDGED_COLOUR, known.unhedged, known.verdicts.get(HedgeDraft()))
        self._beside.show([*columns, plain], self._counting)
        own = known.case.loan.hedge_counting
        otherwise = "" if own is self._counting else f" Your lender counts otherwise: {COUNTED[own]}."
        self._counted.set_text(f"{COUNTING_NOTES[self._counting]}{otherwise}")

    def _draw(self, measures: Mapping[HedgeDraft, ListedMeasure]) -> None:
        case, bench = self._case, self._bench
        if case is None:
            return
        drawn = [(place, one) for place, one in enumerate(self._resolved) if one.hedge is not None and one.draft.legs]
        lines = [
            Line(f"{LETTERS[place]} · {title_of(one.draft)}", one.hedge, BENCH_COLOURS[place])
            for place, one in drawn
            if one.hedge is not None
        ]
        at = next((index for index, (place, _) in enumerate(drawn) if place == bench.chosen), -1)
        measure = measures.get(bench.current)
        breakevens = () if measure is None or at < 0 else measure.breakevens
        self._gain.show(gain_options(lines, at, case, breakevens, self._colours, with_gold=self._gains == WITH_GOLD))
        self._ltv.show(ltv_options(lines, at, case, self._counting, self._colours))
        self._legend.clear()
        with self._legend:
            for line in lines:
                with ui.element("span"):
                    ui.element("i").classes("vd-swatch").style(f"background:{line.colour}")
                    text("span", line.name)

    def dress(self, colours: ChartColours) -> None:
        """The colours of the other mode, from the next drawing on."""
        self._colours = colours

    def _pick(self, place: int) -> None:
        self._bench.choose(place)
        self._acts.refresh()

    def _choose_gains(self, value: str) -> None:
        self._gains = value
        self._acts.refresh()

    def _choose_counting(self, value: str) -> None:
        self._counting = HedgeCounting(value)
        for tabs in self._countings:
            tabs.show(value)
        self._acts.count_by(self._counting)

    def attach(self) -> None:
        """The browser is there: strikes can be dragged."""
        self._gain.attach()

    def _take(self, hedge: ListedHedge) -> None:
        self._acts.put(hedge, "the frontier")


def _column(place: int, one: Resolved, known: Known, chosen: int) -> Compared:
    return Compared(
        letter=LETTERS[place],
        title=title_of(one.draft),
        colour=BENCH_COLOURS[place],
        measure=known.measures.get(one.draft),
        verdict=known.verdicts.get(one.draft),
        cost=None if one.hedge is None else one.hedge.net_cost,
        problem=" ".join(one.problems.values()),
        is_chosen=place == chosen,
    )

"""What lies on the workbench, drawn: the legs, the charts, the comparison, and what can be done with the hedges."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from nicegui import events, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.template import LONGEST_TITLE
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import PathReport
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.hedge_colours import BENCH_COLOURS
from vaultdash.ui.components.name_question import NameQuestion
from vaultdash.ui.components.payoff_chart import Line, gain_options, ltv_options
from vaultdash.ui.components.workbench_calls import CallsCard
from vaultdash.ui.components.workbench_compare import Compared, HedgesBeside
from vaultdash.ui.components.workbench_draft import (
    LETTERS,
    Bench,
    HedgeDraft,
    LegDraft,
    Listed,
    Resolved,
    contracts_over,
    title_of,
)
from vaultdash.ui.components.workbench_legs import Change, LegActs, LegsEditor
from vaultdash.ui.components.workbench_search_draft import SearchDraft
from vaultdash.ui.components.workbench_words import COUNTED, COUNTING_NOTES
from vaultdash.ui.format import usd
from vaultdash.ui.pages.workbench_address import address_of, link_of
from vaultdash.ui.pages.workbench_frontier import FrontierCard
from vaultdash.ui.pages.workbench_paths import PathsAsked
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours, Tabs, button, card, note, text, visible

COUNTINGS = tuple((one.value, words) for one, words in COUNTED.items())
ALONE, WITH_GOLD = "alone", "gold"
GAINS = ((ALONE, "hedge alone"), (WITH_GOLD, "gold and hedge"))
NO_TEMPLATE = ""


class BenchActs(Protocol):
    """What the view asks of the page."""

    def refresh(self) -> None:
        """Show everything anew."""

    def recommend(self) -> None:
        """Begin anew with what the loan needs."""

    def count_by(self, counting: HedgeCounting) -> None:
        """Another counting."""

    def ask_frontier(self) -> None:
        """Ask for the candidates."""

    def ask_paths(self) -> None:
        """Follow random paths."""

    def told_paths(self, drafts: Sequence[HedgeDraft], report: PathReport) -> None:
        """The paths have been followed."""

    def put(self, hedge: ListedHedge, origin: str) -> None:
        """Lay a hedge beside the others."""

    def tell(self, words: str) -> None:
        """Say something in passing."""

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run behind the page."""


class BenchView:
    """Parts are made once and filled by `show`; what is typed changes the bench and asks to be shown."""

    def __init__(self, bench: Bench, acts: BenchActs, counting: HedgeCounting) -> None:
        self._bench = bench
        self._acts = acts
        self._counting = counting
        self._gains = ALONE
        self._case: HedgeCase | None = None
        self._listed = Listed()
        self._symbol = "GLD"
        self._colours = ChartColours(dark=True)
        self._countings: list[Tabs] = []
        self._heads: list[tuple[ui.element, ui.label]] = []
        self._vault: Vault | None = None
        self._resolved: Sequence[Resolved] = ()
        self._name = NameQuestion("Save as a template", "Name of the template", LONGEST_TITLE)
        self._editor()
        self._calls_box = ui.element("div").classes("vd-stack")
        with ui.element("div").classes("vd-columns even vd-bench"):
            with card("Gain and loss at expiry") as head:
                with head:
                    Tabs(GAINS, self._gains, self._choose_gains)
                self._gain = Chart("Gain and loss of the hedges at expiry over the price")
                self._legend = ui.element("div").classes("vd-legend")
                note("Each leg at its own expiration, premium and commission paid, before interest.")
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

    def _editor(self) -> None:
        with card("Hedges on the workbench") as head:
            with head, ui.element("div").classes("vd-tabs").props("role=group aria-label='Hedges on the workbench'"):
                for place, letter in enumerate(LETTERS):
                    self._heads.append(self._head(place, letter))
                self._more = button("+", self._copy, words="Put a copy beside")
            with ui.element("div").classes("vd-card-head"):
                with ui.element("div"):
                    self._title = text("h3", "", "vd-fall-title vd-bench-title").mark("hedge-title")
                    self._cost = text("div", "", "vd-bench-cost").mark("hedge-cost")
                with ui.element("div").classes("vd-actions"):
                    text("span", "Start from", "muted")
                    button("the recommendation", self._acts.recommend)
                    self._template = ui.select({NO_TEMPLATE: "a template …"}, value=NO_TEMPLATE)
                    self._template.on_value_change(self._choose_template)
                    self._template.props("outlined dense options-dense aria-label='Start from a template'")
                    ui.link("a contract", "/options").classes("vd-tab")
            self._legs = LegsEditor(LegActs(self._change, self._drop, self._add))
            with ui.element("div").classes("vd-actions"):
                button("Save as a template", self._save)
                self._what_if = ui.link("What if …", "/what-if").classes("vd-tab")
                button("Share", self._share, words="A link to these hedges")
                button("Remove", self._remove, words="Take this hedge off the workbench")
            with ui.element("div").classes("vd-hidden vd-stack") as self._shared:
                self._link = ui.input().props("outlined dense readonly aria-label='Link to these hedges'")
                note("The link carries contracts and counts, no prices and nothing of your loan.")

    def _head(self, place: int, letter: str) -> tuple[ui.element, ui.label]:
        with ui.element("button").classes("vd-tab vd-chip vd-hidden").props("type=button") as made:
            ui.element("i").classes("vd-swatch").style(f"background:{BENCH_COLOURS[place]}")
            label = ui.label(letter)
        made.on("click", lambda: self._pick(place))
        return made, label

    def _count_tabs(self) -> None:
        self._countings.append(Tabs(COUNTINGS, self._counting.value, self._choose_counting))

    def frontier(self, vault: Vault) -> FrontierCard:
        """The card of the frontier, in its place."""
        self._vault, self._symbol = vault, vault.book.symbol
        with self._frontier_box:
            return FrontierCard(vault, self._take, self._count_tabs, self._acts.ask_frontier)

    def calls(self, draft: SearchDraft, changed: Callable[[], object]) -> CallsCard:
        """The card about sold calls, in its place."""
        with self._calls_box:
            return CallsCard(draft, changed)

    def paths(self, vault: Vault) -> PathsAsked:
        """The part that asks random paths, in its place."""
        with self._paths_box:
            return PathsAsked(vault, self._acts.told_paths, self._acts.ask_paths)

    async def offer_templates(self, vault: Vault) -> None:
        """The templates that buy or sell options; what cannot be read is left out."""
        try:
            found = [one for one in await vault.templates.all() if one.hedges]
        except VaultError as error:
            self._acts.tell(f"The templates cannot be read: {error}.")
            return
        self._template.set_options({NO_TEMPLATE: "a template …", **{one.id: one.name for one in found}})

    def show(
        self,
        case: HedgeCase,
        listed: Listed,
        found: Sequence[Resolved],
        measures: Mapping[HedgeDraft, ListedMeasure],
        unhedged: ListedMeasure | None,
        verdicts: Mapping[HedgeDraft, PathVerdict],
    ) -> None:
        """Fill everything; what is not measured yet says so."""
        self._case, self._listed, self._resolved = case, listed, found
        chosen = found[self._bench.chosen]
        for place, (made, _) in enumerate(self._heads):
            visible(made, when=place < len(found))
            made.props(f"aria-pressed={'true' if place == self._bench.chosen else 'false'}")
            made.props["aria-label"] = (
                f"Hedge {LETTERS[place]}: {title_of(found[place].draft)}" if place < len(found) else ""
            )
        visible(self._more, when=not self._bench.is_full)
        self._title.set_text(_headed(chosen, self._bench.chosen))
        self._cost.set_text(_cost_words(chosen))
        self._legs.show(chosen, listed)
        link = link_of(chosen.draft, self._symbol)
        self._what_if.props(f'href="/what-if{"" if link is None else f"?hedge={link}"}"')
        visible(self._shared, when=False)
        self._draw(measures)
        columns = [_column(place, one, measures, verdicts, self._bench.chosen) for place, one in enumerate(found)]
        plain = Compared("", "no hedge", UNHEDGED_COLOUR, unhedged, verdicts.get(HedgeDraft()))
        self._beside.show([*columns, plain], self._counting)
        self._counted.set_text(COUNTING_NOTES[self._counting])

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

    def settle_strikes(self, listed: Listed, on: date) -> None:
        """A leg of an expiration that has just been read takes the listed strike nearest to its own."""
        for place, leg in enumerate(self._bench.current.legs):
            near = listed.nearest(leg.right, on, leg.strike) if leg.expiration == on else None
            if near is not None and listed.option(leg) is None:
                self._bench.change(place, lambda one, near=near: replace(one, strike=near))  # type: ignore[misc]  # mypy does not see the default

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

    def _change(self, place: int, change: Change) -> None:
        def settled(leg: LegDraft) -> LegDraft:
            """Another right or expiration lists other strikes: the nearest, once they are known."""
            found = change(leg)
            moved = (found.right, found.expiration) != (leg.right, leg.expiration)
            near = self._listed.nearest(found.right, found.expiration, found.strike) if moved else None
            return found if near is None else replace(found, strike=near)

        self._bench.change(place, settled)
        self._acts.refresh()

    def _drop(self, place: int) -> None:
        self._bench.drop_leg(place)
        self._acts.refresh()

    def _add(self) -> None:
        """A put over all units near the call price, or one more below those there are."""
        case, legs = self._case, self._bench.current.legs
        if case is None:
            return
        if legs:
            last = legs[-1]
            leg = replace(last, strike=self._listed.beside(last, -1))
        else:
            days = self._listed.expirations
            known = [on for on in days if self._listed.has(on)] or list(days)
            if not known:
                self._acts.tell("No expiration is known yet.")
                return
            near = self._listed.nearest(Right.PUT, known[0], case.call_price)
            leg = LegDraft(Right.PUT, near or round(case.call_price), known[0], contracts_over(case.units))
        self._bench.add_leg(leg)
        self._acts.refresh()

    def _copy(self) -> None:
        if not self._bench.is_full:
            self._bench.hedges.append(self._bench.current)
            self._bench.chosen = len(self._bench.hedges) - 1
            self._acts.refresh()

    def _remove(self) -> None:
        self._bench.remove(self._bench.chosen)
        self._acts.refresh()

    def _take(self, hedge: ListedHedge) -> None:
        self._acts.put(hedge, "the frontier")

    def _choose_template(self, event: events.ValueChangeEventArguments[Any]) -> None:
        chosen = str(event.value or "")
        if chosen != NO_TEMPLATE and self._vault is not None:
            self._acts.begin(self._from_template(chosen))

    async def _from_template(self, template_id: str) -> None:
        assert self._vault is not None
        name = str(dict(self._template.options).get(template_id, template_id))
        self._template.value = NO_TEMPLATE
        hedge = await self._vault.workbench.from_template(template_id)
        self._acts.put(hedge, f"the template {name}")

    def _save(self) -> None:
        self._acts.begin(self._saved())

    async def _saved(self) -> None:
        chosen = self._resolved[self._bench.chosen] if self._resolved else None
        if chosen is None or chosen.hedge is None or not chosen.hedge.legs or self._vault is None:
            self._acts.tell("There is nothing to save: this hedge has no legs with a price.")
            return
        name = await self._name.ask(title_of(chosen.draft).capitalize())
        if name is not None:
            kept = await self._vault.workbench.save_template(chosen.hedge, name)
            self._acts.tell(f"Saved as the template {kept.name}: strikes and tenors are rules in it.")
            await self.offer_templates(self._vault)

    def _share(self) -> None:
        at = address_of(self._bench.hedges, self._symbol)
        visible(self._shared, when=True)
        self._link.value = at
        ui.run_javascript(
            f"const link = location.origin + '{at}';"
            f"getElement({self._link.id}).$el.querySelector('input').value = link;"
            "if (navigator.clipboard) navigator.clipboard.writeText(link).catch(() => {});"
        )


def _headed(found: Resolved, place: int) -> str:
    origin = f" · {found.draft.origin}" if found.draft.origin else ""
    return f"{LETTERS[place]}: {title_of(found.draft)}{origin}"


def _cost_words(found: Resolved) -> str:
    """What it costs now, the moment a leg is changed."""
    hedge = found.hedge
    if hedge is None:
        return "No price while a leg has none."
    if not hedge.legs:
        return ""
    said = f"costs {usd(hedge.net_cost)}" if hedge.net_cost >= 0 else f"brings {usd(-hedge.net_cost)}"
    return f"{said}, commission of {usd(hedge.commissions)} included"


def _column(
    place: int,
    one: Resolved,
    measures: Mapping[HedgeDraft, ListedMeasure],
    verdicts: Mapping[HedgeDraft, PathVerdict],
    chosen: int,
) -> Compared:
    return Compared(
        letter=LETTERS[place],
        title=title_of(one.draft),
        colour=BENCH_COLOURS[place],
        measure=measures.get(one.draft),
        verdict=verdicts.get(one.draft),
        cost=None if one.hedge is None else one.hedge.net_cost,
        problem=" ".join(one.problems.values()),
        is_chosen=place == chosen,
    )

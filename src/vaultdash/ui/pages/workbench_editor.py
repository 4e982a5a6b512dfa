"""The card of the workbench where hedges are bent: which one, its legs, where it starts from, what becomes of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from nicegui import context, events, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.listed_hedge import HedgeCase, StrategyKind
from vaultdash.domain.option import Right
from vaultdash.domain.template import LONGEST_TITLE
from vaultdash.services.vault import Vault
from vaultdash.ui.components.hedge_colours import BENCH_COLOURS
from vaultdash.ui.components.name_question import NameQuestion
from vaultdash.ui.components.phone_fold import phone_fold
from vaultdash.ui.components.workbench_draft import (
    LETTERS,
    Bench,
    LegDraft,
    Listed,
    Resolved,
    contracts_over,
    title_of,
)
from vaultdash.ui.components.workbench_legs import Change, LegActs, LegsEditor
from vaultdash.ui.format import usd
from vaultdash.ui.pages.workbench_acts import BenchActs
from vaultdash.ui.pages.workbench_address import address_of, link_of
from vaultdash.ui.theme import button, card, note, text, visible

NO_TEMPLATE = ""
KIND = "strategy:"  # no id of a template has a colon
STRATEGIES = {
    f"{KIND}{kind.value}": f"Strategy: {words}"
    for kind, words in (
        (StrategyKind.PROTECTIVE_PUT, "put near the price"),
        (StrategyKind.PUT_SPREAD, "put spread"),
        (StrategyKind.PUT_LADDER, "put ladder"),
        (StrategyKind.COLLAR, "collar"),
        (StrategyKind.LEAPS, "a year or more"),
    )
}


class BenchEditor:
    """Changes the bench and asks the page to show it."""

    def __init__(self, vault: Vault, bench: Bench, acts: BenchActs) -> None:
        self._vault = vault
        self._bench = bench
        self._acts = acts
        self._case: HedgeCase | None = None
        self._listed = Listed()
        self._resolved: Sequence[Resolved] = ()
        self._unsettled: set[date] = set()  # expirations that legs were moved to before they were read
        self._heads: list[ui.element] = []
        request = context.client.request
        self._origin = "" if request is None else str(request.base_url).rstrip("/")
        self._name = NameQuestion("Keep this hedge as a template", "Name of the template", LONGEST_TITLE)
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
            with phone_fold("Its legs"):
                self._legs = LegsEditor(LegActs(self._change, self._drop, self._add))
            with ui.element("div").classes("vd-actions"):
                button("Save as a template", self._save)
                self._what_if = ui.link("What if …", "/what-if").classes("vd-tab")
                button("Share", self._share, words="A link to these hedges")
                button("Remove", self._remove, words="Take this hedge off the workbench")
            with ui.element("div").classes("vd-hidden vd-stack") as self._shared:
                self._link = ui.input().props("outlined dense readonly aria-label='Link to these hedges'")
                note("The link carries contracts and counts, no prices and nothing of your loan.")

    def _head(self, place: int, letter: str) -> ui.element:
        with ui.element("button").classes("vd-tab vd-chip vd-hidden").props("type=button") as made:
            ui.element("i").classes("vd-swatch").style(f"background:{BENCH_COLOURS[place]}")
            ui.label(letter)
        made.on("click", lambda: self._pick(place))
        return made

    async def offer_templates(self) -> None:
        """The templates that buy or sell options; what cannot be read is left out."""
        try:
            found = [one for one in await self._vault.templates.all() if one.hedges]
        except VaultError as error:
            self._acts.tell(f"The templates cannot be read: {error}.")
            return
        names = {one.id: one.name for one in found}
        self._template.set_options({NO_TEMPLATE: "a template …", **names, **STRATEGIES})

    def show(self, case: HedgeCase, listed: Listed, found: Sequence[Resolved]) -> None:
        """Fill it with the hedge that is worked on."""
        self._case, self._listed, self._resolved = case, listed, found
        chosen = found[self._bench.chosen]
        for place, made in enumerate(self._heads):
            visible(made, when=place < len(found))
            made.props(f"aria-pressed={'true' if place == self._bench.chosen else 'false'}")
            name = f"Hedge {LETTERS[place]}: {title_of(found[place].draft)}" if place < len(found) else ""
            made.props["aria-label"] = name
        visible(self._more, when=not self._bench.is_full)
        self._title.set_text(_headed(chosen, self._bench.chosen))
        self._cost.set_text(_cost_words(chosen))
        self._legs.show(chosen, listed)
        link = link_of(chosen.draft, self._vault.book.symbol)
        self._what_if.props(f'href="/what-if{"" if link is None else f"?hedge={link}"}"')
        if self._link.value != self._address():
            visible(self._shared, when=False)  # it is a link to other hedges

    def settle_strikes(self, listed: Listed, on: date) -> None:
        """A leg that was moved to an expiration before it was read takes the listed strike nearest to its own."""
        if on not in self._unsettled:
            return
        self._unsettled.discard(on)
        for place, leg in enumerate(self._bench.current.legs):
            near = listed.nearest(leg.right, on, leg.strike) if leg.expiration == on else None
            if near is not None and listed.option(leg) is None:
                self._bench.change(place, lambda one, near=near: replace(one, strike=near))  # type: ignore[misc]  # mypy does not see the default

    def drag(self, place: int, price: float) -> None:
        """A strike follows the pointer from one that is listed to the next."""
        legs = self._bench.current.legs
        if place >= len(legs):
            return
        near = self._listed.nearest(legs[place].right, legs[place].expiration, price)
        if near is not None and near != legs[place].strike:
            self._change(place, lambda leg: replace(leg, strike=near))

    def _pick(self, place: int) -> None:
        self._bench.choose(place)
        self._acts.refresh()

    def _change(self, place: int, change: Change) -> None:
        def settled(leg: LegDraft) -> LegDraft:
            """Another right or expiration lists other strikes: the nearest, once they are known."""
            found = change(leg)
            moved = (found.right, found.expiration) != (leg.right, leg.expiration)
            near = self._listed.nearest(found.right, found.expiration, found.strike) if moved else None
            if moved and not self._listed.has(found.expiration):
                self._unsettled.add(found.expiration)
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

    def _choose_template(self, event: events.ValueChangeEventArguments[Any]) -> None:
        chosen = str(event.value or "")
        if chosen != NO_TEMPLATE:
            self._acts.begin(self._from_template(chosen))

    async def _from_template(self, template_id: str) -> None:
        name = str(dict(self._template.options).get(template_id, template_id))
        self._template.value = NO_TEMPLATE
        if template_id in STRATEGIES:
            hedge = await self._vault.workbench.build(StrategyKind(template_id.removeprefix(KIND)))
            self._acts.put(hedge, f"the {name.lower()}")
        else:
            hedge = await self._vault.workbench.from_template(template_id)
            self._acts.put(hedge, f"the template {name}")

    def _save(self) -> None:
        self._acts.begin(self._saved())

    async def _saved(self) -> None:
        chosen = self._resolved[self._bench.chosen] if self._resolved else None
        if chosen is None or chosen.hedge is None or not chosen.hedge.legs:
            self._acts.tell("There is nothing to save: this hedge has no legs with a price.")
            return
        name = await self._name.ask(title_of(chosen.draft).capitalize())
        if name is not None:
            kept = await self._vault.workbench.save_template(chosen.hedge, name)
            self._acts.tell(f"Saved as the template {kept.name}: strikes and tenors are rules in it.")
            await self.offer_templates()

    def _address(self) -> str:
        return f"{self._origin}{address_of(self._bench.hedges, self._vault.book.symbol)}"

    def _share(self) -> None:
        at = self._address()
        visible(self._shared, when=True)
        self._link.value = at
        ui.run_javascript(f"navigator.clipboard?.writeText({json.dumps(at)}).catch(() => {{}})")


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

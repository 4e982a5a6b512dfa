"""What the search found and why it may be believed: bound, binding prices, cheaper neighbours; or why nothing."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest, SolveStatus
from vaultdash.services.workbench_request import CheapestReport
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.workbench_words import binding_words, infeasible_words, sentences, status_words, typeset
from vaultdash.ui.format import NOTHING, number, pct, price, unbroken, usd
from vaultdash.ui.theme import button, note, text, visible

NEIGHBOURS = (
    Column("change", "one contract less or lower", left=True),
    Column("cost", "would cost"),
    Column("saved", "saves"),
    Column("reason", "and fails", left=True),
)
FIRST_REASONS = 2  # the rest stands in the certificate
FACTS = ("Cost, with commission", "Fractions of contracts would cost", "Price of whole contracts", "Highest LTV kept")


class Certificate:
    """Hidden until there is an answer; `ask` is told what to ask instead where nothing does what is asked."""

    def __init__(self, ask: Callable[[NearestRequest], object]) -> None:
        self._ask = ask
        with ui.element("div").classes("vd-stack vd-hidden vd-certificate") as self._box:
            self._status = text("div", "").props("role=status").mark("search-status")
            self._refused = text("div", "", "vd-text").mark("infeasible")
            self._instead = ui.element("div").classes("vd-actions")
            self._why = ui.element("ul").classes("vd-remarks")
            with ui.element("details").classes("vd-past vd-further") as self._proof:
                text("summary", "The certificate: what makes it the cheapest")
                with ui.element("div").classes("vd-stack vd-more"):
                    self._further = ui.element("ul").classes("vd-remarks")
                    with ui.element("dl").classes("vd-facts vd-facts-left"):
                        self._facts = {name: self._fact(name) for name in FACTS}
                    self._binding = text("div", "")
                    self._neighbours = DataTable(NEIGHBOURS, label="Cheaper neighbours and why each fails")
                    self._none = note("")
                    self._rejected = note("")
            self._remarks = note("")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", NOTHING)

    def hide(self) -> None:
        """Nothing was asked yet, or it is asked anew."""
        visible(self._box, when=False)

    def show(self, report: CheapestReport) -> None:
        """Fill it from an answer."""
        found = report.found
        is_found = found.hedge is not None
        self._status.set_text(typeset(report.withheld or status_words(report)))
        is_doubtful = report.withheld is not None or found.status is SolveStatus.TIMEOUT
        self._status.classes(
            remove="room warning call", add="warning" if is_doubtful else "room" if is_found else "call"
        )
        self._refused.set_text("" if is_found else typeset(infeasible_words(found)))
        self._offer_instead(None if is_found else found.nearest)
        _list(self._why, report.why[:FIRST_REASONS] if is_found else report.why)
        _list(self._further, report.why[FIRST_REASONS:] if is_found else ())
        visible(self._proof, when=is_found)
        self._prove(found)
        self._remarks.set_text(sentences(found.remarks))
        visible(self._box, when=True)

    def _offer_instead(self, nearest: NearestRequest | None) -> None:
        self._instead.clear()
        visible(self._instead, when=nearest is not None)
        if nearest is None:
            return
        with self._instead:
            if nearest.max_hedged_ltv is not None:
                said = unbroken(f"Ask for {pct(nearest.max_hedged_ltv, 2)} instead")
                button(said, lambda: self._ask(NearestRequest(max_hedged_ltv=nearest.max_hedged_ltv)))
            if nearest.budget is not None:
                said = unbroken(f"Allow {usd(nearest.budget)}")
                button(said, lambda: self._ask(NearestRequest(budget=nearest.budget)))

    def _prove(self, found: CheapestHedge) -> None:
        at = "" if found.worst_price is None else f", at {price(found.worst_price)}"
        values = (
            usd(found.net_cost),
            usd(found.lp_bound),
            usd(found.gap),
            NOTHING if found.worst_hedged_ltv is None else f"{pct(found.worst_hedged_ltv, 2)}{at}",
        )
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(unbroken(value))
        tight = "; ".join(binding_words(one) for one in found.binding)
        self._binding.set_text(unbroken(f"Where it has nothing to spare: {tight}.") if tight else "")
        self._neighbours.show(
            [
                Row(
                    str(place),
                    {
                        "change": Cell(typeset(one.change)),
                        "cost": Cell(usd(one.net_cost), one.net_cost),
                        "saved": Cell(
                            NOTHING if found.net_cost is None else usd(found.net_cost - one.net_cost),
                            None if found.net_cost is None else found.net_cost - one.net_cost,
                        ),
                        "reason": Cell(typeset(one.reason)),
                    },
                )
                for place, one in enumerate(found.neighbours)
            ]
        )
        self._none.set_text("" if found.neighbours else "No hedge one contract away is cheaper.")
        out = len(found.rejected)
        self._rejected.set_text(f"{number(out)} contracts were not used; the reasons are above." if out else "")


def _list(box: ui.element, said: Sequence[str]) -> None:
    box.clear()
    visible(box, when=bool(said))
    with box:
        for one in said:
            text("li", typeset(one))

"""What the search found and why it may be believed: bound, binding prices, cheaper neighbours; or why nothing."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest, SolveStatus
from vaultdash.domain.listed_hedge import counted_reasons
from vaultdash.services.workbench_calls import NOT_SOLD
from vaultdash.services.workbench_request import CheapestReport, Goal
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
BEFORE = "This answers the question before: something else stands above by now."
FACTS = ("Cost, with commission", "Fractions of contracts would cost", "Price of whole contracts", "Highest LTV kept")


class Certificate:
    """Hidden until there is an answer; `ask` is told what to ask instead where nothing does what is asked."""

    def __init__(self, ask: Callable[[NearestRequest], object]) -> None:
        self._ask = ask
        with ui.element("div").classes("vd-stack vd-hidden vd-certificate") as self._box:
            self._before = text("div", BEFORE, "warning vd-hidden").props("role=status").mark("search-before")
            self._status = text("div", "").props("role=status").mark("search-status")
            self._broker = text("div", "", "vd-text call").mark("broker-refuses")
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
        broker = broker_refuses(found)
        reason = "" if is_found else infeasible_words(found)
        self._broker.set_text(typeset(broker))
        self._refused.set_text(typeset(reason))
        self._offer_instead(None if is_found else found.nearest, report)
        _list(self._why, report.why[:FIRST_REASONS] if is_found else [one for one in report.why if one not in reason])
        _list(self._further, report.why[FIRST_REASONS:] if is_found else ())
        visible(self._proof, when=is_found)
        self._prove(found)
        self._remarks.set_text(sentences(one for one in found.remarks if one != broker))
        visible(self._before, when=False)
        visible(self._box, when=True)

    def outdate(self) -> None:
        """Something else is asked by now: what stands here answers the question before."""
        visible(self._before, when=True)
        visible(self._instead, when=False)

    def _offer_instead(self, nearest: NearestRequest | None, report: CheapestReport) -> None:
        """Buttons for what can be asked instead; an LTV at which the lender calls anyway is no way out."""
        call_ltv = report.case.loan.margin_call_ltv
        self._instead.clear()
        visible(self._instead, when=nearest is not None)
        if nearest is None:
            return
        with self._instead:
            if nearest.max_hedged_ltv is not None and nearest.max_hedged_ltv >= call_ltv:
                lowest = f"The lowest LTV that can be kept, {pct(nearest.max_hedged_ltv)},"
                note(unbroken(f"{lowest} is above your call at {pct(call_ltv)}: no hedge of these keeps it away."))
            elif nearest.max_hedged_ltv is not None:
                said = unbroken(f"Ask for {pct(nearest.max_hedged_ltv, 2)} instead")
                button(said, lambda: self._ask(NearestRequest(max_hedged_ltv=nearest.max_hedged_ltv)))
            if nearest.budget is not None and report.request.goal is not Goal.ZERO_COST:
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
        counts = counted_reasons(found.rejected)
        reasons = "; ".join(f"{number(count)} {reason}" for reason, count in counts.items())
        self._rejected.set_text(typeset(f"Not used: {reasons}.") if reasons else "")


def broker_refuses(found: CheapestHedge) -> str:
    """Why no call is sold while the gold is pledged elsewhere; "" where the broker does not decide it."""
    if not any(one.reason == NOT_SOLD for one in found.rejected):
        return ""
    return next((one for one in found.remarks if one.startswith("No call is sold.")), "")


def _list(box: ui.element, said: Sequence[str]) -> None:
    box.clear()
    visible(box, when=bool(said))
    with box:
        for one in said:
            text("li", typeset(one))

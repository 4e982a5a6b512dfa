"""The cheapest hedge of listed contracts beside what is no option, and which of them is better for this loan."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from nicegui import ui

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import AlternativeKind, FrontierPoint, ListedMeasure
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.hedge_link import encode
from vaultdash.services.workbench_advice import ListedAdvice
from vaultdash.strategies.frontier_alternatives import Instead
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.hedge_colours import BENCH_COLOURS
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.components.workbench_words import (
    cost_words,
    infeasible_words,
    legs_words,
    sentences,
    typeset,
    until,
)
from vaultdash.ui.format import NOTHING, moment, pct, price, source_words, unbroken, usd
from vaultdash.ui.theme import TONES, UNHEDGED_COLOUR, Tone, card, note, text, visible

COLUMNS = (
    Column("what", "what one can do", left=True),
    Column("year", "cost a year"),
    Column("capital", "money or gold put in"),
    Column("ltv", "worst LTV"),
    Column("fall", "falls without a call"),
    Column("upside", "upside kept"),
)
NAMES = {
    AlternativeKind.NOTHING: "Do nothing",
    AlternativeKind.REPAY: "Repay",
    AlternativeKind.ADD_GOLD: "Add gold",
    AlternativeKind.SELL_GOLD: "Sell gold and repay",
}


class ListedAdviceCard:
    """Says what it waits for; filled when the search behind the page has answered."""

    def __init__(self, symbol: str, again: Callable[[], object]) -> None:
        self._symbol = symbol
        with card("From listed contracts"):
            self._said = text("p", "", "vd-cure-said").mark("listed-advice")
            self._words = ui.element("div")
            self._paths = text("div", "").props("role=status").mark("listed-paths")
            self._waiting = Waiting(again)
            with ui.element("div").classes("vd-cards"):
                self._table = DataTable(
                    COLUMNS, label="The cheapest listed hedge beside what is no option", roomy=True
                )
            self._basis = note("")
            self._open = ui.link("Open in the workbench", "/workbench").classes("vd-link vd-follow")
        self._waiting.wait("Looking for the cheapest hedge among the listed contracts", skeleton=False)

    def fail(self, reason: str) -> None:
        """Say why there is nothing to show."""
        self._said.set_text("")
        self._waiting.fail("No advice on listed contracts", reason)

    def show(self, found: ListedAdvice) -> None:
        """Fill it."""
        self._waiting.done()
        said, tone = advice_words(found)
        self._said.set_text(typeset(said))
        self._said.classes(remove=" ".join(TONES), add=tone)
        self._words.clear()
        with self._words:
            for one in reasons(found):
                text("div", typeset(one))
        self._paths.set_text("")
        measure = None if found.cheapest is None else found.cheapest.measure
        rows = [] if measure is None or not measure.hedge.legs else [_hedge(measure, found)]
        self._table.show([*rows, *(_alternative(point) for point in found.alternatives)])
        self._basis.set_text(unbroken(_basis(found)))
        link = None if measure is None else _link(measure.hedge, self._symbol)
        self._open.props["href"] = "/workbench" if link is None else f"/workbench?hedge={link}"
        self._open.update()
        visible(self._open, when=found.problem is None)

    def tell_paths(self, words: str) -> None:
        """What random paths say of the hedge, or that they are followed."""
        self._paths.set_text(unbroken(words))


def advice_words(found: ListedAdvice) -> tuple[str, Tone]:
    """The sentence: the hedge, or what is better, or why nothing is said."""
    report = found.cheapest
    if found.without.verdict is Instead.NOTHING:
        return "Do nothing: the call is too far away for any hedge to be worth its price.", "room"
    if found.withheld is not None:
        return found.withheld, "warning"
    if found.problem is not None or report is None:
        return f"{found.problem or 'No listed contracts can be had'}.", "warning"
    if report.found.hedge is None or report.measure is None:
        return f"No listed hedge does it: {infeasible_words(report.found)}", "call"
    hedge = f"{legs_words(report.found.hedge)} {cost_words(report.measure)}, {until(report.found.hedge)}"
    low = pct(report.measure.price_range[0], 0)
    if found.counting is HedgeCounting.CREDITED:
        if found.without.verdict is Instead.REPAY:
            return f"Repay rather than hedge; the cheapest hedge is {hedge}.", "warning"
        return f"Cheapest that keeps the call away down to {low}: {hedge}.", "room"
    cheapest = f"The cheapest that would repay it down to {low}, sold at once, is {hedge}."
    if found.without.verdict is Instead.REPAY:
        return f"Repay rather than hedge: no option stops the call of your lender. {cheapest}", "warning"
    return f"No option stops the call of your lender. {cheapest}", ""


def reasons(found: ListedAdvice) -> tuple[str, ...]:
    """Why, a sentence each, and that options are held already; what the first sentence has said is left out."""
    if found.problem is not None:
        held = () if found.standing.held is None else (sentences([found.standing.held]),)
        return (*found.without.sentences, *held)
    return found.words


def _hedge(measure: ListedMeasure, found: ListedAdvice) -> Row:
    counted = measure.countings[found.counting]
    year, worst = measure.cost_per_year_pct or 0.0, price(counted.worst_price)
    return Row(
        "hedge",
        {
            "what": Cell(
                legs_words(measure.hedge),
                sub=f"{usd(measure.net_cost)}, {until(measure.hedge)}",
                swatch=BENCH_COLOURS[0],
            ),
            "year": Cell(pct(year, 2), year, sub=usd(measure.cost_per_year)),
            "capital": Cell(NOTHING, 0.0),
            "ltv": Cell(
                "repaid" if counted.worst_ltv <= 0 else pct(counted.worst_ltv),
                counted.worst_ltv,
                sub=f"{'once repaid, ' if found.counting is not HedgeCounting.CREDITED else ''}at {worst}",
            ),
            "fall": hedge_fall(measure, found.counting),
            "upside": Cell(pct(measure.upside_kept, 0), measure.upside_kept),
        },
    )


def _alternative(point: FrontierPoint) -> Row:
    assert point.alternative is not None
    return Row(
        point.alternative.value,
        {
            "what": Cell(NAMES[point.alternative], sub=typeset(point.note), swatch=UNHEDGED_COLOUR),
            "year": Cell(pct(point.cost_per_year_pct, 2), point.cost_per_year_pct, sub=usd(point.cost_per_year)),
            "capital": Cell(usd(point.capital) if point.capital else NOTHING, point.capital),
            "ltv": Cell("above 200 %" if point.worst_ltv > 2 else pct(point.worst_ltv), point.worst_ltv),
            "fall": _fall(point.deepest_fall, keeps=False, low=-1.0),
            "upside": Cell(pct(point.upside_kept, 0), point.upside_kept),
        },
    )


def hedge_fall(measure: ListedMeasure, counting: HedgeCounting) -> Cell:
    """Where options count only once they are sold the call comes as without them; what they repay stands below."""
    counted, low = measure.countings[counting], measure.price_range[0]
    if counting is HedgeCounting.CREDITED:
        return _fall(counted.deepest_fall, keeps=counted.keeps, low=low)
    alone = measure.countings[HedgeCounting.IGNORED]
    found = _fall(alone.deepest_fall, keeps=alone.keeps, low=low)
    if alone.keeps or alone.deepest_fall is None or counted.deepest_fall is None:
        return found
    return replace(found, sub=f"sold, it repays to {pct(low if counted.keeps else -abs(counted.deepest_fall), 0)}")


def _fall(deepest: float | None, *, keeps: bool, low: float) -> Cell:
    if deepest is None:
        return Cell("called now", -1.0, "call")
    if keeps:
        return Cell("every one", deepest, "room", sub=f"to {pct(low, 0)}")
    return Cell(pct(-abs(deepest)), deepest)


def _basis(found: ListedAdvice) -> str:
    report = found.cheapest
    if report is None or report.market is None:
        return ""
    market = report.market
    counted = "as your lender counts" if found.counting is HedgeCounting.CREDITED else "counted after payment"
    return (
        f"Whole contracts at the ask, commission included, {counted}, LTV to {pct(found.max_hedged_ltv, 0)}; quotes "
        f"of {source_words(market.source)}, {moment(market.at)}, gold at {price(found.case.spot)}."
    )


def _link(hedge: ListedHedge, symbol: str) -> str | None:
    try:
        return quote(encode(hedge, symbol), safe="~.-")
    except InvalidInput:
        return None

"""One hedge of a backtest in detail: its figures beside the alternatives, calls, trades, remarks and entry dates."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from nicegui import ui

from vaultdash.backtest.result import BacktestRun, Comparison, MarginCall, Reason, Trade
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.backtest_request import BacktestReport, FanEntry
from vaultdash.services.backtest_words import ending_words, start_value
from vaultdash.ui.components.backtest_words import (
    call_words,
    contract_words,
    ending,
    hedge_name,
    net_words,
    repaid_beside,
    run_of,
    trade_words,
    with_days,
)
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.hedge_colours import UNHEDGED
from vaultdash.ui.format import day, number, pct, price, signed_number, unbroken, usd
from vaultdash.ui.theme import note, text, visible

MOST_TRADES = 200
SHORTEST_YEARLY = timedelta(days=90)
TRADES = (
    Column("on", "day", left=True),
    Column("why", "why", left=True),
    Column("what", "contract", left=True),
    Column("count", "contracts"),
    Column("price", "price (mid)"),
    Column("cash", "cash"),
)
CALLS = (
    Column("on", "called at the close of", left=True),
    Column("ltv", "LTV"),
    Column("deadline", "deadline"),
    Column("ended", "ended"),
    Column("how", "how", left=True),
)
FAN = (
    Column("months", "bought before the start", left=True),
    Column("outcome", "the loan", left=True),
    Column("ltv", "highest LTV"),
    Column("cost", "hedge, net"),
    Column("equity", "equity at the end"),
)
Shown = Callable[[BacktestRun], str]
FACTS: tuple[tuple[str, Shown], ...] = (
    ("highest LTV, as counted", lambda one: pct(one.summary.max_ltv)),
    ("on the day", lambda one: day(one.summary.max_ltv_on)),
    ("first close at the limit", lambda one: day(one.summary.first_breach_date)),
    ("first low at the limit", lambda one: day(one.summary.first_intraday_breach_date)),
    ("days at the limit or above", lambda one: number(one.summary.days_in_breach)),
    ("margin calls", lambda one: number(one.summary.calls)),
    ("least headroom", lambda one: usd(one.summary.least_headroom)),
    ("options bought for", lambda one: usd(one.summary.hedge_cost_paid)),
    ("options brought back", lambda one: usd(one.summary.hedge_recovered)),
    ("worth at the end, at the bid", lambda one: usd(one.summary.hedge_value_end)),
    ("hedge, net", lambda one: net_words(one.summary.hedge_cost_net)),
    ("hedge, net a year", lambda one: _a_year(one)),
    ("rolls", lambda one: number(one.summary.rolls)),
    ("net cost of a roll, on average", lambda one: _roll_cost(one)),
    ("interest", lambda one: usd(one.summary.interest)),
    ("repaid from options", lambda one: usd(one.summary.repaid_from_hedge)),
    ("GLD shares left", lambda one: number(one.summary.units_end, 0)),
    ("loan left", lambda one: usd(one.summary.loan_end)),
    ("equity at the end", lambda one: usd(one.summary.final_equity)),
)
ONLY_HEDGED = frozenset(
    (
        "options bought for",
        "options brought back",
        "worth at the end, at the bid",
        "hedge, net",
        "hedge, net a year",
        "rolls",
        "net cost of a roll, on average",
    )
)


class RunDetail:
    """Everything about the chosen row; `show` replaces it."""

    def __init__(self) -> None:
        self._title = text("h3", "", "vd-fall-title").mark("run-title")
        self._told = text("div", "")
        with ui.element("div").classes("vd-columns vd-detail"):
            self._facts = ui.element("div").classes("vd-scroll")
            with ui.element("div").classes("vd-stack"):
                text("h3", "Margin calls", "vd-fall-title")
                with ui.element("div").classes("vd-cards"):
                    self._calls = DataTable(CALLS, label="Margin calls of this hedge")
                self._no_calls = note("")
                self._fan_title = text("h3", "Bought earlier", "vd-fall-title")
                with ui.element("div").classes("vd-fan vd-cards"):
                    self._fan = DataTable(FAN, label="The same hedge, bought earlier")
                self._fanned = note("")
        with ui.element("details").classes("vd-past vd-further vd-phone-fold").props("open") as self._trading:
            text("summary", "Trades", "vd-fall-title")
            with ui.element("div").classes("vd-trades vd-cards"):
                self._trades = DataTable(TRADES, label="Trades of this hedge")
            self._traded = note("")
        self._remarks = ui.element("ul").classes("vd-remarks vd-note")

    def show(self, report: BacktestReport, picked: str) -> None:
        """Fill everything from the run of a row."""
        comparison = report.comparison
        run = run_of(comparison, picked)
        plain = picked == UNHEDGED
        self._title.set_text("No hedge" if plain else hedge_name(run.template))
        words = ending_words(run)
        self._told.set_text(
            f"{'Nothing is bought.' if plain else run.template.description} The loan: {words}.".strip()
        )
        self._show_facts(comparison, run, plain=plain)
        self._calls.show([_call(index, call) for index, call in enumerate(run.calls)])
        self._no_calls.set_text("" if run.calls else "The lender never called.")
        trades = run.trades[:MOST_TRADES]
        visible(self._trading, when=bool(trades))
        self._trades.show([_trade(index, trade, run.template) for index, trade in enumerate(trades)])
        self._traded.set_text(_traded(run, start_value(comparison)))
        rows = [] if plain else fan_rows(report, run.template.id)
        visible(self._fan_title, when=bool(rows))
        self._fan.show(rows)
        self._fanned.set_text(
            "The loan is drawn at the start all the same; only the hedge is older. A hedge bought the day before a "
            "fall is luck: what holds in every row is not."
            if rows
            else ""
        )
        self._remarks.clear()
        with self._remarks:
            for remark in run.remarks:
                text("li", unbroken(with_days(remark)))
        visible(self._remarks, when=bool(run.remarks))

    def _show_facts(self, comparison: Comparison, run: BacktestRun, *, plain: bool) -> None:
        beside: list[tuple[str, BacktestRun, bool]] = [("this hedge", run, bool(run.trades))]
        repaid = None if plain else repaid_beside(comparison, run)
        if repaid is not None:
            beside.append(("same money repaid", repaid, False))
        beside.append(("no hedge", comparison.unhedged, False))
        if plain:
            beside = beside[-1:]
        self._facts.clear()
        with (
            self._facts,
            ui.element("table").classes("vd-sums vd-beside-table").props("aria-label='Figures of this hedge'"),
        ):
            with ui.element("thead"), ui.element("tr"):
                text("th", "")
                for name, _, _ in beside:
                    text("th", name).props("scope=col")
            with ui.element("tbody"):
                for label, shown in FACTS:
                    if label in ONLY_HEDGED and not any(traded for _, _, traded in beside):
                        continue
                    with ui.element("tr"):
                        text("th", label).props("scope=row")
                        for _, one, traded in beside:
                            text("td", "–" if label in ONLY_HEDGED and not traded else shown(one))


def _a_year(run: BacktestRun) -> str:
    """The net cost of a year; of a few days it would say nothing."""
    days = run.series.days
    return net_words(run.summary.cost_per_year) if days[-1] - days[0] >= SHORTEST_YEARLY else "–"


def _roll_cost(run: BacktestRun) -> str:
    """What the new options cost less what the old ones brought, over all rolls."""
    rolled = [trade.cash for trade in run.trades if trade.reason in (Reason.ROLL, Reason.RATCHET)]
    return usd(-sum(rolled) / run.summary.rolls) if run.summary.rolls else "–"


def fan_rows(report: BacktestReport, template_id: str) -> list[Row]:
    """A row for each day of purchase before the start, for one hedge."""
    return [_fan_row(entry, template_id) for entry in report.fan]


def _fan_row(entry: FanEntry, template_id: str) -> Row:
    when = "at the start" if entry.months == 0 else f"{entry.months} month{'s' * (entry.months != 1)}"
    cells = {column.name: Cell("–", "") for column in FAN} | {"months": Cell(when, entry.months)}
    if entry.comparison is None:
        return Row(str(entry.months), cells | {"outcome": Cell(with_days(entry.missing or "not known"))})
    found = next((run for run in entry.comparison.runs if run.template.id == template_id), None)
    if found is None:
        return Row(str(entry.months), cells | {"outcome": Cell("not part of it")})
    words, tone = ending(found)
    summary, scenario = found.summary, entry.comparison.scenario
    breach = summary.first_breach_date
    return Row(
        str(entry.months),
        {
            "months": Cell(when, entry.months, sub=day(scenario.entry or scenario.start)),
            "outcome": Cell(words, tone=tone, sub="" if breach is None else day(breach)),
            "ltv": Cell(pct(summary.max_ltv), summary.max_ltv, "" if summary.survived else "call"),
            "cost": Cell(net_words(summary.hedge_cost_net), summary.hedge_cost_net),
            "equity": Cell(usd(summary.final_equity), summary.final_equity),
        },
    )


def _trade(index: int, trade: Trade, template: HedgeTemplate) -> Row:
    return Row(
        str(index),
        {
            "on": Cell(day(trade.on), trade.on.isoformat()),
            "why": Cell(trade_words(trade, template)),
            "what": Cell(contract_words(trade.right, trade.strike, trade.expiration)),
            "count": Cell(signed_number(trade.contracts), trade.contracts),
            "price": Cell(price(trade.price), trade.price, sub=price(trade.mid)),
            "cash": Cell(usd(trade.cash), trade.cash, "room" if trade.cash > 0 else ""),
        },
    )


def _traded(run: BacktestRun, gold: float) -> str:
    if not run.trades:
        return ""
    summary = run.summary
    commission = sum(trade.commission for trade in run.trades)
    more = len(run.trades) - MOST_TRADES
    rest = f" The first {MOST_TRADES} are shown; trades.csv has {more} more." if more > 0 else ""
    return unbroken(
        f"Contracts of 100 shares; + bought, − sold. Price paid or got a share, with the mid below. Commission "
        f"{usd(commission)} in all. Bought for {usd(summary.hedge_cost_paid)}, "
        f"{pct(summary.hedge_cost_paid / gold, 2)} of the gold.{_counts(run)}{rest}"
    )


def _counts(run: BacktestRun) -> str:
    """Why a collar may have more puts than calls."""
    if not any(trade.right is Right.CALL and trade.contracts < 0 for trade in run.trades):
        return ""
    return (
        " Puts are rounded up to whole contracts, so that all the gold is covered; calls are sold only where 100 "
        "shares stand behind each, so there may be one fewer."
    )


def _call(index: int, call: MarginCall) -> Row:
    return Row(
        str(index),
        {
            "on": Cell(day(call.called_on), call.called_on.isoformat(), sub=f"gold {price(call.price)}"),
            "ltv": Cell(pct(call.ltv), call.ltv, "call"),
            "deadline": Cell(day(call.deadline), str(call.deadline or "")),
            "ended": Cell(day(call.ended_on), str(call.ended_on or "")),
            "how": Cell(call_words(call), sub=_paid(call)),
        },
    )


def _paid(call: MarginCall) -> str:
    parts: Sequence[tuple[str, float]] = (
        ("options", call.from_hedge),
        ("cash", call.from_cash),
        (f"{number(call.units_sold)} shares", call.from_gold),
    )
    return unbroken(", ".join(f"{name} {usd(amount)}" for name, amount in parts if amount > 0))

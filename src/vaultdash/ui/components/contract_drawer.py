"""A contract in full: its quote, our numbers, what it pays, and what it costs and covers of the loan."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote as url_quote

from nicegui import background_tasks, ui

from vaultdash.domain.option import OptionContract, Right, payoff
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.contract_cover import ContractCover
from vaultdash.ui.components.chain_words import IV_WORDS, contract_name, doubts
from vaultdash.ui.components.chart import Chart, axes, axis_label, mark, marks
from vaultdash.ui.format import NOTHING, greek, moment, number, pct, price, unbroken, usd
from vaultdash.ui.theme import ChartColours, Tabs, note, text

Recorded = Callable[[str], Awaitable[Sequence[tuple[date, float]]]]
LOWEST, HIGHEST, STEPS = 0.7, 1.15, 70
FIGURES = ("bid", "ask", "mid", "spread")
FACTS = ("Implied volatility", "Delta", "Gamma", "Vega", "Theta", "Open interest", "Volume", "Last trade")
ONE, ALL = "one", "all"


class ContractDrawer:
    """Opens at the right, on a phone from below; Esc closes it.

    `add` is told the contract that was chosen. With `recorded`, which gives the prices of earlier days by OSI symbol,
    they are drawn as well.
    """

    def __init__(
        self, add: Callable[[str], object], closed: Callable[[], object], recorded: Recorded | None = None
    ) -> None:
        self._add = add
        self._recorded = recorded
        self._shown: tuple[PricedChain, PricedOption, ContractCover | str, float | None] | None = None
        self._colours = ChartColours(dark=True)
        self._count = ONE
        with (
            ui.dialog()
            .props('position=right aria-labelledby="vd-drawer-title"')
            .classes("vd-drawer") as self._dialog,
            ui.element("div").classes("vd-drawer-box"),
        ):
            self._head()
            self._figures = self._quote()
            self._doubts = text("div", "", "warning")
            self._cover()
            with ui.element("div"):
                with ui.element("div").classes("vd-card-head"):
                    text("h3", "Gain and loss at expiry", "vd-label")
                    self._counts = Tabs(((ONE, "one contract"), (ALL, "all shares")), ONE, self._choose_count)
                self._chart = Chart("Gain and loss of the contract at expiry over the price")
                self._paid = note("")
            text("h3", "Our numbers, a share", "vd-label")
            with ui.element("dl").classes("vd-facts"):
                self._facts = {name: self._fact(name) for name in FACTS}
            self._basis = note("")
            with ui.element("div").classes("vd-hidden") as self._past:
                text("h3", "Recorded prices", "vd-label")
                self._history = Chart("Recorded prices of the contract by day")
        self._dialog.on("hide", lambda: closed())

    def _head(self) -> None:
        with ui.element("div").classes("vd-drawer-head"):
            with ui.element("div"):
                self._title = text("h2", "", "vd-sentence").props("id=vd-drawer-title")
                self._symbol = note("")
            with ui.element("button").classes("vd-tab").props("type=button aria-label='Close'") as close:
                ui.label("✕")
            close.on("click", self._dialog.close)

    def _quote(self) -> dict[str, tuple[ui.label, ui.label]]:
        found = {}
        with ui.element("div").classes("vd-quote"):
            for name in FIGURES:
                with ui.element("div"):
                    value = text("b", NOTHING)
                    found[name] = (value, text("span", name))
        return found

    def _cover(self) -> None:
        with ui.element("div").classes("vd-cover"):
            text("h3", "For your loan", "vd-label")
            self._covers = text("div", "")
            self._costs = text("div", "")
            self._keeps = note("")
            with ui.element("div").classes("vd-tabs"):
                self._use = ui.link("Use in a hedge", "/hedge").classes("vd-button")
                self._bend = ui.link("On the workbench", "/workbench").classes("vd-tab")
                with ui.element("button").classes("vd-tab").props("type=button") as add:
                    ui.label("Add to selection")
                add.on("click", self._added)

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", NOTHING)

    def show(self, chain: PricedChain, option: PricedOption, cover: ContractCover | str, call: float | None) -> None:
        """Open it with a contract; `cover` in words is why it does not protect the loan, `call` its call price."""
        self._shown = (chain, option, cover, call)
        contract, quote = option.quote.contract, option.quote
        self._title.set_text(contract_name(contract))
        days = f"{chain.days_to_expiry} {'day' if chain.days_to_expiry == 1 else 'days'}"
        self._symbol.set_text(f"{days} to expiry · {contract.osi}")
        for name, value in zip(FIGURES, (quote.bid, quote.ask, option.mid, quote.spread), strict=True):
            self._figures[name][0].set_text(price(value))
        self._figures["spread"][1].set_text(unbroken(f"spread · {pct(option.spread_pct)}"))
        self._doubts.set_text(doubts(option))
        self._show_cover(contract, cover)
        self._show_facts(chain, option)
        self._draw()
        self._past.classes(add="vd-hidden")
        if self._recorded is not None:
            background_tasks.create(self._show_past(contract.osi, self._recorded), context=self._past)
        self._dialog.open()

    def dress(self, colours: ChartColours) -> None:
        """Draw the chart in the colours of the other mode."""
        self._colours = colours
        self._draw()

    def close(self) -> None:
        """Close it."""
        self._dialog.close()

    def _show_cover(self, contract: OptionContract, cover: ContractCover | str) -> None:
        usable = isinstance(cover, ContractCover)
        self._use.classes(add="" if usable else "vd-hidden", remove="vd-hidden" if usable else "")
        self._use.props(f'href="/hedge?contract={url_quote(contract.osi)}"')
        self._bend.classes(add="" if usable else "vd-hidden", remove="vd-hidden" if usable else "")
        self._bend.props(f'href="/workbench?contract={url_quote(contract.osi)}"')
        if isinstance(cover, str):
            self._covers.set_text(cover)
            self._costs.set_text("")
            self._keeps.set_text("")
            return
        whole = cover.hedge.contracts_ceil
        self._covers.set_text(
            unbroken(
                f"One contract costs {usd(cover.cost_per_contract)} with commission and covers {contract.multiplier} "
                f"of {number(contract.multiplier / cover.covered_share)} shares, {pct(cover.covered_share)}."
            )
        )
        self._costs.set_text(
            unbroken(
                f"{cover.contracts} contracts cover all of them for {usd(whole.cost.total_cost)}: "
                f"{pct(whole.cost.cost_pct_of_portfolio, 2)} of the gold until then, "
                f"{pct(whole.cost.annualized_cost_pct, 2)} a year."
            )
        )
        call = price(cover.hedge.protection.threshold_price)
        above = "above" if cover.is_above_the_call else "not above"
        keeps = "keep the call away" if cover.is_above_the_call else "do not keep it away"
        self._keeps.set_text(
            f"The strike is {above} your margin-call price of {call}. A lender who ignores puts calls there all the "
            f"same; credited over all shares the puts {keeps} at expiry; sold in time they bring LTV at {call} to "
            f"{pct(whole.protection.hedged_ltv_after_payment_at_threshold)}. It has paid for itself below "
            f"{price(cover.break_even)}."
        )

    def _show_facts(self, chain: PricedChain, option: PricedOption) -> None:
        quote = option.quote
        volatility = pct(option.implied_volatility)
        if option.implied_volatility is None:
            volatility = f"none: {IV_WORDS.get(option.iv_status, option.iv_status)}"
        of = f", {moment(quote.last_trade_at)}" if quote.last_trade_at else ""
        values = (
            volatility,
            f"{greek(3)(option.delta)} USD for 1 USD",
            f"{greek(5)(option.gamma)} of delta for 1 USD",
            f"{greek(3)(option.vega)} USD for 1 point of volatility",
            f"{greek(3)(option.theta)} USD for one day",
            f"{number(quote.open_interest)} contracts",
            f"{number(quote.volume)} contracts",
            f"{price(quote.last)}{of}",
        )
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(unbroken(value))
        vendor = f" · the source's own volatility: {pct(quote.vendor_iv)}" if quote.vendor_iv else ""
        surface = f"a volatility of {pct(option.surface_volatility)} from the surface"
        stands = {"mid": "the volatility of mid", "surface": surface}.get(option.greeks_from or "", "nothing")
        self._basis.set_text(f"American exercise; Greeks stand on {stands}{vendor}.")

    async def _show_past(self, osi: str, recorded: Recorded) -> None:
        days = await recorded(osi)
        if days and self._shown is not None and self._shown[1].quote.contract.osi == osi:
            self._history.show(history_options(days, self._colours))
            self._past.classes(remove="vd-hidden")

    def _choose_count(self, value: str) -> None:
        self._count = value
        self._draw()

    def _draw(self) -> None:
        if self._shown is None:
            return
        chain, option, cover, call = self._shown
        contract, ask = option.quote.contract, option.quote.ask
        count = cover.contracts if isinstance(cover, ContractCover) and self._count == ALL else 1
        if not ask:
            self._chart.show({"animation": False})
            self._paid.set_text("No ask, so what it would gain or lose is not known.")
            return
        self._chart.show(payoff_options(contract, ask, count, chain.underlying.price, call, self._colours))
        cost = ask * contract.multiplier * count
        self._paid.set_text(
            f"{count} bought at the ask for {usd(cost)}, held to expiry, without commission: the premium is the most "
            "that can be lost."
        )

    def _added(self) -> None:
        if self._shown is not None:
            self._add(self._shown[1].quote.contract.osi)


def payoff_options(
    contract: OptionContract, ask: float, count: int, spot: float, call: float | None, colours: ChartColours
) -> dict[str, Any]:
    """Gain or loss in USD at expiry of `count` contracts bought at `ask`, over the price of the underlying."""
    lowest, highest = min(spot, contract.strike) * LOWEST, max(spot, contract.strike) * HIGHEST
    even = [lowest + (highest - lowest) * step / STEPS for step in range(STEPS + 1)]
    prices = sorted({*even, contract.strike})
    gains = [count * contract.multiplier * (payoff(contract.right, contract.strike, at) - ask) for at in prices]
    lines = [mark({"xAxis": spot}, f"now {price(spot)}", colours.text)]
    if call is not None and lowest < call < highest:
        lines.append(mark({"xAxis": call}, f"call {price(call)}", colours.call))
    base = axes(colours, lowest, highest)
    base["grid"] |= {"left": 56}
    base["yAxis"] |= {"axisLabel": axis_label("v => '$ ' + v.toLocaleString('en-US')", colours)}
    base["tooltip"] |= {":valueFormatter": "v => '$ ' + Math.round(v).toLocaleString('en-US')"}
    name = "put" if contract.right is Right.PUT else "call"
    series = {
        "name": f"{count} × {name}",
        "type": "line",
        "showSymbol": False,
        "data": [[round(at, 4), round(gain, 2)] for at, gain in zip(prices, gains, strict=True)],
        "lineStyle": {"width": 2.5, "color": colours.gold},
        "itemStyle": {"color": colours.gold},
        "areaStyle": {"color": colours.gold, "opacity": 0.08},
        "markLine": marks(colours, *lines),
    }
    return {**base, "series": [series]}


def history_options(days: Sequence[tuple[date, float]], colours: ChartColours) -> dict[str, Any]:
    """Recorded mid prices, USD a share, by day."""
    base = axes(colours, 0, 1)
    base["xAxis"] |= {"type": "time", "min": None, "max": None}
    base["yAxis"] |= {"scale": True}
    base["grid"] |= {"top": 12}
    line = {"name": "mid", "type": "line", "showSymbol": len(days) < 3, "itemStyle": {"color": colours.gold}}
    return {**base, "series": [line | {"data": [[on.isoformat(), round(value, 4)] for on, value in days]}]}

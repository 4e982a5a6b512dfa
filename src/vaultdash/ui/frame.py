"""What stays while pages change: header with the live price, navigation, banners."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps

from nicegui import context, ui
from nicegui.element import Element

from vaultdash.domain.alert import AlertEvent
from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import VaultError
from vaultdash.domain.market import Freshness
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.alert_doubts import alert_doubts
from vaultdash.services.heartbeat import Beat
from vaultdash.services.open_alerts import open_alerts
from vaultdash.services.standing import doubted
from vaultdash.services.vault import Vault
from vaultdash.ui.components.alert_bell import AlertBell
from vaultdash.ui.components.loan_draft import unit_of
from vaultdash.ui.components.portfolio_switch import PortfolioSwitch
from vaultdash.ui.format import age, moment, number, price, rate_words, signed_pct
from vaultdash.ui.live import follow
from vaultdash.ui.theme import age_of, note, text, visible

THEME_COOKIE = "vd-theme"
SYMBOL_FREE = ("/settings", "/welcome")  # what is typed there outlives another symbol


@dataclass(frozen=True, slots=True)
class Page:
    """A path, its name in the navigation, and what builds it; its arguments are those of the address by name."""

    path: str
    title: str
    build: Callable[..., Awaitable[None] | None]
    in_navigation: bool = True


def frame(vault: Vault, pages: Sequence[Page]) -> None:
    """Header, navigation and the place where pages appear."""
    symbol = vault.book.symbol

    async def choose(portfolio_id: str) -> None:
        try:
            await vault.book.choose(portfolio_id)
        except VaultError as error:
            ui.notify(f"{error}.")

    async def waiting() -> Sequence[AlertEvent]:
        return await open_alerts(vault.database, [each.id for each in vault.book.all])

    with ui.element("div").classes("vd-app"):
        with ui.element("header").classes("vd-header"):
            ui.link("Vault Dashboard", "/").classes("vd-brand")
            switches = [PortfolioSwitch(choose, "vd-wide")]
            ui.element("div").classes("vd-spacer")
            pill = _PricePill(vault.book.symbol)
            bell = AlertBell(vault.alerts, waiting, vault.now, lambda: alert_doubts(vault))
            _theme_button()
        _navigation(pages)
        with ui.element("main").classes("vd-main"), ui.element("div").classes("vd-page"):
            switches.append(PortfolioSwitch(choose, "vd-narrow vd-switch"))
            banner = _Banner(vault)
            ui.sub_pages({page.path: _rooted(page.build) for page in pages}).style("display:contents")
            with ui.element("footer"):
                note(
                    f"Vault Dashboard {vault.version} · analysis, not advice, not an order · charts: TradingView "
                    "Lightweight Charts™, copyright TradingView, Inc., tradingview.com, Apache License 2.0"
                )

    def update(_: Beat) -> None:
        beat = vault.heartbeat.current()
        if beat is not None:
            pill.show(vault.book.symbol, beat)
            banner.show(beat)

    def show_loan(_: object = None) -> None:
        book, loans = vault.book, [(each.id, each.name) for each in vault.book.all]
        held = pledged_words(book.current.collateral, vault.now().date())
        several = len(loans) > 1
        words = "Example loan on" if book.is_example else "Loan" if several else "Loan on"
        for switch in switches:
            switch.show(words, f"{book.current.name} · {held}" if several else held, loans, book.current.id)
        visible(switches[1].pill, when=several)
        if book.symbol != symbol:  # charts and chains of the page are those of the other symbol
            keeps = json.dumps(SYMBOL_FREE)
            ui.run_javascript(f"if (!{keeps}.includes(location.pathname)) location.reload()")

    async def look(_: object) -> None:
        await bell.look()

    show_loan()
    follow(vault.heartbeat.feed, update)
    follow(vault.heartbeat.feed, look)
    follow(vault.outbox.changed, look)
    follow(vault.book.changed, show_loan)


def _rooted(build: Callable[..., Awaitable[None] | None]) -> Callable[..., Awaitable[None] | None]:
    """The page in an element of its own, which goes when another page is shown: what follows a feed ends with it."""

    @wraps(build)  # the page's arguments are those of the address by name
    def rooted(*args: object, **named: object) -> Awaitable[None] | None:
        root = ui.element("div").style("display:contents")
        with root:
            result = build(*args, **named)
        return None if result is None else _within(root, result)

    return rooted


async def _within(root: Element, work: Awaitable[None]) -> None:
    with root:
        await work


def pledged_words(collateral: Collateral, today: date) -> str:
    """What is pledged: `2,174 GLD`, `12.4 kg of gold`, and ounces where several kinds are."""
    symbol, ounces = collateral.instrument.symbol, collateral.ounces(today)
    if collateral.is_mixed:
        weight = "gold" if ounces is None else f"{number(ounces, 1)} oz of gold"
        return f"{weight} in {len(collateral.lots)} lots"
    units, unit = collateral.units_on(today), unit_of(symbol)
    if unit == "shares":
        return f"{number(units)} {symbol}"
    return f"{number(units, 0 if units >= 1000 else 1)} {unit} of gold"


def _navigation(pages: Sequence[Page]) -> None:
    links = {}
    with ui.element("nav").classes("vd-nav").props("aria-label=Pages"):
        for page in pages:
            if page.in_navigation:
                links[page.path] = ui.link(page.title, page.path)

    def mark(path: str) -> None:
        plain = path.split("?")[0]
        for target, link in links.items():
            active = target == plain
            link.classes(add="active" if active else "", remove="" if active else "active")
            link.props("aria-current=page" if active else "", remove="" if active else "aria-current")
        title = next((page.title for page in pages if page.path == plain), "")
        ui.page_title(f"{title} · Vault Dashboard" if title else "Vault Dashboard")

    router = context.client.sub_pages_router
    router.on_path_changed(mark)
    mark(router.current_path)


class _PricePill:
    def __init__(self, symbol: str) -> None:
        with ui.element("div").classes("vd-pill").props("role=status aria-label='live price'").mark("price-pill"):
            self._dot = ui.element("i").classes("vd-dot")
            self._symbol = text("span", symbol)
            self._price = text("b", "…")
            self._change = text("span", "", "vd-wide")
            self._source = text("span", "waiting for a price", "vd-wide")
            self._word = text("b", "", "vd-narrow")
            self._age = age_of("", "")

    def show(self, symbol: str, beat: Beat) -> None:
        status = beat.status
        self._symbol.set_text(symbol)
        status = beat.statuses.get(symbol, status)  # of the gold itself: the beat's is stale by an old rate, too
        if status is None:
            self._source.set_text("no price")
            self._word.set_text("no price")
            return
        quote = status.quote
        self._price.set_text(price(quote.price))
        self._change.set_text(signed_pct(quote.change_pct, 2) if quote.change_pct is not None else "")
        closed = ", market closed" if status.freshness is Freshness.CLOSED else ""
        delayed = f", delayed {quote.delay_seconds / 60:.0f} min" if quote.is_delayed else ""
        stale = ", stale" if status.is_stale else ""
        self._source.set_text(f"· {quote.source}{delayed}{closed}{stale} ·")
        self._age.props(f'data-at="{quote.at.isoformat()}" title="{moment(quote.at)}"')
        self._age.set_text(age(status.age_seconds))
        shut = "closed" if status.freshness is Freshness.CLOSED else ""
        self._word.set_text("DEMO" if quote.is_demo else "stale" if status.is_stale else shut)
        tone = "stale" if status.is_stale else "demo" if quote.is_demo else status.freshness.value
        self._dot.classes(replace=f"vd-dot {tone}")


class _Banner:
    """Says on every page when the numbers are invented or old."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        with ui.element("div").classes("vd-banner vd-hidden").props("role=alert").mark("banner") as self._box:
            self._head = text("b")
            self._said = text("span")

    def show(self, beat: Beat) -> None:
        head, said, stale = self._words(beat)
        self._head.set_text(head)
        self._said.set_text(said)
        self._box.classes(
            add=("" if head else "vd-hidden ") + ("stale" if stale else ""),
            remove=("vd-hidden " if head else "") + ("" if stale else "stale"),
        )

    def _words(self, beat: Beat) -> tuple[str, str, bool]:
        status = beat.status
        reason = f" ({beat.problem})" if beat.problem else ""
        if status is None:
            return "NO PRICE", f"No source has answered yet{reason}. Asking again every few seconds.", True
        if status.quote.is_demo:
            if self._vault.market == "demo":
                return "DEMO", "Every price here is invented. Set VAULT_MARKET=auto for the real market.", False
            return (
                "DEMO",
                f"No real price could be had{reason}: the one above is invented. The real price replaces it.",
                True,
            )
        doubt = doubted(beat)
        if doubt is not None and doubt.thing != "price":
            return "RATE", f"{_of_rate(beat.snapshot)} No hedge is recommended until a new one arrives.", True
        if beat.snapshot is None:
            return "NOT VALUED", f"{beat.problem}. Asking again every few seconds.", True
        if status.is_stale:
            said = f"The last price is from {moment(status.quote.at)}, {age(status.age_seconds)}{reason}."
            return "STALE", said + " No hedge is recommended until a new one arrives.", True
        return "", "", False


def _of_rate(snapshot: Snapshot | None) -> str:
    """What is wrong with the exchange rate of the loan."""
    rate = None if snapshot is None else snapshot.rate
    if rate is None or rate.at is None:
        return "The exchange rate is not known."
    known = f"{rate_words(rate)} from {rate.source}, {moment(rate.at)}"
    return f"What a dollar costs in {rate.currency} is {'invented' if rate.is_demo else 'old'}: {known}."


def _theme_button() -> None:
    chosen = context.client.request.cookies.get(THEME_COOKIE)
    mode = ui.dark_mode({"dark": True, "light": False}.get(chosen or ""))

    def toggle() -> None:
        ui.run_javascript(
            "const dark = !document.body.classList.contains('body--dark');"
            f"document.cookie = '{THEME_COOKIE}=' + (dark ? 'dark' : 'light')"
            " + '; path=/; max-age=31536000; SameSite=Strict';"
            "Quasar.Dark.set(dark); emitEvent('vd-theme', dark);"
        )

    with (
        ui.element("button")
        .classes("vd-pill")
        .props("type=button aria-label='Switch between dark and light'") as button
    ):
        ui.label("◐")
    button.on("click", toggle)
    mode.props("aria-hidden=true")

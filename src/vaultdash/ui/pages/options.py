"""Options: the listed chain of one expiration, what protection costs in it, and what a contract does for the loan."""

from collections.abc import Coroutine, MutableMapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import structlog
from nicegui import app, background_tasks, context, ui

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.option import contract_from_osi
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.heartbeat import Beat
from vaultdash.services.option_chains import Listing
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chain_ladder import ChainLadder, Mark
from vaultdash.ui.components.chain_words import (
    LoanPrices,
    basis,
    first_above_call,
    headline,
    not_used,
    origin,
    points_out,
    state_word,
)
from vaultdash.ui.components.chosen_contracts import ChosenContracts
from vaultdash.ui.components.contract_drawer import ContractDrawer
from vaultdash.ui.components.expiry_tabs import ExpiryTabs
from vaultdash.ui.components.volatility_cards import VolatilityCards
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.format import age, day, price, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.own_loan import cover_or_reason, loan_prices, moves_held, pledged_shares
from vaultdash.ui.theme import TONES, ChartColours, Tone, age_of, card, is_dark, note, text, visible

log = structlog.get_logger()
BROKEN = "something went wrong in this server; its log says what"
CHOSEN = "chosen-contracts"
INVENTED = "No real option quotes could be had: every price of this chain is invented."


@dataclass(slots=True)
class Asked:
    """What the page is to show: a symbol, an expiration unless it is the default one, and a contract to open."""

    symbol: str
    expiration: date | None = None
    contract: str | None = None


class OptionsPage:
    """The page's parts and what is asked for; every request runs behind the page, and the latest one wins."""

    def __init__(self, vault: Vault, asked: Asked) -> None:
        self._vault = vault
        self._asked = asked
        self._turn = 0
        self._listing: Listing | None = None
        self._chain: PricedChain | None = None
        self._pointed: str | None = None
        self._colours = ChartColours(dark=True)
        self._source = "the demo market" if vault.market == "demo" else "Yahoo"
        chosen: MutableMapping[str, int] = app.storage.client.setdefault(CHOSEN, {})
        with ui.element("div").classes("vd-page") as self._root:
            with ui.element("div").classes("vd-banner stale vd-hidden").props("role=alert") as self._invented:
                text("b", "DEMO")
                self._invented_words = text("span", "")
            self._sentence()
            with card("Chain") as head:
                with head:
                    self._controls()
                self._tabs = ExpiryTabs(self.choose)
                self._asking = Waiting(lambda: self.load())
                self._loading = Waiting(lambda: self.load())
                with ui.element("div").classes("vd-hidden") as self._shown:
                    self._problem = text("div", "", "vd-problem warning")
                    self._ladder = ChainLadder(self.open)
                    self._unused = note("")
                    self._basis = note("")
            self._volatility = VolatilityCards()
            self._chosen = ChosenContracts(chosen, self.open)
            self._drawer = ContractDrawer(self._add, lambda: self._ladder.pick(""), vault.recorded_prices)
        self._tabs.show(None, None)

    def _sentence(self) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._main = text("span", f"Looking up what a put on {self._asked.symbol} costs.").mark("headline")
                self._rest = text("span", "").mark("detail")
            with ui.element("div").classes("vd-note vd-origin"):
                self._state = text("b", "")
                self._origin = text("span", "")
                self._age = age_of("", "")

    def _controls(self) -> None:
        with ui.element("div").classes("vd-tabs vd-controls"):
            self._field = ui.input(value=self._asked.symbol).props(
                "dense outlined maxlength=15 aria-label=Symbol autocomplete=off input-class=vd-symbol"
            )
            self._field.on("keydown.enter", lambda: self.show_symbol(self._field.value))
            _button("Show", lambda: self.show_symbol(self._field.value))
            self._refresh = _button("Refresh", lambda: self.load(refresh=True))
            self._csv = ui.link("CSV", "#").classes("vd-tab vd-hidden").props("download title='This chain as a file'")

    def show_symbol(self, symbol: str) -> None:
        """Begin with another symbol."""
        try:
            self._asked = Asked(clean_symbol(symbol or ""))
        except InvalidInput as error:
            self._asking.fail("No such symbol", str(error))
            return
        self._field.set_value(self._asked.symbol)
        self._listing, self._chain = None, None
        self.load()

    def choose(self, expiration: date) -> None:
        """Show another expiration."""
        self._asked = Asked(self._asked.symbol, expiration)
        self.load()

    def load(self, *, refresh: bool = False) -> None:
        """Ask for what is missing, behind the page; with `refresh` for all of it anew."""
        self._turn += 1
        self._begin(self._load(self._turn, refresh=refresh))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        background_tasks.create(work, name="options page", context=self._root)

    def _is_late(self, turn: int) -> bool:
        return turn != self._turn or self._root.is_deleted

    async def _load(self, turn: int, *, refresh: bool) -> None:
        asked, listing = self._asked, self._listing
        if listing is None or listing.symbol != asked.symbol or refresh:
            listing = await self._load_listing(turn, asked, refresh=refresh)
        if listing is not None:
            if asked.expiration not in listing.days:
                asked.expiration = listing.default
            await self._load_chain(turn, asked, listing, refresh=refresh)

    async def _load_listing(self, turn: int, asked: Asked, *, refresh: bool) -> Listing | None:
        fresh = self._listing is None
        self._asking.wait(f"Asking {self._source} for the expirations of {asked.symbol}", skeleton=fresh)
        if fresh:
            self._tabs.show(None, None)
            self._hide(f"Looking up what a put on {asked.symbol} costs.")
            self._loading.done()
        try:
            listing = await self._vault.chains.expirations(asked.symbol, refresh=refresh)
        except Exception as error:  # noqa: BLE001  # whatever it is, the page says so and stays usable
            if not self._is_late(turn):
                self._asking.fail(f"No options of {asked.symbol}", _reason(error))
                if fresh:
                    self._tabs.clear()
                self._hide(f"No options of {asked.symbol} can be shown.")
            return None
        if self._is_late(turn):
            return None
        self._listing = listing
        self._asking.done()
        return listing

    async def _load_chain(self, turn: int, asked: Asked, listing: Listing, *, refresh: bool) -> None:
        on = asked.expiration or listing.default
        self._tabs.show(listing, on)
        same = self._chain is not None and (self._chain.symbol, self._chain.expiration) == (asked.symbol, on)
        self._loading.wait(f"Asking {self._source} for {day(on)}", skeleton=self._chain is None)
        self._shown.classes(add="vd-dim")
        try:
            chain = await self._vault.chains.chain(asked.symbol, on, refresh=refresh)
        except Exception as error:  # noqa: BLE001  # as above
            if not self._is_late(turn):
                self._loading.fail(f"No quotes for {day(on)}", _reason(error))
                if not same:
                    self._chain = None
                    self._hide(f"No quotes of {asked.symbol} for {day(on)}.")
            return
        if self._is_late(turn):
            return
        self._chain = chain
        self._loading.done()
        self.show(chain)
        if asked.contract:
            self.open(asked.contract)
            asked.contract = None
        await self._draw(turn)

    async def _draw(self, turn: int) -> None:
        """The volatilities, which take a fit."""
        chain, listing = self._chain, self._listing
        if chain is None or listing is None:
            return
        try:
            surface = await self._vault.chains.surface(chain.symbol)
        except Exception as error:  # noqa: BLE001  # as above
            surface, _ = None, _reason(error)
        if not self._is_late(turn):
            loan = self._loan(chain)
            call = loan.call if loan.symbol == chain.symbol else None
            loaded = self._vault.chains.loaded(chain.symbol)
            self._volatility.show(chain, loaded, surface, len(listing.days), call, self._colours)

    def _hide(self, sentence: str) -> None:
        self._shown.classes(add="vd-hidden", remove="vd-dim")
        self._warn("")
        self._csv.classes(add="vd-hidden")
        self._volatility.hide()
        self._say(sentence, "", "muted")
        self._state.set_text("")
        self._origin.set_text("")
        self._age.props('data-at=""')
        self._age.set_text("")

    def show(self, chain: PricedChain) -> None:
        """Fill every part from a chain."""
        loan = self._loan(chain)
        own = loan.symbol == chain.symbol
        marks = [Mark(chain.underlying.price, f"{chain.symbol} {price(chain.underlying.price)}", "gold")]
        if own:
            marks += [
                Mark(loan.call, f"margin call {price(loan.call)}", "call"),
                Mark(loan.close_out, f"close-out {price(loan.close_out)}", "close_out"),
            ]
        self._pointed = self._first(chain, loan)
        self._ladder.show(chain, marks, loan.call if own else None, self._pointed)
        self._unused.set_text(not_used(chain))
        self._basis.set_text(unbroken(basis(chain)))
        self._shown.classes(remove="vd-hidden vd-dim")
        query = urlencode({"symbol": chain.symbol, "expiration": chain.expiration.isoformat()})
        self._csv.props(f'href="/api/options/chain.csv?{query}"').classes(remove="vd-hidden")
        self._show_state(chain, loan)
        self._show_chosen()
        self._remember(query)

    def _show_state(self, chain: PricedChain, loan: LoanPrices) -> None:
        self._warn(INVENTED if chain.is_demo and self._vault.market != "demo" else "")
        said = headline(chain, loan, self._vault.market)
        self._say(said.main, said.rest, said.tone)
        word = state_word(chain)
        self._state.set_text(f"{word} · " if word else "")
        self._origin.set_text(f"{origin(chain)} · ")
        self._age.props(f'data-at="{chain.at.isoformat()}"')
        self._age.set_text(age(chain.age_seconds))
        self._problem.set_text(f"Nothing newer could be had: {chain.problem}" if chain.problem else "")

    def _warn(self, words: str) -> None:
        """The red banner of this page: invented quotes beside a real price."""
        self._invented_words.set_text(words)
        visible(self._invented, when=bool(words))

    def _say(self, main: str, rest: str, tone: Tone) -> None:
        self._main.set_text(f"{main} " if rest else main)
        self._main.classes(remove=" ".join(TONES), add=tone)
        self._rest.set_text(rest)

    def update(self, _: Beat) -> None:
        """At each beat: how old the quotes are by now, and how the loan stands."""
        chain = self._chain
        if chain is None or self._root.is_deleted:
            return
        self._chain = self._vault.chains.dated(chain, chain.problem)
        loan = self._loan(self._chain)
        if self._first(self._chain, loan) != self._pointed:
            self.show(self._chain)
        else:
            self._show_state(self._chain, loan)

    def _first(self, chain: PricedChain, loan: LoanPrices) -> str | None:
        """The put to point out, by its OSI symbol; none while quotes, price or rate do not allow it."""
        put = first_above_call(chain, loan.call) if points_out(chain, loan, self._vault.market) else None
        return put.quote.contract.osi if put else None

    def dress(self, *, dark: bool) -> None:
        """Draw the charts for the other mode."""
        self._colours = ChartColours(dark=dark)
        self._drawer.dress(self._colours)
        if not self._root.is_deleted:
            self._begin(self._draw(self._turn))

    def open(self, osi: str) -> None:
        """Open a contract in full."""
        found = self._options().get(osi)
        if found is None:
            return
        chain, option = found
        loan = self._loan(chain)
        self._ladder.pick(osi)
        self._drawer.show(
            chain,
            option,
            cover_or_reason(self._vault, chain, option),
            loan.call if loan.symbol == chain.symbol else None,
        )

    def _add(self, osi: str) -> None:
        self._chosen.add(osi)
        self._show_chosen()
        self._drawer.close()

    def _show_chosen(self) -> None:
        options = {osi: option for osi, (_, option) in self._options().items()}
        symbol = self._vault.book.symbol
        own = all(contract_from_osi(osi).root == symbol for osi in self._chosen.symbols)
        self._chosen.show(
            options, pledged_shares(self._vault) if own else None, moves_held(self._vault) if own else ()
        )

    def _options(self) -> dict[str, tuple[PricedChain, PricedOption]]:
        """Every contract at hand: of the chain that is shown, and of the others that have been loaded."""
        symbols = {self._asked.symbol, *(contract_from_osi(osi).root for osi in self._chosen.symbols)}
        chains = [chain for symbol in symbols for chain in self._vault.chains.loaded(symbol)]
        if self._chain is not None:
            chains.append(self._chain)
        return {one.quote.contract.osi: (chain, one) for chain in chains for one in chain.options}

    def _loan(self, chain: PricedChain) -> LoanPrices:
        return loan_prices(self._vault, chain)

    def _remember(self, query: str) -> None:
        """The address follows what is shown, so that a reload shows it again."""
        ui.run_javascript(
            f"const at = '/options?{query}';"
            "if (location.pathname === '/options') history.replaceState({page: at}, '', at)"
        )


def _button(label: str, act: Any) -> ui.element:
    with ui.element("button").classes("vd-tab").props("type=button") as button:
        ui.label(label)
    button.on("click", lambda: act())
    return button


def _reason(error: Exception) -> str:
    if isinstance(error, VaultError):
        return str(error)
    log.error("options_page_broke", reason=repr(error), exc_info=error)
    return BROKEN


def _asked(vault: Vault, symbol: str | None, expiration: str | None, contract: str | None) -> Asked:
    """What an address asks for; what makes no sense in it is left out."""
    asked = Asked(vault.book.symbol)
    try:
        if contract:
            wanted = contract_from_osi(contract.upper())
            return Asked(clean_symbol(wanted.root), wanted.expiration, wanted.osi)
        asked.symbol = clean_symbol(symbol) if symbol else asked.symbol
        asked.expiration = date.fromisoformat(expiration) if expiration else None
    except (InvalidInput, ValueError):
        log.info("address_not_understood")
    return asked


async def build(vault: Vault, symbol: str | None, expiration: str | None, contract: str | None) -> None:
    """Lay out the page at once, then ask."""
    page = OptionsPage(vault, _asked(vault, symbol, expiration, contract))
    page.load()
    await context.client.connected()
    page.dress(dark=await is_dark())
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))
    follow(vault.heartbeat.feed, page.update)

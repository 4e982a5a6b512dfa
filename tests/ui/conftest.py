"""Pages as a person meets them, without a browser, over option chains that do as the test says."""

import gc
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date

import pytest
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import LEAPS, MONTH, SOON, KnownRate, by_quantlib
from tests.builders import NOON, a_quote
from tests.services.twins import Clock, FixedHours, ScriptedChains, a_priced_smile
from vaultdash.domain.option import DollarRate, OptionChain, OptionQuote
from vaultdash.services.chain_pricing import PricedChain, price_chain
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import hedge, options

Priced = Callable[..., PricedChain]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listed(clock: Clock) -> ScriptedChains:
    return ScriptedChains(clock, SOON, MONTH, LEAPS)


@pytest.fixture
async def vault(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Vault:
    """The demo house with its first price, and chains that are scripted."""
    demo_vault.chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    await demo_vault.heartbeat.beat()
    return demo_vault


@pytest.fixture(scope="module", autouse=True)
def settled_memory() -> None:
    """Each simulated person has the garbage collected twice: what is loaded by now need not be looked through."""
    gc.collect()
    gc.freeze()


@pytest.fixture
async def user(vault: Vault) -> AsyncIterator[User]:
    """A person in front of the pages about options."""

    def show_options(symbol: str | None = None, expiration: str | None = None, contract: str | None = None):  # type: ignore[no-untyped-def]
        return options.build(vault, symbol, expiration, contract)

    def show_hedge(contract: str | None = None):  # type: ignore[no-untyped-def]
        return hedge.build(vault, contract)

    def root() -> None:
        frame(vault, (Page("/options", "Options", show_options), Page("/hedge", "Hedge", show_hedge)))

    async with user_simulation(root) as person:
        person.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield person


@pytest.fixture(scope="session")
def priced() -> Priced:
    """Makes a priced chain: of the scripted smile unless quotes are given; other fields are replaced afterwards."""

    def make(
        *quotes: OptionQuote, expiration: date = MONTH, symbol: str = "GLD", price: float = 460.0, **fields: object
    ) -> PricedChain:
        underlying = a_quote(price, symbol=symbol, source="Scripted")
        found = quotes or a_priced_smile(symbol, expiration, NOON)
        chain = OptionChain(symbol, expiration, underlying, found, NOON, "Scripted")
        rate = DollarRate(0.0, date(2026, 6, 9), "13-week bill")
        return replace(price_chain(chain, rate, "reference"), **fields)  # type: ignore[arg-type]

    return make

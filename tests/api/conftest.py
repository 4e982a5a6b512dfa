"""The API over option chains that do as the test says."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest

from tests.api.open_house import houses
from tests.conftest import BASE_URL
from tests.services.twins import Clock, FixedHours, ScriptedChains
from vaultdash.clock import NewYorkHours
from vaultdash.domain.option import DollarRate
from vaultdash.main import create_app
from vaultdash.pricing.compiled import Engine
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

SOON, MONTH, QUARTER, LEAPS = date(2026, 6, 12), date(2026, 7, 17), date(2026, 8, 21), date(2027, 6, 17)


class KnownRate:
    """A dollar rate of a day, from a source."""

    async def latest(self, *, invented: bool = False) -> DollarRate:
        return DollarRate(0.037, date(2026, 6, 9), "test")


async def by_quantlib() -> Engine:
    """The pricer that needs no compiler."""
    return "reference"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listed(clock: Clock) -> ScriptedChains:
    return ScriptedChains(clock, SOON, MONTH, QUARTER, LEAPS)


@pytest.fixture
def chains_vault(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Vault:
    """The demo house whose chains are scripted."""
    demo_vault.chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    demo_vault.now = clock
    return demo_vault


@pytest.fixture
async def options(chains_vault: Vault, demo_settings) -> AsyncIterator[httpx.AsyncClient]:  # type: ignore[no-untyped-def]
    """Asks the API; nothing of it has been asked before."""
    transport = httpx.ASGITransport(create_app(demo_settings(), chains_vault, pages=False))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def house(demo_settings: Callable[..., Settings], new_york: NewYorkHours) -> Callable[..., Any]:
    """Open a house: `interval` of the broadcast, `send_timeout` and `ping` in seconds."""
    return houses(demo_settings, new_york)

"""A workbench of real services around scripted prices and chains."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ParamSpec, TypeVar

from tests.services.conftest import House
from tests.services.twins import FixedHours, ScriptedChains
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import DollarRate, Right
from vaultdash.pricing.compiled import Engine
from vaultdash.services.advice_doubts import AdviceDoubts
from vaultdash.services.dollar_rate import DollarRates
from vaultdash.services.odds_volatility import OddsVolatility
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.templates import Templates
from vaultdash.services.vault import Vault
from vaultdash.services.workbench import Workbench
from vaultdash.storage.sql import SqlDatabase

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
C = TypeVar("C")
SOON, QUARTER, USUAL, WINTER, SPRING, LEAPS = (
    date(2026, 7, 17),
    date(2026, 9, 18),
    date(2026, 10, 16),
    date(2026, 12, 18),
    date(2027, 3, 19),
    date(2027, 6, 17),
)
DAYS = (SOON, QUARTER, USUAL, WINTER, SPRING, LEAPS)


class HereAndNow:
    """Calls what it is given at once, in this process."""

    workers = 1

    def __init__(self) -> None:
        self.called: list[str] = []

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.called.append(function.__name__)
        engine: dict[str, Any] = {"engine": "reference"} if function.__name__ == "path_verdicts" else {}
        return function(*args, **kwargs, **engine)  # without a compiler, which a few paths need not wait for

    def map(
        self, function: Callable[[S, C], R], chunks: Iterable[C], /, shared: S
    ) -> AsyncGenerator[tuple[int, R], None]:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass


class KnownRates(DollarRates):
    """A dollar rate of a day, from a source."""

    def __init__(self) -> None:
        pass

    async def latest(self, *, invented: bool = False) -> DollarRate:
        return DollarRate(0.037, date(2026, 6, 9), "test")


async def by_quantlib() -> Engine:
    return "reference"


@dataclass
class Bench:
    """The house, its scripted chains, and the workbench over both."""

    house: House
    listed: ScriptedChains
    workbench: Workbench
    templates: Templates
    compute: HereAndNow


def a_bench(house: House, database: SqlDatabase, *, demo: bool = False) -> Bench:
    listed = ScriptedChains(house.clock, *DAYS)
    rates = KnownRates()
    chains = OptionChains(listed, rates, house.hours, house.clock, by_quantlib)
    templates, compute = Templates(database, house.clock), HereAndNow()
    workbench = Workbench(
        house.heartbeat,
        house.book,
        chains,
        rates,
        house.history,
        OddsVolatility(house.history, chains, house.clock),
        templates,
        database,
        compute,
        by_quantlib,
        AdviceDoubts(house.prices, demo=demo),
        house.clock,
        demo=demo,
    )
    return Bench(house, listed, workbench, templates, compute)


def a_small_workbench(vault: Vault, clock: Callable[[], datetime]) -> Workbench:
    """The vault's own, but for its chains: a few strikes of a few expirations, priced at once."""
    rates = KnownRates()
    chains = OptionChains(ScriptedChains(clock, *DAYS), rates, FixedHours(), clock, by_quantlib)
    return Workbench(
        vault.heartbeat,
        vault.book,
        chains,
        rates,
        vault.history,
        OddsVolatility(vault.history, chains, clock),
        vault.templates,
        vault.database,
        HereAndNow(),
        by_quantlib,
        AdviceDoubts(vault.prices, demo=True),
        clock,
        demo=True,
    )


def an_option(
    strike: float, bid: float | None, ask: float | None, right: Right = Right.PUT, on: date = USUAL, **fields: Any
) -> ListedOption:
    """A contract with its quote."""
    return ListedOption(right, strike, on, bid, ask, **fields)

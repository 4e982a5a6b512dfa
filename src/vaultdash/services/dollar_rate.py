"""What dollars earn: from the thirteen-week bill's discount yield, with its day and source."""

from collections.abc import Awaitable, Callable
from datetime import date

from vaultdash.domain.errors import VaultError
from vaultdash.domain.market import DEMO_SOURCE, PriceHistory
from vaultdash.domain.option import DollarRate
from vaultdash.pricing.rates import continuous_from_bank_discount, continuous_from_simple
from vaultdash.services.daily_history import DailyHistory
from vaultdash.strategies.engine import DEFAULT_RATE

BILL = "^IRX"
OVERNIGHT = "SOFR"
PER_CENT = 100.0
ASSUMED = DollarRate(DEFAULT_RATE, None, "assumed: no dollar rate is known")


class DollarRates:
    """The newest real rate there is, ^IRX or an imported SOFR; without one a marked assumption."""

    def __init__(self, history: DailyHistory) -> None:
        self._history = history

    async def latest(self, *, invented: bool = False) -> DollarRate:
        """Continuously compounded a year, with the day it is of; with `invented` the demo market's will do."""
        bill = await self._read(self._history.load(BILL), continuous_from_bank_discount, "13-week bill, ^IRX")
        overnight = await self._read(self._history.kept(OVERNIGHT), continuous_from_simple, "SOFR")
        if bill is not None and DEMO_SOURCE in bill.source and (overnight is not None or not invented):
            bill = None
        if bill is None or overnight is None:
            return bill or overnight or ASSUMED
        return max(bill, overnight, key=lambda rate: rate.on or date.min)

    async def on(self, day: date) -> DollarRate:
        """The newest real rate that is stored of a day or before; nothing is asked. The assumption without one."""
        bill = await self._read(self._history.kept(BILL), continuous_from_bank_discount, "13-week bill, ^IRX", day)
        if bill is not None and DEMO_SOURCE in bill.source:
            bill = None
        overnight = await self._read(self._history.kept(OVERNIGHT), continuous_from_simple, "SOFR", day)
        known = [rate for rate in (bill, overnight) if rate is not None]
        return max(known, key=lambda rate: rate.on or date.min, default=ASSUMED)

    async def _read(
        self,
        loading: Awaitable[PriceHistory | None],
        continuous: Callable[[float], float],
        name: str,
        until: date | None = None,
    ) -> DollarRate | None:
        try:
            history = await loading
            bars = () if history is None else history.between(None, until).bars
            if history is None or not bars:
                return None
            last = bars[-1]
            return DollarRate(continuous(last.close / PER_CENT), last.on, f"{name} ({history.source})")
        except VaultError:  # not stored, not to be had, or not a rate at all
            return None


class RateOfADay(DollarRates):
    """What dollars earned as far as it was known on a day, whenever it is asked for."""

    def __init__(self, history: DailyHistory, day: date) -> None:
        super().__init__(history)
        self._day = day

    async def latest(self, *, invented: bool = False) -> DollarRate:
        """That of the day; nothing is asked of a provider."""
        return await self.on(self._day)

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

    async def _read(
        self, loading: Awaitable[PriceHistory | None], continuous: Callable[[float], float], name: str
    ) -> DollarRate | None:
        try:
            history = await loading
            if history is None or not history.bars:
                return None
            last = history.bars[-1]
            return DollarRate(continuous(last.close / PER_CENT), last.on, f"{name} ({history.source})")
        except VaultError:  # not stored, not to be had, or not a rate at all
            return None

"""Gold in its forms: ETF shares that lose their fee in gold, and bullion by weight."""

import math
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.validation import not_negative, positive

TROY_OUNCE_GRAMS = 31.1034768
SYMBOL_PATTERN = re.compile(r"^[A-Z0-9^][A-Z0-9.^=-]{0,14}$")


class InstrumentKind(StrEnum):
    """What one unit of collateral is."""

    GOLD_ETF = "gold_etf"
    BULLION = "bullion"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Ounces behind one ETF share: `anchor_ounces` on `anchor_on`, falling with the yearly fee."""

    anchor_ounces: float
    anchor_on: date
    yearly_fee: float

    def __post_init__(self) -> None:
        positive("anchor_ounces", self.anchor_ounces)
        not_negative("yearly_fee", self.yearly_fee)

    def ounces(self, on: date) -> float:
        """Troy ounces per share on a day: anchor * exp(-fee * years since the anchor)."""
        years = (on - self.anchor_on).days / 365.25
        return self.anchor_ounces * math.exp(-self.yearly_fee * years)


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something that can be pledged. `quoted_by` is the symbol whose price values it."""

    symbol: str
    name: str
    kind: InstrumentKind
    unit: str
    quoted_by: str
    schedule: FeeSchedule | None = None
    fixed_ounces: float | None = None

    def ounces_per_unit(self, on: date) -> float | None:
        """Troy ounces of gold behind one unit on a day; None when the instrument is not gold."""
        if self.schedule is not None:
            return self.schedule.ounces(on)
        return self.fixed_ounces

    def shares_per_unit(self, on: date) -> float:
        """Units of the quoting symbol that one unit is worth: 1 unless bullion is valued through GLD."""
        if self.quoted_by == self.symbol:
            return 1.0
        own = self.ounces_per_unit(on)
        quoting = instrument(self.quoted_by).ounces_per_unit(on)
        if own is None or quoting is None:
            raise InvalidInput("instrument", f"{self.symbol} cannot be valued through {self.quoted_by}")
        return own / quoting


def _etf(symbol: str, name: str, ounces: float, on: date, fee: float) -> Instrument:
    schedule = FeeSchedule(ounces, on, fee)
    return Instrument(symbol, name, InstrumentKind.GOLD_ETF, "shares", symbol, schedule=schedule)


def _bullion(symbol: str, unit: str, ounces: float) -> Instrument:
    name = f"Gold bullion in {unit}"
    return Instrument(symbol, name, InstrumentKind.BULLION, unit, "GLD", fixed_ounces=ounces)


# GLD: 0.1 oz at launch, yearly fee 0.40 % (SPDR Gold Trust prospectus; within 0.1 % of NAV / LBMA PM to 2026).
# The others: ounces per share implied by NAV / LBMA PM and the published sponsor's fee; good to about 1 %.
INSTRUMENTS: dict[str, Instrument] = {
    entry.symbol: entry
    for entry in (
        _etf("GLD", "SPDR Gold Shares", 0.1, date(2004, 11, 18), 0.0040),
        _etf("IAU", "iShares Gold Trust", 0.0188, date(2026, 1, 2), 0.0025),
        _etf("GLDM", "SPDR Gold MiniShares", 0.0198, date(2026, 1, 2), 0.0010),
        _etf("SGOL", "abrdn Physical Gold Shares", 0.0095, date(2026, 1, 2), 0.0017),
        _bullion("XAU-OZ", "troy ounces", 1.0),
        _bullion("XAU-G", "grams", 1.0 / TROY_OUNCE_GRAMS),
        _bullion("XAU-KG", "kilograms", 1000.0 / TROY_OUNCE_GRAMS),
    )
}


def instrument(symbol: str) -> Instrument:
    """The known instrument of that symbol, else one of kind OTHER that quotes itself."""
    known = INSTRUMENTS.get(clean_symbol(symbol))
    if known is not None:
        return known
    name = clean_symbol(symbol)
    return Instrument(name, name, InstrumentKind.OTHER, "shares", name)


def clean_symbol(symbol: str) -> str:
    """The symbol in capitals; refused when it cannot be one."""
    text = symbol.strip().upper()
    if not SYMBOL_PATTERN.match(text):
        raise InvalidInput("symbol", "must be 1 to 15 letters, digits or . ^ = -, such as GLD")
    return text

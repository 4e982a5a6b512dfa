"""What is pledged: lots of gold, each entered by its value and price or by its weight."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import Instrument, InstrumentKind, instrument
from vaultdash.domain.validation import positive

ENTRY_TOLERANCE = 1e-9  # how far weight and start value / entry price may lie apart


class EntryMode(StrEnum):
    """Which figures the owner typed: start value and entry price, or the weight itself."""

    VALUE = "value"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of an instrument pledged together; the instrument says whether a unit is a share, oz, g or kg.

    `units` is the canonical form. `entry_price` (USD a unit) and `start_value` (USD) are what was typed or follows:
    units = start_value / entry_price, and the three never contradict each other. `entry_mode` says which was typed.
    """

    symbol: str
    units: float
    entry_mode: EntryMode = EntryMode.WEIGHT
    entry_price: float | None = None
    start_value: float | None = None
    acquired_on: date | None = None

    def __post_init__(self) -> None:
        if instrument(self.symbol).symbol != self.symbol:
            raise InvalidInput("symbol", f"must be written {instrument(self.symbol).symbol}")
        positive("units", self.units)
        if self.entry_price is not None:
            positive("entry_price", self.entry_price)
        if self.start_value is not None:
            positive("start_value", self.start_value)
        if self.entry_mode is EntryMode.VALUE and (self.entry_price is None or self.start_value is None):
            missing = "entry_price" if self.entry_price is None else "start_value"
            raise InvalidInput(missing, "must be given when the collateral is entered by its value")
        if (self.entry_price is None) != (self.start_value is None):
            raise InvalidInput("start_value", "and entry_price belong together: one follows from the other")
        if self.entry_price is not None and self.start_value is not None:
            told = self.start_value / self.entry_price
            if not math.isclose(told, self.units, rel_tol=ENTRY_TOLERANCE):
                raise InvalidInput(
                    "units",
                    f"of {self.units:g} contradicts start value / entry price = {self.start_value:g} / "
                    f"{self.entry_price:g} = {told:g}",
                )

    @property
    def instrument(self) -> Instrument:
        """What is pledged."""
        return instrument(self.symbol)

    @classmethod
    def by_value(cls, symbol: str, start_value: float, entry_price: float, acquired_on: date | None = None) -> "Lot":
        """Entered by value: units = start_value / entry_price, USD and USD a unit."""
        units = positive("start_value", start_value) / positive("entry_price", entry_price)
        return cls(symbol, units, EntryMode.VALUE, entry_price, start_value, acquired_on)

    @classmethod
    def by_weight(
        cls, symbol: str, units: float, entry_price: float | None = None, acquired_on: date | None = None
    ) -> "Lot":
        """Entered by weight; with an entry price the start value follows: units * entry_price."""
        value = None if entry_price is None else positive("units", units) * positive("entry_price", entry_price)
        return cls(symbol, units, EntryMode.WEIGHT, entry_price, value, acquired_on)

    def scaled(self, factor: float) -> "Lot":
        """The same lot with `factor` times the units."""
        value = None if self.start_value is None else self.start_value * factor
        return replace(self, units=self.units * factor, start_value=value)


@dataclass(frozen=True, slots=True)
class Collateral:
    """The pledged lots; all are gold valued by the price of one symbol. The price moves, the units do not."""

    lots: tuple[Lot, ...]

    def __post_init__(self) -> None:
        if not self.lots:
            raise InvalidInput("lots", "must hold at least one lot")
        valued = {lot.instrument.quoted_by for lot in self.lots}
        if len(valued) > 1:
            raise InvalidInput(
                "lots",
                f"are valued by different prices ({', '.join(sorted(valued))}); make a portfolio for each",
            )

    @classmethod
    def of(cls, pledged: Instrument, units: float) -> "Collateral":
        """One lot, entered by weight."""
        return cls((Lot(pledged.symbol, units),))

    @property
    def instrument(self) -> Instrument:
        """What the first lot holds, in whose units the whole is told."""
        return self.lots[0].instrument

    @property
    def quoted_by(self) -> str:
        """The symbol whose price values the collateral."""
        return self.instrument.quoted_by

    @property
    def is_mixed(self) -> bool:
        """True when the lots are of different instruments."""
        return len({lot.symbol for lot in self.lots}) > 1

    def units_on(self, on: date) -> float:
        """The whole collateral in units of `instrument`; the day matters only where instruments are mixed."""
        if not self.is_mixed:
            return math.fsum(lot.units for lot in self.lots)
        return self.shares(on) / self.instrument.shares_per_unit(on)

    def ounces(self, on: date) -> float | None:
        """Troy ounces behind the collateral on a day; None when it is not gold."""
        per_unit = [lot.instrument.ounces_per_unit(on) for lot in self.lots]
        if any(ounces is None for ounces in per_unit):
            return None
        return math.fsum(lot.units * (ounces or 0.0) for lot, ounces in zip(self.lots, per_unit, strict=True))

    def shares(self, on: date) -> float:
        """Units of the quoting symbol that the collateral is worth."""
        return math.fsum(lot.units * lot.instrument.shares_per_unit(on) for lot in self.lots)

    def scaled(self, factor: float) -> "Collateral":
        """`factor` times every lot."""
        return Collateral(tuple(lot.scaled(factor) for lot in self.lots))


def require_gold(lots: Sequence[Lot]) -> None:
    """Refuse an *entered* lot that is no known form of gold."""
    for lot in lots:
        if lot.instrument.kind is InstrumentKind.OTHER:
            raise InvalidInput("symbol", f"{lot.symbol} is no known form of gold")

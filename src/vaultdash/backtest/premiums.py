"""Where a replay takes option prices from: a model of volatility, or chains that were recorded."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.base import FloatArray

RightArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ModelledPremiums:
    """Prices from the day's volatility level by the rules of the scenario: its smile, listing, costs and exercise."""


@dataclass(frozen=True, slots=True, eq=False)
class ObservedPremiums:
    """Recorded quotes of contracts on `days`, ascending, each at that day's close; 100 shares a contract.

    Contract c: `rights[c]` +1 call, -1 put; `strikes[c]` USD; `expirations[c]`. `bids` and `asks` [day, contract] USD
    a share, NaN where there was no quote or none that can be believed; the mid is their mean. `thin_quotes` counts
    those that were left out, for the result.
    """

    days: tuple[date, ...]
    rights: RightArray
    strikes: FloatArray
    expirations: tuple[date, ...]
    bids: FloatArray
    asks: FloatArray
    thin_quotes: int = 0

    def __post_init__(self) -> None:
        shape = (len(self.days), len(self.strikes))
        if len(self.rights) != shape[1] or len(self.expirations) != shape[1]:
            raise InvalidInput("expirations", f"and rights must be one for each of the {shape[1]} strikes")
        if self.bids.shape != shape or self.asks.shape != shape:
            raise InvalidInput("bids", f"and asks must have {shape[0]} days of {shape[1]} contracts")
        if any(later <= earlier for earlier, later in zip(self.days, self.days[1:], strict=False)):
            raise InvalidInput("days", "must ascend, each day once")
        if not np.isin(self.rights, (-1, 1)).all():
            raise InvalidInput("rights", "must be +1 for a call and -1 for a put")
        if (np.isnan(self.bids) != np.isnan(self.asks)).any() or (self.bids > self.asks).any():
            raise InvalidInput("asks", "must be known where the bids are, and not below them")


Premiums = ModelledPremiums | ObservedPremiums

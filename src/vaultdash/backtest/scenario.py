"""What is replayed: days, collateral, loan and its terms, costs, and by which rules option prices are modelled."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import Loan
from vaultdash.domain.portfolio import loan_to_value
from vaultdash.domain.validation import not_negative, open_fraction, positive, share


class Source(StrEnum):
    """Where option prices come from: a model, or recorded daily chains."""

    MODELLED = "modelled"
    OBSERVED = "observed"


class TradeAt(StrEnum):
    """When a decision that was made at a close is carried out. The first purchase is always at the start's close."""

    NEXT_CLOSE = "next_close"
    SAME_CLOSE = "same_close"


class VolatilityLevel(StrEnum):
    """Which 30-day level the model takes: the gold volatility index where it is known, or one, or the other."""

    AUTO = "auto"
    GVZ = "gvz"
    EWMA = "ewma"


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs. Half-spread of an option: max(least, of_mid x mid, vega_points x vega of a point), USD.

    `commission` USD a contract; `gold_slippage` a fraction of the price at which gold is sold.
    """

    commission: float = 0.65
    least_half_spread: float = 0.02
    half_spread_of_mid: float = 0.01
    half_spread_vega_points: float = 0.25
    gold_slippage: float = 0.001

    def __post_init__(self) -> None:
        for name in ("commission", "least_half_spread", "half_spread_vega_points"):
            not_negative(f"costs.{name}", getattr(self, name))
        for name in ("half_spread_of_mid", "gold_slippage"):
            share(f"costs.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Smile:
    """How a volatility follows from the 30-day level.

    At the money sigma_T^2 = s_inf^2 + (s_30^2 - s_inf^2) f(T)/f(30/365), f(T) = (1 - exp(-kappa T))/(kappa T), with
    s_30 = `at_the_money` x level; then sigma = sigma_T + slope z + curvature z^2, z = ln(K/F)/(sigma_T sqrt(T)), not
    below `floor`. `kappa` per year.
    """

    at_the_money: float = 0.97
    kappa: float = 4.0
    slope: float = 0.0
    curvature: float = 0.01
    floor: float = 0.05

    def __post_init__(self) -> None:
        for name in ("at_the_money", "kappa", "floor"):
            positive(f"smile.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Listing:
    """Which contracts there are in the model: third Fridays, strikes by steps in USD, wider beyond `near_months`."""

    near_step: float = 1.0
    far_step: float = 5.0
    near_months: float = 3.0

    def __post_init__(self) -> None:
        for name in ("near_step", "far_step", "near_months"):
            positive(f"listing.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A loan on `units` GLD shares from `start` to `end`, both included where they are trading days.

    `loan` is in USD: its amount is what is owed at the start's close. Interest is what `loan.interest` says; 0 unless
    given where the commands and the API make scenarios. `entry` is the day the hedge is bought when that is before
    the start, at which the loan is drawn: until then there is no loan, and its call price, for strikes that need one,
    is that of the same LTV at the price of the day. `target_ltv` is where a cure ends; None is the loan's warning
    LTV. `spare_cash` USD cures before gold is sold. `settlement_days` (sessions) pass between the sale of an option
    or gold and the repayment. Where no rate is known, `fallback_rate`, continuous a year, stands in.
    """

    start: date
    end: date
    units: float
    loan: Loan
    symbol: str = "GLD"
    event: str | None = None
    entry: date | None = None
    target_ltv: float | None = None
    spare_cash: float = 0.0
    source: Source = Source.MODELLED
    exercise: Exercise = Exercise.AMERICAN
    level: VolatilityLevel = VolatilityLevel.AUTO
    trade_at: TradeAt = TradeAt.NEXT_CLOSE
    settlement_days: int = 1
    fallback_rate: float = 0.045
    costs: Costs = field(default_factory=Costs)
    smile: Smile = field(default_factory=Smile)
    listing: Listing = field(default_factory=Listing)

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidInput("end", f"must be after the start; {self.end} is not after {self.start}")
        if self.entry is not None and self.entry > self.start:
            raise InvalidInput("entry", f"must not be after the start on {self.start}; it is {self.entry}")
        positive("units", self.units)
        not_negative("spare_cash", self.spare_cash)
        if self.loan.currency != "USD":
            raise InvalidInput("currency", "must be USD: the backtest follows the dollar price of gold")
        if self.target_ltv is not None and open_fraction("target_ltv", self.target_ltv) >= self.loan.margin_call_ltv:
            raise InvalidInput("target_ltv", f"must be below the margin-call LTV of {self.loan.margin_call_ltv}")
        if not 0 <= self.settlement_days <= 5:
            raise InvalidInput("settlement_days", f"must be between 0 and 5, not {self.settlement_days}")
        if not -0.05 <= self.fallback_rate <= 0.5:
            raise InvalidInput("fallback_rate", "must be a fraction between -0.05 and 0.5; write 0.045 for 4.5 %")

    @property
    def cure_target(self) -> float:
        """The LTV to which a cure brings the loan."""
        return self.loan.warning_ltv if self.target_ltv is None else self.target_ltv

    def require_solvent(self, price: float) -> None:
        """Raises InvalidInput when the loan is not below the value of its collateral at the start."""
        ltv = loan_to_value(self.loan.amount, self.units * price)
        if ltv >= 1:
            raise InvalidInput("loan_amount", f"is {ltv:.0%} of the collateral's value on {self.start}")

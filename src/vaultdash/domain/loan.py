"""A Lombard loan: what is owed, at which loan-to-value the lender acts, and how interest accrues."""

from dataclasses import dataclass, field
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.validation import finite, open_fraction, positive

LTV_TOLERANCE = 1e-9
CURRENCIES = ("USD",)


class HedgeCounting(StrEnum):
    """How a lender counts a hedge; the credit factor h of `no call <=> L <= m*V + h*Pi` follows from it."""

    IGNORED = "ignored"
    AFTER_PAYMENT = "after_payment"
    CREDITED = "credited"


class DayCount(StrEnum):
    """Days in the year by which interest is divided."""

    ACT_360 = "act/360"
    ACT_365 = "act/365"


@dataclass(frozen=True, slots=True)
class Interest:
    """A floating rate: reference plus spread, simple within a period."""

    reference_rate: float = 0.045
    spread: float = 0.0195
    day_count: DayCount = DayCount.ACT_360
    capitalised: bool = False

    def __post_init__(self) -> None:
        for name in ("reference_rate", "spread"):
            if not -0.05 <= finite(name, getattr(self, name)) <= 0.5:
                raise InvalidInput(name, "must be a fraction between -0.05 and 0.5 a year; write 0.045 for 4.5 %")

    @property
    def rate(self) -> float:
        """Simple yearly rate, a fraction."""
        return self.reference_rate + self.spread

    def accrued(self, amount: float, days: int) -> float:
        """Interest on `amount` over `days`: amount * (ref + spread) * days / basis."""
        basis = 360 if self.day_count is DayCount.ACT_360 else 365
        return amount * self.rate * days / basis


@dataclass(frozen=True, slots=True)
class Loan:
    """Amount owed in `currency` and the loan-to-value limits: warning < margin call <= close-out."""

    amount: float
    currency: str = "USD"
    margin_call_ltv: float = 0.75
    warning_ltv: float = 0.70
    close_out_ltv: float = 0.85
    hedge_counting: HedgeCounting = HedgeCounting.IGNORED
    interest: Interest = field(default_factory=Interest)

    def __post_init__(self) -> None:
        positive("loan_amount", self.amount)
        for name in ("margin_call_ltv", "warning_ltv", "close_out_ltv"):
            open_fraction(name, getattr(self, name))
        if self.warning_ltv >= self.margin_call_ltv:
            raise InvalidInput("warning_ltv", f"must be below the margin-call LTV of {self.margin_call_ltv}")
        if self.close_out_ltv < self.margin_call_ltv:
            raise InvalidInput("close_out_ltv", f"must not be below the margin-call LTV of {self.margin_call_ltv}")
        if self.currency not in CURRENCIES:
            raise InvalidInput("currency", f"must be one of {', '.join(CURRENCIES)}, not {self.currency!r}")


def is_breached(ltv: float, limit: float) -> bool:
    """True at the limit and above it; an LTV within 1e-9 of the limit counts as on it."""
    return ltv >= limit - LTV_TOLERANCE

"""A Lombard loan: what is owed, at which loan-to-value the lender acts, and how interest accrues."""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import CURRENCIES, DOLLAR, ExchangeRate
from vaultdash.domain.validation import finite, open_fraction, positive, share

LTV_TOLERANCE = 1e-9
# A start for the owner, who knows the loan's own; of the last three about the central banks' rates of late 2025.
USUAL_REFERENCES = {"USD": 0.045, "CHF": 0.0, "EUR": 0.02, "GBP": 0.04}
QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))
LONGEST_CURE_DAYS = 60


class HedgeCounting(StrEnum):
    """How a lender counts a hedge; the credit factor h of `no call <=> L <= m*V + h*Pi` follows from it."""

    IGNORED = "ignored"
    AFTER_PAYMENT = "after_payment"
    CREDITED = "credited"


class DayCount(StrEnum):
    """Days in the year by which interest is divided."""

    ACT_360 = "act/360"
    ACT_365 = "act/365"


def usual_day_count(currency: str) -> DayCount:
    """By which interest is usually counted: 365 days a year for the pound, 360 for the others."""
    return DayCount.ACT_365 if currency == "GBP" else DayCount.ACT_360


def day_count_after(day_count: DayCount, was: str, now: str) -> DayCount:
    """The day count of a loan whose currency `was` one and is `now` another, when nobody names it.

    What is usual for the one gives way to what is usual for the other; an unusual one was agreed upon, and stays.
    """
    return usual_day_count(now) if day_count is usual_day_count(was) else day_count


def reference_after(rate: float, was: str, now: str) -> float:
    """The reference rate of a loan whose currency `was` one and is `now` another, when nobody names it; as above."""
    return USUAL_REFERENCES.get(now, rate) if rate == USUAL_REFERENCES[was] else rate


@dataclass(frozen=True, slots=True)
class Interest:
    """A floating rate: reference plus spread, simple within a period."""

    reference_rate: float = USUAL_REFERENCES["USD"]
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
    """Amount owed in `currency` and the lender's terms: warning < margin call <= close-out.

    `amount` is owed on `as_of`; when interest is capitalised it grows from that day on, without a day it stays.
    `cure_days` are business days between a call and the sale. `hedge_haircut` is the fraction of an option's value
    that a lender who credits options leaves out.
    """

    amount: float
    currency: str = "USD"
    margin_call_ltv: float = 0.75
    warning_ltv: float = 0.70
    close_out_ltv: float = 0.85
    hedge_counting: HedgeCounting = HedgeCounting.IGNORED
    interest: Interest = field(default_factory=Interest)
    hedge_haircut: float = 0.0
    cure_days: int = 2
    as_of: date | None = None

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
        share("hedge_haircut", self.hedge_haircut)
        if not 0 <= self.cure_days <= LONGEST_CURE_DAYS:
            raise InvalidInput("cure_days", f"must be between 0 and {LONGEST_CURE_DAYS}, not {self.cure_days}")

    @property
    def credit_factor(self) -> float:
        """h of `no call <=> L <= m*V + h*Pi`: 0 ignored, 1 after payment, m*(1 - haircut) credited."""
        return self.factor_of(1.0)

    def factor_of(self, hedge_value: float) -> float:
        """h for options worth `hedge_value` USD; what is owed on sold ones gets no haircut."""
        if self.hedge_counting is HedgeCounting.CREDITED:
            return self.margin_call_ltv * (1.0 - (self.hedge_haircut if hedge_value > 0 else 0.0))
        return 1.0 if self.hedge_counting is HedgeCounting.AFTER_PAYMENT else 0.0

    def owed(self, on: date) -> float:
        """What is owed on a day: capitalised interest is added at each end of a quarter, and since then accrued.

        Interest that is paid in cash leaves the amount; a day before `as_of` gives the amount itself.
        """
        if self.as_of is None or not self.interest.capitalised:
            return self.amount
        amount, since = self.amount, self.as_of
        for end in _quarter_ends(since, on):
            amount += self.interest.accrued(amount, (end - since).days)
            since = end
        return amount + self.interest.accrued(amount, max((on - since).days, 0))

    def statement(self, on: date) -> float:
        """What a lender would write that is owed on a day: the amount itself when nothing accrued, else in cents."""
        owed = self.owed(on)
        return owed if owed == self.amount else round(owed, 2)

    def brought_to(self, on: date) -> "Loan":
        """The same loan with what is owed on a day as its amount."""
        owed = self.owed(on)
        return self if owed == self.amount else replace(self, amount=owed, as_of=on)


def in_dollars(loan: Loan, rate: ExchangeRate) -> Loan:
    """The loan with its amount in USD: L / X. Raises InvalidInput when the rate is of another currency."""
    if loan.currency == DOLLAR.currency:
        return loan
    if rate.currency != loan.currency:
        raise InvalidInput("currency", f"is {loan.currency}, and the exchange rate that of {rate.currency}")
    return replace(loan, amount=rate.dollars(loan.amount), currency=DOLLAR.currency)


def restated(before: Loan, after: Loan, today: date, *, day_given: bool) -> Loan:
    """`after` as it is meant when it replaces `before` today: no day is charged twice, none by terms of another time.

    `day_given` when the owner said on which day the amount is owed: then everything is as told. Else a new amount is
    what is owed today. When the terms of interest change and the amount does not, what has accrued by the old terms
    until today, rounded to cents, becomes part of the amount, and the new terms hold from today on.
    """
    if day_given:
        return after
    of_today = today if before.as_of is None else max(today, before.as_of)
    grows = before.interest.capitalised or after.interest.capitalised
    if after.amount != before.amount:
        return replace(after, as_of=of_today) if grows or before.as_of is not None else after
    if after.interest == before.interest or not grows:
        return after
    return replace(after, amount=before.statement(of_today), as_of=of_today)


def _quarter_ends(after: date, until: date) -> list[date]:
    days = (date(year, month, day) for year in range(after.year, until.year + 1) for month, day in QUARTER_ENDS)
    return [day for day in days if after < day <= until]


def is_breached(ltv: float, limit: float) -> bool:
    """True at the limit and above it; an LTV within 1e-9 of the limit counts as on it."""
    return ltv >= limit - LTV_TOLERANCE

"""The shape of LTV over time. LTVs are fractions, money is USD, prices USD a share; times are UTC."""

from dataclasses import dataclass
from datetime import datetime

from vaultdash.domain.record import RecordKind


@dataclass(slots=True)  # not frozen, which would make each of thousands three times as slow to make
class LtvRecordAnswer:
    """The loan at a moment, with its limits then.

    `ltv` counts no option, `lender_ltv` counts them as the lender did. An LTV is null where sold options have eaten
    the collateral.
    """

    at: datetime
    kind: RecordKind
    price: float
    quote_at: datetime
    source: str
    stale: bool
    demo: bool
    market_open: bool
    loan_amount: float
    gold_value: float
    hedge_value: float
    ltv: float
    lender_ltv: float | None
    ltv_after_payment: float
    ltv_credited: float | None
    warning_ltv: float
    margin_call_ltv: float
    close_out_ltv: float


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """A span of more than two hours without a record, between the records around it."""

    start: datetime
    end: datetime
    hours: float


@dataclass(frozen=True, slots=True)
class LtvHistoryAnswer:
    """LTV over the last `days`, ascending in time; `days` is null for all. One record an hour, and each crossing."""

    portfolio_id: str
    days: int | None
    first: datetime | None
    last: datetime | None
    records: tuple[LtvRecordAnswer, ...]
    gaps: tuple[GapAnswer, ...]

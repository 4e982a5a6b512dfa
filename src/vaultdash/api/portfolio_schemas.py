"""The shapes of what is asked of portfolios and answered. LTV, rates and haircut are fractions; money is USD, except
where a field says that it is in the loan's currency.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Strict

from vaultdash.api.schemas import PortfolioState, QuoteAnswer, RateAnswer
from vaultdash.domain.collateral import EntryMode
from vaultdash.domain.loan import DayCount, HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.position import PremiumFunding

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
EXACT = ConfigDict(extra="forbid")


def _as_written(value: Any) -> Any:
    if isinstance(value, str) and not ISO_DAY.fullmatch(value):
        raise ValueError("must be a day such as 2026-01-30")
    if not isinstance(value, str | date | None):
        raise ValueError("must be a day such as 2026-01-30")
    return value


def without(*names: str) -> BeforeValidator:
    """Passes over what an answer tells and a request cannot set, so that an answer can be sent back."""

    def leave_out(value: Any) -> Any:
        return {key: told for key, told in value.items() if key not in names} if isinstance(value, dict) else value

    return BeforeValidator(leave_out)


Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, BeforeValidator(_as_written)]


@dataclass(frozen=True, slots=True)
class LotEntry:
    """Gold by its value (`start_value` and `entry_price`) or by its weight: units = start_value / entry_price.

    `symbol` says what a unit is: GLD, IAU, GLDM, SGOL (shares), XAU-OZ, XAU-G, XAU-KG. What follows from the typed
    figures may be left out; given, it must not contradict them.
    """

    __pydantic_config__ = EXACT

    symbol: str
    entry_mode: EntryMode | None = None
    units: Number | None = None
    entry_price: Number | None = None
    start_value: Number | None = None
    acquired_on: Day | None = None


@dataclass(frozen=True, slots=True)
class OptionEntry:
    """A held option: `contract` as an OSI symbol, or `symbol`, `expiration`, `strike` and `right` (put or call).

    `contracts` is negative when sold; prices are USD a share. When one is changed, what is left out, or null, stays;
    but `closed_on` and `closed_price` both given as null, or `reopened` true, open a closed position again.
    """

    __pydantic_config__ = EXACT

    id: str | None = None
    contract: str | None = None
    symbol: str | None = None
    expiration: Day | None = None
    strike: Number | None = None
    right: str | None = None
    contracts: Whole | None = None
    price_paid: Number | None = None
    opened_on: Day | None = None
    funding: PremiumFunding | None = None
    closed_on: Day | None = None
    closed_price: Number | None = None
    note: str | None = None
    reopened: Flag | None = None


def _reopening(value: Any) -> Any:
    """Null for both, said and not left out, is how a document tells that a position is open."""
    if isinstance(value, dict) and all(value.get(name, "") is None for name in ("closed_on", "closed_price")):
        return {"reopened": True, **value}
    return value


REOPENING = BeforeValidator(_reopening)
TOLD_OF_LOTS = without("unit", "ounces")
TOLD_OF_OPTIONS = without("multiplier", "cost", "is_open")


@dataclass(frozen=True, slots=True)
class UndoEntry:
    """Which change to take back. Changes made after it would go, too: that is refused with 409, which says what would
    change, unless `expected_version` is the version kept now (0 of a removed one).
    """

    __pydantic_config__ = EXACT

    change_id: Whole
    expected_version: Whole | None = None


@dataclass(frozen=True, slots=True)
class LotDocument:
    """Gold as it was entered, with what follows: `units` of `unit`, `ounces` behind them today."""

    symbol: str
    unit: str
    entry_mode: EntryMode
    units: float
    entry_price: float | None
    start_value: float | None
    acquired_on: date | None
    ounces: float | None


@dataclass(frozen=True, slots=True)
class OptionDocument:
    """A held option as it was entered; `cost` USD is negative when it was sold, `is_open` until closed or expired."""

    id: str
    contract: str
    symbol: str
    expiration: date
    strike: float
    right: Right
    multiplier: int
    contracts: int
    price_paid: float
    opened_on: date
    funding: PremiumFunding
    closed_on: date | None
    closed_price: float | None
    note: str
    cost: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class PortfolioContent:
    """What was entered of a portfolio. `loan_amount`, in `currency`, is owed on `as_of`."""

    id: str
    name: str
    lender: str
    lots: tuple[LotDocument, ...]
    loan_amount: float
    currency: str
    as_of: date | None
    margin_call_ltv: float
    warning_ltv: float
    close_out_ltv: float
    target_ltv: float
    hedge_counting: HedgeCounting
    hedge_haircut: float
    cure_days: int
    reference_rate: float
    spread: float
    day_count: DayCount
    capitalised: bool
    options: tuple[OptionDocument, ...]


@dataclass(frozen=True, slots=True)
class PortfolioDocument(PortfolioContent):
    """A portfolio as it is kept, and what follows from it: `owed_today` includes interest added since `as_of`, which
    is `accrued_interest`; both are in `currency`.

    `units` is the whole collateral in `unit`s of its first lot, `shares` in those of `quoted_by`, whose price values
    it. `example` is true while nobody has saved it.
    """

    version: int
    current: bool
    example: bool
    created_at: datetime
    changed_at: datetime
    quoted_by: str
    unit: str
    units: float
    shares: float
    ounces: float | None
    owed_today: float
    accrued_interest: float
    credit_factor: float


@dataclass(frozen=True, slots=True)
class PortfolioEntry:
    """A portfolio to be made or changed. What is left out, or null, stays as it is, or as is usual for a new one.

    `loan_amount` is in `currency`: USD, CHF, EUR or GBP. A new currency without a new amount leaves the figure.
    `options` replaces all positions when given; the routes below `options` change single ones. `as_of` is the day of
    `loan_amount`, from which interest grows that is `capitalised`: a new amount without it is what is owed today, and
    new terms of interest without a new amount hold from today on, when what has accrued is added to the amount.
    `expected_version` (or `version`, or the header If-Match) is the version that was read: a change since is refused
    with 409.
    """

    __pydantic_config__ = EXACT

    name: str | None = None
    lender: str | None = None
    lots: list[Annotated[LotEntry, TOLD_OF_LOTS]] | None = None
    loan_amount: Number | None = None
    currency: str | None = None
    as_of: Day | None = None
    margin_call_ltv: Number | None = None
    warning_ltv: Number | None = None
    close_out_ltv: Number | None = None
    target_ltv: Number | None = None
    hedge_counting: HedgeCounting | None = None
    hedge_haircut: Number | None = None
    cure_days: Whole | None = None
    reference_rate: Number | None = None
    spread: Number | None = None
    day_count: DayCount | None = None
    capitalised: Flag | None = None
    options: list[Annotated[OptionEntry, TOLD_OF_OPTIONS, REOPENING]] | None = None
    expected_version: Whole | None = None
    version: Whole | None = None


TOLD_OF_PORTFOLIOS = without(
    *(set(PortfolioDocument.__dataclass_fields__) - set(PortfolioEntry.__dataclass_fields__))
)


@dataclass(frozen=True, slots=True)
class PortfolioLine:
    """One of the portfolios with how it stands; `state` is null without a price of its gold, or of the dollar in its
    loan's currency: then `problem` says why.
    """

    document: PortfolioDocument
    quote: QuoteAnswer | None
    state: PortfolioState | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class PortfoliosAnswer:
    """All portfolios in the order of their making; `remark` says when settings of the environment are not used."""

    current: str
    as_of: datetime
    remark: str | None
    portfolios: tuple[PortfolioLine, ...]


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """One line of the audit trail, with the portfolio before (null: it was made) and after (null: it was removed)."""

    id: int
    portfolio_id: str
    at: datetime
    actor: str
    what: str
    undoes: int | None
    before: PortfolioContent | None
    after: PortfolioContent | None


@dataclass(frozen=True, slots=True)
class ChangesAnswer:
    """The audit trail, newest first."""

    portfolio_id: str
    changes: tuple[ChangeAnswer, ...]


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """What was brought back; `portfolio` is null when that took it away. `what` says in words what was changed by it,
    and `change_id` is the number of that change, by which it can be undone itself.
    """

    portfolio: PortfolioDocument | None
    change_id: int
    what: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of a file that was not taken."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """What a file of positions gave; `taken` is what was added, nothing in a dry run."""

    taken: int
    found: tuple[OptionDocument, ...]
    rejected: tuple[RejectedRow, ...]
    remarks: tuple[str, ...]
    dry_run: bool
    portfolio: PortfolioDocument


@dataclass(frozen=True, slots=True)
class CarryAnswer:
    """USD a year: interest, and the premiums of open positions over their terms; fractions of gold and of equity.

    `interest_in_loan_currency` is the interest as the lender charges it.
    """

    interest: float
    hedge: float
    total: float
    of_collateral: float
    of_equity: float | None
    interest_in_loan_currency: float


@dataclass(frozen=True, slots=True)
class SurvivorAnswer:
    """The largest loan that a fall of `drop` does not bring to a call, and how far today's is from it; the last two
    in the loan's currency, at the rate of now.
    """

    drop: float
    ltv: float
    loan: float
    to_spare: float
    loan_in_loan_currency: float
    to_spare_in_loan_currency: float


@dataclass(frozen=True, slots=True)
class CureAnswer:
    """Three ways back to `target_ltv` at `price` (USD a share of `quoted_by`), each alone enough, zero when none is
    needed. No option is counted.

    `add_units` and `sell_units` are in `unit`s. `under_water` when more gold would have to be sold than there is.
    `missing_collateral` is what the recommended collateral (loan / target) exceeds the gold by, negative when there
    is more. `quote` is null when the price was given. Amounts are USD, but `loan_owed` and
    `repay_cash_in_loan_currency`, which are in `loan_currency` at the `exchange_rate` (null for a loan in USD).
    """

    id: str
    quoted_by: str
    price: float
    quote: QuoteAnswer | None
    on: date
    target_ltv: float
    loan_amount: float
    gold_value: float
    ltv: float
    zone: Zone
    called: bool
    unit: str
    repay_cash: float
    add_gold: float
    add_units: float
    sell_gold: float
    sell_units: float
    under_water: bool
    recommended_collateral: float
    missing_collateral: float
    loan_currency: str
    loan_owed: float
    repay_cash_in_loan_currency: float
    exchange_rate: RateAnswer | None
    survives: SurvivorAnswer | None
    carry: CarryAnswer

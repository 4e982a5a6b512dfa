"""Collateral, loan and what their ratio means: LTV, call price, headroom."""

import math
import re
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.loan import HedgeCounting, Loan, in_dollars, is_breached
from vaultdash.domain.position import HedgeMark, HeldOption
from vaultdash.domain.validation import open_fraction, positive

DEFAULT_TARGET_LTV = 0.60
TRADING_DAYS = 252
LONGEST_NAME = 80
USUAL_NAME = "My loan"
PORTFOLIO_ID = re.compile(r"[a-z0-9-]{1,40}")


class Zone(StrEnum):
    """Where an LTV stands among the loan's limits."""

    ROOM = "room"
    WARNING = "warning"
    CALL = "call"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One loan with its collateral and the options held against it."""

    id: str
    collateral: Collateral
    loan: Loan
    options: tuple[HeldOption, ...] = field(default=())
    name: str = USUAL_NAME
    lender: str = ""
    target_ltv: float = DEFAULT_TARGET_LTV

    def __post_init__(self) -> None:
        if not PORTFOLIO_ID.fullmatch(self.id):
            raise InvalidInput("id", "must be 1 to 40 small letters, digits or -")
        for name in ("name", "lender"):
            if len(getattr(self, name)) > LONGEST_NAME:
                raise InvalidInput(name, f"must have at most {LONGEST_NAME} characters")
        if not self.name.strip():
            raise InvalidInput("name", "must not be empty")
        open_fraction("target_ltv", self.target_ltv)
        if len({option.id for option in self.options}) < len(self.options):
            raise InvalidInput("options", "must have an id of their own each")
        for option in self.options:
            if option.contract.root != self.collateral.quoted_by:
                raise InvalidInput(
                    "contract",
                    f"{option.contract.osi} is an option on {option.contract.root}; this collateral is valued by "
                    f"{self.collateral.quoted_by}",
                )

    def open_options(self, on: date) -> tuple[HeldOption, ...]:
        """The positions that are held and have not expired before a day."""
        return tuple(option for option in self.options if option.is_open(on))

    def with_value(self, value: float, price: float, on: date) -> "Portfolio":
        """The what-if portfolio whose collateral is worth `value` USD at `price`: units are rescaled."""
        positive("portfolio_value", value)
        positive("spot", price)
        return replace(self, collateral=self.collateral.scaled(value / price / self.collateral.shares(on)))

    def with_terms(self, loan_amount: float | None, margin_call_ltv: float | None) -> "Portfolio":
        """The what-if portfolio with another loan or limit; the other limits move along where they must."""
        loan = self.loan
        limit = loan.margin_call_ltv if margin_call_ltv is None else open_fraction("margin_call_ltv", margin_call_ltv)
        changed = replace(
            loan,
            amount=loan.amount if loan_amount is None else loan_amount,
            margin_call_ltv=limit,
            warning_ltv=loan.warning_ltv
            if loan.warning_ltv < limit
            else limit * loan.warning_ltv / loan.margin_call_ltv,
            close_out_ltv=max(loan.close_out_ltv, limit),
        )
        return replace(self, loan=changed)


def loan_to_value(loan_amount: float, collateral_value: float) -> float:
    """L / V, a fraction; may exceed 1 when the loan is under water."""
    return positive("loan_amount", loan_amount) / positive("collateral_value", collateral_value)


def price_at_ltv(loan_amount: float, units: float, ltv: float) -> float:
    """Price of one unit at which the loan stands at `ltv`: L / (ltv * U). Call and close-out price are this."""
    covered = open_fraction("ltv", ltv) * positive("units", units)
    return positive("loan_amount", loan_amount) / positive("units", covered)


def drop_to_price(price: float, target: float) -> float:
    """Fall from `price` to `target`, a fraction of `price`; negative when the price is already below."""
    return 1.0 - target / positive("price", price)


def sigmas_to_price(price: float, target: float, volatility: float, days: float = 1.0) -> float:
    """ln(S/H) in standard deviations of `days` trading days (252 a year), `volatility` per sqrt(year)."""
    deviation = positive("volatility", volatility) * math.sqrt(positive("days", days) / TRADING_DAYS)
    return math.log(positive("price", price) / positive("target", target)) / deviation


def largest_loan(collateral_value: float, ltv: float) -> float:
    """The loan that stands exactly at `ltv`: ltv * V."""
    return open_fraction("ltv", ltv) * collateral_value


def largest_initial_ltv(limit: float, drop: float) -> float:
    """LTV now that reaches `limit` only after a fall of `drop`: m * (1 - d)."""
    return open_fraction("limit", limit) * (1.0 - open_fraction("drop", drop))


def recommended_collateral(loan_amount: float, target_ltv: float = DEFAULT_TARGET_LTV) -> float:
    """Collateral value, USD, that brings the loan to `target_ltv`: L / target."""
    return positive("loan_amount", loan_amount) / open_fraction("target_ltv", target_ltv)


@dataclass(frozen=True, slots=True)
class Cure:
    """Three ways back to a target LTV, each alone enough, in USD; zero when nothing is needed."""

    repay_cash: float
    add_gold: float
    sell_gold: float


def cure(loan_amount: float, collateral_value: float, target_ltv: float) -> Cure:
    """Repay L - t*V, add L/t - V of gold, or sell (L - t*V)/(1 - t) and repay; never negative."""
    open_fraction("target_ltv", target_ltv)
    shortfall = positive("loan_amount", loan_amount) - target_ltv * positive("collateral_value", collateral_value)
    if shortfall <= 0:
        return Cure(0.0, 0.0, 0.0)
    return Cure(shortfall, loan_amount / target_ltv - collateral_value, shortfall / (1.0 - target_ltv))


def zone(ltv: float, loan: Loan) -> Zone:
    """The zone of `ltv`; a value on a limit belongs to the zone above it."""
    if is_breached(ltv, loan.close_out_ltv):
        return Zone.CLOSE_OUT
    if is_breached(ltv, loan.margin_call_ltv):
        return Zone.CALL
    return Zone.WARNING if is_breached(ltv, loan.warning_ltv) else Zone.ROOM


def hedged_ltv(loan_amount: float, collateral_value: float, hedge_value: float, loan: Loan) -> float:
    """LTV as the loan's lender counts options worth `hedge_value` USD.

    Ignored L/V; after payment (L - Pi)/V; credited L/(V + (1 - haircut)*Pi), without haircut when Pi is negative:
    what is owed on sold options is owed in full. Infinite when they have eaten the collateral.
    """
    if loan.hedge_counting is HedgeCounting.AFTER_PAYMENT:
        return (loan_amount - hedge_value) / collateral_value
    if loan.hedge_counting is HedgeCounting.CREDITED:
        counted = collateral_value + loan.factor_of(hedge_value) / loan.margin_call_ltv * hedge_value
        return loan_amount / counted if counted > 0 else math.inf
    return loan_amount / collateral_value


def cure_as_counted(loan: Loan, gold_value: float, option_worth: float, target_ltv: float) -> Cure:
    """The three ways to `target_ltv` as the lender counts options worth `option_worth` USD; each alone is enough.

    After payment the options repay first: L - Pi takes the place of L. Credited: V + (h/m)*Pi that of V.
    """
    open_fraction("target_ltv", target_ltv)
    owed, value = loan.amount, gold_value
    if loan.hedge_counting is HedgeCounting.AFTER_PAYMENT:
        owed -= option_worth
    elif loan.hedge_counting is HedgeCounting.CREDITED:
        value += loan.factor_of(option_worth) / loan.margin_call_ltv * option_worth
    if owed <= 0:
        return Cure(0.0, 0.0, 0.0)
    if value <= 0:  # sold options have eaten the collateral: only cash or gold helps
        return Cure(owed - target_ltv * value, owed / target_ltv - value, math.inf)
    return cure(owed, value, target_ltv)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A portfolio at one price of the quoting symbol. Prices are per share of that symbol, USD.

    `portfolio` is brought to the day: its loan is what is owed then, in USD at `rate`. `ltv` counts no option,
    `lender_ltv` counts them as the lender does, and `zone` follows from it. The prices at the limits, and the drop,
    count no option. `headroom` = m*V + h*Pi - L. `hedge` is None when no option is held. `accrued_interest` is what
    capitalised interest has added to the loan since the day its amount is of. Every amount is in USD; `rate` says
    what a dollar costs in the loan's own currency, and the prices at the limits hold while it stands.
    """

    portfolio: Portfolio
    on: date
    price: float
    shares: float
    gold_ounces: float | None
    gold_value: float
    ltv: float
    zone: Zone
    warning_price: float
    margin_call_price: float
    close_out_price: float
    drop_to_margin_call: float
    headroom: float
    max_loan: float
    recommended_collateral: float
    hedge: HedgeMark | None = None
    accrued_interest: float = 0.0
    rate: ExchangeRate = DOLLAR

    @property
    def owed(self) -> float:
        """What is owed in the loan's own currency."""
        return self.rate.own(self.portfolio.loan.amount)

    @property
    def hedge_value(self) -> float:
        """Pi, USD: what closing the held options brings."""
        return 0.0 if self.hedge is None else self.hedge.value

    @property
    def equity(self) -> float:
        """V + Pi - L, USD: what is left when everything is sold and the loan repaid."""
        return self.gold_value + self.hedge_value - self.portfolio.loan.amount

    @property
    def lender_ltv(self) -> float:
        """LTV as the lender counts the hedge."""
        return self.counted(self.portfolio.loan.hedge_counting)

    def counted(self, counting: HedgeCounting) -> float:
        """LTV in one of the three countings, with the loan's own haircut."""
        loan = replace(self.portfolio.loan, hedge_counting=counting)
        return hedged_ltv(loan.amount, self.gold_value, self.hedge_value, loan)

    @property
    def counted_call_price(self) -> float:
        """Price at which the lender calls when the options keep today's value: (L - h*Pi) / (m*U).

        It is above `margin_call_price` when counted options are owed, as sold ones are, and not above zero when they
        alone keep every call away. Options do not keep their value: bought puts gain as gold falls, sold ones cost
        more.
        """
        loan = self.portfolio.loan
        counted = loan.factor_of(self.hedge_value) * self.hedge_value
        return (loan.amount - counted) / (loan.margin_call_ltv * self.shares)

    @property
    def counts_options(self) -> bool:
        """True when options are held that the lender counts: then gold alone does not decide when it calls."""
        return self.hedge is not None and self.portfolio.loan.hedge_counting is not HedgeCounting.IGNORED

    @property
    def is_called(self) -> bool:
        """True when the lender may call for margin now."""
        return is_breached(self.lender_ltv, self.portfolio.loan.margin_call_ltv)


def mark(
    portfolio: Portfolio, price: float, on: date, hedge: HedgeMark | None = None, rate: ExchangeRate = DOLLAR
) -> Snapshot:
    """The portfolio at `price` (USD per share of the quoting symbol) on a day, with its options as marked.

    LTV = L / (U*S); call price H = L / (m*U); drop to call = 1 - H/S; headroom = m*U*S + h*Pi - L, where L is in USD:
    what is owed divided by `rate`, which must be that of the loan's currency.
    A loan above 100 % of its collateral is refused nowhere here: the price may have brought it there.
    """
    owed = portfolio.loan.brought_to(on)
    loan = in_dollars(owed, rate)
    shares = portfolio.collateral.shares(on)
    value = shares * positive("price", price)
    call_price = price_at_ltv(loan.amount, shares, loan.margin_call_ltv)
    hedge_value = 0.0 if hedge is None else hedge.value
    most = largest_loan(value, loan.margin_call_ltv) + loan.factor_of(hedge_value) * hedge_value
    return Snapshot(
        portfolio=replace(portfolio, loan=loan),
        on=on,
        price=price,
        shares=shares,
        gold_ounces=portfolio.collateral.ounces(on),
        gold_value=value,
        ltv=loan_to_value(loan.amount, value),
        zone=zone(hedged_ltv(loan.amount, value, hedge_value, loan), loan),
        warning_price=price_at_ltv(loan.amount, shares, loan.warning_ltv),
        margin_call_price=call_price,
        close_out_price=price_at_ltv(loan.amount, shares, loan.close_out_ltv),
        drop_to_margin_call=drop_to_price(price, call_price),
        headroom=most - loan.amount,
        max_loan=most,
        recommended_collateral=recommended_collateral(loan.amount, portfolio.target_ltv),
        hedge=hedge,
        accrued_interest=rate.dollars(owed.amount - portfolio.loan.amount),
        rate=rate,
    )


def require_solvent(snapshot: Snapshot) -> Snapshot:
    """The snapshot, refused when an *entered* loan is not below the value of its collateral."""
    if snapshot.ltv >= 1:
        raise InvalidInput(
            "loan_amount",
            f"is {snapshot.ltv:.0%} of the collateral's value; a loan must be below 100 % of it",
        )
    return snapshot

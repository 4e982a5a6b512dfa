"""Collateral, loan and what their ratio means: LTV, call price, headroom."""

import math
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import Instrument
from vaultdash.domain.hedge import HedgePlan
from vaultdash.domain.loan import Loan, is_breached
from vaultdash.domain.validation import open_fraction, positive

DEFAULT_TARGET_LTV = 0.60
TRADING_DAYS = 252


class Zone(StrEnum):
    """Where an LTV stands among the loan's limits."""

    ROOM = "room"
    WARNING = "warning"
    CALL = "call"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True, slots=True)
class Collateral:
    """Pledged units of an instrument; the price moves, the units do not."""

    instrument: Instrument
    units: float

    def __post_init__(self) -> None:
        positive("units", self.units)

    def ounces(self, on: date) -> float | None:
        """Troy ounces behind the collateral on a day; None when it is not gold."""
        per_unit = self.instrument.ounces_per_unit(on)
        return None if per_unit is None else self.units * per_unit

    def shares(self, on: date) -> float:
        """Units of the quoting symbol that the collateral is worth."""
        return self.units * self.instrument.shares_per_unit(on)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One loan with its collateral and the hedges held against it."""

    id: str
    collateral: Collateral
    loan: Loan
    hedges: tuple[HedgePlan, ...] = field(default=())

    def with_value(self, value: float, price: float, on: date) -> "Portfolio":
        """The what-if portfolio whose collateral is worth `value` USD at `price`: units are rescaled."""
        positive("portfolio_value", value)
        positive("spot", price)
        units = value / price / self.collateral.instrument.shares_per_unit(on)
        return replace(self, collateral=replace(self.collateral, units=units))

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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A portfolio at one price of the quoting symbol. Prices are per share of that symbol, USD."""

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

    @property
    def is_called(self) -> bool:
        """True when the lender may call for margin now."""
        return is_breached(self.ltv, self.portfolio.loan.margin_call_ltv)


def mark(portfolio: Portfolio, price: float, on: date) -> Snapshot:
    """The portfolio at `price` (USD per share of the quoting symbol) on a day.

    LTV = L / (U*S); call price H = L / (m*U); drop to call = 1 - H/S; headroom = m*U*S - L.
    A loan above 100 % of its collateral is refused nowhere here: the price may have brought it there.
    """
    loan = portfolio.loan
    shares = portfolio.collateral.shares(on)
    value = shares * positive("price", price)
    ltv = loan_to_value(loan.amount, value)
    call_price = price_at_ltv(loan.amount, shares, loan.margin_call_ltv)
    return Snapshot(
        portfolio=portfolio,
        on=on,
        price=price,
        shares=shares,
        gold_ounces=portfolio.collateral.ounces(on),
        gold_value=value,
        ltv=ltv,
        zone=zone(ltv, loan),
        warning_price=price_at_ltv(loan.amount, shares, loan.warning_ltv),
        margin_call_price=call_price,
        close_out_price=price_at_ltv(loan.amount, shares, loan.close_out_ltv),
        drop_to_margin_call=drop_to_price(price, call_price),
        headroom=largest_loan(value, loan.margin_call_ltv) - loan.amount,
        max_loan=largest_loan(value, loan.margin_call_ltv),
        recommended_collateral=recommended_collateral(loan.amount),
    )


def require_solvent(snapshot: Snapshot) -> Snapshot:
    """The snapshot, refused when an *entered* loan is not below the value of its collateral."""
    if snapshot.ltv >= 1:
        raise InvalidInput(
            "loan_amount",
            f"is {snapshot.ltv:.0%} of the collateral's value; a loan must be below 100 % of it",
        )
    return snapshot

"""A loan and its hedge for what-if tests, priced by QuantLib."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.builders import a_loan
from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption, leg_at
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right, expiry_at

SPOT, RATE, UNITS = 460.0, 0.045, 2200.0
EXPIRATION = date(2026, 12, 18)
AT = expiry_at(EXPIRATION) - timedelta(days=180)  # so that days are whole, as the oracle counts them
LATER = EXPIRATION + timedelta(days=91)  # the same hour: no change of clocks between December and March
DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
HALF_SPREAD = 0.10


def model(
    strike: float,
    right: Right = Right.PUT,
    price: float = SPOT,
    days: int = 180,
    volatility: float = 0.22,
    rate: float = RATE,
) -> float:
    """QuantLib's price, days / 365 to expiry; exercise when none are left."""
    if days <= 0:
        return max(strike - price, 0.0) if right is Right.PUT else max(price - strike, 0.0)
    return american_figure(price, strike, days, rate, 0.0, volatility, right)


def a_leg(
    strike: float,
    contracts: int = 22,
    right: Right = Right.PUT,
    volatility: float | None = 0.22,
    expiration: date = EXPIRATION,
) -> ListedLeg:
    """Quoted a dime either side of QuantLib's price at 22 % volatility."""
    fair = model(strike, right, days=(expiry_at(expiration) - AT).days)
    option = ListedOption(
        right, strike, expiration, max(fair - HALF_SPREAD, 0.0), fair + HALF_SPREAD, volatility=volatility
    )
    return leg_at(option, contracts)


def a_case(counting: HedgeCounting = HedgeCounting.CREDITED, **fields: object) -> HedgeCase:
    loan = replace(a_loan(hedge_counting=counting), **fields)  # type: ignore[arg-type]
    return HedgeCase(SPOT, UNITS, loan, AT, RATE)


def a_hedge(*legs: ListedLeg, **fields: object) -> ListedHedge:
    return ListedHedge("hedge", legs or (a_leg(400.0),), **fields)  # type: ignore[arg-type]

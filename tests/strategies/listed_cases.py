"""A loan of 600,000 on gold worth a million at 460, and contracts with quotes that can be reckoned by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

from tests.builders import SEED_UNITS, a_loan
from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption, PriceBasis
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right

AT = datetime(2026, 6, 10, 20, 0, tzinfo=UTC)  # 16:00 in New York: days to an expiration are whole
SOON, MID, FAR = date(2026, 7, 17), date(2026, 9, 18), date(2027, 6, 17)  # 37, 100 and 372 days away
SPOT, RATE = 460.0, 0.045


def a_case(counting: HedgeCounting = HedgeCounting.CREDITED, **fields: object) -> HedgeCase:
    """Limits 0.70, 0.75 and 0.85: the call comes at 368, a fall of 20 %."""
    loan_fields = {key: fields.pop(key) for key in ("hedge_haircut", "margin_call_ltv") if key in fields}
    loan = replace(a_loan(hedge_counting=counting), **loan_fields)  # type: ignore[arg-type]  # fields of the loan
    given: dict[str, object] = {"spot": SPOT, "units": SEED_UNITS, "loan": loan, "at": AT, "rate": RATE, **fields}
    return HedgeCase(**given)  # type: ignore[arg-type]  # fields of the case


def an_option(
    strike: float = 400.0, right: Right = Right.PUT, expiration: date = MID, **fields: object
) -> ListedOption:
    """Bid 4.90 and ask 5.10."""
    given: dict[str, object] = {"bid": 4.9, "ask": 5.1, **fields}
    return ListedOption(right, strike, expiration, **given)  # type: ignore[arg-type]  # fields of the option


def a_put(strike: float, contracts: int, price: float = 5.0, **fields: object) -> ListedLeg:
    return ListedLeg(an_option(strike, **fields), contracts, price, PriceBasis.OWN)  # type: ignore[arg-type]


def a_call(strike: float, contracts: int, price: float = 5.0, **fields: object) -> ListedLeg:
    return ListedLeg(an_option(strike, Right.CALL, **fields), contracts, price, PriceBasis.OWN)  # type: ignore[arg-type]


def a_hedge(*legs: ListedLeg, **fields: object) -> ListedHedge:
    """Without commissions, unless the test says otherwise."""
    given: dict[str, object] = {"commission": 0.0, **fields}
    return ListedHedge("hedge", legs, **given)  # type: ignore[arg-type]  # fields of the hedge


def a_market(*expirations: date, step: float = 5.0, volatility: float = 0.20) -> list[ListedOption]:
    """Every right and strike from 300 to 620, a dime either side of QuantLib's price at one volatility."""
    return [
        option for expiration in expirations or (SOON, MID, FAR) for option in _of_day(expiration, step, volatility)
    ]


@cache
def _of_day(expiration: date, step: float, volatility: float) -> tuple[ListedOption, ...]:
    found = []
    for place in range(int(320 / step) + 1):
        strike = 300.0 + step * place
        for right in Right:
            fair = american_figure(SPOT, strike, (expiration - AT.date()).days, RATE, 0.0, volatility, right)
            bid, ask = round(fair - 0.10, 2), round(fair + 0.10, 2)
            found.append(ListedOption(right, strike, expiration, bid if bid > 0 else None, ask))
    return tuple(found)

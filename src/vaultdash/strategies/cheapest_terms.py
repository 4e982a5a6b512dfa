"""What a search for a hedge has to keep to: the loan, how its lender counts, limits, and the contracts it may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import MOST_HEDGE_CONTRACTS, USUAL_COMMISSION, ListedOption, Rejected
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import SHARES_PER_CONTRACT, Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.validation import finite, not_negative, positive, share

EXPIRY, ALL_DATES = "expiry", "all"


@dataclass(frozen=True, slots=True)
class HedgeTerms:
    """The rules of one search, validated; a rule that is None is not imposed. Amounts USD, prices USD a share.

    `limit` is the highest hedged LTV, buffer taken off; `factor` the credit h where the hedge is worth something and
    `owed_factor` where it owes. `lowest` and `highest` end the range of prices at which every rule must hold.
    """

    units: float
    loan: float
    spot: float
    limit: float | None
    counting: HedgeCounting | None
    factor: float
    owed_factor: float
    buffer: float
    funding: PremiumFunding
    lowest: float
    highest: float
    commission: float
    horizon: date
    allow_calls: bool = False
    least_call_strike: float | None = None
    max_per_line: int | None = None
    max_puts: int | None = None
    max_calls: int | None = None
    max_loss: float | None = None
    budget: float | None = None
    check_dates: str = EXPIRY
    at: datetime | None = None
    rate: float = 0.045

    @property
    def gold_value(self) -> float:
        """U * S now, USD."""
        return self.units * self.spot

    @property
    def has_debt_in_cost(self) -> bool:
        """True when the premium is borrowed, so that it adds to the loan."""
        return self.funding is PremiumFunding.LOAN

    @property
    def sells_gold(self) -> bool:
        """True when the premium comes out of the gold."""
        return self.funding is PremiumFunding.SELL_GOLD

    @property
    def is_ignored(self) -> bool:
        """True when the lender counts no option at all."""
        return self.factor == 0 and self.owed_factor == 0

    def price_words(self, price: float) -> str:
        """`327.61 (-24.6 %)`: a price, and what it is from now."""
        return f"{price:,.2f} ({price / self.spot - 1:+.1%})"


@dataclass(frozen=True, slots=True)
class Line:
    """A contract that may be traded one way: `direction` 1 bought at the ask, -1 sold at the bid.

    `cost` is that of one contract, USD, commission included; negative when selling it brings money.
    """

    option: ListedOption
    direction: int
    price: float
    cost: float

    @property
    def shares(self) -> float:
        """Shares one contract stands for; negative when sold."""
        return float(self.direction * self.option.multiplier)


def search_terms(
    contracts: Sequence[ListedOption],
    units: float,
    loan: float,
    spot: float,
    call_ltv: float | None,
    *,
    credit_factor: HedgeCounting | float = HedgeCounting.CREDITED,
    horizon: date | None = None,
    allow_calls: bool = False,
    upside_cap: float | None = None,
    budget: float | None = None,
    buffer: float = 0.0,
    premium_funding: PremiumFunding | str = PremiumFunding.CASH,
    price_range: tuple[float, float] = (-0.6, 0.6),
    commission: float = USUAL_COMMISSION,
    max_contracts_per_line: int | None = None,
    max_puts: int | None = None,
    min_call_strike: float | None = None,
    max_calls: int | None = None,
    max_loss: float | None = None,
    check_dates: str = EXPIRY,
    at: datetime | None = None,
    rate: float = 0.045,
    owed_factor: float | None = None,
) -> HedgeTerms:
    """The rules, checked; InvalidInput names what makes no sense."""
    positive("units", units)
    not_negative("loan_amount", loan)
    positive("spot", spot)
    limit = _limit(call_ltv, buffer)
    counting, factor = _factor(credit_factor, limit)
    owed = factor if owed_factor is None else not_negative("owed_factor", owed_factor)
    if owed < factor:
        raise InvalidInput("owed_factor", f"must not be below the credit factor of {factor:g}: no debt is forgiven")
    low, high = (finite("price_range", each) for each in price_range)
    if not -1 < low < high <= 10:
        raise InvalidInput("price_range", "must be two moves of the price as fractions, the lower first: (-0.6, 0.6)")
    for name, count in (
        ("max_contracts_per_line", max_contracts_per_line),
        ("max_puts", max_puts),
        ("max_calls", max_calls),
    ):
        if count is not None and (isinstance(count, bool) or count != int(count) or count < 0):
            raise InvalidInput(name, f"must be a whole number of contracts, at least zero, not {count}")
    if budget is not None:
        finite("budget", budget)
    if max_loss is not None:
        share("max_loss", max_loss)
    if upside_cap is not None and finite("upside_cap", upside_cap) <= -1:
        raise InvalidInput("upside_cap", "must be a fraction above -1; write 0.1 for 10 % above the price")
    if min_call_strike is not None:
        not_negative("min_call_strike", min_call_strike)
    if check_dates not in (EXPIRY, ALL_DATES):
        raise InvalidInput("check_dates", f"must be {EXPIRY} or {ALL_DATES}, not {check_dates!r}")
    if check_dates == ALL_DATES and at is None:
        raise InvalidInput("at", "is missing: to check earlier dates it must be known when the search is made")
    smallest = min((each.multiplier for each in contracts), default=SHARES_PER_CONTRACT)
    if units > MOST_HEDGE_CONTRACTS * smallest:
        most = f"{MOST_HEDGE_CONTRACTS * smallest:,} shares, which is {MOST_HEDGE_CONTRACTS:,} contracts"
        raise InvalidInput("units", f"must be at most {most}: more are not searched")
    if not contracts and horizon is None:
        raise InvalidInput("contracts", "must not be empty: there is nothing to choose from")
    floors = [spot * (1 + upside_cap)] if upside_cap is not None else []
    floors += [min_call_strike] if min_call_strike is not None else []
    return HedgeTerms(
        units=float(units),
        loan=float(loan),
        spot=float(spot),
        limit=limit,
        counting=counting,
        factor=factor,
        owed_factor=owed,
        buffer=buffer,
        funding=PremiumFunding(premium_funding),
        lowest=spot * (1 + low),
        highest=spot * (1 + high),
        commission=not_negative("commission", commission),
        horizon=horizon or min(each.expiration for each in contracts),
        allow_calls=allow_calls,
        least_call_strike=max(floors) if floors else None,
        max_per_line=max_contracts_per_line,
        max_puts=max_puts,
        max_calls=max_calls,
        max_loss=max_loss,
        budget=budget,
        check_dates=check_dates,
        at=at,
        rate=finite("rate", rate),
    )


def usable(contracts: Sequence[ListedOption], terms: HedgeTerms) -> tuple[list[Line], list[Rejected]]:
    """Each contract as the line by which it is traded, or why it is not; InvalidInput when its quote is crossed."""
    lines: list[Line] = []
    rejected: list[Rejected] = []
    for option in contracts:
        reason = _refusal(option, terms)
        if reason:
            rejected.append(Rejected(option, reason))
            continue
        if option.ask and option.is_crossed:
            raise InvalidInput(
                "contracts",
                f"hold a crossed quote: the {option.title} is bid {option.bid:g} and asked {option.ask:g}; "
                "one of the two is old, leave it out or correct it",
            )
        direction = 1 if option.right is Right.PUT else -1
        price = option.ask if direction > 0 else option.bid
        assert price is not None
        lines.append(Line(option, direction, price, direction * option.multiplier * price + terms.commission))
    return lines, rejected


def _refusal(option: ListedOption, terms: HedgeTerms) -> str:
    if option.expiration < terms.horizon:
        return "expires before the horizon"
    if option.right is Right.PUT:
        return "" if option.ask else "no ask: it cannot be bought"
    if not terms.allow_calls:
        return "a call, and calls are not to be sold"
    if not option.bid:
        return "no bid: it cannot be sold"
    least = terms.least_call_strike
    if least is not None and option.strike < least - 1e-9 * least:
        return "a call whose strike is lower than allowed"
    return ""


def _limit(call_ltv: float | None, buffer: float) -> float | None:
    if call_ltv is None:
        not_negative("buffer", buffer)
        return None
    if not 0 < finite("call_ltv", call_ltv) < 2:
        hint = f"; write {call_ltv / 100:g} for {call_ltv:g} %" if 2 <= call_ltv <= 100 else ""
        raise InvalidInput("max_hedged_ltv", f"must be a fraction above 0, such as 0.75, not {call_ltv:g}{hint}")
    if not_negative("buffer", buffer) >= call_ltv:
        raise InvalidInput("buffer", f"must be below the LTV of {call_ltv:g} that it is taken off")
    return call_ltv - buffer


def _factor(credit: HedgeCounting | float | str, limit: float | None) -> tuple[HedgeCounting | None, float]:
    if isinstance(credit, str):
        counting = HedgeCounting(credit)
        if counting is HedgeCounting.CREDITED:
            return counting, 1.0 if limit is None else limit
        return counting, 1.0 if counting is HedgeCounting.AFTER_PAYMENT else 0.0
    factor = finite("credit_factor", credit)
    if not 0 <= factor <= 2:
        raise InvalidInput("credit_factor", f"must be a fraction from 0, not counted, to 1, paid out, not {credit:g}")
    return None, factor

"""What an owner must know of a hedge of listed contracts beside its figures, in sentences."""

from collections.abc import Sequence

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption
from vaultdash.domain.option import Right
from vaultdash.strategies.listed_greeks import OptionGreeks

WIDE_SPREAD, WIDE_SPREAD_USD = 0.25, 0.10  # as the rule for what is built from the live chain (domain.md 4)
FEW_OPEN = 10  # contracts; with fewer there is hardly anybody to sell to


def spread_of(option: ListedOption) -> float | None:
    """(Ask - bid) / mid, None without both; infinite never: a mid of zero has no spread to speak of."""
    if option.mid is None or option.mid <= 0 or option.ask is None or option.bid is None:
        return None
    return (option.ask - option.bid) / option.mid


def remarks(hedge: ListedHedge, case: HedgeCase, greeks: OptionGreeks) -> tuple[str, ...]:
    """Sentences about cover, days, uncovered puts and liquidity, the most serious first."""
    return (
        *_expired(hedge, case),
        *_uncovered_puts(hedge.legs),
        *_cover(hedge, case),
        *_interest(hedge, case),
        *_days(hedge),
        *_liquidity(hedge),
        *_no_volatility(hedge, greeks),
    )


def _expired(hedge: ListedHedge, case: HedgeCase) -> list[str]:
    gone = [leg.option.title for leg in hedge.legs if case.years_to(leg.option.expiration) == 0]
    return [f"Expired already: {', '.join(gone)}."] if gone else []


def _interest(hedge: ListedHedge, case: HedgeCase) -> list[str]:
    until = case.until or hedge.first_expiration
    if until is None or case.owed_on(until) == case.loan.amount:
        return []
    return [
        f"Interest is added to the loan: protection is reckoned with the {case.owed_on(until):,.0f} USD owed on "
        f"{until:%-d %b %Y}, not with today's {case.loan.amount:,.0f}."
    ]


def _puts(legs: Sequence[ListedLeg], side: int) -> list[ListedLeg]:
    return [leg for leg in legs if leg.option.right is Right.PUT and leg.contracts * side > 0]


def _uncovered_puts(legs: Sequence[ListedLeg]) -> list[str]:
    """Sold puts that no bought ones of their strike or above cover until they expire."""
    found = []
    for sold in sorted(_puts(legs, -1), key=lambda leg: leg.option.strike):
        higher = [leg for leg in _puts(legs, 1) if leg.option.strike >= sold.option.strike]
        wanted = -sum(leg.shares for leg in _puts(legs, -1) if leg.option.strike >= sold.option.strike)
        lasting = sum(leg.shares for leg in higher if leg.option.expiration >= sold.option.expiration)
        if sum(leg.shares for leg in _puts(legs, 1)) < -sum(leg.shares for leg in _puts(legs, -1)):
            return ["It sells more puts than it buys: that adds to a fall instead of hedging it."]
        if lasting >= wanted:
            continue
        if sum(leg.shares for leg in higher) >= wanted:
            last = max(leg.option.expiration for leg in higher)
            found.append(
                f"The sold {sold.option.title} outlives the puts that cover it: from {last:%-d %b %Y} on it adds "
                "to a fall."
            )
    return found


def _cover(hedge: ListedHedge, case: HedgeCase) -> list[str]:
    bought = _puts(hedge.legs, 1)
    shares = sum(leg.shares for leg in bought)
    if not bought:
        return []
    size = max(leg.option.multiplier for leg in bought)
    if case.units < size:
        return [
            f"One contract is over {size:,} shares and the gold is worth {case.units:,.1f}: the hedge is larger than "
            "what it protects, and its cost is that of the whole contract."
        ]
    if shares >= case.units + size:
        return [
            f"The puts are over {shares:,.0f} shares and the gold is worth {case.units:,.0f}: in a fall the rest "
            "earns more than the gold loses, and it is paid for."
        ]
    if shares <= case.units - size:
        return [f"The puts are over {shares:,.0f} of the gold's {case.units:,.0f} shares: {shares / case.units:.0%}."]
    return []


def _days(hedge: ListedHedge) -> list[str]:
    first, last = hedge.first_expiration, hedge.last_expiration
    if first is None or last is None or first == last:
        return []
    return [
        f"Its options expire from {first:%-d %b %Y} to {last:%-d %b %Y}: figures at expiry take each at what "
        "exercise pays, as if all were still there, and the cost a year is until the first."
    ]


def _liquidity(hedge: ListedHedge) -> list[str]:
    found = []
    options = [leg.option for leg in hedge.legs]
    crossed = [option.title for option in options if option.is_crossed]
    if crossed:
        found.append(f"Bid above ask, so one of the two is old: {', '.join(crossed)}.")
    wide = [
        f"{option.title} ({spread:.0%} of mid)"
        for option in options
        if (spread := spread_of(option)) is not None
        and option.ask is not None
        and option.bid is not None
        and option.ask - option.bid > max(WIDE_SPREAD_USD, WIDE_SPREAD * 0.5 * (option.ask + option.bid))
    ]
    if wide:
        found.append(f"Wide between bid and ask, so dear to buy and to sell again: {', '.join(wide)}.")
    no_buyer = [leg.option.title for leg in hedge.legs if leg.contracts > 0 and not leg.option.bid]
    if no_buyer:
        found.append(f"Nobody bids for it now, so it could only be held or exercised: {', '.join(no_buyer)}.")
    few = [
        f"{option.title} ({option.open_interest})"
        for option in options
        if option.open_interest is not None and option.open_interest < FEW_OPEN
    ]
    if few:
        found.append(f"Hardly anybody holds it (contracts open): {', '.join(few)}.")
    return found


def _no_volatility(hedge: ListedHedge, greeks: OptionGreeks) -> list[str]:
    unknown = [leg.option.title for leg in hedge.legs if greeks[leg.option] is None]
    if not unknown:
        return []
    return [f"No volatility fits the quotes of {', '.join(unknown)}: the Greeks are not known."]

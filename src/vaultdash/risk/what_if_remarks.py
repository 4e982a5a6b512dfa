"""What a what-if stands on, in sentences."""

import math

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.risk.stress import OptionBook
from vaultdash.risk.what_if_words import WhatIfChange


def remarks(case: HedgeCase, hedge: ListedHedge, change: WhatIfChange, book: OptionBook) -> tuple[str, ...]:
    """How options are valued, what happens to those that expire, how the loan grows, and what is not known."""
    return (*_options(case, hedge, change, book), *_loan(case, change))


def _options(case: HedgeCase, hedge: ListedHedge, change: WhatIfChange, book: OptionBook) -> list[str]:
    if not hedge.legs:
        return ["No option is held, so all countings are the same."]
    said = [
        "Each option keeps the volatility of its strike, wherever gold goes, plus the change asked for. American "
        f"model at {case.rate + change.rate:.2%} interest; today's difference between price and model, half the "
        "spread among it, is kept."
    ]
    if change.crash_volatility:
        said.append("In a fall volatility rises by one point per 1 % at 30 days, and less beyond.")
    expired = [leg for leg in hedge.legs if 0 < case.days_to(leg.option.expiration) <= change.days]
    if expired:
        said.append(
            f"{', '.join(leg.option.title for leg in expired)}: expired by then, and counted as the money that "
            "exercise paid at the changed price."
        )
    for leg, volatility, years in zip(hedge.legs, book.volatilities, book.years, strict=True):
        quoted = leg.option.bid if leg.contracts > 0 else leg.option.ask
        if years <= 0:
            said.append(f"The {leg.option.title} has expired: only what exercise pays is counted.")
        elif math.isnan(volatility):
            said.append(f"The volatility of the {leg.option.title} is not known: only what exercise pays is counted.")
        elif quoted is None:
            side = "bid" if leg.contracts > 0 else "ask"
            said.append(f"The {leg.option.title} has no {side}: it closes at the {leg.price:,.2f} it is held at.")
    if change.lender.stops_counting and case.loan.hedge_counting is HedgeCounting.IGNORED:
        said.append("This lender does not count options anyway.")
    return said


def _loan(case: HedgeCase, change: WhatIfChange) -> list[str]:
    said = []
    if change.days:
        said.append(
            "The loan grows by its interest until then."
            if case.loan.interest.capitalised
            else "Interest is paid in cash and does not add to the loan."
        )
    if change.rate:
        said.append("Interest changes what options are worth; the loan's own rate stays as it is.")
    if change.lender.no_notice:
        said.append("Without notice the sale follows the call: the close-out limit is the call's.")
    return said

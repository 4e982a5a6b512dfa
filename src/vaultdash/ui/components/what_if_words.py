"""A what-if in sentences: what moves, what the LTV is then, and what the hedge makes of it."""

import math
from dataclasses import replace

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Zone, zone
from vaultdash.risk.what_if import WhatIf, WhatIfChange, WhatIfPoint
from vaultdash.ui.format import number, pct, price, unbroken
from vaultdash.ui.theme import Tone

ZONE_WORDS = {Zone.ROOM: "room", Zone.WARNING: "a warning", Zone.CALL: "a call", Zone.CLOSE_OUT: "a forced sale"}
COUNTINGS = (
    (HedgeCounting.IGNORED.value, "ignored"),
    (HedgeCounting.AFTER_PAYMENT.value, "after payment"),
    (HedgeCounting.CREDITED.value, "credited"),
)
COUNTED = {
    HedgeCounting.IGNORED: "ignored",
    HedgeCounting.AFTER_PAYMENT: "sold to repay",
    HedgeCounting.CREDITED: "credited",
}
NO_COVER, REPAID = "no cover", "repaid"
Piece = tuple[str, Tone]


def lender_of(case: HedgeCase, change: WhatIfChange) -> Loan:
    """The loan under the lender's terms then; its amount is of no matter."""
    return change.lender.applied(case.loan)


def ltv_words(ltv: float) -> str:
    """`71.2 %`; what is paid back or not covered at all has no per cent."""
    if ltv <= 0:
        return REPAID
    return pct(ltv) if math.isfinite(ltv) else NO_COVER


def sentence(found: WhatIf, case: HedgeCase, hedge: ListedHedge) -> tuple[Piece, ...]:
    """The first thing on the page: `If gold falls 20 % to 330.00 USD in 30 days, your LTV is 78.1 %: a call. With
    the hedge 71.2 %: room.`, in pieces, those that judge with a tone.
    """
    then, loan = found.then, lender_of(case, found.change)
    told = f"{if_words(found.change, then.price)}, your LTV is "
    return (
        (unbroken(told), ""),
        (unbroken(f"{ltv_words(then.unhedged_ltv)}: {ZONE_WORDS[then.unhedged_zone]}"), tone(then.unhedged_zone)),
        *_with_hedge(then, loan, hedge),
    )


def if_words(change: WhatIfChange, at: float) -> str:
    """`If gold falls 20 % to 330.00 USD in 30 days, volatility 5 points higher`."""
    days = "" if change.days == 0 else f" in {number(change.days)} day{'' if change.days == 1 else 's'}"
    if change.price == 0:
        begun = f"If gold stays at {price(at)} USD{days.replace(' in ', ' for ')}"
    else:
        moved = "falls" if change.price < 0 else "rises"
        begun = f"If gold {moved} {_points(change.price)} % to {price(at)} USD{days or ' at once'}"
    return ", ".join([begun, *_further(change)])


def _further(change: WhatIfChange) -> list[str]:
    said = []
    if change.volatility:
        said.append(f"volatility {_points(change.volatility)} points {_side(change.volatility)}")
    if change.crash_volatility and change.price < 0:
        said.append("volatility up as in a crash")
    if change.rate:
        said.append(f"interest {_points(change.rate)} points {_side(change.rate)}")
    lender = change.lender
    if lender.limit_cut:
        said.append(f"limits {_points(lender.limit_cut)} points lower")
    if lender.stops_counting:
        said.append("options no longer counted")
    elif lender.haircut is not None:
        said.append(f"a haircut of {_points(lender.haircut)} % on options")
    if lender.no_notice:
        said.append("no notice given")
    return said


def _with_hedge(then: WhatIfPoint, loan: Loan, hedge: ListedHedge) -> tuple[Piece, ...]:
    if not hedge.legs:
        return ((". No option protects it.", ""),)
    ltv = then.ltvs[loan.hedge_counting]
    if loan.hedge_counting is not HedgeCounting.IGNORED:
        found = unbroken(f"{ltv_words(ltv)}: {ZONE_WORDS[then.zone]}")
        return ((". With the hedge ", ""), (found, tone(then.zone)), (".", ""))
    sold = then.ltvs[HedgeCounting.AFTER_PAYMENT]
    where = zone(sold, loan)
    found = unbroken(f"{ltv_words(sold)}: {ZONE_WORDS[where]}")
    same = abs(ltv - then.unhedged_ltv) < 5e-4
    counted = "the same" if same else ltv_words(ltv)
    told = f". With the hedge your lender, who ignores options, counts {counted}; once they are sold and repay it is "
    return ((unbroken(told), ""), (found, tone(where)), (".", ""))


def tone(where: Zone) -> Tone:
    """The colour of a zone."""
    return where.value


def zone_in(counting: HedgeCounting, point: WhatIfPoint, loan: Loan) -> Zone:
    """Where a point stands in one counting."""
    return zone(point.ltvs[counting], replace(loan, hedge_counting=counting))


def _points(fraction: float) -> str:
    return f"{abs(fraction) * 100:.2f}".rstrip("0").rstrip(".")


def _side(value: float) -> str:
    return "higher" if value > 0 else "lower"

"""How things stand, in one sentence that a worried person understands."""

from dataclasses import dataclass

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot, Zone
from vaultdash.risk.stress import cure_as_counted
from vaultdash.services.heartbeat import Beat

WORST_TWO_DAYS = 0.139  # GLD closes of 29 January and 2 February 2026: 495.90 and 427.13
FEWEST_SIGMAS = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """`headline` is the verdict, `detail` the rest of the sentence; `zone` is None when nothing can be said."""

    zone: Zone | None
    headline: str
    detail: str

    @property
    def sentence(self) -> str:
        """Both, as one line."""
        return f"{self.headline} {self.detail}"


def standing(beat: Beat | None) -> Standing:
    """The sentence for a beat."""
    if beat is None:
        return Standing(None, "Asking for the first price.", "The loan is shown as soon as it is here.")
    if beat.snapshot is None or beat.status is None:
        return Standing(None, "No price.", f"The loan cannot be valued: {beat.problem}")
    snapshot, loan = beat.snapshot, beat.snapshot.portfolio.loan
    drop = snapshot.drop_to_margin_call
    call = f"{snapshot.portfolio.collateral.instrument.quoted_by} {snapshot.margin_call_price:,.2f}"
    caveat = _of_options(snapshot) + (" Judged by an old price." if beat.status.is_stale else _invented(beat))
    needed = cure_as_counted(loan, snapshot.gold_value, snapshot.hedge_value, loan.warning_ltv).repay_cash
    if snapshot.zone is Zone.CLOSE_OUT:
        return Standing(
            Zone.CLOSE_OUT,
            "Close-out level reached.",
            f"The lender may sell the gold now: LTV is {_pct(snapshot.lender_ltv)}, the limit "
            f"{_pct(loan.close_out_ltv)}; {needed:,.0f} USD repaid brings it down to the warning level of "
            f"{_pct(loan.warning_ltv)}.{caveat}",
        )
    if snapshot.zone is Zone.CALL:
        return Standing(
            Zone.CALL,
            "Margin call.",
            f"LTV is {_pct(snapshot.lender_ltv)}, the limit {_pct(loan.margin_call_ltv)}: "
            f"{needed:,.0f} USD repaid brings it down to the warning level of {_pct(loan.warning_ltv)}.{caveat}",
        )
    if drop <= 0:  # the options that the lender counts are all that keeps the call away
        return Standing(
            snapshot.zone,
            "Kept by the options.",
            f"Gold alone would be called below {call}; the options held bring LTV to {_pct(snapshot.lender_ltv)} as "
            f"the lender counts them{_first_end(snapshot)}.{caveat}",
        )
    if snapshot.zone is Zone.WARNING:
        detail = f"Gold can fall {_pct(drop)} more, to {call}, before the lender calls.{caveat}"
        return Standing(Zone.WARNING, "Close to a call.", detail)
    if beat.status.is_stale:
        return Standing(
            None,
            "Not known now.",
            f"By the last price gold could fall {_pct(drop)}, to {call}, before the lender calls. That price is "
            f"old.{_of_options(snapshot)}",
        )
    is_burdened = snapshot.hedge_value < 0  # sold options cost more as they go against the owner
    far = drop > WORST_TWO_DAYS and (beat.daily_sigmas_to_call or 0) >= FEWEST_SIGMAS and not is_burdened
    headline = "No call in sight." if far else "No call now."
    return Standing(Zone.ROOM, headline, f"Gold can fall {_pct(drop)}, to {call}, before the lender calls.{caveat}")


def _of_options(snapshot: Snapshot) -> str:
    """What the options held change about the sentence, and whether their worth can be believed; empty without any."""
    hedge, loan = snapshot.hedge, snapshot.portfolio.loan
    if hedge is None:
        return ""
    worth = snapshot.hedge_value
    if loan.hedge_counting is not HedgeCounting.IGNORED:
        told = f" Without the options LTV would be {_pct(snapshot.ltv)}."
    elif worth >= 0:
        after = _pct(snapshot.counted(HedgeCounting.AFTER_PAYMENT))
        told = f" The lender does not count the options; sold for {worth:,.0f} USD they would bring LTV to {after}."
    else:
        told = f" The lender does not count the options; closing them would cost {-worth:,.0f} USD."
    if not hedge.doubts:
        return told
    return f"{told} That worth is doubtful: {len(hedge.doubts)} of {len(hedge.marks)} positions have no fresh quote."


def _invented(beat: Beat) -> str:
    return " At an invented price." if beat.status is not None and beat.status.quote.is_demo else ""


def _first_end(snapshot: Snapshot) -> str:
    if snapshot.hedge is None:
        return ""
    first = min(mark.held.contract.expiration for mark in snapshot.hedge.marks)
    return f", the first of them until {first:%-d %b %Y}"


def _pct(fraction: float) -> str:
    return f"{fraction * 100:.1f} %"

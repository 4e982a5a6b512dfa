"""How things stand, in one sentence that a worried person understands."""

from dataclasses import dataclass

from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot, Zone, cure_as_counted, drop_to_price, sigmas_to_price
from vaultdash.services.gold_in_currency import ASSUMED_VOLATILITY
from vaultdash.services.heartbeat import Beat

WORST_TWO_DAYS = 0.139  # GLD closes of 29 January and 2 February 2026: 495.90 and 427.13
FEWEST_SIGMAS = 5.0
PRICE = "price"


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
        missing = "No price." if beat.status is None else "Not known now."
        return Standing(None, missing, f"The loan cannot be valued: {beat.problem}")
    snapshot, loan = beat.snapshot, beat.snapshot.portfolio.loan
    drop = snapshot.drop_to_margin_call
    call = f"{snapshot.portfolio.collateral.instrument.quoted_by} {snapshot.margin_call_price:,.2f}"
    old = doubted(beat)
    if old and old.is_invented:
        return Standing(
            None,
            "Not known now.",
            f"What a dollar costs in {snapshot.rate.currency} is invented (DEMO), as no real rate could be had, and "
            f"by that nothing is judged. You owe {snapshot.owed:,.0f} {snapshot.rate.currency}.",
        )
    of_rate = old is not None and old.thing != PRICE
    by_price = " Judged by an old price." if old and not of_rate else _invented(beat)
    caveat = _owed(snapshot) + _of_options(snapshot) + by_price
    before = f"By {old.words}: " if old and of_rate else ""
    to_repay = cure_as_counted(loan, snapshot.gold_value, snapshot.hedge_value, loan.warning_ltv).repay_cash
    needed = _own(to_repay, snapshot)
    if snapshot.zone is Zone.CLOSE_OUT:
        return Standing(
            Zone.CLOSE_OUT,
            _sentence(f"{before}close-out level reached."),
            f"The lender may sell the gold now: LTV is {_pct(snapshot.lender_ltv)}, the limit "
            f"{_pct(loan.close_out_ltv)}; {needed} repaid brings it down to the warning level of "
            f"{_pct(loan.warning_ltv)}.{caveat}",
        )
    if snapshot.zone is Zone.CALL:
        return Standing(
            Zone.CALL,
            _sentence(f"{before}margin call."),
            f"LTV is {_pct(snapshot.lender_ltv)}, the limit {_pct(loan.margin_call_ltv)}: "
            f"{needed} repaid brings it down to the warning level of {_pct(loan.warning_ltv)}.{caveat}",
        )
    if drop <= 0:  # the options that the lender counts are all that keeps the call away
        kept = (
            f"Gold alone would be called below {call}{_while(snapshot)}; the options held bring LTV to "
            f"{_pct(snapshot.lender_ltv)} as the lender counts them{_first_end(snapshot)}.{caveat}"
        )
        if of_rate:
            return Standing(None, "Not known now.", f"{before}{kept}")
        return Standing(snapshot.zone, "Kept by the options.", kept)
    if snapshot.zone is Zone.WARNING and not of_rate:
        detail = f"{_room(snapshot, 'can', ' more')}{caveat}"
        return Standing(Zone.WARNING, "Close to a call.", detail)
    if old:
        return Standing(
            None,
            "Not known now.",
            f"By {old.last}: {_room(snapshot, 'could', '')} {old.sentence}{_owed(snapshot)}{_of_options(snapshot)}",
        )
    is_burdened = snapshot.hedge_value < 0  # sold options cost more as they go against the owner
    far = drop > WORST_TWO_DAYS and _fewest_sigmas(snapshot, beat.volatility) >= FEWEST_SIGMAS and not is_burdened
    headline = "No call in sight." if far else "No call now."
    return Standing(Zone.ROOM, headline, f"{_room(snapshot, 'can', '')}{caveat}")


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _fewest_sigmas(snapshot: Snapshot, volatility: float) -> float:
    """Daily moves to a call; for a loan in another currency gold and the dollar are taken to fall together."""
    joined = volatility if snapshot.rate.is_dollar else volatility + ASSUMED_VOLATILITY
    return sigmas_to_price(snapshot.price, snapshot.margin_call_price, joined)


def _room(snapshot: Snapshot, may: str, more: str) -> str:
    """How far gold may fall. Where the lender counts options, the nearer price is told first, with what it counts."""
    symbol = snapshot.portfolio.collateral.instrument.quoted_by
    alone, counted = snapshot.margin_call_price, snapshot.counted_call_price

    def fall(at: float) -> str:
        return f"Gold {may} fall {_pct(drop_to_price(snapshot.price, at))}{more}, to {symbol} {at:,.2f}, before"

    if not snapshot.counts_options:
        return f"{fall(alone)} the lender calls{_while(snapshot)}."
    if snapshot.hedge_value < 0:
        return (
            f"{fall(counted)} the lender calls, with the options at today's value; they can cost more as gold moves. "
            f"Without them it would call at {alone:,.2f}{_while(snapshot)}."
        )
    last = f"at {counted:,.2f}" if counted > 0 else "at no price"
    return (
        f"{fall(alone)} the lender calls, without the options; with them at today's value it calls "
        f"{last}{_while(snapshot)}."
    )


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is too old to be believed, or invented beside what is real: the price, or the rate with its age."""

    thing: str
    is_invented: bool = False
    age: str = ""

    @property
    def words(self) -> str:
        """`an old price`; `an exchange rate 2 hours old` where the age is known."""
        if self.is_invented or not self.age:
            return f"an {'invented' if self.is_invented else 'old'} {self.thing}"
        return f"an {self.thing} {self.age} old"

    @property
    def last(self) -> str:
        """`the last price`."""
        if self.is_invented:
            return self.words
        return f"the last {self.thing}{f', {self.age} old' if self.age else ''}"

    @property
    def sentence(self) -> str:
        """`That price is old.`"""
        return f"That {self.thing} is {'invented' if self.is_invented else 'old'}."


def doubted(beat: Beat) -> Doubt | None:
    """What a stale beat must not be believed for: an invented rate, else an old price of gold, else an old rate."""
    if beat.status is None or not beat.status.is_stale:
        return None
    gold = beat.statuses.get(beat.status.quote.symbol, beat.status)
    if beat.snapshot is None or beat.snapshot.rate.is_dollar:
        return Doubt(PRICE)
    rate = beat.snapshot.rate
    if rate.is_demo and not gold.quote.is_demo:
        return Doubt("exchange rate", is_invented=True)
    if gold.is_stale:
        return Doubt(PRICE)
    known = beat.statuses.get(PAIRS[rate.currency])
    return Doubt("exchange rate", age="" if known is None else known.age_words)


def _own(dollars: float, snapshot: Snapshot) -> str:
    """An amount that is owed or repaid, in the loan's currency first."""
    rate = snapshot.rate
    told = f"{dollars:,.0f} USD"
    return told if rate.is_dollar else f"{rate.own(dollars):,.0f} {rate.currency} ({told})"


def _while(snapshot: Snapshot) -> str:
    """A price at a limit holds at one exchange rate only."""
    rate = snapshot.rate
    return "" if rate.is_dollar else f", while a dollar costs {rate.per_dollar:.4f} {rate.currency}"


def _owed(snapshot: Snapshot) -> str:
    """What is owed, where it must be exchanged to be compared with gold."""
    return "" if snapshot.rate.is_dollar else f" You owe {_own(snapshot.portfolio.loan.amount, snapshot)}."


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

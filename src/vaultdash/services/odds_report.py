"""The odds of a call on a snapshot: closed forms over drifts, simulations beside them, and the range of all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vaultdash.domain.loan import Interest
from vaultdash.domain.option import DollarRate
from vaultdash.domain.portfolio import TRADING_DAYS, Cure, Snapshot, cure, sigmas_to_price
from vaultdash.risk.margin_call import (
    TimeToCall,
    call_probability,
    ltv_for_probability,
    time_to_call,
)
from vaultdash.services.gold_in_currency import gold_words
from vaultdash.services.odds_volatility import HORIZONS, VolatilityChoice

CLOSED_FORM = "closed form"
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MONTH_SESSIONS, YEAR_SESSIONS = 21, 252


@dataclass(frozen=True, slots=True)
class Drift:
    """A yearly drift of gold in the loan's currency, continuous, with why it is looked at; nobody can estimate it."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ModelOdds:
    """One model at one drift: probability of a call by horizon in months, with standard errors when simulated.

    A simulation says the price it was made for, which may be a little away from the price now, its seed, what its
    parameters stand on, and `gap`: the share of calls after which the sale comes before the days to cure are over.
    """

    model: str
    drift: Drift
    by_months: Mapping[int, float]
    errors: Mapping[int, float] | None = None
    price: float | None = None
    at: datetime | None = None
    seed: int | None = None
    paths: int | None = None
    gap: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Odds:
    """What is known of a call on `snapshot`'s loan.

    `volatility` is the one used, one of `volatilities`. `loan_rate` is at which the loan and its call price grow,
    zero when interest is paid in cash. `closed` holds the closed form a drift, watched at each close. `simulated` are
    the models that have been simulated near this price; until then it is empty. Options are not counted: a lender who
    counts them calls later. `gap` is the chance that the close-out price is reached within the days to cure, from the
    call price on, or from the price now when that is below it.
    """

    snapshot: Snapshot
    at: datetime
    volatility: VolatilityChoice
    volatilities: tuple[VolatilityChoice, ...]
    drifts: tuple[Drift, ...]
    rate: DollarRate
    loan_rate: float
    closed: tuple[ModelOdds, ...]
    simulated: tuple[ModelOdds, ...]
    time: TimeToCall
    gap: float

    @property
    def is_called(self) -> bool:
        """True when the lender may call now, as it counts options."""
        return self.snapshot.is_called

    @property
    def needs_options(self) -> bool:
        """True when only options that the lender counts keep a call away: every probability is 1, without them."""
        return not self.is_called and self.snapshot.price <= self.snapshot.margin_call_price

    @property
    def passed(self) -> str:
        """The limit that the price has passed, `call` or `close-out`; empty words above both, options not counted."""
        if self.snapshot.price <= self.snapshot.close_out_price:
            return "close-out"
        return "call" if self.snapshot.price <= self.snapshot.margin_call_price else ""

    @property
    def models(self) -> tuple[ModelOdds, ...]:
        """Everything that speaks for the range."""
        return (*self.closed, *self.simulated)

    @property
    def gaps(self) -> tuple[float, ...]:
        """The closed form's chance of a sale before a call can be cured, and those of the simulations."""
        return (self.gap, *(model.gap for model in self.simulated if model.gap is not None))

    @property
    def central(self) -> ModelOdds:
        """The closed form without drift, to which everything is compared."""
        return self.closed[0]

    def span(self, months: int) -> tuple[float, float]:
        """Lowest and highest probability over all models and drifts."""
        found = [model.by_months[months] for model in self.models]
        return min(found), max(found)

    def by_volatility(self, months: int = 12) -> tuple[tuple[VolatilityChoice, float], ...]:
        """The closed form without drift at each volatility that could be used."""
        return tuple(
            (choice, closed_form(self.snapshot, choice, 0.0, self.loan_rate)[months]) for choice in self.volatilities
        )

    def sigmas(self) -> tuple[tuple[str, float], ...]:
        """ln(S/H) in standard deviations of a day, a month and a year; negative, of no use, below the call."""
        snapshot = self.snapshot
        spans = (("day", 1, 1 / 12), ("month", MONTH_SESSIONS, 1 / 12), ("year", YEAR_SESSIONS, 1.0))
        return tuple(
            (
                name,
                sigmas_to_price(
                    snapshot.price, snapshot.margin_call_price, self.volatility.at_years(years), float(sessions)
                ),
            )
            for name, sessions, years in spans
        )


@dataclass(frozen=True, slots=True)
class LowerOdds:
    """The loan at which a call within `months` has the wanted probability, and the three ways from here to there.

    `ltv` is that of the drift; the ways are nothing when the loan is already at or below it.
    """

    probability: float
    months: int
    drift: Drift
    ltv: float
    loan: float
    ways: Cure


def reckon(
    snapshot: Snapshot,
    at: datetime,
    volatilities: Sequence[VolatilityChoice],
    chosen: VolatilityChoice,
    rate: DollarRate,
    view: float | None,
) -> Odds:
    """All closed forms of a snapshot; `view` is the owner's own drift, continuous a year."""
    loan, call = snapshot.portfolio.loan, snapshot.margin_call_price
    accrual = accrual_rate(loan.interest)
    drifts = drifts_of(rate, view, gold_words(snapshot.rate))
    closed = tuple(
        ModelOdds(CLOSED_FORM, drift, closed_form(snapshot, chosen, drift.value, accrual)) for drift in drifts
    )
    yearly = chosen.yearly
    return Odds(
        snapshot=snapshot,
        at=at,
        volatility=chosen,
        volatilities=tuple(volatilities),
        drifts=drifts,
        rate=rate,
        loan_rate=accrual,
        closed=closed,
        simulated=(),
        time=time_to_call(snapshot.price, call, yearly, 0.0, accrual, "daily"),
        gap=call_probability(
            min(snapshot.price, call), snapshot.close_out_price, loan.cure_days / TRADING_DAYS, chosen.by_months[1]
        ),
    )


def drifts_of(rate: DollarRate, view: float | None, gold: str = "gold") -> tuple[Drift, ...]:
    """None, the dollar rate, minus the dollar rate, and the owner's own when given; `gold` says in which currency."""
    found = [Drift("no drift", 0.0)]
    if rate.value:
        found += [Drift(f"{gold} rises as dollars earn", rate.value), Drift(f"{gold} falls as much", -rate.value)]
    if view is not None:
        found.append(Drift("your own view", view))
    return tuple(found)


def closed_form(snapshot: Snapshot, volatility: VolatilityChoice, drift: float, loan_rate: float) -> dict[int, float]:
    """By months: a call seen at a close, gold a geometric Brownian motion (domain notes, section 6)."""
    return {
        months: call_probability(
            snapshot.price,
            snapshot.margin_call_price,
            months / 12,
            volatility.by_months[months],
            drift,
            loan_rate,
            "daily",
        )
        for months in HORIZONS
    }


def accrual_rate(interest: Interest) -> float:
    """The continuous yearly rate at which the loan grows, compounded quarterly; zero when paid in cash."""
    return 4.0 * math.log1p(interest.accrued(1.0, 365) / 4.0) if interest.capitalised else 0.0


def lower_odds(odds: Odds, probability: float, months: int) -> tuple[LowerOdds, ...]:
    """The reverse, a row a drift: the LTV for a wanted probability, and how to come there."""
    snapshot = odds.snapshot
    loan = snapshot.portfolio.loan
    found = []
    for drift in odds.drifts:
        ltv = ltv_for_probability(
            probability,
            months / 12,
            odds.volatility.at_years(months / 12),
            loan.margin_call_ltv,
            drift.value,
            odds.loan_rate,
            "daily",
        )
        ways = cure(loan.amount, snapshot.gold_value, ltv) if 0 < ltv < 1 else Cure(loan.amount, math.inf, math.inf)
        found.append(LowerOdds(probability, months, drift, ltv, ltv * snapshot.gold_value, ways))
    return tuple(found)


def chances(probability: float) -> str:
    """A probability in words: `about one in 12`, `about seven in ten`; never more exact than the model."""
    if probability >= 0.995:
        return "all but certain"
    if probability >= 0.95:
        return "more than nine in ten"
    if probability >= 0.55:
        return f"about {NUMBERS[round(probability * 10)]} in ten"
    if probability < 0.0005:
        return "less than one in 2,000"
    count = _rounded(1.0 / probability)
    return f"about one in {NUMBERS[count] if count < len(NUMBERS) else f'{count:,}'}"


def _rounded(count: float) -> int:
    """Two figures are enough."""
    if count < 20:
        return max(round(count), 1)
    digits = 10.0 ** (math.floor(math.log10(count)) - 1)
    return round(round(count / digits) * digits)

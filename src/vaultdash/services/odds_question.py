"""A question about the odds of a call in numbers of one's own; what is not said is the current portfolio's."""

from dataclasses import dataclass, replace

from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.loan import Loan
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.validation import finite, not_negative, positive
from vaultdash.risk.margin_call import Monitoring, TimeToCall, call_probability, gap_risk, time_to_call
from vaultdash.services.call_odds import CallOdds
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_report import Odds
from vaultdash.services.odds_volatility import HORIZONS

LARGEST_RATE = 10.0
MOST_VOLATILITY = 10.0
MOST_YEARS = 1000.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is given; None is taken from the portfolio, or is usual."""

    spot: float | None = None
    call_price: float | None = None
    years: float | None = None
    volatility: float | None = None
    drift: float | None = None
    loan_rate: float | None = None
    monitoring: Monitoring | None = None

    def __post_init__(self) -> None:
        for name in ("spot", "call_price"):
            value = getattr(self, name)
            if value is not None:
                positive(name, value)
        for name, most in (("years", MOST_YEARS), ("volatility", MOST_VOLATILITY)):
            value = getattr(self, name)
            if value is not None and not_negative(name, value) > most:
                raise InvalidInput(name, f"must be at most {most:g}, not {value:g}")
        for name in ("drift", "loan_rate"):
            value = getattr(self, name)
            if value is not None and abs(finite(name, value)) > LARGEST_RATE:
                raise InvalidInput(name, f"must be between -{LARGEST_RATE:g} and {LARGEST_RATE:g} a year")

    @property
    def is_about_the_portfolio(self) -> bool:
        """True when nothing is given."""
        return self == Question()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every number the closed form was asked with."""

    spot: float
    call_price: float
    years: float
    volatility: float
    drift: float
    loan_rate: float
    monitoring: Monitoring

    def probability(self) -> float:
        """The closed form."""
        return call_probability(
            self.spot, self.call_price, self.years, self.volatility, self.drift, self.loan_rate, self.monitoring
        )


@dataclass(frozen=True, slots=True)
class Horizon:
    """The closed form at a horizon, and the range over drifts and models."""

    months: int
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The closed form asked for with its range over drifts, and simulated models where the portfolio is meant.

    `assumed` says of each parameter that was not given where it comes from. `gap` is the chance that a close-out
    follows a call within the days to cure, with the current loan's limits. `odds` is there when the question is about
    the portfolio alone.
    """

    probability: float
    parameters: Parameters
    assumed: dict[str, str]
    low: float
    high: float
    horizons: tuple[Horizon, ...]
    time: TimeToCall
    gap: float
    odds: Odds | None


async def reply(odds: CallOdds, beat: Beat | None, loan: Loan, question: Question) -> Reply:
    """Answer at once; raises Unavailable when a price is needed and none is known yet, and InvalidInput."""
    known: Odds | None = None
    if beat is not None and beat.snapshot is not None:
        known = await odds.look(beat, beat.snapshot)
    if question.is_about_the_portfolio:
        return of_portfolio(_needed(known))
    parameters, assumed = _parameters(question, known)
    drifts = {parameters.drift, *([0.0] if known is None else [drift.value for drift in known.drifts])}
    around = [replace(parameters, drift=drift) for drift in drifts]
    found = [each.probability() for each in around]
    horizons = []
    for months in HORIZONS:
        at = [replace(each, years=months / 12).probability() for each in around]
        own = replace(parameters, years=months / 12).probability()
        horizons.append(Horizon(months, own, min(at), max(at)))
    return Reply(
        probability=parameters.probability(),
        parameters=parameters,
        assumed=assumed,
        low=min(found),
        high=max(found),
        horizons=tuple(horizons),
        time=time_to_call(
            parameters.spot,
            parameters.call_price,
            parameters.volatility,
            parameters.drift,
            parameters.loan_rate,
            parameters.monitoring,
            parameters.years,
        ),
        gap=gap_risk(loan.margin_call_ltv, loan.close_out_ltv, loan.cure_days, parameters.volatility),
        odds=None,
    )


def of_portfolio(odds: Odds) -> Reply:
    """The odds of the portfolio as a reply."""
    low, high = odds.span(12)
    snapshot, chosen = odds.snapshot, odds.volatility
    horizons = tuple(Horizon(months, odds.central.by_months[months], *odds.span(months)) for months in HORIZONS)
    parameters = Parameters(
        snapshot.price, snapshot.margin_call_price, 1.0, chosen.yearly, 0.0, odds.loan_rate, "daily"
    )
    return Reply(
        probability=odds.central.by_months[12],
        parameters=parameters,
        assumed={
            "spot": _price_words(snapshot),
            "call_price": _call_words(snapshot),
            "years": "one year",
            "volatility": f"{chosen.name}: {chosen.source}",
            "drift": "none; the range shows others",
            "loan_rate": _rate_words(odds.loan_rate),
            "monitoring": "a call is seen at a close",
        },
        low=low,
        high=high,
        horizons=horizons,
        time=odds.time,
        gap=odds.gap,
        odds=odds,
    )


def _parameters(question: Question, known: Odds | None) -> tuple[Parameters, dict[str, str]]:
    assumed: dict[str, str] = {}
    years = 1.0 if question.years is None else question.years
    if question.years is None:
        assumed["years"] = "one year"
    spot, call, volatility, rate = question.spot, question.call_price, question.volatility, question.loan_rate
    of_the_loan = spot is None or call is None
    if spot is None:
        spot = _needed(known).snapshot.price
        assumed["spot"] = _price_words(_needed(known).snapshot)
    if call is None:
        call = _needed(known).snapshot.margin_call_price
        assumed["call_price"] = _call_words(_needed(known).snapshot)
    if volatility is None:
        chosen = _needed(known).volatility
        volatility = chosen.at_years(years)
        assumed["volatility"] = f"{chosen.name}: {chosen.source}"
    if rate is None:
        rate = _needed(known).loan_rate if of_the_loan else 0.0
        assumed["loan_rate"] = _rate_words(rate) if of_the_loan else "none"
    if question.drift is None:
        assumed["drift"] = "none; the range shows others"
    if question.monitoring is None:
        assumed["monitoring"] = "every moment is watched"
    drift = 0.0 if question.drift is None else question.drift
    return Parameters(spot, call, years, volatility, drift, rate, question.monitoring or "continuous"), assumed


def _needed(known: Odds | None) -> Odds:
    if known is None:
        raise Unavailable(
            "There is no price yet: ask again in a few seconds, or give spot, call_price and volatility yourself"
        )
    return known


def _price_words(snapshot: Snapshot) -> str:
    return f"the latest price of {snapshot.portfolio.collateral.quoted_by}"


def _call_words(snapshot: Snapshot) -> str:
    rate = snapshot.rate
    held = "" if rate.is_dollar else f", in USD while a dollar costs {rate.per_dollar:.4f} {rate.currency}"
    return f"the margin-call price of {snapshot.portfolio.name}{held}"


def _rate_words(rate: float) -> str:
    return "interest is added to the loan" if rate else "interest is paid in cash"

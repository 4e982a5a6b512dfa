"""The endpoints of risk: how likely a call is, what falls and harsher lenders do, and past selloffs replayed."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from vaultdash.api.answers import Judge
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS
from vaultdash.api.respond import respond
from vaultdash.api.risk_answers import probability_answer, selloffs_answer, stress_answer
from vaultdash.api.risk_schemas import CallProbabilityAnswer, SelloffsAnswer, StressAnswer
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.heartbeat import Beat
from vaultdash.services.odds_question import LARGEST_RATE, MOST_VOLATILITY, MOST_YEARS, Question, reply
from vaultdash.services.odds_report import lower_odds
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault

LARGEST_PRICE = 1e15  # USD; no price of anything
USUAL_WANTED = 0.05
Price = Annotated[float | None, Query(gt=0, le=LARGEST_PRICE, allow_inf_nan=False)]
Rate = Annotated[float | None, Query(ge=-LARGEST_RATE, le=LARGEST_RATE, allow_inf_nan=False)]
Fraction = Annotated[float | None, Query(gt=0, lt=1, allow_inf_nan=False)]


def risk_router(vault: Vault) -> Endpoints:
    """All endpoints under /api/risk."""
    router = Endpoints(prefix="/api/risk", tags=["risk"])

    @router.get("/call-probability", responses={200: {"model": CallProbabilityAnswer}, **ERRORS})
    async def call_probability(
        request: Request,
        spot: Annotated[Price, Query(description="USD a share; default the latest price")] = None,
        call_price: Annotated[Price, Query(description="USD a share; default the current loan's")] = None,
        years: Annotated[
            float | None,
            Query(ge=0, le=MOST_YEARS, allow_inf_nan=False, description="horizon; default one year"),
        ] = None,
        volatility: Annotated[
            float | None,
            Query(
                ge=0,
                le=MOST_VOLATILITY,
                allow_inf_nan=False,
                description="fraction, per square root of a year; default the best that is known",
            ),
        ] = None,
        drift: Annotated[Rate, Query(description="of the price, continuous a year; default 0")] = None,
        loan_rate: Annotated[
            Rate,
            Query(
                description="at which the loan grows, continuous a year; default the current loan's where its price "
                "or call price is used, else 0"
            ),
        ] = None,
        monitoring: Annotated[
            Literal["continuous", "daily"] | None,
            Query(
                description="whether every moment is watched or every close; default continuous, or daily for the "
                "current portfolio"
            ),
        ] = None,
        wanted: Annotated[
            Fraction, Query(description="without other parameters: the LTV for this probability; default 0.05")
        ] = None,
    ) -> Response:
        """The closed form of these numbers with its range; without parameters the odds of the current portfolio."""
        beat = vault.heartbeat.current()
        question = Question(spot, call_price, years, volatility, drift, loan_rate, monitoring)
        said = await reply(vault.odds, beat, vault.book.current.loan, question)
        lower = () if said.odds is None else lower_odds(said.odds, wanted or USUAL_WANTED, 12)
        status, judge = (beat.gold_status, beat.statuses.get) if beat is not None else (None, vault.known_status)
        return respond(request, probability_answer(said, status, vault.now(), lower, judge))

    @router.get("/stress", responses={200: {"model": StressAnswer}, **ERRORS})
    async def stress(request: Request) -> Response:
        """The current loan when gold falls 5 to 40 %, held options re-marked, and under harsher terms."""
        snapshot, status, judge = _now(vault.heartbeat.current())
        report = await vault.stress.table(snapshot, invented=status.quote.is_demo)
        return respond(request, stress_answer(report, status, judge))

    @router.get("/selloffs", responses={200: {"model": SelloffsAnswer}, **ERRORS})
    async def selloffs(
        request: Request,
        start: Annotated[date | None, Query(description="YYYY-MM-DD: own days instead of the named falls")] = None,
        end: Annotated[date | None, Query(description="YYYY-MM-DD, last day of the fall")] = None,
        ltv: Annotated[
            Fraction, Query(description="draw a loan of this LTV at each start, at the prices of the time")
        ] = None,
    ) -> Response:
        """Past falls of gold on today's loan at today's price, or with `ltv` on a loan drawn at each peak."""
        snapshot, _, judge = _now(vault.heartbeat.current())
        if start is None and end is None:
            report = await vault.selloffs.named(snapshot, ltv)
        else:
            report = await vault.selloffs.between(snapshot, start, end, ltv)
        return respond(request, selloffs_answer(report, judge))

    return router


def _now(beat: Beat | None) -> tuple[Snapshot, QuoteStatus, Judge]:
    if beat is None or beat.snapshot is None or beat.gold_status is None:
        reason = "" if beat is None or beat.problem is None else f": {beat.problem}"
        raise Unavailable(f"There is no price yet{reason}; ask again in a few seconds")
    return beat.snapshot, beat.gold_status, beat.statuses.get

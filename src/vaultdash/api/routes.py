"""The endpoints: parse, ask the Vault, answer."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request, Response

from vaultdash.api.alert_routes import alert_router
from vaultdash.api.answers import (
    Judge,
    history_answer,
    portfolio_state,
    quote_answer,
    strategies_answer,
)
from vaultdash.api.backtest_routes import backtest_router
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.event_routes import event_router
from vaultdash.api.hedge_routes import hedge_router
from vaultdash.api.ltv_routes import ltv_router
from vaultdash.api.option_routes import option_router
from vaultdash.api.parameters import ERRORS, Symbol, named
from vaultdash.api.portfolio_routes import portfolio_router
from vaultdash.api.push_routes import push_router
from vaultdash.api.respond import Encoded, Remembered, respond
from vaultdash.api.risk_routes import risk_router
from vaultdash.api.schemas import (
    ErrorAnswer,
    HealthAnswer,
    HistoryAnswer,
    PortfolioAnswer,
    StrategiesAnswer,
)
from vaultdash.api.sweep_routes import sweep_router
from vaultdash.api.template_routes import template_router
from vaultdash.api.what_if_routes import what_if_router
from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.market import PriceHistory
from vaultdash.domain.portfolio import mark
from vaultdash.services.hedge_advisor import Research
from vaultdash.services.vault import Vault

LARGEST_SIZE = 1e15  # USD; far beyond any loan
Size = Annotated[float | None, Query(gt=0, le=LARGEST_SIZE, allow_inf_nan=False)]


def api_router(vault: Vault) -> Endpoints:
    """All endpoints under /api, and /health."""

    router = Endpoints()
    router.take(option_router(vault))
    router.take(portfolio_router(vault))
    router.take(ltv_router(vault))
    router.take(push_router(vault))
    router.take(alert_router(vault))
    router.take(risk_router(vault))
    router.take(backtest_router(vault))
    router.take(event_router(vault))
    router.take(sweep_router(vault))
    router.take(template_router(vault))
    router.take(hedge_router(vault))
    router.take(what_if_router(vault))
    whole_histories = Remembered[PriceHistory, Encoded]()  # thousands of days, which change once a day

    @router.get(
        "/health",
        responses={200: {"model": HealthAnswer}, 422: {"model": ErrorAnswer}, 503: {"model": HealthAnswer}},
        tags=["house"],
    )
    async def health(request: Request) -> Response:
        """How the house is; 503 with names when it is not ready."""
        state = await vault.health()
        answer = HealthAnswer(**{name: getattr(state, name) for name in HealthAnswer.__dataclass_fields__})
        return respond(request, answer, 503 if state.not_ready else 200)

    @router.get("/api/portfolio", responses={200: {"model": PortfolioAnswer}, **ERRORS}, tags=["loan"])
    async def portfolio(request: Request, symbol: Symbol = None) -> Response:
        """The loan at the latest quote."""
        return respond(request, await _portfolio(vault, named(vault, symbol)))

    @router.get("/api/strategies", responses={200: {"model": StrategiesAnswer}, **ERRORS}, tags=["hedge"])
    async def strategies(
        request: Request,
        symbol: Symbol = None,
        spot: Annotated[Size, Query(description="USD a share; default the latest quote")] = None,
        volatility: Annotated[float | None, Query(description="fraction a year; default 0.16")] = None,
        risk_free_rate: Annotated[float | None, Query(description="fraction, continuous; default 0.045")] = None,
        portfolio_value: Annotated[Size, Query(description="USD; rescales the units")] = None,
        loan_amount: Annotated[Size, Query(description="USD")] = None,
        margin_call_ltv: Annotated[float | None, Query(description="fraction; default the loan's")] = None,
        months: Annotated[int | None, Query(description="tenor; default 12")] = None,
        exercise: Annotated[Exercise | None, Query(description="default european")] = None,
        price_changes: Annotated[str | None, Query(description="scenario grid: fractions with commas")] = None,
    ) -> Response:
        """The six hedges and your own templates compared, with a recommendation for each risk profile."""
        research = Research(
            symbol=named(vault, symbol),
            spot=spot,
            volatility=volatility,
            risk_free_rate=risk_free_rate,
            portfolio_value=portfolio_value,
            loan_amount=loan_amount,
            margin_call_ltv=margin_call_ltv,
            months=months,
            exercise=exercise,
            price_changes=parse_changes(price_changes),
        )
        status = await vault.quote_status(named(vault, symbol)) if spot is None else None
        advice = await vault.advisor.advise(research, status)
        return respond(request, strategies_answer(advice, vault.known_status))

    @router.get("/api/history", responses={200: {"model": HistoryAnswer}, **ERRORS}, tags=["market"])
    async def history(
        request: Request,
        symbol: Symbol = None,
        days: Annotated[int, Query(ge=1, le=20_000, description="calendar days back from today")] = 90,
    ) -> Response:
        """Daily prices: what is stored, else the provider's, else the demo market's."""
        start = vault.now().astimezone(NEW_YORK).date() - timedelta(days=days)
        whole = await vault.history.load(named(vault, symbol))
        found = whole.between(start, None)
        return respond(
            request,
            whole_histories.of(whole, lambda all_days: Encoded.of(history_answer(all_days)))
            if found is whole
            else history_answer(found),
        )

    return router


async def _portfolio(vault: Vault, symbol: str) -> PortfolioAnswer:
    book = vault.book
    status = await vault.quote_status(symbol)
    await book.rates.learn(book.current.loan.currency)
    on = status.quote.at.astimezone(NEW_YORK).date()
    portfolio, own = book.priced_by(symbol, status.quote.price, on)
    beat = vault.heartbeat.current() if own else None
    known = beat.snapshots.get(portfolio.id) if beat is not None and beat.status is not None else None
    judge: Judge = vault.known_status
    if known is not None and beat is not None and known.price == status.quote.price:
        judge = beat.statuses.get
    else:
        known = None
    if known is None and own:
        hedge = vault.held.mark(portfolio, status.quote, vault.now())
        known = book.mark(book.current, status.quote.price, on, hedge)
    rate = book.rates.of(book.current.loan.currency)
    return PortfolioAnswer(
        symbol=symbol,
        as_of=vault.now(),
        own=own,
        quote=quote_answer(status),
        portfolio=portfolio_state(known or mark(portfolio, status.quote.price, on, rate=rate), judge),
        volatility=beat.volatility if beat else None,
        volatility_source=beat.volatility_source if beat else None,
        daily_sigmas_to_call=beat.daily_sigmas_to_call if beat else None,
    )


def parse_changes(text: str | None) -> tuple[float, ...] | None:
    """A scenario grid from `-0.2,-0.1,0`: 1 to 200 fractions above -1 and up to 10."""
    if text is None:
        return None
    try:
        changes = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput("price_changes", "must be fractions with commas, such as -0.2,-0.1,0") from None
    if len(changes) > 200 or not all(-1 < change <= 10 for change in changes):
        raise InvalidInput("price_changes", "must be at most 200 fractions above -1 and up to 10")
    return tuple(sorted(set(changes)))

"""The endpoints of the owner's portfolios: kept, changed, brought back, cured."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import Body, Path, Query, Request, Response

from vaultdash.api.answers import Judge, portfolio_state, quote_answer, rate_answer
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING, IfMatch, told_version
from vaultdash.api.portfolio_answers import (
    change_answer,
    cure_answer,
    document,
    option_document,
    option_of_entry,
    portfolio_of_entry,
)
from vaultdash.api.portfolio_schemas import (
    REOPENING,
    TOLD_OF_OPTIONS,
    TOLD_OF_PORTFOLIOS,
    ChangesAnswer,
    CureAnswer,
    ImportAnswer,
    OptionEntry,
    PortfolioDocument,
    PortfolioEntry,
    PortfolioLine,
    PortfoliosAnswer,
    RejectedRow,
    UndoAnswer,
    UndoEntry,
)
from vaultdash.api.respond import respond, written
from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import InvalidInput, NotFound, Unavailable
from vaultdash.domain.portfolio import USUAL_NAME, Portfolio, Snapshot
from vaultdash.domain.position import HeldOption
from vaultdash.services.position_csv import csv_text, read_positions, rejection_words
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault

ACTOR = "api"
LARGEST_PRICE = 1e9
PortfolioId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$", description="id of a portfolio")]
OptionId = Annotated[str, Path(min_length=1, max_length=64, description="id of a position")]
Entry = Annotated[PortfolioEntry, TOLD_OF_PORTFOLIOS, Body()]
Position = Annotated[OptionEntry, TOLD_OF_OPTIONS, REOPENING, Body()]
CSV_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


def portfolio_router(vault: Vault) -> Endpoints:
    """Everything below /api/portfolios."""
    router = Endpoints(tags=["portfolios"])
    book = vault.book

    def today() -> date:
        return vault.now().astimezone(NEW_YORK).date()

    def told(portfolio_id: str) -> PortfolioDocument:
        return document(book.stored(portfolio_id), book, vault.now())

    @router.get("/api/portfolios", responses={200: {"model": PortfoliosAnswer}, **ERRORS})
    async def portfolios(request: Request) -> Response:
        """All portfolios with how they stand."""
        lines = tuple(_line(vault, each.id) for each in book.all)
        return respond(request, PortfoliosAnswer(book.current.id, vault.now(), book.settings_remark, lines))

    @router.post("/api/portfolios", status_code=201, responses={201: {"model": PortfolioDocument}, **WRITING})
    async def add_portfolio(entry: Entry) -> Response:
        """Make a portfolio; its id is made of its name, and a name is given where none is."""
        name = USUAL_NAME if entry.name is None else entry.name
        portfolio = portfolio_of_entry(replace(entry, name=name), await book.free_id(name), None, today())
        stored = await book.add(portfolio, ACTOR, is_named=entry.name is not None)
        return written(told(stored.portfolio.id), 201, {"Location": f"/api/portfolios/{stored.portfolio.id}"})

    @router.get("/api/portfolios/{portfolio_id}", responses={200: {"model": PortfolioDocument}, **ERRORS})
    async def read_portfolio(request: Request, portfolio_id: PortfolioId) -> Response:
        """One as it is kept, with its version."""
        return respond(request, told(portfolio_id))

    @router.put("/api/portfolios/{portfolio_id}", responses={200: {"model": PortfolioDocument}, **WRITING})
    async def change_portfolio(portfolio_id: PortfolioId, entry: Entry, if_match: IfMatch = None) -> Response:
        """Change what is given; the rest stays."""
        version = told_version(if_match, entry.expected_version, entry.version)
        await book.change(
            portfolio_id,
            lambda kept: portfolio_of_entry(entry, portfolio_id, kept, today()),
            ACTOR,
            expected_version=version,
        )
        return written(told(portfolio_id))

    @router.delete("/api/portfolios/{portfolio_id}", status_code=204, responses={204: {}, **WRITING})
    async def remove_portfolio(portfolio_id: PortfolioId, if_match: IfMatch = None) -> Response:
        """Take one out; its history stays, and the removal can be undone. The last one is refused."""
        await book.remove(portfolio_id, ACTOR, expected_version=told_version(if_match))
        return Response(status_code=204)

    @router.get("/api/portfolios/{portfolio_id}/changes", responses={200: {"model": ChangesAnswer}, **ERRORS})
    async def portfolio_changes(
        request: Request, portfolio_id: PortfolioId, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        """Its audit trail, newest first; of a removed one, too."""
        found = await book.changes(portfolio_id, limit)
        if not found:
            book.stored(portfolio_id)
        return respond(request, ChangesAnswer(portfolio_id, tuple(change_answer(change) for change in found)))

    @router.post("/api/portfolios/{portfolio_id}/undo", responses={200: {"model": UndoAnswer}, **WRITING})
    async def undo_change(portfolio_id: PortfolioId, entry: Annotated[UndoEntry, Body()]) -> Response:
        """Bring back what was before a change, as a new change; an older one only with `expected_version`."""
        known = await book.changes(portfolio_id, 1_000_000)
        if entry.change_id not in {change.id for change in known}:
            raise NotFound(f"There is no change {entry.change_id} of the portfolio {portfolio_id!r}")
        back, made = await book.undo(entry.change_id, ACTOR, expected_version=entry.expected_version)
        shown = None if back is None else document(back, book, vault.now())
        return written(UndoAnswer(shown, made.id, made.what))

    @router.post("/api/portfolios/{portfolio_id}/current", responses={200: {"model": PortfolioDocument}, **WRITING})
    async def choose_portfolio(portfolio_id: PortfolioId) -> Response:
        """Make it the one that pages, commands and `/api/portfolio` speak of."""
        await book.choose(portfolio_id)
        return written(told(portfolio_id))

    @router.get("/api/portfolios/{portfolio_id}/cure", responses={200: {"model": CureAnswer}, **ERRORS})
    async def cure_portfolio(
        request: Request,
        portfolio_id: PortfolioId,
        price: Annotated[
            float | None,
            Query(gt=0, le=LARGEST_PRICE, allow_inf_nan=False, description="USD a share; default the latest quote"),
        ] = None,
        target: Annotated[float | None, Query(description="LTV to be reached; default the portfolio's")] = None,
        drop: Annotated[float | None, Query(description="a fall, as a fraction, for the largest loan")] = None,
    ) -> Response:
        """What repays, adds or sells enough at a price; the largest loan that survives a fall; the cost a year."""
        portfolio = book.stored(portfolio_id).portfolio
        snapshot, quote, judge = await _snapshot(vault, portfolio, price)
        wanted = portfolio.target_ltv if target is None else target
        rate = rate_answer(snapshot.rate, judge)
        return respond(request, cure_answer(snapshot, quote_answer(quote) if quote else None, rate, wanted, drop))

    @router.post(
        "/api/portfolios/{portfolio_id}/options",
        status_code=201,
        responses={201: {"model": PortfolioDocument}, **WRITING},
    )
    async def add_option(portfolio_id: PortfolioId, entry: Position, if_match: IfMatch = None) -> Response:
        """Enter a position."""
        if entry.id is not None:
            raise InvalidInput("id", "is given by the server; leave it out")
        option = option_of_entry(entry, None)
        await book.change(
            portfolio_id, _with_options(lambda held: (*held, option)), ACTOR, expected_version=told_version(if_match)
        )
        where = f"/api/portfolios/{portfolio_id}/options/{option.id}"
        return written(told(portfolio_id), 201, {"Location": where})

    @router.put(
        "/api/portfolios/{portfolio_id}/options/{option_id}", responses={200: {"model": PortfolioDocument}, **WRITING}
    )
    async def change_option(
        portfolio_id: PortfolioId, option_id: OptionId, entry: Position, if_match: IfMatch = None
    ) -> Response:
        """Change or close a position: what is given changes, `closed_on` with `closed_price` closes it, null for both
        opens it again.
        """
        if entry.id not in (None, option_id):
            raise InvalidInput("id", "is another position's")

        def edit(held: tuple[HeldOption, ...]) -> tuple[HeldOption, ...]:
            _require(held, option_id)
            return tuple(option_of_entry(entry, option) if option.id == option_id else option for option in held)

        await book.change(portfolio_id, _with_options(edit), ACTOR, expected_version=told_version(if_match))
        return written(told(portfolio_id))

    @router.delete(
        "/api/portfolios/{portfolio_id}/options/{option_id}", responses={200: {"model": PortfolioDocument}, **WRITING}
    )
    async def remove_option(portfolio_id: PortfolioId, option_id: OptionId, if_match: IfMatch = None) -> Response:
        """Take a position out that was entered by mistake; one that was sold is closed instead."""

        def edit(held: tuple[HeldOption, ...]) -> tuple[HeldOption, ...]:
            _require(held, option_id)
            return tuple(option for option in held if option.id != option_id)

        await book.change(portfolio_id, _with_options(edit), ACTOR, expected_version=told_version(if_match))
        return written(told(portfolio_id))

    @router.post(
        "/api/portfolios/{portfolio_id}/options/import",
        responses={200: {"model": ImportAnswer}, **WRITING},
        openapi_extra=CSV_BODY,
    )
    async def import_options(
        request: Request,
        portfolio_id: PortfolioId,
        partial: Annotated[bool, Query(description="take the good rows though others are rejected")] = False,
        dry_run: Annotated[bool, Query(description="only say what would be taken")] = False,
        if_match: IfMatch = None,
    ) -> Response:
        """Enter the positions of a CSV file; when a row is rejected nothing is taken unless asked."""
        stored = book.stored(portfolio_id)
        found = read_positions(csv_text(await request.body()), stored.portfolio, today())
        if found.rejected and not (partial or dry_run):
            raise InvalidInput("file", f"was not taken; {rejection_words(found.rejected)}")
        if found.options and not dry_run:
            await book.change(
                portfolio_id,
                _with_options(lambda held: (*held, *found.options)),
                ACTOR,
                expected_version=told_version(if_match) or stored.version,
            )
        answer = ImportAnswer(
            taken=0 if dry_run else len(found.options),
            found=tuple(option_document(option, today()) for option in found.options),
            rejected=tuple(RejectedRow(line, text, reason) for line, text, reason in found.rejected),
            remarks=found.remarks,
            dry_run=dry_run,
            portfolio=told(portfolio_id),
        )
        return written(answer)

    return router


def _line(vault: Vault, portfolio_id: str) -> PortfolioLine:
    beat, stored = vault.heartbeat.current(), vault.book.stored(portfolio_id)
    snapshot = None if beat is None else beat.snapshots.get(portfolio_id)
    judge: Judge = vault.known_status if beat is None else beat.statuses.get
    status = None if beat is None else judge(stored.portfolio.collateral.quoted_by)
    return PortfolioLine(
        document=document(stored, vault.book, vault.now()),
        quote=None if status is None else quote_answer(status),
        state=None if snapshot is None else portfolio_state(snapshot, judge),
        problem=None if snapshot is not None else _unmarked(vault, stored.portfolio, status),
    )


def _unmarked(vault: Vault, portfolio: Portfolio, gold: QuoteStatus | None) -> str:
    """Why a portfolio has no state: the price of its gold, or that of the dollar, is missing."""
    if gold is None:
        return f"The price of {portfolio.collateral.quoted_by} is not known yet"
    try:
        vault.book.rates.of(portfolio.loan.currency)
    except Unavailable as error:
        return str(error)
    return "It is marked at the next price"


async def _snapshot(
    vault: Vault, portfolio: Portfolio, price: float | None
) -> tuple[Snapshot, QuoteStatus | None, Judge]:
    """The portfolio at a price, or at the newest quote, which is then given; and who judges its exchange rate."""
    await vault.book.rates.learn(portfolio.loan.currency)
    on = vault.now().astimezone(NEW_YORK).date()
    if price is not None:
        return vault.book.mark(portfolio, price, on), None, vault.known_status
    beat = vault.heartbeat.current()
    if beat is not None and portfolio.id in beat.snapshots:
        return beat.snapshots[portfolio.id], beat.statuses[portfolio.collateral.quoted_by], beat.statuses.get
    status = await vault.prices.latest(portfolio.collateral.quoted_by)
    hedge = vault.held.mark(portfolio, status.quote, vault.now())
    on = status.quote.at.astimezone(NEW_YORK).date()
    return vault.book.mark(portfolio, status.quote.price, on, hedge), status, vault.known_status


def _with_options(
    edit: Callable[[tuple[HeldOption, ...]], tuple[HeldOption, ...]],
) -> Callable[[Portfolio], Portfolio]:
    def changed(kept: Portfolio) -> Portfolio:
        return replace(kept, options=edit(kept.options))

    return changed


def _require(held: tuple[HeldOption, ...], option_id: str) -> None:
    if option_id not in {option.id for option in held}:
        raise NotFound("There is no such position in this portfolio")

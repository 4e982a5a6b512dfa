"""LTV over time as JSON, and as a file for a spreadsheet."""

import asyncio
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query, Request, Response

from vaultdash.api.endpoints import Endpoints
from vaultdash.api.ltv_schemas import GapAnswer, LtvHistoryAnswer, LtvRecordAnswer
from vaultdash.api.parameters import ERRORS
from vaultdash.api.respond import Encoded, Remembered, respond
from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.portfolio import PORTFOLIO_ID
from vaultdash.domain.record import LtvRecord
from vaultdash.files.spreadsheet_csv import Value, spreadsheet_csv
from vaultdash.services.ltv_history import LtvSeries
from vaultdash.services.vault import Vault

ALL = "all"
USUAL_DAYS = "90"
MOST_DAYS = 36_600  # a hundred years
ZIP_LEVEL = 1  # within this computer or house a quicker answer is worth more than a smaller one
HOUR = timedelta(hours=1)
COLUMNS = (
    "portfolio_id",
    "name",
    "lender",
    "at_utc",
    "gap_before_hours",
    "kind",
    "price_usd_per_share",
    "quote_at_utc",
    "source",
    "stale",
    "demo",
    "market_open",
    "loan_usd",
    "gold_value_usd",
    "hedge_value_usd",
    "ltv_fraction",
    "lender_ltv_fraction",
    "ltv_after_payment_fraction",
    "ltv_credited_fraction",
    "warning_ltv_fraction",
    "margin_call_ltv_fraction",
    "close_out_ltv_fraction",
)
Days = Annotated[str, Query(description=f"1 to {MOST_DAYS}, or all; 7, 30, 90 and 365 are usual", max_length=10)]
PortfolioId = Annotated[
    str | None, Query(description="its id; default the current one. A removed one keeps its history", max_length=40)
]
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A line a record"}
}


@dataclass(frozen=True, slots=True)
class Packed:
    """An answer in both forms in which it is sent, made once for as long as nothing new was written."""

    plain: Encoded
    zipped: bytes

    @classmethod
    def of(cls, series: LtvSeries) -> "Packed":
        """Encode a series."""
        plain = Encoded.of(ltv_answer(series))
        return cls(plain, gzip.compress(plain.body, ZIP_LEVEL, mtime=0))


def ltv_router(vault: Vault) -> Endpoints:
    """The endpoints under /api/history/ltv."""
    router = Endpoints(tags=["loan"])
    packed = Remembered[LtvSeries, Packed](8)
    turn = asyncio.Lock()  # of who asks in the same moment, one packs it for all

    async def wanted(portfolio: str | None, days: str) -> LtvSeries:
        span = parse_days(days)
        name = vault.book.current.id if portfolio is None else portfolio
        known = any(one.id == name for one in vault.book.all)
        found = await vault.records.series(name, span) if known or PORTFOLIO_ID.fullmatch(name) else None
        if found is None or not (known or found.records or found.gaps):
            raise NotFound(f"There is no portfolio {name!r}, and there never was one with a record")
        return found

    @router.get("/api/history/ltv", responses={200: {"model": LtvHistoryAnswer}, **ERRORS})
    async def history_ltv(request: Request, days: Days = USUAL_DAYS, portfolio: PortfolioId = None) -> Response:
        """LTV every hour and at each crossing, with the limits of the time, and the gaps between."""
        found = await wanted(portfolio, days)
        async with turn:
            answer = await asyncio.to_thread(packed.of, found, Packed.of)
        plain = respond(request, answer.plain)
        if plain.status_code != 200 or "gzip" not in request.headers.get("accept-encoding", ""):
            return plain
        headers = {
            "ETag": answer.plain.tag,
            "Cache-Control": "no-cache",
            "Content-Encoding": "gzip",
            "Vary": "Accept-Encoding",
        }
        return Response(answer.zipped, headers=headers, media_type="application/json")

    @router.get("/api/history/ltv.csv", responses={**CSV, **ERRORS}, response_class=Response)
    async def history_ltv_csv(days: Days = USUAL_DAYS, portfolio: PortfolioId = None) -> Response:
        """The same as a file for a spreadsheet; a line after a gap says how many hours are missing before it."""
        found = await wanted(portfolio, days)
        owner = next((one for one in vault.book.all if one.id == found.portfolio_id), None)
        names = ("", "") if owner is None else (owner.name, owner.lender)
        text = await asyncio.to_thread(ltv_csv, found, *names)
        span = ALL if found.days is None else f"{found.days}-days"
        headers = {
            "Content-Disposition": f'attachment; filename="ltv-{found.portfolio_id}-{span}.csv"',
            "Cache-Control": "no-cache",
        }
        return Response(text.encode(), headers=headers, media_type="text/csv; charset=utf-8")

    return router


def parse_days(text: str) -> int | None:
    """How many days back, None for all; raises InvalidInput."""
    if text == ALL:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= MOST_DAYS:
        raise InvalidInput("days", f"must be a whole number from 1 to {MOST_DAYS}, or {ALL}")
    return int(text)


def ltv_answer(series: LtvSeries) -> LtvHistoryAnswer:
    """A series as it is sent."""
    return LtvHistoryAnswer(
        portfolio_id=series.portfolio_id,
        days=series.days,
        first=series.records[0].at if series.records else None,
        last=series.records[-1].at if series.records else None,
        records=tuple(_record(record) for record in series.records),
        gaps=tuple(GapAnswer(start, end, (end - start) / HOUR) for start, end in series.gaps),
    )


def ltv_csv(series: LtvSeries, name: str, lender: str) -> str:
    """A line a record; name and lender are what the owner typed, and stand on every line."""
    missing = {end: (end - start) / HOUR for start, end in series.gaps}
    return spreadsheet_csv(COLUMNS, _lines(series.records, missing, (series.portfolio_id, name, lender)))


def _record(record: LtvRecord) -> LtvRecordAnswer:
    return LtvRecordAnswer(
        at=record.at,
        kind=record.kind,
        price=record.price,
        quote_at=record.quote_at,
        source=record.source,
        stale=not record.is_fresh,
        demo=record.is_demo,
        market_open=record.market_open,
        loan_amount=record.loan_amount,
        gold_value=record.gold_value,
        hedge_value=record.hedge_value,
        ltv=record.ltv,
        lender_ltv=record.lender_ltv,
        ltv_after_payment=record.ltv_after_payment,
        ltv_credited=record.ltv_credited,
        warning_ltv=record.warning_ltv,
        margin_call_ltv=record.margin_call_ltv,
        close_out_ltv=record.close_out_ltv,
    )


def _lines(
    records: tuple[LtvRecord, ...], missing: dict[datetime, float], owner: tuple[str, str, str]
) -> Iterator[tuple[Value, ...]]:
    for record in records:
        yield (
            *owner,
            record.at,
            missing.pop(record.at, None),  # once, should two records be of the same moment
            record.kind,
            record.price,
            record.quote_at,
            record.source,
            not record.is_fresh,
            record.is_demo,
            record.market_open,
            record.loan_amount,
            record.gold_value,
            record.hedge_value,
            record.ltv,
            record.lender_ltv,
            record.ltv_after_payment,
            record.ltv_credited,
            record.warning_ltv,
            record.margin_call_ltv,
            record.close_out_ltv,
        )

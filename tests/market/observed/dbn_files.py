"""Databento files with invented quotes, built from Databento's own record classes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import databento_dbn as dbn
import zstandard

UNIT = 1_000_000_000
OPRA = 30


@dataclass
class Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass
class Mapping:
    raw_symbol: str
    intervals: Sequence[Interval]


def nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * UNIT


def midnight(on: date) -> int:
    return nanoseconds(datetime.combine(on, time(), UTC))


def price(value: float | None) -> int:
    return dbn.UNDEF_PRICE if value is None else round(value * UNIT)


def definition(
    on: date, number: int, osi: str, expiration: date, multiplier: int | None = None, underlying: str = "GLD"
) -> dbn.InstrumentDefMsg:
    at = nanoseconds(datetime.combine(on, time(10, 30), UTC))
    return dbn.InstrumentDefMsg(
        OPRA,
        number,
        at,
        at,
        10_000_000,
        UNIT,
        osi,
        "OPT",
        "OPT",
        dbn.InstrumentClass.CALL if osi[12] == "C" else dbn.InstrumentClass.PUT,
        dbn.SecurityUpdateAction.ADD,
        expiration=midnight(expiration),
        strike_price=int(osi[13:]) * 1_000_000,
        contract_multiplier=multiplier,
        underlying=underlying,
        currency="USD",
    )


def minute(
    at: datetime, number: int, bid: float | None, ask: float | None, bid_size: int = 10, ask_size: int = 12
) -> dbn.CBBOMsg:
    stamp = nanoseconds(at)
    level = dbn.ConsolidatedBidAskPair(price(bid), price(ask), bid_size, ask_size)
    return dbn.CBBOMsg(0xC1, OPRA, number, stamp, dbn.UNDEF_PRICE, 0, dbn.Side.NONE, stamp, levels=level)


def interest(on: date, number: int, contracts: int, venue: int = OPRA) -> dbn.StatMsg:
    at = nanoseconds(datetime.combine(on, time(10, 45), UTC))
    return dbn.StatMsg(
        venue, number, at, at, dbn.UNDEF_TIMESTAMP, dbn.UNDEF_PRICE, contracts, dbn.StatType.OPEN_INTEREST
    )


def bar(on: date, number: int, low: float, high: float, volume: int, venue: int = OPRA) -> dbn.OHLCVMsg:
    return dbn.OHLCVMsg(0x23, venue, number, midnight(on), price(low), price(high), price(low), price(high), volume)


def write(
    path: Path, schema: str, records: Iterable[object], mappings: Sequence[Mapping] = (), *, packed: bool = True
) -> Path:
    header = dbn.Metadata(
        "OPRA.PILLAR",
        0,
        dbn.SType.PARENT,
        dbn.SType.INSTRUMENT_ID,
        dbn.Schema.from_str(schema),
        symbols=["GLD.OPT"],
        mappings=list(mappings),
    )
    content = bytes(header) + b"".join(bytes(record) for record in records)
    path.write_bytes(zstandard.compress(content) if packed else content)
    return path

"""From the texts of a file to rows of `option_eod`: read and checked, what is not taken with its reason.

Readers hand over a frame whose columns carry the names below, as text or typed; what a source does not have is left
out. All rules that do not depend on the source are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from vaultdash.clock import CALENDAR_START, MarketHours, session_close
from vaultdash.domain.option import LEAST_VENDOR_IV, SHARES_PER_CONTRACT, QuoteFlag
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.cells import (
    EASTERN,
    PRICES,
    WHOLE_NUMBERS,
    day,
    instant,
    is_given,
    number,
    option_right,
    whole_number,
)
from vaultdash.market.observed.flags import with_flags
from vaultdash.market.observed.opening import RejectedLine
from vaultdash.market.observed.schema import COLUMNS, KEY, dtypes

GREEKS = ("delta_vendor", "gamma_vendor", "theta_vendor", "vega_vendor", "rho_vendor")
SECONDARY = ("last", "open", "high", "low", "underlying_price", "iv_vendor", "iv_error", *GREEKS, "rate", "div_yield")
TEXTS = ("underlying", "root", "osi", "right", "snapshot_kind", "underlying_basis")
OSI_PARTS = r"^(?:O:)?([A-Z0-9]{1,6}) *(\d{6})([CP])(\d{8})$"
SYMBOL = r"^[A-Z0-9^][A-Z0-9.^=-]{0,14}$"
HIGHEST_PRICE = 1e6  # USD a share
HIGHEST_VENDOR_IV = 5.0
WORST_IV_ERROR = 0.05  # of the option's price, beyond which a vendor's fit is none
FIRST_DAY = date(1990, 1, 1)
LONGEST_DAYS = 12 * 366
EUROPEAN = ("SPX", "XSP", "NDX", "RUT", "VIX", "DJX")
REJECTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Origin:
    """What holds for every row of a file: the name of its source, its checksum, and how it writes things."""

    source: str
    sha256: str
    underlying: str | None = None  # given by the owner: for files that do not say, and to take no other symbol
    zero_iv_is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows a file gave, how many it had, and what was not taken. `rejected` holds the first thousand."""

    rows: pl.DataFrame
    rows_read: int
    rejected: tuple[RejectedLine, ...]
    reasons: Mapping[str, int]
    remarks: tuple[str, ...]


def rows_of(raw: pl.DataFrame, origin: Origin, hours: MarketHours, today: date) -> Reading:
    """Rows of `option_eod` from the columns a reader found; see the module for the rules.

    `raw` has `line` and any of the columns of `option_eod`, and `adjusted` (bool), `last_trade` (day of the last
    trade), `iv_error`. `today` is New York's: a later quote date is refused.
    """
    complete = _complete(raw, origin)
    ours = complete.filter(origin.underlying is None or pl.col("underlying").eq_missing(pl.lit(origin.underlying)))
    typed, unreadable = _typed(ours)
    checked = typed.with_columns(why=_why_not(today))
    bad = checked.filter(pl.col("why").is_not_null()).select("line", "why").sort("line")
    good = _derived(checked.filter(pl.col("why").is_null()), origin, hours)
    unique, repeated, resolved = _without_twins(good)
    rows = with_flags(unique).select(*COLUMNS).cast(dtypes())  # type: ignore[arg-type]  # a dict of str is a mapping of str
    remarks = [
        f"{_count(count, 'unreadable value')} of {name} left empty" for name, count in unreadable.items() if count
    ]
    if ours.height < complete.height:
        remarks.insert(0, f"{_count(complete.height - ours.height, 'row')} of other symbols left aside")
    if repeated:
        remarks.append(f"{_count(repeated, 'row')} repeated word for word, each taken once")
    if resolved:
        remarks.append(f"{_count(resolved, 'row')} of contracts that came more than once left aside for a better one")
    reasons = dict(bad.group_by("why").len().sort("len", descending=True).iter_rows())
    rejected = tuple(RejectedLine(line, why) for line, why in bad.head(REJECTS_KEPT).iter_rows())
    return Reading(rows, raw.height, rejected, reasons, tuple(remarks))


def _complete(raw: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """All columns, the contract's parts from the OSI symbol where they are not given, symbols in capitals."""
    known = (*COLUMNS, "last_trade", "iv_error")
    frame = raw.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in known if name not in raw.columns)
    if "adjusted" not in frame.columns:
        frame = frame.with_columns(adjusted=pl.lit(False))
    frame = frame.with_columns(pl.col(name).cast(pl.String).str.strip_chars() for name in TEXTS).with_columns(
        pl.when(pl.col(name).str.len_chars() > 0).then(pl.col(name)).alias(name) for name in TEXTS
    )
    frame = frame.with_columns(pl.col("underlying", "root", "osi").str.to_uppercase())
    if "osi" in raw.columns:
        parts = pl.col("osi").str.extract_groups(OSI_PARTS)
        frame = frame.with_columns(
            pl.coalesce("root", parts.struct.field("1")).alias("root"),
            pl.coalesce(
                pl.when(is_given(frame, "expiration")).then(pl.col("expiration").cast(pl.String)),
                pl.lit("20") + parts.struct.field("2"),
            ).alias("expiration"),
            pl.coalesce("right", parts.struct.field("3")).alias("right"),
            pl.coalesce(
                pl.col("strike").cast(pl.Float64, strict=False),
                parts.struct.field("4").cast(pl.Float64) / 1000,
            ).alias("strike"),
        )
    return frame.with_columns(
        underlying=pl.coalesce("underlying", pl.col("root").str.extract(r"^([A-Z]+)"), pl.lit(origin.underlying)),
    ).with_columns(root=pl.coalesce("root", pl.col("underlying").str.replace_all(r"[^A-Z0-9]", "")))


def _typed(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Texts as numbers and days. An unreadable strike or price is marked, anything else left empty and counted."""
    counted: list[pl.Expr] = []
    columns: list[pl.Expr] = []
    for name in ("strike", *PRICES):
        value = number(frame, name)
        columns += [value.alias(name), (is_given(frame, name) & value.is_null()).alias(f"{name}_unread")]
    for name in SECONDARY:
        value = number(frame, name)
        columns.append(value.alias(name))
        counted.append((is_given(frame, name) & value.is_null()).sum().alias(name))
    for name in WHOLE_NUMBERS:
        value = whole_number(frame, name)
        columns.append(value.alias(name))
        counted.append((is_given(frame, name) & value.is_null()).sum().alias(name))
    columns += [day(frame, name).alias(name) for name in ("quote_date", "expiration", "last_trade", "oi_asof")]
    columns += [instant(frame, "snapshot_ts").alias("snapshot_ts"), option_right("right").alias("right")]
    unreadable = frame.select(counted).row(0, named=True) if frame.height else {}
    typed = frame.with_columns(columns)
    local_day = pl.col("snapshot_ts").dt.convert_time_zone(EASTERN).dt.date()
    if "quote_date" in frame.columns and frame["quote_date"].null_count() == frame.height:
        typed = typed.with_columns(quote_date=local_day)
    return typed, unreadable


def _why_not(today: date) -> pl.Expr:
    """The first reason against a row, or null."""
    milli = pl.col("strike") * 1000
    life = (pl.col("expiration") - pl.col("quote_date")).dt.total_days()
    checks: list[tuple[pl.Expr, str]] = [
        (~pl.col("underlying").fill_null("").str.contains(SYMBOL), "has no symbol; say which with --symbol"),
        (pl.col("quote_date").is_null(), "unreadable quote date; write it as YYYY-MM-DD"),
        (pl.col("quote_date") > today, "quote date in the future"),
        (pl.col("quote_date") < FIRST_DAY, "quote date before 1990"),
        (pl.col("quote_date").dt.weekday() >= 6, "quote date on a weekend, when no market trades"),
        (pl.col("expiration").is_null(), "unreadable expiration; write it as YYYY-MM-DD"),
        (life < 0, "expired before the quote date"),
        (life > LONGEST_DAYS, "expires more than twelve years after the quote date"),
        (pl.col("right").is_null(), "is neither call nor put"),
        (pl.col("strike_unread") | pl.col("strike").is_null(), "strike is not a number"),
        ((pl.col("strike") <= 0) | (milli >= 99_999_999.5), "strike is not between 0 and 100,000"),
        ((milli - milli.round()).abs() > 1e-4, "strike is not in thousandths of a dollar"),
        (pl.col("root").str.len_chars() > 6, "root of the option is longer than six characters"),
        (_contradicts_osi(), "OSI symbol and columns are of different contracts"),
    ]
    for name in PRICES:
        checks += [
            (pl.col(f"{name}_unread"), f"{name} is not a number"),
            (pl.col(name) < 0, f"{name} is negative"),
            (pl.col(name) >= HIGHEST_PRICE, f"{name} is not a price of an option"),
        ]
    return pl.coalesce(pl.when(test.fill_null(False)).then(pl.lit(reason)) for test, reason in checks)


def _contradicts_osi() -> pl.Expr:
    """Whether a readable OSI symbol and the columns beside it name different contracts.

    Until 2015 the day in a symbol was the Saturday after the last day of trading, which a column may give instead.
    """
    parts = pl.col("osi").str.extract_groups(OSI_PARTS)
    root, right = parts.struct.field("1"), parts.struct.field("3")
    day_of = (pl.lit("20") + parts.struct.field("2")).str.to_date("%Y%m%d", strict=False)
    strike = parts.struct.field("4").cast(pl.Float64) / 1000
    is_saturday_after = (day_of.dt.weekday() == 6) & (day_of == pl.col("expiration").dt.offset_by("1d"))
    return pl.any_horizontal(
        root != pl.col("root"),
        right != pl.col("right"),
        (strike - pl.col("strike")).abs() > 5e-4,
        (day_of != pl.col("expiration")) & ~is_saturday_after,
    )


def _derived(frame: pl.DataFrame, origin: Origin, hours: MarketHours) -> pl.DataFrame:
    """What follows from a sound row: missing prices, OSI symbol, kind of snapshot, session of the open interest."""
    positive = (*SECONDARY[:5],)  # last, open, high, low, underlying_price: a price of zero is none
    frame = frame.with_columns(
        pl.when((pl.col(name) > 0) & (pl.col(name) < HIGHEST_PRICE)).then(pl.col(name)).alias(name)
        for name in positive
    ).with_columns(ask=pl.when(pl.col("ask") > 0).then(pl.col("ask")))
    # A bid of zero against no ask is how vendors write that there is no quote.
    frame = frame.with_columns(
        bid=pl.when((pl.col("bid") == 0) & pl.col("ask").is_null()).then(None).otherwise("bid")
    )
    frame = _with_sessions(frame, hours)
    iv, iv_error = pl.col("iv_vendor"), pl.col("iv_error")
    bad_iv = (iv <= LEAST_VENDOR_IV) | (iv > HIGHEST_VENDOR_IV) | (iv_error.abs() > WORST_IV_ERROR)
    counted_as_bad = bad_iv & (iv != 0) if origin.zero_iv_is_missing else bad_iv
    is_adjusted = (
        pl.col("adjusted").fill_null(False)
        | (pl.col("root") != pl.col("underlying").str.replace_all(r"[^A-Z0-9]", ""))
        | (pl.col("multiplier").fill_null(SHARES_PER_CONTRACT) != SHARES_PER_CONTRACT)
    )
    stale = (pl.col("last_trade") < pl.col("previous_session")).fill_null(False)
    milli = (pl.col("strike") * 1000).round().cast(pl.Int32)
    european = pl.col("underlying").is_in(EUROPEAN) | pl.col("underlying").str.starts_with("^")
    frame = frame.with_columns(
        iv_vendor=pl.when(~bad_iv.fill_null(False)).then(iv),
        strike_milli=milli,
        strike=milli / 1000,
        multiplier=pl.col("multiplier").fill_null(SHARES_PER_CONTRACT),
        exercise=pl.when(european).then(pl.lit("european")).otherwise(pl.lit("american")),
        oi_asof=pl.when(pl.col("open_interest").is_not_null()).then(pl.coalesce("oi_asof", "previous_session")),
        underlying_basis=pl.when(pl.col("underlying_price").is_not_null()).then(
            pl.col("underlying_basis").fill_null("vendor")
        ),
        flags=pl.when(is_adjusted).then(int(QuoteFlag.ADJUSTED)).otherwise(0)
        + pl.when(counted_as_bad.fill_null(False)).then(int(QuoteFlag.VENDOR_IV_BAD)).otherwise(0)
        + pl.when(stale).then(int(QuoteFlag.STALE)).otherwise(0),
        price_basis=pl.lit(None, dtype=pl.String),
        source=pl.lit(origin.source),
        source_file_sha256=pl.lit(origin.sha256),
    )
    has_greeks = pl.any_horizontal(pl.col("iv_vendor", *GREEKS).is_not_null())
    return frame.with_columns(
        greek_convention=pl.when(has_greeks).then(pl.lit(origin.source)),
        osi=pl.col("root").str.pad_end(6)
        + pl.col("expiration").dt.strftime("%y%m%d")
        + pl.col("right")
        + pl.col("strike_milli").cast(pl.String).str.zfill(8),
    )


def _with_sessions(frame: pl.DataFrame, hours: MarketHours) -> pl.DataFrame:
    """With the session before each quote date, and the kind of snapshot that the time of the quote tells."""
    days = sorted(frame["quote_date"].unique())
    first = date.fromisoformat(CALENDAR_START)
    trading = [on for on in hours.sessions(min(days), max(days)) if on >= first] if days else []
    earlier = {on: _session_before(on, hours) for on in days}
    calendar = pl.DataFrame(
        {
            "quote_date": days,
            "previous_session": [earlier[on] for on in days],
            "close": [session_close(on) for on in days],
            "trades": [on in set(trading) or on < first for on in days],
        },
        schema={
            "quote_date": pl.Date,
            "previous_session": pl.Date,
            "close": pl.Datetime("us", "UTC"),
            "trades": pl.Boolean,
        },
    )
    frame = frame.join(calendar, on="quote_date", how="left", maintain_order="left")
    at, close = pl.col("snapshot_ts"), pl.col("close")
    opens = close - pl.when(close.dt.convert_time_zone(EASTERN).dt.hour() == 16).then(
        pl.duration(minutes=390)
    ).otherwise(pl.duration(minutes=210))
    same_day = at.dt.convert_time_zone(EASTERN).dt.date() == pl.col("quote_date")
    told = (
        pl.when(at.is_null() | ~same_day | ~pl.col("trades") | (at < opens))
        .then(pl.lit(SnapshotKind.UNKNOWN.value))
        .when(at > close + pl.duration(minutes=30))
        .then(pl.lit(SnapshotKind.REPORT.value))
        .when(at >= close)
        .then(pl.lit(SnapshotKind.CLOSE.value))
        .when(at.is_between(close - pl.duration(minutes=20), close - pl.duration(minutes=10)))
        .then(pl.lit(SnapshotKind.BEFORE_CLOSE.value))
        .otherwise(pl.lit(SnapshotKind.INTRADAY.value))
    )
    return frame.with_columns(snapshot_kind=pl.coalesce("snapshot_kind", told))


def _session_before(on: date, hours: MarketHours) -> date:
    sessions = hours.sessions(date.fromordinal(on.toordinal() - 10), date.fromordinal(on.toordinal() - 1))
    if sessions:
        return sessions[-1]
    back = {0: 3, 6: 2}.get(on.weekday(), 1)  # before the calendar begins
    return date.fromordinal(on.toordinal() - back)


def _without_twins(frame: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """Each contract of a snapshot once: the row with both sides, then the latest, then the first in the file.

    Also how many rows said the same again, and how many were put aside for a better one.
    """
    twins = frame.select(KEY).is_duplicated()
    if not twins.any():
        return frame, 0, 0
    several = frame.filter(twins)
    says = [name for name in COLUMNS if name not in ("source_file_sha256", "price_basis")]
    different = several.unique(says, keep="first", maintain_order=True)
    sides = pl.col("bid").is_not_null().cast(pl.Int8) + pl.col("ask").is_not_null().cast(pl.Int8)
    crossed = (pl.col("bid") > pl.col("ask")).fill_null(False)
    ranked = different.with_columns(sides=sides, crossed=crossed, rivals=pl.len().over(KEY)).sort(
        ["sides", "crossed", "snapshot_ts", "line"], descending=[True, False, True, False], nulls_last=True
    )
    chosen = ranked.unique(KEY, keep="first", maintain_order=True)
    mark = pl.when(pl.col("rivals") > 1).then(int(QuoteFlag.DUPLICATE_RESOLVED)).otherwise(0)
    chosen = chosen.with_columns(flags=pl.col("flags") + mark).drop("sides", "crossed", "rivals")
    resolved = different.height - chosen.height
    return pl.concat([frame.filter(~twins), chosen]), several.height - different.height, resolved


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

"""Cells of a file as numbers, days, instants and rights, a column at once; what cannot be read is null."""

import polars as pl

EASTERN = "America/New_York"
PRICES = ("bid", "ask")
WHOLE_NUMBERS = ("bid_size", "ask_size", "volume", "open_interest", "multiplier")
NO_VALUE = ("", ".", "-", "--", "nan", "null", "none", "n/a", "na", "#n/a", "<na>", "nat")
LARGEST = {"bid_size": 2**31 - 1, "ask_size": 2**31 - 1, "multiplier": 2**31 - 1}
LARGEST_COUNT = 2**53
INTEGERS = {"bid_size": pl.Int32, "ask_size": pl.Int32, "multiplier": pl.Int32}
RIGHTS = {"c": "C", "call": "C", "calls": "C", "p": "P", "put": "P", "puts": "P"}
ISO_DAY = r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$"
PLAIN_DAY = r"^(\d{8})$"
TIME = r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,9}))?(?:\d*)?\s*(Z|[+-]\d{2}:?\d{2})?$"


def is_given(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Whether a cell holds anything, be it readable or not."""
    if frame.schema[name] != pl.String:
        return pl.col(name).is_not_null()
    return pl.col(name).is_not_null() & ~pl.col(name).str.strip_chars().str.to_lowercase().is_in(NO_VALUE)


def number(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A finite number, with or without $; null when the cell is empty or unreadable."""
    value = pl.col(name)
    if frame.schema[name] == pl.String:
        value = value.str.strip_chars().str.strip_prefix("$").str.strip_chars()
    value = value.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def whole_number(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A count; 12.0 is one, 12.5 and -1 are not."""
    value = number(frame, name)
    fits = (value >= 0) & (value <= LARGEST.get(name, LARGEST_COUNT)) & (value == value.round())
    return pl.when(fits).then(value).cast(INTEGERS.get(name, pl.Int64))


def day(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A day written as YYYY-MM-DD, with or without a time after it, or as YYYYMMDD."""
    kind = frame.schema[name]
    if kind == pl.Date:
        return pl.col(name)
    if kind == pl.String:
        text = pl.col(name).str.strip_chars()
        return pl.coalesce(
            text.str.extract(ISO_DAY).str.to_date("%Y-%m-%d", strict=False),
            text.str.extract(PLAIN_DAY).str.to_date("%Y%m%d", strict=False),
        )
    return pl.lit(None, dtype=pl.Date)


def instant(frame: pl.DataFrame, name: str) -> pl.Expr:
    """An instant in UTC; a time without a zone is New York's. A day alone is none."""
    if frame.schema[name] != pl.String:
        return pl.col(name).cast(pl.Datetime("us", "UTC"))
    parts = pl.col(name).str.strip_chars().str.extract_groups(TIME)

    def part(number: int) -> pl.Expr:
        return parts.struct.field(str(number))

    fraction = pl.lit(".") + part(4).fill_null("0").str.pad_end(6, "0").str.slice(0, 6)
    clock = part(1) + pl.lit("T") + part(2) + part(3).fill_null(":00") + fraction
    zone = part(5).str.replace("Z", "+0000", literal=True).str.replace(":", "", literal=True)
    zoned = (clock + zone).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone="UTC", strict=False)
    local = (
        pl.when(part(5).is_null())
        .then(clock)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
        .dt.replace_time_zone(EASTERN, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
    return pl.coalesce(zoned, local)


def option_right(name: str) -> pl.Expr:
    """C or P for any usual word."""
    return pl.col(name).str.to_lowercase().replace_strict(RIGHTS, default=None, return_dtype=pl.String)

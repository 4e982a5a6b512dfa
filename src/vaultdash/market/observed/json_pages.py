"""EODHD's answers in JSON: pages of contracts, each with its attributes."""

import json
import re

import polars as pl

from vaultdash.domain.errors import InvalidInput
from vaultdash.market.observed.opening import Table

NEEDS = ("exp_date", "type", "strike")
NAMES = {
    "underlying": "underlying_symbol",
    "expiration": "exp_date",
    "strike": "strike",
    "right": "type",
    "bid": "bid",
    "ask": "ask",
    "bid_size": "bid_size",
    "ask_size": "ask_size",
    "last": "last",
    "open": "open",
    "high": "high",
    "low": "low",
    "volume": "volume",
    "open_interest": "open_interest",
    "iv_vendor": "volatility",
    "delta_vendor": "delta",
    "gamma_vendor": "gamma",
    "theta_vendor": "theta",
    "vega_vendor": "vega",
    "rho_vendor": "rho",
}
JSON = re.compile(r"\s*(\{|\[\s*[\[{\]\d\"])")  # OptionsDX puts the names of columns in brackets
ID_DAY = r"(\d{4}-\d{2}-\d{2})$"  # the id of a row ends in the day it is of; `tradetime` may be an earlier trade's


def is_json(text: str) -> bool:
    """Whether a text can be such an answer."""
    return JSON.match(text) is not None


def table_of_pages(text: str, name: str) -> Table:
    """The attributes of all contracts as a table; `line` is the number of the contract in the file."""
    try:
        pages = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(name, f"is not readable as JSON: {error}") from error
    items: list[dict[str, object]] = []
    for page in pages if isinstance(pages, list) else [pages]:
        data = page.get("data", [page]) if isinstance(page, dict) else None
        if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
            raise InvalidInput(name, "is no answer of EODHD: it needs `data`, a list of contracts with `attributes`")
        items += data
    rows: list[dict[str, object]] = []
    for item in items:
        attributes = item.get("attributes", item)
        rows.append({"id": item.get("id"), **(attributes if isinstance(attributes, dict) else {})})
    header = tuple(dict.fromkeys(str(key).strip().lower() for row in rows for key in row))
    missing = [column for column in NEEDS if column not in header]
    if missing:
        raise InvalidInput(name, f"has no {', '.join(missing)} in its contracts")
    lower = [{str(key).strip().lower(): value for key, value in row.items()} for row in rows]
    columns = {title: [_text(row.get(title)) for row in lower] for title in header if title != "line"}
    frame = pl.DataFrame(
        {"line": range(1, len(rows) + 1), **columns}, schema_overrides=dict.fromkeys(columns, pl.String)
    )
    return Table(name, header, frame, ())


def raw_of_pages(table: Table) -> pl.DataFrame:
    """The columns of such a table under our names."""
    cells = table.rows
    there = [pl.col(theirs).alias(ours) for ours, theirs in NAMES.items() if theirs in cells.columns]
    days = [pl.col("id").str.extract(ID_DAY)] if "id" in cells.columns else []
    days += [pl.col(title) for title in ("quote_date", "tradetime") if title in cells.columns]
    on = pl.coalesce(days) if days else pl.lit(None, dtype=pl.String)
    return cells.select("line", *there, on.alias("quote_date"))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    try:
        return str(value)
    except ValueError:  # an integer of more than 4300 digits
        return None

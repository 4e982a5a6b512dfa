"""Positions from a CSV file: each row is a held option, or is rejected with its line and the reason."""

import csv
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionContract, Right, contract_from_osi
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.services.portfolio_entry import check_option
from vaultdash.services.portfolio_words import contract_words

MOST_ROWS = 5_000
SHOWN_TEXT = 120
AVERAGES = ("average_cost", "avg_cost", "average_price", "avg_price", "unit_cost")  # some brokers' are a contract
NAMES: Mapping[str, tuple[str, ...]] = {
    "contract": ("contract", "osi", "option", "option_symbol", "contract_symbol"),
    "symbol": ("symbol", "root", "underlying", "ticker"),
    "expiration": ("expiration", "expiry", "expiration_date", "expires", "exp_date"),
    "strike": ("strike", "strike_price"),
    "right": ("right", "type", "put_call", "option_type", "call_put"),
    "contracts": ("contracts", "quantity", "count", "qty", "position"),
    "price_paid": ("price_paid", "price", "trade_price", *AVERAGES),
    "opened_on": ("opened_on", "opened", "date", "trade_date", "date_acquired", "open_date"),
    "closed_on": ("closed_on", "closed"),
    "closed_price": ("closed_price", "closing_price"),
    "funding": ("funding",),
    "note": ("note", "notes"),
}
NEEDED = ("contracts", "price_paid")
PARTS = ("symbol", "expiration", "strike", "right")
RIGHTS = {"p": Right.PUT, "put": Right.PUT, "c": Right.CALL, "call": Right.CALL}
GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, slots=True)
class ImportedOptions:
    """What a CSV of positions gave, and the rows it did not take: line, text, reason. `remarks` are about columns."""

    options: tuple[HeldOption, ...]
    rejected: tuple[tuple[int, str, str], ...]
    remarks: tuple[str, ...] = ()


def new_option_id() -> str:
    """An id for a position, which no other has."""
    return secrets.token_hex(6)


def csv_text(content: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte order mark, or UTF-16 with one; raises InvalidInput."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidInput("file", "is not text in UTF-8; save it as CSV UTF-8") from None


def read_positions(
    text: str, portfolio: Portfolio, today: date, make_id: Callable[[], str] = new_option_id
) -> ImportedOptions:
    """Read positions to be added to a portfolio; raises InvalidInput when the file as a whole is none.

    The first line names the columns: `contract` (OSI) or `symbol`, `expiration`, `strike`, `right`; `contracts`
    (negative when sold), `price_paid` (USD a share), `opened_on` (else today); and, where wanted, `closed_on`,
    `closed_price`, `funding` (cash, loan, sell_gold) and `note`; the names that brokers use are understood, too.
    Between them stand commas or semicolons; with semicolons a number may have a decimal comma. A row that is in the
    portfolio or the file already is rejected; what adds to a contract that is held, or has expired, is remarked.
    """
    separator = _separator(text)
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True)
    taken: list[HeldOption] = []
    rejected: list[tuple[int, str, str]] = []
    known: set[tuple[object, ...]] = set()
    held = {option.contract for option in portfolio.open_options(today)}
    columns: dict[str, int] | None = None
    remarks: list[str] = []
    line, count, width, is_dated = 1, 0, 0, True
    try:
        for cells in reader:
            begun, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns, remarks = _columns(cells, today)
                is_dated, width = "opened_on" in columns, len(cells)
                known = {_sameness(option, is_dated) for option in portfolio.options}
                continue
            count += 1
            if count > MOST_ROWS:
                raise InvalidInput("file", f"has more than {MOST_ROWS:,} rows")
            try:
                if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                    raise InvalidInput(
                        "row", f"has {len(cells)} cells under {width} columns; put quotes around texts"
                    )
                option = _option(cells, columns, separator == ";", make_id(), today)
                _belongs(option, portfolio)
                check_option(option, today)
                if _sameness(option, is_dated) in known:
                    raise InvalidInput("row", "is in the portfolio or this file already")
            except InvalidInput as error:
                rejected.append((begun, _shown(cells, separator), str(error)))
            else:
                known.add(_sameness(option, is_dated))
                taken.append(option)
                remarks += _remarks(begun, option, held, today)
    except csv.Error as error:
        raise InvalidInput("file", f"cannot be read as CSV at line {reader.line_num}: {error}") from None
    if columns is None:
        raise InvalidInput("file", "is empty")
    if not count:
        raise InvalidInput("file", "has a header but no rows")
    return ImportedOptions(tuple(taken), tuple(rejected), tuple(remarks))


def rejection_words(rejected: Sequence[tuple[int, str, str]], most: int = 20) -> str:
    """The lines and reasons in one sentence."""
    told = "; ".join(f"line {line}: {reason}" for line, _, reason in rejected[:most])
    more = len(rejected) - most
    return told + (f"; and {more:,} more" if more > 0 else "")


def _separator(text: str) -> str:
    head = text.lstrip("\ufeff\r\n ").split("\n", 1)[0]
    return ";" if head.count(";") > head.count(",") else ","


def _remarks(line: int, option: HeldOption, held: Collection[OptionContract], today: date) -> list[str]:
    """What the owner should look at of a row that was taken."""
    name = contract_words(option)
    if option.closed_on is not None:
        return []
    if not option.is_open(today):
        return [f"line {line}: {name} has expired; it is kept, and counts for nothing any more"]
    return [f"line {line}: {name} is held already; this adds to it"] if option.contract in held else []


def _columns(cells: Sequence[str], today: date) -> tuple[dict[str, int], list[str]]:
    given = [re.sub(r"[\s/.-]+", "_", cell.strip().lower()) for cell in cells]
    found: dict[str, int] = {}
    strange = []
    for position, name in enumerate(given):
        meant = next((known for known, words in NAMES.items() if name in words), None)
        if meant is None:
            strange.append(name)
        elif meant in found:
            raise InvalidInput("file", f"names the column {meant} twice")
        else:
            found[meant] = position
    missing = [name for name in NEEDED if name not in found]
    if "symbol" in found and not found.keys() & {"contract", *PARTS[1:]}:
        found["contract"] = found.pop("symbol")  # brokers write the OSI symbol there
    if "contract" not in found:
        missing += [name for name in PARTS if name not in found]
    if missing:
        raise InvalidInput(
            "file",
            f"needs the columns {', '.join(missing)}; its first line names contract (or symbol, expiration, strike, "
            "right), contracts, price_paid, opened_on",
        )
    named = [_clean(name) for name in strange if name]
    remarks = [f"columns not used: {', '.join(named)}"] if named else []
    price = given[found["price_paid"]]
    if price in AVERAGES:
        remarks.append(f"{price.replace('_', ' ')} is taken as USD a share; divide it by 100 if it is of a contract")
    if "opened_on" not in found:
        remarks.append(f"no column says when they were opened; today, {today}, is taken")
    return found, remarks


def _option(
    cells: Sequence[str], columns: Mapping[str, int], with_comma: bool, own_id: str, today: date
) -> HeldOption:
    def cell(name: str) -> str:
        position = columns.get(name)
        return "" if position is None or position >= len(cells) else cells[position].strip()

    closed_on, closed_price = cell("closed_on"), cell("closed_price")
    return HeldOption(
        id=own_id,
        contract=_contract(cell, with_comma),
        contracts=_whole(cell("contracts"), with_comma),
        price_paid=_number("price_paid", cell("price_paid"), with_comma),
        opened_on=_day("opened_on", cell("opened_on")) if "opened_on" in columns else today,
        funding=funding_of(cell("funding")),
        closed_on=_day("closed_on", closed_on) if closed_on else None,
        closed_price=_number("closed_price", closed_price, with_comma) if closed_price else None,
        note=cell("note"),
    )


def _contract(cell: Callable[[str], str], with_comma: bool) -> OptionContract:
    if cell("contract"):
        return contract_from_osi(cell("contract").upper())
    right = RIGHTS.get(cell("right").lower())
    if right is None:
        raise InvalidInput("right", f"must be put or call, not {_clean(cell('right'))!r}")
    symbol = cell("symbol").upper()
    if not re.fullmatch(r"[A-Z0-9]{1,6}", symbol):
        raise InvalidInput("symbol", f"must be 1 to 6 letters or digits, not {_clean(symbol)!r}")
    return OptionContract(
        symbol, _day("expiration", cell("expiration")), _number("strike", cell("strike"), with_comma), right
    )


def _belongs(option: HeldOption, portfolio: Portfolio) -> None:
    symbol = portfolio.collateral.quoted_by
    if option.contract.root != symbol:
        raise InvalidInput(
            "contract", f"is an option on {option.contract.root}; this collateral is valued by {symbol}"
        )


def _number(name: str, text: str, with_comma: bool) -> float:
    if not text:
        raise InvalidInput(name, "is missing")
    plain = text.replace("\u2212", "-")
    if with_comma and GROUPED.fullmatch(plain):
        raise InvalidInput(name, f"can be read in two ways: {text}; write it without a point, or with a comma")
    if with_comma and "," in plain:
        whole, _, rest = plain.rpartition(",")
        plain = f"{whole.replace('.', '')}.{rest}"
    if len(plain) > 30 or not PLAIN.fullmatch(plain):
        raise InvalidInput(name, f"must be a number such as 9.90, not {_clean(text)!r}")
    return float(plain)


def _whole(text: str, with_comma: bool) -> int:
    number = _number("contracts", text, with_comma)
    if number != int(number):
        raise InvalidInput("contracts", f"must be a whole number, not {text}")
    return int(number)


def _day(name: str, text: str) -> date:
    german = GERMAN_DAY.fullmatch(text)
    written = f"{german[3]}-{int(german[2]):02}-{int(german[1]):02}" if german else text
    try:
        if len(written) != 10:
            raise ValueError
        return date.fromisoformat(written)
    except ValueError:
        raise InvalidInput(name, f"must be a day such as 2026-01-30, not {_clean(text)!r}") from None


def funding_of(text: str) -> PremiumFunding:
    """What paid for a position, cash when nothing is said; raises InvalidInput."""
    try:
        return PremiumFunding(text.lower().replace(" ", "_") or "cash")
    except ValueError:
        raise InvalidInput("funding", f"must be cash, loan or sell_gold, not {_clean(text)!r}") from None


def _sameness(option: HeldOption, is_dated: bool) -> tuple[object, ...]:
    """What tells two positions apart; the day only where the file says it."""
    return option.contract, option.contracts, option.price_paid, option.opened_on if is_dated else None


def _shown(cells: Sequence[str], separator: str) -> str:
    return _clean(separator.join(cells), SHOWN_TEXT)


def _clean(text: str, most: int = 40) -> str:
    told = "".join(sign if sign.isprintable() else "?" for sign in text)
    return told if len(told) <= most else f"{told[: most - 3]}..."

"""How what is typed is read: the only place where per cent becomes a fraction; what has two meanings is refused."""

import math
import re
from datetime import date
from decimal import Decimal, InvalidOperation

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import Instrument, InstrumentKind

GROUPS = re.compile(r"[0-9]{1,3}(?:([,' ])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]*)?")
PLAIN = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
ONE_GROUP = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
THREE_DECIMALS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
POINT_GROUPS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3}){2,}(?:,[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
CURRENCY_WORDS = {  # in small letters; of two that begin alike the longer one comes first
    "USD": ("usd", "us$", "$"),
    "CHF": ("chf", "sfr.", "sfr", "fr.", "fr"),
    "EUR": ("eur", "€"),
    "GBP": ("gbp", "£"),
}
COMMA_DECIMALS = re.compile(r"[0-9]*,[0-9]+")
UNIT_WORDS = {  # by the unit of an instrument
    "grams": ("grams", "gram", "gr", "g"),
    "kilograms": ("kilograms", "kilogram", "kg"),
    "troy ounces": ("ounces", "ounce", "ozt", "oz"),
    "shares": ("shares", "share"),
}
LONGEST = 40
LARGEST = 1e15
SAME = str.maketrans({"’": "'", "‘": "'", "`": "'", "−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
MISSING = "is missing"


def amount(argument: str, text: str, *, fine: bool = False, currency: str = "USD", unit: str = "") -> float:
    """A number with or without thousands separators: 1,000,000 or 1'000'000 or 1 000 000; the point is decimal.

    The `currency` that is meant may stand beside it, as a sign or a code, another one may not. A weight has its
    instrument's `unit` instead.

    `fine` is for weights, where three decimals are usual: there `32,151` and `1.000` are refused, elsewhere `4.012`,
    because each has two readings. Raises InvalidInput with the reason.
    """
    shown = text.strip()
    plain = shown.translate(SAME)
    if unit:
        plain = _without(UNIT_WORDS.get(unit, ()), plain)
    else:
        plain = _without(CURRENCY_WORDS.get(currency, (currency.lower(),)), plain)
        for other, words in CURRENCY_WORDS.items():
            if other != currency and _without(words, plain) != plain:
                raise InvalidInput(argument, f"must be in {currency}, not in {other} as {_quoted(shown)} says")
    sign = -1.0 if plain.startswith("-") else 1.0
    digits = plain[1:].strip() if plain[:1] in ("-", "+") else plain
    if not digits:
        raise InvalidInput(argument, MISSING)
    if len(digits) > LONGEST:
        raise InvalidInput(argument, f"has {len(digits)} characters; that is no amount")
    _refuse_ambiguous(argument, shown, digits, fine=fine)
    if not PLAIN.fullmatch(digits) and not GROUPS.fullmatch(digits):
        raise InvalidInput(argument, f"must be a number such as 1,000,000 or 1000.50, not {_quoted(shown)}")
    found = sign * float(re.sub("[,' ]", "", digits))
    if abs(found) > LARGEST:
        raise InvalidInput(argument, "is larger than all the gold there is")
    return found


def _without(words: tuple[str, ...], text: str) -> str:
    """The text without the word that it begins with, and the one that it ends with, in small letters or capitals."""
    before = next((len(word) for word in words if text[: len(word)].lower() == word), 0)
    rest = text[before:].strip()
    after = next((len(word) for word in words if rest[-len(word) :].lower() == word), 0)
    return rest[: len(rest) - after].strip()


def _refuse_ambiguous(argument: str, shown: str, digits: str, *, fine: bool) -> None:
    bare = re.sub("[,.]", "", digits)
    if fine and ONE_GROUP.fullmatch(digits):
        pointed = digits.replace(",", ".")
        raise InvalidInput(argument, f"may mean {bare} or {pointed}; write the one you mean, without a comma")
    if THREE_DECIMALS.fullmatch(digits) and (not fine or digits.endswith("0")):
        small = digits.rstrip("0").rstrip(".")
        written = f"{small}0" if small == digits else small  # three decimals alone would be asked about again
        raise InvalidInput(argument, f"may mean {bare} or {small}; write {bare}, or {written} for the smaller number")
    if POINT_GROUPS.fullmatch(digits):
        meant = digits.replace(".", "").replace(",", ".")
        raise InvalidInput(argument, f"has points between thousands; the point is decimal here: write {meant}")
    if COMMA_DECIMALS.fullmatch(digits) and not GROUPS.fullmatch(digits):
        meant = digits.replace(",", ".")
        raise InvalidInput(argument, f"has a decimal comma; write {meant}, or 1,000,000 for thousands")
    if GROUPS.fullmatch(digits) and digits.startswith("0") and not digits.startswith("0."):
        raise InvalidInput(argument, f"of {_quoted(shown)} begins with a zero; write it without separators")


def weight(argument: str, text: str, gold: Instrument) -> float:
    """Units of an instrument: shares, or ounces, grams or kilograms of bullion; its unit may stand beside them."""
    return amount(argument, text, fine=gold.kind is InstrumentKind.BULLION, unit=gold.unit)


def percent(argument: str, text: str, *, least_bare: float = 1.0) -> float:
    """A fraction from per cent: `75`, `75 %`, `75.5` or `75,5` give 0.75, 0.755.

    A number other than zero below `least_bare` and without the sign may have been meant as a fraction: refused.
    """
    shown = text.strip()
    plain = shown.translate(SAME)
    signed = plain.endswith("%")
    digits = plain.removesuffix("%").strip()
    if not digits:
        raise InvalidInput(argument, MISSING)
    if len(digits) > LONGEST or not re.fullmatch(r"[-+]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)", digits):
        raise InvalidInput(argument, f"must be per cent, such as 75 or 75.5 %, not {_quoted(shown)}")
    try:
        found = Decimal(digits.replace(",", "."))
    except InvalidOperation:  # a lone separator
        raise InvalidInput(argument, f"must be per cent, such as 75, not {_quoted(shown)}") from None
    if found != 0 and abs(found) < Decimal(str(least_bare)) and not signed:
        hundred = f"{float(found) * 100:g}"
        raise InvalidInput(
            argument, f"may mean {found} % or {hundred} %; write {hundred}, or {found} % with its sign"
        )
    return float(found / 100)


def whole(argument: str, text: str) -> int:
    """A whole number; it may be negative."""
    found = amount(argument, text)
    if found != int(found):
        raise InvalidInput(argument, f"must be a whole number, not {_quoted(text.strip())}")
    return int(found)


def day(argument: str, text: str) -> date:
    """A day as 2026-11-20, or 20.11.2026; 11/12/2026 has two readings and is refused."""
    shown = text.strip()
    if not shown:
        raise InvalidInput(argument, MISSING)
    if re.fullmatch(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}", shown):
        raise InvalidInput(argument, f"may have the month or the day first in {_quoted(shown)}; write 2026-11-20")
    dotted = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", shown)
    try:
        if dotted is not None:
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", shown):
            raise ValueError
        return date.fromisoformat(shown)
    except ValueError:
        raise InvalidInput(argument, f"must be a day such as 2026-11-20, not {_quoted(shown)}") from None


def as_amount(value: float | None, *, fine: bool = False) -> str:
    """A number for a field, to the last digit and read back as the same: `1,000,000`, `2,173.913043478261`."""
    if value is None or not math.isfinite(value):
        return ""
    plain = format(Decimal(repr(value)), "f")
    before, _, after = plain.partition(".")
    after = after.rstrip("0")
    grouped = before if fine else f"{int(before):,}"
    if len(after) == 3 and "," not in grouped:
        after += "0"  # three decimals alone could be thousands
    return f"{grouped}.{after}" if after else grouped


def as_percent(fraction: float | None) -> str:
    """A fraction for a field: `75`, `6.45`; below one with its sign, so that it is read back as the same."""
    if fraction is None:
        return ""
    found = format((Decimal(repr(fraction)) * 100).normalize(), "f")
    return f"{found} %" if found != "0" and abs(Decimal(found)) < 1 else found


def sentence(label: str, problem: InvalidInput) -> str:
    """What is wrong, as it stands under the field of that name where it was typed."""
    return f"{label} {problem.reason}."


def _quoted(text: str) -> str:
    return f"“{text[:30]}…”" if len(text) > 30 else f"“{text}”"

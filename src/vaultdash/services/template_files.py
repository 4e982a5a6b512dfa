"""Hedge templates as documents: JSON or YAML text into a template, and back bit by bit."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.services.strict_text import plain_of
from vaultdash.services.template_schema import DOCUMENT, RIGHTS, SCHEMA, TEMPLATE, require_fit

MOST_BYTES = 20_000  # several times the longest template
BREAKS = frozenset("\x85\u2028\u2029")  # line breaks to YAML, which would be read back as spaces unless escaped
WORDS = {right: word for word, right in RIGHTS.items()}
T = TypeVar("T")


class FileFormat(StrEnum):
    """In which words a document is written."""

    JSON = "json"
    YAML = "yaml"


def export_text(template: HedgeTemplate, file_format: FileFormat = FileFormat.JSON) -> str:
    """The template as a document; version and whose it is belong to the house and stay out."""
    document = {"schema": SCHEMA, "template": fields_of(template)}
    if file_format is FileFormat.JSON:
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    import yaml

    is_plain = BREAKS.isdisjoint("".join((template.name, template.description)))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=is_plain, width=100)


def fields_of(template: HedgeTemplate) -> dict[str, Any]:
    """The template in plain words and numbers, every field named."""
    roll = template.roll
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        "legs": [
            {
                "right": WORDS[leg.right],
                "strike": {"rule": leg.strike.rule.value}
                | ({} if leg.strike.value is None else {"value": leg.strike.value}),
                "months": leg.months,
                "side": leg.side.value,
                "share": leg.share,
                "contracts": leg.contracts,
            }
            for leg in template.legs
        ],
        "roll": {
            "days_before_expiry": roll.days_before_expiry,
            "ratchet": roll.ratchet,
            "monetise_delta": roll.monetise_delta,
            "monetise_ltv": roll.monetise_ltv,
            "rebuy": roll.rebuy,
            "yearly_budget": roll.yearly_budget,
        },
        "coverage": template.coverage,
        "funding": template.funding.value,
        "counting": None if template.counting is None else template.counting.value,
        "repays": template.repays,
    }


def read_fields(text: bytes | str) -> dict[str, Any]:
    """The fields of a template in a document {"schema": 1, "template": {...}} or alone, in JSON or YAML, unchecked.

    Raises InvalidInput for what is too large, cannot be read, says a thing twice, or is of another layout.
    """
    plain = plain_of(text, "document", MOST_BYTES)
    if isinstance(plain, dict) and ("schema" in plain or "template" in plain):
        whole: dict[str, Any] = require_fit(plain, {**DOCUMENT, "properties": _WHATEVER})
        found: dict[str, Any] = whole["template"]
        return found
    if not isinstance(plain, dict):
        raise InvalidInput("document", "must be a template: a group of fields with a name")
    return plain


def template_of(fields: Mapping[str, Any], template_id: str | None = None) -> HedgeTemplate:
    """The template of those fields, with an id that is given, or their own; raises InvalidInput with the path."""
    given = require_fit(dict(fields), TEMPLATE)
    own = given.get("id", template_id)
    if own is None:
        raise InvalidInput("id", "is missing")
    legs = tuple(_leg(leg, f"legs[{place}]") for place, leg in enumerate(given.get("legs", ())))
    rest: dict[str, Any] = {name: given[name] for name in ("description", "coverage", "repays") if name in given}
    if "funding" in given:
        rest["funding"] = PremiumFunding(given["funding"])
    if given.get("counting") is not None:
        rest["counting"] = HedgeCounting(given["counting"])
    roll = _within("", lambda: RollPolicy(**given.get("roll", {})))
    return HedgeTemplate(own, given["name"], legs=legs, roll=roll, **rest)


# the layout is judged before the fields, which another one may have others of
_WHATEVER: Mapping[str, Any] = {**DOCUMENT["properties"], "template": {"type": "object"}}


def _leg(given: Mapping[str, Any], path: str) -> TemplateLeg:
    strike = given["strike"]
    rest: dict[str, Any] = {name: given[name] for name in ("share", "contracts") if name in given}
    if "side" in given:
        rest["side"] = Side(given["side"])
    return _within(
        path,
        lambda: TemplateLeg(
            RIGHTS[given["right"]], Strike(StrikeRule(strike["rule"]), strike.get("value")), given["months"], **rest
        ),
    )


def _within(path: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except InvalidInput as error:
        raise InvalidInput(f"{path}.{error.argument}" if path else error.argument, error.reason) from None

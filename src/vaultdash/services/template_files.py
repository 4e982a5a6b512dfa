"""Hedge templates as documents: JSON or YAML text into a template, and back bit by bit."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import LONGEST_TITLE, HedgeTemplate, RollPolicy, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.services.template_schema import DOCUMENT, RIGHTS, SCHEMA, TEMPLATE, require_fit

MOST_BYTES = 20_000  # several times the longest template
MOST_DEPTH = 20
UNREADABLE = "is neither JSON nor YAML"
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

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


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
    plain = _plain(text)
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


def _plain(text: bytes | str) -> Any:
    """What JSON or YAML says, whichever it is: a document that begins with { is JSON."""
    if len(text) > MOST_BYTES:
        raise InvalidInput("document", f"must have at most {MOST_BYTES:,} bytes")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidInput("document", "must be text in UTF-8") from None
    try:
        return _json(text) if text.lstrip().startswith("{") else _yaml(text)
    except RecursionError:
        raise InvalidInput("document", f"{UNREADABLE}: it goes too deep") from None


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _require_once([name for name, _ in pairs])
        return dict(pairs)

    def refuse(word: str) -> Any:
        raise InvalidInput("document", f"holds {word}, which is no number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise InvalidInput("document", f"is no JSON: {error.msg} in line {error.lineno}") from None
    except InvalidInput:
        raise
    except ValueError:  # an integer of thousands of digits
        raise InvalidInput("document", "holds a number that is too long") from None


def _yaml(text: str) -> Any:
    import yaml

    class OnceLoader(yaml.SafeLoader):
        """Plain values only; no anchors, which can make a small text enormous, and no name twice."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise InvalidInput("document", "must not refer to another part of itself (*name)")
            self.depth += 1
            if self.depth > MOST_DEPTH:
                raise InvalidInput("document", "goes too deep")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            _require_once([key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, OnceLoader)  # noqa: S506 - a safe loader, made stricter
    except InvalidInput:
        raise
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f" in line {error.problem_mark.line + 1}"
        raise InvalidInput("document", f"{UNREADABLE}: {error.problem or 'a sign is out of place'}{where}") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise InvalidInput("document", UNREADABLE) from None


def _require_once(names: list[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InvalidInput(
            twice if twice.isprintable() and len(twice) <= LONGEST_TITLE else "a field", "is given twice"
        )

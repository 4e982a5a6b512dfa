"""What a template looks like in a file: the published JSON Schema, and the reader that holds a document to it."""

from collections.abc import Mapping
from typing import Any

from vaultdash.domain import template as domain
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import Side, StrikeRule
from vaultdash.domain.validation import finite

SCHEMA = 1  # of the document
Schema = dict[str, Any]
RIGHTS: Mapping[str, Right] = {"put": Right.PUT, "call": Right.CALL}  # in words, as a position is entered
SHOWN = 60
OPEN: Schema = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
SHARE: Schema = {"exclusiveMinimum": 0, "maximum": 1}
KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "must be a group of fields"),
    "array": ((list,), "must be a list"),
    "string": ((str,), "must be text"),
    "boolean": ((bool,), "must be true or false"),
    "integer": ((int,), "must be a whole number"),
    "number": ((int, float), "must be a number"),
}


def _kind(kind: str, about: str, *, or_null: bool = False, **rest: Any) -> Schema:
    """A field; one that may be null says so as OpenAPI 3.1 does."""
    if or_null:
        return {"anyOf": [{"type": kind, **rest}, {"type": "null"}], "description": about}
    return {"type": kind, "description": about, **rest}


def _choice(about: str, *choices: str, or_null: bool = False) -> Schema:
    return _kind("string", about, or_null=or_null, enum=[str(choice) for choice in choices])


def _group(about: str, required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    told: Schema = {"required": list(required)} if required else {}
    return _kind("object", about, properties=fields, additionalProperties=False, **told)


STRIKE = _group(
    "How the strike is found on the day of the decision, among those that are listed",
    ("rule",),
    rule=_choice(
        "percent_of_spot: nearest to value x spot; delta: the one whose delta, without sign, is nearest to it; "
        "distance_to_call: nearest to value x margin-call price; first_above_call: the lowest above that price",
        *StrikeRule,
    ),
    value=_kind(
        "number",
        "A fraction of spot or of the call price, 0.1 to 3 (0.95 is 95 %), or a delta between 0 and 1; none for "
        "first_above_call",
        or_null=True,
    ),
)
LEG = _group(
    "One option",
    ("right", "strike", "months"),
    right=_choice("put or call", *RIGHTS),
    strike=STRIKE,
    months=_kind("number", "To expiry", minimum=domain.SHORTEST_MONTHS, maximum=domain.LONGEST_MONTHS),
    side=_choice("buy (the default) or sell", *Side),
    share=_kind("number", "Of the covered units; default 1", **SHARE),
    contracts=_kind(
        "integer", "A number of contracts instead of the share", or_null=True, minimum=1,
        maximum=domain.MOST_CONTRACTS,
    ),
)  # fmt: skip
ROLL = _group(
    "What is done with the hedge after it was bought; what is null is never done",
    days_before_expiry=_kind(
        "integer", "Calendar days before expiry at which it is rolled; default 30; null holds it to expiry",
        or_null=True, minimum=1, maximum=domain.LONGEST_ROLL_DAYS,
    ),
    ratchet=_kind(
        "number", "Rolled when spot has risen by this fraction since the purchase", or_null=True, minimum=0.005,
        maximum=5,
    ),
    monetise_delta=_kind(
        "number", "The puts are sold and the loan repaid when a delta, without sign, is beyond this", or_null=True,
        **OPEN,
    ),
    monetise_ltv=_kind("number", "The same when the loan-to-value has reached this", or_null=True, **OPEN),
    rebuy=_kind("boolean", "Whether a new hedge is bought after that and after expiry; default true"),
    yearly_budget=_kind(
        "number", "The most that is paid for options within 365 days, as a fraction of the collateral", or_null=True,
        **OPEN,
    ),
)  # fmt: skip
TEMPLATE = _group(
    "A hedge by rule: it says nothing of prices or dates",
    ("name",),
    id=_kind("string", "Small letters, digits, _ and -; made of the name when left out", maxLength=60),
    name=_kind("string", "What is shown", maxLength=domain.LONGEST_TITLE),
    description=_kind("string", "In a sentence or two", maxLength=domain.LONGEST_DESCRIPTION),
    legs=_kind("array", f"At most {domain.MOST_LEGS}; without any nothing is done", items=LEG),
    roll=ROLL,
    coverage=_kind("number", "The share of the pledged units it is over; default 1", **SHARE),
    funding=_choice("What pays the premium; default cash", *PremiumFunding),
    counting=_choice(
        "How the lender counts the options; null leaves it to the loan", *HedgeCounting, or_null=True
    ),
    repays=_kind("boolean", "Nothing is bought; what the legs would have cost repays the loan. Default false"),
)  # fmt: skip
DOCUMENT: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Hedge template of Vault Dashboard",
    **_group(
        "A hedge template as it is exported and imported, in JSON or YAML",
        ("schema", "template"),
        schema=_kind("integer", "The layout of this document", const=SCHEMA),
        template=TEMPLATE,
    ),
}


def require_fit(value: Any, schema: Schema, path: str = "") -> Any:
    """`value` with numbers as the schema has them; raises InvalidInput naming the path of what does not fit.

    Kinds, choices, missing and unknown fields are judged here; the bounds of numbers by the objects themselves.
    """
    where = path or "document"
    if "anyOf" in schema:
        return None if value is None else require_fit(value, schema["anyOf"][0], path)
    kinds, words = KINDS[schema["type"]]
    if schema["type"] == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))  # a flag is an int to Python
    if not fits:
        raise InvalidInput(where, f"{words}, not {_shown(value)}")
    if "const" in schema and value != schema["const"]:
        raise InvalidInput(where, f"must be {schema['const']}, the layout this release reads, not {value}")
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidInput(where, f"must be one of {', '.join(schema['enum'])}, not {_shown(value)}")
    if schema["type"] == "object":
        return _fields(value, schema, path) if "properties" in schema else value
    if schema["type"] == "array":
        return [require_fit(entry, schema["items"], f"{path}[{place}]") for place, entry in enumerate(value)]
    if schema["type"] == "number":
        return finite(where, value)
    return value


def _fields(given: dict[Any, Any], schema: Schema, path: str) -> dict[str, Any]:
    known: Mapping[str, Schema] = schema["properties"]
    found = {}
    for name, value in given.items():
        here = _below(path, name if isinstance(name, str) else _shown(name))
        if name not in known:
            raise InvalidInput(here, f"is no field; there are {', '.join(known)}")
        found[name] = require_fit(value, known[name], here)
    for name in schema.get("required", ()):
        if name not in given:
            raise InvalidInput(_below(path, name), "is missing")
    return found


def _below(path: str, name: str) -> str:
    shown = name if len(name) <= SHOWN and name.isprintable() else "(unreadable)"
    return f"{path}.{shown}" if path else shown


def _shown(value: Any) -> str:
    """A value in an error: never long, never more than one line."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a group of fields"
    if value is None:
        return "nothing"
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"  # such as a date, which YAML knows
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN and text.isprintable() else "something unreadable"

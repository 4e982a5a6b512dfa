"""Validates JSON against the part of JSON Schema that OpenAPI 3.1 documents of FastAPI use; unknown words fail."""

from datetime import date, datetime
from typing import Any

ANNOTATIONS = {"title", "description", "default", "examples"}
KNOWN = ANNOTATIONS | {
    "$ref", "type", "properties", "required", "items", "anyOf", "enum", "const", "format", "additionalProperties",
    "propertyNames", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxLength",
}  # fmt: skip
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


class Mismatch(AssertionError):
    """The value is not what the schema says."""


def validate(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "answer") -> None:
    """Raise Mismatch when `value` does not fit; fields that the schema does not name do not fit."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"this validator does not know {unknown}"
    if "$ref" in schema:
        return validate(value, _resolve(schema["$ref"], document), document, where)
    if "anyOf" in schema:
        return _any_of(value, schema["anyOf"], document, where)
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("number", "integer"))
    ):
        raise Mismatch(f"{where} is not of type {kind}: {value!r}")
    if "enum" in schema and value not in schema["enum"]:
        raise Mismatch(f"{where} is none of {schema['enum']}: {value!r}")
    if "const" in schema and value != schema["const"]:
        raise Mismatch(f"{where} is not {schema['const']!r}: {value!r}")
    if schema.get("format") == "date-time":
        datetime.fromisoformat(value)
    if schema.get("format") == "date":
        date.fromisoformat(value)
    if kind == "array":
        for index, entry in enumerate(value):
            validate(entry, schema["items"], document, f"{where}[{index}]")
    if kind == "object":
        _object(value, schema, document, where)
    return None


def _object(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], where: str) -> None:
    missing = set(schema.get("required", ())) - set(value)
    if missing:
        raise Mismatch(f"{where} lacks {missing}")
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, entry in value.items():
        if name in properties:
            validate(entry, properties[name], document, f"{where}.{name}")
        elif isinstance(others, dict):
            validate(entry, others, document, f"{where}.{name}")
            if "propertyNames" in schema:
                validate(name, schema["propertyNames"], document, f"{where}.{name}, the name,")
        else:
            raise Mismatch(f"{where} has an undocumented {name}")


def _any_of(value: Any, choices: list[dict[str, Any]], document: dict[str, Any], where: str) -> None:
    reasons = []
    for choice in choices:
        try:
            return validate(value, choice, document, where)
        except Mismatch as mismatch:
            reasons.append(str(mismatch))
    raise Mismatch(f"{where} fits nothing: {'; '.join(reasons)}")


def _resolve(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found

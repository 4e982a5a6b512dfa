"""Documents of templates: there and back bit by bit, in JSON and YAML, and what is wrong named by its path."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.api.json_schema import Mismatch, validate
from tests.storage.sql.records import a_template, templates
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, RollPolicy, Strike, StrikeRule, TemplateLeg
from vaultdash.services.template_files import FileFormat, export_text, fields_of, read_fields, template_of
from vaultdash.services.template_schema import DOCUMENT, SCHEMA, TEMPLATE
from vaultdash.strategies.templates import TEMPLATES

SPOT = {"rule": "percent_of_spot", "value": 0.95}
PUT = {"right": "put", "strike": SPOT, "months": 12}
GOOD: dict[str, Any] = {"id": "mine", "name": "Mine", "legs": [PUT]}


@settings(max_examples=80, deadline=None)
@given(template=templates())
@example(a_template(name="no", description="1e3\n\x85\u2028 ~ 'null' \"x\": - #\t"))
@example(a_template(name="2026-01-30", coverage=1e-5, description="=\ufeff<<"))
@example(a_template(name="0x1F", coverage=5e-324))
def test_a_template_comes_back_bit_by_bit(template: HedgeTemplate) -> None:
    for file_format in FileFormat:
        text = export_text(template, file_format)
        back = template_of(read_fields(text.encode()))
        assert back == replace(template, version=1)
        assert export_text(back, file_format) == text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.id)
def test_the_templates_of_the_house_fit_the_published_schema(template: HedgeTemplate) -> None:
    schema = {name: value for name, value in DOCUMENT.items() if name != "$schema"}
    document = json.loads(export_text(template))
    validate(document, schema, schema)
    for lie in ({"more": 1}, {"funding": "gift"}, {"coverage": "1"}, {"legs": [{**PUT, "right": "P"}]}):
        with pytest.raises(Mismatch):
            validate({**document, "template": {**document["template"], **lie}}, schema, schema)


def test_the_example_of_the_documentation_is_a_template() -> None:
    guide = Path(__file__).parents[2] / "docs" / "templates.md"
    text = guide.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    template = template_of(read_fields(text))
    assert template.legs == (TemplateLeg(Right.PUT, Strike(StrikeRule.FIRST_ABOVE_CALL), 6.0),)
    assert template.roll == RollPolicy(30, 0.1, 0.85)
    assert set(yaml.safe_load(text)["template"]) == set(fields_of(template))


def test_both_formats_say_the_same() -> None:
    template = a_template()
    assert yaml.safe_load(export_text(template, FileFormat.YAML)) == json.loads(export_text(template))


def test_a_document_may_be_the_template_alone_and_leave_out_what_is_usual() -> None:
    text = "name: Mine\nlegs:\n- right: put\n  strike: {rule: percent_of_spot, value: 0.95}\n  months: 12\n"
    assert template_of(read_fields(text), "mine") == template_of(GOOD)
    assert template_of(GOOD) == template_of(json.loads(json.dumps(fields_of(template_of(GOOD)))))
    assert template_of({"id": "x", "name": "X"}) == HedgeTemplate("x", "X")


@pytest.mark.parametrize(
    ("fields", "argument", "words"),
    [
        ({"name": None}, "name", "must be text, not nothing"),
        ({"name": 5}, "name", "must be text, not 5"),
        ({"name": " "}, "name", "must have 1 to 80"),
        ({"id": "Mine"}, "id", "small letters"),
        ({"colour": "red"}, "colour", "is no field; there are id, name"),
        ({"legs": {}}, "legs", "must be a list, not a group of fields"),
        ({"legs": [PUT, 5]}, "legs[1]", "must be a group of fields"),
        ({"legs": [PUT, {**PUT, "strke": 1}]}, "legs[1].strke", "is no field; there are right, strike"),
        ({"legs": [{"right": "put", "strike": SPOT}]}, "legs[0].months", "is missing"),
        ({"legs": [{**PUT, "right": "P"}]}, "legs[0].right", "must be one of put, call, not 'P'"),
        ({"legs": [{**PUT, "months": 0}]}, "legs[0].months", "above zero"),
        ({"legs": [{**PUT, "months": True}]}, "legs[0].months", "must be a number, not True"),
        ({"legs": [{**PUT, "contracts": 1.5}]}, "legs[0].contracts", "must be a whole number"),
        ({"legs": [{**PUT, "strike": {"rule": "delta", "value": 25}}]}, "legs[0].strike.value", "write 0.25"),
        ({"legs": [{**PUT, "strike": {"rule": "delta"}}]}, "legs[0].strike.value", "is missing"),
        ({"legs": [{**PUT, "strike": {**SPOT, "rule": "first_above_call"}}]}, "legs[0].strike.value", "not wanted"),
        ({"legs": [{**PUT, "strike": {"rule": "atm"}}]}, "legs[0].strike.rule", "must be one of percent_of_spot"),
        ({"legs": [{**PUT, "share": float("nan")}]}, "legs[0].share", "finite"),
        ({"coverage": float("inf")}, "coverage", "finite"),
        ({"coverage": 10**400}, "coverage", "finite"),
        ({"roll": {"ratchet": float("-inf")}}, "roll.ratchet", "finite"),
        ({"roll": {"days_before_expiry": 0}}, "roll.days_before_expiry", "between 1 and 365"),
        ({"roll": {"rebuy": 1}}, "roll.rebuy", "must be true or false"),
        ({"roll": {"when": 1}}, "roll.when", "is no field"),
        ({"roll": None}, "roll", "must be a group"),
        ({"counting": "never"}, "counting", "must be one of ignored"),
        ({"legs": [{**PUT, "side": "sell"}]}, "legs", "sell more puts"),
        ({"repays": True, "legs": []}, "legs", "are missing"),
        ({"name\n" * 50: 1}, "(unreadable)", "is no field"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(fields: dict[str, Any], argument: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        template_of({**GOOD, **fields})
    assert refusal.value.argument == argument
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema": 2, "template": {"name": "x", "new": 1}}', "schema must be 1, the layout this release reads"),
        ('{"template": {"name": "x"}}', "schema is missing"),
        ('{"schema": 1}', "template is missing"),
        ('{"schema": 1, "template": [], "name": 1}', "template must be a group"),
        ('{"schema": 1, "template": {}, "more": 1}', "more is no field"),
        ('{"name": "x", "name": "y"}', "name is given twice"),
        ("name: x\nname: y\n", "name is given twice"),
        ('{"coverage": NaN}', "holds NaN, which is no number"),
        ('{"coverage": Infinity}', "holds Infinity"),
        ('{"coverage": 1' + "0" * 5000 + "}", "too long"),
        ('{"name": ', "is no JSON"),
        ("name: [", "is neither JSON nor YAML"),
        ("- 1\n- 2\n", "must be a template"),
        ("", "must be a template"),
        ("just words", "must be a template"),
        ("name: &a x\ndescription: *a\n", "must not refer to another part"),
        ("name: !!python/object/apply:os.system [ls]\n", "is neither JSON nor YAML"),
        ("? [a]\n: 1\n", "is neither JSON nor YAML"),
        ("[" * 5000, "document"),
        ('{"a":' * 3000, "document"),
        ("- " * 5000, "document"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"name: \x00", "is neither JSON nor YAML"),
        ("x" * 20_001, "at most 20,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str | bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        read_fields(text)
    assert len(str(refusal.value)) < 300


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*TEMPLATE["properties"], "other"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["cash", "put", "mine", [PUT], [{}], {"rebuy": False}, {"ratchet": 0.1}]),
    )
)
def test_reader_and_published_schema_agree_but_for_bounds(fields: dict[str, Any]) -> None:
    try:
        validate({"id": "mine", **fields}, TEMPLATE, {})
    except (Mismatch, OverflowError):
        fits = False
    else:
        fits = True
    try:
        template_of({"id": "mine", **fields})
    except InvalidInput:
        assume(not fits)  # a bound of a number, or of what its parts are to each other
    else:
        assert fits


def test_the_schema_has_the_number_that_documents_carry() -> None:
    assert json.loads(export_text(a_template()))["schema"] == SCHEMA == DOCUMENT["properties"]["schema"]["const"]

"""A grid as it is typed: what it means, and what is wrong with it in words."""

import json
import re
from datetime import date

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.services.sweep_grid import MOST_BYTES, Span, grid_of, read_grid

YAML = b"""
name: How far, how long
templates: [protective_put_otm_95]
vary:
  legs[0].strike.value: {from: 0.8, to: 1.0, step: 0.1}
  legs[0].months: [3, 12]
  coverage: 0.5
events: [jan-2026, 2008]
spans:
  - {start: 2011-08-22, end: 2012-08-22}
entries: [0, 3]
terms:
  ltv: {from: 0.6, to: 0.7, step: 0.05}
  counting: [ignored, credited]
  costs.commission: 1.0
"""


def test_a_grid_in_yaml_is_read() -> None:
    grid = read_grid(YAML)
    assert (grid.name, grid.templates, grid.events) == (
        "How far, how long",
        ("protective_put_otm_95",),
        ("jan-2026", "2008"),
    )
    assert [(axis.path, axis.values) for axis in grid.vary] == [
        ("legs[0].strike.value", (0.8, 0.9, 1.0)),
        ("legs[0].months", (3, 12)),
        ("coverage", (0.5,)),
    ]
    assert grid.spans == (Span(date(2011, 8, 22), date(2012, 8, 22)),)
    assert grid.entries == (0, 3)
    assert [(axis.path, axis.values) for axis in grid.terms] == [
        ("ltv", (0.6, 0.65, 0.7)),
        ("counting", ("ignored", "credited")),
        ("costs.commission", (1.0,)),
    ]


def test_what_is_kept_is_the_same_grid() -> None:
    grid = read_grid(YAML)
    assert grid_of(json.loads(grid.written)) == grid
    assert read_grid(grid.written.encode()) == grid


def test_steps_of_whole_numbers_stay_whole_and_hold_both_ends() -> None:
    grid = grid_of({"events": ["2008"], "vary": {"roll.days_before_expiry": {"from": 10, "to": 90, "step": 20}}})
    assert grid.vary[0].values == (10, 30, 50, 70, 90)
    assert all(isinstance(value, int) for value in grid.vary[0].values)
    ltv = grid_of({"events": ["2008"], "terms": {"ltv": {"from": 0.1, "to": 0.7, "step": 0.1}}}).terms[0]
    assert ltv.values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def test_rolling_windows_begin_each_month_and_end_in_time() -> None:
    rolling = {"from": "2008-01-31", "to": "2009-01-15", "months": 6, "every_months": 3}
    spans = grid_of({"rolling": rolling}).spans
    assert spans == (Span(date(2008, 1, 31), date(2008, 7, 28)), Span(date(2008, 4, 28), date(2008, 10, 28)))


def test_without_templates_all_are_meant() -> None:
    assert grid_of({"events": ["2008"]}).templates == ()
    assert grid_of({"events": ["2008"], "templates": "all"}).templates == ()
    assert grid_of({"events": "2008", "templates": "no_hedge"}).templates == ("no_hedge",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"event": ["2008"]}, "event is no part of a grid; there are name, templates, vary, events"),
        ({}, "events are missing: name events, such as [jan-2026]"),
        ({"events": {"a": 1}}, "events must be a list"),
        ({"events": ["2008", 2008]}, "events has something twice"),
        ({"events": ["2008"], "templates": ["a", "a"]}, "templates has something twice"),
        ({"spans": [{"start": "2008-01-01"}]}, "spans[0] must have start and end"),
        ({"spans": [{"start": "2008-01-01", "end": "2007-01-01"}]}, "2007-01-01 is not after 2008-01-01"),
        (
            {"spans": [{"start": "yesterday", "end": "2007-01-01"}]},
            "must be a day such as 2008-03-17, not 'yesterday'",
        ),
        ({"rolling": {"from": "2008-01-01", "to": "2008-02-01", "months": 6}}, "has no window of 6 months"),
        ({"rolling": {"from": "2008-01-01", "to": "2008-02-01"}}, "needs from, to and months"),
        ({"rolling": {"from": "0001-01-01", "to": "9999-01-01", "months": 1}}, "more than 1,000 windows"),
        (
            {"rolling": {"from": "9990-01-01", "to": "9999-12-31", "months": 240}},
            "has no window that ends before the year 9999",
        ),
        ({"events": ["2008"], "entries": [0, 0]}, "entries must be different whole months"),
        ({"events": ["2008"], "entries": [1.5]}, "entries must be a whole number from 0 to 36"),
        ({"events": ["2008"], "entries": [True]}, "entries must be a whole number"),
        (
            {"events": ["2008"], "terms": {"lvt": 0.6}},
            "terms.lvt is no term; there are units, start_value, loan, ltv",
        ),
        ({"events": ["2008"], "terms": {"source": "observed"}}, "terms.source is no term"),
        ({"events": ["2008"], "terms": {"ltv": "high"}}, "ltv must be a number, not 'high'"),
        ({"events": ["2008"], "terms": {"counting": "mildly"}}, "counting must be one of ignored, after_payment"),
        ({"events": ["2008"], "terms": {"costs": 1}}, "cannot be varied as a whole; vary its parts: commission"),
        ({"events": ["2008"], "terms": {"ltv": 0.6, "loan": 1e6}}, "terms.loan contradicts ltv"),
        ({"events": ["2008"], "terms": {"ltv": float("nan")}}, "ltv must be a finite number"),
        ({"events": ["2008"], "terms": {"ltv": [[0.6]]}}, "ltv must be numbers or words, not list"),
        ({"events": ["2008"], "terms": {"ltv": {"from": 0.6, "to": 0.7}}}, "or have from, to and step"),
        ({"events": ["2008"], "terms": {"ltv": {"from": 0.6, "to": 0.7, "step": 0}}}, "step is above zero"),
        ({"events": ["2008"], "terms": {"ltv": {"from": 0.6, "to": 0.7, "step": 1e-9}}}, "steps; at most 1,000"),
        ({"events": ["2008"], "terms": {"ltv": {"from": "a", "to": 0.7, "step": 1}}}, "ltv.from must be a number"),
        ({"events": ["2008"], "vary": {"coverage": []}}, "coverage has no values"),
        ({"events": ["2008"], "vary": ["coverage"]}, "vary must be a group of fields with names"),
        ({"events": ["2008"], "name": "x" * 81}, "name must be text of at most 80"),
        ({"events": ["2008"], "name": "a\x00b"}, "name must be plain text"),
        ([], "grid must be a group of fields with names"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(given: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)):
        grid_of(given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"templates: [a", "grid is neither JSON nor YAML: "),
        (b'{"events": ', "grid is no JSON: Expecting value in line 1"),
        (b"\xff\xfe\x00", "grid must be text in UTF-8"),
        (b"a" * (MOST_BYTES + 1), "grid must have at most 200,000 bytes"),
        (b"", "grid must be a group"),
        (b"!!python/object/apply:os.system ['true']", "grid is neither JSON nor YAML"),
        (b"? [1, 2]\n: 3", "grid is neither JSON nor YAML"),
        (b"[" * 3000, "grid goes too deep"),
        (b"events: [2008]\nterms: {ltv: 0.6}\nterms: {ltv: 0.7}", "terms is given twice"),
        (b"events: [2008]\nvary:\n  coverage: 0.5\n  coverage: 1.0", "coverage is given twice"),
        (b'{"events": ["2008"], "terms": {"ltv": 0.6, "ltv": 0.7}}', "ltv is given twice"),
        (b"events: &all [2008]\ntemplates: *all", "grid must not refer to another part of itself"),
        (b'{"events": ["2008"], "terms": {"ltv": NaN}}', "grid holds NaN, which is no number"),
    ],
)
def test_a_file_that_is_no_grid_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)):
        read_grid(text)

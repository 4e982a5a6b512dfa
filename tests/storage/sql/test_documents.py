"""Documents of portfolios, plans and templates: exact, numbered, and refused when they cannot be trusted."""

import json

import pytest
from hypothesis import given, settings

from tests.builders import a_portfolio
from tests.storage.sql.records import plans, portfolios, templates
from vaultdash.domain.alert import AlertPlan
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.template import HedgeTemplate
from vaultdash.storage.sql.documents import Documents, plan_documents, portfolio_documents, template_documents


@settings(max_examples=100, deadline=None)
@given(portfolio=portfolios())
def test_a_portfolio_comes_back_exactly(portfolio: Portfolio) -> None:
    assert portfolio_documents.unpacked(portfolio_documents.packed(portfolio)) == portfolio


@settings(max_examples=50, deadline=None)
@given(plan=plans())
def test_a_plan_comes_back_exactly(plan: AlertPlan) -> None:
    assert plan_documents.unpacked(plan_documents.packed(plan)) == plan


@settings(max_examples=100, deadline=None)
@given(template=templates())
def test_a_template_comes_back_exactly(template: HedgeTemplate) -> None:
    assert template_documents.unpacked(template_documents.packed(template)) == template


def test_a_document_is_plain_ascii_with_its_number() -> None:
    text = portfolio_documents.packed(a_portfolio())
    assert text.isascii()
    assert json.loads(text)["schema"] == 1


def test_an_earlier_document_is_brought_up() -> None:
    def renamed(content: dict[str, object]) -> dict[str, object]:
        return {"name": content.pop("title"), **content}

    old = json.loads(portfolio_documents.packed(a_portfolio()))
    old["content"]["title"] = old["content"].pop("name")
    later = Documents(Portfolio, "A portfolio", 2, {1: renamed})
    assert later.unpacked(json.dumps(old)) == a_portfolio()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema":2,"content":{}}', "later release"),
        ('{"schema":1,"content":{}}', "cannot be read"),
        ('{"schema":1,"content":{"id":"main"', "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
    ],
)
def test_what_cannot_be_trusted_is_refused(text: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words):
        portfolio_documents.unpacked(text)

"""A position as it is typed."""

from dataclasses import replace
from datetime import date

import pytest

from vaultdash.domain.option import OptionContract, Right
from vaultdash.domain.position import HeldOption, PremiumFunding
from vaultdash.ui.components.position_draft import PositionDraft

TODAY = date(2026, 6, 10)
HELD = HeldOption(
    "p1",
    OptionContract("GLD", date(2026, 12, 18), 372.5, Right.PUT),
    -3,
    9.125,
    date(2026, 1, 5),
    PremiumFunding.LOAN,
    date(2026, 6, 1),
    4.0,
    "sold at the top",
)


def test_a_kept_position_is_read_back_as_the_same() -> None:
    assert PositionDraft.of(HELD).read("GLD", "p1", TODAY) == (HELD, {})


def test_a_symbol_fills_the_pieces() -> None:
    draft = PositionDraft(contract="GLD 261218C00400000")
    assert draft.take_symbol("GLD") is None
    assert replace(draft, contract=draft.contract.lower()).take_symbol("GLD") is None
    assert (draft.expiration, draft.right, draft.strike) == ("2026-12-18", "C", "400")
    assert "this loan is valued by GLD" in (PositionDraft(contract="IAU261218P00040000").take_symbol("GLD") or "")
    assert "is no option symbol" in (PositionDraft(contract="puts").take_symbol("GLD") or "")


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("expiration", "", "is missing"),
        ("strike", "0", "above zero"),
        ("strike", "370.0001", "thousandths"),
        ("contracts", "0", "other than zero"),
        ("contracts", "1.5", "whole number"),
        ("price_paid", "-1", "must not be negative"),
        ("price_paid", "200000", "at most"),
        ("opened_on", "2026-06-11", "future"),
        ("opened_on", "2026-12-19", "future"),
        ("closed_on", "2026-06-11", "future"),
        ("closed_on", "2025-01-01", "before it was opened"),
        ("closed_price", "", "is missing"),
    ],
)
def test_what_is_impossible_is_refused_at_its_own_field(field: str, typed: str, reason: str) -> None:
    found, problems = replace(PositionDraft.of(HELD), **{field: typed}).read("GLD", "p1", TODAY)
    assert found is None
    assert reason in problems[field], problems

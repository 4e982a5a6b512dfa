"""What one could do instead of a hedge, and how far down a hedge keeps the call away."""

from datetime import date

import pytest

from tests.builders import a_portfolio, a_situation
from vaultdash.domain.exchange import DOLLAR
from vaultdash.domain.loan import Interest
from vaultdash.domain.portfolio import mark
from vaultdash.strategies.engine import compare
from vaultdash.ui.components.hedge_table import _cure, _kept, _repay


def test_repaying_with_the_premium_moves_the_call_down() -> None:
    comparison = compare(a_situation())
    row = _repay(comparison, "protective_put_atm", Interest(reference_rate=0.04, spread=0.02), DOLLAR)
    left = 600_000 - comparison.hedges[0].cost.total_cost
    assert row.cells["ignored"].sort == pytest.approx(
        left / 800_000
    )  # at the call price of 368 the gold is worth 800,000
    assert row.cells["keeps"].sort == pytest.approx(368 * left / 600_000)
    assert row.cells["year"].sort == pytest.approx(-0.06 * comparison.hedges[0].cost.total_cost / 1_000_000)


def test_what_ends_a_call_is_the_cure_at_the_price_now() -> None:
    row = _cure(mark(a_portfolio(loan=800_000), 460.0, date(2026, 6, 10)))
    assert row.cells["cost"].sort == pytest.approx(800_000 - 0.70 * 1_000_000)
    assert "70.0" in row.cells["ignored"].text


@pytest.mark.parametrize(
    ("credited", "after_payment", "text", "sub", "tone"),
    [
        (0.0, 0.0, "credited: at any price", "after payment: at any price", ""),
        (427.93, 0.0, "credited: to 427.93", "after payment: at any price", ""),
        (None, None, "credited: no", "after payment: no", "call"),
    ],
)
def test_how_far_down_the_call_is_kept_away_is_said_by_counting(
    credited: float | None, after_payment: float | None, text: str, sub: str, tone: str
) -> None:
    cell = _kept(credited, after_payment)
    assert (cell.text, cell.sub, cell.tone) == (text, sub, tone)


def test_the_page_does_not_say_that_a_ladder_keeps_what_it_does_not() -> None:
    # LTV 0.735: at -5 % the 33/33/33 ladder is a call although it keeps the buffer at the call price
    comparison = compare(a_situation(loan_amount=735_000.0))
    ladder = next(hedge for hedge in comparison.hedges if hedge.plan.name.endswith("atm_otm95_otm90"))
    assert ladder.protection.maintains_margin_call_buffer
    assert ladder.protection.lowest_price_kept_credited is not None
    assert ladder.protection.lowest_price_kept_credited > 0.95 * 460

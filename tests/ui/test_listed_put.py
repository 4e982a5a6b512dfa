"""What a listed put does about the call is said as the lender counts."""

from datetime import date

import pytest

from tests.builders import a_portfolio
from tests.ui.conftest import Priced
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import mark
from vaultdash.services.contract_cover import ContractCover, cover
from vaultdash.ui.components.listed_put import _effect, _limit


def covered(priced: Priced, strike: float, loan: float = 600_000.0) -> ContractCover:
    chain = priced()
    put = next(
        one for one in chain.options if one.quote.contract.right is Right.PUT and one.quote.contract.strike == strike
    )
    return cover(chain, put, mark(a_portfolio(loan=loan), 460.0, date(2026, 6, 10)))


@pytest.mark.parametrize(
    ("counting", "loan", "words"),
    [
        (HedgeCounting.IGNORED, 600_000.0, "the call still comes at 368.00"),
        (HedgeCounting.CREDITED, 600_000.0, "they keep the call away"),
        (HedgeCounting.AFTER_PAYMENT, 600_000.0, "they keep the call away"),
        (HedgeCounting.CREDITED, 700_000.0, "the strike is not above your call price of 429.33"),
    ],
)
def test_the_effect_is_that_of_the_lenders_counting(
    priced: Priced, counting: HedgeCounting, loan: float, words: str
) -> None:
    assert words in _effect(covered(priced, 420.0, loan), counting)


def test_with_nothing_counted_the_ltv_at_the_call_price_is_the_limit(priced: Priced) -> None:
    assert _limit(covered(priced, 420.0)) == pytest.approx(0.75)

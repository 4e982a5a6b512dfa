"""What a selection costs and how it moves."""

import pytest

from tests.builders import a_contract, an_option_quote
from tests.ui.conftest import Priced
from vaultdash.domain.option import Right
from vaultdash.ui.components.chosen_contracts import totals


def test_sums_are_over_all_contracts_with_their_counts(priced: Priced) -> None:
    options = {one.quote.contract.osi: one for one in priced().options}
    low, high = a_contract(440.0).osi, a_contract(460.0, Right.CALL).osi
    found = totals({low: 3, high: 1}, options)
    for name in ("delta", "gamma", "theta", "vega"):
        each = [getattr(options[osi], name) for osi in (low, high)]
        assert getattr(found, name) == pytest.approx(100 * (3 * each[0] + each[1]))
    assert found.cost == pytest.approx(100 * (3 * options[low].quote.ask + options[high].quote.ask))
    assert found.proceeds == pytest.approx(100 * (3 * options[low].quote.bid + options[high].quote.bid))


def test_one_contract_without_an_ask_leaves_the_cost_unknown_rather_than_too_low(priced: Priced) -> None:
    nobody = an_option_quote(a_contract(300.0), bid=0.0, ask=None)
    options = {
        one.quote.contract.osi: one for one in priced(nobody, *(one.quote for one in priced().options)).options
    }
    found = totals({a_contract(300.0).osi: 1, a_contract(460.0).osi: 1}, options)
    assert found.cost is None
    assert found.proceeds is not None


def test_a_contract_whose_chain_is_not_at_hand_leaves_everything_unknown(priced: Priced) -> None:
    options = {one.quote.contract.osi: one for one in priced().options}
    found = totals({a_contract(460.0, root="IAU").osi: 1}, options)
    assert (found.cost, found.delta, found.vega) == (None, None, None)

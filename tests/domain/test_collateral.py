"""Gold entered by value or by weight: three figures that never contradict each other."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.collateral import Collateral, EntryMode, Lot, require_gold
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import TROY_OUNCE_GRAMS, instrument

ON = date(2026, 6, 10)
AMOUNTS = st.floats(1e-3, 1e9)


@given(value=AMOUNTS, price=AMOUNTS)
def test_weight_is_start_value_by_entry_price(value, price):
    lot = Lot.by_value("GLD", value, price)
    assert (lot.entry_mode, lot.start_value, lot.entry_price) == (EntryMode.VALUE, value, price)
    assert abs(Decimal(lot.units) * Decimal(price) - Decimal(value)) < Decimal(value) * Decimal("1e-15")


@given(value=AMOUNTS, price=AMOUNTS)
def test_switching_the_mode_there_and_back_loses_nothing(value, price):
    typed = Lot.by_value("GLD", value, price)
    weighed = Lot("GLD", typed.units, EntryMode.WEIGHT, typed.entry_price, typed.start_value)
    again = Lot("GLD", weighed.units, EntryMode.VALUE, weighed.entry_price, weighed.start_value)
    assert again == typed


@given(units=AMOUNTS, price=AMOUNTS)
def test_an_entry_price_gives_the_start_value_of_a_weight(units, price):
    assert Lot.by_weight("GLD", units, price).start_value == units * price
    assert Lot.by_weight("GLD", units).start_value is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"units": 0.0}, "units"),
        ({"units": 10.0, "entry_price": -1.0, "start_value": 10.0}, "entry_price"),
        ({"units": 10.0, "entry_price": 460.0}, "start_value"),
        ({"units": 10.0, "entry_price": 460.0, "start_value": 4_601.0}, "units"),
        ({"units": 10.0, "entry_mode": EntryMode.VALUE}, "entry_price"),
        ({"units": 10.0, "entry_mode": EntryMode.VALUE, "entry_price": 1.0}, "start_value"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(fields, named):
    with pytest.raises(InvalidInput) as refusal:
        Lot("GLD", **fields)
    assert refusal.value.argument == named


def test_the_lots_are_told_in_the_unit_of_the_first():
    whole = Collateral((Lot("XAU-OZ", 10.0), Lot("XAU-G", TROY_OUNCE_GRAMS), Lot("XAU-KG", 1.0)))
    assert whole.is_mixed
    assert whole.ounces(ON) == pytest.approx(11 + 1000 / TROY_OUNCE_GRAMS)
    assert whole.units_on(ON) == pytest.approx(11 + 1000 / TROY_OUNCE_GRAMS)
    assert whole.quoted_by == "GLD"


def test_shares_and_bullion_are_one_collateral_by_the_gold_behind_a_share():
    whole = Collateral((Lot("GLD", 100.0), Lot("XAU-OZ", 1.0)))
    assert whole.shares(ON) == pytest.approx(100 + 1 / instrument("GLD").ounces_per_unit(ON))


def test_gold_valued_by_different_prices_is_two_portfolios():
    with pytest.raises(InvalidInput, match="different prices"):
        Collateral((Lot("GLD", 100.0), Lot("IAU", 100.0)))


def test_nothing_is_no_collateral():
    with pytest.raises(InvalidInput, match="at least one lot"):
        Collateral(())


@given(factor=st.floats(0.01, 100))
def test_a_scaled_lot_keeps_its_price(factor):
    lot = Lot.by_value("GLD", 1_000_000.0, 460.0).scaled(factor)
    assert (lot.entry_price, lot.entry_mode) == (460.0, EntryMode.VALUE)
    assert lot.units == pytest.approx(1_000_000 / 460 * factor)


def test_only_gold_is_gold():
    require_gold([Lot("GLD", 1.0), Lot("XAU-G", 1.0)])
    with pytest.raises(InvalidInput, match="TSLA is no known form of gold"):
        require_gold([Lot("TSLA", 1.0)])

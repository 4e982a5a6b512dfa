"""The dollar rate: the newest real one, with its day and source; a marked assumption when there is none."""

import math
from datetime import date

import pytest

from tests.builders import a_history
from vaultdash.domain.errors import NotFound, Unavailable
from vaultdash.domain.market import Bar
from vaultdash.services.dollar_rate import ASSUMED, DollarRates

BILL_AT_4 = math.log(1 / (1 - 0.04 * 91 / 360)) * 365 / 91


@pytest.fixture
def rates(impatient):
    impatient.market.history_failure = NotFound("no such symbol")
    impatient.demo.history_failure = NotFound("no such symbol")
    return DollarRates(impatient.history)


async def test_a_bill_yield_becomes_a_continuous_rate_with_its_day(impatient, rates):
    impatient.store.merge_history(a_history({date(2026, 6, 8): 3.9, date(2026, 6, 9): 4.0}, "^IRX", "file"))
    found = await rates.latest()
    assert found.value == pytest.approx(BILL_AT_4, abs=1e-12)
    assert (found.on, found.source) == (date(2026, 6, 9), "13-week bill, ^IRX (file)")


async def test_the_newer_of_bill_and_overnight_rate_is_taken(impatient, rates):
    impatient.store.merge_history(a_history({date(2026, 6, 8): 4.0}, "^IRX"))
    impatient.store.merge_history(a_history({date(2026, 6, 9): 3.6}, "SOFR"))
    found = await rates.latest()
    assert (found.on, found.source) == (date(2026, 6, 9), "SOFR (test)")
    assert 0.0360 < found.value < 0.0366


async def test_an_overnight_rate_is_never_asked_for(impatient, rates):
    await rates.latest()
    assert len(impatient.market.asked_days) == 1  # for the bill


async def test_an_invented_bill_gives_way_to_a_real_overnight_rate(impatient, rates):
    impatient.market.history_failure = Unavailable("away")
    impatient.demo.history_failure = None
    impatient.demo.bars = (Bar(date(2026, 6, 9), 4.0),)
    assert "DEMO" in (await rates.latest(invented=True)).source
    assert await rates.latest() == ASSUMED
    impatient.store.merge_history(a_history({date(2026, 5, 1): 3.6}, "SOFR"))
    assert (await rates.latest()).source == "SOFR (test)"
    assert (await rates.latest(invented=True)).source == "SOFR (test)"


async def test_without_any_rate_the_assumption_says_so(rates):
    found = await rates.latest()
    assert found == ASSUMED
    assert found.on is None
    assert "assumed" in found.source


async def test_a_yield_that_is_none_is_not_believed(impatient, rates):
    impatient.store.merge_history(a_history({date(2026, 6, 9): 40_000.0}, "^IRX"))
    assert await rates.latest() == ASSUMED

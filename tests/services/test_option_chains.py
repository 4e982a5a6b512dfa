"""Chains are asked for one at a time, remembered while newer ones fail, and priced once."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.services.twins import Clock, FixedHours, ScriptedChains
from vaultdash.domain.errors import InvalidInput, NotFound, RateLimited, Unavailable
from vaultdash.domain.market import Freshness
from vaultdash.domain.option import DollarRate
from vaultdash.pricing.compiled import Engine
from vaultdash.services.option_chains import OptionChains

SOON, MONTH, QUARTER, LEAPS = date(2026, 6, 12), date(2026, 7, 17), date(2026, 8, 21), date(2027, 6, 17)
NEXT_WEEK = timedelta(days=5)


class FixedRate:
    """What the test says dollars earn."""

    rate = DollarRate(0.0, None, "test")

    async def latest(self, *, invented: bool = False) -> DollarRate:
        return self.rate


async def by_quantlib() -> Engine:
    return "reference"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def market(clock):
    return ScriptedChains(clock, SOON, MONTH, QUARTER, LEAPS)


@pytest.fixture
def rates():
    return FixedRate()


@pytest.fixture
def chains(clock, market, rates):
    return OptionChains(market, rates, FixedHours(), clock, by_quantlib)


async def test_the_default_expiration_is_the_first_a_month_away(chains):
    listing = await chains.expirations("gld")
    assert (listing.symbol, listing.default) == ("GLD", MONTH)
    assert listing.days == (SOON, MONTH, QUARTER, LEAPS)


async def test_without_one_a_month_away_the_last_is_the_default(chains, market):
    market.days = (date(2026, 6, 11), SOON)
    assert (await chains.expirations("GLD")).default == SOON


async def test_an_expiration_is_listed_until_four_in_new_york_of_its_day(chains, market, clock):
    market.days = (clock().date(), MONTH)
    assert (await chains.expirations("GLD")).days == market.days
    clock.go_on(hours=4)
    assert (await chains.expirations("GLD")).days == (MONTH,)


async def test_the_first_look_asks_for_the_expirations_and_one_chain(chains, market):
    chain = await chains.chain("GLD")
    assert market.asked == [("GLD", None), ("GLD", MONTH)]
    assert chain.expiration == MONTH


async def test_another_expiration_is_asked_for_alone(chains, market):
    await chains.chain("GLD")
    market.asked.clear()
    await chains.chain("GLD", LEAPS)
    assert market.asked == [("GLD", LEAPS)]


async def test_a_chain_that_has_not_changed_is_priced_once(chains):
    first, second = await chains.chain("GLD"), await chains.chain("GLD")
    assert second.options is first.options


async def test_two_who_ask_at_once_get_what_was_priced_once(chains):
    first, second = await asyncio.gather(chains.chain("GLD", MONTH), chains.chain("GLD", MONTH))
    assert second.options is first.options


async def test_another_dollar_rate_prices_the_chain_again(chains, rates):
    first = await chains.chain("GLD")
    rates.rate = DollarRate(0.01, None, "test")
    second = await chains.chain("GLD")
    assert second.options is not first.options
    assert second.rate.value == 0.01


async def test_when_newer_quotes_fail_the_last_ones_stay_with_age_and_reason(chains, market, clock):
    await chains.chain("GLD")
    clock.go_on(minutes=9)
    market.failure = RateLimited("refused for now")
    chain = await chains.chain("GLD", MONTH)
    assert (chain.age_seconds, chain.problem, chain.freshness) == (540.0, "refused for now", Freshness.LIVE)
    clock.go_on(minutes=2)
    stale = await chains.chain("GLD", MONTH)
    assert stale.is_stale
    listing = await chains.expirations("GLD")
    assert (listing.problem, listing.freshness) == ("refused for now", Freshness.STALE)


async def test_quotes_of_a_shut_market_are_closed_not_stale(chains, market, clock):
    clock.at = clock.at.replace(hour=19, minute=59)
    await chains.chain("GLD")
    clock.go_on(hours=8)
    market.failure = Unavailable("away")
    assert (await chains.chain("GLD", MONTH)).freshness is Freshness.CLOSED


async def test_the_first_failure_is_told(chains, market):
    market.failure = Unavailable("away")
    with pytest.raises(Unavailable, match="away"):
        await chains.chain("GLD")


async def test_an_expiration_that_is_not_listed_is_not_found(chains):
    with pytest.raises(NotFound, match="2026-07-18"):
        await chains.chain("GLD", date(2026, 7, 18))


async def test_nothing_invented_replaces_what_was_real(chains, market, clock):
    real = await chains.chain("GLD")
    clock.go_on(minutes=6)
    market.source = "DEMO"
    market.kept.clear()
    again = await chains.chain("GLD", MONTH)
    assert again.options is real.options
    assert again.problem
    assert (await chains.expirations("GLD")).source == "Scripted"


async def test_no_invented_chain_stands_beside_real_expirations(chains, market):
    await chains.expirations("GLD")
    market.source = "DEMO"
    with pytest.raises(Unavailable):
        await chains.chain("GLD", LEAPS)


async def test_invented_quotes_give_way_to_real_ones(chains, market):
    market.source = "DEMO"
    assert (await chains.chain("GLD")).is_demo
    market.source = "Scripted"
    market.kept.clear()
    assert not (await chains.chain("GLD")).is_demo


async def test_older_quotes_never_replace_newer_ones(chains, market):
    newer = await chains.chain("GLD")
    market.kept[MONTH] = replace(market.kept[MONTH], at=newer.at - timedelta(minutes=5))
    older = await chains.chain("GLD", MONTH)
    assert older.at == newer.at


@pytest.mark.parametrize(("days", "within"), [(30, [SOON]), (60, [SOON, MONTH]), (90, [SOON, MONTH, QUARTER])])
async def test_a_filter_takes_the_expirations_within_its_days(chains, days, within):
    found = await chains.within("GLD", days)
    assert [chain.expiration for chain in found.chains] == within
    assert not found.missing


async def test_an_expiration_that_fails_is_missing_with_the_reason(chains, market):
    listing = await chains.expirations("GLD")
    await chains.chain("GLD", MONTH)
    market.days = (SOON, MONTH)
    chains._listings["GLD"] = chains._listings["GLD"].__class__(
        "GLD", listing.days, listing.underlying, listing.at, listing.source
    )
    market.failure = Unavailable("away")
    found = await chains.within("GLD", 60)
    assert [chain.expiration for chain in found.chains] == [MONTH]
    assert found.missing == {SOON: "away"}


async def test_only_the_three_filters_are_known(chains):
    with pytest.raises(InvalidInput, match="30, 60, 90"):
        await chains.within("GLD", 45)


async def test_the_filter_ends_with_the_day_it_names(chains, market, clock):
    market.days = (clock().date() + timedelta(days=30), clock().date() + timedelta(days=31))
    assert (await chains.expirations("GLD")).within(30) == market.days[:1]


async def test_a_contract_is_found_by_its_symbol(chains):
    chain, option = await chains.contract("GLD260717P00410000")
    assert (chain.expiration, option.quote.contract.strike) == (MONTH, 410.0)
    with pytest.raises(NotFound, match="is not in the chain"):
        await chains.contract("GLD260717P00411000")
    with pytest.raises(InvalidInput):
        await chains.contract("GLD put")


async def test_the_surface_goes_through_every_chain_loaded_so_far(chains):
    assert await chains.surface("GLD") is None
    await chains.chain("GLD", MONTH)
    await chains.chain("GLD", LEAPS)
    surface = await chains.surface("GLD")
    assert [fit.expiration for fit in surface.slices] == [MONTH, LEAPS]
    assert surface.volatility(430.0, 0.5) == pytest.approx(0.2, abs=1e-3)
    assert await chains.surface("GLD") is surface


async def test_days_to_expiry_are_counted_from_today(chains, market, clock):
    assert (await chains.chain("GLD", MONTH)).days_to_expiry == 37
    clock.go_on(days=3)
    market.failure = Unavailable("away")
    assert (await chains.chain("GLD", MONTH)).days_to_expiry == 34


async def test_a_chain_that_a_page_holds_is_dated_again(chains, clock):
    held = await chains.chain("GLD", MONTH)
    clock.go_on(hours=2)
    assert held.freshness is Freshness.LIVE
    assert chains.dated(held).is_stale


async def test_an_expired_chain_leaves_the_surface(chains, clock):
    await chains.chain("GLD", SOON)
    await chains.chain("GLD", MONTH)
    clock.go_on(days=2, hours=5)
    assert [chain.expiration for chain in chains.loaded("GLD")] == [MONTH]


async def test_chains_of_another_session_stay_out_of_the_surface(chains, clock):
    await chains.chain("GLD", MONTH)
    clock.go_on(days=1)
    await chains.chain("GLD", QUARTER)
    assert [chain.expiration for chain in chains.loaded("GLD")] == [QUARTER]


async def test_a_chain_from_before_a_clock_was_set_back_gives_way(chains, market, clock):
    await chains.chain("GLD", MONTH)
    clock.at -= timedelta(hours=3)
    market.kept.clear()
    assert (await chains.chain("GLD", MONTH)).at == clock.at


async def test_a_page_that_leaves_harms_nobody(chains, market):
    market.gate.clear()
    leaving, staying = (asyncio.create_task(chains.chain("GLD")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    market.gate.set()
    assert (await staying).expiration == MONTH
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_memory_is_bounded(chains, market, clock):
    market.days = tuple(clock().date() + timedelta(days=n) for n in range(40, 110))
    market.quotes = tuple(market.quotes)
    for day in market.days:
        await chains.chain("GLD", day)
    assert len(chains.loaded("GLD")) == 64
    assert chains.loaded("GLD")[0].expiration == market.days[6]

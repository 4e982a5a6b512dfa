"""Model chains on the latest price."""

from datetime import date

import pytest

from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.services.option_chains import OptionChains


async def test_a_chain_stands_on_the_latest_price(house):
    house.market.price = 455.0
    answer = await OptionChains(house.prices, house.clock).load("gld")
    assert (answer.symbol, answer.status.quote.price, answer.chain.spot) == ("GLD", 455.0, 455.0)
    assert answer.chain.options


async def test_a_chain_is_of_the_expiration_that_was_asked_for(house):
    chains = OptionChains(house.prices, house.clock)
    listed = (await chains.load("GLD")).chain.expirations
    answer = await chains.load("GLD", listed[2])
    assert answer.chain.expiration == listed[2]
    assert {row.expiration for row in answer.chain.options} == {listed[2]}


async def test_an_expiration_that_is_past_is_refused(house):
    with pytest.raises(InvalidInput, match="expiration"):
        await OptionChains(house.prices, house.clock).load("GLD", date(2020, 1, 17))


async def test_without_a_price_there_is_no_chain(house):
    house.market.failure = Unavailable("no route")
    with pytest.raises(Unavailable):
        await OptionChains(house.prices, house.clock).load("GLD")

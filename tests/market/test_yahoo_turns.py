"""One at a time: prices before chains, each in the order of coming, and no turn lost with those who leave."""

import asyncio

import pytest

from vaultdash.domain.errors import Unavailable
from vaultdash.market.yahoo.turns import Rank, Turns


@pytest.fixture
def turns():
    return Turns()


async def served(turns, order, rank, name):
    async with turns.take(rank, 5.0):
        order.append(name)
        await asyncio.sleep(0)


async def test_the_lower_rank_goes_first_and_within_it_the_one_who_came_first(turns):
    order = []
    async with turns.take(Rank.CHAINS, 1.0):
        asked = [
            asyncio.create_task(served(turns, order, rank, f"{rank.name} {number}"))
            for number, rank in enumerate([Rank.CHAINS, Rank.PRICES, Rank.RECORDING, Rank.CHAINS, Rank.PRICES])
        ]
        await asyncio.sleep(0)
        assert [turns.waiting(rank) for rank in Rank] == [2, 1, 2]
    await asyncio.gather(*asked)
    assert order == ["PRICES 1", "PRICES 4", "RECORDING 2", "CHAINS 0", "CHAINS 3"]
    assert [turns.waiting(rank) for rank in Rank] == [0, 0, 0]


async def test_whose_turn_does_not_come_in_time_is_told_and_stands_in_line_no_more(turns):
    async with turns.take(Rank.PRICES, 1.0):
        with pytest.raises(Unavailable, match="still busy"):
            async with turns.take(Rank.PRICES, 0.01):
                pytest.fail("it was not its turn")
        assert turns.waiting(Rank.PRICES) == 0
    await served(turns, [], Rank.CHAINS, "next")


@pytest.mark.parametrize("when", ["waiting", "as the turn comes", "before it notices"])
async def test_one_who_leaves_does_not_take_the_turn_along(turns, when):
    order = []
    leaving = next_one = None
    async with turns.take(Rank.PRICES, 1.0):
        leaving = asyncio.create_task(served(turns, order, Rank.PRICES, "leaving"))
        next_one = asyncio.create_task(served(turns, order, Rank.PRICES, "next"))
        await asyncio.sleep(0)
        if when == "waiting":
            leaving.cancel()
            await asyncio.sleep(0)
        elif when == "before it notices":
            leaving.cancel()
    if when == "as the turn comes":
        leaving.cancel()
    await asyncio.wait_for(next_one, 20)
    assert leaving.cancelled()
    assert order == ["next"]


async def test_a_turn_that_ends_in_an_error_is_passed_on(turns):
    with pytest.raises(ValueError, match="of the work"):
        async with turns.take(Rank.PRICES, 1.0):
            raise ValueError("of the work")
    await served(turns, order := [], Rank.CHAINS, "next")
    assert order == ["next"]

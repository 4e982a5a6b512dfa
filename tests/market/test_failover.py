"""Failover moves on after a failure and never after an answer."""

from datetime import date

import pytest

from tests.builders import a_chain, a_history, a_quote
from vaultdash.domain.errors import BadPayload, InvalidInput, NotFound, RateLimited, Unavailable
from vaultdash.market.failover import MOST_FAILURES, Failover

DAY = date(2026, 6, 9)
EXPIRATION = date(2026, 7, 17)


class Scripted:
    """Answers with what it was told, or raises it."""

    def __init__(self, name, answer):
        self.name = name
        self.answer = answer
        self.asked = 0
        self.closed = False

    def reply(self):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self):
        self.closed = True


class Quotes(Scripted):
    async def quote(self, symbol, *, refresh=False):
        return self.reply()


class Histories(Scripted):
    async def history(self, symbol, start, end):
        return self.reply()


class Chains(Scripted):
    async def expirations(self, symbol, *, refresh=False):
        return self.reply()

    async def chain(self, symbol, expiration, *, refresh=False):
        return self.reply()


async def test_the_first_provider_that_answers_is_enough():
    first, second = Quotes("a", a_quote(460.0)), Quotes("b", a_quote(461.0))
    assert (await Failover([first, second]).quote("GLD")).price == 460.0
    assert second.asked == 0


@pytest.mark.parametrize("error", [Unavailable("down"), BadPayload("rubbish"), RateLimited("wait", 30.0)])
async def test_a_failure_moves_on_to_the_next_provider(error):
    market = Failover([Quotes("a", error), Quotes("b", a_quote(461.0))])
    assert (await market.quote("GLD")).price == 461.0


async def test_an_unknown_symbol_is_an_answer_and_ends_the_search():
    second = Quotes("b", a_quote())
    with pytest.raises(NotFound, match="not here"):
        await Failover([Quotes("a", NotFound("not here")), second]).quote("NOPE")
    assert second.asked == 0


async def test_a_wrong_question_ends_the_search():
    second = Quotes("b", a_quote())
    with pytest.raises(InvalidInput):
        await Failover([Quotes("a", InvalidInput("symbol", "is wrong")), second]).quote("?")
    assert second.asked == 0


async def test_the_ignorance_of_a_stand_in_is_not_an_answer():
    market = Failover([Quotes("a", Unavailable("a is down")), Quotes("b", NotFound("no such thing"))])
    with pytest.raises(Unavailable, match="a: a is down; b: does not have it"):
        await market.quote("IAU")


async def test_after_an_ignorant_stand_in_the_next_is_asked():
    market = Failover([Quotes("a", Unavailable("down")), Quotes("b", NotFound("no")), Quotes("c", a_quote(470.0))])
    assert (await market.quote("GLD")).price == 470.0


async def test_when_all_fail_the_first_failure_names_every_reason():
    first = RateLimited("too often", 42.0)
    market = Failover([Quotes("a", first), Quotes("b", Unavailable("nothing is stored"))])
    with pytest.raises(RateLimited, match="a: too often; b: nothing is stored") as failure:
        await market.quote("GLD")
    assert failure.value.retry_after_seconds == 42.0
    assert failure.value.__cause__ is first


async def test_a_single_provider_fails_in_its_own_words():
    with pytest.raises(BadPayload, match=r"^rubbish$"):
        await Failover([Quotes("a", BadPayload("rubbish"))]).quote("GLD")


async def test_each_provider_is_used_for_what_it_can_do():
    quotes, histories = Quotes("a", a_quote()), Histories("b", a_history({DAY: 460.0}))
    market = Failover([quotes, histories])
    assert (await market.quote("GLD")).price == 460.0
    assert (await market.history("GLD", DAY, DAY)).bars[0].on == DAY
    assert (quotes.asked, histories.asked) == (1, 1)


async def test_without_a_provider_that_can_the_answer_is_unavailable():
    with pytest.raises(Unavailable, match="no provider"):
        await Failover([Quotes("a", a_quote())]).history("GLD", DAY, DAY)


async def test_states_tell_the_last_reason_until_the_provider_recovers():
    first = Quotes("a", Unavailable("a is down"))
    market = Failover([first, Quotes("b", a_quote())])
    assert market.states("GLD") == {"a": "ok", "b": "ok"}
    await market.quote("GLD")
    assert market.states("GLD") == {"a": "a is down", "b": "ok"}
    first.answer = NotFound("unknown, but awake")
    with pytest.raises(NotFound):
        await market.quote("gld")
    assert market.states("GLD") == {"a": "ok", "b": "ok"}


async def test_states_speak_of_one_symbol():
    market = Failover([Quotes("a", Unavailable("a is down")), Quotes("b", a_quote())])
    await market.quote("iau")
    assert market.states("GLD") == {"a": "ok", "b": "ok"}
    assert market.states("IAU") == {"a": "a is down", "b": "ok"}


async def test_failures_of_ever_new_symbols_are_forgotten_in_their_order():
    market = Failover([Quotes("a", Unavailable("a is down")), Quotes("b", a_quote())])
    for number in range(MOST_FAILURES + 10):
        await market.quote(f"S{number}")
        await market.quote("GLD")
    assert len(market._failures) == MOST_FAILURES
    assert market.states("S0")["a"] == "ok"
    assert market.states("GLD")["a"] == "a is down"


async def test_a_good_quote_does_not_hide_a_failing_history():
    class Both(Quotes, Histories):
        async def history(self, symbol, start, end):
            raise Unavailable("no history today")

    market = Failover([Both("a", a_quote())])
    with pytest.raises(Unavailable):
        await market.history("GLD", DAY, DAY)
    await market.quote("GLD")
    assert market.states("GLD") == {"a": "no history today"}


async def test_closing_closes_every_provider():
    providers = [Quotes("a", a_quote()), Histories("b", None)]
    await Failover(providers).aclose()
    assert all(provider.closed for provider in providers)


@pytest.mark.parametrize("error", [Unavailable("down"), BadPayload("rubbish"), RateLimited("wait", 30.0)])
async def test_after_a_failure_the_next_provider_gives_the_chain(error):
    chain = a_chain()
    market = Failover([Chains("a", error), Chains("b", chain)])
    assert await market.chain("GLD", EXPIRATION) is chain
    assert market.states("GLD") == {"a": str(error), "b": "ok"}


async def test_that_an_expiration_is_not_listed_is_an_answer_and_ends_the_search():
    second = Chains("b", a_chain())
    with pytest.raises(NotFound, match="not listed"):
        await Failover([Chains("a", NotFound("not listed")), second]).chain("GLD", EXPIRATION)
    assert second.asked == 0


async def test_a_stand_in_that_does_not_list_the_expiration_leaves_the_failure_standing():
    market = Failover([Chains("a", Unavailable("a is down")), Chains("b", NotFound("not listed"))])
    with pytest.raises(Unavailable, match="a: a is down; b: does not have it"):
        await market.chain("GLD", EXPIRATION)
    with pytest.raises(Unavailable, match="a: a is down; b: does not have it"):
        await market.expirations("GLD")


async def test_only_providers_of_chains_are_asked_for_them():
    prices, chains = Quotes("a", a_quote()), Chains("b", a_chain())
    market = Failover([prices, chains])
    await market.chain("GLD", EXPIRATION)
    await market.expirations("GLD")
    assert (prices.asked, chains.asked) == (0, 2)
    assert (await market.quote("GLD")).price == 460.0


async def test_without_a_provider_of_chains_there_are_none():
    with pytest.raises(Unavailable, match="no provider can be asked for the expirations of GLD"):
        await Failover([Quotes("a", a_quote())]).expirations("GLD")

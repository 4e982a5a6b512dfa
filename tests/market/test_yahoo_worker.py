"""One worker thread: requests in turn, none lost, none queued behind one that hangs."""

import asyncio
import threading
import time

import pytest

from tests.market.patience import in_the_end
from vaultdash.domain.errors import Unavailable


class HangingSessions:
    """Sessions of the real client; the first `hanging` of them wait for `release` before they send anything."""

    def __init__(self, server, hanging: int = 1) -> None:
        self.release = threading.Event()
        self._server = server
        self._hanging = hanging

    def __call__(self):
        session = self._server.session_factory()
        if self._hanging > 0:
            self._hanging -= 1
            send = session.request

            def request(**options):
                self.release.wait(30)
                return send(**options)

            session.request = request
        return session


@pytest.fixture
def sessions(server):
    sessions = HangingSessions(server)
    yield sessions
    sessions.release.set()


async def test_requests_are_made_one_after_the_other(server, yahoo):
    quotes = await asyncio.gather(*(yahoo.quote(symbol) for symbol in ("GLD", "IAU", "GLDM")))
    assert [quote.symbol for quote in quotes] == ["GLD", "IAU", "GLDM"]
    assert [path.rsplit("/", 1)[-1] for path in server.paths[2:]] == ["GLD", "IAU", "GLDM"]


async def test_the_event_loop_runs_on_while_yahoo_is_slow(server, build):
    server.scenario, server.slow_seconds = "slow", 1.2
    asked = asyncio.create_task(build().quote("GLD"))
    longest, last = 0.0, time.perf_counter()
    while not asked.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    assert (await asked).price == 460.0
    assert longest < 1.0


async def test_a_worker_that_hangs_is_given_up_and_the_next_caller_is_told_at_once(server, build, sessions):
    yahoo = build(session_factory=sessions, timeout_seconds=1.5)
    with pytest.raises(Unavailable, match=r"within 1\.5 s"):
        await yahoo.quote("GLD")
    began = time.perf_counter()
    with pytest.raises(Unavailable, match="has not come back"):
        await yahoo.quote("GLD")
    assert time.perf_counter() - began < 1.2
    assert server.requests == []


async def test_a_worker_that_comes_back_late_is_used_again(server, build, sessions):
    yahoo = build(session_factory=sessions, timeout_seconds=1.0)
    with pytest.raises(Unavailable):
        await yahoo.quote("GLD")
    sessions.release.set()
    assert (await in_the_end(lambda: yahoo.quote("GLD"))).price == 460.0


async def test_a_worker_that_never_comes_back_is_replaced(build, sessions):
    yahoo = build(session_factory=sessions, timeout_seconds=0.6)
    with pytest.raises(Unavailable):
        await yahoo.quote("GLD")
    assert (await in_the_end(lambda: yahoo.quote("GLD"))).price == 460.0


async def test_a_caller_who_leaves_does_not_spoil_the_next_one(server, build):
    server.scenario, server.slow_seconds = "slow", 0.3
    yahoo = build()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(yahoo.quote("GLD"), 0.1)
    assert (await yahoo.quote("IAU")).symbol == "IAU"
    assert server.paths.count("/v7/finance/options/GLD") == 1


async def test_a_queue_that_does_not_move_is_left(server, build, sessions):
    yahoo = build(session_factory=sessions, timeout_seconds=0.2)
    outcomes = await asyncio.gather(*(yahoo.quote("GLD") for _ in range(4)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}


async def test_closing_does_not_wait_for_a_request_under_way(server, build):
    server.scenario, server.slow_seconds = "slow", 1.5
    yahoo = build()
    asked = asyncio.create_task(yahoo.quote("GLD"))
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    await yahoo.aclose()
    assert time.perf_counter() - began < 1.0
    await asyncio.gather(asked, return_exceptions=True)
    with pytest.raises(Unavailable, match="closed"):
        await yahoo.quote("GLD")

"""Searches in threads: two at once, a few waiting, the next refused as busy."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from vaultdash.domain.errors import Unavailable
from vaultdash.services.search_threads import AT_ONCE, MOST_WAITING, SearchThreads

PATIENCE = 20.0


@pytest.fixture
def threads() -> Iterator[SearchThreads]:
    threads = SearchThreads()
    yield threads
    threads.close()


def filled(threads: SearchThreads, go_on: threading.Event) -> list[Future[bool]]:
    return [threads.begin(lambda: go_on.wait(PATIENCE)) for _ in range(AT_ONCE + MOST_WAITING)]


def test_the_ninth_search_is_refused_as_busy_and_taken_when_the_others_have_ended(threads: SearchThreads) -> None:
    go_on = threading.Event()
    under_way = filled(threads, go_on)
    assert len(under_way) == 8
    with pytest.raises(Unavailable, match="busy: 8 searches for a hedge are under way or waiting"):
        threads.begin(lambda: True)
    go_on.set()
    assert all(each.result(PATIENCE) for each in under_way)
    assert threads.begin(lambda: "taken").result(PATIENCE) == "taken"


def test_one_that_is_given_up_while_it_waits_leaves_its_place_and_is_not_begun(threads: SearchThreads) -> None:
    go_on, begun = threading.Event(), []
    under_way = filled(threads, go_on)
    assert under_way.pop().cancel()
    last = threads.begin(lambda: begun.append("last"))
    with pytest.raises(Unavailable):
        threads.begin(lambda: True)
    assert last.cancel()
    go_on.set()
    assert all(each.result(PATIENCE) for each in under_way)
    assert begun == []


def test_one_that_fails_leaves_its_place(threads: SearchThreads) -> None:
    for _ in range(2 * (AT_ONCE + MOST_WAITING)):
        with pytest.raises(ZeroDivisionError):
            threads.begin(lambda: 1 / 0).result(PATIENCE)

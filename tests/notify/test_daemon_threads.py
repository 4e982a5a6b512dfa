"""What blocks runs beside the loop and never holds up the end."""

import asyncio
import threading
import time

import pytest

from vaultdash.notify.daemon_threads import DaemonThreads


async def test_what_is_made_or_raised_in_the_thread_comes_back():
    threads = DaemonThreads("test")
    assert await threads.run(lambda: threading.current_thread().daemon, 5) is True

    def fail() -> None:
        raise LookupError("said in the thread")

    with pytest.raises(LookupError, match="said in the thread"):
        await threads.run(fail, 5)


async def test_one_that_hangs_is_given_up_and_keeps_its_place_until_it_ends():
    threads, go_on = DaemonThreads("test", most=1), threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run(go_on.wait, 0.1)
    with pytest.raises(TimeoutError):  # there is one place, and it is taken
        await threads.run(lambda: None, 0.1)
    go_on.set()
    assert await threads.run(lambda: "free again", 5) == "free again"


async def test_the_loop_goes_on_meanwhile():
    began = time.monotonic()
    await asyncio.gather(*(DaemonThreads("test").run(lambda: time.sleep(0.2), 5) for _ in range(4)))
    assert time.monotonic() - began < 0.75

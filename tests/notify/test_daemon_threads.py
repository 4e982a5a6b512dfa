"""What blocks runs beside the loop and never holds up the end."""

import asyncio
import threading

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
    meeting = threading.Barrier(5)  # breaks unless four threads and the loop are there at the same time
    others = [asyncio.create_task(DaemonThreads("test").run(lambda: meeting.wait(20), 30)) for _ in range(4)]
    async with asyncio.timeout(20):
        while meeting.n_waiting < 4:  # noqa: ASYNC110  # what is waited for are threads
            await asyncio.sleep(0.01)
    meeting.wait(20)
    await asyncio.gather(*others)

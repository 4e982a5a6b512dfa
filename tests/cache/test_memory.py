"""The cache in this process."""

from vaultdash.cache.memory import MemoryCache


async def test_the_least_recently_used_entry_makes_room() -> None:
    cache = MemoryCache(max_entries=2)
    await cache.set("a", b"1", 60)
    await cache.set("b", b"2", 60)
    await cache.get("a")
    await cache.set("c", b"3", 60)
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_the_number_of_entries_is_bounded() -> None:
    cache = MemoryCache(max_entries=10)
    for number in range(1_000):
        await cache.set(str(number), b"x", 60)
    assert sum([await cache.get(str(number)) is not None for number in range(1_000)]) == 10

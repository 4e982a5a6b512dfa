"""An unchanged answer costs nothing."""

import gzip
import math

import httpx
import pytest

from vaultdash.api.respond import Encoded, Remembered, encode

HISTORY = "/api/history?symbol=GLD&days=900"


async def test_an_unchanged_answer_is_304_without_a_body(api_client: httpx.AsyncClient) -> None:
    first = await api_client.get(HISTORY)
    again = await api_client.get(HISTORY, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-content-type-options"] == "nosniff"


async def test_a_changed_answer_is_sent_whole(api_client: httpx.AsyncClient) -> None:
    first = await api_client.get(HISTORY)
    other = await api_client.get("/api/history?symbol=GLD&days=30", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("form", ["{tag}", '"other", {tag}', "*", "{strong}", '"other",{strong}'])
async def test_every_form_of_the_condition_is_understood(api_client: httpx.AsyncClient, form: str) -> None:
    tag = (await api_client.get(HISTORY)).headers["etag"]
    condition = form.format(tag=tag, strong=tag.removeprefix("W/"))
    assert (await api_client.get(HISTORY, headers={"If-None-Match": condition})).status_code == 304


async def test_a_wrong_request_is_not_excused_by_a_condition(api_client: httpx.AsyncClient) -> None:
    answer = await api_client.get("/api/history?days=0", headers={"If-None-Match": "*"})
    assert answer.status_code == 422


async def test_long_answers_are_compressed_for_those_who_ask(api_client: httpx.AsyncClient) -> None:
    plain = await api_client.get(HISTORY, headers={"Accept-Encoding": "identity"})
    async with api_client.stream("GET", HISTORY, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 3
    assert answer.headers["etag"].startswith("W/")  # one tag for both forms can only be a weak one


async def test_private_figures_are_checked_again_before_a_cache_shows_them(api_client: httpx.AsyncClient) -> None:
    assert (await api_client.get("/api/portfolio")).headers["cache-control"] == "no-cache"


def test_what_is_no_number_is_null() -> None:
    assert encode({"a": math.nan, "b": math.inf}) == b'{"a":null,"b":null}'


def test_what_is_made_of_the_same_object_is_made_once() -> None:
    made: list[object] = []

    def answer(source: list[int]) -> Encoded:
        made.append(source)
        return Encoded.of(source)

    remembered, one, equal = Remembered[list[int], Encoded](most=2), [1], [1]
    first = remembered.of(one, answer)
    assert remembered.of(one, answer) is first
    assert first.body == b"[1]"
    assert remembered.of(equal, answer) == first  # another object, which may be another answer
    assert len(made) == 2
    remembered.of(one, answer)  # the last used stays
    remembered.of([3], answer)
    assert remembered.of(one, answer) is first
    remembered.of(equal, answer)
    assert len(made) == 4


async def test_all_days_are_the_same_answer_again_and_some_days_a_part_of_it(api_client: httpx.AsyncClient) -> None:
    first, again = [await api_client.get("/api/history?days=20000") for _ in range(2)]
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    some = (await api_client.get("/api/history?days=30")).json()["bars"]
    assert some == first.json()["bars"][-len(some) :]
    assert 15 < len(some) < 25

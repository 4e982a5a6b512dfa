"""Errors travel between processes as what they are."""

import pickle

import pytest

from vaultdash.domain.errors import InvalidInput, NotFound, RateLimited, Refused


@pytest.mark.parametrize("error", [InvalidInput("spot", "must be above zero"), NotFound("none"), Refused("no")])
def test_an_error_is_the_same_in_another_process(error: Exception) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back)) == (type(error), str(error))
    assert vars(back) == vars(error)


def test_a_limit_keeps_its_pause() -> None:
    assert pickle.loads(pickle.dumps(RateLimited("wait", 12.0))).retry_after_seconds == 12.0

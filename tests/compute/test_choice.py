"""How many processes do a sweep, and who does it."""

import os

import pytest

from vaultdash.compute.choice import sweep_compute
from vaultdash.compute.dask import DaskCompute
from vaultdash.domain.errors import Refused


@pytest.mark.parametrize(("processors", "all_of_them", "with_pages"), [(1, 1, 1), (2, 2, 1), (8, 8, 7)])
def test_who_serves_pages_leaves_a_core_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, processors: int, all_of_them: int, with_pages: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    assert sweep_compute(None, None, int).workers == all_of_them
    assert sweep_compute(None, None, int, leaves_a_core=True).workers == with_pages
    assert sweep_compute(None, 3, int, leaves_a_core=True).workers == 3


def test_a_scheduler_that_is_named_does_the_work_with_the_workers_it_has() -> None:
    assert isinstance(sweep_compute("tcp://127.0.0.1:8786", None, int, leaves_a_core=True), DaskCompute)
    with pytest.raises(Refused, match="Leave --workers out"):
        sweep_compute("tcp://127.0.0.1:8786", 2, int)

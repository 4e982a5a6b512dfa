"""A Dask cluster for the tests that ask for one, started once."""

from collections.abc import Iterator

import pytest

from tests.compute.dask_cluster import DaskCluster


@pytest.fixture(scope="package")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler with two workers, each a process of its own."""
    pytest.importorskip("distributed")
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.stop()

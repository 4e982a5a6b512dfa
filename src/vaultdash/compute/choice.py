"""Which workers do a sweep: those of a Dask scheduler that is named, else processes of this computer."""

from collections.abc import Callable

from vaultdash.compute.base import Compute
from vaultdash.compute.dask import SETTING, DaskCompute
from vaultdash.compute.local import LocalCompute, cores
from vaultdash.domain.errors import Refused


def sweep_compute(scheduler: str | None, workers: int | None, prepare: Callable[[], object]) -> Compute:
    """The scheduler's, or `workers` processes, by default as many as there are processors.

    Raises Refused when a number of processes is asked for and the work is done elsewhere.
    """
    if scheduler is None:
        return LocalCompute(workers or cores(), prepare)
    if workers is not None:
        raise Refused(
            f"{SETTING} is set: the workers of {scheduler} do the work, as many as there are. Leave --workers out, "
            "or the setting empty"
        )
    return DaskCompute(scheduler, prepare)

"""Which workers do a sweep: those of a Dask scheduler that is named, else processes of this computer."""

from collections.abc import Callable

from vaultdash.compute.base import Compute
from vaultdash.compute.dask import SETTING, DaskCompute
from vaultdash.compute.local import LocalCompute, cores
from vaultdash.domain.errors import Refused


def sweep_compute(
    scheduler: str | None, workers: int | None, prepare: Callable[[], object], *, leaves_a_core: bool = False
) -> Compute:
    """The scheduler's, or `workers` processes, by default as many as there are processors.

    With `leaves_a_core` it is by default one less, where there are several: whoever has pages to serve needs one.

    Raises Refused when a number of processes is asked for and the work is done elsewhere.
    """
    if scheduler is None:
        return LocalCompute(workers or usual_workers(leaves_a_core=leaves_a_core), prepare)
    if workers is not None:
        raise Refused(
            f"{SETTING} is set: the workers of {scheduler} do the work, as many as there are. Leave --workers out, "
            "or the setting empty"
        )
    return DaskCompute(scheduler, prepare)


def usual_workers(*, leaves_a_core: bool) -> int:
    """How many processes do a sweep on this computer when nobody says how many; at least 1."""
    return max(cores() - leaves_a_core, 1)

"""The calendar of New York, made once and kept for all processes of all runs: to make it takes two seconds."""

import shutil
from pathlib import Path

from vaultdash.clock import NewYorkHours
from vaultdash.services.pricing_kernels import share_machine_code

KEPT = share_machine_code().parents[1] / "tests" / "xnys.json"
HOURS = NewYorkHours(KEPT)


def with_calendar(data_dir: Path) -> None:
    """A data directory as every start but the first finds it."""
    HOURS.warm()
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(KEPT, data_dir / "xnys.json")

"""Where compiled kernels are kept: a folder for each edition of their source, so that no code outlives it.

The compiler's own cache looks at the time of a kernel's file only, not at the helpers it calls.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

KEPT_EDITIONS = 3
COMPLETE = "complete"  # the name of the file that is written last


def code_folder(package: Path, editions: Sequence[str] = ()) -> Path:
    """The folder for the source of `package` as it is, this interpreter, and the `editions` of the compiler."""
    digest = sha256("|".join((sys.version, *editions)).encode())
    for source in sorted(package.glob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    return _home() / digest.hexdigest()[:16]


def is_complete(folder: Path) -> bool:
    """True when everything was compiled into the folder."""
    return (folder / COMPLETE).exists()


def mark_complete(folder: Path) -> None:
    """Say that everything is there, and let the folders of older editions go; without the right to write, nothing."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COMPLETE).touch()
        editions = sorted(folder.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in editions[KEPT_EDITIONS:]:
            shutil.rmtree(old, ignore_errors=True)


def _home() -> Path:
    """The user's cache: what it holds can be made again."""
    try:
        usual = Path.home() / ".cache"
    except RuntimeError:  # no home directory
        usual = Path("/nonexistent")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "vault-dash" / "kernels"

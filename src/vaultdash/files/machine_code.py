"""Compiled kernels on disk: whether there are any, and that none outlives the source it was made from.

The compiler's own cache looks at the file of a kernel only, not at the files of the helpers it calls.
"""

from pathlib import Path

CACHE = "__pycache__"
KINDS = ("*.nbi", "*.nbc")  # numba's index and code


def forget_outdated(package: Path) -> int:
    """Delete the machine code of a package's modules that is older than the newest of them; how many files went.

    What cannot be deleted stays: then nobody can write there, and the package came as it is.
    """
    newest = max((source.stat().st_mtime for source in package.glob("*.py")), default=0.0)
    gone = 0
    for file in _files(package):
        try:
            if file.stat().st_mtime < newest:
                file.unlink()
                gone += 1
        except OSError:
            continue
    return gone


def is_compiled(package: Path) -> bool:
    """True when machine code of the package is there."""
    return bool(_files(package))


def _files(package: Path) -> list[Path]:
    return [file for kind in KINDS for file in (package / CACHE).glob(kind)]

"""Kernels are optional: what cannot be compiled is priced by the reference, and says why."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaultdash
from vaultdash.pricing import InvalidInput, european, implied_volatility
from vaultdash.pricing.compiled import (
    answered,
    exact_kernel,
    is_ready,
    kernels_available,
    kernels_problem,
    warm_up,
)

SOURCE = Path(vaultdash.__file__).parent
PRICED = """
from vaultdash.pricing import european
from vaultdash.pricing.compiled import is_ready, kernels_available, kernels_problem, warm_up
print(float(european(100, 95, 1, 0.05, 0.0, 0.2, "P").price))
"""


def run(code: str, **environment: str) -> list[str]:
    """Lines that a fresh process prints."""
    # -B and the explicit path: nothing is written beside the sources.
    command = [sys.executable, "-B", "-c", code]
    usual = {**os.environ, "PYTHONPATH": str(SOURCE.parent), **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=usual, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_pricing_is_imported_without_numba_and_scipy() -> None:
    code = "import sys, vaultdash.pricing; print(sorted({'numba', 'scipy', 'QuantLib'} & set(sys.modules)))"
    assert run(code)[0] == "[]"


def test_kernels_are_used_here_and_nothing_is_said_against_them() -> None:
    european(100, 95, 1, 0.05, 0.0, 0.2, "P")
    implied_volatility(5.0, 100, 95, 1, 0.05, 0.0, "P", "european")
    assert kernels_available()
    assert kernels_problem() is None


def test_ready_is_said_after_every_kernel_has_run() -> None:
    warm_up()
    assert kernels_problem() is None
    assert is_ready()


def test_without_numba_the_reference_answers_and_the_reason_is_kept() -> None:
    without = "import sys; sys.modules['numba'] = None\n"
    asked = "print(kernels_available()); warm_up(); print(is_ready()); print(kernels_problem())"
    price, available, ready, problem, *_ = run(without + PRICED + asked)
    assert float(price) == float(european(100, 95, 1, 0.05, 0.0, 0.2, "P", engine="reference").price)
    assert (available, ready) == ("False", "False")
    assert "numba" in problem


def test_where_no_folder_can_be_written_kernels_are_compiled_without_a_cache(tmp_path: Path) -> None:
    # A file where the cache folder should be cannot be written to, whoever runs the tests.
    blocked = tmp_path / "file"
    blocked.write_text("")
    module = "from vaultdash.pricing import compiled\nprint(compiled.kernels_available(), compiled.kernels_problem())"
    nowhere = {"NUMBA_CACHE_DIR": str(blocked / "cache"), "HOME": str(blocked), "XDG_CACHE_HOME": str(blocked)}
    assert run(module, **nowhere)[0] == "True None"


def test_a_cache_that_is_damaged_or_full_does_not_cost_the_kernels(tmp_path: Path) -> None:
    for name in ("first_kernels", "second_kernels"):
        door = "from vaultdash.pricing.compiled import exact_kernel\n"
        (tmp_path / f"{name}.py").write_text(f"{door}@exact_kernel\ndef tripled(x):\n    return 3.0 * x\n")
    code = f"""
import importlib, resource, sys
from pathlib import Path
sys.path.insert(0, {str(tmp_path)!r})
import first_kernels
from vaultdash.pricing.compiled import answered, kernels_problem
first_kernels.tripled(1.0)
kept = list(Path({str(tmp_path)!r}).rglob("*.nbi"))
for file in kept:
    file.write_bytes(b"damaged")
again = importlib.reload(first_kernels)
print(len(kept), answered(lambda: again.tripled(2.0), lambda: "reference", "kernel"), kernels_problem())
import second_kernels
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # from here on every write to a file fails
print(answered(lambda: second_kernels.tripled(3.0), lambda: "reference", "kernel"), kernels_problem())
"""
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path / "cache"))[:2] == ["1 6.0 None", "9.0 None"]


def test_an_exact_kernel_keeps_nan_and_infinity() -> None:
    def is_known(number: float) -> bool:
        return number == number and number < np.inf

    compiled = exact_kernel(is_known)
    assert [compiled(number) for number in (1.0, np.nan, np.inf)] == [True, False, False]


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InvalidInput, match="kernel, reference"):
        european(100, 95, 1, 0.05, 0.0, 0.2, "P", engine="abacus")  # type: ignore[arg-type]


def test_numbers_at_fault_do_not_cost_the_kernels() -> None:
    def refuse() -> float:
        raise RuntimeError("root not bracketed")

    with pytest.raises(RuntimeError, match="not bracketed"):
        answered(refuse, refuse, "kernel")
    assert kernels_problem() is None

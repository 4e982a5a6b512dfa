"""Machine code never outlives the source it was made from."""

import os

import pytest

from vaultdash.files.machine_code import forget_outdated, is_compiled


@pytest.fixture
def package(tmp_path):
    """A helper of noon, and machine code of a kernel made an hour later."""
    (tmp_path / "__pycache__").mkdir()
    for name, at in (("helper.py", 12), ("__pycache__/kernel.1.nbc", 13), ("__pycache__/kernel.nbi", 13)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (at * 3600, at * 3600))
    return tmp_path


def test_machine_code_newer_than_every_source_stays(package):
    assert forget_outdated(package) == 0
    assert is_compiled(package)


def test_a_helper_that_has_changed_makes_all_of_it_go(package):
    os.utime(package / "helper.py", (14 * 3600, 14 * 3600))
    assert forget_outdated(package) == 2
    assert not is_compiled(package)
    assert forget_outdated(package) == 0


def test_other_files_in_the_folder_are_left_alone(package):
    python = package / "__pycache__" / "helper.cpython-311.pyc"
    python.write_text("x")
    os.utime(python, (3600, 3600))
    os.utime(package / "helper.py", (14 * 3600, 14 * 3600))
    forget_outdated(package)
    assert python.exists()


def test_a_package_that_was_never_compiled_has_nothing_to_forget(tmp_path):
    assert forget_outdated(tmp_path) == 0
    assert not is_compiled(tmp_path)

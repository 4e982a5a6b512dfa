"""Machine code never outlives the source it was made from."""

import os
from pathlib import Path

import pytest

from vaultdash.files.machine_code import KEPT_EDITIONS, code_folder, is_complete, mark_complete


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "pricing"
    folder.mkdir()
    (folder / "kernel.py").write_text("import helper")
    (folder / "helper.py").write_text("x = 1")
    return folder


def test_the_same_source_has_the_same_folder_whatever_its_times(package: Path) -> None:
    folder = code_folder(package)
    os.utime(package / "helper.py", (1, 1))
    assert code_folder(package) == folder
    assert folder.is_relative_to(package.parent / "cache")


def test_a_helper_that_has_changed_has_another_folder_even_with_an_older_time(package: Path) -> None:
    before = code_folder(package)
    (package / "helper.py").write_text("x = 2")
    os.utime(package / "helper.py", (1, 1))
    assert code_folder(package) != before


def test_another_compiler_has_another_folder(package: Path) -> None:
    assert code_folder(package, ["numba 1"]) != code_folder(package, ["numba 2"])


def test_a_folder_is_complete_when_it_is_said_to_be(package: Path) -> None:
    folder = code_folder(package)
    assert not is_complete(folder)
    mark_complete(folder)
    assert is_complete(folder)


def test_only_the_last_editions_are_kept(package: Path) -> None:
    for edition in range(KEPT_EDITIONS + 2):
        (package / "helper.py").write_text(f"x = {edition}")
        folder = code_folder(package)
        mark_complete(folder)
        os.utime(folder, (edition, edition))
    mark_complete(folder)
    assert len(list(folder.parent.iterdir())) == KEPT_EDITIONS
    assert is_complete(folder)


def test_where_nothing_can_be_written_nothing_is_complete(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "blocked").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(package / "blocked"))
    folder = code_folder(package)
    mark_complete(folder)
    assert not is_complete(folder)

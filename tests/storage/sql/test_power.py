"""Power that goes at any moment loses nothing that was acknowledged; with a careless setting it does."""

import pickle
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.storage.sql.power import Step, remains
from tests.storage.sql.power_workload import OUT_OF_REACH, main
from tests.storage.sql.processes import processes

SEED = 20260610
Workload = Callable[..., list[Step]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a cut has left: the last number acknowledged before it, and the last one found; None when damaged."""

    cut: int
    acknowledged: int
    kept: int | None


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    """Run commits on a disk that notes everything; its notes."""

    def run(commits: int, synchronous: str) -> list[Step]:
        notes = tmp_path / "notes"
        given = (str(tmp_path / "vault.db"), str(commits), synchronous, str(notes))
        process = processes().Process(target=main, args=given)
        process.start()
        process.join()
        if process.exitcode == OUT_OF_REACH:
            pytest.skip("this Python holds its SQLite inside: nothing can stand between it and the disk")
        assert process.exitcode == 0
        steps: list[Step] = pickle.loads(notes.read_bytes())
        assert sum(step.deed == "done" for step in steps) == commits
        assert sum(step.deed == "write" for step in steps) > commits  # the recorder did stand in between
        return steps

    return run


def kept_in(folder: Path) -> int | None:
    """The number of the last change, when the file is whole and holds no half of one; None otherwise."""
    try:
        with closing(sqlite3.connect(folder / "vault.db")) as opened:
            if opened.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            (changes,) = opened.execute("SELECT count(*) FROM portfolio_changes").fetchone()
            (events,) = opened.execute("SELECT count(*) FROM alert_events").fetchone()
            (version,) = opened.execute("SELECT coalesce(max(version), 0) FROM portfolios").fetchone()
    except sqlite3.DatabaseError:
        return None
    return int(changes) if changes == events == version else None


def cut_often(steps: list[Step], cuts: int, tmp_path: Path) -> list[Found]:
    """Cut at random moments, every second time right after an acknowledgement."""
    chance = random.Random(SEED)
    told = [place + 1 for place, step in enumerate(steps) if step.deed == "done"]
    found = []
    for number in range(cuts):
        cut = chance.choice(told) if number % 2 else chance.randrange(told[0], len(steps) + 1)
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        acknowledged = remains(steps, cut, chance, folder)
        found.append(Found(cut, acknowledged, kept_in(folder)))
        for file in folder.iterdir():
            file.unlink()
    return found


def lost(found: list[Found]) -> list[Found]:
    """Cuts after which the file is damaged, or something acknowledged is gone."""
    return [one for one in found if one.kept is None or one.kept < one.acknowledged]


@pytest.mark.parametrize(
    ("commits", "cuts"), [(150, 30), pytest.param(1000, 200, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_a_cut_loses_nothing_that_was_acknowledged(
    workload: Workload, tmp_path: Path, commits: int, cuts: int
) -> None:
    found = cut_often(workload(commits, "FULL"), cuts, tmp_path)
    assert lost(found) == [], f"seed {SEED}"
    assert len({one.acknowledged for one in found}) > cuts / 4  # they were cut all over the run
    print(f"{cuts} cuts with FULL: 0 lost")


@pytest.mark.parametrize(
    ("commits", "cuts"), [(150, 30), pytest.param(1000, 200, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_the_same_with_normal_loses_some(workload: Workload, tmp_path: Path, commits: int, cuts: int) -> None:
    found = cut_often(workload(commits, "NORMAL"), cuts, tmp_path)
    gone = [one for one in found if one.kept is not None and one.kept < one.acknowledged]
    assert len(gone) > cuts / 4, "the test would not notice a loss"
    print(f"{cuts} cuts with NORMAL: {len(gone)} lost")


def test_the_same_with_off_damages_the_file(workload: Workload, tmp_path: Path) -> None:
    found = cut_often(workload(150, "OFF"), 20, tmp_path)
    assert any(one.kept is None for one in found), "the test would not notice damage"

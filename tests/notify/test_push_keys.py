"""The key pair of an installation."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from tests.notify.push_service import unb64
from vaultdash.domain.errors import Refused
from vaultdash.notify.push_keys import PushKeys


def public_of(data_dir: Path) -> str:
    return PushKeys(data_dir).public()


def test_the_key_is_made_once_and_read_by_its_owner_only(tmp_path):
    first = PushKeys(tmp_path / "data").public()
    assert PushKeys(tmp_path / "data").public() == first
    assert stat.S_IMODE((tmp_path / "data" / "push.key").stat().st_mode) == 0o600
    point = unb64(first)
    assert len(point) == 65
    assert point[0] == 4


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path):
    PushKeys(tmp_path).public()
    (tmp_path / "push.key").chmod(0o644)
    PushKeys(tmp_path).public()
    assert stat.S_IMODE((tmp_path / "push.key").stat().st_mode) == 0o600


def test_processes_that_start_at_once_have_the_same_key(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(public_of, [tmp_path] * 8))) == 1


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_not_replaced_in_silence(tmp_path, content):
    (tmp_path / "push.key").write_bytes(content)
    with pytest.raises(Refused, match="Restore it from a backup, or remove it"):
        PushKeys(tmp_path).public()
    assert (tmp_path / "push.key").read_bytes() == content

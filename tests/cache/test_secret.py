"""The secret of an installation."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vaultdash.cache.secret import FILE_NAME, installation_secret
from vaultdash.domain.errors import Refused


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    first = installation_secret(tmp_path / "data")
    assert len(first) == 32
    assert installation_secret(tmp_path / "data") == first
    assert installation_secret(tmp_path / "other") != first


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    installation_secret(tmp_path)
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    installation_secret(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: installation_secret(tmp_path), range(40)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", [b"", b"abc", b"zz" * 32, b"\xff\xfe", b"00" * 31])
def test_a_damaged_secret_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    secret = installation_secret(tmp_path)
    assert installation_secret(tmp_path) == secret


def test_a_folder_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="file"):
        installation_secret(tmp_path / "file")

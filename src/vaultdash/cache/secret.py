"""The secret of an installation, made once and kept in its data folder for its owner alone."""

import os
import secrets
import tempfile
from pathlib import Path

import structlog

from vaultdash.domain.errors import Refused

FILE_NAME = "installation.secret"
BYTES = 32

log = structlog.get_logger()


def installation_secret(data_dir: Path) -> bytes:
    """The 32 bytes of this installation, the same for processes that start at once; Refused when not kept."""
    path = data_dir / FILE_NAME
    try:
        secret = _kept(path)
        if secret is None:
            _offer(path)
            secret = _kept(path)
    except OSError as error:
        raise Refused(f"{path} could not be read or written: {error.strerror or error}") from error
    if secret is None:
        raise Refused(f"{path} does not hold a secret and could not be replaced; remove it")
    return secret


def _kept(path: Path) -> bytes | None:
    """The secret in the file; None when there is none. A damaged one is removed: it guards only what may be lost."""
    try:
        text = path.read_text("ascii")
        path.chmod(0o600)
        secret = bytes.fromhex(text.strip())
    except FileNotFoundError:
        return None
    except ValueError:
        secret = b""
    if len(secret) == BYTES:
        return secret
    log.warning("installation_secret_damaged", file=str(path))
    path.unlink(missing_ok=True)
    return None


def _offer(path: Path) -> None:
    """Put a new secret in place whole, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(name, path)
    except FileExistsError:
        log.debug("installation_secret_made_elsewhere", file=str(path))
    except OSError:  # a file system without hard links
        Path(name).rename(path)
    finally:
        Path(name).unlink(missing_ok=True)

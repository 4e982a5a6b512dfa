"""The key pair by which push services know this installation (VAPID, RFC 8292), made once and kept for its owner."""

import base64
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from vaultdash.domain.errors import Refused
from vaultdash.files.whole import StoreUnavailable, content_of, locked, replace_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

FILE_NAME = "push.key"


class PushKeys:
    """Read on first use. A browser's subscription is bound to the key: it is never replaced by another."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._turn = threading.Lock()
        self._key: EllipticCurvePrivateKey | None = None

    def private(self) -> "EllipticCurvePrivateKey":
        """The key; the same for processes that start at once. Blocks. Raises Refused when the file holds none."""
        with self._turn:
            if self._key is None:
                content = content_of(self._path)
                content = self._make() if content is None else content
                self._key = self._parsed(content)
            return self._key

    def public(self) -> str:
        """The application server key as `PushManager.subscribe` takes it: the point in base64url. Blocks."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        point = self.private().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    def _make(self) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        with locked(self._path.with_suffix(".lock")):
            content = content_of(self._path)
            if content is None:  # no other process was first
                key = ec.generate_private_key(ec.SECP256R1())
                content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                replace_file(self._path, content)  # made with mode 0600
            return content

    def _parsed(self, content: bytes) -> "EllipticCurvePrivateKey":
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(content, password=None)
            self._path.chmod(0o600)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        except OSError as error:
            raise StoreUnavailable(self._path, "made readable for its owner only", error) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise Refused(
                f"{self._path} does not hold the key for browser notifications. Restore it from a backup, or remove "
                "it and set up every browser again"
            )
        return key

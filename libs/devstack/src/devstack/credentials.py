"""Secrets of a local system, made once and kept by whoever keeps it: a folder here, a volume, a namespace.

`python -m devstack.credentials FOLDER` makes what containers mount under `/run/secrets`.
"""

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def password() -> str:
    """At random, 144 bits."""
    return secrets.token_urlsafe(18)


def signing_key() -> tuple[str, bytes]:
    """(name of its file, PEM) of a new key; the newest name signs."""
    key = ec.generate_private_key(ec.SECP256R1())
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}.pem", key.private_bytes(*formats)


def kept(file: Path, content: bytes, mode: int = 0o600) -> Path:
    """Write a secret unless the file is there already; nobody may read it in between."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content)
        file.chmod(mode)
    return file


def fill(folder: Path) -> None:
    """`db/password`, `admin/password` and `signing-keys/*.pem`, readable by the containers that mount the folder."""
    for name in ("db", "admin"):
        kept(folder / name / "password", password().encode(), 0o444)
    if not list((folder / "signing-keys").glob("*.pem")):
        name, pem = signing_key()
        kept(folder / "signing-keys" / name, pem, 0o444)


if __name__ == "__main__":
    fill(Path(sys.argv[1]))

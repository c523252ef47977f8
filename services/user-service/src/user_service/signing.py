"""Signing keys: PEM files in a folder. The newest by name signs, all are published, so that rotation breaks no token.

To rotate: add a file, wait for the verifiers' caches, and remove the old one when its last token has expired.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey


class NoKeys(Exception):
    """The folder holds nothing to sign with; the text is a sentence."""


class SigningKeys:
    """The keys of one folder; a key's id is its file's stem."""

    def __init__(self, keys: Mapping[str, PrivateKey]) -> None:
        self._kid, self._private = max(keys.items())
        self._public = [_jwk(kid, key) for kid, key in sorted(keys.items())]
        self._verifying = {jwk["kid"]: jwt.PyJWK(jwk) for jwk in self._public}

    @classmethod
    def load(cls, folder: Path) -> "SigningKeys":
        """Read every `*.pem`; raises NoKeys."""
        keys = {file.stem: _private(file) for file in folder.glob("*.pem")} if folder.is_dir() else {}
        if not keys:
            raise NoKeys(f"SIGNING_KEYS_DIR {folder} holds no *.pem file to sign tokens with")
        return cls(keys)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims."""
        algorithm = self._verifying[self._kid].algorithm_name
        return jwt.encode(dict(claims), self._private, algorithm, headers={"kid": self._kid})

    async def get(self, kid: str) -> jwt.PyJWK | None:
        """The public key, for this service's own verifier: it needs no fetch."""
        return self._verifying.get(kid)

    def jwks(self) -> dict[str, Any]:
        """RFC 7517 key set."""
        return {"keys": self._public}


def _private(file: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError, OSError) as error:
        raise NoKeys(f"{file} is no readable private key in PEM form") from error
    if not isinstance(key, PrivateKey):
        raise NoKeys(f"{file} is neither an RSA nor an EC key")
    return key


def _jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, RSAPrivateKey):
        return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}

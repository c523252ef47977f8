"""Tokens: the whole matrix of bad ones, and keys that are fetched no more often than needed."""

import base64
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.problems import Problem
from chassis.tokens import KeySet, TokenVerifier

ISSUER = "http://issuer.example"


@pytest.fixture
def verifier(issuer):
    return TokenVerifier(KeySet("http://issuer.example/jwks", issuer.client()), ISSUER)


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


async def status(verifier, token):
    with pytest.raises(Problem) as raised:
        await verifier.verify(token)
    return raised.value.status


async def test_a_good_token_names_its_subject_and_scopes(issuer, verifier):
    principal = await verifier.verify(issuer.token())
    assert principal.scopes == {"a", "b"}
    assert "eyJ" not in repr(principal)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://elsewhere.example"},
        {"aud": "other"},
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 600},
        {"sub": "not-a-uuid"},
        {"drop": ("exp",)},
        {"drop": ("sub",)},
        {"drop": ("aud",)},
        {"drop": ("iat",)},
        {"kid": "two"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
)
async def test_a_wrong_claim_or_key_is_401(issuer, verifier, wrong):
    assert await status(verifier, issuer.token(**wrong)) == 401


async def test_none_is_no_algorithm(issuer, verifier):
    head, body, _ = issuer.token().split(".")
    forged = encoded(json.dumps({"alg": "none", "kid": "one"}).encode())
    assert await status(verifier, f"{forged}.{body}.") == 401
    assert head != forged


async def test_a_public_key_is_no_secret(issuer, verifier):
    public = issuer.keys["one"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = issuer.token().split(".")[1]
    head = encoded(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    signed = f"{head}.{body}"
    mac = hmac.digest(public, signed.encode(), "sha256")
    assert await status(verifier, f"{signed}.{encoded(mac)}") == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é"])
async def test_what_is_no_token_is_401(verifier, token):
    assert await status(verifier, token) == 401


async def test_a_flood_of_unknown_keys_costs_one_fetch(issuer, verifier):
    await verifier.verify(issuer.token())
    for number in range(100):
        assert await status(verifier, issuer.token(kid=f"unknown-{number}")) == 401
    assert issuer.fetches == 1


async def test_known_keys_work_while_the_issuer_is_down(issuer):
    keys = KeySet("http://issuer.example/jwks", issuer.client(), cooldown=0, fresh=0)
    verifier = TokenVerifier(keys, ISSUER)
    await verifier.verify(issuer.token())
    issuer.down = True
    await verifier.verify(issuer.token())
    assert issuer.fetches > 1


async def test_without_any_key_it_is_503(issuer, verifier):
    issuer.down = True
    assert await status(verifier, issuer.token()) == 503


async def test_a_rotated_key_is_found_after_the_cooldown(issuer):
    verifier = TokenVerifier(KeySet("http://issuer.example/jwks", issuer.client(), cooldown=0), ISSUER)
    old = issuer.token()
    await verifier.verify(old)
    issuer.keys["two"] = ec.generate_private_key(ec.SECP256R1())
    await verifier.verify(issuer.token(kid="two"))
    await verifier.verify(old)

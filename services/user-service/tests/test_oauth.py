"""Tokens: RFC 6749's answers and errors, rotation, stolen refresh tokens, and keys that rotate."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from user_service.signing import NoKeys, SigningKeys


async def refresh(service, token):
    return await service.token(grant_type="refresh_token", refresh_token=token)


async def test_a_login_gives_a_token_that_the_published_keys_verify(service):
    user = (await service.register()).json()
    answer = await service.log_in()
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    keys = jwt.PyJWKSet.from_dict((await service.http.get("/.well-known/jwks.json")).json())
    assert {key.key_id for key in keys.keys} == {"2025", "2026"}
    head = jwt.get_unverified_header(body["access_token"])
    assert head["kid"] == "2026"
    claims = jwt.decode(body["access_token"], keys["2026"].key, ["ES256"], audience="waybill")
    assert (claims["sub"], claims["iss"]) == (user["id"], "http://issuer.example")
    assert claims["exp"] - claims["iat"] <= 900


async def test_published_keys_hold_no_secret(service):
    keys = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    assert all(not {"d", "p", "q", "dp", "dq", "qi"} & set(key) for key in keys)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password", "username": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "nobody@x.example", "password": "x" * 10}, "invalid_grant"),
        ({"grant_type": "password", "username": "ada@waybill.example", "password": "wrong one"}, "invalid_grant"),
        ({"grant_type": "password", "username": "a\0b", "password": "wrong one"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, "invalid_grant"),
    ],
)
async def test_a_bad_request_is_the_rfcs_own_error(service, form, error):
    await service.register()
    answer = await service.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


async def test_refresh_tokens_rotate(service):
    await service.register()
    first = (await service.log_in()).json()["refresh_token"]
    second = (await refresh(service, first)).json()["refresh_token"]
    assert second != first
    assert (await refresh(service, second)).status_code == 200


async def test_a_refresh_token_that_comes_twice_ends_its_whole_login_and_no_other(service):
    await service.register()
    stolen = (await service.log_in()).json()["refresh_token"]
    bystander = (await service.log_in()).json()["refresh_token"]
    heir = (await refresh(service, stolen)).json()["refresh_token"]
    assert (await refresh(service, stolen)).json()["error"] == "invalid_grant"
    assert (await refresh(service, heir)).json()["error"] == "invalid_grant"
    assert (await refresh(service, bystander)).status_code == 200


async def test_a_rotation_in_flight_does_not_outlive_a_token_that_comes_twice(service):
    await service.register()
    stolen = (await service.log_in()).json()["refresh_token"]
    current = (await refresh(service, stolen)).json()["refresh_token"]
    async with service.db.transaction() as rotation:
        heir = await service.tokens.refresh(rotation, current)
        assert (await refresh(service, stolen)).status_code == 400
    assert (await refresh(service, heir.refresh_token)).json()["error"] == "invalid_grant"


async def test_a_revoked_token_is_dead_and_an_unknown_one_is_no_error(service):
    await service.register()
    token = (await service.log_in()).json()["refresh_token"]
    for sent in (token, token, "unknown"):
        assert (await service.http.post("/oauth/revoke", data={"token": sent})).status_code == 200
    assert (await refresh(service, token)).status_code == 400
    assert (await service.http.post("/oauth/revoke", data={})).json()["error"] == "invalid_request"


async def test_no_refresh_token_is_stored_as_it_is(service):
    await service.register()
    token = (await service.log_in()).json()["refresh_token"]
    (row,) = await service.fetch("SELECT refresh_tokens::text AS everything FROM refresh_tokens")
    assert token not in row["everything"]


async def test_discovery_points_at_what_exists(service):
    document = (await service.http.get("/.well-known/openid-configuration")).json()
    path = document["jwks_uri"].removeprefix(document["issuer"])
    assert (await service.http.get(path)).status_code == 200


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_the_newest_key_signs_and_the_old_one_still_verifies(tmp_path):
    (tmp_path / "2025.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    old = SigningKeys.load(tmp_path).sign({"sub": "x"})
    (tmp_path / "2026.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    keys = SigningKeys.load(tmp_path)
    assert jwt.get_unverified_header(keys.sign({"sub": "x"}))["kid"] == "2026"
    published = jwt.PyJWKSet.from_dict(keys.jwks())
    assert jwt.decode(old, published["2025"].key, ["ES256"]) == {"sub": "x"}


@pytest.mark.parametrize("content", [None, b"no key"])
def test_a_folder_without_keys_is_one_sentence(tmp_path, content):
    if content:
        (tmp_path / "a.pem").write_bytes(content)
    with pytest.raises(NoKeys, match="pem"):
        SigningKeys.load(tmp_path)

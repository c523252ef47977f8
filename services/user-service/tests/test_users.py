"""Users: registered once, seen by themselves, changed, gone; each change announced without an address."""

import asyncio

import pytest

from chassis.ids import new_id
from user_service.passwords import MAX_WAITING, Passwords


async def test_a_user_is_registered_and_announced_without_their_address(service):
    answer = await service.register()
    user = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/users/{user['id']}"
    assert set(user) == {"id", "email", "name", "status", "created_at"}
    assert user["email"] == "ada@waybill.example"
    assert await service.events() == [("user.registered.v1", 1)]
    (row,) = await service.fetch("SELECT value, headers::text FROM outbox")
    assert b"waybill.example" not in row["value"]
    assert "waybill.example" not in row["headers"]


async def test_an_address_is_taken_once_whatever_its_case(service, slug):
    answers = await asyncio.gather(*(service.register(email=e) for e in ("a@b.example", "A@B.example", "a@B.example")))
    assert sorted(a.status_code for a in answers) == [201, 409, 409]
    assert slug(await service.register(email="a@b.example")) == (409, "email-taken")
    assert len(await service.events()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a\0@b.example"},
        {"name": ""},
        {"name": "x" * 201},
        {"password": "short"},
        {"password": "x" * 129},
        {"admin": True},
        {"scopes": "admin"},
    ],
)
async def test_a_bad_registration_is_422_and_never_repeats_the_password(service, slug, change):
    answer = await service.register(**change)
    assert slug(answer) == (422, "validation-failed")
    assert "long password" not in answer.text
    assert (await service.fetch("SELECT count(*) FROM users"))[0][0] == 0


async def test_the_stored_password_is_argon2id_and_nothing_else_holds_it(service):
    await service.register()
    (row,) = await service.fetch("SELECT users::text AS everything FROM users")
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in row["everything"]
    assert "a long password" not in row["everything"]


async def test_a_user_changes_their_name(service):
    me = await service.me()
    assert (await service.http.get("/users/me", headers=me)).json()["name"] == "Ada"
    for _ in range(2):
        assert (await service.http.patch("/users/me", json={"name": "Ada K"}, headers=me)).json()["name"] == "Ada K"
    assert await service.events() == [("user.registered.v1", 1), ("user.updated.v1", 2)]


async def test_a_deactivated_user_is_seen_but_may_do_nothing(service, slug):
    me = await service.me()
    refresh = (await service.log_in()).json()["refresh_token"]
    for _ in range(2):
        assert (await service.http.delete("/users/me", headers=me)).status_code == 204
    assert (await service.http.get("/users/me", headers=me)).json()["status"] == "deactivated"
    assert slug(await service.http.patch("/users/me", json={"name": "x"}, headers=me)) == (403, "inactive-user")
    assert (await service.log_in()).json()["error"] == "invalid_grant"
    assert (await service.token(grant_type="refresh_token", refresh_token=refresh)).status_code == 400
    assert await service.events() == [("user.registered.v1", 1), ("user.deactivated.v1", 2)]


async def test_another_user_is_as_good_as_none_except_for_administrators(service, slug):
    me = await service.me()
    other = (await service.register(email="b@b.example")).json()["id"]
    assert slug(await service.http.get(f"/users/{other}", headers=me)) == (404, "user-not-found")
    assert slug(await service.http.get(f"/users/{new_id()}", headers=me)) == (404, "user-not-found")
    await service.fetch("UPDATE users SET scopes = 'admin' WHERE email = 'ada@waybill.example'")
    admin = {"authorization": f"Bearer {(await service.log_in()).json()['access_token']}"}
    assert (await service.http.get(f"/users/{other}", headers=admin)).json()["id"] == other


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_without_a_token_nothing_is_shown(service, slug, method):
    answer = await service.http.request(method, "/users/me", json={"name": "x"})
    assert slug(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_too_many_waiting_passwords_are_refused(monkeypatch):
    passwords = Passwords()
    monkeypatch.setattr(passwords, "_waiting", MAX_WAITING)
    with pytest.raises(Exception, match="Too many passwords") as raised:
        await passwords.hash("x")
    assert raised.value.status == 503
    passwords.close()

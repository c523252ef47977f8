"""The users' door: register, look, change, leave. One request, one transaction, committed before the answer."""

from uuid import UUID

from fastapi import APIRouter, Response

from chassis.problems import Problem, responses
from chassis.telemetry import current_traceparent
from chassis.tokens import Caller
from user_service import schemas, use_cases
from user_service.door import FromDoor
from user_service.use_cases import UserError

REFUSALS: dict[type[UserError], tuple[int, str]] = {
    use_cases.EmailTaken: (409, "email-taken"),
    use_cases.Deactivated: (403, "inactive-user"),
    use_cases.UnknownUser: (404, "user-not-found"),
}
ADMIN = "admin"

router = APIRouter(tags=["users"])


@router.post("/users", status_code=201, responses=responses(409))
async def register(body: schemas.Registration, door: FromDoor, response: Response) -> schemas.User:
    """Become a user; the password is hashed before the transaction begins."""
    hashed = await door.passwords.hash(body.password)
    try:
        async with door.database.transaction() as tx:
            user = await door.users.register(tx, body.email, body.name, hashed, current_traceparent())
    except UserError as error:
        raise _refusal(error) from error
    response.headers["Location"] = f"/users/{user.id}"
    return schemas.User.shown(user)


@router.get("/users/me", responses=responses(401, 404))
async def get_me(caller: Caller, door: FromDoor) -> schemas.User:
    """The caller."""
    return await _shown(door, caller.subject)


@router.patch("/users/me", responses=responses(401, 403, 404))
async def change_me(body: schemas.Change, caller: Caller, door: FromDoor) -> schemas.User:
    """Change the caller's public data."""
    try:
        async with door.database.transaction() as tx:
            return schemas.User.shown(await door.users.rename(tx, caller.subject, body.name, current_traceparent()))
    except UserError as error:
        raise _refusal(error) from error


@router.delete("/users/me", status_code=204, responses=responses(401))
async def leave(caller: Caller, door: FromDoor) -> None:
    """Deactivate the caller, for good; a second time changes nothing."""
    async with door.database.transaction() as tx:
        await door.users.deactivate(tx, caller.subject, current_traceparent())


@router.get("/users/{user_id}", responses=responses(401, 404))
async def get_user(user_id: UUID, caller: Caller, door: FromDoor) -> schemas.User:
    """One user, for themselves and administrators; another's is as good as none."""
    if user_id != caller.subject and ADMIN not in caller.scopes:
        raise _refusal(use_cases.UnknownUser("There is no such user."))
    return await _shown(door, user_id)


async def _shown(door: FromDoor, user_id: UUID) -> schemas.User:
    try:
        async with door.database.transaction() as tx:
            return schemas.User.shown(await door.users.get(tx, user_id))
    except UserError as error:
        raise _refusal(error) from error


def _refusal(error: UserError) -> Problem:
    status, slug = REFUSALS[type(error)]
    return Problem(status, slug, str(error))

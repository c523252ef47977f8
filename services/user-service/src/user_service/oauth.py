"""The token door: RFC 6749 (password and refresh_token grants), RFC 7009, and discovery. Errors are the RFC's own."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse

from user_service import repository, schemas
from user_service.door import FromDoor
from user_service.use_cases import Grant

NO_STORE = {"Cache-Control": "no-store"}
REFUSED: dict[int | str, dict[str, Any]] = {400: {"model": schemas.TokenError}}
Field = Annotated[str | None, Form(max_length=512)]

router = APIRouter(tags=["tokens"])


@router.post("/oauth/token", responses=REFUSED, response_model=schemas.TokenAnswer)
async def token(
    door: FromDoor,
    grant_type: Field = None,
    username: Field = None,
    password: Field = None,
    refresh_token: Field = None,
) -> JSONResponse:
    """Log in, or continue with a refresh token."""
    match grant_type:
        case "password" if username and password:
            return _answer(await _logged_in(door, username.lower(), password))
        case "refresh_token" if refresh_token:
            async with door.database.transaction() as tx:
                grant = await door.tokens.refresh(tx, refresh_token)
            return _answer(grant)
        case "password" | "refresh_token" | None:
            return _refuse("invalid_request", "A parameter of this grant is missing.")
    return _refuse("unsupported_grant_type", "Use password or refresh_token.")


@router.post("/oauth/revoke", status_code=200, responses=REFUSED)
async def revoke(door: FromDoor, token: Field = None) -> JSONResponse:
    """End a login: the token and everything that rotation made of it."""
    if not token:
        return _refuse("invalid_request", "Send the token.")
    async with door.database.transaction() as tx:
        await door.tokens.revoke(tx, token)
    return JSONResponse({}, headers=NO_STORE)


@router.get("/.well-known/jwks.json")
async def jwks(door: FromDoor) -> schemas.KeySet:
    """The public keys; two during a rotation."""
    return schemas.KeySet(**door.keys.jwks())


@router.get("/.well-known/openid-configuration")
async def discovery(request: Request) -> dict[str, Any]:
    """Where everything is, as clients of OpenID providers expect it."""
    issuer: str = request.app.state.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
    }


async def _logged_in(door: FromDoor, email: str, password: str) -> Grant | None:
    """Checks the password outside of any transaction: it takes as long as a hundred queries."""
    known = "\x00" not in email
    async with door.database.transaction() as tx:
        user = await repository.find_user_by_email(tx.raw, email) if known else None
    fits = await door.passwords.verify(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_active:
        return None
    async with door.database.transaction() as tx:
        return await door.tokens.log_in(tx, user)


def _answer(grant: Grant | None) -> JSONResponse:
    if grant is None:
        return _refuse("invalid_grant", "The e-mail address, the password or the token is not right.")
    body = schemas.TokenAnswer(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_in=grant.expires_in,
        scope=grant.scope,
    )
    return JSONResponse(body.model_dump(), headers=NO_STORE)


def _refuse(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, 400, NO_STORE)

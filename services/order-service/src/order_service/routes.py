"""The HTTP door: parse, call, answer. New orders are gathered by the intake; everything else is one transaction."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from chassis import idempotency, paging, problems
from chassis.database import Database, is_lock_timeout
from chassis.idempotency import IdempotencyKey
from chassis.ids import new_id
from chassis.intake import Intake
from chassis.lookup import Unavailable
from chassis.problems import Problem, responses
from chassis.telemetry import current_traceparent
from chassis.tokens import Caller, Principal
from messaging import Backlog
from order_service import domain, repository, schemas
from order_service.domain import OrderError, Status
from order_service.owners import Owners
from order_service.repository import Stored
from order_service.use_cases import Draft, Known, Orders

REFUSALS: dict[type[OrderError], tuple[int, str]] = {
    domain.UnknownProduct: (422, "unknown-product"),
    domain.InactiveProduct: (422, "inactive-product"),
    domain.MixedCurrencies: (422, "mixed-currencies"),
    domain.InactiveUser: (403, "inactive-user"),
    domain.TooManyPending: (429, "too-many-pending-orders"),
    domain.KeyReused: (422, "idempotency-key-reused"),
    domain.IllegalCancel: (409, "order-not-cancellable"),
    domain.UnknownOrder: (404, "order-not-found"),
}
ADMIN = "admin"
MAX_WAIT_SECONDS = 30
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 0.5

router = APIRouter(tags=["orders"], responses=responses(401))


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes work with; app.py makes it."""

    database: Database
    orders: Orders
    intake: Intake[Draft, Stored]
    owners: Owners
    backlog: Backlog


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


FromDoor = Annotated[Door, Depends(_door)]


@router.post("/orders", status_code=201, responses=responses(403, 409, 429))
async def place_order(
    body: schemas.OrderBody, key: IdempotencyKey, caller: Caller, door: FromDoor, response: Response
) -> schemas.Order:
    """Accept an order, or answer a repeated key exactly as the first time."""
    if door.backlog.full:
        raise problems.unavailable("Too many orders wait to be published.", seconds=5)
    fingerprint = idempotency.fingerprint(body)
    draft = Draft(new_id(), caller.subject, key, fingerprint, body.quantities, current_traceparent())
    try:
        stored = await _submitted(door, draft, caller)
    except OrderError as error:
        raise _refusal(error) from error
    response.headers["Location"] = f"/orders/{stored.id}"
    return schemas.Order.shown(stored)


@router.get("/orders")
async def list_orders(
    caller: Caller, door: FromDoor, limit: paging.Limit = 20, cursor: paging.Cursor = None
) -> schemas.Page:
    """The caller's orders, newest first."""
    before = _position(paging.decode(cursor, 2))
    async with door.database.transaction() as tx:
        found = await repository.orders_before(tx.raw, caller.subject, before, limit + 1)
    shown = [schemas.Order.shown(order) for order in found[:limit]]
    last = shown[-1] if len(found) > limit else None
    return schemas.Page(items=shown, next=last and paging.encode(last.created_at.isoformat(), str(last.id)))


@router.get("/orders/{order_id}", responses=responses(404))
async def get_order(
    order_id: UUID,
    caller: Caller,
    door: FromDoor,
    request: Request,
    response: Response,
    prefer: Annotated[str | None, Header(description="`wait=N` waits up to N <= 30 s for the end")] = None,
) -> schemas.Order:
    """One order; with `Prefer: wait=N` as soon as it is decided."""
    wait = _wait_seconds(prefer)
    if wait:
        response.headers["Preference-Applied"] = f"wait={wait}"
    found = await _decided(door, order_id, caller, time.monotonic() + wait, request.app.state.draining)
    return schemas.Order.shown(found)


@router.get("/orders/{order_id}/history", responses=responses(404))
async def get_history(order_id: UUID, caller: Caller, door: FromDoor) -> list[schemas.HistoryStep]:
    """Each step of the order with its time and trace."""
    await _visible(door, order_id, caller)
    async with door.database.transaction() as tx:
        return [schemas.HistoryStep.shown(step) for step in await repository.history_of(tx.raw, order_id)]


@router.post("/orders/{order_id}/cancel", responses=responses(404, 409))
async def cancel_order(order_id: UUID, caller: Caller, door: FromDoor) -> schemas.Order:
    """Cancel a pending or confirmed order of the caller's; a second time changes nothing."""
    try:
        async with door.database.transaction() as tx:
            await door.orders.cancel_order(tx, order_id, caller.subject, current_traceparent())
    except OrderError as error:
        raise _refusal(error) from error
    return schemas.Order.shown(await _visible(door, order_id, caller))


async def _submitted(door: Door, draft: Draft, caller: Principal) -> Stored:
    """Through the intake; a second time with the owners' answers when our projections had none."""
    try:
        return await door.intake.submit(draft)
    except domain.NotProjected as missing:
        known = await _asked(door, missing, caller)
    except Exception as error:
        # The first request with this key sits in an open transaction: nothing is known about its outcome yet.
        if is_lock_timeout(error):
            raise idempotency.in_flight() from error
        raise
    return await door.intake.submit(replace(draft, known=known))


async def _asked(door: Door, missing: domain.NotProjected, caller: Principal) -> Known:
    try:
        return await door.owners.ask(missing, caller.subject, caller.token)
    except Unavailable as error:
        raise problems.unavailable("The catalogue or the users cannot be asked at the moment.") from error


async def _decided(door: Door, order_id: UUID, caller: Principal, until: float, draining: asyncio.Event) -> Stored:
    """Poll at growing distances, holding no connection in between; a drain answers at once."""
    pause = FIRST_POLL_SECONDS
    while True:
        order = await _visible(door, order_id, caller)
        left = until - time.monotonic()
        if order.status != Status.PENDING or left <= 0 or draining.is_set():
            return order
        with suppress(TimeoutError):
            await asyncio.wait_for(draining.wait(), min(pause, left))
        pause = min(LAST_POLL_SECONDS, pause * 1.5)


async def _visible(door: Door, order_id: UUID, caller: Principal) -> Stored:
    """The order if the caller may see it; another's order is as good as none."""
    async with door.database.transaction() as tx:
        found = await repository.find_order(tx.raw, order_id)
    if found is None or (found.user_id != caller.subject and ADMIN not in caller.scopes):
        raise _refusal(domain.UnknownOrder("There is no such order."))
    return found


def _refusal(error: OrderError) -> Problem:
    status, slug = REFUSALS[type(error)]
    return Problem(status, slug, str(error))


def _wait_seconds(prefer: str | None) -> int:
    """RFC 7240 `wait`; anything else in the header is ignored, as the RFC says."""
    asked = re.search(r"(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])", prefer or "")
    return min(MAX_WAIT_SECONDS, int(asked.group(1))) if asked else 0


def _position(decoded: list[str] | None) -> tuple[datetime, UUID] | None:
    if decoded is None:
        return None
    try:
        return datetime.fromisoformat(decoded[0]), UUID(decoded[1])
    except ValueError as error:
        raise paging.malformed() from error

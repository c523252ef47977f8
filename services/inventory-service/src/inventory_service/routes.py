"""The HTTP door: the catalogue for everybody, its upkeep for `catalog:write`. One request, one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chassis import idempotency, paging
from chassis.database import Database, is_lock_timeout
from chassis.idempotency import IdempotencyKey
from chassis.ids import new_id
from chassis.problems import Problem, responses
from chassis.telemetry import current_traceparent
from chassis.tokens import Principal, require_scope
from contracts import ProductUpdated
from inventory_service import domain, repository, schemas
from inventory_service.domain import InventoryError
from inventory_service.repository import Restock
from inventory_service.use_cases import Inventory

REFUSALS: dict[type[InventoryError], tuple[int, str]] = {
    domain.UnknownProduct: (404, "product-not-found"),
    domain.KeyReused: (422, "idempotency-key-reused"),
}

router = APIRouter(tags=["catalogue"])


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes work with; app.py makes it."""

    database: Database
    inventory: Inventory


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


FromDoor = Annotated[Door, Depends(_door)]
Keeper = Annotated[Principal, Depends(require_scope("catalog:write"))]


@router.get("/products")
async def list_products(door: FromDoor, limit: paging.Limit = 20, cursor: paging.Cursor = None) -> schemas.Page:
    """The catalogue, newest first."""
    before = _position(paging.decode(cursor, 2))
    async with door.database.transaction() as tx:
        found = await repository.products_before(tx.raw, before, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    items = [schemas.Product.shown(product) for product in found[:limit]]
    return schemas.Page(items=items, next=last and paging.encode(last.listed_at.isoformat(), last.sku))


@router.get("/products/{sku}", responses=responses(404))
async def get_product(sku: schemas.Sku, door: FromDoor) -> schemas.Product:
    """One product with what is available of it."""
    async with door.database.transaction() as tx:
        found = await repository.find_product(tx.raw, sku)
    if found is None:
        raise _refusal(domain.UnknownProduct(f"There is no product {sku}."))
    return schemas.Product.shown(found)


@router.put("/products/{sku}", responses=responses(401, 403))
async def put_product(sku: schemas.Sku, body: schemas.ProductBody, _: Keeper, door: FromDoor) -> schemas.Product:
    """List a product or change it; the same again changes nothing."""
    wanted = ProductUpdated(sku=sku, **body.model_dump())
    async with door.database.transaction() as tx:
        return schemas.Product.shown(await door.inventory.put_product(tx, wanted, current_traceparent()))


@router.post("/products/{sku}/restocks", status_code=201, responses=responses(401, 403, 404, 409))
async def restock(
    sku: schemas.Sku, body: schemas.RestockBody, key: IdempotencyKey, keeper: Keeper, door: FromDoor
) -> schemas.Restock:
    """Book a delivery once per key."""
    fingerprint = idempotency.fingerprint(body, sku)
    wanted = Restock(new_id(), sku, body.quantity, keeper.subject, key, fingerprint)
    try:
        async with door.database.transaction() as tx:
            booked = await door.inventory.restock(tx, wanted)
    except InventoryError as error:
        raise _refusal(error) from error
    except Exception as error:
        # The first request with this key, or a batch that holds the stock row, has not ended within our patience.
        if is_lock_timeout(error):
            raise idempotency.in_flight() from error
        raise
    return schemas.Restock(id=booked.id, sku=booked.sku, quantity=booked.quantity)


def _refusal(error: InventoryError) -> Problem:
    status, slug = REFUSALS[type(error)]
    return Problem(status, slug, str(error))


def _position(decoded: list[str] | None) -> schemas.Position | None:
    if decoded is None:
        return None
    try:
        return datetime.fromisoformat(decoded[0]), decoded[1]
    except ValueError as error:
        raise paging.malformed() from error

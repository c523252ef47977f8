"""The verbs: a batch of order events folded over reservations and stock; a restock; a change of the catalogue.

They run inside the door's transaction and never commit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from contracts import Event, OrderPlaced, ProductListed, ProductUpdated
from inventory_service import domain, repository
from inventory_service.domain import Decide, Decision, Effect, Level, Reservation, State
from inventory_service.repository import Movement, Product, Restock
from messaging import Announcement, Outbox, Received, Transaction


@dataclass(slots=True)
class Fold:
    """A batch under way: reservations and shelf as they stand after the events so far, and what has come of them."""

    reservations: dict[UUID, Reservation]
    shelf: dict[str, Level]
    known: frozenset[UUID] = field(init=False)
    changed: set[UUID] = field(default_factory=set)
    movements: list[Movement] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)
    stale: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = frozenset(self.reservations)

    def apply(self, one: Received, decide: Decide) -> None:
        """One event over its reservation."""
        order_id = UUID(one.envelope.subject)
        before = self.reservations.get(order_id, Reservation(order_id))
        decision = domain.after_order(before, decide, one.envelope.event, one.envelope.version, self.shelf)
        if decision.stale:
            self.stale.append(one.envelope.id)
            return
        self.reservations[order_id] = decision.reservation
        self.changed.add(order_id)
        self._move(decision, one.envelope.id)
        self.announcements += _announcements(decision, one)

    def _move(self, decision: Decision, cause: UUID) -> None:
        for effect in decision.effects:
            self.shelf[effect.sku] = domain.moved(self.shelf[effect.sku], effect)
            self.movements.append(Movement(effect, decision.reservation.order_id, cause))

    @property
    def touched(self) -> dict[str, Level]:
        """The shelf's rows that differ now."""
        return {movement.effect.sku: self.shelf[movement.effect.sku] for movement in self.movements}


class Inventory:
    """The verbs of inventory-service, bound to its outbox."""

    def __init__(self, outbox: Outbox, handlers: Mapping[type[Event], Decide]) -> None:
        self._outbox, self._handlers = outbox, handlers

    async def apply_order_events(self, tx: Transaction, received: Sequence[Received]) -> Collection[UUID]:
        """Reserve, sell, release and restock for a whole batch; returns the events that came too late."""
        reservations = await repository.lock_reservations(tx.raw, {UUID(one.envelope.subject) for one in received})
        fold = Fold(reservations, await repository.lock_stock(tx.raw, _skus(received, reservations)))
        for one in received:
            fold.apply(one, self._handlers[type(one.envelope.event)])
        await self._store(tx, fold)
        return fold.stale

    async def _store(self, tx: Transaction, fold: Fold) -> None:
        """One statement per table."""
        changed = [fold.reservations[order] for order in sorted(fold.changed)]
        await repository.insert_reservations(tx.raw, [r for r in changed if r.order_id not in fold.known])
        await repository.update_reservations(tx.raw, [r for r in changed if r.order_id in fold.known])
        await repository.update_stock(tx.raw, fold.touched)
        await repository.insert_ledger(tx.raw, fold.movements)
        await self._outbox.store(tx.raw, fold.announcements)

    async def restock(self, tx: Transaction, restock: Restock) -> Restock:
        """Add pieces once per key; a repeated key gets the first restock again. Raises UnknownProduct, KeyReused."""
        if not await repository.insert_restock(tx.raw, restock):
            before = await repository.find_restock(tx.raw, restock.user_id, restock.key)
            if before.fingerprint != restock.fingerprint:
                raise domain.KeyReused("This Idempotency-Key was used with another body.")
            return before
        level = (await repository.lock_stock(tx.raw, [restock.sku])).get(restock.sku)
        if level is None:
            raise domain.UnknownProduct(f"There is no product {restock.sku}.")
        effect = Effect("restock", restock.sku, restock.quantity, 0)
        await repository.update_stock(tx.raw, {restock.sku: domain.moved(level, effect)})
        await repository.insert_ledger(tx.raw, [Movement(effect, None, None)])
        return restock

    async def put_product(self, tx: Transaction, wanted: ProductUpdated, traceparent: str | None) -> Product:
        """List or change a product; the same again announces nothing."""
        columns = (wanted.sku, wanted.name, wanted.price_minor, wanted.currency, wanted.active)
        version = await repository.put_product(tx.raw, *columns)
        if version:
            event = wanted if version > 1 else ProductListed(**wanted.model_dump())
            announcement = Announcement(event, wanted.sku, version, None, wanted.sku, traceparent)
            await self._outbox.store(tx.raw, [announcement])
        product = await repository.find_product(tx.raw, wanted.sku)
        if product is None:
            raise LookupError(f"product {wanted.sku} vanished inside its own transaction")
        return product


def _skus(received: Sequence[Received], reservations: Mapping[UUID, Reservation]) -> set[str]:
    """Every SKU that the batch can touch: of new orders, and of reservations that may be sold or given back."""
    placed = {
        item.sku for one in received if isinstance(event := one.envelope.event, OrderPlaced) for item in event.items
    }
    holding = (r for r in reservations.values() if r.state in (State.OPEN, State.SOLD))
    return placed | {sku for reservation in holding for sku in reservation.items}


def _announcements(decision: Decision, one: Received) -> list[Announcement]:
    reservation, envelope = decision.reservation, one.envelope
    key, version = str(reservation.order_id), reservation.version
    return [
        Announcement(event, key, version, envelope.id, envelope.correlation_id, one.traceparent)
        for event in decision.events
    ]

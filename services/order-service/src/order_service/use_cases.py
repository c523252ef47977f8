"""The verbs, over batches: load what is concerned, locked in the fixed order; fold with the pure rules; store once.

They run inside the door's transaction and never commit. A refusal is a member's answer, not the batch's failure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts import Event, OrderPlaced
from messaging import Announcement, Outbox, Received, Transaction
from order_service import domain, repository
from order_service.domain import Decide, Decision, Order, OrderError, Price
from order_service.repository import NewOrder, Stored

SWEEP_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What the owners answered when our projections had no row: used once, never stored."""

    prices: Mapping[str, Price] = field(default_factory=dict)
    user_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A customer's wish: `items` is SKU -> quantity, in the customer's order."""

    id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes
    items: Mapping[str, int]
    traceparent: str | None
    known: Known = Known()


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until an undecided order is cancelled; undecided orders that one user may have."""

    deadline_seconds: float = 30
    pending: int = 100


class Orders:
    """The verbs of order-service, bound to its outbox and limits."""

    def __init__(self, outbox: Outbox, limits: Limits, handlers: Mapping[type[Event], Decide]) -> None:
        self._outbox, self._limits, self._handlers = outbox, limits, handlers

    async def place_orders(self, tx: Transaction, drafts: Sequence[Draft]) -> list[Stored | Exception]:
        """Store what is acceptable; a key that was used before gets its first answer again."""
        seen = await repository.orders_by_key(tx.raw, {(draft.user_id, draft.key) for draft in drafts})
        fresh = [draft for draft in drafts if (draft.user_id, draft.key) not in seen]
        priced = await self._priced(tx, fresh)
        made = [order for order in priced.values() if isinstance(order, NewOrder)]
        stored = await self._store(tx, made)
        losers = {(o.user_id, o.key) for o in made if o.id not in stored}
        seen |= await repository.orders_by_key(tx.raw, losers) if losers else {}
        return [self._answer(draft, priced, stored, seen) for draft in drafts]

    async def apply_stock_answers(self, tx: Transaction, received: Sequence[Received]) -> Collection[UUID]:
        """Fold inventory's events over their orders; an unknown order raises, which parks its key."""
        orders = await repository.lock_orders(tx.raw, {UUID(one.envelope.subject) for one in received})
        announcements, stale = [], []
        for one in received:
            order = orders.get(UUID(one.envelope.subject))
            if order is None:
                raise domain.UnknownOrder(f"There is no order {one.envelope.subject}.")
            event = one.envelope.event
            decision = domain.after_stock(order, self._handlers[type(event)], event, one.envelope.version)
            orders[order.id] = decision.order
            announcements += _announcements(decision, one.envelope.id, one.traceparent)
            if decision.stale:
                stale.append(one.envelope.id)
        await repository.update_orders(tx.raw, list(orders.values()))
        await repository.insert_history(tx.raw, [one.envelope for one in received])
        await self._announce(tx, announcements)
        return stale

    async def cancel_order(self, tx: Transaction, order_id: UUID, user_id: UUID, traceparent: str | None) -> None:
        """Cancel a pending or confirmed order; cancelling twice changes nothing."""
        order = await repository.lock_order_of(tx.raw, order_id, user_id)
        if order is None:
            raise domain.UnknownOrder("There is no such order.")
        await self._settle(tx, [(domain.decide_on_cancel(order), traceparent)])

    async def expire_orders(self, tx: Transaction) -> int:
        """Cancel what nobody decided in time; returns how many."""
        overdue = await repository.lock_overdue(tx.raw, SWEEP_LIMIT)
        await self._settle(tx, [(domain.decide_on_deadline(order), trace) for order, trace in overdue])
        return len(overdue)

    async def _settle(self, tx: Transaction, decisions: Sequence[tuple[Decision, str | None]]) -> None:
        """The version rises before the event is stored, so that outbox order is commit order per order."""
        changed = [(decision, trace) for decision, trace in decisions if decision.events]
        await repository.update_orders(tx.raw, [decision.order for decision, _ in changed])
        await self._announce(tx, [a for decision, trace in changed for a in _announcements(decision, None, trace)])

    async def _announce(self, tx: Transaction, announcements: Sequence[Announcement]) -> None:
        await repository.insert_history(tx.raw, await self._outbox.store(tx.raw, announcements))

    async def _priced(self, tx: Transaction, drafts: Sequence[Draft]) -> dict[UUID, NewOrder | OrderError]:
        """Each draft with prices, or its refusal."""
        if not drafts:
            return {}
        prices = await repository.prices_of(tx.raw, {sku for draft in drafts for sku in draft.items})
        users = await repository.active_users(tx.raw, {draft.user_id for draft in drafts})
        pending = await repository.pending_counts(tx.raw, {draft.user_id for draft in drafts})
        judged: dict[UUID, NewOrder | OrderError] = {}
        for draft in drafts:
            try:
                judged[draft.id] = self._judge(draft, prices, users, pending)
                pending[draft.user_id] = pending.get(draft.user_id, 0) + 1
            except OrderError as refusal:
                judged[draft.id] = refusal
        return judged

    def _judge(
        self, draft: Draft, projected: Mapping[str, Price], users: Mapping[UUID, bool], pending: Mapping[UUID, int]
    ) -> NewOrder:
        prices = {**draft.known.prices, **projected}
        active = users.get(draft.user_id, draft.known.user_active)
        missing = frozenset(draft.items) - prices.keys()
        if missing or active is None:
            raise domain.NotProjected(missing, active is None)
        if not active:
            raise domain.InactiveUser("This user may not order.")
        if pending.get(draft.user_id, 0) >= self._limits.pending:
            raise domain.TooManyPending(f"{self._limits.pending} of your orders are undecided; wait for them.")
        items, total, currency = domain.priced(draft.items, prices)
        identity = (draft.id, draft.user_id, draft.key, draft.fingerprint)
        return NewOrder(*identity, items, total, currency, draft.traceparent)

    async def _store(self, tx: Transaction, orders: Sequence[NewOrder]) -> dict[UUID, Stored]:
        """Insert the orders whose key is free, and announce them."""
        if not orders:
            return {}
        rows = await repository.insert_orders(tx.raw, orders, self._limits.deadline_seconds)
        won = [order for order in orders if order.id in rows]
        await repository.insert_items(tx.raw, won)
        placed = [(order, _placed(order, rows[order.id]["deadline_at"])) for order in won]
        await self._announce(
            tx, [Announcement(event, str(o.id), 1, None, str(o.id), o.traceparent) for o, event in placed]
        )
        return {order.id: _shown(order, rows[order.id]["created_at"]) for order in won}

    def _answer(
        self,
        draft: Draft,
        priced: Mapping[UUID, NewOrder | OrderError],
        stored: Mapping[UUID, Stored],
        seen: Mapping[tuple[UUID, str], Stored],
    ) -> Stored | Exception:
        if draft.id in stored:
            return stored[draft.id]
        before = seen.get((draft.user_id, draft.key))
        if before is None:
            refusal = priced[draft.id]
            return refusal if isinstance(refusal, OrderError) else RuntimeError("an order was neither stored nor seen")
        if before.fingerprint != draft.fingerprint:
            return domain.KeyReused("This Idempotency-Key was used with another body.")
        return replace(before, status=domain.Status.PENDING, terminal_at=None)  # exactly as at creation


def _announcements(decision: Decision, cause: UUID | None, traceparent: str | None) -> list[Announcement]:
    order: Order = decision.order
    key = str(order.id)
    return [Announcement(event, key, order.version, cause, key, traceparent) for event in decision.events]


def _placed(order: NewOrder, deadline_at: datetime) -> OrderPlaced:
    return OrderPlaced.model_validate(
        {
            "order_id": order.id,
            "user_id": order.user_id,
            "items": order.items,
            "total_minor": order.total_minor,
            "currency": order.currency,
            "deadline_at": deadline_at,
        }
    )


def _shown(order: NewOrder, created_at: datetime) -> Stored:
    return Stored(
        order.id,
        order.user_id,
        order.key,
        order.fingerprint,
        domain.Status.PENDING,
        order.items,
        order.total_minor,
        order.currency,
        created_at,
        None,
    )

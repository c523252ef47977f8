"""Catalogue, stock and reservations, and messaging's tables in the same database, since they share transactions."""

from alembic import op

from messaging import schema

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE products (
        sku text PRIMARY KEY,
        name text NOT NULL,
        price_minor bigint NOT NULL,
        currency varchar(3) NOT NULL,
        active boolean NOT NULL,
        version integer NOT NULL,
        listed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX products_newest ON products (listed_at DESC, sku DESC)",
    """
    CREATE TABLE stock (
        sku text PRIMARY KEY,
        on_hand bigint NOT NULL,
        reserved bigint NOT NULL,
        CONSTRAINT never_oversold CHECK (on_hand >= reserved AND reserved >= 0)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE restocks (
        id uuid PRIMARY KEY,
        sku text NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0),
        user_id uuid NOT NULL,
        idempotency_key text NOT NULL,
        fingerprint bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT one_restock_per_key UNIQUE (user_id, idempotency_key)
    )
    """,
    """
    CREATE TABLE reservations (
        order_id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('open', 'rejected', 'sold', 'released', 'restocked', 'refused')),
        version integer NOT NULL,
        order_version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE reservation_items (
        order_id uuid NOT NULL,
        sku text NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0),
        PRIMARY KEY (order_id, sku)
    )
    """,
    """
    CREATE TABLE stock_ledger (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sku text NOT NULL,
        order_id uuid,
        kind text NOT NULL CHECK (kind IN ('reserve', 'sell', 'release', 'restock')),
        on_hand_delta bigint NOT NULL,
        reserved_delta bigint NOT NULL,
        cause_event_id uuid,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT one_effect_per_event UNIQUE (cause_event_id, sku)
    )
    """,
    *schema.STATEMENTS,
)


def upgrade() -> None:
    """One transaction; chassis.migrations holds the lock."""
    for statement in STATEMENTS:
        op.execute(statement)

"""Orders, their projections, and messaging's tables in the same database, since they share transactions."""

from alembic import op

from messaging import schema

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        idempotency_key text NOT NULL,
        fingerprint bytea NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        stock_version integer NOT NULL,
        total_minor bigint NOT NULL,
        currency varchar(3) NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        deadline_at timestamptz NOT NULL,
        terminal_at timestamptz,
        CONSTRAINT one_order_per_key UNIQUE (user_id, idempotency_key),
        CONSTRAINT known_status CHECK (status IN ('pending', 'confirmed', 'rejected', 'cancelled')),
        CONSTRAINT terminal_has_time CHECK ((status = 'pending') = (terminal_at IS NULL))
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX orders_of_user ON orders (user_id, created_at DESC, id DESC)",
    "CREATE INDEX orders_pending ON orders (deadline_at) WHERE status = 'pending'",
    "CREATE INDEX orders_pending_of_user ON orders (user_id) WHERE status = 'pending'",
    """
    CREATE TABLE order_items (
        order_id uuid NOT NULL,
        position integer NOT NULL,
        sku text NOT NULL,
        quantity integer NOT NULL,
        unit_price_minor bigint NOT NULL,
        PRIMARY KEY (order_id, sku)
    )
    """,
    """
    CREATE TABLE order_history (
        order_id uuid NOT NULL,
        event_id uuid NOT NULL,
        at timestamptz NOT NULL,
        event text NOT NULL,
        version integer NOT NULL,
        trace_id text,
        PRIMARY KEY (order_id, event_id)
    )
    """,
    """
    CREATE TABLE products (
        sku text PRIMARY KEY,
        name text NOT NULL,
        price_minor bigint NOT NULL,
        currency varchar(3) NOT NULL,
        active boolean NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE TABLE users (id uuid PRIMARY KEY, active boolean NOT NULL, version integer NOT NULL)",
    *schema.STATEMENTS,
)


def upgrade() -> None:
    """One transaction; chassis.migrations holds the lock."""
    for statement in STATEMENTS:
        op.execute(statement)

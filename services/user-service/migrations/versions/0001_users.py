"""Users and refresh tokens, and messaging's tables in the same database, since they share transactions."""

from alembic import op

from messaging import schema

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        name text NOT NULL,
        password_hash text NOT NULL,
        status text NOT NULL,
        scopes text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT one_user_per_email UNIQUE (email),
        CONSTRAINT known_status CHECK (status IN ('active', 'deactivated'))
    )
    """,
    """
    CREATE TABLE refresh_tokens (
        digest bytea PRIMARY KEY,
        family uuid NOT NULL,
        user_id uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX ix_refresh_tokens_family ON refresh_tokens (family)",
    "CREATE INDEX ix_refresh_tokens_user_id ON refresh_tokens (user_id)",
    *schema.STATEMENTS,
)


def upgrade() -> None:
    """One transaction; chassis.migrations holds the lock."""
    for statement in STATEMENTS:
        op.execute(statement)

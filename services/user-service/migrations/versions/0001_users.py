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
    CREATE TABLE logins (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        revoked_at timestamptz
    )
    """,
    """
    CREATE TABLE refresh_tokens (
        digest bytea PRIMARY KEY,
        login uuid NOT NULL REFERENCES logins,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX ix_logins_user_id ON logins (user_id)",
    "CREATE INDEX ix_refresh_tokens_login ON refresh_tokens (login)",
    *schema.STATEMENTS,
)


def upgrade() -> None:
    """One transaction; chassis.migrations holds the lock."""
    for statement in STATEMENTS:
        op.execute(statement)

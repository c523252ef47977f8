"""Everything that can be set from outside; the README lists each variable."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ConsumerSettings, DatabaseSettings, TokenSettings


class MigrateSettings(DatabaseSettings):
    """For the role `migrate`, and for whatever needs the database only."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"


class ApiSettings(MigrateSettings, TokenSettings):
    """For the role `api`."""

    users_url: str = "http://user-service"
    products_url: str = "http://inventory-service"
    order_deadline_seconds: float = Field(30, gt=0)
    pending_limit: int = Field(100, ge=1)
    backlog_limit: int = Field(1_000_000, ge=1)


class WorkerSettings(MigrateSettings, ConsumerSettings):
    """For the role `worker`."""

"""Everything that can be set from outside; the README lists each variable."""

from pathlib import Path

from pydantic import Field

from chassis.settings import DatabaseSettings, TokenSettings


class MigrateSettings(DatabaseSettings):
    """For the role `migrate`, and for whatever needs the database only."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"


class ApiSettings(MigrateSettings, TokenSettings):
    """For the role `api`."""


class WorkerSettings(MigrateSettings):
    """For the role `worker`."""

    kafka_bootstrap_servers: str
    consumer_session_seconds: float = Field(6, gt=0)
    consumer_heartbeat_seconds: float = Field(2, gt=0)

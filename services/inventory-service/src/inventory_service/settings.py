"""Everything that can be set from outside; the README lists each variable."""

from pathlib import Path

from chassis.settings import ConsumerSettings, DatabaseSettings, TokenSettings


class MigrateSettings(DatabaseSettings):
    """For the role `migrate`, and for whatever needs the database only."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"


class ApiSettings(MigrateSettings, TokenSettings):
    """For the role `api`."""


class WorkerSettings(MigrateSettings, ConsumerSettings):
    """For the role `worker`."""

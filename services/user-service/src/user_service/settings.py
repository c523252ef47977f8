"""Everything that can be set from outside; the README lists each variable."""

from pathlib import Path

from pydantic import Field

from chassis.settings import DatabaseSettings, KafkaSettings


class WorkerSettings(DatabaseSettings, KafkaSettings):
    """For the role `worker`."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"


class MigrateSettings(DatabaseSettings):
    """For the role `migrate`, which also makes the first administrator when both values are given."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"
    admin_email: str | None = None
    admin_password_file: Path | None = None


class ApiSettings(DatabaseSettings):
    """For the role `api`."""

    migrations_dir: Path = Path(__file__).parents[2] / "migrations"
    token_issuer: str
    token_audience: str = "waybill"  # noqa: S105 (a name, no secret)
    signing_keys_dir: Path
    access_seconds: int = Field(900, ge=60, le=900)
    refresh_days: int = Field(30, ge=1)

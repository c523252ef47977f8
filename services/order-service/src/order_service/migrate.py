"""Role `migrate`: a process that brings the schema to what this code needs, and ends."""

from chassis import migrations, settings
from order_service.settings import MigrateSettings


def migrate() -> None:
    """Role `migrate`: the schema to its newest revision."""
    config = settings.load(MigrateSettings)
    migrations.run(config.database_url, config.migrations_dir)

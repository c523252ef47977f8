"""Role `migrate`: a process that brings the schema to what this code needs, makes the administrator, and ends."""

import asyncio

from chassis import migrations, settings
from chassis.database import Database
from messaging import Outbox
from user_service import NAME, SOURCE
from user_service.passwords import Passwords
from user_service.settings import MigrateSettings
from user_service.use_cases import EmailTaken, Users

ADMIN_SCOPES = "admin catalog:write"


def migrate() -> None:
    """Role `migrate`: the schema to its newest revision, and the first administrator."""
    config = settings.load(MigrateSettings)
    migrations.run(config.database_url, config.migrations_dir)
    if config.admin_email and config.admin_password_file:
        password = config.admin_password_file.read_text(encoding="utf-8").strip()
        asyncio.run(_make_admin(config.database_url, config.admin_email.lower(), password))


async def _make_admin(url: str, email: str, password: str) -> None:
    """Once; an administrator who exists keeps their password."""
    passwords = Passwords()
    hashed = await passwords.hash(password)
    passwords.close()
    async with Database(url, pool_size=1, name=f"{NAME} migrate") as database:
        try:
            async with database.transaction() as tx:
                await Users(Outbox(SOURCE)).register(tx, email, "Administrator", hashed, None, ADMIN_SCOPES)
        except EmailTaken:
            return

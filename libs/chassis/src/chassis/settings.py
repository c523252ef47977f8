"""Settings: the environment first, then files (`/run/secrets`), read once, by `app` or `__main__`.

A missing or wrong setting stops the process with one sentence that names the variable.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn, Self, TypeVar
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound="Settings")


class Settings(BaseSettings):
    """What every process of every service has. Times are seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    log_level: str = "INFO"
    http_host: str = "0.0.0.0"  # noqa: S104 (a pod's own network namespace; devstack says loopback)
    http_port: int = 8080
    probes_host: str = "0.0.0.0"  # noqa: S104
    probes_port: int = 9090
    drain_seconds: float = Field(5, ge=0, description="how long to serve on with Connection: close after SIGTERM")
    otlp_endpoint: str | None = Field(None, description="base URL of an OTLP/HTTP collector; none exports nothing")
    trace_ratio: float = Field(0.1, ge=0, le=1)


class DatabaseSettings(Settings):
    """The service's own database; the password is a variable or a mounted file."""

    database_host: str
    database_port: int = 5432
    database_name: str
    database_user: str
    database_password: SecretStr | None = None
    database_password_file: Path = Path("/run/secrets/db/password")
    database_pool_size: int = Field(10, ge=1)

    @model_validator(mode="after")
    def _password_is_somewhere(self) -> Self:
        if self.database_password is None and not self.database_password_file.is_file():
            raise ValueError(f"DATABASE_PASSWORD is not set and {self.database_password_file} does not exist")
        return self

    @property
    def database_url(self) -> str:
        """`postgresql://user:password@host:port/name`, for asyncpg; SQLAlchemy's prefix is added where it is needed."""
        secret = self.database_password.get_secret_value() if self.database_password else self._password_from_file()
        place = f"{self.database_host}:{self.database_port}/{self.database_name}"
        return f"postgresql://{quote(self.database_user, safe='')}:{quote(secret, safe='')}@{place}"

    def _password_from_file(self) -> str:
        return self.database_password_file.read_text(encoding="utf-8").strip()


class TokenSettings(Settings):
    """Whose tokens are believed."""

    jwks_url: str
    token_issuer: str
    token_audience: str = "waybill"  # noqa: S105 (a name, no secret)


def load(cls: type[S]) -> S:
    """Read the settings, or end the process with code 2 and one sentence for each wrong variable."""
    directory = os.environ.get("SECRETS_DIR")
    try:
        return cls(_secrets_dir=directory) if directory else cls()
    except ValidationError as error:
        _refuse(cls, error)


def _refuse(cls: type[Settings], error: ValidationError) -> NoReturn:
    for fault in error.errors(include_input=False, include_url=False):
        variable = "_".join(str(part) for part in fault["loc"]).upper()
        reason = "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
        print(f"{cls.__module__.split('.')[0]}: {variable} {reason}".replace(":  ", ": "), file=sys.stderr)
    raise SystemExit(2)

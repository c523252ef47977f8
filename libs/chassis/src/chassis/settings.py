"""Settings: the environment first, then files (`/run/secrets`), read once, by `app` or `__main__`.

A missing or wrong setting stops the process with one sentence that names the variable.
"""

import os
import sys
from pathlib import Path
from typing import Literal, NoReturn, Self, TypeVar
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
    """The service's own database; the password is a variable or a mounted file, read again at each connection."""

    database_host: str
    database_port: int = 5432
    database_name: str
    database_user: str
    database_password: SecretStr | None = None
    database_password_file: Path = Path("/run/secrets/db/password")
    database_pool_size: int = Field(10, ge=1)
    database_tls: Literal["disable", "verify-full"] = "disable"
    database_ca_file: Path = Path("/run/secrets/db-ca/ca.crt")

    @model_validator(mode="after")
    def _password_is_somewhere(self) -> Self:
        if self.database_password is None and not self.database_password_file.is_file():
            raise ValueError(f"DATABASE_PASSWORD is not set and {self.database_password_file} does not exist")
        return self

    @model_validator(mode="after")
    def _authority_is_there(self) -> Self:
        if self.database_tls == "verify-full":
            _must_exist(self, "database_ca_file")
        return self

    @property
    def database_url(self) -> str:
        """`postgresql://user:password@host:port/name?sslmode=..`: asyncpg reads the CA's file at each connection."""
        user, password = quote(self.database_user, safe=""), quote(self.current_password(), safe="")
        place = f"{self.database_host}:{self.database_port}/{self.database_name}"
        authority = f"&sslrootcert={quote(str(self.database_ca_file))}" if self.database_tls == "verify-full" else ""
        return f"postgresql://{user}:{password}@{place}?sslmode={self.database_tls}{authority}"

    def current_password(self) -> str:
        """What a new connection says; the file may have changed since the last one."""
        if self.database_password:
            return self.database_password.get_secret_value()
        return self.database_password_file.read_text(encoding="utf-8").strip()


class KafkaSettings(Settings):
    """The brokers, and with SSL who they are believed to be and the certificate that this service shows them."""

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL"] = "PLAINTEXT"
    kafka_ca_file: Path = Path("/run/secrets/kafka/ca.crt")
    kafka_certificate_file: Path = Path("/run/secrets/kafka/user.crt")
    kafka_key_file: Path = Path("/run/secrets/kafka/user.key")

    @model_validator(mode="after")
    def _tls_files_are_there(self) -> Self:
        if self.kafka_security_protocol == "SSL":
            _must_exist(self, "kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
        return self

    @property
    def kafka_tls_files(self) -> tuple[Path, Path, Path] | None:
        """CA, certificate and key; None in plain text."""
        if self.kafka_security_protocol == "PLAINTEXT":
            return None
        return self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file


class ConsumerSettings(KafkaSettings):
    """For a worker that also consumes: how soon a silent member of its group is given up."""

    consumer_session_seconds: float = Field(6, gt=0)
    consumer_heartbeat_seconds: float = Field(2, gt=0)


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


def _must_exist(settings: Settings, *names: str) -> None:
    missing = [
        f"{name.upper()}: {path} does not exist" for name in names if not (path := getattr(settings, name)).is_file()
    ]
    if missing:
        raise ValueError("; ".join(missing))


def _refuse(cls: type[Settings], error: ValidationError) -> NoReturn:
    for fault in error.errors(include_input=False, include_url=False):
        variable = "_".join(str(part) for part in fault["loc"]).upper()
        reason = "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
        print(f"{cls.__module__.split('.')[0]}: {variable} {reason}".replace(":  ", ": "), file=sys.stderr)
    raise SystemExit(2)

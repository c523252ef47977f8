"""Stage `inside`: the suite as a pod of the cluster that it looks at, for `skaffold verify`. It hurts nobody.

Service names lead everywhere; Secrets are mounted under `/run/secrets/<name>`.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.request import urlopen

from devstack.errors import StageError
from devstack.layout import ADMIN_EMAIL, DATABASES, Wishes

SECRETS = Path("/run/secrets")
ADMIN_PASSWORD = SECRETS / "user-service-admin" / "password"


class Inside:
    """Looks and orders; whatever would hurt a process is refused."""

    @property
    def state(self) -> dict[str, Any]:
        """By name."""
        return {
            "gateway": "http://gateway:8080",
            "kafka": "kafka:9092",
            "databases": {service: _dsn(service, name) for service, name in DATABASES.items()},
            "processes": {},
            "admin": {"email": ADMIN_EMAIL, "password_file": str(ADMIN_PASSWORD)},
        }

    @property
    def state_file(self) -> Path:
        """In the pod's own memory."""
        file = Path(tempfile.gettempdir()) / "state.json"
        file.write_text(json.dumps(self.state))
        return file

    def spans(self) -> Sequence[str]:
        """From lite's collector."""
        with urlopen("http://collector:4318/spans", timeout=20) as answer:
            return str(answer.read().decode()).splitlines()

    def kill(self, kind: str) -> None:
        """Refused."""
        _refuse(kind)

    def pause(self, kind: str) -> None:
        """Refused."""
        _refuse(kind)

    def resume(self, kind: str) -> None:
        """Refused."""
        _refuse(kind)

    def wait_ready(self, kind: str) -> None:
        """Who deploys waits."""

    def messages(self, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Refused."""
        _refuse(f"{service} messages {' '.join(arguments)}")


def _refuse(what: str) -> NoReturn:
    raise StageError(f"stage inside does not touch {what}")


def _dsn(service: str, name: str) -> str:
    password = (SECRETS / f"{service}-db" / "password").read_text(encoding="utf-8").strip()
    return f"postgresql://{name}:{password}@{name}-db:5432/{name}"


def require() -> None:
    """A pod with our Secrets."""
    if not ADMIN_PASSWORD.exists():
        raise StageError(f"{ADMIN_PASSWORD} does not exist; stage inside is for a pod, as tests/e2e/job.yaml makes one")


@contextmanager
def running(directory: Path, wishes: Wishes) -> Iterator[Inside]:  # noqa: ARG001 (every stage's shape)
    """What runs already."""
    yield Inside()

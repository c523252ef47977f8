"""The tests' root plugin: one real PostgreSQL and one real Kafka for a whole run, started when first asked for."""

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.kafka import Kafka
from devstack.postgres import Postgres

_NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def stage_directory() -> Iterator[Path]:
    """A folder that PostgreSQL's unprivileged user may enter, which pytest's own temporary folders forbid."""
    with tempfile.TemporaryDirectory(prefix="waybill-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


@pytest.fixture(scope="session")
def postgres(stage_directory: Path) -> Iterator[Postgres]:
    with Postgres(stage_directory / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def kafka(stage_directory: Path) -> Iterator[Kafka]:
    with Kafka(stage_directory / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Callable[[], str]:
    """Makes an empty database at each call and returns its URL."""
    return lambda: _in_process("create_database", postgres, f"test{next(_NUMBER)}")


def _in_process(method: str, postgres: Postgres, name: str) -> str:
    """Postgres' methods run a loop of their own, which a test's running loop forbids, so another process makes the call."""
    program = (
        "import sys, json; from pathlib import Path; from devstack.postgres import Postgres; "
        "directory, port, method, name = json.loads(sys.argv[1]); "
        "print(getattr(Postgres(Path(directory), port), method)(name))"
    )
    arguments = json.dumps([str(postgres.directory), postgres.port, method, name])
    done = subprocess.run([sys.executable, "-c", program, arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()

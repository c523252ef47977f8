"""The tests' root plugin: one real PostgreSQL and one real Kafka for a whole run, started when first asked for."""

import itertools
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
    return lambda: postgres.create_database(f"test{next(_NUMBER)}")

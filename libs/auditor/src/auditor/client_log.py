"""The clients' own word: JSON lines {at, user, key, attempt, status, order_id}, written by whoever placed orders."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from auditor.errors import BadInput
from auditor.facts import Attempt

_ADAPTER = TypeAdapter(Attempt)


def read(file: Path) -> tuple[Attempt, ...]:
    """Every attempt; raises BadInput with the number of the first line that is none."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"the client log {file} cannot be read: {error.strerror}") from error
    return tuple(_attempt(file, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _attempt(file: Path, number: int, line: bytes) -> Attempt:
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        raise BadInput(f"{file}, line {number}: {error.errors()[0]['msg']}") from error

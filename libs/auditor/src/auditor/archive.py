"""Facts on disk, so that a verdict can be repeated later and a test can corrupt what a real run left behind."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from auditor.errors import BadInput
from auditor.facts import Facts

_ADAPTER = TypeAdapter(Facts)


def save(facts: Facts, file: Path) -> None:
    """Write all of it as JSON; raises BadInput when the file cannot be written."""
    try:
        file.write_bytes(_ADAPTER.dump_json(facts))
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}") from error


def load(file: Path) -> Facts:
    """Read it again; raises BadInput."""
    try:
        return _ADAPTER.validate_json(file.read_bytes())
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise BadInput(f"{file} holds no facts: {error.errors()[0]['msg']}") from error

"""Which schema this code needs and which one there is: revisions are numbers, so that readiness can compare them.

Apart from `migrations`, whose alembic and SQLAlchemy are half of a process's start and serve only the role `migrate`.
"""

from pathlib import Path


def head(script_location: Path) -> str:
    """The newest revision that lies in the folder: what the code of this image needs."""
    return max(path.name[:4] for path in (script_location / "versions").glob("[0-9]*.py"))


def at_or_past(current: str | None, required: str) -> bool:
    """Whether the schema serves this code; a newer schema serves older code (expand, then contract)."""
    return current is not None and int(current) >= int(required)

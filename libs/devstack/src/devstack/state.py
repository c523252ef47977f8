"""`.devstack/state.json`: where everything is, written atomically at every start and restart, for tools and tests."""

import json
from pathlib import Path
from typing import Any

from devstack.errors import NotReady
from devstack.layout import ADMIN_EMAIL, DATABASES, Layout

DIRECTORY = Path(".devstack")
FILE = "state.json"


def write(layout: Layout, body: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader sees one whole state or the other."""
    fresh = layout.directory / f"{FILE}.new"
    fresh.write_text(json.dumps(body, indent=1))
    fresh.replace(layout.directory / FILE)


def described(layout: Layout, dsns: dict[str, str], kafka: str, pids: dict[str, int], **more: Any) -> dict[str, Any]:
    """The state's body; `pids` is unit name -> pid."""
    processes: dict[str, list[dict[str, Any]]] = {}
    for member in layout.members:
        http = f"http://127.0.0.1:{layout.http_port(member)}" if member.role == "api" else None
        entry = {"pid": pids[member.name], "http": http, "probes": layout.probes_url(member)}
        processes.setdefault(member.kind, []).append(entry)
    return {
        "gateway": layout.gateway,
        "kafka": kafka,
        "databases": {service: dsns[service] for service in DATABASES},
        "processes": processes,
        "admin": {"email": ADMIN_EMAIL, "password_file": _relative(layout.admin_password_file)},
        "parts": {name: pids[name] for name in ("postgres", "kafka", "gateway")},
        "spans": _relative(layout.directory / "spans.jsonl"),
        **more,
    }


def read(directory: Path = DIRECTORY) -> dict[str, Any]:
    """The running system's state; raises NotReady when nothing runs."""
    try:
        state: dict[str, Any] = json.loads((directory / FILE).read_text())
    except FileNotFoundError as error:
        raise NotReady("nothing is running; start it with make up") from error
    return state


def admin_password(state: dict[str, Any]) -> str:
    """The administrator's password, from the file that the state names."""
    return Path(state["admin"]["password_file"]).read_text(encoding="utf-8")


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

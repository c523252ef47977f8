"""The walls hold, and each of them turns red when something is planted behind it (one planted import per wall)."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLANTED = {
    "services-apart": ("order_service/repository.py", "import user_service.models"),
    "libraries-below-services": ("chassis/ids.py", "import messaging.outbox"),
    "order-inward": ("order_service/repository.py", "import order_service.use_cases"),
    "inventory-inward": ("inventory_service/domain.py", "import inventory_service.repository"),
    "user-inward": ("user_service/models.py", "import user_service.routes"),
    "pure-core": ("order_service/domain.py", "import sqlalchemy"),
    "settings-at-the-root": ("order_service/repository.py", "import order_service.settings"),
    "auditor-apart": ("auditor/judge.py", "import messaging.outbox"),
    "nobody-needs-the-stage": ("messaging/outbox.py", "import devstack"),
    "devstack-judges-nothing": ("devstack/__init__.py", "import auditor"),
}


def contracts(root: Path) -> dict[str, str]:
    """Wall id -> its sentence, from pyproject.toml."""
    tool = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    return {wall["id"]: wall["name"] for wall in tool["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def copy(root, tmp_path_factory) -> Path:
    """All packages side by side in one folder that comes first on the path, so that plants touch no real file."""
    house = tmp_path_factory.mktemp("house")
    for source in [*root.glob("libs/*/src/*"), *root.glob("services/*/src/*")]:
        if (source / "__init__.py").exists():
            shutil.copytree(source, house / source.name)
    shutil.copy(root / "pyproject.toml", house)
    return house


def lint(house: Path, wall: str) -> subprocess.CompletedProcess[str]:
    program = (
        f"import sys; sys.path.insert(0, {str(house)!r}); from importlinter.cli import lint_imports_command as c; c()"
    )
    arguments = ["--no-cache", "--contract", wall]
    return subprocess.run([sys.executable, "-c", program, *arguments], cwd=house, capture_output=True, text=True)


def test_every_wall_has_a_plant(root):
    assert set(PLANTED) == set(contracts(root))


@pytest.mark.parametrize("wall", PLANTED)
def test_a_planted_import_breaks_exactly_its_wall(copy, root, wall):
    name, line = PLANTED[wall]
    victim = copy / name
    before = victim.read_text()
    try:
        assert lint(copy, wall).returncode == 0, lint(copy, wall).stdout
        victim.write_text(f"{before}\n{line}\n")
        red = lint(copy, wall)
    finally:
        victim.write_text(before)
    assert red.returncode != 0
    assert f"{contracts(root)[wall]} BROKEN" in " ".join(red.stdout.split())

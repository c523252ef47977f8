"""What a role loads is what it needs: start and memory of every process depend on it."""

import subprocess
import sys

import pytest

from chassis.roles import play

PACKAGES = ("order_service", "user_service", "inventory_service")
UNWANTED = {"app": {"sqlalchemy", "alembic"}, "worker": {"sqlalchemy", "alembic", "fastapi", "uvicorn"}}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("module", UNWANTED)
def test_a_role_loads_no_framework_of_another(package, module):
    program = f"import sys, {package}.{module}; print(*(name.split('.')[0] for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not UNWANTED[module] & set(loaded.split())


def test_an_unknown_role_is_refused_with_the_table(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["service", "sing"])
    assert play("order_service", {"api": lambda _: None, "worker": lambda _: None}) == 2
    assert capsys.readouterr().err == "usage: python -m order_service api | worker\n"

"""What an image holds, and how its process ends: inspected on the images that the suite runs."""

import json
import os
import time

import docker
import pytest

from devstack.layout import SERVICES

BASE = os.environ.get("PYTHON_IMAGE", "python:3.13-slim")
LIMIT = 100 * 1024 * 1024
SILENT = {"entrypoint": "sh", "remove": True, "network_mode": "none", "read_only": True}


@pytest.fixture(scope="module")
def engine(stage):
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(params=SERVICES)
def image(request, engine):
    return engine.images.get(f"{request.param}:local")


@pytest.fixture
def inside(image, engine):
    def run(command):
        return engine.containers.run(image, ["-c", command], **SILENT).decode().strip()

    return run


def test_its_own_layers_are_at_most_100_mb(image, engine):
    assert image.attrs["Size"] - engine.images.get(BASE).attrs["Size"] <= LIMIT


def test_it_runs_python_itself_as_a_numeric_user_without_rights(image):
    config = image.attrs["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", "service"]
    assert {f"org.opencontainers.image.{name}" for name in ("title", "version", "revision", "licenses")} <= set(
        config["Labels"]
    )


def test_there_is_no_compiler_no_cache_and_no_code_that_its_user_could_write(inside):
    assert inside("command -v gcc cc make strip uv; ls /root/.cache /var/cache/pip 2>/dev/null || true") == ""
    assert inside("find /app /code -writable ! -type l") == ""
    assert inside("find / -xdev -name '*.pem' -path '*key*' -size +0 2>/dev/null || true") == ""


def test_everything_is_compiled(inside):
    missing = (
        "find /app/lib /code -name '*.py' | while read source; do "
        'ls "$(dirname $source)/__pycache__/$(basename $source .py)".*.pyc >/dev/null 2>&1 || echo $source; done'
    )
    # Templates of packages are no modules.
    assert [path for path in inside(missing).split() if "/templates/" not in path] == []


def test_no_setting_and_no_secret_is_baked_in(image):
    words = json.dumps(image.history()).upper() + json.dumps(image.attrs["Config"]["Env"]).upper()
    assert "PASSWORD" not in words
    assert "SECRET" not in words


def test_sigterm_reaches_python_and_it_ends_well(stage, engine):
    """Unready at first, a drain of five seconds, then code 0: nobody had to kill it."""
    container = stage.container("user-service/worker")
    assert container.exec_run("python -c \"print(open('/proc/1/comm').read())\"").output.strip() == b"python"
    began = time.monotonic()
    container.stop(timeout=40)
    assert time.monotonic() - began < 30
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0
    container.start()
    stage.wait_ready("user-service/worker")

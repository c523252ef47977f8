"""Schemathesis over the three OpenAPI documents: whatever is sent, the answer is one that the document promises."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("service", ["order-service", "user-service", "inventory-service"])
async def test_every_answer_is_documented(api, stage, service, tmp_path):
    await api.as_keeper()
    who = api.keeper if service == "inventory-service" else await api.register()
    url = stage.state["processes"][f"{service}/api"][0]["http"]
    limits = ["--max-examples", "25", "--seed", "7", "--exclude-method", "DELETE", "--checks", CHECKS]
    headers = ["--header", f"Authorization: Bearer {who.token}"]
    command = [
        SCHEMATHESIS,
        "run",
        f"{url}/openapi.json",
        "--wait-for-schema",
        "30",
        *limits,
        *headers,
        "--request-timeout",
        "10",
    ]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

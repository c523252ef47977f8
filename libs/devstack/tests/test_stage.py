"""Bad circumstances on a user's machine: each is one sentence that says what to do, and nothing is left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
import requests

from devstack import children, jars, layout, system
from devstack.__main__ import main
from devstack.errors import Occupied, StageError, Unfetchable
from devstack.ports import Ports, free_port
from devstack.units import Unit


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_is_named_before_anything_is_started(tmp_path, taken):
    with pytest.raises(StageError, match=f"port {taken} is taken; .* choose another with PORT="):
        system.start(tmp_path, layout.Wishes(port=taken), lambda text: None, detached=False)
    assert not (tmp_path / "postgres").exists()


def test_a_second_system_in_the_same_directory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(system, "supervisor", lambda directory: 1)
    with pytest.raises(Occupied, match="already running; look at it with make status or stop it with make down"):
        system.start(tmp_path, layout.Wishes(), lambda text: None, detached=False)


def test_a_stale_state_file_is_no_system(tmp_path):
    (tmp_path / "state.json").write_text(json.dumps({"supervisor": os.getpid()}))
    assert not system.is_running(tmp_path)
    assert not system.stop(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status"], "nothing is running; start it with make up"),
        (["up", "--replicas", "order-service=2"], "is not one of order-service/api"),
        (["up", "--replicas", "order-service/api=99"], "=1 to =8"),
        (["demo", "--orders", "x.csv"], "ORDERS and PRODUCTS come together"),
        (["up", "--port", "80808"], "PORT=80808 is no port"),
        (["demo", "--port", "none"], "PORT=none is no port"),
        (["demo", "--limit", "0"], "LIMIT=0 leaves nothing to do"),
        (["demo", "--orders", "none.csv", "--products", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_corrupt_jar_is_named_and_not_replaced(tmp_path):
    jar = jars.locked()[0]
    (tmp_path / jar.filename).write_bytes(b"garbage")
    with pytest.raises(Unfetchable, match=f"{jar.filename} is corrupt .* delete it and run again"):
        jars.fetch(tmp_path)
    assert (tmp_path / jar.filename).read_bytes() == b"garbage"


def test_without_a_network_the_first_run_says_so(tmp_path, monkeypatch):
    def unreachable(*_, **__):
        raise requests.ConnectionError

    monkeypatch.setattr("requests.sessions.Session.request", unreachable)
    with pytest.raises(Unfetchable, match="connect to the network and run again"):
        jars.fetch(tmp_path)


def test_ports_are_kept_unless_somebody_took_them(tmp_path, taken):
    file = tmp_path / "ports.json"
    chosen = Ports(file)["kafka"]
    assert Ports(file)["kafka"] == chosen
    file.write_text(json.dumps({"kafka": taken}))
    assert Ports(file)["kafka"] != taken


def test_secrets_are_private_and_kept(tmp_path):
    made = layout.Layout(tmp_path, layout.Wishes(port=free_port()))
    password, keys = made.admin_password_file, made.keys
    assert password.stat().st_mode & 0o777 == 0o600
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys.glob("*.pem"))
    again = layout.Layout(tmp_path, layout.Wishes())
    assert again.admin_password_file.read_text() == password.read_text()
    assert len(list(again.keys.glob("*.pem"))) == 1


def test_a_crashed_process_is_started_again_after_a_pause_that_grows(tmp_path):
    unit = Unit("x", lambda: children.spawn([sys.executable, "-c", "pass"], log=tmp_path / "x.log"))
    moments = []
    deadline = time.monotonic() + 10
    while len(moments) < 3 and time.monotonic() < deadline:
        if unit.mend():
            moments.append(time.monotonic())
        time.sleep(0.01)
    unit.stop()
    assert moments[2] - moments[1] > (moments[1] - moments[0]) * 1.3


def test_a_child_dies_with_its_parent(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from devstack import children; "
        f"log = Path({str(tmp_path / 'c.log')!r}); "
        "c = children.spawn([sys.executable, '-c', 'import time; time.sleep(60)'], log=log); "
        "print(c.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

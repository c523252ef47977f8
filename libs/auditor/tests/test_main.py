"""The auditor's command: exit codes, saved facts, and one sentence for bad input."""

import json

import pytest

from auditor import archive
from auditor.__main__ import main
from auditor.facts import Facts

LINE = {"at": "2026-05-01T12:00:00Z", "user": "1" * 32, "key": "k", "attempt": 1, "status": None, "order_id": None}

STATE = {"databases": dict.fromkeys(("order-service", "inventory-service", "user-service"), "x"), "kafka": "x:1"}


def test_facts_survive_the_disk(healthy, tmp_path):
    archive.save(healthy, tmp_path / "facts.json")
    assert archive.load(tmp_path / "facts.json") == healthy


def test_a_saved_run_is_judged_again(healthy, tmp_path, capsys):
    archive.save(healthy, tmp_path / "facts.json")
    assert main(["--from", str(tmp_path / "facts.json"), "--json"]) == 0
    verdicts = json.loads(capsys.readouterr().out)
    assert [v["promise"] for v in verdicts] == [*(f"I{n}" for n in range(1, 10)), "horizon"]


def test_a_broken_promise_is_exit_code_one(healthy, tmp_path, capsys):
    archive.save(Facts(healthy.read_at, client_log=healthy.client_log), tmp_path / "facts.json")
    assert main(["--from", str(tmp_path / "facts.json")]) == 1
    assert "I1: order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "arguments", "sentence"),
    [
        ({}, ["--state", "none.json", "--client-log", "none"], "state file none.json cannot be read"),
        ({"s.json": "{}"}, ["--state", "s.json", "--client-log", "none"], "does not say where everything is"),
        ({"f.json": "{}"}, ["--from", "f.json"], "f.json holds no facts"),
        ({}, [], "name the clients' log"),
        ({}, ["--from", "f.json", "--expect", "x=1"], "neither a number nor a list"),
        (
            {"s.json": json.dumps(STATE), "log": f"{json.dumps(LINE)}\n{{"},
            ["--state", "s.json", "--client-log", "log"],
            "log, line 2",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(tmp_path, monkeypatch, capsys, files, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1

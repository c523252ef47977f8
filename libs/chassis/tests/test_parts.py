"""Small parts: intake, breaker, look-ups, settings, paging, keys, probes."""

import asyncio
import urllib.request
from contextlib import suppress
from urllib.error import HTTPError

import httpx2
import pytest
from pydantic import BaseModel

from chassis import idempotency, paging
from chassis.breaker import Breaker, Open
from chassis.ids import new_id
from chassis.intake import Intake
from chassis.lookup import Lookup, Unavailable
from chassis.probes import Probes
from chassis.problems import Problem
from chassis.revisions import at_or_past
from chassis.settings import DatabaseSettings, load
from devstack.ports import free_port


async def test_members_that_wait_share_the_next_batch():
    sizes, gate = [], asyncio.Event()

    async def verb(batch):
        sizes.append(len(batch))
        await gate.wait()
        return [member * 2 for member in batch]

    async with Intake(verb, limit=4) as intake:
        answers = [asyncio.create_task(intake.submit(n)) for n in range(8)]
        await asyncio.sleep(0.01)
        gate.set()
        assert await asyncio.gather(*answers) == [n * 2 for n in range(8)]
    assert sizes[0] in (1, 4)
    assert max(sizes) == 4


async def test_a_bad_member_fails_alone():
    async def verb(batch):
        if 3 in batch:
            raise ValueError("three")
        return batch

    async with Intake(verb) as intake:
        answers = await asyncio.gather(*(intake.submit(n) for n in range(6)), return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == [0, 1, 2, 4, 5]
    assert isinstance(answers[3], ValueError)


async def test_a_database_that_is_away_fails_the_batch_once():
    calls = 0

    async def verb(batch):
        nonlocal calls
        calls += 1
        raise ConnectionRefusedError

    async with Intake(verb) as intake:
        answers = await asyncio.gather(*(intake.submit(n) for n in range(50)), return_exceptions=True)
    assert all(isinstance(answer, ConnectionRefusedError) for answer in answers)
    assert calls <= 2


async def test_a_caller_that_leaves_disturbs_nobody():
    async def verb(batch):
        await asyncio.sleep(0.05)
        return batch

    async with Intake(verb) as intake:
        leaving, staying = (asyncio.create_task(intake.submit(n)) for n in (1, 2))
        await asyncio.sleep(0.01)
        leaving.cancel()
        assert await staying == 2


def test_the_breaker_opens_lets_one_try_through_and_closes():
    now = [0.0]
    breaker = Breaker("test", failures=2, seconds=10, clock=lambda: now[0])
    breaker.failed()
    breaker.check()
    breaker.failed()
    with pytest.raises(Open):
        breaker.check()
    now[0] = 10
    breaker.check()
    with pytest.raises(Open):
        breaker.check()
    breaker.succeeded()
    breaker.check()


def lookup(answers, breaker=None):
    """A look-up whose target gives these answers, the last one for ever; and the list of requests."""
    asked = []

    def target(request):
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer, json={"ok": True})

    made = Lookup("http://x", "x", breaker=breaker, transport=httpx2.MockTransport(target))
    return made, asked


@pytest.mark.parametrize(
    ("answers", "found", "tries"),
    [
        ([200], {"ok": True}, 1),
        ([404], None, 1),
        ([503, 200], {"ok": True}, 2),
        ([httpx2.ReadTimeout(""), 404], None, 2),
    ],
)
async def test_a_lookup_tries_twice_when_that_may_help(answers, found, tries):
    made, asked = lookup(answers)
    assert await made.get("/y", "token") == found
    assert len(asked) == tries
    assert asked[0].headers["authorization"] == "Bearer token"


@pytest.mark.parametrize("answers", [[500], [403], [httpx2.ConnectError("")]])
async def test_a_target_that_fails_is_unavailable(answers):
    with pytest.raises(Unavailable):
        await lookup(answers)[0].get("/y", "token")


async def test_an_open_breaker_asks_nobody_and_404_never_opens_it():
    failing, asked = lookup([500], Breaker("a", failures=2))
    for _ in range(3):
        with suppress(Unavailable):
            await failing.get("/y", "t")
    assert len(asked) == 2
    missing, asked = lookup([404], Breaker("b", failures=2))
    for _ in range(5):
        assert await missing.get("/y", "t") is None
    assert len(asked) == 5


def test_a_missing_setting_stops_the_process_with_its_name(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_NAME", "x")
    monkeypatch.setenv("DATABASE_USER", "x")
    monkeypatch.setenv("DATABASE_PASSWORD", "top secret")
    monkeypatch.setenv("DATABASE_PORT", "many")
    with pytest.raises(SystemExit) as stopped:
        load(DatabaseSettings)
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "DATABASE_HOST is not set" in said
    assert "DATABASE_PORT" in said
    assert "secret" not in said


def test_the_environment_wins_over_a_secrets_file(monkeypatch, tmp_path):
    for name in ("HOST", "NAME", "USER"):
        monkeypatch.setenv(f"DATABASE_{name}", "env")
    (tmp_path / "database_password").write_text("from file")
    (tmp_path / "database_host").write_text("from file")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    settings = load(DatabaseSettings)
    assert settings.database_host == "env"
    assert settings.database_url == "postgresql://env:from%20file@env:5432/env?sslmode=disable"


def test_a_cursor_comes_back_and_a_foreign_one_is_refused():
    assert paging.decode(paging.encode("a", "b"), 2) == ["a", "b"]
    assert paging.decode(None, 2) is None
    for text in ("x", "bm8", paging.encode("a"), "é", paging.encode("a", "\0")):
        with pytest.raises(Problem, match="as the previous page gave it"):
            paging.decode(text, 2)


def test_a_fingerprint_tells_bodies_apart_and_nothing_else():
    class Body(BaseModel):
        a: int

    assert idempotency.fingerprint(Body(a=1)) == idempotency.fingerprint(Body(a=1))
    assert idempotency.fingerprint(Body(a=1)) != idempotency.fingerprint(Body(a=2))
    assert idempotency.fingerprint(Body(a=1), "x") != idempotency.fingerprint(Body(a=1), "y")


def test_ids_grow_with_time():
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}


@pytest.mark.parametrize(("current", "fits"), [(None, False), ("0001", False), ("0002", True), ("0003", True)])
def test_a_newer_schema_serves_older_code(current, fits):
    assert at_or_past(current, "0002") is fits


def page(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


async def test_probes_tell_ready_alive_and_draining_apart():
    port = free_port()
    async with Probes("127.0.0.1", port, ("database",)) as probes:

        async def at(path):
            return await asyncio.to_thread(page, f"http://127.0.0.1:{port}{path}")

        assert [(await at(path))[0] for path in ("/livez", "/readyz", "/startupz")] == [200, 503, 503]
        probes.ready("database", True)
        assert [(await at(path))[0] for path in ("/livez", "/readyz", "/startupz")] == [200, 200, 200]
        probes.ready("database", False, "gone")
        assert await at("/readyz") == (503, '{"database": "gone"}')
        assert (await at("/startupz"))[0] == 200
        probes.ready("database", True)
        probes.draining()
        assert [(await at(path))[0] for path in ("/livez", "/readyz")] == [200, 503]
        probes.alive("consumer", False, "stuck")
        assert (await at("/livez"))[0] == 503
        assert "http_request_duration_seconds" in (await at("/metrics"))[1]


async def test_a_blocked_loop_cannot_starve_the_probes():
    port = free_port()
    async with Probes("127.0.0.1", port, ()):
        asked = asyncio.to_thread(page, f"http://127.0.0.1:{port}/livez")
        task = asyncio.ensure_future(asked)
        await asyncio.sleep(0)
        blocked_until = asyncio.get_running_loop().time() + 0.5
        while asyncio.get_running_loop().time() < blocked_until:
            pass
        assert (await task)[0] == 200

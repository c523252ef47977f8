"""The edge: no broken keep-alive request in a drain, and nobody who speaks too slowly or too much."""

import asyncio
import json

import httpx2
import pytest
from fastapi import FastAPI, Request

from chassis.http import MAX_BODY, create_app
from chassis.problems import Problem
from chassis.server import GuardedProtocol


@pytest.fixture
def app() -> FastAPI:
    made = create_app("test", "0", [])

    @made.get("/slow")
    async def slow(seconds: float = 0.0):
        await asyncio.sleep(seconds)
        return {"ok": True}

    @made.post("/echo")
    async def echo(request: Request):
        return {"bytes": len(await request.body())}

    @made.get("/refuse")
    async def refuse():
        raise Problem(418, "teapot", "No coffee.", {"X-Why": "tea"}, pot=1)

    @made.get("/break")
    async def fail():
        raise RuntimeError("secret text")

    @made.get("/down")
    async def down():
        raise ConnectionRefusedError

    return made


async def raw(url, payload, seconds=5):
    """What the server answers to these bytes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(payload)
    answer = await asyncio.wait_for(reader.read(), seconds)
    writer.close()
    return answer


async def test_a_drain_breaks_no_keep_alive_request(app, serving):
    broken, served = [], 0

    async def client(url, stop):
        nonlocal served
        async with httpx2.AsyncClient(base_url=url) as http:
            while not stop.is_set():
                try:
                    assert (await http.get("/slow")).status_code == 200
                    served += 1
                except httpx2.ConnectError:
                    return  # the listener is closed: a gateway asks the next process
                except httpx2.HTTPError as error:
                    broken.append(error)
                await asyncio.sleep(0.01)

    async def served_in_all(count):
        while served < count:
            await asyncio.sleep(0.01)

    async with serving(app, drain_seconds=3) as (url, shutdown, probes, task):
        stop = asyncio.Event()
        clients = [asyncio.create_task(client(url, stop)) for _ in range(50)]
        # By count and not by time, so that a slow machine, too, drains under load.
        await served_in_all(150)
        shutdown.requested.set()
        await asyncio.wait_for(served_in_all(300), 2.5)
        stop.set()
        await asyncio.gather(*clients)
        assert probes.drained
        await task
    assert broken == []


async def test_a_request_in_flight_is_finished(app, serving):
    async with serving(app, drain_seconds=0) as (url, shutdown, _, task), httpx2.AsyncClient() as http:
        answer = asyncio.create_task(http.get(f"{url}/slow?seconds=0.6"))
        await asyncio.sleep(0.2)
        shutdown.requested.set()
        assert (await answer).status_code == 200
        await task


async def test_while_draining_clients_are_asked_to_leave(app, serving):
    async with serving(app, drain_seconds=1) as (url, shutdown, _, _), httpx2.AsyncClient(base_url=url) as http:
        assert "connection" not in (await http.get("/slow")).headers
        shutdown.requested.set()
        await asyncio.sleep(0.1)
        assert (await http.get("/slow")).headers["connection"] == "close"


@pytest.mark.parametrize(
    "payload",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nbig: " + b"x" * 17_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nunfinished: " + b"x" * 17_000,
    ],
)
async def test_a_head_that_is_too_large_is_431(app, serving, payload):
    async with serving(app) as (url, *_):
        answer = await raw(url, payload)
    assert answer.startswith(b"HTTP/1.1 431")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["type"] == "request-header-fields-too-large"


async def test_a_request_that_never_ends_is_408(app, serving, monkeypatch):
    monkeypatch.setattr(GuardedProtocol, "receive_seconds", 0.3)
    async with serving(app) as (url, *_):
        assert (await raw(url, b"GET / HTTP/1.1\r\nhost: x\r\n")).startswith(b"HTTP/1.1 408")
        answer = await raw(url, b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
        assert answer.startswith(b"HTTP/1.1 408")


async def test_garbage_is_400(app, serving):
    async with serving(app) as (url, *_):
        assert (await raw(url, b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_413_however_it_comes(app, serving, chunked):
    async def pieces():
        for _ in range(20):
            yield b"x" * (MAX_BODY // 10)

    async with serving(app) as (url, *_), httpx2.AsyncClient(base_url=url) as http:
        body = pieces() if chunked else b"x" * (MAX_BODY + 1)
        answer = await http.post("/echo", content=body)
        assert (await http.post("/echo", content=b"x" * MAX_BODY)).json() == {"bytes": MAX_BODY}
    assert answer.status_code == 413
    assert answer.json()["type"] == "content-too-large"


@pytest.mark.parametrize(
    ("path", "code", "slug"),
    [
        ("/refuse", 418, "teapot"),
        ("/break", 500, "internal-error"),
        ("/down", 503, "temporarily-unavailable"),
        ("/nowhere", 404, "not-found"),
        ("/slow?seconds=x", 422, "validation-failed"),
    ],
)
async def test_every_error_is_a_problem(app, serving, path, code, slug):
    async with serving(app) as (url, *_), httpx2.AsyncClient(base_url=url) as http:
        answer = await http.get(path)
    body = answer.json()
    assert (answer.status_code, body["status"], body["type"]) == (code, code, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text

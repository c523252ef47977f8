"""A load generator in a process of its own: keep-alive connections that send POST /orders as fast as they are answered.

`python load.py JSON` with url, tokens, sku, connections and seconds; prints answers per second, p50 and p99 in ms.
Hand-made requests on bare streams, so that it is not the bottleneck. Bounded in count and time, loopback only.
"""

import asyncio
import json
import statistics
import sys
import time
from urllib.parse import urlsplit
from uuid import uuid4


def request(host: str, token: str, sku: str) -> bytes:
    body = json.dumps({"items": [{"sku": sku, "quantity": 1}]})
    head = (
        f"POST /orders HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nidempotency-key: {uuid4()}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
    await reader.readexactly(length)
    return int(lines[0].split()[1])


async def client(asked: dict, number: int, until: float, took: list[float]) -> None:
    place = urlsplit(asked["url"])
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    token = asked["tokens"][number % len(asked["tokens"])]
    while time.monotonic() < until:
        began = time.perf_counter()
        writer.write(request(place.netloc, token, asked["sku"]))
        if await answer(reader) == 201:
            took.append(time.perf_counter() - began)
    writer.close()


async def main(asked: dict) -> None:
    took: list[float] = []
    until = time.monotonic() + min(60, asked["seconds"])
    await asyncio.gather(*(client(asked, n, until, took) for n in range(min(256, asked["connections"]))))
    cuts = [cut * 1000 for cut in statistics.quantiles(took, n=100)]
    print(json.dumps({"rate": len(took) / asked["seconds"], "p50": cuts[49], "p99": cuts[98]}))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

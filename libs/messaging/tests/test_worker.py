"""A worker's end: the consumer finishes first, the relay publishes what it announced, chores stop; and its health."""

import asyncio

import pytest

from messaging import worker


class Part:
    """A relay or a consumer that writes down its life."""

    def __init__(self, name, told, connected=True, healthy=True):
        self.name, self.told, self.connected, self.healthy = name, told, connected, healthy

    async def run(self, stop):
        await stop.wait()
        await asyncio.sleep(0.01)
        self.told.append(f"{self.name} ended")


async def test_the_relay_ends_after_the_consumer():
    told, stop = [], asyncio.Event()

    async def chore():
        try:
            await asyncio.sleep(60)
        finally:
            told.append("chore ended")

    running = asyncio.create_task(worker.run(stop, Part("relay", told), Part("consumer", told), [chore]))
    await asyncio.sleep(0.02)
    stop.set()
    await running
    assert told.index("consumer ended") < told.index("relay ended")
    assert "chore ended" in told


async def test_what_nobody_expected_ends_the_process():
    async def chore():
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup):
        await worker.run(asyncio.Event(), Part("relay", []), None, [chore])


@pytest.mark.parametrize(
    ("relay", "consumer", "ready", "alive"),
    [(True, True, True, True), (False, True, False, True), (True, False, False, True)],
)
async def test_readiness_names_who_is_not_connected(relay, consumer, ready, alive):
    class Probes:
        def ready(self, name, ok, reason=""):
            self.readiness = (name, ok, reason)

        def alive(self, name, ok, reason=""):
            self.liveness = ok

    probes = Probes()
    task = asyncio.create_task(worker.report(probes, Part("r", [], relay), Part("c", [], consumer)))
    await asyncio.sleep(0.01)
    task.cancel()
    assert probes.readiness[:2] == ("kafka", ready)
    assert ("relay" in probes.readiness[2]) is not relay
    assert probes.liveness is alive

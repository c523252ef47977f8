"""The sweeper: catches up before it judges, again after trouble, and survives a database that is away."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from chassis.database import is_transient
from order_service import sweeper
from order_service.sweeper import Sweeper


class Scene:
    """Consumer, verbs and transactions in one; writes down what is asked of them."""

    def __init__(self):
        self.told, self.recoveries, self.down, self.overdue = [], 0, False, [0]

    async def catch_up(self, seconds):
        self.told.append("catch up")
        return True

    @asynccontextmanager
    async def transactions(self):
        if self.down:
            raise ConnectionRefusedError
        yield None

    async def expire_orders(self, tx):
        self.told.append("sweep")
        return self.overdue.pop(0) if len(self.overdue) > 1 else 0


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.setattr(sweeper, "SWEEP_SECONDS", 0.01)
    return Scene()


async def play(scene, *changes):
    """Run the sweeper, making one change after the other."""
    task = asyncio.create_task(Sweeper(scene, scene, scene.transactions, is_transient).run())
    for change in (*changes, None):
        await asyncio.sleep(0.05)
        scene.told.append("--")
        if change:
            change()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return [list(part.split()) for part in " ".join(t.replace(" ", "-") for t in scene.told).split("--")]


async def test_deadlines_are_judged_after_catching_up(scene):
    first, *_ = await play(scene)
    assert first[0] == "catch-up"
    assert first.count("catch-up") == 1
    assert first.count("sweep") > 1


async def test_a_recovered_consumer_is_caught_up_with_again(scene):
    def recover():
        scene.recoveries += 1

    _, second, *_ = await play(scene, recover)
    assert second[0] == "catch-up"


async def test_a_database_that_comes_back_is_caught_up_with_before_anything_is_cancelled(scene):
    def fall():
        scene.down = True

    def rise():
        scene.down = False

    _, away, back, *_ = await play(scene, fall, rise)
    assert "sweep" not in away[1:]
    assert back.index("catch-up") < back.index("sweep")


async def test_a_full_sweep_is_followed_by_another_at_once(scene, monkeypatch):
    monkeypatch.setattr(sweeper, "SWEEP_LIMIT", 2)
    monkeypatch.setattr(sweeper, "SWEEP_SECONDS", 60)
    scene.overdue = [2, 2, 1, 0]
    first, *_ = await play(scene)
    assert first.count("sweep") == 3

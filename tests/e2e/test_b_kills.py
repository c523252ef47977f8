"""kill -9 of each kind of process in the middle of the flow: nothing lost, nothing doubled, nothing oversold."""

import asyncio

import pytest

from devstack.layout import KINDS

ORDERS = 40


@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_process_loses_nothing(api, stage, kind):
    customers = [await api.register() for _ in range(4)]
    sku = await api.product(ORDERS // 2)
    pids = [member["pid"] for member in stage.state["processes"][kind]]

    async def buy(number):
        await asyncio.sleep(number * 0.04)
        customer = customers[number % 4]
        return (await api.ended(customer, await api.place_surely(customer, sku)))["status"]

    async def strike():
        await asyncio.sleep(ORDERS * 0.02)
        stage.kill(kind)

    *ends, _ = await asyncio.gather(*(buy(number) for number in range(ORDERS)), strike())
    await api.eventually(lambda: _restarted(stage, kind, pids))
    stage.wait_ready(kind)
    assert len(ends) == ORDERS
    assert ends.count("confirmed") <= ORDERS // 2
    assert await api.available(sku) >= 0


async def _restarted(stage, kind, pids):
    return not set(pids) & {member["pid"] for member in stage.state["processes"][kind]}


async def test_the_audit_holds_after_all_of_it(api):
    code, said = await api.audit()
    assert code == 0, said

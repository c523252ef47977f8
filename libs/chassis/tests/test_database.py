"""Transactions on real PostgreSQL: commit, rollback, and connections that die."""

import asyncio

import asyncpg
import pytest

from chassis.database import RolledBack, is_failover, is_lock_timeout, is_transient


async def count(db):
    async with db.transaction() as tx:
        return await tx.raw.fetchval("SELECT count(*) FROM things")


async def insert(db, number, error=None):
    async with db.transaction() as tx:
        await tx.raw.execute("INSERT INTO things VALUES ($1)", number)
        if error:
            raise error


async def test_leaving_the_block_commits(db):
    await insert(db, 1)
    assert await count(db) == 1


async def test_an_error_rolls_back(db):
    with pytest.raises(RuntimeError):
        await insert(db, 1, RuntimeError())
    assert await count(db) == 0


async def test_after_a_rollback_the_connection_is_as_good_as_new(db):
    for number in range(12):
        with pytest.raises(RuntimeError):
            await insert(db, number, RuntimeError())
        await insert(db, number)
    assert await count(db) == 12


async def test_a_swallowed_error_is_no_commit(db):
    async def swallow():
        async with db.transaction() as tx:
            await tx.raw.execute("INSERT INTO things VALUES (1)")
            with pytest.raises(asyncpg.PostgresError):
                await tx.raw.execute("SELECT 1/0")

    with pytest.raises(RolledBack):
        await swallow()
    assert await count(db) == 0


async def test_a_cancelled_block_leaks_no_connection_and_no_transaction(db):
    async def hang(number):
        async with db.transaction() as tx:
            await tx.raw.execute("INSERT INTO things VALUES ($1)", number)
            await asyncio.sleep(30)

    for number in range(20):
        task = asyncio.create_task(hang(number))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await count(db) == 0


async def test_a_terminated_connection_is_transient_and_replaced(db):
    async def die():
        async with db.transaction() as tx:
            await tx.raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Exception) as raised:
        await die()
    assert is_transient(raised.value)
    assert is_failover(raised.value)
    assert await count(db) == 0


async def test_a_row_held_elsewhere_is_a_lock_timeout(db):
    await insert(db, 1)
    async with db.transaction() as holder:
        await holder.raw.execute("SELECT * FROM things FOR UPDATE")

        async def wait():
            async with db.transaction() as tx:
                await tx.raw.execute("SET LOCAL lock_timeout = 50")
                await tx.raw.execute("SELECT * FROM things FOR UPDATE")

        with pytest.raises(asyncpg.LockNotAvailableError) as raised:
            await wait()
    assert is_lock_timeout(raised.value)
    assert is_transient(raised.value)


def test_a_violated_constraint_is_not_transient():
    assert not is_transient(asyncpg.UniqueViolationError())
    assert not is_transient(ValueError())
    assert is_transient(ConnectionRefusedError())
    assert is_transient(asyncpg.ReadOnlySQLTransactionError())


def test_a_connection_that_goes_in_the_middle_of_a_prepare_is_a_failover():
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert is_transient(error)
    assert is_failover(error)


async def test_the_revision_is_none_before_the_first_migration(db):
    assert await db.revision() is None

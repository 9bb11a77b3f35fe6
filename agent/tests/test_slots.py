"""Slots: order, limits, and waits that end early."""

from __future__ import annotations

import asyncio

import pytest

from llm_agent.errors import Busy
from llm_agent.runtime.slots import Slots


def test_first_come_first_served() -> None:
    async def scenario() -> list[int]:
        slots, order = Slots(1, 10), []
        await slots.acquire()

        async def wait(number: int) -> None:
            await slots.acquire()
            order.append(number)
            slots.release()

        waiting = [asyncio.create_task(wait(number)) for number in range(4)]
        await asyncio.sleep(0)
        slots.release()
        await asyncio.gather(*waiting)
        return order

    assert asyncio.run(scenario()) == [0, 1, 2, 3]


def test_a_full_queue_is_busy() -> None:
    async def scenario() -> None:
        slots = Slots(1, 1)
        await slots.acquire()
        waiting = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await slots.acquire()
        slots.release()
        await waiting

    asyncio.run(scenario())


def test_a_cancelled_wait_passes_its_turn_on() -> None:
    async def scenario() -> None:
        slots = Slots(1, 10)
        await slots.acquire()
        first, second = (asyncio.create_task(slots.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        slots.release()  # first's turn has come, but it is cancelled before it sees that
        first.cancel()
        await second
        assert first.cancelled()
        assert slots.waiting == 0
        slots.release()
        await slots.acquire()  # exactly one slot is there
        third = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        assert not third.done()
        third.cancel()

    asyncio.run(scenario())

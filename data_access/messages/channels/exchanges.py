"""Talking to a receiver, each exchange within one deadline over all of it.

A time limit for each step would let a receiver that sends a byte now and then hold a worker for
as long as it likes. Here whatever an exchange waits for ends when its time is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class Exchanges:
    """Runs one exchange after the other; connections may outlast each."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, exchange: Callable[[], Awaitable[Answer]], *, seconds: float) -> Answer:
        """What the exchange gives. Raises TimeoutError when ``seconds`` are over."""

        async def within() -> Answer:
            async with asyncio.timeout(seconds):
                return await exchange()

        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(within())

    def close(self) -> None:
        """Let go of the connections, which were told to end."""
        runner, self._runner = self._runner, None
        if runner is not None:
            with runner:
                runner.run(_noticed())


async def _noticed() -> None:
    # A connection that was ended notices in one of the next turns.
    for _ in range(3):
        await asyncio.sleep(0)

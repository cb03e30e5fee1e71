"""Exchanges with a receiver, each within one deadline for all of it.

With a limit per step, a receiver that sends a byte now and then could hold a worker forever. Here
every wait of an exchange ends at its deadline.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class Exchanges:
    """Runs one exchange after another; connections may outlast each."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, exchange: Callable[[], Awaitable[Answer]], *, seconds: float) -> Answer:
        """Return the exchange's result. Raises TimeoutError after ``seconds``."""

        async def within() -> Answer:
            async with asyncio.timeout(seconds):
                return await exchange()

        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(within())

    def close(self) -> None:
        """Close the connections."""
        runner, self._runner = self._runner, None
        if runner is not None:
            with runner:
                runner.run(_noticed())


async def _noticed() -> None:
    # A closed connection notices in one of the next event loop turns.
    for _ in range(3):
        await asyncio.sleep(0)

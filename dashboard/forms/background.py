"""Acts that take longer than a click: they go on when the page is left, in this process."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from uuid import UUID

from data_access.db.errors import Refusal

LOG = logging.getLogger(__name__)
AT_ONCE = 4
# A short run is over by then, and its page shows the report at once.
PATIENCE_S = 1.5

_pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="act")
_running: dict[UUID, Future[object]] = {}
_lock = Lock()


def begin(request_id: UUID, act: Callable[[], object]) -> None:
    """Start ``act`` unless this request runs already, and wait for it a moment.

    Raises what it raised within that moment. ``act`` must not touch the page.
    """
    with _lock:
        future = _running.get(request_id)
        if future is None:
            future = _running[request_id] = _pool.submit(act)
            begun = True
        else:
            begun = False
    if begun:
        future.add_done_callback(lambda done: _over(request_id, done))
    try:
        future.result(timeout=PATIENCE_S)
    except TimeoutError:
        if future.done():
            raise


def is_running(request_id: UUID) -> bool:
    """Whether it still runs here."""
    with _lock:
        return request_id in _running


def _over(request_id: UUID, done: Future[object]) -> None:
    with _lock:
        _running.pop(request_id, None)
    error = done.exception()
    # A refusal stands in the run's report, or leaves it unfinished, which the page says.
    if error is not None and not isinstance(error, Refusal):
        LOG.error("an act in the background failed", exc_info=error)

"""Cache the order of a whole view for a short time. Losing the cache is safe.

Finding the best of twenty thousand takes longer than one step to the next may. So the order
of a view is found once and kept for a short while in the process; whatever it names is
asked again before it is shown or claimed, and what has left the queue is passed over.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection, Engine, select

from data_access.applications.read import with_desk
from data_access.db import tables
from data_access.eligibility import judging
from data_access.eligibility.judging import Basis
from data_access.queue import listing
from program.review.queue_filters import Filters

KEPT_FOR = timedelta(seconds=60)
VIEWS_KEPT = 64
LOOKED_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of an application in a filtered queue; ``position`` counts from 1."""

    position: int | None
    total: int
    previous_id: int | None
    next_id: int | None


class _Order:
    """The ids of a view in order, found at ``made_at``."""

    def __init__(self, ids: Sequence[int], made_at: datetime) -> None:
        self.ids = list(ids)
        self.made_at = made_at
        self.positions = {id_: index for index, id_ in enumerate(self.ids)}
        self.offered = 0
        self.left: list[int] = []


_orders: OrderedDict[tuple[str, Filters], _Order] = OrderedDict()
_lock, _finding = Lock(), Lock()


def place(connection: Connection, application_id: int, filters: Filters, ground: Basis) -> Place:
    """Find an application and its neighbors in the filtered queue.

    An application that does not match has no position and no neighbor before it;
    its next is the first of the queue, where work continues.
    """
    order = ordered(connection, filters, ground)
    here = order.positions.get(application_id)
    after = order.ids[here + 1 :] if here is not None else order.ids
    before = order.ids[here - 1 :: -1] if here else []
    gone_before = 0 if here is None else bisect_left(order.left, here)
    return Place(
        position=None if here is None else here + 1 - gone_before,
        total=len(order.ids) - len(order.left),
        previous_id=_first_there(connection, before, filters, ground),
        next_id=_first_there(connection, after, filters, ground, but=application_id),
    )


def ordered(connection: Connection, filters: Filters, ground: Basis) -> _Order:
    """Return the view's order, at most `KEPT_FOR` old."""
    return _kept(connection, filters, ground.now) or _find(connection, filters, ground)


def _kept(connection: Connection, filters: Filters, now: datetime) -> _Order | None:
    with _lock:
        kept = _orders.get(_key(connection, filters))
    fresh = kept is not None and timedelta(0) <= now - kept.made_at < KEPT_FOR
    return kept if fresh else None


def _find(connection: Connection, filters: Filters, ground: Basis) -> _Order:
    matching = listing.matching_ids(filters, ground)
    ids = connection.execute(matching.statement.order_by(*matching.order)).scalars().all()
    key, made = _key(connection, filters), _Order(ids, ground.now)
    with _lock:
        _orders[key] = made
        _orders.move_to_end(key)
        while len(_orders) > VIEWS_KEPT:
            _orders.popitem(last=False)
    return made


def _key(connection: Connection, filters: Filters) -> tuple[str, Filters]:
    return str(connection.engine.url), replace(filters, page=1)


def offer(connection: Connection, filters: Filters, *, now: datetime) -> Sequence[int]:
    """Return some ids from the first not yet offered, starting one further each time.

    Colleagues who ask at the same moment start at different ids. Empty at the end.
    """
    order = _kept(connection, filters, now) or _find_once(connection, filters, now)
    with _lock:
        start, order.offered = order.offered, order.offered + 1
    return order.ids[start : start + LOOKED_AT_ONCE]


def pass_over(connection: Connection, filters: Filters, *, now: datetime) -> None:
    """Continue behind the ids just offered, because none of them was free."""
    order = _kept(connection, filters, now)
    if order is not None:
        with _lock:
            order.offered += LOOKED_AT_ONCE - 1


def _find_once(connection: Connection, filters: Filters, now: datetime) -> _Order:
    """Find the order once; colleagues who ask for the same one wait for it."""
    with _finding:
        kept = _kept(connection, filters, now)
        return kept or _find(connection, filters, judging.basis(connection, now=now))


def leave(connection: Connection, application_id: int) -> None:
    """Remove an application that changes status from the cached orders."""
    url = str(connection.engine.url)
    with _lock:
        for key, order in _orders.items():
            index = order.positions.pop(application_id, None) if key[0] == url else None
            if index is not None:
                insort(order.left, index)


def forget(engine_or_connection: Engine | Connection) -> None:
    """Clear the cache after a change that affects orders."""
    url = str(engine_or_connection.engine.url)
    with _lock:
        for key in [key for key in _orders if key[0] == url]:
            del _orders[key]


def _first_there(
    connection: Connection,
    ids: Sequence[int],
    filters: Filters,
    ground: Basis,
    *,
    but: int | None = None,
) -> int | None:
    """Return the first of ``ids`` that still has the view's status."""
    application = tables.applications
    for start in range(0, len(ids), LOOKED_AT_ONCE):
        some = ids[start : start + LOOKED_AT_ONCE]
        there = set(
            connection.execute(
                select(application.c.application_id)
                .select_from(with_desk(application))
                .where(
                    application.c.application_id.in_(some),
                    *listing.standing(filters, ground.now),
                )
            ).scalars()
        )
        for id_ in some:
            if id_ in there and id_ != but:
                return id_
    return None

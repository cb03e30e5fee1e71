"""Cache the order of a whole view for a short time. Losing the cache is safe.

A step to the next application needs the order of the whole view. It is computed once and cached in
each process. The events say which applications have left the queue since, so that every process
shows the same position; each id is checked again before it is shown or claimed.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from threading import Lock

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    any_,
    bindparam,
    func,
    select,
)

from data_access.applications.read import NOW, with_desk
from data_access.db import tables
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.queue import drilldown_list, listing
from program.review.drilldown import Slice
from program.review.queue_filters import Filters

KEPT_FOR = timedelta(seconds=60)
VIEWS_KEPT = 64
BATCH_SIZE = 20
# So many are looked up at first on each side of an application.
NEAR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of an application in a filtered queue; ``position`` counts from 1."""

    position: int | None
    total: int
    previous_id: int | None
    next_id: int | None


class RankedView:
    """The applications of one view in order, as of ``made_at``.

    ``newest_event`` is the last event at that time: a later status change removes its application.
    """

    def __init__(self, ids: Sequence[int], made_at: datetime, newest_event: int) -> None:
        self.ids = list(ids)
        self.made_at = made_at
        self.newest_event = newest_event
        self.offers_made = 0
        self._index_of = {id_: index for index, id_ in enumerate(self.ids)}

    def neighbors(
        self, application_id: int, moved: Collection[int]
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Return the ids before it, nearest first, and the ids after it.

        For an application that is not in the view, or has left it, all ids come after it.
        """
        index = self._index_of.get(application_id)
        if index is None or application_id in moved:
            return [], self.ids
        return self.ids[:index][::-1], self.ids[index + 1 :]

    def nearest(self, application_id: int) -> Sequence[int]:
        """Return the ids around it, and the first ones, with which it continues if it has left."""
        index = self._index_of.get(application_id, 0)
        around = [*self.ids[max(0, index - NEAR) : index], *self.ids[index : index + NEAR + 1]]
        return [*around, *self.ids[: NEAR + 1]]

    def position(self, application_id: int, moved: Collection[int]) -> int | None:
        """Return its position among those that did not move, from 1; ``None`` if not there."""
        index = self._index_of.get(application_id)
        if index is None or application_id in moved:
            return None
        return index + 1 - sum(self._index_of[id_] < index for id_ in self._present(moved))

    def total(self, moved: Collection[int]) -> int:
        """Count those that did not move."""
        return len(self.ids) - len(self._present(moved))

    def offer(self) -> Sequence[int]:
        """Return some ids, starting one further each time, so that colleagues start apart."""
        start, self.offers_made = self.offers_made, self.offers_made + 1
        return self.ids[start : start + BATCH_SIZE]

    def skip_offered(self) -> None:
        """Start the next offer after the last one."""
        self.offers_made += BATCH_SIZE - 1

    def _present(self, moved: Collection[int]) -> list[int]:
        return [id_ for id_ in moved if id_ in self._index_of]


_views: OrderedDict[tuple[str, Filters], RankedView] = OrderedDict()
_lock, _finding = Lock(), Lock()


def place(
    connection: Connection, application_id: int, filters: Filters, context: JudgingContext
) -> Place:
    """Find an application and its neighbors in the filtered queue.

    An application that does not match has no position and no neighbor before it;
    its next is the first of the queue, where work continues.
    """
    view = ranked(connection, filters, context)
    presence = _Presence(connection, filters, context.now)
    moved = presence.look(view.nearest(application_id), view.newest_event)
    before, after = view.neighbors(application_id, moved)
    return Place(
        position=view.position(application_id, moved),
        total=view.total(moved),
        previous_id=presence.first(before),
        next_id=presence.first(after, but=application_id),
    )


def ranked(connection: Connection, filters: Filters, context: JudgingContext) -> RankedView:
    """Return the view's order, at most `KEPT_FOR` old."""
    return _kept(connection, filters, context.now) or _find(connection, filters, context)


def _kept(connection: Connection, filters: Filters, now: datetime) -> RankedView | None:
    with _lock:
        kept = _views.get(_key(connection, filters))
    fresh = kept is not None and timedelta(0) <= now - kept.made_at < KEPT_FOR
    return kept if fresh else None


def _find(connection: Connection, filters: Filters, context: JudgingContext) -> RankedView:
    # Read first: an application that moves in between is in both, and not missed.
    newest = connection.execute(select(func.max(tables.events.c.event_id))).scalar() or 0
    ids = listing.ids(connection, filters, context, most=None)
    key, made = _key(connection, filters), RankedView(ids, context.now, newest)
    with _lock:
        _views[key] = made
        _views.move_to_end(key)
        while len(_views) > VIEWS_KEPT:
            _views.popitem(last=False)
    return made


def _key(connection: Connection, filters: Filters) -> tuple[str, Filters]:
    return str(connection.engine.url), replace(filters, page=1)


def offer(connection: Connection, filters: Filters, *, now: datetime) -> Sequence[int]:
    """Return some ids from the first not yet offered, starting one further each time.

    Colleagues who ask at the same time start at different ids. Empty at the end.
    """
    view = _kept(connection, filters, now) or _find_once(connection, filters, now)
    with _lock:
        return view.offer()


def pass_over(connection: Connection, filters: Filters, *, now: datetime) -> None:
    """Continue after the ids just offered, because none of them was free."""
    view = _kept(connection, filters, now)
    if view is not None:
        with _lock:
            view.skip_offered()


def _find_once(connection: Connection, filters: Filters, now: datetime) -> RankedView:
    """Rank once; colleagues who need the same order wait for it."""
    with _finding:
        kept = _kept(connection, filters, now)
        return kept or _find(connection, filters, judging.read_context(connection, now=now))


def forget(engine_or_connection: Engine | Connection) -> None:
    """Clear the cache after a change that affects orders."""
    url = str(engine_or_connection.engine.url)
    with _lock:
        for key in [key for key in _views if key[0] == url]:
            del _views[key]


class _Presence:
    """Which ids still have the view's status; looked up for several at once."""

    def __init__(self, connection: Connection, filters: Filters, now: datetime) -> None:
        statuses = Filters(status=filters.status, slice=Slice(scope=filters.slice.scope))
        self.connection, self.statement, self.now = connection, _looking(statuses), now
        self.known: dict[int, bool] = {}

    def look(self, ids: Sequence[int], since: int | None = None) -> set[int]:
        """Look ids up; returns what changed status after the event ``since``, in any process."""
        given = {"ids": ids, "since": since, "now": self.now}
        row = self.connection.execute(self.statement, given).one()
        self.known |= {**dict.fromkeys(ids, False), **dict.fromkeys(row.there, True)}
        return set(row.moved)

    def first(self, ids: Sequence[int], *, but: int | None = None) -> int | None:
        """Return the first of ``ids`` that is there."""
        for place, id_ in enumerate(ids):
            if id_ not in self.known:
                self.look(ids[place : place + BATCH_SIZE])
            if self.known[id_] and id_ != but:
                return id_
        return None


@cache
def _looking(statuses: Filters) -> Select[Sequence[int], Sequence[int]]:
    """Return the statement that looks ids up in the lists of these statuses."""
    application, event = tables.applications, tables.events.c
    since = bindparam("since", type_=BigInteger())
    ids = bindparam("ids", type_=ARRAY(BigInteger()))
    there = (
        select(application.c.application_id)
        .select_from(with_desk(application))
        .where(
            application.c.application_id == any_(ids), *drilldown_list.in_statuses(statuses, NOW)
        )
    )
    moved = select(event.application_id).where(
        event.event_id > since, event.detail.has_key("status")
    )
    return select(_listed(there).label("there"), _listed(moved).label("moved"))


def _listed(ids: Select[int]) -> ColumnElement[Sequence[int]]:
    return func.array(ids.scalar_subquery(), type_=ARRAY(BigInteger()))

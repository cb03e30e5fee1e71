"""Plan a refresh: what to recompute."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow

from data_access.db.archived import in_words
from data_access.db.errors import Invalid, Refusal
from program.affiliates.archiving import oldest_needed
from program.periods import ONE_DAY, Window, month_start, months_later, utc_day, window
from program.policy.policy import Policy

# Upstream delivers daily, so the newest day is first looked for here.
USUAL_DELAY = timedelta(days=40)


# With more days to add, counting all of them in full costs about the same.
MOST_ADDED = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The days whose sums are carried forward: those before ``until``.

    They are carried from ``window_start`` on for the window, unless that is ``None``, and from the
    first of the month of ``until`` for that month. ``unreferred`` of its users were not referred
    yet; ``None`` means that their cohorts are not carried.
    """

    policy_version: int
    window_start: date | None
    until: date
    unreferred: int | None

    @property
    def month(self) -> date:
        """The month that is carried."""
        return month_start(self.until)

    def missing(self, shown: Window | None, end: date) -> tuple[Window, ...] | None:
        """Return the days before ``end`` to add for the window ``shown``, and for months.

        ``None`` means that carried days would have to be subtracted.
        """
        later = Window(self.until, end)
        if shown is None:
            return (later,)
        if self.window_start is None or self.window_start < shown.start or self.until > shown.end:
            return None
        earlier = Window(shown.start, self.window_start)
        return (earlier, later) if earlier.days else (later,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days whose users are counted in one pass: for these months, and for the window or not.

    With ``carried``, only its missing days are counted.
    """

    days: Window
    months: tuple[date, ...]
    window: Window | None
    carried: Carried | None = None

    @property
    def added(self) -> tuple[Window, ...]:
        """The days to count."""
        added = self.carried and self.carried.missing(self.window, self.days.end)
        return added or (self.days,)

    @property
    def shown(self) -> tuple[Window, ...]:
        """Those of the window."""
        if self.window is None:
            return ()
        start, end = self.window.start, self.window.end
        return tuple(Window(max(d.start, start), min(d.end, end)) for d in self.added)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Recompute days from ``start`` up to ``through``, and drop later ones.

    The figures of ``archived`` months stay as they were counted, since their facts are elsewhere.
    """

    start: date
    through: date
    window: Window
    keeps_window: bool
    carried: Carried | None
    policy: Policy
    load_id: int
    archived: frozenset[date] = frozenset()

    @property
    def end(self) -> date:
        """The day after the data-through day."""
        return self.through + ONE_DAY

    @property
    def months(self) -> tuple[date, ...]:
        """The first days of the months to recompute."""
        months = [month_start(self.start)]
        while (after := months_later(months[-1], 1)) <= self.through:
            months.append(after)
        return tuple(months)

    @property
    def counted_months(self) -> tuple[date, ...]:
        """Those of them whose facts are here."""
        return tuple(month for month in self.months if month not in self.archived)

    @property
    def counted_chunks(self) -> tuple[Window, ...]:
        """The days to recompute from facts, split by month."""
        return tuple(days for days in self.chunks if month_start(days.start) not in self.archived)

    @property
    def chunks(self) -> tuple[Window, ...]:
        """The days to recompute or to add up again, split by month."""
        return tuple(
            Window(max(month, self.start), min(months_later(month, 1), self.end))
            for month in self.months
        )

    @property
    def spans(self) -> tuple[Span, ...]:
        """The passes over users: one for the window and every month it touches, then the others.

        The window and the current month share most of their days; reading those once is what keeps
        a full count cheap.
        """
        if self.carried is not None:
            shown = None if self.keeps_window else self.window
            days = Window(self.carried.until, self.end)
            return (Span(days=days, months=self.months, window=shown, carried=self.carried),)
        if self.keeps_window:
            return tuple(self._month_span(month) for month in self.counted_months)
        near = tuple(m for m in self.months if months_later(m, 1) > self.window.start)
        days = Window(min(self.window.start, *near), max(self.window.end, self.end))
        recent = Span(days=days, months=near, window=self.window)
        return (recent, *(self._month_span(m) for m in self.counted_months if m not in near))

    def _month_span(self, month: date) -> Span:
        days = Window(month, min(months_later(month, 1), self.end))
        return Span(days=days, months=(month,), window=None)


def make(
    cursor: Cursor[DictRow],
    *,
    policy: Policy,
    now: datetime,
    since: date | None,
    through: date | None,
    again: bool = False,
) -> Plan:
    """Decide what to recompute, up to the T there is if ``again``; Refusal if there is no data."""
    last = cursor.execute("select * from review.refreshes order by refresh_id desc limit 1")
    before = last.fetchone()
    if again and before is not None:
        through = before["data_through"]
    through = _data_through(cursor, now=now, through=through)
    start = _first_day(cursor, before, since=since, through=through)
    shown = window(policy.window_kind, through)
    archived = _archived(cursor, through)
    made = Plan(
        start=start,
        through=through,
        window=shown,
        # Nothing in the window has changed.
        keeps_window=before is not None
        and (before["window_start"], before["window_end"]) == (shown.start, shown.end)
        and before["policy_version"] == policy.version
        and start >= shown.end,
        carried=None,
        policy=policy,
        load_id=_one(cursor, "select coalesce(max(load_id), 0) as found from review.loads"),
        archived=archived,
    )
    carried = read_carried(cursor)
    return replace(made, carried=carried) if carried and _can_add_to(carried, made) else made


def _archived(cursor: Cursor[DictRow], through: date) -> frozenset[date]:
    """Return the months that are archived. Raises Refusal if the figures of T need one of them."""
    rows = cursor.execute("select month from review.archived_months").fetchall()
    months = frozenset(row["month"] for row in rows)
    needed = [month for month in months if months_later(month, 1) > oldest_needed(through)]
    if needed:
        raise Refusal(
            f"Figures through {through} need activity of {in_words(needed)}, which is archived. "
            "Load these archives first, or name a later day with --through."
        )
    return months


def _can_add_to(carried: Carried, made: Plan) -> bool:
    """Whether the carried days are unchanged, and few days have to be added to them."""
    return (
        carried.policy_version == made.policy.version
        and carried.until <= made.start
        and made.end - carried.until <= MOST_ADDED
        and carried.missing(None if made.keeps_window else made.window, made.end) is not None
    )


def read_carried(cursor: Cursor[DictRow]) -> Carried | None:
    """Return what is carried forward; ``None`` if nothing is."""
    held = cursor.execute(
        "select policy_version, window_start, until, unreferred from review.carried"
    )
    row = held.fetchone()
    return Carried(**row) if row else None


def _data_through(cursor: Cursor[DictRow], *, now: datetime, through: date | None) -> date:
    today = utc_day(now)
    if through is not None:
        if through >= today:
            raise Invalid(
                f"{through} is not over yet in UTC, so it cannot be the data-through day. "
                f"Choose {today - ONE_DAY} or an earlier day."
            )
        return through
    # Day by day, from the newest: a plain maximum would read every row. OFFSET 0 makes it look for
    # rows of that day only.
    newest = """select max(activity_date) as found from (
                    select activity_date from exchange.referral_activity
                    where activity_date = %s offset 0) as day"""
    for back in range(1, USUAL_DELAY.days + 1):
        if _one(cursor, newest, today - timedelta(days=back)):
            return today - timedelta(days=back)
    older = """select max(activity_date) as found from exchange.referral_activity
               where activity_date < %s"""
    day: date | None = _one(cursor, older, today)
    if day is None:
        raise Refusal(
            f"There is no referral activity before {today}, so there is no data-through day. "
            "Load some with "
            "`python -m data_access load activity FILE`, or name the day with --through."
        )
    return day


def _first_day(
    cursor: Cursor[DictRow], before: DictRow | None, *, since: date | None, through: date
) -> date:
    """Return the first day to recompute. The last day shown may have been completed since."""
    if before is None:
        return min(_earliest(cursor) or through, through)
    if since is not None:
        # There is no data before that, so an older day costs nothing more.
        since = max(since, _earliest(cursor) or through)
    late = """select min(first_day) as found from review.loads where load_id > %s"""
    candidates = (since, _one(cursor, late, before["load_id"]), before["data_through"], through)
    return min(day for day in candidates if day is not None)


def _earliest(cursor: Cursor[DictRow]) -> date | None:
    earliest = """
        select least(
            (select min(activity_date) from exchange.referral_activity),
            (select (min(referred_at) at time zone 'UTC')::date from exchange.referrals),
            (select min(month) from review.affiliate_monthly)
        ) as found"""
    day: date | None = _one(cursor, earliest)
    return day


def _one(cursor: Cursor[DictRow], query: LiteralString, *values: object) -> Any:  # noqa: ANN401 - the caller knows the type
    row = cursor.execute(query, values).fetchone()
    return row and row["found"]

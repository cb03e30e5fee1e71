"""The state of the review clock for a cell: a sign, a word and a time."""

from datetime import date, datetime

from dashboard.ui import badges, figures
from dashboard.ui.badges import Badge
from program.review import business_time
from program.review.workflow import Status

OVERDUE = badges.OVERDUE
PAUSED = Badge("paused", ":material/pause:", "gray", "‖")
DUE = Badge("due", ":material/event:", "gray", "·")
SETTLED = Badge("", "", "gray", figures.DASH)


def badge(due_at: datetime, *, status: Status, now: datetime) -> Badge:
    """Return which of the four states it is."""
    if status is Status.MORE_INFO_NEEDED:
        return PAUSED
    if status.upstream is not Status.PENDING:
        return SETTLED
    return OVERDUE if due_at <= now else DUE


def words(
    due_at: datetime, *, status: Status, now: datetime, holidays: frozenset[date] = frozenset()
) -> str:
    """Format ``in 1 d``, ``! overdue 2 d``, ``‖ paused``; days are business days of 24 hours."""
    found = badge(due_at, status=status, now=now)
    if found is DUE:
        return f"in {figures.waiting(business_time.elapsed(now, due_at, holidays))}"
    if found is OVERDUE:
        late = figures.waiting(business_time.elapsed(due_at, now, holidays))
        return f"{found.text} {late}"
    return found.text.strip()


def sentence(
    due_at: datetime, *, status: Status, now: datetime, holidays: frozenset[date] = frozenset()
) -> str:
    """The same, longer: ``due in 1 d``, ``overdue by 2 d``, ``clock paused``."""
    found = badge(due_at, status=status, now=now)
    if found is PAUSED:
        return "clock paused"
    if found is DUE:
        return f"due in {figures.waiting(business_time.elapsed(now, due_at, holidays))}"
    if found is OVERDUE:
        return f"overdue by {figures.waiting(business_time.elapsed(due_at, now, holidays))}"
    return ""

"""The queue's table of fifty rows. Its cells never read text as markup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Any

from dashboard.ui import badges, due, figures, grid, headings, risk_words
from dashboard.ui.row_cursor import OpeningRows
from data_access.eligibility.judging import JudgingContext
from data_access.queue.rows import EvidenceState, QueueRow
from program import wording
from program.policy.criteria import TRACK_WORDS
from program.policy.outcomes import Outcome
from program.review import queue_explained
from program.review.queue_filters import Sort
from program.review.workflow import OPEN_STATUSES, STATUS_WORDS, Status
from program.risk.signals import Severity

SIGN_WIDTH = 14
DUPLICATE, REJECTED_BEFORE = "duplicate", "rejected before"
EVIDENCE_MARKS = {EvidenceState.NONE: "no evidence", EvidenceState.EXPIRED: "old evidence"}
MARKS = {
    DUPLICATE: "orange",
    REJECTED_BEFORE: "orange",
    **dict.fromkeys(EVIDENCE_MARKS.values(), "gray"),
}
MARKS_WIDTHS = (64, 116, 192)
# Up to ``until 3 Jan 2027``, and ``until 19 Dec or a change``.
STATE_WIDTHS, SHORT_STATE = (116, 150), 17
EVIDENCE_WORDS = {
    EvidenceState.NONE: figures.DASH,
    EvidenceState.CURRENT: "current",
    EvidenceState.EXPIRED: "expired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The rows to show; ``names`` are the short ones of colleagues, by address."""

    rows: Sequence[QueueRow]
    context: JudgingContext
    names: Mapping[str, str]


# Returns the column from its label and the page.
Make = Callable[[str, Page], grid.GridColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueColumn:
    """One column that can be chosen. ``usual`` ones are shown by default.

    Pressing its heading sorts the whole list by ``sort``; ``descending`` is its cells' direction.
    """

    key: str
    label: str
    make: Make
    usual: bool = True
    sort: Sort | None = None
    descending: bool = True


def _text(width: int, words: Callable[[QueueRow], str], **look: Any) -> Make:  # noqa: ANN401
    return lambda label, page: grid.text(
        label, map(words, page.rows), width=width, help=_means(label), **look
    )


def _whole(width: int, number: Callable[[QueueRow], int | None], **look: Any) -> Make:  # noqa: ANN401
    return lambda label, page: grid.whole(
        label, map(number, page.rows), width=width, help=_means(label), **look
    )


def _means(label: str) -> str | None:
    return queue_explained.COLUMNS.get(label)


def _badges() -> dict[str, str]:
    tracks = (None, *TRACK_WORDS)
    return {
        badges.outcome_words(outcome, track=track): badges.OUTCOMES[outcome].color
        for outcome, track in product(Outcome, tracks)
        if track is None or outcome is Outcome.MET
    }


BADGES = _badges()


def _waiting(label: str, page: Page) -> grid.GridColumn:
    waits = [page.context.now - row.submitted_at for row in page.rows]
    return grid.number(
        label,
        [round(wait / timedelta(days=1), 3) for wait in waits],
        written="%.1f d",
        width=60,
        help=_means(label),
    )


def _due(label: str, page: Page) -> grid.GridColumn:
    now, holidays = page.context.now, page.context.holidays
    words = [
        due.words(row.due_at, status=row.status, now=now, holidays=holidays) for row in page.rows
    ]
    late = due.OVERDUE.sign + " "
    return grid.badges(
        label,
        words,
        {word: "red" if word.startswith(late) else "gray" for word in sorted(set(words))},
        help=_means(label),
        width=100,
    )


def _eligibility(label: str, page: Page) -> grid.GridColumn:
    found = [row.assessment for row in page.rows]
    words = [badges.outcome_words(one.outcome, track=one.track) for one in found]
    return grid.badges(label, words, BADGES, help=_means(label), width=138)


RISK_BADGES = {badges.RISK_TEXTS[severity]: badge.color for severity, badge in badges.RISKS.items()}


def _risk(label: str, page: Page) -> grid.GridColumn:
    words = [badges.RISK_TEXTS[row.risk.level] for row in page.rows]
    lacks = badges.RISK_TEXTS[Severity.NOT_ENOUGH_DATA] in words
    return grid.badges(label, words, RISK_BADGES, help=_means(label), width=126 if lacks else 84)


def _volume(label: str, page: Page) -> grid.GridColumn:
    return grid.millions(
        label,
        [row.facts.volume_usd for row in page.rows],
        help=_means(label),
        width=76,
    )


def _scale(_label: str, page: Page) -> grid.GridColumn:
    minimum = page.context.policy.min_volume_usd
    return grid.scaled_volumes(
        f"of {wording.stated_usd(minimum)}",
        [row.facts.volume_usd for row in page.rows],
        minimum_usd=minimum,
        width=100,
    )


def marks(row: QueueRow) -> list[str]:
    """Return what to look out for before opening: a duplicate, a rejection, missing evidence."""
    lacks = row.assessment.outcome is Outcome.UNKNOWN
    return [
        *([DUPLICATE] if row.duplicate else []),
        *([REJECTED_BEFORE] if row.rejected_before else []),
        *([EVIDENCE_MARKS[row.evidence]] if lacks and row.evidence in EVIDENCE_MARKS else []),
    ]


def _marks(label: str, page: Page) -> grid.GridColumn:
    found = [marks(row) for row in page.rows]
    # Two fit beside each other; what no row of the page needs is left to the other columns.
    width = MARKS_WIDTHS[min(2, max(map(len, found), default=0))]
    return grid.several_badges(label, found, MARKS, help=_means(label), width=width)


def _owner(label: str, page: Page) -> grid.GridColumn:
    owners = [row.desk.assignee(page.context.now) for row in page.rows]
    return grid.text(
        label,
        [page.names.get(owner, owner) if owner else figures.DASH for owner in owners],
        width=56,
    )


def _state(label: str, page: Page) -> grid.GridColumn:
    words = [state_words(row, page.context) for row in page.rows]
    is_long = max(map(len, words), default=0) > SHORT_STATE
    return grid.text(label, words, width=STATE_WIDTHS[is_long])


def state_words(row: QueueRow, context: JudgingContext) -> str:
    """Format what an application waits for, or since when it is decided."""
    now = context.now
    if row.status is Status.DEFERRED:
        until = row.desk.deferred_until
        change = "a change" if row.desk.deferred_answers is not None else None
        day = figures.day(until.date(), year=until.year != now.year) if until else None
        return f"until {' or '.join(filter(None, [day, change]))}"
    if row.status in OPEN_STATUSES:
        since = row.desk.status_at
        return f"for {figures.waiting(now - since)}" if since else STATUS_WORDS[row.status]
    at = row.status_changed_at
    day = figures.day(at.date(), year=at.year != now.year) if at else ""
    return f"{STATUS_WORDS[row.status]} {day}".strip()


# In display order; up to the new users they fit beside each other at 1024 pixels. Columns that
# are hidden by default can be chosen.
COLUMNS: tuple[QueueColumn, ...] = (
    QueueColumn(key="applicant", label="Applicant", make=_text(104, lambda row: row.username)),
    QueueColumn(key="handle", label="Handle", make=_text(100, lambda row: row.social_handle)),
    QueueColumn(
        key="platform",
        label="Platform",
        make=_text(74, lambda row: row.social_platform),
        usual=False,
    ),
    QueueColumn(
        key="country",
        label="Country",
        make=_text(64, lambda row: row.country_code or figures.DASH),
        usual=False,
    ),
    QueueColumn(key="standing", label="Status", make=_state),
    QueueColumn(key="waiting", label="Waiting", make=_waiting, sort=Sort.WAITING),
    QueueColumn(key="due", label="Due", make=_due, sort=Sort.DUE, descending=False),
    QueueColumn(
        key="due_at",
        label="Due at",
        make=lambda label, page: grid.moment(label, [row.due_at for row in page.rows]),
        usual=False,
        sort=Sort.DUE,
        descending=False,
    ),
    QueueColumn(
        key="priority",
        label="Priority",
        make=_whole(56, lambda row: row.priority.total),
        sort=Sort.PRIORITY,
    ),
    QueueColumn(
        key="why",
        label="Why",
        make=_text(300, lambda row: row.priority.sentence),
        usual=False,
    ),
    QueueColumn(key="eligibility", label="Eligibility", make=_eligibility),
    QueueColumn(key="risk", label="Risk", make=_risk),
    QueueColumn(key="volume", label="Volume", make=_volume, sort=Sort.VOLUME),
    QueueColumn(key="scale", label="Volume bar", make=_scale),
    QueueColumn(
        key="active",
        label="Active",
        make=_whole(52, lambda row: row.facts.active_users),
        sort=Sort.ACTIVE,
    ),
    QueueColumn(
        key="new", label="New", make=_whole(44, lambda row: row.facts.new_users), sort=Sort.NEW
    ),
    QueueColumn(
        key="months",
        label="6 months",
        make=lambda _, page: grid.monthly([row.months for row in page.rows], width=62),
    ),
    QueueColumn(key="marks", label="Marks", make=_marks),
    QueueColumn(
        key="signals",
        label="Signals",
        make=_text(200, lambda row: risk_words.names(row.risk.signals) or figures.DASH),
        usual=False,
    ),
    QueueColumn(
        key="robust",
        label="Robust",
        make=_text(72, lambda row: risk_words.robust(row.robust) or figures.DASH),
    ),
    QueueColumn(
        key="evidence",
        label="Evidence",
        make=_text(76, lambda row: EVIDENCE_WORDS[row.evidence]),
        usual=False,
    ),
    QueueColumn(key="owner", label="Owner", make=_owner),
)
USUAL = tuple(column.key for column in COLUMNS if column.usual)
# Columns that only some lists can have.
SET_ASIDE_ONLY = frozenset({"standing"})
OPEN_ONLY = frozenset({"waiting", "due", "due_at", "priority", "why", "owner"})


def fitting(chosen: Sequence[str], statuses: Sequence[Status]) -> tuple[QueueColumn, ...]:
    """Return the chosen columns that apply to this list, in the table's order."""
    senseless = frozenset[str]()
    if set(statuses) == {Status.PENDING}:
        senseless = SET_ASIDE_ONLY
    elif not set(statuses) & set(OPEN_STATUSES):
        senseless = OPEN_ONLY
    return tuple(
        column for column in COLUMNS if column.key in chosen and column.key not in senseless
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order of the list, and the orders that headings may set.

    ``by`` is reversed with ``reverse``; ``choose`` gets one of ``choices``, perhaps the same.
    """

    by: Sort
    reverse: bool
    choices: Sequence[Sort]
    choose: Callable[[Sort], None]


def draw(
    page: Page,
    columns: Sequence[QueueColumn],
    *,
    key: str,
    view: Mapping[str, str],
    selectable: bool,
    order: Order,
) -> list[int]:
    """Draw one page of the queue; returns the indexes of the ticked rows.

    A row opens its application in ``view``, the page's query. The ticks belong to ``key``: other
    rows need another key, or the ticks would apply to them.
    """
    sorts = {column.key: column.sort for column in columns if column.sort in order.choices}

    def press(heading: str) -> None:
        wanted = sorts.get(heading)
        if wanted is not None:
            order.choose(wanted)

    return grid.draw(
        {column.key: _marked(column, column.make(column.label, page), order) for column in columns},
        key=key,
        opens=OpeningRows(
            ids=[row.application_id for row in page.rows],
            names=[row.username for row in page.rows],
            query=view,
        ),
        on_heading=press,
        selectable=selectable,
        alt="Applications",
        placeholder=figures.DASH,
    )


def _marked(column: QueueColumn, made: grid.GridColumn, order: Order) -> grid.GridColumn:
    """Return the column, with a sign in its heading if the list is sorted by it."""
    if column.sort is not order.by:
        return made
    descending = column.descending != order.reverse
    config = {
        **made.config,
        "label": headings.signed(made.config["label"], descending=descending),
        "width": made.config["width"] + SIGN_WIDTH,
    }
    return replace(made, config=config)

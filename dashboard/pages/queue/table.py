"""The queue's table of fifty rows. Its cells never read text as markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard.ui import badges, cells, due, figures, headings, volume_bar
from program.policy.outcomes import Outcome
from program.review.queue_filters import PAGE_SIZE, Sort
from program.review.workflow import OPEN_STATUSES, Status

OPEN = "queue-open"
ROW_HEIGHT = 36
SIGN_WIDTH = 14
EVIDENCE_WORDS = {"none": "–", "current": "current", "expired": "expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One application in the table. ``None`` in a figure is unknown."""

    application_id: int
    username: str
    handle: str
    platform: str
    country: str | None
    waiting_days: Decimal
    due: str
    due_at: datetime
    points: int
    why: str
    outcome: Outcome
    track: str | None
    volume_usd: Decimal | None
    active_users: int | None
    new_users: int | None
    months: tuple[Decimal, ...]
    evidence: str
    owner: str
    standing: str


Cells = Callable[[Sequence[TableRow]], pa.Array]
# Returns a column's settings from its label, the page's rows and the minimum volume.
Config = Callable[[str, Sequence[TableRow], Decimal], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueColumn:
    """One column that can be chosen. ``usual`` ones are shown by default.

    Pressing its heading sorts the whole list by ``sort``; ``descending`` is its cells' direction.
    """

    key: str
    label: str
    cells: Cells
    config: Config
    usual: bool = True
    sort: Sort | None = None
    descending: bool = True


def _texts(field: str) -> Cells:
    return lambda rows: pa.array([getattr(row, field) for row in rows], pa.string())


def _numbers(field: str) -> Cells:
    return lambda rows: cells.whole([getattr(row, field) for row in rows])


def _words(made: Callable[[TableRow], str]) -> Cells:
    return lambda rows: pa.array([made(row) for row in rows], pa.string())


def _badge(made: Callable[[TableRow], str]) -> Cells:
    return lambda rows: pa.array([[made(row)] for row in rows])


def _text(width: int, **given: Any) -> Config:  # noqa: ANN401
    return lambda label, _rows, _minimum: st.column_config.TextColumn(label, width=width, **given)


def _number(width: int, **given: Any) -> Config:  # noqa: ANN401
    return lambda label, _rows, _minimum: cells.number_column(label, width=width, **given)


def _badges() -> dict[str, str]:
    tracks = (None, *badges.TRACK_WORDS)
    return {
        badges.outcome_words(outcome, track=track): badges.OUTCOMES[outcome].colour
        for outcome, track in product(Outcome, tracks)
        if track is None or outcome is Outcome.MET
    }


BADGES = _badges()


def _due(label: str, rows: Sequence[TableRow], _minimum: Decimal) -> Any:  # noqa: ANN401
    words = sorted({row.due for row in rows})
    late = due.OVERDUE.sign + " "
    return st.column_config.MultiselectColumn(
        label,
        options=words,
        color=["red" if word.startswith(late) else "gray" for word in words],
        help="In business days, UTC. The clock stops while the applicant owes information.",
        width=100,
    )


def _eligibility(label: str, _rows: Sequence[TableRow], _minimum: Decimal) -> Any:  # noqa: ANN401
    return st.column_config.MultiselectColumn(
        label, options=list(BADGES), color=list(BADGES.values()), width=138
    )


def _volume(label: str, _rows: Sequence[TableRow], minimum_usd: Decimal) -> Any:  # noqa: ANN401
    return volume_bar.config(
        label, minimum_usd=minimum_usd, help="Referral volume in the window", width=104
    )


def _months(label: str, _rows: Sequence[TableRow], _minimum: Decimal) -> Any:  # noqa: ANN401
    return st.column_config.AreaChartColumn(
        label,
        help="Volume by calendar month, the last one still running.",
        y_min=0,
        width=62,
    )


# In display order. Columns that are hidden by default can be chosen.
COLUMNS: tuple[QueueColumn, ...] = (
    QueueColumn(
        key="applicant",
        label="Applicant",
        cells=_texts("username"),
        config=_text(104),
    ),
    QueueColumn(
        key="handle",
        label="Handle",
        cells=_texts("handle"),
        config=_text(100),
    ),
    QueueColumn(
        key="platform",
        label="Platform",
        cells=_texts("platform"),
        config=_text(74),
        usual=False,
    ),
    QueueColumn(
        key="country",
        label="Country",
        cells=_words(lambda row: row.country or figures.DASH),
        config=_text(64),
        usual=False,
    ),
    QueueColumn(
        key="standing",
        label="Status",
        cells=_texts("standing"),
        config=_text(150),
    ),
    QueueColumn(
        key="waiting",
        label="Waiting",
        cells=lambda rows: cells.numbers([row.waiting_days for row in rows]),
        config=_number(60, written="%.1f d", help="Calendar days since it arrived."),
        sort=Sort.WAITING,
    ),
    QueueColumn(
        key="due",
        label="Due",
        cells=_badge(lambda row: row.due),
        config=_due,
        sort=Sort.DUE,
        descending=False,
    ),
    QueueColumn(
        key="due_at",
        label="Due at",
        cells=lambda rows: cells.moments([row.due_at for row in rows]),
        config=lambda label, _rows, _minimum: cells.moment_column(label),
        usual=False,
        sort=Sort.DUE,
        descending=False,
    ),
    QueueColumn(
        key="priority",
        label="Priority",
        cells=_numbers("points"),
        config=_number(
            56,
            help="Points, at most 100. The column Why and the application's page show how they "
            "add up.",
        ),
        sort=Sort.PRIORITY,
    ),
    QueueColumn(
        key="why",
        label="Why",
        cells=_texts("why"),
        config=_text(300, help="The parts of the priority."),
        usual=False,
    ),
    QueueColumn(
        key="eligibility",
        label="Eligibility",
        cells=_badge(lambda row: badges.outcome_words(row.outcome, track=row.track)),
        config=_eligibility,
    ),
    QueueColumn(
        key="volume",
        label="Volume",
        cells=lambda rows: volume_bar.cells([row.volume_usd for row in rows]),
        config=_volume,
        sort=Sort.VOLUME,
    ),
    QueueColumn(
        key="active",
        label="Active",
        cells=_numbers("active_users"),
        config=_number(52),
        sort=Sort.ACTIVE,
    ),
    QueueColumn(
        key="new",
        label="New",
        cells=_numbers("new_users"),
        config=_number(44),
        sort=Sort.NEW,
    ),
    QueueColumn(
        key="months",
        label="6 months",
        cells=lambda rows: pa.array([[float(month) for month in row.months] for row in rows]),
        config=_months,
    ),
    QueueColumn(
        key="evidence",
        label="Evidence",
        cells=_words(lambda row: EVIDENCE_WORDS[row.evidence]),
        config=_text(76),
        usual=False,
    ),
    QueueColumn(
        key="owner",
        label="Owner",
        cells=_texts("owner"),
        config=_text(56),
    ),
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
    *,
    rows: Sequence[TableRow],
    columns: Sequence[QueueColumn],
    key: str,
    minimum_usd: Decimal,
    on_open: Callable[[], None],
    selectable: bool,
    order: Order,
) -> list[int]:
    """Draw one page of the queue; returns the indexes of the ticked rows.

    Clicking a row's button calls ``on_open``. The ticks belong to ``key``: other rows need another
    key, or the ticks would apply to them.
    """
    sorts = {column.key: column.sort for column in columns if column.sort in order.choices}

    def press(heading: str) -> None:
        wanted = sorts.get(heading)
        if wanted is not None:
            order.choose(wanted)

    settings = {
        column.key: _marked(column, column.config(column.label, rows, minimum_usd), order)
        for column in columns
    }
    # Only this column is pinned: pinned columns are drawn faint.
    opens = st.column_config.ButtonColumn(
        "", key=OPEN, on_click=on_open, type="tertiary", width=50, pinned=True
    )
    return headings.table(
        _table(rows, columns),
        key=key,
        on_heading=press,
        selectable=selectable,
        alt="Applications",
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (min(len(rows), PAGE_SIZE) + 1) + 3,
        column_config={"open": opens, **settings},
    )


def _marked(column: QueueColumn, config: Any, order: Order) -> Any:  # noqa: ANN401 - Streamlit's own
    """Return the column's settings, with a sign in its heading if the list is sorted by it."""
    if column.sort is not order.by:
        return config
    return {
        **config,
        "label": headings.signed(config["label"], descending=column.descending != order.reverse),
        "width": config["width"] + SIGN_WIDTH,
    }


def _table(rows: Sequence[TableRow], columns: Sequence[QueueColumn]) -> pa.Table:
    held = {column.key: column.cells(rows) for column in columns}
    return pa.table({"open": pa.array(["Open"] * len(rows)), **held})

"""Tables of outcomes: cohorts, groups and reviewers, relative to application."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.pages.affiliates.board_table import table_height
from dashboard.ui import cells, figures, headings
from program.affiliates.cohorts import COLLAPSE_HORIZON, HORIZONS, is_complete
from program.affiliates.filters import Figure
from program.periods import ONE_DAY, months_later

OPEN = "outcomes-open"
ROW_HEIGHT = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A figure at one horizon and at application, of the same affiliates; for qualifying, counts.

    For `Figure.QUALIFYING`, ``now`` of ``before`` still qualified.
    """

    before: Decimal | int
    now: Decimal | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A cohort or a group. ``at`` lacks the horizons that are not complete.

    ``before`` is everybody's figure at application; ``None`` if each horizon has its own approvals.
    A ``month`` is complete up to day ``through`` of the data. ``fell`` is how many fell to half and
    to a fifth, of how many; ``None`` before day 60.
    """

    name: str
    affiliates: int
    before: Decimal | int | None
    at: Mapping[int, Then]
    fell: tuple[int, int, int] | None
    month: date | None = None
    through: date | None = None


def draw(lines: Sequence[Line], *, first: str, figure: Figure, key: str) -> None:
    """Draw one row per line; an incomplete horizon says when it will be complete.

    A change is shown with its base: in the column before, or in the same cell.
    """
    column = st.column_config
    shows_before = figure is not Figure.QUALIFYING and any(
        line.before is not None for line in lines
    )
    held = {
        "name": [line.month or line.name for line in lines],
        "affiliates": [line.affiliates for line in lines],
        **({"before": [line.before for line in lines]} if shows_before else {}),
        **{str(h): [then_words(line, h, figure) for line in lines] for h in HORIZONS},
        "fell": [_fell(line) for line in lines],
    }
    headings.table(
        _worded(held, figure),
        key=key,
        alt=first,
        row_height=ROW_HEIGHT,
        height=table_height(len(lines), ROW_HEIGHT),
        column_config={
            "name": column.DateColumn(first, format=cells.MONTH, width=150)
            if all(line.month for line in lines)
            else column.TextColumn(first, width=150),
            "affiliates": cells.number_column("Approvals", width=76),
            "before": cells.number_column(
                "At application",
                written=None,
                width=110,
                help="From the decisions' snapshots: the policy's window before each decision.",
            ),
            **{
                str(h): column.TextColumn(
                    headings.numeric(f"At {h} days"),
                    width=150 if shows_before else 200,
                    alignment="right",
                    help=f"Days {h - 29} to {h} after each approval, UTC, all added up.",
                )
                for h in HORIZONS
            },
            "fell": column.TextColumn(
                headings.numeric("Halved · collapsed"),
                width=150,
                alignment="right",
                help="Volume of days 31 to 60 at most half, and at most a fifth, of the volume at "
                "application; of the approvals with volume then.",
            ),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FallenRow:
    """One approval that fell, in the table."""

    username: str
    approved: date
    by: str
    before_usd: Decimal
    later_usd: Decimal
    fell: str


def draw_fallen(rows: Sequence[FallenRow], *, key: str, on_open: Callable[[], None]) -> None:
    """Draw the approvals that fell most, each with a link to its application."""
    column = st.column_config
    headings.table(
        pa.table(
            {
                "open": ["Open"] * len(rows),
                "username": [row.username for row in rows],
                "fell": [row.fell for row in rows],
                "before": cells.numbers([row.before_usd for row in rows]),
                "later": cells.numbers([row.later_usd for row in rows]),
                "approved": cells.days([row.approved for row in rows]),
                "by": [row.by for row in rows],
            }
        ),
        key=key,
        alt="Approvals that fell",
        row_height=ROW_HEIGHT,
        height=table_height(len(rows), ROW_HEIGHT),
        column_config={
            "open": column.ButtonColumn(
                "", key=OPEN, on_click=on_open, type="tertiary", width=50, pinned=True
            ),
            "username": column.TextColumn("Affiliate", width=150),
            "fell": column.TextColumn("Volume", width=150),
            "before": cells.number_column("At application, USD", written="%,.2f", width=134),
            "later": cells.number_column("Days 31 to 60, USD", written="%,.2f", width=134),
            "approved": cells.day_column("Approved"),
            "by": column.TextColumn("By", width=260),
        },
    )


def _worded(held: Mapping[str, Sequence[Any]], figure: Figure) -> Styler:
    formats = {"before": lambda number: _amount(Decimal(repr(number)), figure)}
    return cells.worded(held, {name: say for name, say in formats.items() if name in held})


def then_words(line: Line, horizon: int, figure: Figure) -> str:
    """Format a figure at a horizon, its change, and the base unless a column has it."""
    then = line.at.get(horizon)
    if then is None:
        return _why_unknown(line, horizon)
    if figure is Figure.QUALIFYING:
        share = figures.whole_percent(Decimal(then.now) / then.before if then.before else None)
        return f"{then.now:,} of {then.before:,} · {share}"
    change = figures.percent(Decimal(then.now) / then.before - 1) if then.before else figures.DASH
    origin = "" if then.before == line.before else f" from {_amount(then.before, figure)}"
    return f"{_amount(then.now, figure)}{origin} · {change}"


def _why_unknown(line: Line, horizon: int) -> str:
    """Return when a cohort reaches the horizon; without a month, that the group is too small.

    If the horizon is reached, the days were not delivered.
    """
    if line.month is None:
        return figures.UNKNOWN
    if is_complete(line.month, horizon, line.through):
        return "unknown, not delivered"
    last = months_later(line.month, 1) - ONE_DAY + timedelta(days=horizon)
    return f"unknown until {figures.day(last + ONE_DAY)}"


def _amount(value: Decimal | int | None, figure: Figure) -> str:
    if value is None:
        return figures.UNKNOWN
    return figures.usd(Decimal(value)) if figure is Figure.VOLUME else f"{int(value):,}"


def _fell(line: Line) -> str:
    if line.fell is None:
        return _why_unknown(line, COLLAPSE_HORIZON)
    halved, collapsed, trading = line.fell
    return f"{halved:,} · {collapsed:,} of {trading:,}"

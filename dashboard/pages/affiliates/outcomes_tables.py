"""Tables of outcomes: cohorts, groups and reviewers, relative to application."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dashboard.ui import figures, grid, lookups
from data_access.affiliates.cohort_outcomes import Fallen
from program import wording
from program.affiliates.cohorts import COLLAPSE_HORIZON, HORIZONS, is_complete
from program.affiliates.filters import Figure
from program.periods import ONE_DAY, months_later, utc_day

OPEN = "outcomes-open"
CENTS = "%,.2f"


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
    befores, words = [line.before for line in lines], written(lines, figure)
    shows_before = figure is not Figure.QUALIFYING and any(one is not None for one in befores)
    before = grid.worded(
        "At application",
        befores,
        _by_number(words),
        width=110,
        help="From the decisions' snapshots: the policy's window before each decision.",
    )
    months = [line.month for line in lines]
    grid.draw(
        {
            "name": grid.month(first, months, width=150)
            if all(months)
            else grid.text(first, [line.name for line in lines], width=150),
            "affiliates": grid.whole("Approvals", [line.affiliates for line in lines], width=76),
            **({"before": before} if shows_before else {}),
            **{
                str(horizon): grid.figure_text(
                    f"At {horizon} days",
                    [then_words(line, horizon, figure, words) for line in lines],
                    width=172 if shows_before else 200,
                    help=f"Sum of days {horizon - 29} to {horizon} after each approval, UTC.",
                )
                for horizon in HORIZONS
            },
            "fell": grid.figure_text(
                "Lost volume",
                [_fell(line) for line in lines],
                width=190,
                help="Halved: the volume of days 31 to 60 is at most half of that at application. "
                "Collapsed: at most a fifth. Of the approvals with volume at application.",
            ),
        },
        key=key,
        alt=first,
    )


def draw_fallen(rows: Sequence[Fallen], *, key: str, on_open: Callable[[], None]) -> None:
    """Draw the approvals that fell most, each with a link to its application."""
    grid.draw(
        {
            "open": grid.opens(["Open"] * len(rows), key=OPEN, on_open=on_open),
            "username": grid.text("Affiliate", [row.username for row in rows], width=150),
            "fell": grid.text("Volume", [_fall(row) for row in rows], width=150),
            "before": grid.number(
                "At application, USD", [row.before_usd for row in rows], written=CENTS, width=134
            ),
            "later": grid.number(
                "Days 31 to 60, USD", [row.later_usd for row in rows], written=CENTS, width=134
            ),
            "approved": grid.day("Approved", [utc_day(row.approved_at) for row in rows]),
            "by": grid.text(
                "By",
                [
                    f"{lookups.named(row.decided_by)}{', override' if row.is_override else ''}"
                    for row in rows
                ],
                width=260,
            ),
        },
        key=key,
        alt="Approvals that fell",
    )


def _fall(row: Fallen) -> str:
    """Format how far it fell: ``collapsed, −84 %``."""
    label = row.collapse.label if row.collapse else ""
    return f"{label}, {figures.percent(row.later_usd / row.before_usd - 1)}"


def then_words(line: Line, horizon: int, figure: Figure, words: Callable[[Decimal], str]) -> str:
    """Format a figure at a horizon, its change, and the base unless a column has it."""
    then = line.at.get(horizon)
    if then is None:
        return _why_unknown(line, horizon)
    if figure is Figure.QUALIFYING:
        share = figures.whole_percent(Decimal(then.now) / then.before if then.before else None)
        return f"{then.now:,} of {then.before:,} · {share}"
    change = figures.percent(Decimal(then.now) / then.before - 1) if then.before else figures.DASH
    origin = "" if then.before == line.before else f" from {words(Decimal(then.before))}"
    return f"{words(Decimal(then.now))}{origin} · {change}"


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


def written(lines: Sequence[Line], figure: Figure) -> Callable[[Decimal], str]:
    """Return how the amounts are written: all in one scale, as columns are read side by side."""
    if figure is not Figure.VOLUME:
        return lambda value: figures.count(int(value))
    thens = [then for line in lines for then in line.at.values()]
    amounts = [
        *(line.before for line in lines),
        *(then.before for then in thens),
        *(then.now for then in thens),
    ]
    return wording.column_usd(None if one is None else Decimal(one) for one in amounts)


def _by_number(words: Callable[[Decimal], str]) -> Callable[[float], str]:
    return lambda number: words(Decimal(repr(number)))


def _fell(line: Line) -> str:
    if line.fell is None:
        return _why_unknown(line, COLLAPSE_HORIZON)
    halved, collapsed, trading = line.fell
    return f"{halved:,} of {trading:,} halved, {collapsed:,} collapsed"

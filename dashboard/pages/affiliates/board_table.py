"""The requalification board's table. Its cells never read text as markup."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from dashboard.ui import badges, figures, grid, lookups
from dashboard.ui.badges import Badge
from data_access.affiliates.board import MONTHS_SHOWN, Affiliate
from program.affiliates import requalification as rules
from program.affiliates.requalification import MonthTest, Standing, Step
from program.periods import months_later, utc_day
from program.policy.outcomes import Outcome
from program.policy.policy import Policy

OPEN = "affiliates-open"
STANDINGS: dict[Standing, Badge] = {
    Standing.ACTIVE: Badge("active", ":material/check_circle:", "green", "✓"),
    Standing.ON_NOTICE: Badge("on notice", ":material/flag:", "orange", "⚑"),
    Standing.SUSPENDED: Badge("suspended", ":material/pause_circle:", "violet", "‖"),
    Standing.TERMINATED: Badge("terminated", ":material/block:", "gray", "×"),
}
SUGGESTIONS: dict[Step, Badge] = {
    Step.SUSPEND: Badge("suspend", ":material/pause_circle:", "violet", "‖"),
    Step.PUT_ON_NOTICE: Badge("put on notice", ":material/flag:", "orange", "⚑"),
    Step.RESTORE: Badge("restore", ":material/undo:", "green", "✓"),
}
PROTECTED_SIGN, UNTESTED_SIGN = "○", "·"
# What the signs of the months say, in the order of the legend.
SIGNS: dict[str, str] = {
    badges.OUTCOMES[Outcome.MET].sign: "met",
    badges.OUTCOMES[Outcome.NOT_MET].sign: "missed",
    badges.OUTCOMES[Outcome.UNKNOWN].sign: "unknown",
    PROTECTED_SIGN: "missed while protected after the approval",
    UNTESTED_SIGN: "not tested",
}


def draw(
    rows: Sequence[Affiliate],
    *,
    key: str,
    policy: Policy,
    newest: date | None,
    on_open: Callable[[], None],
    **options: Any,  # noqa: ANN401 - what `grid.draw` takes
) -> list[int]:
    """Draw one page of the board; returns the indexes of the ticked rows.

    ``newest`` is the newest tested month. The ticks belong to ``key``, as in the queue.
    """
    return grid.draw(
        {
            "open": grid.opens(["Open"] * len(rows), key=OPEN, on_open=on_open),
            **_standing_columns(rows, newest),
            **_month_columns(rows, newest, policy),
        },
        key=key,
        alt="Affiliates",
        **options,
    )


def _standing_columns(rows: Sequence[Affiliate], newest: date | None) -> dict[str, grid.GridColumn]:
    """Return the columns for the affiliate, the standing and the suggestion."""
    suggestions = [row.suggestion and SUGGESTIONS[row.suggestion].text for row in rows]
    return {
        "username": grid.text("Affiliate", [row.username for row in rows], width=116),
        "standing": grid.badges(
            "Standing",
            [STANDINGS[row.standing].text for row in rows],
            _colors(STANDINGS.values()),
            width=104,
        ),
        "suggestion": grid.badges(
            "Suggests",
            suggestions,
            _colors(SUGGESTIONS.values()),
            help="The step that the months suggest. A manager decides; nothing changes "
            "automatically.",
            width=118,
        ),
        "misses": grid.text(
            "Missed",
            [_misses(row) for row in rows],
            help="Missed months in a row that count. Unknown months neither add to them nor end "
            "them.",
            width=74,
        ),
        "months": grid.text(
            _span(newest),
            [_signs(row) for row in rows],
            help=f"{legend(newest)} Unknown is neither a miss nor a pass: external evidence is "
            "missing, or days were not delivered.",
            width=92,
        ),
    }


def _month_columns(
    rows: Sequence[Affiliate], newest: date | None, policy: Policy
) -> dict[str, grid.GridColumn]:
    """Return the columns for the newest tested month's result."""
    month = figures.month(newest, year=None) if newest else ""
    facts = [row.newest and row.newest.facts for row in rows]
    near, moves = [_near(row.newest, policy) for row in rows], [_change(row) for row in rows]
    return {
        "volume": grid.volumes(
            f"{month} volume",
            [one and one.volume_usd for one in facts],
            minimum_usd=policy.min_volume_usd,
            help=f"Referral volume of {month}, UTC; unknown where days are missing "
            "and the others fall short of the minimum.",
            width=128,
        ),
        "active": grid.whole("Active", [one and one.active_users for one in facts], width=50),
        "new": grid.whole("New", [one and one.new_users for one in facts], width=42),
        "rate": grid.percent("Rate", [row.rebate_rate for row in rows], width=56),
        "new_rate": grid.percent(
            "Suggested",
            [row.suggested_rate.rate for row in rows],
            help="The rate that the newest month supports. Granting it is a decision.",
            width=70,
        ),
        "near": grid.text(
            "Near",
            near,
            help="Missed or passed by at most a tenth of a minimum, and which one.",
            width=grid.room(near, 128, empty=56),
        ),
        "approved": grid.day("Approved", [utc_day(row.approved_at) for row in rows]),
        "since": grid.text("Last change", moves, width=grid.room(moves, 150, empty=96)),
        "why": grid.text("Rate reason", [row.suggested_rate.why for row in rows], width=190),
    }


def legend(newest: date | None) -> str:
    """Return the signs of the months up to the ``newest`` with what they say."""
    signs = ", ".join(f"{sign} {word}" for sign, word in SIGNS.items())
    return f"{_span(newest)}, oldest first: {signs}."


def _colors(badges: Iterable[Badge]) -> dict[str, str]:
    return {badge.text: badge.color for badge in badges}


def _span(newest: date | None) -> str:
    """Format the first and the last month of the signs."""
    if newest is None:
        return "Months"
    ends = (months_later(newest, 1 - MONTHS_SHOWN), newest)
    return figures.DASH.join(figures.month(month, year=None) for month in ends)


def _signs(row: Affiliate) -> str:
    """Return the newest months as signs, oldest first; dots before the first test."""
    signs = [_sign(test, counted=test.month >= row.counted_from) for test in row.tests]
    return " ".join([*[UNTESTED_SIGN] * (MONTHS_SHOWN - len(signs)), *signs])


def _sign(test: MonthTest, *, counted: bool) -> str:
    if test.outcome is Outcome.NOT_MET and not counted:
        return PROTECTED_SIGN
    return badges.OUTCOMES[test.outcome].sign


def _misses(row: Affiliate) -> str:
    """Format how many months were missed in a row, or that none counts yet."""
    if row.newest is None:
        return "new"
    if row.newest.month < row.counted_from:
        return "protected"
    if not row.misses:
        return figures.DASH
    more = rules.may_have_missed_more(
        row.misses, counted_from=row.counted_from, newest=row.newest.month
    )
    return f"{row.misses} {'or more' if more else 'in a row'}"


def _near(newest: MonthTest | None, policy: Policy) -> str:
    """Format how close the newest month was; "" if it was not close."""
    if newest is None or not newest.near:
        return ""
    return rules.margin_words(newest, policy)


def _change(row: Affiliate) -> str:
    """Format when and by whom the standing was last changed."""
    if row.since is None or row.changed_by is None:
        return ""
    return f"{figures.day(row.since.date())} {lookups.named(row.changed_by)}: {row.reason}"

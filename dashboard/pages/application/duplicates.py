"""Earlier applications of the account, and others with the same handle or contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import streamlit as st

from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import badges, figures, navigation, state
from dashboard.ui.safe_text import escape
from data_access.applications.read import EarlierApplication
from data_access.review.duplicates import Connected
from data_access.review.opening import Opened
from program.periods import utc_day
from program.review.queue_filters import Filters
from program.review.reapplication import NEVER, may_reapply
from program.review.workflow import REASONS_BY_CODE, Status

SHOWN_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another application. ``name`` and ``more`` may hold typed text; ``how`` is our word.

    ``settled_at`` is when it was decided or withdrawn; ``None`` while it is pending.
    """

    application_id: int
    name: str
    how: str
    status: Status
    submitted_at: datetime
    settled_at: datetime | None
    more: str = ""


def draw(shown: Opened) -> None:
    """Draw what to know before deciding, if there is anything."""
    earlier, found = shown.earlier, shown.connections
    if not earlier and not found.shown:
        return
    on_open = partial(_open, shown.id_, shown.filters)
    with st.container(border=True, gap="xsmall", key="connections"):
        too_early = [other for other in earlier if came_too_early(shown, other)]
        if too_early:
            st.warning(_warning(too_early[0]), icon=":material/event_busy:")
        if earlier:
            others = [_of_account(other, shown) for other in earlier]
            _draw_others(
                "Other applications of this account",
                others,
                total=f"{len(others):,}",
                on_open=on_open,
            )
        if found.shown:
            least = "at least " if found.at_least else ""
            others = [_elsewhere(other) for other in found.shown]
            _draw_others(
                "Other accounts with this handle or contact",
                others,
                total=f"{least}{found.total:,}",
                on_open=on_open,
            )
            if found.total > len(others):
                st.caption(f"The newest {len(others)} are listed.")


def came_too_early(shown: Opened, other: EarlierApplication) -> bool:
    """Whether this one was submitted before the other's decision allowed it."""
    arrived = shown.application.submitted_at
    return arrived > other.submitted_at and not may_reapply(
        other.reapply, other.reapply_from, on=utc_day(arrived)
    )


def _warning(other: EarlierApplication) -> str:
    if other.reapply_from is None:
        return "An earlier decision says that this account may not apply again."
    day = figures.day(other.reapply_from, year=True)
    return f"This application arrived before {day}, when the applicant may apply again."


def _of_account(other: EarlierApplication, shown: Opened) -> Other:
    reason = REASONS_BY_CODE.get(other.reason_code or "")
    more = [reason.label] if reason else []
    if other.decided_by:
        more.append(f"by {shown.named(other.decided_by)}")
    if other.reapply_from is not None:
        more.append(f"may apply again from {figures.day(other.reapply_from, year=True)}")
    elif other.reapply == NEVER.key:
        more.append("may never apply again")
    return Other(
        application_id=other.application_id,
        name=f"Application {other.application_id}",
        how="same account",
        status=other.status,
        submitted_at=other.submitted_at,
        settled_at=other.settled_at,
        more=" · ".join(more),
    )


def _elsewhere(other: Connected) -> Other:
    reason = REASONS_BY_CODE.get(other.reason_code or "")
    return Other(
        application_id=other.application_id,
        name=other.username,
        how=", ".join(other.how),
        status=other.status,
        submitted_at=other.submitted_at,
        settled_at=other.settled_at,
        more=reason.label if reason else "",
    )


def _open(here: int, filters: Filters, id_: int) -> None:
    state.hold(decision_name(here))
    navigation.open_one(id_, filters)


def _draw_others(
    title: str, others: Sequence[Other], *, total: str, on_open: Callable[[int], None]
) -> None:
    """Draw one line per application, each with a link; only the first few at once."""
    st.markdown(f"**{title}** · {total}")
    for other in others[:SHOWN_AT_ONCE]:
        _draw_line(other, on_open)
    rest = others[SHOWN_AT_ONCE:]
    if rest:
        with st.expander(f"{len(rest):,} more", type="compact"):
            for other in rest:
                _draw_line(other, on_open)


def _draw_line(other: Other, on_open: Callable[[int], None]) -> None:
    look = badges.STATUSES[other.status]
    days = f"submitted {figures.day(other.submitted_at.date(), year=True)}"
    if other.settled_at is not None:
        days = f"{figures.day(other.settled_at.date(), year=True)} · {days}"
    st.button(
        f"**{escape(other.name)}** · {other.how} · "
        f":{look.color}[{look.icon} {look.word}] :gray[· {days}]",
        key=f"other-{other.application_id}",
        type="tertiary",
        wrap=True,
        on_click=on_open,
        args=[other.application_id],
    )
    if other.more:
        st.caption(escape(other.more))

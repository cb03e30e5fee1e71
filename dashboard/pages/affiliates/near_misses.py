"""Near misses to invite: close to the minimums or above them, and not in the program."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.affiliates import frame, near_misses_table
from dashboard.ui import figures, state, states
from data_access.affiliates import near_misses
from data_access.affiliates.near_misses import Found, NearMiss
from data_access.db import database
from data_access.eligibility import judging
from data_access.exports import near_misses_file
from data_access.people.staff import Person
from program import wording
from program.affiliates.filters import BoardFilters
from program.review.permissions import Act
from program.review.workflow import REASONS_BY_CODE, STATUS_WORDS, Status

INVITED = "near-misses"


def draw(filters: BoardFilters, person: Person) -> None:
    """Draw the near misses."""
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        found = near_misses.page(connection, context, number=filters.page)
    state.keep_rows(INVITED, [row.last_application_id or 0 for row in found.rows])
    frame.draw_head(f"To invite {found.total:,}" if context.freshness else "To invite")
    if context.freshness is None:
        states.empty(f"The list needs metrics computed by the policy in force. {frame.REFRESH}")
        return
    window = context.freshness.window
    states.stale(context.freshness.data_through, today=context.now.date())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Accounts that were rejected, withdrew or never applied, and that now meet a track's "
            "minimums or fall short by at most a tenth; external by current evidence · "
            f"{figures.day_range(window.start, window.last_day)} UTC · {found.over:,} over, "
            f"{found.total - found.over:,} near · permanent rejections are left out",
            width="stretch",
        )
        if found.rows:
            draw_download(person, found)
    if not found.rows:
        states.empty("No account to invite is near the minimums.")
        return
    near_misses_table.draw(
        [invited(row) for row in found.rows],
        key=f"{INVITED}-{hash((found.page, tuple(row.account_id for row in found.rows)))}",
        minimum_usd=context.policy.min_volume_usd,
        on_open=partial(frame.open_clicked, INVITED, near_misses_table.OPEN, Status.REJECTED),
    )
    frame.draw_pages(filters.on_page(found.page), found.total)


def draw_download(person: Person, found: Found) -> None:
    """Draw the download of the whole list, for people who may export."""
    if person.may(Act.EXPORT):
        st.download_button(
            f"Export CSV, {found.total:,} row{'' if found.total == 1 else 's'}",
            partial(
                submit.write,
                near_misses_file.as_csv,
                email=person.email,
                now=datetime.now(UTC),
            ),
            file_name=f"near-misses-{datetime.now(UTC):%Y-%m-%d}.csv",
            mime="text/csv",
            key="near-misses-export",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )


def invited(row: NearMiss) -> near_misses_table.NearMissRow:
    """Format a row."""
    closest = row.closest
    margin = figures.percent(closest.margin) if closest and closest.margin is not None else ""
    return near_misses_table.NearMissRow(
        open="Open" if row.last_application_id else "",
        username=row.username,
        country=row.country_code or figures.DASH,
        kyc=row.kyc_status,
        outcome=row.assessment.outcome,
        volume_usd=row.facts.volume_usd,
        active_users=row.facts.active_users,
        new_users=row.facts.new_users,
        closest=f"{wording.inline(closest.criterion.label)} {margin}" if closest else "",
        months=row.months,
        last=last_words(row),
        waits_until=row.reapply_from,
    )


def last_words(row: NearMiss) -> str:
    """Format how the last application ended, and when."""
    if row.last_status is None or row.last_at is None:
        return "never applied"
    when = figures.day(row.last_at.date(), year=True)
    reason = REASONS_BY_CODE[row.reason_code].label.lower() if row.reason_code else ""
    outcome = f"{STATUS_WORDS[row.last_status]} {when}"
    return f"{outcome}: {reason}" if reason else outcome

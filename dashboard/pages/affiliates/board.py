"""The requalification board: standings, suggestions, and steps for many."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial

import streamlit as st

from dashboard.forms import bulk_report
from dashboard.pages.affiliates import board_table, frame, standing_dialog
from dashboard.pages.affiliates import filters as affiliates_filters
from dashboard.shell import sign_in
from dashboard.ui import figures, state, states
from data_access.affiliates import board
from data_access.affiliates.board import Affiliate, Counts
from data_access.db import database
from data_access.eligibility import freshness, policies
from data_access.eligibility.freshness import Freshness
from data_access.people.staff import Person
from data_access.review import bulk_runs
from program.affiliates.filters import PAGE_SIZE, BoardFilters
from program.affiliates.requalification import Standing
from program.periods import ONE_DAY, month_start, months_later
from program.policy.policy import Policy
from program.review.permissions import Act

BOARD = "affiliates"


def draw(filters: BoardFilters, person: Person) -> None:
    """Draw the board: counts, filters, table, pages."""
    with database.reading(database.reader()) as connection:
        policy = policies.in_force(connection, now=datetime.now(UTC))
        fresh = freshness.newest(connection)
        counts = board.counts(connection, policy)
        total = board.count(connection, filters, policy, counts)
        filters = filters.on_page(min(filters.page, max(1, -(-total // PAGE_SIZE))))
        rows = board.page(connection, filters, policy)
    state.keep_rows(BOARD, [row.application_id for row in rows])
    newest = newest_month(fresh)
    frame.draw_head(f"Approved affiliates {counts.total:,}")
    st.caption(rules_in_words(policy, newest, fresh))
    if person.may(Act.REQUALIFY):
        bulk_report.draw(standing_dialog.RUNS, actor=person.email)
    if not counts.total:
        states.empty("The board is empty. Approved affiliates appear with the next refresh.")
        return
    affiliates_filters.fields(
        by_suggestion=counts.by_suggestion,
        by_standing=counts.by_standing,
        by_month=counts.by_month,
        near=counts.near,
        month=figures.month(newest) if newest else "Newest month",
        on_change=frame.apply_filters,
    )
    if rows:
        if gaps := missing_words(rows):
            st.caption(gaps)
        draw_table(filters, rows, total, person, policy, newest)
        frame.draw_pages(filters, total)
    else:
        draw_none_matches(counts)
    standing_dialog.draw(person, policy)


def missing_words(rows: Sequence[Affiliate]) -> str:
    """Return which of the shown months have missing days; "" if none has."""
    gaps = {test.month: test.gap for row in rows for test in row.tests if test.gap}
    if not gaps:
        return ""
    months = "; ".join(f"{figures.month(month)}, {gap}" for month, gap in sorted(gaps.items()))
    return f"{months}. Affiliates below the minimums then are unknown, neither missed nor met."


def newest_month(fresh: Freshness | None) -> date | None:
    """Return the newest month that is complete at the data-through day."""
    return months_later(month_start(fresh.data_through + ONE_DAY), -1) if fresh else None


def rules_in_words(policy: Policy, newest: date | None, fresh: Freshness | None) -> str:
    """Describe what is tested and what follows from it."""
    if newest is None or fresh is None:
        return "No month is tested yet: metrics have not been computed."
    misses, months = policy.requalification_misses, policy.requalification_protection_months
    notice = f"one miss suggests a notice, {misses} in a row a suspension"
    if misses == 1:
        notice = "one miss suggests a suspension"
    protected = f"the first {months} whole months after an approval do not count"
    silent = "silent: no messages are sent" if policy.requalification_silent else "messages go out"
    return (
        f"Newest month tested: {figures.month(newest)}, UTC, of data through "
        f"{figures.day(fresh.data_through, year=True)} · {notice}; {protected} · policy version "
        f"{policy.version}, {silent}"
    )


@st.fragment
def draw_table(
    filters: BoardFilters,
    rows: list[Affiliate],
    total: int,
    person: Person,
    policy: Policy,
    newest: date | None,
) -> None:
    """Draw the table and the steps for ticked rows, as a fragment like in the queue."""
    sign_in.stay(person.email)
    st.caption(board_table.legend(newest))
    ids = [row.application_id for row in rows]
    ticked = board_table.draw(
        rows,
        key=f"{BOARD}-{hash((filters, tuple((r.application_id, r.standing) for r in rows)))}",
        policy=policy,
        newest=newest,
        on_open=partial(frame.open_clicked, BOARD, board_table.OPEN),
        selectable=person.may(Act.REQUALIFY),
    )
    if ticked:
        chosen = {ids[at]: rows[at].standing for at in ticked if at < len(ids)}
        draw_selection(filters, chosen, len(rows), total, person)


def draw_selection(
    filters: BoardFilters, chosen: dict[int, Standing], on_page: int, total: int, person: Person
) -> None:
    """Draw the steps for the ticked affiliates, or for all that match."""
    most = min(total, bulk_runs.MOST)
    key = f"affiliates-all-{hash(filters)}"
    more_match = len(chosen) == on_page < total
    if more_match and state.typed(key):
        with database.reading(database.reader()) as connection:
            policy = policies.in_force(connection, now=datetime.now(UTC))
            chosen = board.shown(connection, filters, policy, most=bulk_runs.MOST)
    with st.container(key="bulk-bar", horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(chosen):,} chosen**", width="content")
        if more_match:
            which = "All" if most == total else "The first"
            st.toggle(f"{which} {most:,} that match", key=key)
        standing_dialog.buttons(chosen, person)


def draw_none_matches(counts: Counts) -> None:
    """Show that no affiliate matches the filters, with a way on."""
    states.empty(
        f"None of the {counts.total:,} affiliates matches these filters.",
        states.WayOn(label="Show all of them", page=frame.AFFILIATES),
    )

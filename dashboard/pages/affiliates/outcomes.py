"""Outcomes of approvals: cohorts, overrides and others, reviewers, largest falls."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard.pages.affiliates import filters as affiliates_filters
from dashboard.pages.affiliates import frame, outcomes_tables
from dashboard.ui import figures, lookups, state, states
from data_access.affiliates import cohort_outcomes
from data_access.affiliates.cohort_outcomes import Cohort, Fallen, Turned
from data_access.db import database
from data_access.eligibility import freshness
from data_access.people.staff import Person
from program.affiliates.cohorts import COHORTS, COLLAPSE_HORIZON, LEAST_PER_REVIEWER
from program.affiliates.filters import FIGURE_LABELS, BoardFilters, Figure

FELL = "fell"
FALLEN_LISTED = 20


def draw(filters: BoardFilters, _person: Person) -> None:
    """Draw cohorts, then overrides and others, then reviewers."""
    frame.draw_head("Outcomes of approvals")
    with database.reading(database.reader()) as connection:
        fresh = freshness.newest(connection)
        if fresh is None:
            states.empty(f"Outcomes need computed metrics. {frame.REFRESH}")
            return
        through = fresh.data_through
        outcomes = cohort_outcomes.outcomes(connection, data_through=through)
        fallen = cohort_outcomes.fallen(connection, data_through=through, most=FALLEN_LISTED)
    st.caption(
        f"Current approvals of the last {COHORTS} months, by month · each figure covers the 30 "
        "days that end 30, 60 or 90 days after the approval, UTC, compared with the month before "
        "the decision · "
        f"data through {figures.day(through, year=True)}"
    )
    if not outcomes.cohorts:
        states.empty(f"Nobody was approved in the last {COHORTS} months.")
        return
    affiliates_filters.figures_of(FIGURE_LABELS, frame.apply_filters)
    figure = filters.figure
    outcomes_tables.draw(
        [cohort_line(cohort, figure, through) for cohort in outcomes.cohorts],
        first="Approved in",
        figure=figure,
        key=f"cohorts-{figure}",
    )
    if left_out := left_out_words(outcomes.cohorts):
        st.caption(left_out)
    st.caption(
        "The groups below cover the months that are complete at each horizon, so each horizon has "
        "its own approvals; “from” is their figure at application."
    )
    draw_groups(
        "Overrides (against the computed eligibility) and other approvals",
        "Approval",
        outcomes.by_override,
        figure,
    )
    draw_groups(
        f"By reviewer, with at least {LEAST_PER_REVIEWER} approvals",
        "Approved by",
        outcomes.by_reviewer,
        figure,
    )
    draw_fallen(fallen)


def draw_fallen(fallen: Sequence[Fallen]) -> None:
    """Draw the approvals that fell most by days 31 to 60."""
    state.keep_rows(FELL, [one.application_id for one in fallen])
    st.markdown("**Approvals whose volume fell to a half or less by days 31 to 60**")
    if not fallen:
        st.caption("No such approval among those at least 60 complete days old.")
        return
    outcomes_tables.draw_fallen(
        fallen,
        key="fallen",
        on_open=partial(frame.open_clicked, FELL, outcomes_tables.OPEN),
    )
    if len(fallen) == FALLEN_LISTED:
        st.caption(f"The {FALLEN_LISTED} deepest falls.")


def cohort_line(cohort: Cohort, figure: Figure, through: date) -> outcomes_tables.Line:
    """Format a month of approvals."""
    before: dict[Figure, Decimal | int] = {
        Figure.VOLUME: cohort.volume_usd,
        Figure.ACTIVE: cohort.active_users,
        Figure.NEW: cohort.new_users,
    }
    return outcomes_tables.Line(
        name=figures.month(cohort.month),
        affiliates=cohort.affiliates,
        before=before.get(figure),
        at=known_at(cohort.at, figure),
        fell=fell(cohort.at.get(COLLAPSE_HORIZON)),
        month=cohort.month,
        through=through,
    )


def draw_groups(title: str, first: str, turned: Sequence[Turned], figure: Figure) -> None:
    """Draw a smaller table of groups, over the cohorts that are complete at each horizon."""
    st.markdown(f"**{title}**")
    if not turned:
        st.caption("Unknown until enough approvals are 30 complete days old.")
        return
    groups = dict.fromkeys(one.group for one in turned)
    lines = [
        group_line(group, {t.horizon: t for t in turned if t.group == group}, figure)
        for group in groups
    ]
    outcomes_tables.draw(lines, first=first, figure=figure, key=f"{title}-{figure}")


def group_line(group: str, at: dict[int, Turned], figure: Figure) -> outcomes_tables.Line:
    """Format a group; its largest horizon has the fewest approvals."""
    return outcomes_tables.Line(
        name=lookups.named(group),
        affiliates=at[min(at)].affiliates,
        before=None,
        at=known_at(at, figure),
        fell=fell(at.get(COLLAPSE_HORIZON)),
    )


def known_at(at: Mapping[int, Turned], figure: Figure) -> dict[int, outcomes_tables.Then]:
    """Return the figure at the horizons for which any days were delivered."""
    return {
        horizon: then(turned, figure)
        for horizon, turned in at.items()
        if turned.delivered or (figure is Figure.QUALIFYING and turned.judged)
    }


def left_out_words(cohorts: Sequence[Cohort]) -> str:
    """Describe whose figures are left out because of missing days; "" if nobody's are."""
    short = [
        f"{figures.month(cohort.month)} at {horizon} days "
        f"{turned.affiliates - turned.delivered:,} of {turned.affiliates:,}"
        for cohort in cohorts
        for horizon, turned in cohort.at.items()
        if turned.delivered < turned.affiliates
    ]
    if not short:
        return ""
    return (
        "Approvals with days that upstream did not deliver are unknown and left out, here and "
        "below; they still qualify if the delivered days meet every minimum: "
        f"{', '.join(short)}."
    )


def then(turned: Turned, figure: Figure) -> outcomes_tables.Then:
    """Return a group's figure at one horizon, beside application."""
    before, now = {
        Figure.VOLUME: (turned.volume_before, turned.volume),
        Figure.ACTIVE: (turned.active_before, turned.active),
        Figure.NEW: (turned.new_before, turned.new),
        Figure.QUALIFYING: (turned.judged, turned.met),
    }[figure]
    return outcomes_tables.Then(before=before, now=now)


def fell(turned: Turned | None) -> tuple[int, int, int] | None:
    """Return how many halved and collapsed, of how many; ``None`` if unknown."""
    if turned is None or not turned.delivered:
        return None
    return turned.halved, turned.collapsed, turned.trading

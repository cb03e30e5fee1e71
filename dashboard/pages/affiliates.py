"""Approved affiliates: the requalification board, what became of approvals, whom to invite."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard import opening, sign_in, state
from dashboard.components import (
    affiliates_filters,
    affiliates_table,
    figures,
    near_misses_table,
    outcomes_tables,
    states,
)
from dashboard.components.safe_text import escape
from dashboard.forms import affiliates_form, run_report
from data_access import (
    affiliates,
    bulk,
    database,
    freshness,
    near_misses,
    near_misses_file,
    outcome_loop,
    policies,
    standings,
)
from data_access.affiliates import Affiliate, Counts
from data_access.freshness import Freshness
from data_access.near_misses import Found, NearMiss
from data_access.outcome_loop import Cohort, Fallen, Turned
from data_access.staff import Person
from program import affiliates as rules
from program.affiliate_filters import FIGURE_LABELS, PAGE_SIZE, BoardFilters, Figure, Part
from program.affiliates import MonthTest, Standing
from program.outcome_loop import COHORTS, COLLAPSE_HORIZON, LEAST_PER_REVIEWER
from program.periods import ONE_DAY, month_start, months_later
from program.permissions import Act
from program.policy import Policy
from program.queue import Filters
from program.workflow import REASONS_BY_CODE, STATUS_WORDS, Status

AFFILIATES = "dashboard/pages/affiliates.py"
BOARD, INVITED, FELL = "affiliates", "near-misses", "fell"
FALLEN_LISTED = 20
REFRESH = "Run `python -m data_access refresh`."


def main() -> None:
    """Which part, then that part."""
    person = sign_in.require(Act.SEE_AFFILIATES)
    filters = BoardFilters.from_query(st.query_params)
    draw_flash()
    affiliates_filters.hold(filters)
    PARTS[filters.part](filters, person)


def draw_flash() -> None:
    """Show what the last act left to say."""
    message = state.take_flash()
    if message is not None:
        st.toast(escape(message.text), icon=":material/check:" if message.ok else ":material/info:")


def follow(filters: BoardFilters) -> None:
    """Put changed filters into the address bar, which every run reads."""
    st.query_params.from_dict(filters.to_query())


def draw_head(title: str) -> None:
    """The part's name with how many, and the ways to the other parts."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(title, anchor=False, width="content")
        st.space("stretch")
        affiliates_filters.parts(follow)


# Requalification.


def draw_board(filters: BoardFilters, person: Person) -> None:
    """The board: how it stands, the filters, the table, the pages."""
    with database.reader().connect() as connection:
        policy = policies.in_force(connection, now=datetime.now(UTC))
        fresh = freshness.newest(connection)
        counts = affiliates.counts(connection, policy)
        total = affiliates.count(connection, filters, policy) if filters.narrows else counts.total
        filters = filters.on_page(min(filters.page, max(1, -(-total // PAGE_SIZE))))
        rows = affiliates.page(connection, filters, policy)
    state.keep_rows(BOARD, [row.application_id for row in rows])
    newest = newest_month(fresh)
    draw_head(f"Approved affiliates {counts.total:,}")
    st.caption(rules_in_words(policy, newest, fresh))
    if person.may(Act.REQUALIFY):
        run_report.draw(affiliates_form.RUNS, actor=person.email)
    if not counts.total:
        states.empty("No affiliate is on the board. Who is approved appears with the next refresh.")
        return
    affiliates_filters.fields(
        by_suggestion=counts.by_suggestion,
        by_standing=counts.by_standing,
        by_month=counts.by_month,
        near=counts.near,
        month=figures.month(newest) if newest else "Newest month",
        on_change=follow,
    )
    if rows:
        draw_table(filters, rows, total, person, policy, newest)
        draw_pages(filters, total)
    else:
        draw_none_matches(counts)
    affiliates_form.draw(person, policy)


def newest_month(fresh: Freshness | None) -> date | None:
    """The newest month that is complete at the data-through day."""
    return months_later(month_start(fresh.data_through + ONE_DAY), -1) if fresh else None


def rules_in_words(policy: Policy, newest: date | None, fresh: Freshness | None) -> str:
    """What is tested and what follows from it."""
    if newest is None or fresh is None:
        return "No month is tested yet: metrics were never computed."
    misses, months = policy.requalification_misses, policy.requalification_protection_months
    notice = f"one miss suggests a notice, {misses} in a row a suspension"
    if misses == 1:
        notice = "one miss suggests a suspension"
    protected = f"the first {months} whole months after an approval do not count"
    silent = "silent: nobody is written to" if policy.requalification_silent else "messages go out"
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
    """The table and the steps for what is ticked; a part of its own, as in the queue."""
    ids = [row.application_id for row in rows]
    first = months_later(newest, 1 - affiliates.MONTHS_SHOWN) if newest else None
    ticked = affiliates_table.draw(
        rows=[as_shown(row, policy) for row in rows],
        key=f"{BOARD}-{hash((filters, tuple((r.application_id, r.standing) for r in rows)))}",
        minimum_usd=policy.min_volume_usd,
        month=figures.MONTHS[newest.month - 1] if newest else "",
        span=f"{figures.MONTHS[first.month - 1]}{figures.DASH}{figures.MONTHS[newest.month - 1]}"
        if first and newest
        else "Months",
        selectable=person.may(Act.REQUALIFY),
        on_open=partial(open_clicked, BOARD, affiliates_table.OPEN),
    )
    if ticked:
        chosen = {ids[at]: rows[at].standing for at in ticked if at < len(ids)}
        draw_selection(filters, chosen, len(rows), total, person)


def draw_selection(
    filters: BoardFilters, chosen: dict[int, Standing], on_page: int, total: int, person: Person
) -> None:
    """What can be done with the ticked ones, or with all that match."""
    most = min(total, bulk.MOST)
    key = f"affiliates-all-{hash(filters)}"
    more_match = len(chosen) == on_page < total
    if more_match and state.typed(key):
        with database.reader().connect() as connection:
            policy = policies.in_force(connection, now=datetime.now(UTC))
            chosen = affiliates.shown(connection, filters, policy, most=bulk.MOST)
    with st.container(key="bulk-bar", horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(chosen):,} chosen**", width="content")
        if more_match:
            which = "All" if most == total else "The first"
            st.toggle(f"{which} {most:,} that match", key=key)
        affiliates_form.buttons(chosen, person)


def as_shown(row: Affiliate, policy: Policy) -> affiliates_table.Row:
    """A row in the words of the screen."""
    newest = row.newest
    facts = newest.facts if newest else None
    return affiliates_table.Row(
        username=row.username,
        country=row.country_code or figures.DASH,
        approved=figures.day(row.approved_at.date(), year=True),
        standing=row.standing,
        since=change_words(row),
        suggestion=row.suggestion,
        misses=misses_words(row),
        months=affiliates_table.month_signs(
            row.tests, lambda t: t.month >= row.counted_from, width=affiliates.MONTHS_SHOWN
        ),
        outcome=newest.outcome if newest else None,
        volume_usd=facts.volume_usd if facts else None,
        active_users=facts.active_users if facts else None,
        new_users=facts.new_users if facts else None,
        near=near_words(newest, policy),
        rate=figures.rate(row.rebate_rate.normalize()),
        new_rate=figures.rate(row.suggested_rate.rate.normalize()),
        why=row.suggested_rate.why,
    )


def misses_words(row: Affiliate) -> str:
    """How many months are missed in a row; or that none counts yet."""
    if row.newest is None:
        return "new"
    if row.newest.month < row.counted_from:
        return "protected"
    return f"{row.misses} in a row" if row.misses else figures.DASH


def near_words(newest: MonthTest | None, policy: Policy) -> str:
    """How narrowly the newest month came out; "" where it was not narrow."""
    if newest is None or not newest.near:
        return ""
    return rules.margin_words(newest, policy)


def change_words(row: Affiliate) -> str:
    """When and by whom the standing was changed last."""
    if row.since is None or row.changed_by is None:
        return ""
    return f"{figures.day(row.since.date())} {row.changed_by.split('@')[0]}: {row.reason}"


def draw_none_matches(counts: Counts) -> None:
    """No affiliate matches the filters: say so, and the way on."""
    states.empty(
        f"None of the {counts.total:,} affiliates matches these filters.",
        states.WayOn(label="Show all of them", page=AFFILIATES),
    )


# Outcomes.


def draw_outcomes(filters: BoardFilters, _person: Person) -> None:
    """Cohorts, then overrides against the others, then reviewers."""
    draw_head("What became of approvals")
    with database.reader().connect() as connection:
        fresh = freshness.newest(connection)
        if fresh is None:
            states.empty(f"Nothing can be said before metrics are computed. {REFRESH}")
            return
        through = fresh.data_through
        outcomes = outcome_loop.outcomes(connection, data_through=through)
        fallen = outcome_loop.fallen(connection, data_through=through, most=FALLEN_LISTED)
    st.caption(
        f"Approvals that stand, by month, the last {COHORTS} months · each figure is of 30 days "
        "that end so many days after the approval, UTC, against the month before the decision · "
        f"data through {figures.day(through, year=True)}"
    )
    if not outcomes.cohorts:
        states.empty(f"Nobody was approved in the last {COHORTS} months.")
        return
    affiliates_filters.figures_of(FIGURE_LABELS, follow)
    figure = filters.figure
    outcomes_tables.draw(
        [cohort_line(cohort, figure) for cohort in outcomes.cohorts],
        first="Approved in",
        figure=figure,
        key=f"cohorts-{figure}",
    )
    st.caption(
        "The groups below are over the months that are complete at each horizon; every change is "
        "against the same approvals at application."
    )
    draw_groups(
        "Overrides, against the computed eligibility, beside the others",
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
    """Who fell most by days 31 to 60."""
    state.keep_rows(FELL, [one.application_id for one in fallen])
    st.markdown("**Approvals whose volume fell to a half or less by days 31 to 60**")
    if not fallen:
        st.caption("None of the approvals that are 60 complete days old.")
        return
    outcomes_tables.draw_fallen(
        [
            outcomes_tables.FallenRow(
                username=one.username,
                approved=figures.day(one.approved_at.date(), year=True),
                by=f"{one.decided_by}{', override' if one.is_override else ''}",
                before_usd=one.before_usd,
                later_usd=one.later_usd,
                fell=fall_words(one),
            )
            for one in fallen
        ],
        key="fallen",
        on_open=partial(open_clicked, FELL, outcomes_tables.OPEN),
    )
    if len(fallen) == FALLEN_LISTED:
        st.caption(f"The {FALLEN_LISTED} deepest falls.")


def fall_words(one: Fallen) -> str:
    """How far it fell: ``collapsed, −84 %``."""
    label = one.collapse.label if one.collapse else ""
    return f"{label}, {figures.percent(one.later_usd / one.before_usd - 1)}"


def cohort_line(cohort: Cohort, figure: Figure) -> outcomes_tables.Line:
    """A month of approvals in the words of the table."""
    before: dict[Figure, Decimal | int] = {
        Figure.VOLUME: cohort.volume_usd,
        Figure.ACTIVE: cohort.active_users,
        Figure.NEW: cohort.new_users,
    }
    return outcomes_tables.Line(
        name=figures.month(cohort.month),
        affiliates=cohort.affiliates,
        before=before.get(figure),
        at={horizon: then(turned, figure) for horizon, turned in cohort.at.items()},
        fell=fell(cohort.at.get(COLLAPSE_HORIZON)),
        month=cohort.month,
    )


def draw_groups(title: str, first: str, turned: Sequence[Turned], figure: Figure) -> None:
    """A smaller table of groups, over the cohorts that are complete at each horizon."""
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
    """A group in the words of the table; its largest horizon has the fewest approvals."""
    earliest = at[min(at)]
    return outcomes_tables.Line(
        name=group,
        affiliates=earliest.affiliates,
        before=then(earliest, figure).before,
        at={horizon: then(one, figure) for horizon, one in at.items()},
        fell=fell(at.get(COLLAPSE_HORIZON)),
    )


def then(turned: Turned, figure: Figure) -> outcomes_tables.Then:
    """The chosen figure of a group at one horizon, beside application."""
    before, now = {
        Figure.VOLUME: (turned.volume_before, turned.volume),
        Figure.ACTIVE: (turned.active_before, turned.active),
        Figure.NEW: (turned.new_before, turned.new),
        Figure.QUALIFYING: (turned.judged, turned.met),
    }[figure]
    return outcomes_tables.Then(before=before, now=now)


def fell(turned: Turned | None) -> tuple[int, int, int] | None:
    """How many halved and collapsed, of how many."""
    return (turned.halved, turned.collapsed, turned.trading) if turned else None


# Near misses.


def draw_near_misses(filters: BoardFilters, person: Person) -> None:
    """Whom to invite."""
    with database.reader().connect() as connection:
        ground = standings.basis(connection, now=datetime.now(UTC))
        found = near_misses.page(connection, ground, number=filters.page)
    state.keep_rows(INVITED, [row.last_application_id or 0 for row in found.rows])
    draw_head(f"To invite {found.total:,}" if ground.freshness else "To invite")
    if ground.freshness is None:
        states.empty(
            f"Nobody can be named before metrics are computed by the policy in force. {REFRESH}"
        )
        return
    window = ground.freshness.window
    states.stale(ground.freshness.data_through, today=ground.now.date())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Rejected, withdrawn or never applied, and now over the minimums of a track or short "
            "of them by a tenth at most, elsewhere by current evidence · "
            f"{figures.day_range(window.start, window.last_day)} UTC · {found.over:,} over, "
            f"{found.total - found.over:,} near · rejected for ever is left out",
            width="stretch",
        )
        if found.rows:
            draw_download(person, found)
    if not found.rows:
        states.empty("Nobody who could be invited is near the minimums.")
        return
    near_misses_table.draw(
        [invited(row) for row in found.rows],
        key=f"{INVITED}-{hash((found.page, tuple(row.account_id for row in found.rows)))}",
        minimum_usd=ground.policy.min_volume_usd,
        on_open=partial(open_clicked, INVITED, near_misses_table.OPEN),
    )
    draw_pages(filters.on_page(found.page), found.total)


def draw_download(person: Person, found: Found) -> None:
    """The whole list as a file, for those who may have it."""
    if person.may(Act.EXPORT):
        st.download_button(
            f"Export CSV, {found.total:,} row{'' if found.total == 1 else 's'}",
            partial(
                near_misses_file.as_csv,
                database.writer(),
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


def invited(row: NearMiss) -> near_misses_table.Row:
    """A row in the words of the screen."""
    closest = row.closest
    margin = figures.percent(closest.margin) if closest and closest.margin is not None else ""
    waits = figures.day(row.reapply_from, year=True) if row.reapply_from else "now"
    return near_misses_table.Row(
        open="Open" if row.last_application_id else "",
        username=row.username,
        country=row.country_code or figures.DASH,
        kyc=row.kyc_status,
        outcome=row.assessment.outcome,
        volume_usd=row.facts.volume_usd,
        active_users=row.facts.active_users,
        new_users=row.facts.new_users,
        closest=f"{closest.criterion.label.lower()} {margin}" if closest else "",
        months=row.months,
        last=last_words(row),
        may_apply=waits,
    )


def last_words(row: NearMiss) -> str:
    """How the last application ended, and when."""
    if row.last_status is None or row.last_at is None:
        return "never applied"
    when = figures.day(row.last_at.date(), year=True)
    reason = REASONS_BY_CODE[row.reason_code].label.lower() if row.reason_code else ""
    told = f"{STATUS_WORDS[row.last_status]} {when}"
    return f"{told}: {reason}" if reason else told


# What the parts share.


def draw_pages(filters: BoardFilters, total: int) -> None:
    """How many there are, which of them these are, and the way to the others."""
    first = (filters.page - 1) * PAGE_SIZE + 1
    pages = max(1, -(-total // PAGE_SIZE))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{first:,}–{min(total, filters.page * PAGE_SIZE):,} of {total:,}", width="content"
        )
        if pages > 1:
            # A page's control belongs to that page, so a changed filter cannot leave it behind.
            key = f"affiliates-page-{filters.part}-{filters.page}-{total}"
            st.pagination(
                pages, default=filters.page, width=320, key=key, on_change=turn_page, args=[key]
            )


def turn_page(key: str) -> None:
    """Follow the page control."""
    follow(BoardFilters.from_query(st.query_params).on_page(state.typed(key) or 1))


def open_clicked(table: str, key: str) -> None:
    """Open the application of the row that was clicked."""
    id_ = state.clicked_row(table, state.typed(key))
    if id_:
        status = Status.REJECTED if table == INVITED else Status.APPROVED
        opening.open_one(id_, Filters(status=status))


PARTS = {
    Part.REQUALIFICATION: draw_board,
    Part.OUTCOMES: draw_outcomes,
    Part.NEAR_MISSES: draw_near_misses,
}

main()

"""The queue: pending applications, filtered, ordered and paged in SQL."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import links, lookups, sign_in, state
from dashboard.components import figures, queue_filters, queue_table, states
from data_access import database, queue, standings
from data_access.staff import Person
from program.outcomes import Outcome
from program.permissions import Act
from program.queue import PAGE_SIZE, Filters

APPLICATION = "dashboard/pages/application.py"
QUEUE = "dashboard/pages/queue.py"
TABLE = "queue"


def main() -> None:
    """Load, then draw: counts and filters, table, pages."""
    person = sign_in.require(Act.READ)
    now = datetime.now(UTC)
    filters = Filters.from_query(st.query_params)
    with database.reader().connect() as connection:
        ground = standings.basis(connection, now=now)
        counts = queue.counts(connection, ground)
        total = counts.total if not filters.narrows else queue.count(connection, filters, ground)
        filters = filters.on_page(min(filters.page, pages_of(total)))
        rows = queue.page(connection, filters, ground)
    state.keep_rows(TABLE, [row.application_id for row in rows])
    draw_flash()
    by_outcome = {
        Outcome.MET: counts.met,
        Outcome.NOT_MET: counts.not_met,
        Outcome.UNKNOWN: counts.unknown,
    }
    queue_filters.draw(
        filters,
        total=counts.total,
        by_outcome=by_outcome,
        countries=lookups.pending_countries(),
        platforms=lookups.pending_platforms(),
        export_link=export_link(person, filters),
        on_change=follow,
    )
    through = ground.freshness.data_through if ground.freshness else None
    states.stale(through, today=now.date())
    if not rows:
        draw_empty(filters, counts.total)
        return
    queue_table.draw(
        rows=[as_shown(row, now) for row in rows],
        key=f"{TABLE}-{hash((filters, tuple(row.application_id for row in rows)))}",
        minimum_usd=ground.policy.min_volume_usd,
        on_open=open_clicked,
    )
    draw_pages(filters, total, first_id=rows[0].application_id)


def export_link(person: Person, filters: Filters) -> str | None:
    """The link to what is shown as a file, for those who may have it."""
    if not person.may(Act.EXPORT):
        return None
    browser = dict(st.context.cookies).get(links.BROWSER_COOKIE, "")
    return links.export_link(person.email, filters, browser=browser)


def pages_of(total: int) -> int:
    """How many pages ``total`` rows fill; at least one."""
    return max(1, -(-total // PAGE_SIZE))


def as_shown(row: queue.QueueRow, now: datetime) -> queue_table.Row:
    """A row in the words of the screen."""
    return queue_table.Row(
        application_id=row.application_id,
        username=row.username,
        handle=row.social_handle,
        platform=row.social_platform,
        country=row.country_code,
        waiting=figures.waiting(now - row.submitted_at),
        submitted_at=row.submitted_at,
        outcome=row.assessment.outcome,
        track=row.assessment.track,
        volume_usd=row.facts.volume_usd,
        active_users=row.facts.active_users,
        new_users=row.facts.new_users,
        months=row.months,
        evidence=str(row.evidence),
    )


def follow(filters: Filters) -> None:
    """Put changed filters into the address bar, which every run reads."""
    st.query_params.from_dict(filters.to_query())


def turn_page(key: str) -> None:
    """Follow the page control."""
    filters = Filters.from_query(st.query_params)
    follow(filters.on_page(state.typed(key) or 1))


def open_clicked() -> None:
    """Open the application whose row was clicked, keeping the filters for next and previous."""
    id_ = state.clicked_row(TABLE, state.typed(queue_table.OPEN))
    if id_ is not None:
        filters = Filters.from_query(st.query_params)
        st.switch_page(APPLICATION, query_params={**filters.to_query(), "id": str(id_)})


def open_first(id_: int) -> None:
    """Open the first application of the page; the keyboard's way in."""
    filters = Filters.from_query(st.query_params)
    st.switch_page(APPLICATION, query_params={**filters.to_query(), "id": str(id_)})


def draw_flash() -> None:
    """Show what the last act left to say."""
    message = state.take_flash()
    if message is not None:
        st.toast(message.text, icon=":material/check:" if message.ok else ":material/error:")


def draw_empty(filters: Filters, waiting: int) -> None:
    """Nothing matches, or nothing waits: say which, and the way on."""
    if waiting == 1 and filters.narrows:
        states.empty(
            "The one pending application does not match these filters.",
            states.WayOn(label="Show it", page=QUEUE),
        )
    elif waiting and filters.narrows:
        states.empty(
            f"None of the {waiting:,} pending applications matches these filters.",
            states.WayOn(label="Show all of them", page=QUEUE),
        )
    else:
        states.empty("Nothing waits here. New applications appear as soon as they arrive.")


def draw_pages(filters: Filters, total: int, *, first_id: int) -> None:
    """How many there are, which of them these are, and the way to the others."""
    first = (filters.page - 1) * PAGE_SIZE + 1
    last = min(total, filters.page * PAGE_SIZE)
    with st.container(horizontal=True, vertical_alignment="center", key="queue-pages"):
        st.caption(f"{first:,}–{last:,} of {total:,}", width="content")
        if pages_of(total) > 1:
            # A page's control belongs to that page, so a changed filter cannot leave it behind.
            key = f"queue-page-{filters.page}-{total}"
            # With a width of its own: one fitted to its content leaves pages out.
            st.pagination(
                pages_of(total),
                default=filters.page,
                width=320,
                key=key,
                on_change=turn_page,
                args=[key],
            )
        st.space("stretch")
        st.button(
            "Open first",
            key="open-first",
            shortcut="o",
            type="tertiary",
            icon=":material/keyboard_return:",
            on_click=open_first,
            args=[first_id],
        )


main()

"""The queue: applications of one list, filtered, ordered and paged in SQL."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import background, bulk_report, submit, taking_next, tour
from dashboard.pages.queue import bulk_actions, bulk_dialog, news, table
from dashboard.pages.queue import columns as queue_columns
from dashboard.pages.queue import filters as queue_filters
from dashboard.pages.queue import saved_views as queue_saved_views
from dashboard.pages.queue.loading import Loaded, load, whole_list
from dashboard.shell import browsers, export_links, failures, freshness, sign_in
from dashboard.ui import (
    address,
    grid,
    lookups,
    shortcuts,
    state,
    states,
)
from data_access.db import database
from data_access.db.errors import DatabaseUnavailable
from data_access.eligibility.judging import JudgingContext
from data_access.people.staff import Person
from data_access.queue import listing
from data_access.queue import news as queue_news
from data_access.review import bulk_runs
from program.review.permissions import Act
from program.review.queue_filters import PAGE_SIZE, QUERY_NAMES, Filters, Sort
from program.review.workflow import STATUS_WORDS, Status

QUEUE = "dashboard/pages/queue/page.py"
IMPORT = "dashboard/pages/imports/page.py"
EXPLORE = "dashboard/pages/explore/page.py"
TABLE = "queue"
FRAGMENT = "queue"
POLL_EVERY = "10s"


def main() -> None:
    """Draw the queue for the person signed in."""
    person = sign_in.require(Act.READ)
    draw(person)


@st.fragment(key=FRAGMENT)
def draw(person: Person) -> None:
    """Draw the list. A fragment, so that a click redraws nothing around it.

    What fails in a fragment does not reach the frame of the page.
    """
    with failures.unavailable_is_shown():
        sign_in.require_same(person)
        draw_list(person)


def draw_list(person: Person) -> None:
    """Load, then draw: lists and filters, views, table, pages."""
    now = datetime.now(UTC)
    query = address.read(QUERY_NAMES)
    wanted = Filters.from_query(query)
    page = load(wanted.for_viewer(person.email), person, now)
    background.restate_standings(page.context, page.numbers.total)
    fresh = page.context.freshness
    if sign_in.in_fragment() and fresh is not None and not freshness.is_shown(fresh):
        # The header shows another data-through day than these figures have.
        st.rerun()
    filters = page.filters
    if sign_in.in_fragment():
        # In a run of the whole page the frame has drawn it.
        submit.draw_flash()
    queue_filters.hold(filters)
    states.left_out(wanted.left_out(query))
    draw_head(page, person)
    if page.reports:
        bulk_report.draw(bulk_actions.RUNS, actor=person.email)
    states.stale(fresh.data_through if fresh else None, today=now.date())
    if page.rows:
        draw_table(page, person)
        draw_pages(filters, page.total)
    else:
        draw_empty(page, person)
    bulk_dialog.draw(person)
    draw_news(page, person.email)
    taking_next.finish_page()


def draw_head(page: Loaded, person: Person) -> None:
    """Draw two lines: the list with its views, order, tools and Next; and its filters.

    Somebody new is offered the tour there, where it covers no row.
    """
    filters, numbers = page.filters, page.numbers
    sliced = filters.slice.scope is not None
    line = {"horizontal": True, "vertical_alignment": "center", "gap": "small"}
    with st.container(key="queue-filters", gap="xsmall"):
        with st.container(key="queue-head", **line):
            whole = page.total if sliced else whole_list(filters, numbers)
            queue_filters.title(filters, page.total, whole)
            queue_filters.lists(filters, numbers, apply_filters)
            queue_saved_views.draw(page.views, filters, person)
            queue_filters.order(filters, apply_filters)
            queue_columns.draw(page.columns, person)
            draw_export(person, filters)
            if filters.status is Status.PENDING and not sliced and person.may(Act.CLAIM):
                taking_next.draw("Claim next", shortcuts.TAKE_NEXT, person, type="primary")
        queue_filters.behind(filters, apply_filters)
        queue_filters.fields(
            filters,
            page.facets,
            countries=lookups.pending_countries(),
            platforms=lookups.pending_platforms(),
            on_change=apply_filters,
        )
        if person.may(Act.DECIDE):
            with st.container(key="queue-newcomer"):
                tour.draw(person, page.first_draws, is_new=page.is_new)


def draw_export(person: Person, filters: Filters) -> None:
    """Draw the export link for what is shown, for those who may export."""
    if not person.may(Act.EXPORT):
        return
    browser = dict(st.context.cookies).get(browsers.MARK_COOKIE, "")
    st.link_button(
        "Export CSV",
        export_links.queue_link(person.email, person.role, filters, browser=browser),
        icon=":material/download:",
        type="tertiary",
        help="All rows that match the filters, in this order. The link works for 15 minutes.",
    )


@st.fragment
def draw_table(page: Loaded, person: Person) -> None:
    """Draw the table and the acts on ticked rows.

    A fragment: ticking a row runs no query, so that no row moves.
    """
    if not page.first_draws.has("table"):
        sign_in.stay(person.email)
    filters = page.filters
    ids = [row.application_id for row in page.rows]
    columns = table.fitting(page.columns, filters.statuses)
    ticked = table.draw(
        table.Page(rows=page.rows, context=page.context, names=page.names),
        columns,
        key=f"{TABLE}-{hash((filters, tuple(ids), tuple(column.key for column in columns)))}",
        view=filters.to_query(),
        selectable=may_act_on(filters, person),
        order=table.Order(
            by=queue_filters.sort_shown(filters),
            reverse=filters.reverse,
            choices=queue_filters.sorts(filters),
            choose=sort_by,
        ),
    )
    if ticked:
        draw_selection(page, [ids[place] for place in ticked if place < len(ids)], person)


def may_act_on(filters: Filters, person: Person) -> bool:
    """Whether this person can act on several applications of this list at once."""
    return filters.slice.scope is None and bool(bulk_actions.offered(person, filters.status))


def draw_selection(page: Loaded, ids: list[int], person: Person) -> None:
    """Draw the acts for the ticked applications, or for all that match."""
    most = min(page.total, bulk_runs.MOST)
    key = f"bulk-all-{hash(page.filters)}"
    more_match = len(ids) == len(page.rows) < page.total
    if more_match and state.typed(key):
        ids = matching(page.filters, page.context)
    with st.container(key="bulk-bar", horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(ids):,} chosen**", width="content")
        if more_match:
            which = "All" if most == page.total else "The first"
            st.toggle(f"{which} {most:,} that match", key=key)
        bulk_dialog.buttons(ids, person, page.filters.status)


def matching(filters: Filters, context: JudgingContext) -> list[int]:
    """Return all that match, in order, up to the size of a run."""
    with database.reading(database.reader()) as connection:
        return listing.ids(connection, filters, context, most=bulk_runs.MOST)


def apply_filters(filters: Filters) -> None:
    """Write changed filters to the address, which every run reads."""
    address.write(filters.to_query())


def turn_page(page: int) -> None:
    """Go to the page chosen in the page control."""
    apply_filters(Filters.from_query(st.query_params).on_page(page))


def sort_by(sort: Sort) -> None:
    """Sort the whole list by the pressed heading; pressed again, reverse."""
    filters = Filters.from_query(st.query_params)
    again = queue_filters.sort_shown(filters) is sort
    apply_filters(filters.in_order(sort, reverse=again and not filters.reverse).on_page(1))
    # The table is a fragment of its own; the order belongs to the list.
    st.rerun(FRAGMENT)


def draw_empty(page: Loaded, person: Person) -> None:
    """Show that nothing matches or nothing waits, with a way on."""
    if page.filters.slice.scope is not None:
        way_on = states.WayOn(label="To the queue", page=QUEUE)
        states.empty("No application matches any longer.", way_on)
        return
    filters, whole = page.filters, whole_list(page.filters, page.numbers)
    word = STATUS_WORDS[filters.status]
    if filters.status is not Status.PENDING and not filters.narrows:
        states.empty(f"No application is {word}.", states.WayOn(label="To the queue", page=QUEUE))
    elif whole == 1 and filters.narrows:
        states.empty(
            f"The one {word} application does not match these filters.",
            states.WayOn(
                label="Show it", page=QUEUE, query=Filters(status=filters.status).to_query()
            ),
        )
    elif whole and filters.narrows:
        states.empty(
            f"None of the {whole:,} {word} applications matches these filters.",
            states.WayOn(
                label="Show all of them",
                page=QUEUE,
                query=Filters(status=filters.status).to_query(),
            ),
        )
    else:
        way_on = (
            states.WayOn(label="Import applications", page=IMPORT)
            if person.may(Act.IMPORT)
            else states.WayOn(label="Explore all applications", page=EXPLORE)
        )
        states.empty("The queue is empty. New applications appear as they arrive.", way_on)


def draw_pages(filters: Filters, total: int) -> None:
    """Draw the number of rows, the range shown, and the page control."""
    with st.container(horizontal=True, vertical_alignment="center", key="queue-pages"):
        key = f"queue-page-{filters.page}-{total}"
        grid.pages(filters.page, total, size=PAGE_SIZE, key=key, on_turn=turn_page)


@st.fragment(run_every=POLL_EVERY)
def draw_news(page: Loaded, viewer: str) -> None:
    """Show what arrived and what colleagues did since, without moving the list."""
    if page.first_draws.has("news"):
        return
    try:
        with database.reading(database.reader()) as connection:
            happened = queue_news.since(connection, page.pulse, viewer=viewer)
    except DatabaseUnavailable:
        # The next poll will show it; an act in the meantime is refused with the reason.
        return
    if happened and sign_in.is_here(viewer):
        news.draw(news.words(happened.arrived, happened.decided, happened.moved))


main()

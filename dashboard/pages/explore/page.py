"""Explore: any dataset by columns, filters, groups and order, and the same as a file."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.forms import recording
from dashboard.pages.explore import (
    cell_filter,
    columns_and_groups,
    export,
    filters,
    pivot,
    pivot_chart,
    table,
)
from dashboard.pages.explore import saved_views as explore_saved_views
from dashboard.pages.explore.loading import Loaded, load
from dashboard.shell import replica, sign_in
from dashboard.ui import address, charts, figures, grid, lookups, states
from dashboard.ui.safe_text import escape
from dashboard.ui.states import WayOn
from data_access.eligibility.judging import JudgingContext
from data_access.explore import sources
from data_access.explore.queries import Chartable, Preview
from data_access.people.staff import Person
from program import wording
from program.periods import month_start, utc_day
from program.reports.datasets import DATASETS, OF_ACTS, OF_METRICS
from program.reports.views import OWN_NAMES, PAGE_SIZE, View
from program.review.permissions import Act

EXPLORE = "dashboard/pages/explore/page.py"
KNOWN = {*OWN_NAMES, *(column.name for dataset in DATASETS for column in dataset.columns)}


def main() -> None:
    """Load, then draw: dataset, filters, tools, table, pages."""
    person = sign_in.require(Act.READ)
    now = datetime.now(UTC)
    page = load(requested_view(person, now), person, now)
    draw_head(page, person)
    for problem in page.view.problems:
        st.warning(f"{escape(problem)} It was left out.", icon=":material/info:")
    draw_results(page)
    export.draw_running(person)


def requested_view(person: Person, now: datetime) -> View:
    """Return the view in the address; the default one if the person may not see its dataset."""
    query, personal = address.read(KNOWN), person.may(Act.SEE_CONTACT)
    view = View.from_query(query, personal=personal).bounded()
    if view.shows_contacts and not recording.shows_contacts(person, view.dataset.key, now):
        view = View.from_query(query, personal=False).bounded()
    if person.may(view.dataset.act):
        return view
    return View(problems=(f"You may not {view.dataset.act}.",))


def draw_head(page: Loaded, person: Person) -> None:
    """Draw the dataset, the filters and the tools."""
    view, token = page.view, token_of(page.view)
    line = {"horizontal": True, "vertical_alignment": "center"}
    with st.container(key="explore-head", gap="xsmall"):
        with st.container(key="explore-datasets", **line):
            columns_and_groups.datasets(view, token, person, apply_view)
            st.space("stretch")
            export.draw_log(person)
            if page.preview is not None and page.preview.total:
                name = explore_saved_views.name_of(page.views, view)
                export.draw(view, page.preview.in_files, person, view_name=name)
        st.caption(f"{view.dataset.description} {data_words(view, page.context)}")
        replica.note()
        with st.container(key="explore-filters", **line):
            filters.draw(view, token, apply_view, choices_of(view))
            if page.preview is not None:
                cell_filter.draw(page.preview, token, table_key(view), apply_view)
        with st.container(key="explore-tools", **line):
            st.markdown(f"**{count_words(page)}**", width="content")
            if page.preview is not None and page.preview.pivot is not None:
                st.caption(escape(pivot.words(page.preview.pivot)), width="content")
            elif page.preview is not None and page.preview.in_all:
                st.caption(escape(in_all_words(page.preview)), width="content")
            st.space("stretch")
            columns_and_groups.order(view, token, apply_view)
            columns_and_groups.groups(view, token, apply_view)
            if not view.groups:
                columns_and_groups.columns(view, token, apply_view)
            columns_and_groups.chart(view, token, apply_view)
            explore_saved_views.draw(page.views, view, person)


def draw_results(page: Loaded) -> None:
    """Draw the chart, the table and its pages, or why there are none."""
    view, preview = page.view, page.preview
    if preview is None:
        states.refused(page.refused)
    elif not preview.rows:
        whole = View(dataset=view.dataset)
        way = WayOn(label="Show all of them", page=EXPLORE, query=whole.to_query())
        if page.context.freshness is None and view.dataset.key in OF_METRICS:
            states.empty(view.dataset.empty)
        elif view.filters and view.dataset.bounded is None:
            states.empty("No row matches these filters.", way)
        elif view.filters:
            states.empty("No row matches these filters. Widen the days or remove a filter.")
        else:
            states.empty(view.dataset.empty)
    else:
        draw_chart(preview, page.chartable, page.context)
        with st.container(key="explore-table"):
            draw_table(preview)
        draw_pages(preview)


def draw_table(preview: Preview) -> None:
    """Draw the page's rows, or those of the pivot."""
    view = preview.view
    common: dict[str, Any] = {
        "key": table_key(view),
        "first": view.sorted_by[0],
        "on_heading": partial(sort_by, view),
    }
    if preview.pivot is not None:
        pivot.draw(preview.pivot, **common)
    else:
        what, months = view.dataset.title, view.months
        table.draw(preview.rows, view.shown, what=what, months=months, **common)


def draw_chart(preview: Preview, found: Chartable | None, context: JudgingContext) -> None:
    """Draw the view's chart from all rows that match; if that is too slow, from those shown."""
    columns = {column.name: column for column in preview.view.shown}
    across, _, up = preview.view.chart.partition(",")
    if across not in columns or up not in columns:
        return
    running = running_month(preview.view, context)
    if found is None:
        number = len(preview.rows)
        what = "all that match" if number == preview.total else f"the {number} rows shown"
        drawn = table.chart_of(
            preview.rows, columns[across], columns[up], what=what, running=running
        )
    elif found.pivot is not None:
        drawn = pivot_chart.chart_of(found, found.pivot, running=running)
    else:
        drawn = table.charted(found, running=running)
    charts.draw(drawn, key=f"explore-chart-{token_of(preview.view)}")


def running_month(view: View, context: JudgingContext) -> date:
    """Return the first day of the month that is not over: by the data, or by the clock."""
    if view.dataset.key in OF_METRICS:
        return sources.running_month(context)
    return month_start(utc_day(context.now))


def draw_pages(preview: Preview) -> None:
    """Draw the range of rows and the page control."""
    with st.container(horizontal=True, vertical_alignment="center", key="explore-pages"):
        grid.pages(
            preview.view.page,
            preview.total,
            size=PAGE_SIZE,
            key=f"explore-page-{token_of(preview.view)}",
            on_turn=lambda page: apply_view(preview.view.on_page(page)),
        )


def data_words(view: View, context: JudgingContext) -> str:
    """Format the window and the data-through day of the metrics, if the rows have metrics."""
    if view.dataset.key in OF_ACTS:
        return "Times are UTC."
    fresh = context.freshness
    if fresh is None:
        return "Metrics were never computed, so they are unknown."
    window = figures.day_range(fresh.window.start, fresh.window.last_day)
    through = figures.day(fresh.data_through, year=True)
    return f"Data through {through}; the window is {window}; times are UTC."


def count_words(page: Loaded) -> str:
    """Format the number of rows or groups."""
    if page.preview is None:
        return "not counted"
    return wording.counted(page.preview.total, "group" if page.view.groups else "row")


def in_all_words(preview: Preview) -> str:
    """Format what all groups come to, with every digit."""
    columns = {column.name: column for column in preview.view.shown}
    parts = (
        f"{columns[name].label} {table.cell(value, columns[name]) or figures.UNKNOWN}"
        for name, value in preview.in_all.items()
    )
    return f"in all: {', '.join(parts)}"


def choices_of(view: View) -> filters.Choices:
    """Return the values of a column without fixed choices; cached for a minute."""

    def choices(name: str) -> Mapping[str, str]:
        return lookups.explored(view.dataset.key, name)

    return choices


def apply_view(view: View) -> None:
    """Write a changed view to the address, which every run reads."""
    address.write(view.to_query())


def sort_by(view: View, name: str) -> None:
    """Sort all rows by the pressed heading; pressed again, reverse."""
    apply_view(view.sorted_anew(name))


def table_key(view: View) -> str:
    """Return the key of the view's table, which knows the selected cell."""
    return f"explore-{token_of(view)}"


def token_of(view: View) -> str:
    """Return a short hash of the view, so that each view has its own widgets."""
    query: Mapping[str, str] = view.to_query()
    return hashlib.sha256(repr(sorted(query.items())).encode()).hexdigest()[:10]


main()

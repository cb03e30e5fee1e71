"""Saved views of the queue: links, and saving the current view."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.forms import saved_view_form
from dashboard.ui import lookups, popovers
from dashboard.ui.safe_text import escape
from data_access.explore.saved_views import SavedView
from data_access.people.staff import Person
from program.review.permissions import Act
from program.review.queue_filters import Filters

FORM = "view"
QUEUE = "dashboard/pages/queue/page.py"


def draw(views: Sequence[SavedView[Filters]], filters: Filters, person: Person) -> None:
    """Draw a link for each view with its count, as many as fit, and all in a popover."""
    if views:
        # What does not fit into its one line is hidden: see style.css.
        with st.container(key="queue-chips", horizontal=True, gap="xsmall"):
            for view in views:
                _link(view, filters, person)
    if views or person.may(Act.SAVE_VIEW):
        popovers.draw(
            "Views",
            partial(_draw_all, views, filters, person),
            key="queue-views",
            icon=":material/bookmark:",
            type="tertiary",
            help="All saved views; these filters and this order can be saved under a name.",
        )


def _draw_all(views: Sequence[SavedView[Filters]], filters: Filters, person: Person) -> None:
    for view in views:
        with st.container(horizontal=True, vertical_alignment="center"):
            _link(view, filters, person)
            if view.owner == person.email:
                st.space("stretch")
                saved_view_form.draw_removal(FORM, view, person)
    if person.may(Act.SAVE_VIEW):
        saved_view_form.draw_form(FORM, filters, person, example="big and overdue")


def _link(saved: SavedView[Filters], filters: Filters, person: Person) -> None:
    number = lookups.counted(saved.view.for_viewer(person.email))
    label = f"{escape(saved.name)} {number:,}"
    here = saved.view.kept == filters.kept
    saved_view_form.draw_link(saved, f":violet[{label}]" if here else label, person, page=QUEUE)

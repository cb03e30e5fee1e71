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
    """Draw a link for each view with its count, and the form; links can be shared."""
    for view in views:
        _link(view, filters, person)
    if person.may(Act.SAVE_VIEW):
        own = [view for view in views if view.owner == person.email]
        popovers.draw(
            "Save view" if not own else "Views",
            partial(_draw_form, own, filters, person),
            key="queue-views",
            icon=":material/bookmark_add:",
            type="tertiary",
            help="Save these filters and this order under a name.",
        )


def _draw_form(own: Sequence[SavedView[Filters]], filters: Filters, person: Person) -> None:
    saved_view_form.draw_form(FORM, filters, person, example="big and overdue")
    _own(own, person)


def _link(saved: SavedView[Filters], filters: Filters, person: Person) -> None:
    number = lookups.counted(saved.view.for_viewer(person.email))
    label = f"{escape(saved.name)} {number:,}"
    here = saved.view.kept == filters.kept
    saved_view_form.draw_link(saved, f":violet[{label}]" if here else label, person, page=QUEUE)


def _own(own: Sequence[SavedView[Filters]], person: Person) -> None:
    for view in own:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(view.name)
            st.space("stretch")
            saved_view_form.draw_removal(FORM, view, person)

"""Saved views of Explore: links, and saving the current view."""

from collections.abc import Sequence

import streamlit as st

from dashboard.forms import saved_view_form
from dashboard.ui.safe_text import escape
from data_access.explore.saved_views import SavedView
from data_access.people.staff import Person
from program.reports.views import View
from program.review.permissions import Act

FORM = "explore-view"
EXPLORE = "dashboard/pages/explore/page.py"


def name_of(views: Sequence[SavedView[View]], view: View) -> str | None:
    """Return the name under which the current view is saved, or ``None``."""
    return next((kept.name for kept in views if kept.view.kept == view.kept), None)


def draw(views: Sequence[SavedView[View]], view: View, person: Person) -> None:
    """Draw the saved views, with their owners, and the form to save this one."""
    label = f"Views {len(views)}" if views else "Views"
    with st.popover(label, key="explore-views", icon=":material/bookmark:", type="tertiary"):
        for kept in views:
            _line(kept, view, person)
        if not views:
            st.caption("There are no views yet. A view saves columns, filters, groups and order.")
        if person.may(Act.SAVE_VIEW):
            saved_view_form.draw_form(FORM, view, person, example="volume by country")


def _line(kept: SavedView[View], view: View, person: Person) -> None:
    here = kept.view.kept == view.kept
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"**{escape(kept.name)}**" if here else escape(kept.name)
        saved_view_form.draw_link(kept, label, person, page=EXPLORE)
        st.space("stretch")
        st.caption(kept.view.dataset.title, width="content")
        if kept.owner == person.email:
            saved_view_form.draw_removal(FORM, kept, person)

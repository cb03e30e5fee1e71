"""Navigation between pages."""

import streamlit as st

from program.review.queue_filters import Filters

QUEUE = "dashboard/pages/queue/page.py"
APPLICATION = "dashboard/pages/application/page.py"


def open_one(id_: int, filters: Filters) -> None:
    """Open an application, keeping the view for next and previous."""
    st.switch_page(APPLICATION, query_params={**filters.to_query(), "id": str(id_)})

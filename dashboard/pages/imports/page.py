"""Import: upload form exports, settle kept rows, and see past imports."""

import streamlit as st

from dashboard.pages.imports import kept_rows as import_kept_rows
from dashboard.pages.imports import report, tables, upload
from dashboard.shell import sign_in
from dashboard.ui import address, figures, lookups, state, states
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.loading import imports, kept_rows
from data_access.loading.imports import Import
from program.review.permissions import Act

NEW, KEPT, HISTORY = "new", "kept", "history"
PARTS = (NEW, KEPT, HISTORY)


def main() -> None:
    """Draw the part in the address."""
    person = sign_in.require(Act.IMPORT)
    query = address.read(("show", "import"))
    with database.reading(database.reader()) as connection:
        _, waiting = kept_rows.listed(connection, most=1)
    st.subheader("Import", anchor=False)
    st.caption("Import applications from a form. Valid rows are loaded; the others are kept here.")
    part = chosen_part(query.get("show", NEW), waiting)
    if part == KEPT:
        import_kept_rows.draw(person)
    elif part == HISTORY:
        draw_history(query.get("import", ""))
    else:
        upload.draw(person)


def chosen_part(show: str, waiting: int) -> str:
    """Return the part in the address, or the first."""
    part = show if show in PARTS else NEW
    words = {NEW: "Import a file", KEPT: f"Kept rows {waiting:,}", HISTORY: "History"}
    key = f"import-show-{part}"
    st.segmented_control(
        "Show",
        PARTS,
        default=part,
        format_func=lambda one: words[one],
        key=key,
        label_visibility="collapsed",
        on_change=_show_part,
        args=[key],
    )
    return part


def draw_history(wanted: str) -> None:
    """Draw the import in the address, and all of them below."""
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else 0
    with database.reading(database.reader()) as connection:
        listed, total = imports.listed(connection)
        made = imports.find(connection, number)
    if wanted and made is None:
        states.empty("This import does not exist. The list below has all imports.")
    if made is not None:
        draw_import(made)
    if not listed:
        states.empty("There are no imports yet. Choose “Import a file” and upload an export.")
        return
    st.markdown("##### Imports")
    st.caption(f"{len(listed):,} of {total:,} imports, the newest first.")
    tables.past(listed)


def draw_import(made: Import) -> None:
    """Draw one import: who made it, its result, and the link to its kept rows."""
    assert made.report is not None
    st.markdown(f"##### Import {made.import_id:,}: {escape(made.file_name)}")
    by = f" · map {escape(made.map_name)}" if made.map_name else ""
    st.caption(
        f"{escape(lookups.named(made.imported_by))} · {figures.moment(made.imported_at)}{by}"
    )
    report.draw(made.report, stem=f"import-{made.import_id}", key=f"import-{made.import_id}")
    with st.container(horizontal=True):
        if made.report.count("kept for later", "already kept"):
            st.page_link(
                "dashboard/pages/imports/page.py",
                label="Correct the kept rows",
                icon=":material/pending_actions:",
                query_params={"show": KEPT},
            )
        st.page_link(
            "dashboard/pages/queue/page.py", label="Open the queue", icon=":material/inbox:"
        )


def _show_part(key: str) -> None:
    chosen = state.typed(key)
    address.write({"show": chosen} if chosen and chosen != NEW else {})


main()

"""The priority's points: each part, its maximum, and why."""

import streamlit as st

from program.review.priority import HIGHEST, Priority


def draw(priority: Priority) -> None:
    """Draw the total as a button that opens the parts."""
    with st.popover(f"priority {priority.total}", type="tertiary"):
        st.markdown(words(priority))


def words(priority: Priority) -> str:
    """Return the parts as a Markdown table, without typed text."""
    if not priority.parts:
        return "No points yet."
    lines = ["| points | at most | for |", "|--:|--:|:--|"]
    lines += [
        f"| **{part.points}** | {part.component.cap} | {part.sentence} |" for part in priority.parts
    ]
    added = sum(part.points for part in priority.parts)
    total = f"| **{priority.total}** | {HIGHEST} | together |"
    if added > priority.total:
        total = f"| **{priority.total}** | {HIGHEST} | together, of {added} |"
    return "\n".join([*lines, total])

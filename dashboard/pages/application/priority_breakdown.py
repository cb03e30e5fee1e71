"""How a priority adds up, in words: its points, each part's most, and why."""

import streamlit as st

from program.review.priority import HIGHEST, Priority


def draw(priority: Priority) -> None:
    """A quiet word with the total; pressed, it opens to the parts."""
    with st.popover(f"priority {priority.total}", type="tertiary"):
        st.markdown(words(priority))


def words(priority: Priority) -> str:
    """The parts as a table in Markdown; every word of it is the product's own."""
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

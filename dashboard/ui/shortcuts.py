"""Keyboard shortcuts: one table for the buttons, the help panel and the documents."""

from dataclasses import dataclass

import streamlit as st

QUEUE, APPLICATION, EVERYWHERE = "Queue", "Application", "Everywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """One shortcut. ``page`` is where it works; ``what`` completes "press it to ...".

    ``widget`` is the key of the widget that responds, unless a container around it says so.
    """

    page: str
    key: str
    what: str
    widget: str = ""


def _on(page: str, key: str, what: str, widget: str = "") -> Shortcut:
    return Shortcut(page=page, key=key, what=what, widget=widget)


TAKE_NEXT = _on(QUEUE, "u", "claim and open the next unassigned application", "take-next")
DOWN = _on(QUEUE, "j", "go to the next row, at the end to the next page")
UP = _on(QUEUE, "k", "go to the previous row, at the top to the previous page")
OPEN = _on(QUEUE, "Enter", "open the application of the row")
TICK = _on(QUEUE, "x", "tick the row, or take its tick away")
OPEN_FIRST = _on(QUEUE, "o", "open the first application of the list")
SEARCH = _on(QUEUE, "/", "search by name or handle", "queue-search")
# For the ticked rows; each begins a dialog. The widgets are named after the acts.
BULK = (
    _on(QUEUE, "c", "claim the ticked applications", "bulk-CLAIM"),
    _on(QUEUE, "s", "assign the ticked applications", "bulk-ASSIGN"),
    _on(QUEUE, "d", "defer the ticked applications", "bulk-DEFER"),
    _on(QUEUE, "i", "ask the ticked applicants for information", "bulk-REQUEST_INFORMATION"),
    _on(QUEUE, "r", "reject the ticked applications", "bulk-DECIDE"),
)
NEXT = _on(APPLICATION, "j", "go to the next application", "step-next")
PREVIOUS = _on(APPLICATION, "k", "go to the previous application", "step-previous")
TAKE_NEXT_HERE = _on(APPLICATION, "u", TAKE_NEXT.what, TAKE_NEXT.widget)
CLAIM = _on(APPLICATION, "c", "claim the application")
NOTE = _on(APPLICATION, "n", "write a note")
APPROVE = _on(APPLICATION, "a", "begin an approval")
REJECT = _on(APPLICATION, "r", "begin a rejection")
ASK = _on(APPLICATION, "i", "ask the applicant for information")
DEFER = _on(APPLICATION, "d", "defer until later")
PASS_CHECKS = _on(APPLICATION, "p", "pass the open checks that are listed before an approval")
EDIT = _on(APPLICATION, "e", "edit what a choice filled in")
CHOOSE = _on(APPLICATION, "1 … 9", "choose a reason, a question or a date")
ONWARD = _on(EVERYWHERE, "Ctrl+Enter", "go to the next step: fill in, preview, send")
BACK = _on(EVERYWHERE, "Escape", "leave the field, or go one step back: at the first to the queue")
HELP = _on(EVERYWHERE, "?", "explain the figures, and show these keys", "help")

SHORTCUTS: tuple[Shortcut, ...] = (
    DOWN,
    UP,
    OPEN,
    TICK,
    OPEN_FIRST,
    TAKE_NEXT,
    SEARCH,
    *BULK,
    NEXT,
    PREVIOUS,
    TAKE_NEXT_HERE,
    CLAIM,
    NOTE,
    APPROVE,
    REJECT,
    ASK,
    DEFER,
    PASS_CHECKS,
    CHOOSE,
    EDIT,
    ONWARD,
    BACK,
    HELP,
)
PAGES = (QUEUE, APPLICATION, EVERYWHERE)


def tables(page: str) -> None:
    """Draw the shortcuts, those of the current page first."""
    st.caption("They are off while you type.")
    for place in sorted(PAGES, key=lambda name: name != page):
        st.markdown(f"**{place}**")
        with st.container(gap="xxsmall"):
            for shortcut in shortcuts_of(place):
                with st.container(horizontal=True, gap="small", wrap=False):
                    st.markdown(f"`{shortcut.key}`", width=84)
                    st.text(shortcut.what, width="stretch")


def widgets() -> dict[str, str]:
    """Return the widgets that respond to a key by themselves: the key by the widget's."""
    return {shortcut.widget: shortcut.key for shortcut in SHORTCUTS if shortcut.widget}


def shortcuts_of(page: str) -> tuple[Shortcut, ...]:
    """Return the shortcuts of one page, in the table's order."""
    return tuple(shortcut for shortcut in SHORTCUTS if shortcut.page == page)

"""What changed since a decision form was started, shown beside the form."""

import streamlit as st

from dashboard.pages.application.decide import then_and_now
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.review.opening import Opened
from program.policy import viewed
from program.policy.viewed import ViewedFacts


def draw(shown: Opened) -> None:
    """Show what others changed since the form was started; continuing accepts it."""
    first = state.kept(_place(shown.id_))
    if first is None:
        state.keep(_place(shown.id_), shown.viewed_facts)
        return
    known = _with_own(shown, first)
    differs = viewed.compare(known, shown.viewed_facts, shown.standing.policy)
    if differs.changed:
        listed = "; ".join(str(change) for change in differs.changed)
        st.warning(f"Changed since you began: {escape(listed)}.", icon=":material/sync_problem:")
    if differs.moved:
        word = "Moved since you looked" + ("" if differs.changed else "; no result changed")
        st.info(f"{word}.", icon=":material/trending_up:")
        then_and_now.draw(differs.moved, then="Then", now="Now")


def _with_own(shown: Opened, first: ViewedFacts) -> ViewedFacts:
    """Return what was shown first, with what this person answered and recorded since."""
    me = shown.person.email
    newer = [e for e in shown.standing.evidence if e.evidence_id > first.newest_evidence_id]
    return viewed.with_own(
        first,
        shown.viewed_facts,
        answered=[key for key, answer in shown.checks.items() if answer.author == me],
        recorded=all(each.recorded_by == me for each in newer),
    )


def forget(id_: int) -> None:
    """Let the next form start from what is shown then."""
    state.forget(_place(id_))


def _place(id_: int) -> str:
    return f"seen-{id_}"

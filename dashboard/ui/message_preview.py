"""A message as the applicant will get it. Its text is typed text and is shown as text."""

from collections.abc import Sequence

import streamlit as st

from dashboard.ui.safe_text import escape
from program.messages import canned_texts

NAMED = 5


def draw(*, channel: str, recipient: str | None, text: str, of: object) -> None:
    """Draw the recipient and the whole text. ``of`` tells the letters of a page apart."""
    to = escape(recipient) if recipient else "nobody: no contact is known"
    st.caption(f"The applicant gets, by {escape(channel)}, to {to}:")
    with st.container(border=True, key=f"letter-{of}"):
        st.text(text)


def draw_unreachable(people: Sequence[tuple[str, str]], *, of: int) -> None:
    """Draw which of many people the message cannot reach, by name and with the reason."""
    if not people:
        return
    named = "; ".join(f"{escape(name)}: {escape(reason)}" for name, reason in people[:NAMED])
    more = f" And {len(people) - NAMED:,} more." if len(people) > NAMED else ""
    st.warning(
        f"The message cannot reach {len(people):,} of {of:,}. {named}{more}",
        icon=":material/unsubscribe:",
    )


def draw_unfilled(text: str) -> None:
    """Warn about placeholders without a value in one of many messages."""
    left = canned_texts.unfilled(text)
    if left:
        named = escape(", ".join("{{" + name + "}}" for name in left))
        st.warning(
            f"{named} has no value here. Recipients without a value are skipped and reported.",
            icon=":material/edit_note:",
        )

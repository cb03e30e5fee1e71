"""Claim next: the button that claims and opens the first unassigned application of the view."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import navigation, state
from dashboard.ui.shortcuts import TAKE_NEXT, Shortcut
from data_access.people.staff import Person
from data_access.review import claims
from program.review import sending as seeing
from program.review.queue_filters import Filters

KEY = TAKE_NEXT.widget
SHOWN = "next-shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The button as drawn: the id of its form, and the address."""

    request_id: UUID
    address: str | None


def draw(label: str, shortcut: Shortcut, person: Person, *, type: str = "secondary") -> None:  # noqa: A002 - as Streamlit calls it
    """Draw it for a page whose address holds the view."""
    drawn = Drawn(request_id=state.request_id(KEY), address=_address())
    st.button(
        label,
        key=KEY,
        type=type,  # type: ignore[arg-type]
        icon=":material/arrow_forward:",
        help=(
            "Claim the unassigned application with the highest priority in these filters. "
            f"Key {shortcut.key}"
        ),
        on_click=_press,
        args=[person.email, drawn],
    )


def finish_page() -> None:
    """Record that the page is complete: people can see what it shows, its message too."""
    state.end_flash()
    request_id = state.request_id(KEY)
    if _shown(request_id) is None:
        state.keep(SHOWN, (request_id, sending.drawn_at()))


def _shown(request_id: UUID) -> datetime | None:
    """Return when the button's page was complete; ``None`` if it is not yet."""
    of, at = state.kept(SHOWN) or (None, None)
    return at if of == request_id else None


def _press(actor: str, drawn: Drawn) -> None:
    filters = Filters.from_query(st.query_params).for_viewer(actor)
    before: UUID | None = state.kept(KEY)
    # A person who cannot have seen the previous press's application yet presses for that one.
    _take(filters, actor, drawn.request_id if before is None or _was_seen(drawn) else before)


def _was_seen(drawn: Drawn) -> bool:
    """Whether the button was pressed on the page for which it was drawn, after it was seen."""
    shown_at = _shown(drawn.request_id)
    if shown_at is None or drawn.address != _address():
        return False
    return seeing.was_seen(shown_at, sending.pressed_at())


def _address() -> str | None:
    """Return the application in the address; in a callback, where the press came from."""
    return st.query_params.get("id")


def _take(filters: Filters, actor: str, request_id: UUID) -> None:
    """Claim and open, or say that none is left.

    The id stays until there is a result: pressing again after a lost response gets the same one.
    """
    command = claims.TakeNext(
        filters=filters, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    taken = submit.submit("", command, claims.take_next, renews=KEY)
    if taken is None:
        return
    if taken.application_id is None:
        submit.refused("", "This view has no unassigned applications left.")
        return
    state.keep(KEY, request_id)
    navigation.open_one(taken.application_id, filters)

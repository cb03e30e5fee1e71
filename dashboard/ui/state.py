"""Session state: the only module that names session_state keys.

Whatever must survive a reload is in the address or in the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import streamlit as st

SENT_TOLD = 20


@dataclass(frozen=True, slots=True)
class Flash:
    """A message for the next run. ``place`` names its form, "" the page.

    ``link`` is the application that it links to, if any.
    """

    ok: bool
    text: str
    place: str = ""
    link: int | None = None


def flash(message: Flash) -> None:
    """Leave a message for the next run."""
    st.session_state["flash"] = message


def take_flash(place: str) -> Flash | None:
    """Return the message for a form, once."""
    message = st.session_state.get("flash")
    if message is None or message.place != place:
        return None
    del st.session_state["flash"]
    return message


def page_flash() -> Flash | None:
    """Return the page's message, until a run that drew it is complete: see `end_flash`.

    A run that is cut short by the next one takes what it drew away again.
    """
    message: Flash | None = st.session_state.get("flash")
    if message is None or message.place:
        return None
    st.session_state["flash-drawn"] = message
    return message


def end_flash() -> None:
    """Forget the page's message after the run that drew it, but not one left since."""
    drawn = st.session_state.pop("flash-drawn", None)
    if drawn is not None and st.session_state.get("flash") is drawn:
        del st.session_state["flash"]


def request_id(form: str) -> UUID:
    """Return the id of a form as drawn: the same until `renew` is called for it."""
    ids: dict[str, UUID] = st.session_state.setdefault("request_ids", {})
    return ids.setdefault(form, uuid4())


def form_key(form: str, part: str) -> str:
    """Return a widget's key within a form; a renewed form has new keys and so is empty."""
    return _key_of(form, part, request_id(form))


def entered(form: str, part: str, request: UUID) -> Any:  # noqa: ANN401 - whatever the widget holds
    """Return the value of a form's widget as drawn for ``request``; ``None`` if not drawn."""
    return typed(_key_of(form, part, request))


def _key_of(form: str, part: str, request: UUID) -> str:
    return f"{form}-{part}-{request.hex[:8]}"


def renew(form: str, used: UUID) -> None:
    """Renew a form after ``used`` was accepted; late repeats of it change nothing."""
    if request_id(form) == used:
        st.session_state["request_ids"][form] = uuid4()


def typed(key: str) -> Any:  # noqa: ANN401 - whatever the widget holds
    """Return a widget's current value; ``None`` if it was never drawn."""
    return st.session_state.get(key)


def show(key: str, value: Any) -> None:  # noqa: ANN401 - whatever the widget holds
    """Set the value of a widget that is about to be drawn."""
    st.session_state[key] = value


def keep_rows(table: str, ids: Sequence[int]) -> None:
    """Remember the ids in a table, in order, for a later click."""
    st.session_state[f"{table}-rows"] = list(ids)


def clicked_row(table: str, click: Any) -> int | None:  # noqa: ANN401 - Streamlit's click record
    """Return the id of the clicked row, by what the table showed at the time."""
    ids: list[int] = st.session_state.get(f"{table}-rows", [])
    row = click.get("row") if click else None
    return ids[row] if row is not None and 0 <= row < len(ids) else None


def keep(name: str, value: Any) -> None:  # noqa: ANN401 - each name has its own type
    """Store a value in the session under a name; `forget` removes it."""
    st.session_state[f"kept-{name}"] = value


def kept(name: str) -> Any:  # noqa: ANN401
    """Return the value under a name; ``None`` if there is none."""
    return st.session_state.get(f"kept-{name}")


def forget(name: str) -> None:
    """Remove the value under a name."""
    st.session_state.pop(f"kept-{name}", None)


def take(name: str) -> Any:  # noqa: ANN401
    """Return and remove the value under a name; ``None`` if there is none."""
    value = kept(name)
    forget(name)
    return value


def held(form: str) -> dict[str, Any]:
    """Return the stored values of a form with several steps."""
    forms: dict[str, dict[str, Any]] = st.session_state.setdefault("held", {})
    return forms.setdefault(form, {})


def draw_field(form: str, name: str, key: str, filled: Any) -> None:  # noqa: ANN401
    """Remember which widget shows a field now, and what it was filled with."""
    drawn: dict[str, dict[str, tuple[str, Any]]] = st.session_state.setdefault("drawn", {})
    drawn.setdefault(form, {})[name] = (key, filled)


def hold(form: str) -> dict[str, Any]:
    """Store the values of drawn fields that were changed; returns all stored values."""
    kept = held(form)
    for name, (key, filled) in st.session_state.get("drawn", {}).get(form, {}).items():
        if key not in st.session_state:
            continue
        typed_now = st.session_state[key]
        if typed_now == filled:
            kept.pop(name, None)
        else:
            kept[name] = typed_now
    return kept


def hold_before_refill(form: str, name: str, filled: Any) -> None:  # noqa: ANN401
    """Store what was typed if a field is about to be filled with something else."""
    drawn = st.session_state.get("drawn", {}).get(form, {}).get(name)
    if drawn is not None and drawn[1] != filled:
        hold(form)


def drawn_key(form: str, name: str) -> str | None:
    """Return the key of the widget that shows a field; ``None`` if none is on the page."""
    key, _ = st.session_state.get("drawn", {}).get(form, {}).get(name, (None, None))
    return key if key in st.session_state else None


def refills(form: str, name: str) -> int:
    """Return how often a field was filled again."""
    turns: dict[tuple[str, str], int] = st.session_state.setdefault("refills", {})
    return turns.get((form, name), 0)


def let_go(form: str, name: str) -> None:
    """Remove a field's stored value, so that it is filled again, in another widget."""
    st.session_state.setdefault("refills", {})[form, name] = refills(form, name) + 1
    held(form).pop(name, None)
    st.session_state.get("drawn", {}).get(form, {}).pop(name, None)


def release(form: str) -> None:
    """Remove the stored values of a form."""
    st.session_state.setdefault("held", {}).pop(form, None)
    st.session_state.setdefault("drawn", {}).pop(form, None)


def mark_sent(form: str) -> None:
    """Record that a form was accepted, so that the browser drops its draft."""
    # Sent with every run, since an interrupted run may never reach the browser.
    st.session_state["sent-forms"] = [*sent_forms(), (form, uuid4().hex[:8])][-SENT_TOLD:]


def sent_forms() -> list[tuple[str, str]]:
    """Return the recently accepted forms, each with its token."""
    sent: list[tuple[str, str]] = st.session_state.get("sent-forms", [])
    return sent


@dataclass(frozen=True, slots=True)
class Sight:
    """Since when something is shown. ``token`` identifies this time."""

    face: str
    token: str
    at: datetime


def sight(key: str, face: str, now: datetime) -> Sight:
    """Return since when a button shows ``face``: now, unless it already did."""
    sights: dict[str, Sight] = st.session_state.setdefault("sights", {})
    if key not in sights or sights[key].face != face:
        sights[key] = Sight(face, uuid4().hex[:8], now)
    return sights[key]


def lose_sight(key: str) -> None:
    """Whatever a button shows next counts as shown for the first time."""
    st.session_state.setdefault("sights", {}).pop(key, None)


class FirstDraws:
    """Which fragments were drawn with the data they were given, which are fresh only once."""

    def __init__(self) -> None:
        self._drawn: set[str] = set()

    def has(self, fragment: str) -> bool:
        """Return whether this is the fragment's first draw, and note it."""
        first = fragment not in self._drawn
        self._drawn.add(fragment)
        return first

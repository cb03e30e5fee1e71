"""The dialog of one act on many applications: fields, applications, and sending."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import background, sending, submit
from dashboard.pages.queue.bulk_actions import ACTS_BY_ACT, FORM, RUNS, Fields, key, offered
from dashboard.shell import sign_in
from dashboard.ui import keyboard, lookups, message_preview, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.eligibility import judging
from data_access.messages import rendering
from data_access.people.staff import Person
from data_access.queue import listing
from data_access.queue.listing import QueueRow
from data_access.review import bulk
from data_access.review.bulk import AskEach, RejectEach
from data_access.review.bulk_runs import BulkCommand
from program.periods import is_behind, utc_day
from program.review.permissions import Act
from program.review.workflow import Status

NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The open dialog. ``filled`` is set once the fields are valid."""

    act: Act
    ids: tuple[int, ...]
    fields: Fields
    filled: bool


# Buttons, for any selection.


def buttons(ids: Sequence[int], person: Person, status: Status) -> None:
    """Draw a button for each act on this list; each opens the dialog on these applications."""
    for one in offered(person, status):
        st.button(
            f"{one.label}{'…' if one.needs else ''}",
            key=f"bulk-{one.act.name}",
            icon=one.icon,
            type="tertiary",
            on_click=_open,
            args=[one.act, tuple(ids)],
        )


def _open(act: Act, ids: tuple[int, ...]) -> None:
    sending.show_anew("bulk-confirm")
    state.keep(FORM, Chosen(act=act, ids=ids, fields={}, filled=not ACTS_BY_ACT[act].needs))
    st.rerun()


def close() -> None:
    """Close the dialog and drop what was typed."""
    state.forget(FORM)


# Dialog.


def draw(person: Person) -> None:
    """Draw the dialog, if it is open."""
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    one = ACTS_BY_ACT[chosen.act]
    title = f"{one.label}: {RUNS.number(len(chosen.ids))}"
    dialog = st.dialog(title, width="medium", icon=one.icon, on_dismiss=close)
    dialog(_step)(person)


def _step(person: Person) -> None:
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    sign_in.stay(person.email)
    submit.draw(FORM)
    if chosen.filled:
        _confirmation(chosen, person)
    else:
        _fields(chosen)


def _fields(chosen: Chosen) -> None:
    one = ACTS_BY_ACT[chosen.act]
    # Escape closes the dialog, also from inside a field; the draft restores the text.
    with keyboard.draft(_draft(chosen)):
        one.draw(chosen.fields)
    with st.container(key="step-on"), keyboard.hot(keyboard.GO):
        st.button(
            "Continue",
            key="bulk-go-on",
            type="primary",
            icon=":material/arrow_forward:",
            help="Ctrl+Enter",
            on_click=_go_on,
            args=[chosen],
        )


def _go_on(chosen: Chosen) -> None:
    one = ACTS_BY_ACT[chosen.act]
    fields = {name: state.typed(key(name)) for name in one.names}
    try:
        one.check(fields, datetime.now(UTC))
    except Refusal as refusal:
        submit.refused(FORM, str(refusal))
        state.keep(FORM, replace(chosen, fields=fields))
    else:
        sending.show_anew("bulk-confirm")
        state.keep(FORM, replace(chosen, fields=fields, filled=True))


def _confirmation(chosen: Chosen, person: Person) -> None:
    one = ACTS_BY_ACT[chosen.act]
    command = one.command(
        chosen.fields,
        {
            "ids": chosen.ids,
            "actor": person.email,
            "at": datetime.now(UTC),
            "request_id": state.request_id(FORM),
        },
    )
    first, names, behind = _some(chosen)
    st.text(_named(names, len(chosen.ids)))
    if behind and chosen.act is Act.DECIDE:
        st.warning("Metrics are behind; eligibility is provisional.", icon=":material/schedule:")
    for line in one.says(chosen.fields):
        st.text(line)
    if isinstance(command, AskEach | RejectEach) and first is not None:
        _preview(command, first)
    # Back is where Continue was, so that pressing twice sends nothing.
    with st.container(horizontal=True, key="step-on"):
        if one.needs:
            st.button("Back", key="bulk-back", type="tertiary", on_click=_back, args=[chosen])
        st.space("stretch")
        with keyboard.hot(keyboard.GO, width="content"):
            sending.button(
                f"{one.label}: {RUNS.number(len(chosen.ids))}",
                form=FORM,
                key="bulk-confirm",
                act=_confirm,
                args=[chosen, command],
                sends=chosen,
                destroys=one.destroys,
                type="primary",
                icon=one.icon,
                help="Ctrl+Enter",
            )


def _back(chosen: Chosen) -> None:
    state.keep(FORM, replace(chosen, filled=False))


def _preview(command: AskEach | RejectEach, first: QueueRow) -> None:
    st.caption(f"What {escape(first.username)} will get; each gets their own.")
    with database.reading(database.reader()) as connection:
        _, filled = bulk.filled(connection, command, first.application_id)
        left_out = rendering.unreachable(connection, command.ids)
    with st.container(border=True):
        st.text(filled)
    message_preview.draw_unfilled(filled)
    message_preview.draw_unreachable(
        [(one.username, one.reason) for one in left_out], of=len(command.ids)
    )


def _confirm(chosen: Chosen, command: BulkCommand) -> None:
    command = replace(command, at=datetime.now(UTC))
    if not background.submit(FORM, command, ACTS_BY_ACT[chosen.act].verb):
        return
    lookups.count_anew()
    state.mark_sent(_draft(chosen))
    state.renew(FORM, command.request_id)
    close()
    st.rerun()


def _draft(chosen: Chosen) -> str:
    about = chosen.fields.get("about") or state.typed(key("about")) or ""
    return f"{FORM}-{chosen.act.name}-{about}"


def _some(chosen: Chosen) -> tuple[QueueRow | None, list[str], bool]:
    """Return the first, some names, and whether metrics are behind."""
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        rows = listing.rows(connection, list(chosen.ids[:NAMED]), context)
    fresh = context.freshness
    behind = fresh is not None and is_behind(fresh.data_through, utc_day(context.now))
    return (rows[0] if rows else None), [row.username for row in rows], behind


def _named(names: Sequence[str], number: int) -> str:
    more = number - len(names)
    listed = ", ".join(names)
    return f"{listed} and {more:,} more" if more else listed

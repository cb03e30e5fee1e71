"""The dialog of a bulk act on applications: its fields, and the applications."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.forms import confirm_dialog
from dashboard.forms.confirm_dialog import Dialog
from dashboard.pages.queue.bulk_actions import ACTS_BY_ACT, FORM, RUNS, Fields, key, offered
from dashboard.ui import lookups, message_preview, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.eligibility import judging
from data_access.messages import rendering
from data_access.people.staff import Person
from data_access.queue import rows
from data_access.queue.rows import QueueRow
from data_access.review import bulk, bulk_preview
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


def buttons(ids: Sequence[int], person: Person, status: Status) -> None:
    """Draw a button for each act on this list; each opens the dialog on these applications."""
    for one in offered(person, status):
        chosen = Chosen(act=one.act, ids=tuple(ids), fields={}, filled=not one.needs)
        st.button(
            f"{one.label}{'…' if one.needs else ''}",
            key=f"bulk-{one.act.name}",
            icon=one.icon,
            type="tertiary",
            on_click=confirm_dialog.begin,
            args=[FORM, chosen],
        )


def draw(person: Person) -> None:
    """Draw the dialog, if it is open."""
    confirm_dialog.draw(FORM, person, partial(_dialog, person))


def _dialog(person: Person, chosen: Chosen) -> Dialog:
    one = ACTS_BY_ACT[chosen.act]
    return Dialog(
        label=one.label,
        number=RUNS.number(len(chosen.ids)),
        icon=one.icon,
        destroys=one.destroys,
        draft=_draft(chosen),
        fields=partial(one.draw, chosen.fields) if one.needs else None,
        read=lambda: replace(chosen, fields={name: state.typed(key(name)) for name in one.names}),
        check=lambda typed: one.check(typed.fields, datetime.now(UTC)),
        explain=partial(_explain, chosen, person),
        verb=one.verb,
        done=lookups.count_anew,
    )


def _explain(chosen: Chosen, person: Person) -> BulkCommand:
    one = ACTS_BY_ACT[chosen.act]
    common = {
        "ids": chosen.ids,
        "actor": person.email,
        "at": datetime.now(UTC),
        "request_id": state.request_id(FORM),
    }
    command = one.command(chosen.fields, common)
    first, names, behind = _some(chosen)
    st.text(confirm_dialog.listed(names, len(chosen.ids)))
    _draw_refused(command)
    if behind and chosen.act is Act.DECIDE:
        st.warning("Metrics are behind; eligibility is provisional.", icon=":material/schedule:")
    for line in one.says(chosen.fields):
        st.text(line)
    if isinstance(command, AskEach | RejectEach) and first is not None:
        _preview(command, first)
    return command


def _draw_refused(command: BulkCommand) -> None:
    """Name who would be refused as things stand, before anything is sent."""
    with database.reading(database.reader()) as connection:
        refused = bulk_preview.refused(connection, command)
    if not refused:
        return
    of = len(set(command.ids))
    lines = [f"{one.username}: {one.sentence}" for one in refused[:NAMED]]
    if len(refused) > NAMED:
        lines.append(f"and {len(refused) - NAMED:,} more")
    st.warning(
        f"**{len(refused):,} of {of:,} will be refused**  \n"
        + "  \n".join(escape(line) for line in lines),
        icon=":material/block:",
    )


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


def _draft(chosen: Chosen) -> str:
    about = chosen.fields.get("about") or state.typed(key("about")) or ""
    return f"{FORM}-{chosen.act.name}-{about}"


def _some(chosen: Chosen) -> tuple[QueueRow | None, list[str], bool]:
    """Return the first, some names, and whether metrics are behind."""
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        named = rows.of_ids(connection, chosen.ids[:NAMED], context)
    fresh = context.freshness
    behind = fresh is not None and is_behind(fresh.data_through, utc_day(context.now))
    return (named[0] if named else None), [row.username for row in named], behind

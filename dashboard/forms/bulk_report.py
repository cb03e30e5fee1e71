"""The report of a bulk run: its progress, then the result for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import streamlit as st

from dashboard.forms import background, confirm_dialog, dismissal, sending
from dashboard.shell import sign_in
from dashboard.ui import keyboard, lookups, state
from dashboard.ui.navigation import APPLICATION
from dashboard.ui.safe_text import escape
from data_access import undoing
from data_access.applications import read
from data_access.db import database
from data_access.people import jobs
from data_access.people.jobs import State
from data_access.review import bulk_runs
from data_access.review.bulk_runs import Result, Run
from program.messages.delivery import undo_for
from program.review.permissions import Act

REFUSALS_LISTED, NAMED = 50, 6
# How long a report that asks for nothing is on the screen before it counts as seen.
SEEN_AFTER = timedelta(seconds=5)
POLL_EVERY = "1s"
NONE = timedelta(0)
OLD = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words for the runs of one desk.

    ``acts`` maps the name of a run to its label and the verb in the past tense; ``noun`` is what it
    acts on, in the singular. ``undoable`` runs can be undone while their messages wait; the undo is
    a run named ``undo``. ``waits`` precedes the time left.
    """

    desk: str
    noun: str
    acts: Mapping[str, tuple[str, str]]
    undoable: Collection[str] = ()
    undo: str = Act.UNDO.name
    waits: str = "The first message leaves in"

    def number(self, number: int) -> str:
        """Format the number with its noun."""
        return f"{number:,} {self.noun}{'' if number == 1 else 's'}"


def draw(words: Words, *, actor: str) -> None:
    """Draw the actor's newest run until it is dismissed, or was seen and asks for nothing."""
    run = _latest(words, actor)
    if run is None or dismissal.is_dismissed(words.desk, run.request_id, actor=actor):
        return
    if _asks_for_nothing(words, run) and _was_seen(words, run):
        return
    with st.container(border=True, key=f"{words.desk}-report", gap="small"):
        if _runs(run):
            _progress(words, actor)
        else:
            _report(words, _as_ended(words, run, actor), actor)


def _asks_for_nothing(words: Words, run: Run) -> bool:
    """Whether everything was done, and can no longer be undone."""
    done = len(run.results) == len(run.ids) and all(result.done for result in run.results)
    return run.finished_at is not None and done and _left(words, run) <= NONE


def _was_seen(words: Words, run: Run) -> bool:
    """Whether this session has shown it for a moment before; in another one, if it is old."""
    now = datetime.now(UTC)
    shown, at = state.kept(f"{words.desk}-seen") or (None, now)
    if shown != run.request_id:
        state.keep(f"{words.desk}-seen", (run.request_id, now))
        return now - run.at > OLD
    return now - at >= SEEN_AFTER


def _left(words: Words, run: Run) -> timedelta:
    """Return how long the run can still be undone."""
    if run.act not in words.undoable or run.finished_at is None:
        return NONE
    return run.at + undo_for(len(run.ids)) - datetime.now(UTC)


def _latest(words: Words, actor: str) -> Run | None:
    return bulk_runs.latest(database.reader(), actor=actor, names=tuple(words.acts))


def _runs(run: Run) -> bool:
    return run.finished_at is None and background.is_running(run.request_id)


def _as_ended(words: Words, run: Run, actor: str) -> Run:
    """Return the run with its end, which may have come after it was read."""
    return run if run.finished_at else _latest(words, actor) or run


@st.fragment(run_every=POLL_EVERY)
def _progress(words: Words, actor: str) -> None:
    sign_in.stay(actor)
    run = _latest(words, actor)
    if run is None or not _runs(run):
        st.rerun()
    label, _ = words.acts[run.act]
    done, total = len(run.results), len(run.ids)
    st.progress(done / total, text=f"{label}: {done:,} of {total:,}")


def _report(words: Words, run: Run, actor: str) -> None:
    refused = [result for result in run.results if not result.done]
    done = [result.application_id for result in run.results if result.done]
    named = [*done[:NAMED], *(result.application_id for result in refused[:REFUSALS_LISTED])]
    with database.reading(database.reader()) as connection:
        names = read.usernames(connection, named)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(words, run, len(refused)), width="content")
        if done:
            first = [names[id_] for id_ in done[:NAMED] if id_ in names]
            st.caption(escape(confirm_dialog.listed(first, len(done))), width="content")
        st.space("stretch")
        _draw_undo(words, run, actor)
        dismissal.button(words.desk, run.request_id, actor=actor)
    if refused:
        _refusals(refused, names)


def _sentence(words: Words, run: Run, refused: int) -> str:
    label, done = words.acts[run.act]
    answered, total = len(run.results), len(run.ids)
    if run.finished_at is None:
        return (
            f":material/warning: **{label} ended unfinished: {_why_unfinished(run)}"
            f"{answered:,} of {total:,} were done.** "
            "Choose the rest and send again; nothing is done twice."
        )
    icon = ":material/check:" if not refused else ":material/info:"
    text = f"{icon} **{done} {answered - refused:,} of {words.number(total)}**"
    return f"{text} · {refused:,} refused" if refused else text


def _why_unfinished(run: Run) -> str:
    """Return the reason if it is known: database errors are shown at the press that met them."""
    ended = background.state(run.request_id) is State.ENDED
    return "" if ended else f"{jobs.STOPPED}; "


def _draw_undo(words: Words, run: Run, actor: str) -> None:
    """Draw Undo, as long as no message has left."""
    done = [result.application_id for result in run.results if result.done]
    left = _left(words, run)
    if not done or left <= NONE:
        return
    form = f"undo-{run.request_id}"
    with st.container(key="undo-run", horizontal=True, width="content", gap="small"):
        st.text(words.waits, width="content")
        keyboard.count_down(left)
        sending.button(
            "Undo",
            form="",
            key=f"{words.desk}-undo",
            act=_undo,
            args=[words, run, done, actor, state.request_id(form)],
            sends=run.request_id,
            icon=":material/undo:",
        )


def _undo(words: Words, run: Run, ids: Sequence[int], actor: str, request_id: UUID) -> None:
    command = undoing.UndoRun(
        undone=run.request_id,
        ids=ids,
        name=words.undo,
        noun=words.noun,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if background.submit("", command, undoing.undo_run):
        lookups.count_anew()


def _refusals(refused: Sequence[Result], names: Mapping[int, str]) -> None:
    """Draw who is refused, with reasons and links."""
    with st.expander(f"{len(refused):,} refused, with reasons", expanded=len(refused) < 6):
        for result in refused[:REFUSALS_LISTED]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.page_link(
                    APPLICATION,
                    label=escape(
                        names.get(result.application_id, f"Application {result.application_id}")
                    ),
                    query_params={"id": str(result.application_id)},
                )
                st.text(result.sentence)
        if len(refused) > REFUSALS_LISTED:
            st.caption(f"and {len(refused) - REFUSALS_LISTED:,} more")

"""One act on many applications: what it needs, whom it is about, and what became of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard import lookups, running, state
from dashboard.components import figures, keyboard
from dashboard.components.safe_text import escape
from dashboard.forms import answers, bulk_report
from data_access import (
    assessments,
    bulk,
    database,
    decisions,
    deferrals,
    preferences,
    queue,
    staff,
    standings,
    texts,
)
from data_access.queue import QueueRow
from data_access.refusals import Invalid, Refusal
from data_access.staff import Person
from program import messages
from program.messages import CANNED_BY_KEY, Canned, Use
from program.periods import utc_day
from program.permissions import Act
from program.reapplying import RULES, RULES_BY_KEY, default_rule
from program.workflow import OPEN_STATUSES, REASONS, REASONS_BY_CODE, Move, Status, way

FORM = "bulk"
SEEN = "bulk_report_seen"
NAMED = 12
LOOK_EVERY = "1s"
NEXT_STEP = "Placeholders such as {{username}} are filled for each; the next step shows one."
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """One act: its words, the fields it asks for, what they must satisfy, and the verb.

    ``move`` is the way it takes; without one it changes only who works on an application.
    """

    act: Act
    label: str
    done: str
    icon: str
    names: tuple[str, ...] = ()
    draw: Callable[[Fields], None] = lambda _: None
    check: Callable[[Fields, datetime], None] = lambda _, __: None
    says: Callable[[Fields], Sequence[str]] = lambda _: ()
    verb: Callable[..., object]
    move: Move | None = None

    @property
    def needs(self) -> bool:
        """Whether anything must be filled in before it is confirmed."""
        return bool(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is under way in the dialog. ``filled`` once the fields are in order."""

    act: Act
    ids: tuple[int, ...]
    fields: Fields
    filled: bool


# The buttons, wherever a selection is.


def buttons(ids: Sequence[int], person: Person, status: Status) -> None:
    """One button for each act on this list; each opens the dialog on these applications."""
    for one in offered(person, status):
        st.button(
            f"{one.label}{'…' if one.needs else ''}",
            key=f"bulk-{one.act.name}",
            icon=one.icon,
            type="tertiary",
            on_click=_open,
            args=[one.act, tuple(ids)],
        )


def offered(person: Person, status: Status) -> list[BulkAct]:
    """The acts that this person's role and this list's status allow."""
    return [
        one
        for one in ACTS
        if person.may(one.act) and (way(one.move, status) if one.move else status in OPEN_STATUSES)
    ]


def _open(act: Act, ids: tuple[int, ...]) -> None:
    state.keep(FORM, Chosen(act=act, ids=ids, fields={}, filled=not ACTS_BY_ACT[act].needs))
    st.rerun()


def close() -> None:
    """Put the dialog away; what was typed in it goes."""
    state.forget(FORM)


# The dialog.


def draw(person: Person) -> None:
    """The dialog, while one is open."""
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    one = ACTS_BY_ACT[chosen.act]
    title = f"{one.label}: {_number(len(chosen.ids))}"
    dialog = st.dialog(title, width="medium", icon=one.icon, on_dismiss=close)
    dialog(_step)(person)


def _step(person: Person) -> None:
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    answers.draw(FORM)
    if chosen.filled:
        _confirmation(chosen, person)
    else:
        _fields(chosen)


def _fields(chosen: Chosen) -> None:
    one = ACTS_BY_ACT[chosen.act]
    # Escape closes the dialog, from inside a field as well; the text is there at the next try.
    with keyboard.draft(_draft(chosen)):
        one.draw(chosen.fields)
    with keyboard.hot(keyboard.GO):
        st.button(
            "Go on",
            key="bulk-go-on",
            type="primary",
            icon=":material/arrow_forward:",
            help="Ctrl+Enter",
            on_click=_go_on,
            args=[chosen],
        )


def _go_on(chosen: Chosen) -> None:
    one = ACTS_BY_ACT[chosen.act]
    fields = {name: state.typed(_key(name, chosen)) for name in one.names}
    try:
        one.check(fields, datetime.now(UTC))
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        state.keep(FORM, replace(chosen, fields=fields))
    else:
        state.keep(FORM, replace(chosen, fields=fields, filled=True))


def _confirmation(chosen: Chosen, person: Person) -> None:
    one = ACTS_BY_ACT[chosen.act]
    first, names = _some(chosen)
    st.text(_named(names, len(chosen.ids)))
    for line in one.says(chosen.fields):
        st.text(line)
    if chosen.fields.get("message") and first is not None:
        _preview(chosen, first)
    with st.container(horizontal=True):
        with keyboard.hot(keyboard.GO, width="content"):
            st.button(
                f"{one.label}: {_number(len(chosen.ids))}",
                key="bulk-confirm",
                type="primary",
                icon=one.icon,
                help="Ctrl+Enter",
                on_click=_confirm,
                args=[chosen, person.email, state.request_id(FORM)],
            )
        if one.needs:
            st.button("Back", key="bulk-back", type="tertiary", on_click=_back, args=[chosen])


def _back(chosen: Chosen) -> None:
    state.keep(FORM, replace(chosen, filled=False))


def _preview(chosen: Chosen, first: QueueRow) -> None:
    st.caption(f"What {escape(first.username)} will get; each gets their own.")
    with st.container(border=True):
        filled = messages.fill(chosen.fields["message"], _values(chosen, first))
        st.text(filled)
    left = messages.unfilled(filled)
    if left:
        named = escape(", ".join("{{" + name + "}}" for name in left))
        st.warning(
            f"{named} has no value here. Whoever it stays empty for is left out and reported.",
            icon=":material/edit_note:",
        )


def _confirm(chosen: Chosen, actor: str, request_id: UUID) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    one = ACTS_BY_ACT[chosen.act]
    send = partial(
        one.verb,
        database.writer(),
        ids=chosen.ids,
        **chosen.fields,
        actor=actor,
        now=datetime.now(UTC),
        request_id=request_id,
    )
    try:
        running.begin(request_id, send)
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        return
    lookups.count_anew()
    state.mark_sent(_draft(chosen))
    state.renew(FORM, request_id)
    close()
    st.rerun()


def _draft(chosen: Chosen) -> str:
    about = chosen.fields.get("about") or state.typed(_key("about", chosen)) or ""
    return f"{FORM}-{chosen.act.name}-{about}"


def _some(chosen: Chosen) -> tuple[QueueRow | None, list[str]]:
    with database.reader().connect() as connection:
        ground = standings.basis(connection, now=datetime.now(UTC))
        rows = queue.rows(connection, list(chosen.ids[:NAMED]), ground)
    return (rows[0] if rows else None), [row.username for row in rows]


def _named(names: Sequence[str], number: int) -> str:
    more = number - len(names)
    listed = ", ".join(names)
    return f"{listed} and {more:,} more" if more else listed


def _values(chosen: Chosen, first: QueueRow) -> dict[str, str]:
    now = datetime.now(UTC)
    with database.reader().connect() as connection:
        ground = standings.basis(connection, now=now)
        assessment = assessments.read(connection, first.application_id, ground).assessment
    return messages.values(
        username=first.username,
        application_id=first.application_id,
        social_handle=first.social_handle,
        assessment=assessment,
        window=ground.freshness.window if ground.freshness else None,
        policy=ground.policy,
        on=utc_day(now),
        reapply=chosen.fields.get("reapply"),
    )


def _number(number: int) -> str:
    return f"{number:,} application{'' if number == 1 else 's'}"


# The fields of each act.


def _key(name: str, chosen: Chosen | None = None) -> str:
    # A text belongs to the reason or question it was suggested for.
    chosen = chosen or state.kept(FORM)
    part = name
    if name in ("message", "rationale", "reapply"):
        part = f"{name}-{state.typed(_key('about', chosen)) or ''}"
    return state.form_key(FORM, part)


def _assign_fields(fields: Fields) -> None:
    people = _reviewers()
    st.selectbox(
        "Colleague",
        list(people),
        format_func=lambda email: f"{people[email]} · {email}",
        index=_place(list(people), fields.get("assignee")),
        placeholder="Choose a colleague",
        key=_key("assignee"),
    )


def _reviewers() -> dict[str, str]:
    with database.reader().connect() as connection:
        return {
            person.email: person.display_name
            for person in staff.everyone(connection)
            if person.may(Act.CLAIM)
        }


def _check_assign(fields: Fields, _now: datetime) -> None:
    if not fields["assignee"]:
        raise Invalid("Choose a colleague who reviews applications.")


def _defer_fields(fields: Fields) -> None:
    today = utc_day(datetime.now(UTC))
    st.date_input(
        "Until",
        value=fields.get("until"),
        min_value=today + timedelta(days=1),
        max_value=today + deferrals.FURTHEST,
        format="YYYY-MM-DD",
        key=_key("until"),
    )
    st.checkbox(
        "Until the answer to a criterion changes",
        value=bool(fields.get("until_change")),
        key=_key("until_change"),
        help="With a date as well, whichever comes first.",
    )
    st.text_area(
        "Reason, internal (may be left out)",
        value=fields.get("reason") or "",
        height=80,
        key=_key("reason"),
    )


def _check_defer(fields: Fields, now: datetime) -> None:
    deferrals.check(fields["until"], fields["until_change"], now)
    texts.allow(fields["reason"], what="The reason", longest=deferrals.LONGEST_REASON)


def _say_defer(fields: Fields) -> list[str]:
    until = figures.day(fields["until"], year=True) if fields["until"] else None
    change = "a criterion has another answer" if fields["until_change"] else None
    return [
        f"Until {' or '.join(filter(None, [until, change]))}",
        *([f"Reason: {fields['reason']}"] if fields["reason"] else []),
    ]


def _ask_fields(fields: Fields) -> None:
    canned = messages.texts(Use.INFORMATION)
    about = _about("Question", canned, fields)
    if about is not None:
        _message(CANNED_BY_KEY[Use.INFORMATION, about], fields)


def _check_message(fields: Fields) -> None:
    if not fields["about"]:
        raise Invalid("Choose what it is about first.")
    texts.require(
        fields["message"] or "", what="The message to the applicant", longest=texts.LONGEST_MESSAGE
    )


def _reject_fields(fields: Fields) -> None:
    canned = [CANNED_BY_KEY[Use.REJECTION, reason.code] for reason in REASONS]
    about = _about("Reason", canned, fields)
    if about is None:
        return
    text = CANNED_BY_KEY[Use.REJECTION, about]
    st.text_area(
        "Rationale, internal, the same for all",
        value=_before("rationale", about, fields, text.rationale or ""),
        height=80,
        key=_key("rationale"),
    )
    keys = [rule.key for rule in RULES]
    st.selectbox(
        "May apply again",
        keys,
        format_func=lambda key: RULES_BY_KEY[key].label,
        index=keys.index(_before("reapply", about, fields, default_rule(about))),
        key=_key("reapply"),
    )
    _message(text, fields)


def _check_reject(fields: Fields, _now: datetime) -> None:
    _check_message(fields)
    decisions.require_reason(fields["about"])
    texts.require(fields["rationale"] or "", what="The rationale", longest=decisions.LONGEST_TEXT)


def _say_reject(fields: Fields) -> list[str]:
    return [
        f"Reason: {REASONS_BY_CODE[fields['about']].label}",
        f"Rationale: {fields['rationale']}",
        f"May apply again: {RULES_BY_KEY[fields['reapply']].label.lower()}",
    ]


def _about(label: str, canned: Sequence[Canned], fields: Fields) -> str | None:
    labels = {text.key: text.label for text in canned}
    return st.selectbox(
        label,
        list(labels),
        format_func=labels.__getitem__,
        index=_place(list(labels), fields.get("about")),
        placeholder="Choose one",
        key=_key("about"),
    )


def _message(text: Canned, fields: Fields) -> None:
    st.text_area(
        "Message to the applicant",
        value=_before("message", text.key, fields, text.message),
        height=190,
        key=_key("message"),
        help=NEXT_STEP,
    )


def _before(name: str, about: str, fields: Fields, suggested: str) -> str:
    """What was typed for the same reason before, or the suggestion."""
    typed = fields.get(name) if fields.get("about") == about else None
    return suggested if typed is None else typed


def _place(options: Sequence[str], chosen: str | None) -> int | None:
    return options.index(chosen) if chosen in options else None


def _reject(engine: Any, *, about: str, **given: Any) -> object:  # noqa: ANN401
    return bulk.reject(engine, reason_code=about, **given)


def _ask(engine: Any, *, about: str, **given: Any) -> object:  # noqa: ANN401, ARG001
    return bulk.request_information(engine, **given)


ACTS: tuple[BulkAct, ...] = (
    BulkAct(
        act=Act.CLAIM,
        label="Claim",
        done="Claimed",
        icon=":material/front_hand:",
        verb=bulk.claim,
    ),
    BulkAct(
        act=Act.ASSIGN,
        label="Assign",
        done="Assigned",
        icon=":material/person_add:",
        names=("assignee",),
        draw=_assign_fields,
        check=_check_assign,
        says=lambda fields: [f"To {fields['assignee']}"],
        verb=bulk.assign,
    ),
    BulkAct(
        act=Act.DEFER,
        label="Defer",
        done="Deferred",
        icon=":material/event_upcoming:",
        names=("until", "until_change", "reason"),
        draw=_defer_fields,
        check=_check_defer,
        says=_say_defer,
        verb=bulk.defer,
        move=Move.DEFER,
    ),
    BulkAct(
        act=Act.REQUEST_INFORMATION,
        label="Ask for information",
        done="Asked",
        icon=":material/contact_support:",
        names=("about", "message"),
        draw=_ask_fields,
        check=lambda fields, _: _check_message(fields),
        verb=_ask,
        move=Move.REQUEST_INFORMATION,
    ),
    BulkAct(
        act=Act.DECIDE,
        label="Reject",
        done="Rejected",
        icon=":material/block:",
        names=("about", "rationale", "reapply", "message"),
        draw=_reject_fields,
        check=_check_reject,
        says=_say_reject,
        verb=_reject,
        move=Move.REJECT,
    ),
)
ACTS_BY_ACT: dict[Act, BulkAct] = {one.act: one for one in ACTS}


# What became of it.


def draw_report(person: Person) -> None:
    """The newest run until it is put away: how far it is, or what became of each."""
    engine = database.reader()
    run = bulk.latest(engine, actor=person.email)
    if run is None:
        return
    with engine.connect() as connection:
        seen = preferences.read(connection, email=person.email, name=SEEN)
    if seen == str(run.request_id):
        return
    with st.container(border=True, key="bulk-report", gap="small"):
        if run.finished_at is None and running.is_running(run.request_id):
            _progress(person)
        else:
            _report(run, person)


@st.fragment(run_every=LOOK_EVERY)
def _progress(person: Person) -> None:
    run = bulk.latest(database.reader(), actor=person.email)
    if run is None or run.finished_at is not None or not running.is_running(run.request_id):
        st.rerun()
    done, asked = len(run.results), len(run.asked)
    st.progress(done / asked, text=f"{_words(run).label}: {done:,} of {asked:,}")


def _report(run: bulk.Run, person: Person) -> None:
    refused = [result for result in run.results if not result.done]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(run, len(refused)), width="content")
        st.space("stretch")
        st.button(
            "Dismiss",
            key="bulk-dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=bulk_report.dismiss,
            args=[SEEN, run.request_id, person.email],
        )
    if refused:
        bulk_report.refusals(refused)


def _sentence(run: bulk.Run, refused: int) -> str:
    words, done = _words(run), len(run.results) - refused
    asked = len(run.asked)
    if run.finished_at is None:
        return (
            f":material/warning: **{words.label} was cut off after {len(run.results):,} of "
            f"{asked:,}.** Choose the others and send it again; nothing is done twice."
        )
    icon = ":material/check:" if not refused else ":material/info:"
    told = f"{icon} **{words.done} {done:,} of {_number(asked)}**"
    return f"{told} · {refused:,} refused" if refused else told


def _words(run: bulk.Run) -> BulkAct:
    return ACTS_BY_ACT[Act[run.act]]

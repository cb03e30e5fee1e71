"""Bulk acts: their fields, words and conditions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.forms import bulk_report
from dashboard.forms.fields import ANY_DAY
from dashboard.ui import figures, lookups, state
from data_access.db import database, text_rules
from data_access.db.errors import Invalid
from data_access.people import staff
from data_access.people.commands import Verb
from data_access.people.staff import Person
from data_access.review import bulk, decisions, deferrals
from data_access.review.bulk import AskEach, AssignEach, ClaimEach, DeferEach, RejectEach
from data_access.review.bulk_runs import BulkCommand
from program.messages import canned_texts
from program.messages.canned_texts import CANNED_BY_KEY, Canned, Use
from program.review.permissions import Act
from program.review.reapplication import RULES, RULES_BY_KEY, default_rule
from program.review.workflow import OPEN_STATUSES, REASONS, REASONS_BY_CODE, Move, Status, way

FORM = "bulk"
NEXT_STEP = "Placeholders such as {{username}} are filled for each; the next step shows one."
KNOWINGLY = "Include those where it is not established; their message does not claim it."
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """A bulk act: its labels, fields, validation, command and verb.

    ``command`` takes the fields, and those that every command has. ``move`` is its transition;
    without one it changes only who works on an application.
    """

    act: Act
    label: str
    done: str
    icon: str
    names: tuple[str, ...] = ()
    draw: Callable[[Fields], None] = lambda _: None
    check: Callable[[Fields, datetime], None] = lambda _, __: None
    says: Callable[[Fields], Sequence[str]] = lambda _: ()
    command: Callable[[Fields, Fields], BulkCommand]
    verb: Verb[Any, object]
    move: Move | None = None

    @property
    def destroys(self) -> bool:
        """Whether it takes something away from the applicants."""
        return self.move is Move.REJECT

    @property
    def needs(self) -> bool:
        """Whether a field must be filled in before confirming."""
        return bool(self.names)


def offered(person: Person, status: Status) -> list[BulkAct]:
    """Return the acts that this person's role and this list's status allow."""
    return [
        one
        for one in ACTS
        if person.may(one.act) and (way(one.move, status) if one.move else status in OPEN_STATUSES)
    ]


def key(name: str) -> str:
    """Return the field's key. A text belongs to the reason or question that suggested it."""
    part = name
    if name in ("message", "rationale", "reapply", "knowingly"):
        part = f"{name}-{state.typed(key('about')) or ''}"
    return state.form_key(FORM, part)


# The fields of each act.


def _assign_fields(fields: Fields) -> None:
    people = _reviewers()
    st.selectbox(
        "Colleague",
        list(people),
        format_func=people.__getitem__,
        index=_place(list(people), fields.get("assignee")),
        placeholder="Choose a colleague",
        key=key("assignee"),
    )


def _reviewers() -> dict[str, str]:
    with database.reading(database.reader()) as connection:
        return staff.names_of(staff.assignable(connection, today=datetime.now(UTC).date()))


def _check_assign(fields: Fields, _now: datetime) -> None:
    if not fields["assignee"]:
        raise Invalid("Choose a colleague who reviews applications.")


def _defer_fields(fields: Fields) -> None:
    st.date_input(
        "Until",
        value=fields.get("until"),
        format="YYYY-MM-DD",
        key=key("until"),
        **ANY_DAY,
    )
    st.checkbox(
        "Until a criterion's result changes",
        value=bool(fields.get("until_change")),
        key=key("until_change"),
        help="With a date as well, whichever comes first.",
    )
    st.text_area(
        "Reason (internal, optional)",
        value=fields.get("reason") or "",
        height=80,
        key=key("reason"),
    )


def _check_defer(fields: Fields, now: datetime) -> None:
    deferrals.check(fields["until"], fields["until_change"], now)
    text_rules.allow(fields["reason"], what="The reason", longest=deferrals.LONGEST_REASON)


def _say_defer(fields: Fields) -> list[str]:
    until = figures.day(fields["until"], year=True) if fields["until"] else None
    change = "a criterion's result changes" if fields["until_change"] else None
    return [
        f"Until {' or '.join(filter(None, [until, change]))}",
        *([f"Reason: {fields['reason']}"] if fields["reason"] else []),
    ]


def _ask_fields(fields: Fields) -> None:
    canned = canned_texts.texts(Use.INFORMATION)
    about = _about("Question", canned, fields)
    if about is not None:
        _message(CANNED_BY_KEY[Use.INFORMATION, about], fields)


def _check_message(fields: Fields) -> None:
    if not fields["about"]:
        raise Invalid("Choose a question first.")
    text_rules.require(
        fields["message"] or "",
        what="The message to the applicant",
        longest=text_rules.LONGEST_MESSAGE,
    )


def _reject_fields(fields: Fields) -> None:
    canned = [CANNED_BY_KEY[Use.REJECTION, reason.code] for reason in REASONS]
    about = _about("Reason", canned, fields)
    if about is None:
        return
    text = CANNED_BY_KEY[Use.REJECTION, about]
    st.text_area(
        "Rationale (internal, the same for all)",
        value=_before("rationale", about, fields, text.rationale or ""),
        height=80,
        key=key("rationale"),
    )
    keys = [rule.key for rule in RULES]
    st.selectbox(
        "May apply again",
        keys,
        format_func=lambda key: RULES_BY_KEY[key].label,
        index=keys.index(_before("reapply", about, fields, default_rule(about))),
        key=key("reapply"),
    )
    if REASONS_BY_CODE[about].asserts:
        st.checkbox(
            "Include those where this is not established; their message does not claim it",
            value=bool(_before("knowingly", about, fields, "")),
            key=key("knowingly"),
            help="Otherwise each of them is refused and named in the report.",
        )
    _message(text, fields)


def _check_reject(fields: Fields, _now: datetime) -> None:
    _check_message(fields)
    decisions.require_reason(fields["about"])
    text_rules.require(
        fields["rationale"] or "", what="The rationale", longest=decisions.LONGEST_TEXT
    )


def _say_reject(fields: Fields) -> list[str]:
    return [
        f"Reason: {REASONS_BY_CODE[fields['about']].label}",
        f"Rationale: {fields['rationale']}",
        f"May apply again: {RULES_BY_KEY[fields['reapply']].label.lower()}",
        *([KNOWINGLY] if fields["knowingly"] else []),
    ]


def _about(label: str, canned: Sequence[Canned], fields: Fields) -> str | None:
    labels = {text.key: text.label for text in canned}
    return st.selectbox(
        label,
        list(labels),
        format_func=labels.__getitem__,
        index=_place(list(labels), fields.get("about")),
        placeholder="Choose a reason",
        key=key("about"),
    )


def _message(text: Canned, fields: Fields) -> None:
    st.text_area(
        "Message to the applicant",
        value=_before("message", text.key, fields, text.message),
        height=190,
        key=key("message"),
        help=NEXT_STEP,
    )


def _before(name: str, about: str, fields: Fields, suggested: str) -> str:
    """Return what was typed earlier for the same reason, or the suggestion."""
    typed = fields.get(name) if fields.get("about") == about else None
    return suggested if typed is None else typed


def _place(options: Sequence[str], chosen: str | None) -> int | None:
    return options.index(chosen) if chosen in options else None


def _rejection(fields: Fields, common: Fields) -> RejectEach:
    return RejectEach(
        reason_code=fields["about"],
        rationale=fields["rationale"],
        message=fields["message"],
        reapply=fields["reapply"],
        knowingly=bool(fields["knowingly"]),
        **common,
    )


ACTS: tuple[BulkAct, ...] = (
    BulkAct(
        act=Act.CLAIM,
        label="Claim",
        done="Claimed",
        icon=":material/front_hand:",
        command=lambda _, common: ClaimEach(**common),
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
        says=lambda fields: [f"To {lookups.named(fields['assignee'])}"],
        command=lambda fields, common: AssignEach(**fields, **common),
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
        command=lambda fields, common: DeferEach(**fields, **common),
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
        command=lambda fields, common: AskEach(message=fields["message"], **common),
        verb=bulk.request_information,
        move=Move.REQUEST_INFORMATION,
    ),
    BulkAct(
        act=Act.DECIDE,
        label="Reject",
        done="Rejected",
        icon=":material/block:",
        names=("about", "rationale", "reapply", "knowingly", "message"),
        draw=_reject_fields,
        check=_check_reject,
        says=_say_reject,
        command=_rejection,
        verb=bulk.reject,
        move=Move.REJECT,
    ),
)
ACTS_BY_ACT: dict[Act, BulkAct] = {one.act: one for one in ACTS}
RUNS = bulk_report.Words(
    desk="bulk",
    noun="application",
    acts={
        **{one.act.name: (one.label, one.done) for one in ACTS},
        Act.UNDO.name: ("Undo", "Undone"),
    },
    undoable=(Act.DECIDE.name, Act.REQUEST_INFORMATION.name),
)

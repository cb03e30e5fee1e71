"""The form for one observation."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.forms.fields import ANY_DAY
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.db.errors import ExchangeInDoubt
from data_access.people.staff import Person
from data_access.review import evidence
from data_access.review.evidence import ExchangeAnswer
from program import wording
from program.periods import day_start
from program.policy.evidence import METHOD_LABELS, EvidenceKind, EvidenceMethod
from program.text import numbers

ANOTHER = ""  # Never the name of a recorded exchange.


def name(kind: EvidenceKind, id_: int) -> str:
    """Return the form's name."""
    return f"evidence-{kind}-{id_}"


def draw(id_: int, kind: EvidenceKind, person: Person, now: datetime) -> None:
    """Draw the form."""
    form = name(kind, id_)
    submit.draw(form)
    external = kind is EvidenceKind.EXTERNAL_VOLUME
    with st.form(form, enter_to_submit=False, border=False):
        # In pairs, so that it fits a low window above or below its button.
        with st.container(key=f"pair-value-{form}"):
            st.text_input(
                "Volume in 30 days, USD" if external else "Followers on X",
                key=state.form_key(form, "value"),
                placeholder="20,000,000" if external else "5,200",
            )
            if external:
                st.text_input("Exchange", key=state.form_key(form, "exchange"))
        if external:
            _ask_which(form)
        with st.container(key=f"pair-seen-{form}"):
            st.date_input(
                "Seen on (UTC)",
                value=now.date(),
                format="YYYY-MM-DD",
                key=state.form_key(form, "day"),
                **ANY_DAY,
            )
            st.selectbox(
                "Method",
                list(EvidenceMethod),
                format_func=METHOD_LABELS.__getitem__,
                key=state.form_key(form, "method"),
            )
        st.text_input("Source, a web address", key=state.form_key(form, "source"))
        sending.form_button(
            "Record",
            form=form,
            key=state.form_key(form, "send"),
            type="primary",
            act=_record,
            args=[form, state.request_id(form), id_, kind, person.email],
        )


def _ask_which(form: str) -> None:
    """Ask whether the exchange is one recorded under another name, if in doubt."""
    doubt: ExchangeInDoubt | None = state.kept(form)
    if doubt is None:
        return
    others = wording.listed(doubt.doubts, last="or")
    st.radio(
        f"Is {escape(doubt.name)} the same as {escape(others)}?",
        [*doubt.doubts, ANOTHER],
        format_func=lambda name: f"Yes, {escape(name)}" if name else "No, another exchange",
        index=None,
        key=state.form_key(form, "which"),
    )


def _answer(form: str, chosen: str | None) -> ExchangeAnswer | None:
    doubt: ExchangeInDoubt | None = state.kept(form)
    if doubt is None or chosen is None:
        return None
    return ExchangeAnswer(doubt.name, None if chosen == ANOTHER else chosen)


def _record(form: str, request_id: UUID, id_: int, kind: EvidenceKind, actor: str) -> None:
    """Record the form's content; a refusal keeps everything typed."""
    held = {
        part: state.entered(form, part, request_id)
        for part in ("value", "exchange", "which", "day", "method", "source")
    }
    now = datetime.now(UTC)
    state.hold(decision_name(id_))
    # With 5.000 for five thousand, a number that may have decimals would be five.
    whole = kind is EvidenceKind.X_FOLLOWERS
    typed = numbers.as_seen(held["value"] or "")
    try:
        value = numbers.read_typed(typed, whole=whole)
    except numbers.NotANumber as error:
        quoted = wording.quoted(typed)
        submit.refused(form, f"Write the value as a plain number: {quoted} {error}.")
        return
    if held["day"] is None:
        submit.refused(form, "Enter the day it was seen.")
        return
    # Only the date is known: an earlier day counts from its noon, today from now.
    noon = day_start(held["day"]) + timedelta(hours=12)
    observed_at = min(noon, now) if held["day"] == now.date() else noon
    entry = evidence.Entry(
        kind=kind,
        value=value,
        observed_at=observed_at,
        method=held["method"] or EvidenceMethod.OTHER,
        exchange_name=held["exchange"] or "",
        source_url=held["source"] or "",
        answer=_answer(form, held["which"]),
    )
    command = evidence.RecordEvidence(
        application_id=id_, entry=entry, actor=actor, at=now, request_id=request_id
    )
    try:
        result = submit.submit(
            form,
            command,
            evidence.record,
            confirmation="Evidence recorded.",
            raises=(ExchangeInDoubt,),
        )
    except ExchangeInDoubt as doubt:
        state.keep(form, doubt)
        submit.refused(form, str(doubt))
        return
    if result is not None:
        state.forget(form)

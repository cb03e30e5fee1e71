"""Templates by kind and language: edit, preview with an application, save."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import figures, lookups, state
from dashboard.ui.safe_text import escape
from data_access.applications import read
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.messages import templates as message_templates
from data_access.messages.templates import SavedTemplate, SaveTemplate
from data_access.people.staff import Person
from program.messages import letters
from program.messages.delivery import ENGLISH, KIND_WORDS, MessageKind
from program.messages.letters import Template

SAMPLE = "The colleague's text appears here."


def choose(templates: Sequence[Template]) -> tuple[MessageKind, str]:
    """Draw the choice of the template; a new language can be typed."""
    left, right = st.columns(2, gap="large")
    kind = left.selectbox(
        "Message type", list(MessageKind), format_func=KIND_WORDS.get, key="template-kind"
    )
    languages = sorted({template.language for template in templates})
    language = right.selectbox(
        "Language",
        languages,
        index=languages.index(ENGLISH),
        accept_new_options=True,
        key="template-language",
        help="A code such as es or pt-BR. A new language starts with the text sent so far.",
    )
    return MessageKind(kind), str(language or ENGLISH).strip()


def draw(
    kind: MessageKind,
    language: str,
    versions: Sequence[SavedTemplate],
    spoken: Template,
    person: Person,
) -> None:
    """Draw the fields, a preview with an application, and earlier versions.

    ``spoken`` is the template in use, with which a new one starts.
    """
    current = versions[0].template if versions else letters.shipped(kind, language)
    version = current.version if current else 0
    form = f"template-{kind}-{language}-{version}"
    submit.draw(form)
    left, right = st.columns(2, gap="large")
    with left:
        subject, body = _fields(form, spoken)
        sending.button(
            f"Save version {version + 1}",
            form=form,
            key=state.form_key(form, "save"),
            act=_save,
            args=[form, state.request_id(form), kind, language, version, person.email],
            icon=":material/save:",
            type="primary",
        )
        with st.expander("Placeholders"):
            for placeholder in letters.PLACEHOLDERS:
                st.text(f"{{{{{placeholder.name}}}}}  {placeholder.meaning}")
    with right:
        _preview(subject, body)
        _earlier(versions, current, spoken)


def _fields(form: str, current: Template) -> tuple[str, str]:
    subject = st.text_input(
        "Subject",
        value=current.subject,
        max_chars=letters.LONGEST_SUBJECT,
        key=state.form_key(form, "subject"),
    )
    body = st.text_area(
        "Text",
        value=current.body,
        height=220,
        max_chars=letters.LONGEST_BODY,
        key=state.form_key(form, "body"),
    )
    return subject, body


def _preview(subject: str, body: str) -> None:
    """Draw what an applicant would get, or what is wrong."""
    number = st.text_input("Preview with application", key="template-preview", placeholder="1042")
    id_ = read.possible_id((number or "").strip())
    if id_ is None:
        st.caption("Enter an application number to preview the template with its values.")
        return
    try:
        with database.reading(database.reader()) as connection:
            application = read.read(connection, id_, now=datetime.now(UTC))
        letter = message_templates.preview(application, subject=subject, body=body, message=SAMPLE)
    except Refusal as refusal:
        st.error(escape(str(refusal)), icon=":material/error:")
        return
    with st.container(border=True):
        st.text(letter.subject)
        st.text(letter.text)


def _earlier(versions: Sequence[SavedTemplate], current: Template | None, spoken: Template) -> None:
    if not versions:
        used = "English" if spoken.language == ENGLISH else spoken.language
        st.caption(
            f"This language has no version yet; the {used} template for "
            f"{KIND_WORDS[spoken.kind]} is used."
            if current is None
            else "This is the built-in text."
        )
        return
    with st.expander(f"Versions, {len(versions):,}"):
        for saved in versions:
            made, at = saved.template, figures.moment(saved.saved_at)
            st.caption(f"Version {made.version} · {escape(lookups.named(saved.author))} · {at}")
            st.text(f"{made.subject}\n\n{made.body}")


def _save(
    form: str, request_id: UUID, kind: MessageKind, language: str, version: int, actor: str
) -> None:
    command = SaveTemplate(
        kind=kind,
        language=language,
        subject=state.entered(form, "subject", request_id) or "",
        body=state.entered(form, "body", request_id) or "",
        shown_version=version,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    saved = submit.submit(form, command, message_templates.save)
    if saved is not None:
        confirmation = f"Version {saved} is in use." if saved != version else "Nothing was changed."
        submit.accepted("", confirmation)

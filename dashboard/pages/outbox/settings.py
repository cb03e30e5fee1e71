"""Delivery settings: silent mode, rejection messages, channels, and languages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import figures, lookups, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import Invalid
from data_access.messages import settings as message_settings
from data_access.messages.settings import SavedSettings, Silencing
from data_access.people.staff import Person
from program import wording
from program.messages import letters
from program.messages.delivery import KIND_WORDS, DeliverySettings
from program.messages.letters import Template

# Results of proposals are shown by the page, since the proposal may be gone.
PAGE = ""
CONFIRM, DECLINE = "silencing-confirm", "silencing-decline"
PLATFORMS = ("telegram", "discord", "whatsapp", "wechat", "line", "x", "instagram", "phone")


def draw(versions: list[SavedSettings], person: Person) -> None:
    """Draw the current settings with their fields, and earlier versions."""
    current = versions[0].settings
    form = f"delivery-{current.version}"
    submit.draw(form)
    left, right = st.columns(2, gap="large")
    with left:
        _fields(form, current)
        sending.button(
            f"Save version {current.version + 1}",
            form=form,
            key=state.form_key(form, "save"),
            act=_save,
            args=[form, state.request_id(form), current.version, person.email],
            icon=":material/save:",
            type="primary",
        )
    with right:
        st.markdown(f"**Versions** · {len(versions):,}")
        for saved in versions:
            _draw_version(saved)


def draw_missing(current: DeliverySettings, templates: Sequence[Template]) -> None:
    """Name the templates missing in languages in use, for which English is sent."""
    for language in sorted(set(current.language_by_country.values())):
        missing = letters.missing_kinds(templates, language)
        if missing:
            named = wording.listed([KIND_WORDS[kind] for kind in missing])
            st.warning(
                f"No template in {language} for: {named}. English is sent.",
                icon=":material/translate:",
            )


def draw_waiting(proposal: Silencing | None, current: DeliverySettings, person: Person) -> None:
    """Draw a change that sends fewer messages, and who may confirm it."""
    if proposal is None:
        return
    what = _less_words(current, proposal.settings)
    note = f": {proposal.note}" if proposal.note else ""
    st.warning(
        f"{escape(lookups.named(proposal.proposed_by))} asks to {what}, "
        f"{figures.moment(proposal.proposed_at)}{escape(note)}. A second person confirms it.",
        icon=":material/volume_off:",
    )
    # It puts all of the settings in force.
    st.text(f"It would be: {wording.inline(_in_words(proposal.settings))}.")
    with st.container(horizontal=True):
        own = proposal.proposed_by == person.email
        if not own:
            sending.button(
                f"Confirm: {what}",
                form=PAGE,
                key=CONFIRM,
                act=_confirm,
                args=[proposal, person.email, state.request_id(CONFIRM)],
                sends=proposal,
                type="primary",
            )
        sending.button(
            "Take back" if own else "Decline",
            form=PAGE,
            key=DECLINE,
            act=_decline,
            args=[proposal, person.email, state.request_id(DECLINE)],
            sends=proposal,
        )


def _less_words(current: DeliverySettings, proposed: DeliverySettings) -> str:
    """Describe which messages would no longer be sent."""
    stops = []
    if proposed.silent and not current.silent:
        stops.append("all messages")
    if current.send_rejections and not proposed.send_rejections:
        stops.append("rejection messages")
    return f"stop {wording.listed(stops)}" if stops else "send fewer messages"


def _confirm(proposal: Silencing, actor: str, request_id: UUID) -> None:
    command = message_settings.ConfirmSilencing(
        proposal_id=proposal.proposal_id, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    confirmation = "The settings are in force now."
    submit.submit(
        PAGE, command, message_settings.confirm, renews=CONFIRM, confirmation=confirmation
    )


def _decline(proposal: Silencing, actor: str, request_id: UUID) -> None:
    command = message_settings.DeclineSilencing(
        proposal_id=proposal.proposal_id, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    confirmation = "The settings stay as they are."
    submit.submit(
        PAGE, command, message_settings.decline, renews=DECLINE, confirmation=confirmation
    )


def _fields(form: str, current: DeliverySettings) -> None:
    st.toggle(
        "Silent mode: send no messages",
        value=current.silent,
        key=state.form_key(form, "silent"),
        help="New messages are withheld. You can send each of them once this is off.",
    )
    st.toggle(
        "Send rejection messages",
        value=current.send_rejections,
        key=state.form_key(form, "rejections"),
    )
    st.multiselect(
        "Contact platforms to reach by email instead",
        [*PLATFORMS, *(name for name in current.email_instead if name not in PLATFORMS)],
        default=list(current.email_instead),
        accept_new_options=True,
        key=state.form_key(form, "email"),
        help="Other platforms except email go to the exchange's own endpoint.",
    )
    st.text_area(
        "Language by country, one per line",
        value="\n".join(f"{c}: {s}" for c, s in sorted(current.language_by_country.items())),
        placeholder="BR: pt\nMX: es",
        height=90,
        key=state.form_key(form, "languages"),
        help="Other countries: English. A language needs its templates first.",
    )
    st.text_input(
        "Reason, for colleagues",
        max_chars=message_settings.LONGEST_NOTE,
        key=state.form_key(form, "note"),
    )


def _draw_version(saved: SavedSettings) -> None:
    st.caption(
        f"Version {saved.settings.version} · {escape(lookups.named(saved.author))} · "
        f"{figures.moment(saved.saved_at)}"
    )
    words = _in_words(saved.settings)
    st.text(words)
    if saved.note and saved.note != words:
        st.text(saved.note)


def _in_words(settings: DeliverySettings) -> str:
    """Describe the settings: who gets messages, and what differs from the defaults."""
    rejections = settings.send_rejections
    if settings.silent:
        words = [f"No messages are sent{'' if rejections else ', and no rejections afterwards'}"]
    else:
        words = [f"All messages {'' if rejections else 'but rejections '}are sent"]
    if settings.email_instead:
        words.append(f"by email instead of {wording.listed(settings.email_instead)}")
    pairs = settings.language_by_country.items()
    if pairs:
        words.append(", ".join(f"{country} in {language}" for country, language in sorted(pairs)))
    return "; ".join(words)


def languages(typed: str) -> dict[str, str]:
    """Parse countries and languages from lines such as ``BR: pt``. Raises Invalid."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in typed.splitlines())):
        country, sign, language = line.partition(":")
        if not sign:
            raise Invalid("Write a country and its language on a line each, such as BR: pt.")
        name = country.strip().upper()
        if name in found:
            raise Invalid(f"{name} has two languages. Write one line for each country.")
        found[name] = language.strip()
    return found


def _save(form: str, request_id: UUID, version: int, actor: str) -> None:
    try:
        by_country = languages(state.entered(form, "languages", request_id) or "")
    except Invalid as wrong:
        submit.refused(form, str(wrong))
        return
    command = message_settings.SaveSettings(
        silent=bool(state.entered(form, "silent", request_id)),
        send_rejections=bool(state.entered(form, "rejections", request_id)),
        email_instead=state.entered(form, "email", request_id) or [],
        language_by_country=by_country,
        note=state.entered(form, "note", request_id) or "",
        shown_version=version,
        ask=True,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    saved = submit.submit(form, command, message_settings.save)
    if saved is None:
        return
    with database.reading(database.reader()) as connection:
        waits = message_settings.waiting(connection)
    confirmation = f"Version {saved} is in use." if saved != version else "Nothing was changed."
    if saved == version and waits is not None:
        confirmation = "Proposed. It takes effect when a second person confirms it."
    submit.accepted(PAGE, confirmation)

"""The form map: which field is which column, and what its dates and words mean; saved by name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.loading import airtable, form_maps
from data_access.loading.form_map import STATUSES, FormMap
from data_access.loading.form_maps import RetireMap, SavedMap, SaveMap
from data_access.loading.form_text import ENCODINGS, folded
from data_access.loading.imports import Peek
from data_access.people.staff import Person

FORM = "form-map"
RETIRE = "form-map-retire"
NONE = "–"
COLUMNS = {
    "account_id": "Account ID",
    "username": "Username",
    "account": "Account (ID or username)",
    "social_handle": "Social media account *",
    "social_platform": "Social media platform",
    "contact_handle": "Contact information",
    "contact_platform": "Contact platform",
    "submitted_at": "Submitted *",
    "status": "Status",
    "application_id": "Application ID",
}
WITH_ZONE = "With their zone, 2026-04-25T15:01:00Z"
FORMATS = {
    "European": "European, 25/4/2026",
    "US": "US, 4/25/2026",
    "ISO": "ISO, 2026-04-25",
    "Friendly": "Friendly, April 25, 2026",
}
AS_IT_IS, REPORTED = "as it is", "report the row"
WORDS_ASKED = 12


def encoding(likely: str, key: str) -> str:
    """Draw the choice of the file's encoding; "" detects it."""
    options = ["", *(name for name in ENCODINGS if name.startswith("windows"))]
    chosen: str = st.selectbox(
        "Encoding",
        options,
        index=options.index(likely) if likely in options else 0,
        format_func=lambda name: ENCODINGS.get(name, "Recognized"),
        key=f"{key}-encoding",
    )
    return chosen


def draw(peek: Peek, chosen: FormMap, key: str) -> dict[str, Any]:
    """Draw the map's widgets, filled from ``chosen``; returns their values as a map's content."""
    with st.expander("Fields, dates and values", expanded=True, icon=":material/rule:"):
        fields = _fields(peek.header, chosen, key)
        content: dict[str, Any] = {"fields": fields}
        dates = _dates(chosen, key)
        if dates:
            content["dates"] = dates
        platforms = _platforms(peek, fields, chosen, key)
        statuses = _statuses(peek, fields, chosen, key)
    content |= {"platforms": platforms} if platforms else {}
    return content | ({"statuses": statuses} if statuses else {})


def _fields(header: Sequence[str], chosen: FormMap, key: str) -> dict[str, str]:
    st.caption(
        "Match the file's fields. One field for the account and those marked * are required."
    )
    options = [NONE, *dict.fromkeys(name for name in header if name)]
    fields = {}
    places = st.columns(5)
    for at, (column, label) in enumerate(COLUMNS.items()):
        sought = {folded(name) for name in chosen.fields.get(column, ())}
        found = next((name for name in options[1:] if folded(name) in sought), NONE)
        with places[at % 5]:
            name = st.selectbox(
                label, options, index=options.index(found), key=f"{key}-field-{column}"
            )
        fields[column] = "" if name == NONE else name
    return fields


def _dates(chosen: FormMap, key: str) -> dict[str, str]:
    dates: Mapping[str, str] = chosen.content.get("dates", {})
    formats = [WITH_ZONE, *FORMATS]
    if dates.get("format") and dates["format"] not in formats:
        formats.append(dates["format"])
    left, right, _ = st.columns([2, 2, 1])
    date_format = left.selectbox(
        "Date format",
        formats,
        index=formats.index(dates.get("format", WITH_ZONE)),
        format_func=lambda name: FORMATS.get(name, name),
        key=f"{key}-date-format",
    )
    zones = ["UTC", *sorted(available_timezones() - {"UTC"})]
    zone = dates.get("zone", "UTC")
    zones += [] if zone in zones else [zone]
    zone = right.selectbox(
        "Time zone",
        zones,
        index=zones.index(zone),
        disabled=date_format == WITH_ZONE,
        key=f"{key}-zone",
    )
    return {} if date_format == WITH_ZONE else {"format": date_format, "zone": zone}


def _platforms(peek: Peek, fields: Mapping[str, str], chosen: FormMap, key: str) -> dict[str, str]:
    meanings: Mapping[str, str] = chosen.content.get("platforms", {})
    known = FormMap().platforms
    words = _words(peek, fields, ("social_platform", "contact_platform"))
    unknown = [word for word in words if word.lower() not in known]
    several = [word for word in unknown if airtable.several(word, FormMap())]
    single = [word for word in unknown if word not in several]
    names = list(dict.fromkeys(known.values()))
    title = "Several platforms in one cell"
    meant = _choices(title, several, [REPORTED, *names], meanings, key)
    other = _choices("Unknown platforms", single, [AS_IT_IS, *names], meanings, key)
    return {**meanings, **meant, **other}


def _statuses(peek: Peek, fields: Mapping[str, str], chosen: FormMap, key: str) -> dict[str, str]:
    meanings: Mapping[str, str] = chosen.content.get("statuses", {})
    words = [word for word in _words(peek, fields, ("status",)) if word.lower() not in STATUSES]
    meant = _choices("Meaning of the form's statuses", words, [REPORTED, *STATUSES], meanings, key)
    return {**meanings, **meant}


def _words(peek: Peek, fields: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    found = [word for column in columns if fields[column] for word in peek.words(fields[column])]
    return list(dict.fromkeys(found))


def _choices(
    title: str, words: Sequence[str], options: list[str], meanings: Mapping[str, str], key: str
) -> dict[str, str]:
    """Return the chosen meaning of each word, for words with one."""
    if not words:
        return {}
    st.caption(f"{title}: {min(len(words), WORDS_ASKED):,} of {len(words):,}")
    places, meant = st.columns(4), {}
    for at, word in enumerate(words[:WORDS_ASKED]):
        before = meanings.get(word, options[0])
        listed = options if before in options else [*options, before]
        with places[at % 4]:
            choice = st.selectbox(
                escape(word[:60]),
                listed,
                index=listed.index(before),
                key=f"{key}-word-{_token(word)}",
            )
        if choice != options[0]:
            meant[word] = choice
    return meant


def _token(word: str) -> str:
    # The key is part of the page, where a file's content must not appear.
    return sha256(word.encode()).hexdigest()[:16]


def keeping(saved: SavedMap | None, content: Mapping[str, Any], person: Person) -> None:
    """Draw the buttons to save the map under a name, replace the chosen one, or retire it."""
    submit.draw(FORM)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Name of the map",
            max_chars=form_maps.LONGEST_NAME,
            placeholder="for example: Application form",
            key=state.form_key(FORM, "name"),
            width=280,
        )
        sending.button(
            "Save as",
            form=FORM,
            key=state.form_key(FORM, "save"),
            act=_save,
            args=[person.email, content, None, state.request_id(FORM)],
            icon=":material/save:",
        )
        if saved is not None and saved.content != content:
            sending.button(
                f"Replace {escape(saved.name)}",
                form=FORM,
                key=state.form_key(FORM, "replace"),
                act=_save,
                args=[person.email, content, saved, state.request_id(FORM)],
                sends=saved.map_id,
                icon=":material/sync:",
            )
        if saved is not None:
            sending.button(
                "Retire this map",
                form=FORM,
                key=state.form_key(FORM, "retire"),
                act=_retire,
                args=[person.email, saved, state.request_id(RETIRE)],
                sends=saved.map_id,
                type="tertiary",
            )


def _save(
    actor: str, content: Mapping[str, Any], replaced: SavedMap | None, request_id: UUID
) -> None:
    typed = state.entered(FORM, "name", request_id) or ""
    name = replaced.name if replaced else typed.strip()
    command = SaveMap(
        name=name,
        definition=content,
        expected=replaced.map_id if replaced else None,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if submit.submit(FORM, command, form_maps.save) is not None:
        state.show("import-map", name)
        submit.accepted(FORM, f"The map {name} is saved.")


def _retire(actor: str, saved: SavedMap, request_id: UUID) -> None:
    command = RetireMap(
        map_id=saved.map_id, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    if submit.submit(FORM, command, form_maps.retire, renews=RETIRE) is not None:
        submit.accepted(FORM, f"The map {saved.name} is retired.")

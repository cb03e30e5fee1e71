"""Import a form's export: upload, map the fields, preview the result, load."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import background, sending, submit
from dashboard.pages.imports import field_map, tables, under_way
from dashboard.pages.imports import report as import_report
from dashboard.pages.imports.under_way import FORM
from dashboard.ui import lookups, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.loading import form_map, form_maps, imports
from data_access.loading.form_map import FormMap
from data_access.loading.form_maps import SavedMap
from data_access.loading.form_text import DELIMITERS, ENCODINGS, looks_like
from data_access.loading.forms import Outcome
from data_access.loading.imports import Peek, Report, Upload
from data_access.people.jobs import JobKind
from data_access.people.staff import Person

COMMON = "Common field names"
PREVIEWED = 8
ACCEPTED = ["csv", "txt", "tsv", "gz", "zst"]
# As in .streamlit/config.toml.
LARGEST_MB = 1


def draw(person: Person) -> None:
    """Draw the steps, each once the previous one is done."""
    if under_way.draw(actor=person.email):
        return
    submit.draw(FORM)
    upload = _uploaded()
    if upload is None:
        return
    saved = _saved_map()
    base = form_map.parse(saved.content, saved.name) if saved else FormMap()
    key = f"import-{upload.sha256[:8]}-{saved.map_id if saved else 0}"
    try:
        content = _content(upload, base, key, person, saved)
        report = _preview(upload, content, person)
    except Refusal as refusal:
        for detail in refusal.details or (str(refusal),):
            st.error(escape(detail), icon=":material/error:")
        return
    st.markdown("##### Preview of the import")
    import_report.draw(report, stem=_stem(upload), key=key)
    _load_button(upload, content, saved, report, person)


def _uploaded() -> Upload | None:
    sent = st.file_uploader(
        f"Export of the form: CSV of at most {LARGEST_MB} MB, also compressed as .gz or .zst",
        type=ACCEPTED,
        key=state.form_key(FORM, "file"),
    )
    if sent is None:
        st.caption(
            "In Airtable: open the grid view, choose Download CSV. Save an Excel workbook as "
            "“CSV UTF-8” first. Larger files: python -m data_access load applications "
            "--format airtable --keep-rest FILE."
        )
        return None
    return Upload(name=sent.name, content=sent.getvalue())


def _saved_map() -> SavedMap | None:
    with database.reading(database.reader()) as connection:
        saved = {one.name: one for one in form_maps.listed(connection)}
    names = [COMMON, *saved]
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    name = left.selectbox(
        "Read with the map", names, key="import-map", help="Saved maps are shared with everybody."
    )
    if name in saved:
        one = saved[name]
        right.caption(
            f"Saved by {escape(lookups.named(one.saved_by))} on {one.saved_at:%-d %b %Y}."
        )
    return saved.get(name)


def _content(
    upload: Upload, base: FormMap, key: str, person: Person, saved: SavedMap | None
) -> dict[str, Any]:
    """Return the map widgets' values, with the file's first rows above them."""
    likely = base.encoding or _likely(upload)
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        chosen = field_map.encoding(likely, key)
    file = {"encoding": chosen} if chosen else {}
    file |= {"delimiter": base.delimiter} if base.delimiter else {}
    peek = imports.peek(upload, form_map.parse({**base.content, "file": file}, upload.name))
    right.caption(_how_read(peek, guessed=bool(likely and not base.encoding)))
    tables.preview(peek.header, peek.rows[:PREVIEWED])
    content = field_map.draw(peek, base, key)
    content |= {"file": file} if file else {}
    field_map.keeping(saved, content, person)
    return content


def _likely(upload: Upload) -> str:
    found = looks_like(upload.content[:200_000])
    packed = upload.name.lower().endswith((".gz", ".zst"))
    marked = upload.content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return found if found.startswith("windows") and not packed and not marked else ""


def _how_read(peek: Peek, *, guessed: bool) -> str:
    encoding = ENCODINGS.get(peek.encoding, peek.encoding)
    words = f"Read as {encoding}, columns separated by {DELIMITERS[peek.delimiter]}: "
    rows = f"{len(peek.rows):,} rows of {len(peek.header):,} fields, the first {PREVIEWED} below."
    doubt = " It is not UTF-8. Check that names look right." if guessed else ""
    return words + rows + doubt


def _preview(upload: Upload, content: Mapping[str, Any], person: Person) -> Report:
    """Return what the import would do, computed once per file and map."""
    key = (upload.sha256, upload.name, json.dumps(content, sort_keys=True))
    before = state.kept(FORM)
    if before is not None and before[0] == key:
        report: Report = before[1]
        return report
    with st.spinner("Checking every row …"):
        report = submit.load(
            imports.preview,
            upload,
            form_map.parse(content, upload.name),
            now=datetime.now(UTC),
            actor=person.email,
        )
    state.keep(FORM, (key, report))
    return report


def _load_button(
    upload: Upload,
    content: Mapping[str, Any],
    saved: SavedMap | None,
    report: Report,
    person: Person,
) -> None:
    good, rest = report.count(Outcome.NEW, Outcome.CHANGED), report.count(Outcome.KEPT)
    words = f"Load {good:,} row{'' if good == 1 else 's'}" if good else "Nothing new to load"
    words += f" and keep {rest:,} for later" if rest else ""
    name = saved.name if saved and saved.content == content else None
    sending.button(
        words,
        form=FORM,
        key=state.form_key(FORM, "load"),
        act=_load,
        args=[person.email, upload, content, name, state.request_id(FORM)],
        sends=(upload.sha256, content),
        type="primary",
        icon=":material/upload:",
        disabled=not good and not rest,
    )


def _load(
    actor: str, upload: Upload, content: Mapping[str, Any], name: str | None, request_id: UUID
) -> None:
    command = imports.MakeImport(
        upload=upload,
        read_by=form_map.parse(content, upload.name),
        map_name=name,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    shown = {under_way.FILE: upload.name}
    if not background.submit(FORM, command, imports.make, kind=JobKind.IMPORT, shown=shown):
        return
    under_way.follow(request_id)
    state.forget(FORM)
    if not background.is_running(request_id):
        under_way.finish(request_id)


def _stem(upload: Upload) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in upload.name[:60])

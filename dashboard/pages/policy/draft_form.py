"""The form of a draft: a field for each setting, in groups."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.policy import thresholds
from dashboard.pages.policy.settings_table import groups_by_column, of_group
from dashboard.ui import state
from data_access.db.errors import Contradictory
from data_access.people.staff import Person
from data_access.policy import drafts
from data_access.policy.drafts import Kept
from program.periods import WindowKind, day_start
from program.policy import checklist, settings
from program.policy.drafts import HORIZON_DAYS, LONGEST_NOTE, Draft, carried_over
from program.policy.policy import Policy
from program.policy.setting import TYPED, Group, Setting, SettingKind
from program.policy.settings import WINDOW_WORDS

PLACE = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft as its form was drawn: saved already, or started from ``base``."""

    base: Policy
    kept: Kept | None

    @property
    def form(self) -> str:
        """The form's name: each revision is another form, with its own fields."""
        if self.kept is not None:
            return f"policy-{self.kept.draft_id}-{self.kept.revision}"
        return f"policy-new-{self.base.version}"

    @property
    def draft(self) -> Draft:
        """The initial values of the fields."""
        if self.kept is not None:
            return self.kept.draft
        return Draft(policy=self.base, note="", base_version=self.base.version)


def draw(written: Written, person: Person) -> None:
    """Draw the whole form. It is sent at once, so nothing reruns while somebody types."""
    draft, form = written.draft, written.form
    families = thresholds.choose(written.base, draft.policy)
    with st.form(form, border=False):
        for column, groups in zip(st.columns(3), groups_by_column(), strict=True):
            with column:
                for group in groups:
                    _draw_group(group, draft.policy, written)
                if column_is_last(groups):
                    _draw_about(draft, form)
        thresholds.draw_fields(families, lambda one: _draw_field(one, draft.policy, written))
        sending.form_button(
            "Save the draft",
            form=PLACE,
            key=state.form_key(form, "save"),
            act=_save,
            args=[written, person.email, state.request_id(form)],
            icon=":material/save:",
            type="secondary" if written.kept else "primary",
        )


def column_is_last(groups: list[Group]) -> bool:
    """Whether these are the groups of the last column, which has the note below."""
    return groups == groups_by_column()[-1]


def discard_button(kept: Kept, person: Person) -> None:
    """Draw the button that discards the draft."""
    form = f"policy-discard-{kept.draft_id}-{kept.revision}"
    sending.button(
        "Discard",
        form=PLACE,
        key=f"{form}-button",
        act=_discard,
        args=[kept, person.email, state.request_id(form)],
        sends=kept,
        icon=":material/delete:",
        type="tertiary",
    )


def carry_over_button(written: Written, old: Policy, person: Person) -> None:
    """Draw the button that rebases the draft on a version published in the meantime."""
    form = f"{written.form}-over-{written.base.version}"
    sending.button(
        f"Move my changes to version {written.base.version}",
        form=PLACE,
        key=f"{form}-button",
        act=_carry_over,
        args=[written, old, person.email, state.request_id(form)],
        sends=written,
        icon=":material/move_up:",
        type="primary",
    )


def _draw_group(group: Group, policy: Policy, written: Written) -> None:
    with st.container(border=True, gap="small", key=f"edit-{group.name}"):
        st.markdown(f"**{group}**")
        for setting in of_group(group):
            _draw_field(setting, policy, written)


def _draw_field(setting: Setting, policy: Policy, written: Written) -> None:
    found: Any = settings.value(policy, setting)
    key = state.form_key(written.form, setting.name)
    before = settings.value(written.base, setting)
    changed = "" if found == before else " :violet-badge[changed]"
    # "Active users" already says what is counted.
    unit = "" if setting.unit in setting.label.lower() else f" ({setting.unit})"
    label = f"{setting.label}{unit}{changed}"
    now = settings.words(setting, before)
    hint = f"{setting.explanation} Version {written.base.version}: {now}."
    if setting.kind in TYPED:
        st.text_input(
            label,
            value=settings.typed(setting, found),
            key=key,
            help=hint,
            placeholder=setting.none or None,
        )
    elif setting.kind is SettingKind.CHOICE:
        options = list(setting.choices)
        index = options.index(found)
        st.selectbox(label, options, index=index, format_func=_window, key=key, help=hint)
    elif setting.kind is SettingKind.YES_NO:
        st.checkbox(label, value=found, key=key, help=hint)
    else:
        items = list(dict.fromkeys((*found, *setting.choices)))
        st.multiselect(label, items, default=list(found), format_func=_item, key=key, help=hint)


def _draw_about(draft: Draft, form: str) -> None:
    with st.container(border=True, gap="small", key="edit-about"):
        st.text_area(
            "Reason for the change, saved with the version",
            value=draft.note,
            key=state.form_key(form, "note"),
            max_chars=LONGEST_NOTE,
            height=90,
        )
        starts = draft.effective_from
        st.date_input(
            "Takes effect on, from 00:00 UTC",
            value=starts.date() if starts else None,
            format="YYYY-MM-DD",
            key=state.form_key(form, "starts"),
            help="If empty, it takes effect when a second manager confirms it. "
            f"At most {HORIZON_DAYS} days ahead.",
            **fields.ANY_DAY,
        )


def _window(kind: str) -> str:
    return WINDOW_WORDS[WindowKind(kind)]


def _item(key: str) -> str:
    return checklist.item(key).label


def _save(written: Written, actor: str, request_id: UUID) -> None:
    if submit.refused_to_stranger(PLACE, actor):
        return
    try:
        draft = _typed_draft(written, request_id)
    except ValueError as wrong:
        submit.refused(PLACE, str(wrong))
        return
    confirmation = "The draft is saved. Nothing changes until it is published."
    _send(written, draft, actor, request_id, confirmation)


def _carry_over(written: Written, old: Policy, actor: str, request_id: UUID) -> None:
    draft = carried_over(written.draft, old=old, new=written.base)
    confirmation = f"Your changes now build on version {written.base.version}."
    _send(written, draft, actor, request_id, confirmation)


def _send(written: Written, draft: Draft, actor: str, request_id: UUID, confirmation: str) -> None:
    kept = written.kept
    command = drafts.SaveDraft(
        draft=draft,
        draft_id=kept.draft_id if kept else None,
        revision=kept.revision if kept else None,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    try:
        saved = submit.submit(
            PLACE, command, drafts.save, renews=written.form, raises=(Contradictory,)
        )
    except Contradictory as found:
        submit.refused(PLACE, f"{found} What you typed is kept.")
        return
    if saved is not None:
        submit.accepted(PLACE, confirmation)


def _discard(kept: Kept, actor: str, request_id: UUID) -> None:
    command = drafts.DiscardDraft(
        draft_id=kept.draft_id, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    if submit.submit(PLACE, command, drafts.discard) is not None:
        submit.accepted(PLACE, "The draft is discarded. The history keeps it.")


def _typed_draft(written: Written, request_id: UUID) -> Draft:
    """Return the fields as a draft; raises ValueError with a sentence for each invalid field."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for setting in settings.SETTINGS:
        found = state.entered(written.form, setting.name, request_id)
        if found is None and setting.threshold is not None:
            # Its family was not open.
            continue
        try:
            values[setting.name] = _value(setting, found)
        except ValueError as sentence:
            wrong.append(str(sentence))
    if wrong:
        raise ValueError(" ".join(wrong))
    starts: date | None = state.entered(written.form, "starts", request_id)
    return Draft(
        policy=settings.with_values(written.draft.policy, values),
        note=state.entered(written.form, "note", request_id) or "",
        base_version=written.draft.base_version,
        effective_from=day_start(starts) if starts else None,
    )


def _value(setting: Setting, found: Any) -> Any:  # noqa: ANN401 - each setting has its own type
    if setting.kind in TYPED:
        return settings.parse(setting, found or "")
    if setting.kind is SettingKind.CHOICE:
        return WindowKind(found)
    if setting.kind is SettingKind.CHECKS:
        return tuple(found)
    return found

"""Settings of a policy by group, and differences between two."""

from collections.abc import Sequence

import streamlit as st

from dashboard.ui.safe_text import escape
from program.policy import settings
from program.policy.policy import Policy
from program.policy.setting import Group, Setting, SettingKind
from program.policy.settings import SETTINGS, SETTINGS_BY_NAME, Change

# The groups in columns of about equal length.
COLUMNS: tuple[tuple[Group, ...], ...] = (
    (Group.MINIMUMS, Group.REBATE),
    (Group.COUNTING, Group.DESK, Group.SECOND),
)


def groups_by_column() -> list[list[Group]]:
    """Return the groups in columns; groups without a place go below the checklist.

    Those of risk signals are many, and drawn by `thresholds`.
    """
    placed = {group for column in COLUMNS for group in column} | {Group.RISK}
    used = {setting.group for setting in SETTINGS}
    rest = [group for group in Group if group not in placed and group in used]
    return [*(list(column) for column in COLUMNS), rest]


def of_group(group: Group) -> list[Setting]:
    """Return the settings of a group, in the table's order."""
    return [setting for setting in SETTINGS if setting.group is group]


def draw(policy: Policy) -> None:
    """Draw every setting with its value."""
    for column, groups in zip(st.columns(3), groups_by_column(), strict=True):
        with column:
            for group in groups:
                with st.container(border=True, gap="xsmall", key=f"policy-{group.name}"):
                    st.markdown(f"**{group}**")
                    if group is Group.CHECKLIST:
                        _draw_checklist(policy)
                        continue
                    for setting in of_group(group):
                        _draw_setting(setting, policy)


def draw_changes(changes: Sequence[Change]) -> None:
    """Draw each changed setting, old and new: word, sign and color."""
    for change in changes:
        old, new = change.words
        if change.setting.kind is SettingKind.CHECKS:
            _draw_list_change(change)
            continue
        st.markdown(
            f"{change.setting.label}: :gray[{escape(old)}] → **:violet[{escape(new)}]**",
            help=change.setting.explanation,
        )


def _draw_setting(setting: Setting, policy: Policy) -> None:
    found = settings.value(policy, setting)
    with st.container(horizontal=True, gap="small", wrap=False):
        st.caption(setting.label, width=160, help=setting.explanation)
        st.text(settings.words(setting, found), width="stretch")


def _draw_checklist(policy: Policy) -> None:
    """Draw each item once, and which of them an approval needs."""
    items, required = SETTINGS_BY_NAME["checklist"], SETTINGS_BY_NAME["required_checks"]
    st.caption(f"{items.label}, and which are required", help=required.explanation)
    with st.container(gap="xxsmall"):
        for key in dict.fromkeys((*policy.checklist, *policy.required_checks)):
            needed = " · :orange[required]" if key in policy.required_checks else ""
            st.markdown(f"{escape(settings.words(items, (key,)))}{needed}")


def _draw_list_change(change: Change) -> None:
    old = change.old if isinstance(change.old, tuple) else ()
    new = change.new if isinstance(change.new, tuple) else ()
    words = [
        f"**:violet[+ {escape(settings.words(change.setting, (key,)))}]**"
        for key in new
        if key not in old
    ]
    words += [
        f":gray[{escape('−')} {escape(settings.words(change.setting, (key,)))}]"
        for key in old
        if key not in new
    ]
    st.markdown(
        f"{change.setting.label}: {' · '.join(words) or 'the same items in another order'}",
        help=change.setting.explanation,
    )

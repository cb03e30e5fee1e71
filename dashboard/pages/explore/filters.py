"""One filter per column: the current ones, editing, and adding."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.forms import fields, submit
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from program.reports import column_filters as filtering
from program.reports import value_words
from program.reports.column_filters import Contains, Days, Filter, Known, OneOf, Range
from program.reports.datasets import NUMBERS, TIMES, TRUTHS, ColumnKind, DatasetColumn, label_of
from program.reports.views import View

Apply = Callable[[View], None]
# The choices of a column by its name, with labels.
Choices = Callable[[str], Mapping[str, str]]
LATEST = (1, 7, 30, 90, 365)
ANY_OF, NONE_OF = "any of", "none of"
AS_ASKED, OR_UNKNOWN, ONLY_UNKNOWN, ONLY_KNOWN = (
    "known values", "known values, or unknown", "only unknown", "any known value"
)  # fmt: skip


def draw(view: View, token: str, apply: Apply, choices: Choices) -> None:
    """Draw the current filters with their editors, and the button to add one."""
    for filter_ in view.filters:
        column = view.dataset.column(filter_.column)
        if column is not None:
            label = f"{escape(column.label)}: {escape(_words(filter_)[:80])}"
            with st.popover(
                label,
                key=f"explore-filter-{column.name}",
                icon=":material/filter_alt:",
            ):
                _editor(view, column, filter_, token, apply, choices)
    _adding(view, token, apply, choices)
    if len(view.filters) > 1:
        cleared = replace(view, filters=(), page=1)
        st.button("Clear", type="tertiary", key="explore-clear", on_click=apply, args=[cleared])


def _words(filter_: Filter) -> str:
    """Describe a filter, its values as they are called in the table."""
    if isinstance(filter_, OneOf):
        called = tuple(value_words.word(filter_.column, value) for value in filter_.values)
        filter_ = replace(filter_, values=called)
    return filtering.describe(filter_)


def _adding(view: View, token: str, apply: Apply, choices: Choices) -> None:
    free = [name for name in view.dataset.names if view.filter_on(name) is None]
    with st.popover(
        "Filter",
        icon=":material/add:",
        type="tertiary",
        # Another view has another popover: it closes when its filter is applied.
        key=f"explore-add-{token}",
    ):
        name = st.selectbox(
            "Column",
            free,
            index=None,
            format_func=label_of,
            placeholder="Which column",
            key=f"explore-adding-{token}",
        )
        column = view.dataset.column(name) if name else None
        if column is not None:
            st.caption(column.description)
            _editor(view, column, None, token, apply, choices)


def _editor(
    view: View,
    column: DatasetColumn,
    filter_: Filter | None,
    token: str,
    apply: Apply,
    choices: Choices,
) -> None:
    """Draw fields for the column's type, and the buttons that apply the filter."""
    part = f"explore-{column.name}-{token}"
    submit.draw(part)
    with st.form(part, border=False):
        if column.kind in NUMBERS:
            _range(filter_, part)
        elif column.kind in TIMES:
            _days(filter_, part)
        elif not _is_listed(column, filter_):
            st.text_input(
                "Contains",
                filter_.part if isinstance(filter_, Contains) else "",
                key=f"{part}-part",
            )
        else:
            _one_of(column, filter_, part, choices)
        if column.kind is not ColumnKind.TEXT or not _is_listed(column, filter_):
            st.caption(value_words.taken(column))
        if not column.always:
            options = [AS_ASKED, OR_UNKNOWN, ONLY_UNKNOWN, ONLY_KNOWN]
            st.selectbox(
                "Unknown", options, index=options.index(_unknown(filter_)), key=f"{part}-unknown"
            )
        st.form_submit_button(
            "Apply", key=f"{part}-apply", on_click=_apply, args=[view, column, part, apply]
        )
    if filter_ is not None:
        st.button(
            "Remove this filter",
            key=f"{part}-remove",
            type="tertiary",
            icon=":material/close:",
            on_click=apply,
            args=[view.with_filter(column.name, None)],
        )


def _is_listed(column: DatasetColumn, filter_: Filter | None) -> bool:
    """Whether the filter is on whole values; a text is sought by its parts unless it has some."""
    return column.kind is not ColumnKind.TEXT or isinstance(filter_, OneOf)


def _range(filter_: Filter | None, part: str) -> None:
    held = filter_ if isinstance(filter_, Range) else None
    least, most = st.columns(2)
    least.text_input(
        "At least",
        "" if held is None or held.least is None else f"{held.least:f}",
        key=f"{part}-least",
    )
    most.text_input(
        "At most", "" if held is None or held.most is None else f"{held.most:f}", key=f"{part}-most"
    )


def _days(filter_: Filter | None, part: str) -> None:
    held = filter_ if isinstance(filter_, Days) else None
    first, last = st.columns(2)
    from_, to = (held.first, held.last) if held else (None, None)
    first.date_input("From", from_, key=f"{part}-first", **fields.ANY_DAY)
    last.date_input("To, included", to, key=f"{part}-last", **fields.ANY_DAY)
    options: list[int | None] = [None, *LATEST]
    if held and held.latest and held.latest not in LATEST:
        options.append(held.latest)
    st.selectbox(
        "Or the days before today",
        options,
        index=options.index(held.latest if held else None),
        format_func=lambda days: (
            "–" if days is None else "yesterday" if days == 1 else f"the last {days} days"
        ),
        key=f"{part}-latest",
    )
    st.caption("The days before today move with time, also in a saved view.")


def _one_of(column: DatasetColumn, filter_: Filter | None, part: str, choices: Choices) -> None:
    held = list(filter_.values) if isinstance(filter_, OneOf) else []
    fixed = TRUTHS if column.kind is ColumnKind.TRUTH else column.choices
    labels = {} if fixed or column.kind is ColumnKind.TEXT else choices(column.name)
    without = isinstance(filter_, OneOf) and filter_.without
    st.segmented_control(
        "Which values",
        [ANY_OF, NONE_OF],
        default=NONE_OF if without else ANY_OF,
        key=f"{part}-which",
        label_visibility="collapsed",
    )
    st.multiselect(
        "Values",
        list(dict.fromkeys([*(fixed or labels), *held])),
        default=held,
        format_func=lambda value: value_words.word(column.name, labels.get(value, value)),
        key=f"{part}-values",
        accept_new_options=not fixed,
    )


def _unknown(filter_: Filter | None) -> str:
    if isinstance(filter_, Known):
        return ONLY_KNOWN if filter_.known else ONLY_UNKNOWN
    return OR_UNKNOWN if filter_ is not None and filter_.or_unknown else AS_ASKED


def _apply(view: View, column: DatasetColumn, part: str, apply: Apply) -> None:
    unknown = state.typed(f"{part}-unknown")
    if unknown in (ONLY_KNOWN, ONLY_UNKNOWN):
        apply(view.with_filter(column.name, Known(column=column.name, known=unknown == ONLY_KNOWN)))
        return
    text = _text(column, part)
    filter_ = filtering.parse(column, ("?" if unknown == OR_UNKNOWN else "") + text)
    if filter_ is None:
        empty = text in ("", filtering.BETWEEN, filtering.PART)
        submit.refused(
            part,
            "Fill in at least one field." if empty else filtering.refusal(column, text),
        )
        return
    apply(view.with_filter(column.name, filter_))


def _text(column: DatasetColumn, part: str) -> str:
    """Return the fields' values in the form of the address."""

    def held(name: str) -> Any:  # noqa: ANN401 - each field has its own type
        return state.typed(f"{part}-{name}")

    if column.kind in NUMBERS:
        ends = (held("least"), held("most"))
        return filtering.BETWEEN.join(filtering.typed_end(column, end or "") for end in ends)
    if column.kind in TIMES:
        if held("latest"):
            return f"last{held('latest')}"
        return f"{held('first') or ''}..{held('last') or ''}"
    if column.kind is ColumnKind.TEXT and held("values") is None:
        return f"~{held('part') or ''}"
    without = held("which") == NONE_OF
    made = filtering.one_of(column, held("values") or [], without=without)
    return filtering.to_text(made) if made else ""

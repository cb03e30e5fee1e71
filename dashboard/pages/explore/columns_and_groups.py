"""Choose what a view shows: columns, groups and figures, order, and the chart."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from dashboard.pages.explore.table import can_go_across, can_go_up
from dashboard.ui import grid, state
from data_access.people.staff import Person
from program.reports.datasets import DATASETS, DatasetColumn, label_of
from program.reports.pivots import MOST_ACROSS
from program.reports.views import (
    FUNCTION_WORDS,
    MOST_GROUPED_BY,
    MOST_MEASURES,
    Across,
    Function,
    Group,
    Measure,
    Order,
    View,
    buckets_of,
    can_be_across,
    measurable,
    sortable,
)

MEANINGS_SHOWN = 8
Apply = Callable[[View], None]


def datasets(view: View, token: str, person: Person, apply: Apply) -> None:
    """Draw the choice of the dataset; another one starts without filters."""
    by_key = {dataset.key: dataset for dataset in DATASETS if person.may(dataset.act)}

    def choose() -> None:
        chosen = state.typed(f"explore-dataset-{token}")
        if chosen:
            apply(View(dataset=by_key[chosen]))

    st.segmented_control(
        "Dataset",
        list(by_key),
        default=view.dataset.key,
        format_func=lambda key: by_key[key].title,
        key=f"explore-dataset-{token}",
        label_visibility="collapsed",
        on_change=choose,
    )


def columns(view: View, token: str, apply: Apply) -> None:
    """Draw the choice of columns and their order, each with its description."""
    key = f"explore-columns-{token}"

    def choose() -> None:
        apply(replace(view, columns=tuple(state.typed(key)), chart=""))

    with st.popover(
        f"Columns {len(view.shown)}",
        icon=":material/view_column:",
        type="tertiary",
        key="explore-columns",
    ):
        st.multiselect(
            "Columns, in order",
            list(view.dataset.names),
            default=list(view.columns or view.dataset.usual),
            format_func=_labels(view.dataset.columns),
            key=key,
            on_change=choose,
        )
        with st.container(horizontal=True):
            st.button(
                "Default columns",
                type="tertiary",
                key=f"explore-usual-{token}",
                on_click=apply,
                args=[replace(view, columns=(), chart="")],
            )
            st.button(
                "All of them",
                type="tertiary",
                key=f"explore-all-{token}",
                on_click=apply,
                args=[replace(view, columns=view.dataset.names, chart="")],
            )
        described = view.dataset.columns
        grid.draw(
            {
                "Column": grid.text("Column", [column.label for column in described]),
                "Content": grid.text("Content", [column.description for column in described]),
                "Kind": grid.text("Kind", [str(column.kind) for column in described]),
                "In files": grid.text("In files", [column.name for column in described]),
            },
            key=f"explore-meanings-{token}",
            alt="Description of each column",
            row_height=grid.LOW_ROW_HEIGHT,
            most_high=MEANINGS_SHOWN,
        )


def groups(view: View, token: str, apply: Apply) -> None:
    """Draw the choice of groups and their figures."""
    choices = {str(group): group for column in view.dataset.columns for group in _groups(column)}
    figures = {str(measure): measure for measure in _measures(view)}
    by_key, of_key = f"explore-group-{token}", f"explore-measures-{token}"

    def choose() -> None:
        by = tuple(choices[name] for name in state.typed(by_key))
        measures = tuple(figures[name] for name in (state.typed(of_key) or []))
        apply(
            replace(
                view,
                groups=by,
                measures=measures if by else (),
                across=_kept_across(view, by, measures),
                orders=(),
                chart="",
                page=1,
            )
        )

    label = f"Groups {len(view.groups)}" if view.groups else "Group"
    with st.popover(label, icon=":material/workspaces:", type="tertiary", key="explore-groups"):
        st.multiselect(
            "Group by",
            list(choices),
            default=[str(group) for group in view.groups],
            format_func=lambda name: _group_words(choices[name]),
            max_selections=MOST_GROUPED_BY,
            placeholder="for example Status, or Submitted at, by month",
            key=by_key,
            on_change=choose,
        )
        if view.groups:
            st.multiselect(
                "Measures of each group",
                list(figures),
                default=[str(measure) for measure in view.figures],
                format_func=lambda name: _figure_words(figures[name]),
                max_selections=MOST_MEASURES,
                key=of_key,
                on_change=choose,
            )
        if len(view.groups) > 1:
            _across(view, token, apply)
        st.caption("Unknown values form their own group and count in no measure.")


def _kept_across(
    view: View, groups: tuple[Group, ...], measures: tuple[Measure, ...]
) -> Across | None:
    """Return the group across if the new groups and measures still have it."""
    changed = replace(view, groups=groups, measures=measures)
    return view.across if view.across and can_be_across(changed, view.across) else None


def _across(view: View, token: str, apply: Apply) -> None:
    """Draw the choice of the group across, if any, and of the measure in the cells."""
    shown = {column.name: column.label for column in view.shown}
    measures = [measure.name for measure in view.figures]
    possible = [
        group.name
        for group in view.groups
        if can_be_across(view, Across(group=group.name, measure=measures[0]))
    ]
    held, group_key, cells_key = view.across, f"explore-pivot-{token}", f"explore-cells-{token}"

    def choose() -> None:
        group, measure = state.typed(group_key), state.typed(cells_key) or measures[0]
        across = Across(group=group, measure=measure) if group else None
        apply(replace(view, across=across, orders=(), chart="", page=1))

    st.selectbox(
        "As columns",
        possible,
        index=possible.index(held.group) if held else None,
        format_func=shown.__getitem__,
        placeholder="none: every group is a row",
        help=f"Its values become columns: at most {MOST_ACROSS}, and one of all others.",
        key=group_key,
        on_change=choose,
    )
    if held is not None and len(measures) > 1:
        st.selectbox(
            "Measure in the cells",
            measures,
            index=measures.index(held.measure),
            format_func=shown.__getitem__,
            key=cells_key,
            on_change=choose,
        )


def order(view: View, token: str, apply: Apply) -> None:
    """Draw the choice of the order; unknown values come last."""
    columns = _sortable(view)
    names, label = [column.name for column in columns], _labels(columns)
    first = view.sorted_by[0]
    by_key, down_key = f"explore-sort-{token}", f"explore-down-{token}"

    def choose() -> None:
        descending = state.typed(down_key) == "descending"
        chosen = Order(column=state.typed(by_key), descending=descending)
        apply(replace(view, orders=(chosen,), page=1))

    sign = "↓" if first.descending else "↑"
    with st.popover(
        f"{label(first.column)} {sign}",
        icon=":material/sort:",
        type="tertiary",
        key="explore-order",
    ):
        st.selectbox(
            "Sort by",
            names,
            index=names.index(first.column),
            format_func=label,
            key=by_key,
            on_change=choose,
        )
        st.segmented_control(
            "Direction",
            ["ascending", "descending"],
            default="descending" if first.descending else "ascending",
            key=down_key,
            label_visibility="collapsed",
            on_change=choose,
        )


def _sortable(view: View) -> Sequence[DatasetColumn]:
    """Return the columns by which the view can be sorted, in order."""
    kept = sortable(view)
    columns = view.shown if view.groups else view.dataset.columns
    return [column for column in columns if column.name in kept]


def chart(view: View, token: str, apply: Apply) -> None:
    """Draw the choice of the chart's columns, or none."""
    across = [column.name for column in view.shown if can_go_across(column)]
    up = [column.name for column in view.shown if can_go_up(column)]
    if not across or not up:
        return
    held, label = view.chart.split(",") if view.chart else [], _labels(view.shown)
    across_key, up_key = f"explore-across-{token}", f"explore-up-{token}"

    def choose() -> None:
        chosen = state.typed(across_key), state.typed(up_key)
        apply(replace(view, chart=",".join(chosen) if all(chosen) else ""))

    with st.popover("Chart", icon=":material/bar_chart:", type="tertiary", key="explore-chart"):
        st.selectbox(
            "Bars by",
            across,
            index=across.index(held[0]) if held and held[0] in across else 0,
            format_func=label,
            key=across_key,
        )
        st.selectbox(
            "Height",
            up,
            index=up.index(held[1]) if held and held[1] in up else 0,
            format_func=label,
            key=up_key,
        )
        with st.container(horizontal=True):
            st.button("Draw", key=f"explore-draw-{token}", on_click=choose)
            if view.chart:
                st.button(
                    "No chart",
                    type="tertiary",
                    key=f"explore-undraw-{token}",
                    on_click=apply,
                    args=[replace(view, chart="")],
                )


def _groups(column: DatasetColumn) -> list[Group]:
    buckets = buckets_of(column)
    return [Group(column=column.name, bucket=bucket) for bucket in buckets or (None,)]


def _measures(view: View) -> list[Measure]:
    found = [Measure(function=Function.COUNT)]
    for column in view.dataset.columns:
        found += [
            Measure(function=function, column=column.name)
            for function in Function
            if measurable(view.dataset, function, column.name)
        ]
    return found


def _figure_words(measure: Measure) -> str:
    words = FUNCTION_WORDS[measure.function]
    return f"{words}: {label_of(measure.column)}" if measure.column else words


def _group_words(group: Group) -> str:
    label = label_of(group.column)
    return f"{label}, by {group.bucket}" if group.bucket else label


def _labels(columns: Sequence[DatasetColumn]) -> Callable[[str], str]:
    """Return a function from a column's name to its heading."""
    return {column.name: column.label for column in columns}.__getitem__

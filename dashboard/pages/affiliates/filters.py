"""The board's filters: read from the address and written back to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.pages.affiliates.board_table import STANDINGS, SUGGESTIONS
from dashboard.ui import badges, keyboard, state
from program.affiliates.filters import (
    ANY,
    MONTH_CHOICES,
    PART_LABELS,
    SUGGESTIBLE,
    UNTESTED,
    AffiliatesPart,
    BoardFilters,
)
from program.affiliates.requalification import Standing, Step
from program.policy.outcomes import Outcome

FIELDS = ("part", "suggested", "standing", "month", "near", "search", "figure")
Apply = Callable[[BoardFilters], None]


def hold(filters: BoardFilters) -> None:
    """Set the widgets to these filters, before any of them is drawn."""
    for field in FIELDS:
        state.show(_key(field), getattr(filters, field))


def parts(on_change: Apply) -> None:
    """Draw the choice of the page's parts."""
    st.segmented_control(
        "Part",
        list(AffiliatesPart),
        format_func=PART_LABELS.__getitem__,
        key=_key("part"),
        label_visibility="collapsed",
        required=True,
        on_change=_turn,
        args=[on_change],
    )


def figures_of(labels: Mapping[Any, str], on_change: Apply) -> None:
    """Draw the choice of the figure for outcomes."""
    st.segmented_control(
        "Figure",
        list(labels),
        format_func=labels.__getitem__,
        key=_key("figure"),
        label_visibility="collapsed",
        required=True,
        on_change=_apply,
        args=[on_change],
    )


def fields(
    *,
    by_suggestion: Mapping[Step, int],
    by_standing: Mapping[Standing, int],
    by_month: Mapping[str, int],
    near: int,
    month: str,
    on_change: Apply,
) -> None:
    """Draw the suggestions with counts, then the other filters on one line."""
    search, suggested, standing, outcome, close = st.columns(
        [2, 1.5, 1.4, 1.6, 0.9], vertical_alignment="center"
    )
    with search, keyboard.hot(keyboard.SEARCH):
        st.text_input(
            "Search",
            key=_key("search"),
            type="search",
            live="300ms",
            placeholder="Search name or account number",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=_apply,
            args=[on_change],
        )
    suggestions = {ANY: f"any suggestion {sum(by_suggestion.values()):,}"} | {
        str(step): f"{SUGGESTIONS[step].word} {by_suggestion[step]:,}" for step in SUGGESTIBLE
    }
    standings = {s: f"{STANDINGS[s].word} {by_standing[s]:,}" for s in Standing}
    months = {m: f"{_month_word(m)} {by_month[m]:,}" for m in MONTH_CHOICES}
    for column, field, label, words in (
        (suggested, "suggested", "Suggestion", suggestions),
        (standing, "standing", "Standing", standings),
        (outcome, "month", f"{month}, any outcome", months),
    ):
        with column:
            _choice(field, label, list(words), words, on_change)
    with close:
        st.toggle(
            f"Near {near:,}",
            key=_key("near"),
            help="Missed or passed by at most a tenth of a minimum.",
            on_change=_apply,
            args=[on_change],
        )


def _choice(
    field: str,
    label: str,
    options: Sequence[Any],
    words: Mapping[Any, str],
    on_change: Apply,
) -> None:
    st.selectbox(
        label,
        options,
        key=_key(field),
        format_func=words.__getitem__,
        placeholder=label,
        label_visibility="collapsed",
        index=None,
        on_change=_apply,
        args=[on_change],
    )


def _month_word(month: str) -> str:
    return "not tested yet" if month == UNTESTED else badges.OUTCOMES[Outcome(month)].word


def _key(field: str) -> str:
    return f"affiliates-{field}"


def _turn(on_change: Apply) -> None:
    on_change(BoardFilters(part=state.typed(_key("part")) or AffiliatesPart.REQUALIFICATION))


def _apply(on_change: Apply) -> None:
    held = {field: state.typed(_key(field)) for field in FIELDS}
    on_change(
        BoardFilters.from_query(
            {
                **{field: str(value) for field, value in held.items() if value},
                "near": "1" if held["near"] else "",
            }
        )
    )

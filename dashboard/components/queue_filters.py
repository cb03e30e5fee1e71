"""The queue's filters: what is shown comes from the address bar, and goes back there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.components import badges
from program.outcomes import Outcome
from program.queue import SORT_LABELS, TRACK_CHOICES, WAITING_CHOICES, Filters, Sort

FIELDS = ("search", "eligibility", "track", "country", "platform", "waiting_days", "sort")


def draw(
    filters: Filters,
    *,
    total: int,
    by_outcome: Mapping[Outcome, int],
    countries: Sequence[str],
    platforms: Sequence[str],
    export_link: str | None,
    on_change: Callable[[Filters], None],
) -> None:
    """Draw counts and filters; ``on_change`` gets the new filters, on page 1."""
    for field in FIELDS:
        st.session_state[_key(field)] = _held(filters, field)
    with st.container(horizontal=True, vertical_alignment="center", key="queue-head"):
        st.subheader(f"Pending {total:,}", anchor=False, width="content")
        _eligibility(by_outcome, on_change)
        st.space("stretch")
        if export_link is not None:
            st.link_button(
                "Export CSV",
                export_link,
                icon=":material/download:",
                help="All rows these filters leave, in this order. The link works for 15 minutes.",
            )
    search, *others, order = st.columns([2.2, 1.2, 1, 1, 1.1, 1.5], vertical_alignment="bottom")
    with search:
        _search(on_change)
    choices: list[tuple[str, str, list[Any], Callable[[Any], str]]] = [
        ("track", "Track", list(TRACK_CHOICES), badges.TRACK_WORDS.__getitem__),
        ("country", "Country", _with(countries, filters.country), str),
        ("platform", "Platform", _with(platforms, filters.platform), str),
        ("waiting_days", "Waiting", list(WAITING_CHOICES), lambda days: f"{days} d or more"),
    ]
    for column, choice in zip(others, choices, strict=True):
        with column:
            _choice(*choice, on_change)
    with order:
        _order(on_change)


def _eligibility(by_outcome: Mapping[Outcome, int], on_change: Callable[[Filters], None]) -> None:
    def words(outcome: Outcome) -> str:
        look = badges.OUTCOMES[outcome]
        return f"{look.icon} {look.word} {by_outcome[outcome]:,}"

    st.segmented_control(
        "Eligibility",
        list(Outcome),
        selection_mode="multi",
        format_func=words,
        key=_key("eligibility"),
        label_visibility="collapsed",
        on_change=_tell,
        args=[on_change],
    )


def _search(on_change: Callable[[Filters], None]) -> None:
    st.text_input(
        "Search",
        key=_key("search"),
        type="search",
        live="300ms",
        placeholder="Search name or handle",
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=_tell,
        args=[on_change],
    )


def _choice(
    field: str,
    label: str,
    options: list[Any],
    words: Callable[[Any], str],
    on_change: Callable[[Filters], None],
) -> None:
    st.selectbox(
        label,
        options,
        key=_key(field),
        format_func=words,
        placeholder=label,
        label_visibility="collapsed",
        index=None,
        on_change=_tell,
        args=[on_change],
    )


def _order(on_change: Callable[[Filters], None]) -> None:
    st.selectbox(
        "Order",
        list(Sort),
        key=_key("sort"),
        format_func=lambda sort: f"Order: {SORT_LABELS[sort]}",
        label_visibility="collapsed",
        on_change=_tell,
        args=[on_change],
    )


def _key(field: str) -> str:
    return f"queue-{field}"


def _held(filters: Filters, field: str) -> Any:  # noqa: ANN401 - each field has its own type
    value = getattr(filters, field)
    return list(value) if isinstance(value, tuple) else value


def _tell(on_change: Callable[[Filters], None]) -> None:
    held = {field: st.session_state.get(_key(field)) for field in FIELDS}
    on_change(
        Filters.from_query(
            {
                "search": held["search"] or "",
                "eligibility": ",".join(held["eligibility"] or ()),
                "track": held["track"] or "",
                "country": held["country"] or "",
                "platform": held["platform"] or "",
                "waiting": str(held["waiting_days"] or ""),
                "sort": held["sort"] or "",
            }
        )
    )


def _with(options: Sequence[str], chosen: str | None) -> list[str]:
    # A shared link may name a country nobody pending is from; it must still show as chosen.
    return list(options) if chosen is None or chosen in options else [*options, chosen]

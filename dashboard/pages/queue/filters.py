"""The queue's filters: read from the address and written back to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from dashboard.ui import badges, lookups, popovers, state
from dashboard.ui.safe_text import escape
from data_access.queue.listing import Counts, Facets
from program import wording
from program.policy.criteria import TRACK_WORDS
from program.policy.outcomes import Outcome
from program.review.queue_filters import (
    DUE_LABELS,
    OWNER_LABELS,
    REVERSED_LABELS,
    SORT_LABELS,
    TRACK_CHOICES,
    WAITING_CHOICES,
    Due,
    Filters,
    Owner,
    Robustness,
    Sort,
)
from program.review.workflow import OPEN_STATUSES, STATUS_WORDS, Status
from program.risk.signals import Severity
from program.text.platforms import platform_label

FIELDS = (
    "search",
    "eligibility",
    "track",
    "country",
    "platform",
    "waiting_days",
    "owner",
    "due",
    "risk",
    "robust",
)
DECIDED = (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN)
STATUS_TABS = {
    Status.PENDING: "Pending",
    Status.MORE_INFO_NEEDED: "Waiting for the applicant",
    Status.DEFERRED: "Deferred",
    Status.AWAITING_SECOND_APPROVAL: "Second approval",
}
# Decided and withdrawn applications neither wait nor are due.
SETTLED_SORTS = (Sort.PRIORITY, Sort.SUBMITTED, Sort.VOLUME, Sort.ACTIVE, Sort.NEW)
SETTLED_SORT_LABELS = {**SORT_LABELS, Sort.PRIORITY: "latest first"}
SETTLED_REVERSED_LABELS = {**REVERSED_LABELS, Sort.PRIORITY: "earliest first"}
DUE_WORDS = {Due.OVERDUE: "overdue", Due.SOON: "due soon"}
# Clear and not enough data are never one choice.
RISKS: list[tuple[Severity, ...]] = [
    (Severity.HIGH,),
    (Severity.WARN, Severity.HIGH),
    (Severity.WARN,),
    (Severity.CLEAR,),
    (Severity.NOT_ENOUGH_DATA,),
]
ROBUST_WORDS = {Robustness.FRAGILE: "fragile", Robustness.ROBUST: "robust"}
DECIDED_LISTS = "queue-decided"
OTHERS = "queue-others"
ORDER = "queue-order"
SEARCH_WIDTH = 170
Apply = Callable[[Filters], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with one value of several."""

    field: str
    label: str
    options: Sequence[Any]
    words: Callable[[Any], str]


def hold(filters: Filters) -> None:
    """Set the widgets to these filters, before any of them is drawn."""
    for field in FIELDS:
        state.show(_key(field), _held(filters, field))


def title(filters: Filters, matching: int, whole: int) -> None:
    """Draw the list's name, and how many match the filters of how many there are."""
    name = STATUS_TABS.get(filters.status, STATUS_WORDS[filters.status].capitalize())
    if filters.slice.scope is not None:
        name = "Applications"
    number = f"{matching:,} of {whole:,}" if matching != whole else f"{whole:,}"
    st.subheader(f"{name} {number}", anchor=False, width="content")


def lists(filters: Filters, numbers: Counts, on_change: Apply) -> None:
    """Draw the links to the other lists: set aside and, less prominent, decided."""
    whole = {Status.PENDING: numbers.total, **numbers.set_aside}
    here = None if filters.slice.scope else filters.status
    for status in OPEN_STATUSES:
        if status is not here:
            words = f"{STATUS_TABS[status]} {whole[status]:,}"
            _way_to(status, words, on_change)
    st.menu_button(
        "Decided",
        [status for status in DECIDED if status is not here],
        key=DECIDED_LISTS,
        type="tertiary",
        format_func=lambda status: STATUS_WORDS[status].capitalize(),
        on_click=_choose_decided,
        args=[on_change],
    )


def behind(filters: Filters, on_change: Apply) -> None:
    """Draw which figure the list belongs to, and the link out of it."""
    if filters.slice.scope is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="queue-slice"):
        st.badge("drill-down", icon=":material/monitoring:", color="violet")
        st.text(filters.slice.sentence, width="content")
        if filters.slice.reviewer:
            # A name is typed text: shown, never parsed as markup.
            st.text(f"by {lookups.named(filters.slice.reviewer)}", width="content")
        st.button(
            "To the queue",
            key="queue-slice-out",
            type="tertiary",
            icon=":material/close:",
            on_click=on_change,
            args=[Filters()],
        )


def _choose_decided(on_change: Apply) -> None:
    chosen: Status | None = state.typed(DECIDED_LISTS)
    if chosen is not None:
        on_change(Filters(status=chosen))


def _way_to(status: Status, words: str, on_change: Apply) -> None:
    # Without the filters: the number is what the link will show.
    st.button(
        words,
        key=f"queue-list-{status}",
        type="tertiary",
        on_click=on_change,
        args=[Filters(status=status)],
    )


def by_state(filters: Filters, facets: Facets, on_change: Apply) -> None:
    """Draw eligibility, owner and clock, each choice with how many it would leave."""

    def outcome_words(outcome: Outcome) -> str:
        look = badges.OUTCOMES[outcome]
        return _with_number(f"{look.icon} {look.word}", facets.get(outcome))

    _segments("Eligibility", "eligibility", list(Outcome), outcome_words, filters, on_change)
    if not filters.only_open:
        return
    _segments(
        "Owner",
        "owner",
        list(Owner),
        lambda owner: _with_number(OWNER_LABELS[owner], facets.get(owner)),
        filters,
        on_change,
    )
    _segments(
        "Due",
        "due",
        list(Due),
        lambda due: _with_number(
            f"{badges.OVERDUE.icon} {DUE_WORDS[due]}" if due is Due.OVERDUE else DUE_WORDS[due],
            facets.get(due),
        ),
        filters,
        on_change,
        help_=f"Soon: {DUE_LABELS[Due.SOON]}. Weekends and holidays do not count.",
    )


def fields(
    filters: Filters,
    facets: Facets,
    *,
    countries: Sequence[str],
    platforms: Mapping[str, str],
    on_change: Apply,
) -> None:
    """Draw search, the states, the other filters, and what clears them: one line."""
    with st.container(
        key="queue-fields", horizontal=True, vertical_alignment="center", gap="xsmall"
    ):
        _search(filters, on_change)
        by_state(filters, facets, on_change)
        popovers.draw(
            "Filters",
            partial(_draw_others, filters, countries, platforms, on_change),
            key=OTHERS,
            icon=":material/tune:",
            help="Track, country, platform, risk, robustness and waiting time.",
        )
        if said := set_others(filters, platforms):
            st.caption(escape(said), width="content")
        if filters.bare != filters:
            st.button(
                "Clear filters",
                key="queue-clear",
                type="tertiary",
                icon=":material/filter_alt_off:",
                on_click=on_change,
                args=[filters.bare],
            )


def set_others(filters: Filters, platforms: Mapping[str, str]) -> str:
    """Return what the filters behind the popover are set to."""
    return " · ".join(
        choice.words(getattr(filters, choice.field))
        for choice in _others([], platforms, filters)
        if getattr(filters, choice.field)
    )


def _draw_others(
    filters: Filters, countries: Sequence[str], platforms: Mapping[str, str], on_change: Apply
) -> None:
    for choice in _others(countries, platforms, filters):
        _choice(choice, filters, on_change)


def _others(
    countries: Sequence[str], platforms: Mapping[str, str], filters: Filters
) -> list[Choice]:
    def platform_words(key: str) -> str:
        return platforms.get(key) or platform_label(key)

    return [
        Choice("track", "Track", list(TRACK_CHOICES), TRACK_WORDS.__getitem__),
        Choice("country", "Country", _with(countries, filters.country), str),
        Choice("platform", "Platform", _with(list(platforms), filters.platform), platform_words),
        Choice("risk", "Risk", _risks(filters.risk), _risk_words),
        Choice("robust", "Robust", list(Robustness), ROBUST_WORDS.__getitem__),
        Choice("waiting_days", "Waiting", list(WAITING_CHOICES), lambda days: f"{days} d or more"),
    ]


def _segments(
    label: str,
    field: str,
    options: list[Any],
    words: Callable[[Any], str],
    filters: Filters,
    on_change: Apply,
    help_: str | None = None,
) -> None:
    st.segmented_control(
        label,
        options,
        selection_mode="multi" if field == "eligibility" else "single",
        format_func=words,
        key=_key(field),
        help=help_,
        label_visibility="collapsed",
        on_change=_apply,
        args=[filters, on_change],
    )


def _search(filters: Filters, on_change: Apply) -> None:
    st.text_input(
        "Search",
        key=_key("search"),
        width=SEARCH_WIDTH,
        type="search",
        live="300ms",
        placeholder="Search name or handle",
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=_apply,
        args=[filters, on_change],
    )


def _risks(chosen: tuple[Severity, ...]) -> list[tuple[Severity, ...]]:
    """Return the choices; a shared link may name another."""
    return RISKS if not chosen or chosen in RISKS else [*RISKS, chosen]


def _risk_words(levels: tuple[Severity, ...]) -> str:
    return " or ".join(badges.RISKS[level].word for level in reversed(levels))


def _choice(choice: Choice, filters: Filters, on_change: Apply) -> None:
    st.selectbox(
        choice.label,
        choice.options,
        key=_key(choice.field),
        format_func=choice.words,
        placeholder="Any",
        index=None,
        on_change=_apply,
        args=[filters, on_change],
    )


def sorts(filters: Filters) -> tuple[Sort, ...]:
    """Return the orders that apply to the list."""
    return tuple(Sort) if filters.only_open else SETTLED_SORTS


def sort_shown(filters: Filters) -> Sort:
    """Return the order of the list."""
    return filters.sort if filters.sort in sorts(filters) else Sort.PRIORITY


def order(filters: Filters, on_change: Apply) -> None:
    """Draw the order of the list, and the menu of the others."""
    labels = dict(SORT_LABELS if filters.only_open else SETTLED_SORT_LABELS)
    shown = sort_shown(filters)
    if filters.reverse:
        turned = REVERSED_LABELS if filters.only_open else SETTLED_REVERSED_LABELS
        labels[shown] = turned[shown]
    st.menu_button(
        f"Order: {labels[shown]}",
        [sort for sort in sorts(filters) if sort is not shown],
        key=ORDER,
        icon=":material/sort:",
        type="tertiary",
        format_func=lambda sort: wording.capital(labels[sort]),
        on_click=_choose_order,
        args=[filters, on_change],
    )


def _choose_order(filters: Filters, on_change: Apply) -> None:
    chosen: Sort | None = state.typed(ORDER)
    if chosen is not None:
        on_change(filters.in_order(chosen).on_page(1))


def _key(field: str) -> str:
    return f"queue-{field}"


def _held(filters: Filters, field: str) -> Any:  # noqa: ANN401 - each field has its own type
    value = getattr(filters, field)
    if field == "risk":
        return value or None
    return list(value) if isinstance(value, tuple) else value


def _apply(filters: Filters, on_change: Apply) -> None:
    held = {field: state.typed(_key(field)) for field in FIELDS}
    on_change(
        Filters.from_query(
            {
                "status": filters.status,
                "search": held["search"] or "",
                "eligibility": ",".join(held["eligibility"] or ()),
                "track": held["track"] or "",
                "country": held["country"] or "",
                "platform": held["platform"] or "",
                "waiting": str(held["waiting_days"] or ""),
                "owner": held["owner"] or "",
                "due": held["due"] or "",
                "risk": ",".join(held["risk"] or ()),
                "robust": held["robust"] or "",
                "sort": filters.order,
                **filters.slice.to_query(),
            }
        )
    )


def _with_number(words: str, number: int | None) -> str:
    return words if number is None else f"{words} {number:,}"


def _with(options: Sequence[str], chosen: str | None) -> list[str]:
    # A shared link may name a country that no pending applicant has; show it as chosen.
    return list(options) if chosen is None or chosen in options else [*options, chosen]

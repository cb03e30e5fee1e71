"""The what-if of a draft: run on request, kept in the session, listed by move."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from dashboard.pages.policy import what_if_panel, what_if_risk
from dashboard.shell import replica
from dashboard.ui import address, figures, navigation, state, states
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.eligibility.judging import JudgingContext
from data_access.policy import what_if
from data_access.policy.drafts import Kept
from program.affiliates.what_if import (
    PAGE_SIZE,
    POPULATION_LABELS,
    Changer,
    Move,
    Population,
    WhatIf,
)
from program.review.queue_filters import Filters

KEPT = "what-if"
LISTED = "what-if-listed"
TABLE = "what-if-list"
ALL = "all"
STEPS = {
    Population.OPEN: (0.05, "Replaying open applications"),
    Population.DECISIONS: (0.25, "Replaying past decisions"),
    Population.AFFILIATES: (0.65, "Replaying approved affiliates"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A replay with its inputs; other inputs need another replay."""

    of: tuple[int, int, int, int | None]
    at: datetime
    found: WhatIf


def draw(kept: Kept, context: JudgingContext) -> None:
    """Draw the button, or the result of the replay."""
    st.markdown("**What if the draft were in force now?**")
    wanted = _of(kept, context)
    replayed: Replayed | None = state.kept(KEPT)
    if replayed is None or replayed.of != wanted:
        if st.query_params.get("replay") != str(kept.draft_id):
            _invite(kept)
            return
        replayed = _replay(kept, context, wanted)
        state.keep(KEPT, replayed)
    _draw_result(replayed, kept, context)


def _of(kept: Kept, context: JudgingContext) -> tuple[int, int, int, int | None]:
    fresh = context.freshness
    settings = hash((kept.draft.policy, tuple(sorted(kept.draft.policy.risk_thresholds.items()))))
    return kept.draft_id, settings, context.policy.version, fresh.refresh_id if fresh else None


def _invite(kept: Kept) -> None:
    st.caption(
        "Apply the saved draft to all open applications, all past decisions and all approved "
        "affiliates. Nothing is written."
    )
    st.button(
        "Replay",
        key=f"what-if-replay-{kept.draft_id}",
        icon=":material/play_arrow:",
        on_click=_ask,
        args=[kept.draft_id],
    )


def _ask(draft_id: int) -> None:
    query = {"part": "draft", "replay": str(draft_id)}
    if "draft" in st.query_params:
        query["draft"] = st.query_params["draft"]
    address.write(query)


def _replay(kept: Kept, context: JudgingContext, of: tuple[int, int, int, int | None]) -> Replayed:
    bar = st.progress(0.0, text="Replaying")

    def progress(population: Population) -> None:
        share, words = STEPS[population]
        bar.progress(share, text=words)

    with database.reading(database.reporter()) as connection:
        found = what_if.replay(connection, context, kept.draft.policy, progress=progress)
    bar.empty()
    return Replayed(of=of, at=datetime.now(UTC), found=found)


def _draw_result(replayed: Replayed, kept: Kept, context: JudgingContext) -> None:
    found = replayed.found
    fresh = context.freshness
    through = f"data through {figures.day(fresh.data_through)}" if fresh else "without metrics"
    st.caption(
        f"Against version {context.policy.version} in force · {through}, UTC · replayed "
        f"{figures.moment(replayed.at)}"
    )
    replica.note()
    for sentence in found.gaps:
        st.warning(sentence, icon=":material/help:")
    what_if_panel.draw_figures(found)
    what_if_panel.draw_sides(found)
    what_if_panel.draw_rebates(found)
    what_if_panel.draw_consequences(found)
    if found.risk is not None:
        what_if_risk.draw(found.risk)
    _draw_list(replayed, kept, context)


def _draw_list(replayed: Replayed, kept: Kept, context: JudgingContext) -> None:
    found = replayed.found
    changing = [population for population in Population if found.replays[population].changed]
    if not changing:
        states.empty(what_if_panel.no_change_words(found))
        return
    st.markdown("**Changed results**")
    population, move = _choose(found, changing, kept)
    replay = found.replays[population]
    moves = [move] if move else what_if_panel.made_moves(replay)
    total = sum(replay.number(one) for one in moves)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, _page()), pages)
    wanted = (replayed.of, replayed.at, population, move, page)
    listed: tuple[object, list[Changer]] | None = state.kept(LISTED)
    if listed is None or listed[0] != wanted:
        with database.reading(database.reporter()) as connection:
            rows = what_if.changers(
                connection,
                context,
                kept.draft.policy,
                population=population,
                moves=moves,
                page=page,
            )
        listed = (wanted, rows)
        state.keep(LISTED, listed)
    state.keep_rows(TABLE, [row.application_id for row in listed[1]])
    key = f"what-if-list-{kept.draft_id}-{kept.revision}-{population}-{_name(move)}-{page}"
    what_if_panel.draw_changers(listed[1], key=key, on_open=_open)
    _draw_pages(total, page, pages)


def _choose(
    found: WhatIf, changing: list[Population], kept: Kept
) -> tuple[Population, Move | None]:
    """Return the population and the move in the address."""
    wanted = st.query_params.get("list", "")
    population = next((one for one in changing if one == wanted), changing[0])
    replay = found.replays[population]
    moves: dict[str, Move | None] = {ALL: None}
    moves |= {_name(move): move for move in what_if_panel.made_moves(replay)}
    named = st.query_params.get("move", ALL)
    name = named if named in moves else ALL

    def population_words(one: str) -> str:
        which = Population(one)
        return f"{POPULATION_LABELS[which]} {found.replays[which].changed:,}"

    def move_words(one: str) -> str:
        move = moves[one]
        if move is None:
            return f"All {replay.changed:,}"
        return f"{escape(what_if_panel.move_words(move))} {replay.number(move):,}"

    stem = f"what-if-{kept.draft_id}-{kept.revision}"
    state.show(f"{stem}-list", str(population))
    state.show(f"{stem}-{population}-move", name)
    st.segmented_control(
        "Group",
        [str(one) for one in changing],
        format_func=population_words,
        key=f"{stem}-list",
        required=True,
        label_visibility="collapsed",
        on_change=_show,
        args=["list", f"{stem}-list"],
    )
    st.segmented_control(
        "Change",
        list(moves),
        format_func=move_words,
        key=f"{stem}-{population}-move",
        required=True,
        label_visibility="collapsed",
        on_change=_show,
        args=["move", f"{stem}-{population}-move"],
    )
    return population, moves[name]


def _draw_pages(total: int, page: int, pages: int) -> None:
    first = (page - 1) * PAGE_SIZE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        last = min(page * PAGE_SIZE, total)
        st.caption(f"{first:,} to {last:,} of {total:,}", width="content")
        for label, to, icon in (
            ("Previous", page - 1, ":material/chevron_left:"),
            ("Next", page + 1, ":material/chevron_right:"),
        ):
            st.button(
                label,
                key=f"what-if-page-{label}",
                icon=icon,
                type="tertiary",
                disabled=not 1 <= to <= pages,
                on_click=_turn,
                args=[to],
            )


def _name(move: Move | None) -> str:
    return ALL if move is None else f"{move[0]}-to-{move[1]}"


def _page() -> int:
    page = st.query_params.get("page", "1")
    return int(page) if page.isdecimal() and len(page) < 7 else 1


def _turn(to: int) -> None:
    st.query_params["page"] = str(to)


def _show(name: str, key: str) -> None:
    st.query_params[name] = state.typed(key)
    gone = ("page", "move") if name == "list" else ("page",)
    for other in gone:
        if other in st.query_params:
            del st.query_params[other]


def _open() -> None:
    id_ = state.clicked_row(TABLE, state.typed(what_if_panel.OPEN))
    if id_ is not None:
        navigation.open_one(id_, Filters())

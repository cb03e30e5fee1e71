"""The results of a what-if: who changes sides, and what follows for the program."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import streamlit as st

from dashboard.ui import badges, figures, grid
from dashboard.ui.grid import GridColumn
from program import wording
from program.affiliates.requalification import STEP_LABELS
from program.affiliates.what_if import (
    MOVES,
    POPULATION_LABELS,
    POPULATION_NOTES,
    Changer,
    Move,
    Population,
    Rebates,
    Replay,
    WhatIf,
)
from program.policy.criteria import (
    ACTIVE_USERS,
    CRITERIA,
    EXTERNAL_VOLUME,
    NEW_USERS,
    VOLUME,
    X_FOLLOWERS,
    Criterion,
    Unit,
)
from program.policy.outcomes import Outcome
from program.wording import rounded

OPEN = "what-if-open"
ROWS_SHOWN = 12
ARROW = " → "
# For narrow columns; the help text is complete.
SHORT_LABELS = {
    VOLUME.key: "Volume",
    ACTIVE_USERS.key: "Active",
    NEW_USERS.key: "New",
    X_FOLLOWERS.key: "Followers",
    EXTERNAL_VOLUME.key: "Elsewhere",
}


def move_words(move: Move) -> str:
    """Format a move: ``✓ met → − not met``."""
    return ARROW.join(badges.OUTCOME_TEXTS[outcome] for outcome in move)


def made_moves(replay: Replay) -> list[Move]:
    """Return the moves with at least one application, in a fixed order."""
    return [move for move in MOVES if replay.number(move)]


def draw_figures(found: WhatIf) -> None:
    """Draw queue, eligible share, overrides and cost: under the draft, and the change from now.

    If some could not be replayed, each figure says how many it covers.
    """
    waiting, decided, costs = found.replays[Population.OPEN], found.decided, found.rebates
    then = found.replays[Population.DECISIONS]
    with st.container(horizontal=True):
        _metric(
            "Open applications met",
            figures.count(waiting.after(Outcome.MET)),
            _count_change(waiting.before(Outcome.MET), waiting.after(Outcome.MET)),
            f"Of {waiting.total:,} open; {waiting.before(Outcome.MET):,} under the current policy.",
            waiting,
        )
        rates = decided.met_rates
        _metric(
            "Past decisions met",
            "nothing decided" if rates is None else figures.rate(_tenth(rates[1])),
            None if rates is None else _points(rates),
            f"Share of {decided.total:,} past decisions whose eligibility was met, on the figures "
            "each was made on.",
            then,
        )
        _metric(
            "Against eligibility",
            figures.count(decided.overrides[1]),
            _count_change(*decided.overrides),
            "Past decisions that would go against the computed eligibility. "
            f"{decided.recorded_overrides:,} of these were recorded as overrides at the time.",
            then,
        )
        _metric(
            "Rebate cost a month",
            _cost(costs),
            _cost_change(costs),
            "All rebates on the window's net fees, standard and granted."
            + (f" {_days(costs)}." if costs.window else ""),
        )


def draw_sides(found: WhatIf) -> None:
    """Draw the outcomes now and under the draft, one row per population."""
    rows = [found.replays[population] for population in Population]
    grid.draw(
        {
            "who": grid.text(
                "Now → under the draft",
                [POPULATION_LABELS[row.population] for row in rows],
                width=150,
            ),
            "total": grid.whole("All", [row.total for row in rows], width=70),
            **{
                outcome: grid.figure_text(
                    badges.OUTCOME_TEXTS[outcome],
                    [
                        _now_then(row.before(outcome), row.after(outcome))
                        if _is_replayed(row)
                        else figures.UNKNOWN
                        for row in rows
                    ],
                    width=130,
                )
                for outcome in Outcome
            },
            "changed": grid.whole(
                "Changed", [row.changed if _is_replayed(row) else None for row in rows], width=90
            ),
            "undetermined": grid.whole(
                "Not replayed",
                [row.undetermined for row in rows],
                width=90,
                help="The stored figures are not enough. These are in no other column.",
            ),
        },
        key="what-if-sides",
        alt="Results now and under the draft",
    )
    notes = (f"**{POPULATION_LABELS[one]}**: {POPULATION_NOTES[one]}" for one in Population)
    st.caption(" ".join(notes))


def draw_rebates(found: WhatIf) -> None:
    """Draw what the rates cost, in sentences: no affiliate's rate changes by itself."""
    st.caption(" ".join(("**Rebates**:", *rebate_words(found.rebates, found.replays))))


def draw_consequences(found: WhatIf) -> None:
    """Draw what follows for the clock and the requalification board, if anything does."""
    words = consequence_words(found)
    if words:
        st.caption(" ".join(words))


def consequence_words(found: WhatIf) -> list[str]:
    """Return a sentence for each of the two that the draft changes."""
    words = []
    if found.overdue is not None:
        words.append(f"**Overdue** among those to review: {_now_then(*found.overdue)}.")
    if found.suggested is not None:
        old, new = found.suggested
        steps = (f"{STEP_LABELS[step].lower()} {_now_then(old[step], new[step])}" for step in old)
        words.append(f"**Requalification**, suggested by the months tested: {', '.join(steps)}.")
    return words


def rebate_words(costs: Rebates, replays: Mapping[Population, Replay]) -> list[str]:
    """Describe what the draft would change about rates, and what it would not."""
    found = []
    old, new = costs.above_most
    if new or old:
        over = f", {figures.usd_exact(_cents(costs.over_usd[1]))} a month" if costs.over_usd else ""
        found.append(
            f"{new:,} of {costs.affiliates:,} affiliates have more than the draft's highest rate "
            f"({old:,} now){over}. Their rates stay until somebody changes them."
        )
    if costs.at_standard:
        found.append(
            f"{costs.at_standard:,} are suspended or terminated, and so at the standard rate."
        )
    if costs.costly is None:
        found.append("Net fees are unknown until a refresh, so costs are too.")
        return found
    if costs.costly[0] != costs.costly[1]:
        found.append(
            f"{costs.costly[1]:,} approvals would need a second person for their cost at "
            f"today's fees, {costs.costly[0]:,} now."
        )
    assert costs.granted_usd is not None
    assert costs.standard_usd is not None
    if costs.leaving_usd:
        found.append(
            "Affiliates who would no longer meet the minimums get "
            f"{figures.usd(costs.leaving_usd)} USD a month above the standard rate"
            f"{_only(replays[Population.AFFILIATES])}."
        )
    if costs.joining_usd:
        found.append(
            "Open applications that would newly meet the minimums would cost up to "
            f"{figures.usd(costs.joining_usd)} USD a month more, at the highest rate"
            f"{_only(replays[Population.OPEN])}."
        )
    found.append(
        f"Granted rates: {_pair(costs.granted_usd)} USD a month; everybody else at the standard "
        f"rate: {_pair(costs.standard_usd)} USD. Net fees of {_days(costs)}, UTC."
    )
    return found


def draw_changers(rows: Sequence[Changer], *, key: str, on_open: Callable[[], None]) -> None:
    """Draw one page of those who change sides, each with a link to the application."""
    grid.draw(
        {
            "open": grid.opens(["Open"] * len(rows), key=OPEN, on_open=on_open),
            "number": grid.whole(
                "No.", [row.application_id for row in rows], written="%d", width=62
            ),
            "applicant": grid.text("Applicant", [row.username for row in rows], width=128),
            "handle": grid.text("Handle", [row.handle for row in rows], width=128),
            "status": grid.text("Status", [row.status for row in rows], width=76),
            "move": grid.text(
                "Now → under the draft",
                [move_words((row.before, row.after)) for row in rows],
                width=150,
            ),
            **{
                criterion.key: _values(criterion, [row.values[criterion.key] for row in rows])
                for criterion in CRITERIA
            },
        },
        key=key,
        alt="Changed results",
        most_high=ROWS_SHOWN,
    )


def _values(criterion: Criterion, cells: Sequence[Decimal | None]) -> GridColumn:
    """Return a criterion's column; volumes are rounded down, as beside every minimum."""
    label = SHORT_LABELS.get(criterion.key, criterion.label)
    look = {
        "width": 74,
        "help": f"{criterion.label}, {criterion.unit}, as the draft counts it.",
    }
    if criterion.unit is Unit.USD:
        return grid.millions(label, cells, **look)
    return grid.whole(label, [None if one is None else int(one) for one in cells], **look)


def replayed_words(replay: Replay) -> str:
    """Format the coverage: ``of the 394 replayed (19 %); 1,698 could not be``; "" if complete."""
    if not replay.undetermined:
        return ""
    share = figures.whole_percent(Decimal(replay.replayed) / replay.total)
    return f"of the {replay.replayed:,} replayed ({share}); {replay.undetermined:,} could not be"


def no_change_words(found: WhatIf) -> str:
    """Return the sentence for a replay in which no result changes."""
    undetermined = sum(replay.undetermined for replay in found.replays.values())
    replayed = sum(replay.replayed for replay in found.replays.values())
    if not undetermined:
        return "No result changes."
    if not replayed:
        return f"Whether a result changes is unknown: none of {undetermined:,} could be replayed."
    return f"No result changes among {replayed:,} replayed; {undetermined:,} could not be."


def _is_replayed(replay: Replay) -> bool:
    """Whether somebody of a population was replayed, or it is empty."""
    return bool(replay.replayed) or not replay.undetermined


def _only(replay: Replay) -> str:
    about = replayed_words(replay)
    return f", {about}" if about else ""


def _metric(
    label: str,
    value: str,
    change: str | None,
    explanation: str,
    replay: Replay | None = None,
) -> None:
    about = replayed_words(replay) if replay else ""
    if replay and not _is_replayed(replay):
        # Nothing is known, so there is no change.
        value, change, about = figures.UNKNOWN, about, ""
    st.metric(
        label,
        value,
        delta=change,
        delta_description=about or None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=explanation,
        height="stretch",
    )


def _now_then(now: int, then: int) -> str:
    return figures.count(now) if now == then else f"{now:,}{ARROW}{then:,}"


def _count_change(now: int, then: int) -> str:
    return f"{then - now:+,}".replace("-", wording.MINUS) if now != then else "no change"


def _points(rates: tuple[Decimal, Decimal]) -> str:
    points = (rates[1] - rates[0]) * 100
    if not points:
        return "no change"
    size = f"{rounded(abs(points), 1)}" if abs(points) >= Decimal("0.05") else "<0.1"
    return f"{wording.MINUS if points < 0 else '+'}{size} points"


def _tenth(rate: Decimal) -> Decimal:
    return rounded(rate, 3)


def _cost(costs: Rebates) -> str:
    if costs.granted_usd is None or costs.standard_usd is None:
        return figures.UNKNOWN
    return f"{figures.usd(costs.granted_usd[1] + costs.standard_usd[1])} USD"


def _cost_change(costs: Rebates) -> str | None:
    difference = costs.difference_usd
    if difference is None:
        return None
    if not difference:
        return "no change"
    return f"{'+' if difference > 0 else wording.MINUS}{figures.usd(abs(difference))} USD"


def _pair(pair: tuple[Decimal, Decimal]) -> str:
    old, new = (figures.usd(amount) for amount in pair)
    return old if pair[0] == pair[1] else f"{old}{ARROW}{new}"


def _cents(value: Decimal) -> Decimal:
    return rounded(value, 2)


def _days(costs: Rebates) -> str:
    assert costs.window is not None
    return figures.day_range(costs.window.start, costs.window.last_day)

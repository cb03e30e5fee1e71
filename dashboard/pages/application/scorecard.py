"""Eligibility by criterion: value, minimum, margin, outcome, and what is missing."""

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from dashboard.ui import badges, figures
from program import wording
from program.periods import Window
from program.policy.criteria import EXTERNAL, Comparison, Unit
from program.policy.eligibility import Assessment, CriterionResult
from program.policy.outcomes import Outcome
from program.policy.robust import Robust

# Only read out; on the screen the lines speak for themselves.
HEADINGS = ("| outcome | criterion | value | margin |", "|:--|:--|:--|:--|")
UNIT_WORDS = {Unit.USD: "USD", Unit.USERS: "users", Unit.FOLLOWERS: "followers"}


def draw(
    assessment: Assessment,
    *,
    window: Window | None,
    provisional: bool,
    unknown_because: Mapping[str, str],
    robust: Robust | None = None,
) -> None:
    """Draw every track with its criteria, one line each.

    ``unknown_because`` says by criterion key why one has no value; ``robust`` is on how much of the
    activity the on-exchange criteria rest, if that is known.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        minimums = " ".join(
            f"{r.criterion.label}: {minimum_words(r)}." for r in assessment.criteria
        )
        st.markdown("**Eligibility**", width="content", help=minimums)
        badges.outcome_badge(assessment.outcome, track=assessment.track, provisional=provisional)
        if window is not None:
            span = figures.day_range(window.start, window.last_day)
            st.caption(f"{span}, UTC", width="content")
    # A table is one element; the style sheet gives it the look of the lines elsewhere.
    st.markdown(_table(assessment, unknown_because))
    if robust is not None:
        icon = ":material/warning:" if robust.is_fragile else ":material/verified_user:"
        st.caption(f"{icon} On the exchange: {robust.sentence}.")


def _table(assessment: Assessment, unknown_because: Mapping[str, str]) -> str:
    """Return the tracks with their criteria as Markdown, all in the product's own words."""
    parts = []
    for track in assessment.tracks:
        requires = "all three" if track.track is not EXTERNAL else "either one"
        parts += [f"{track.track.label}, {requires}", "", *HEADINGS]
        parts += [f"| {' | '.join(line(result, unknown_because))} |" for result in track.criteria]
        parts.append("")
    return "\n".join(parts)


def line(result: CriterionResult, unknown_because: Mapping[str, str]) -> tuple[str, ...]:
    """Return a criterion's cells: outcome, name, value of minimum, and the remark."""
    return (
        badges.outcome_markdown(result.outcome),
        label_words(result),
        value_words(result),
        remark(result, unknown_because),
    )


def label_words(result: CriterionResult) -> str:
    """Format the criterion's name, with the unit unless the name contains it."""
    label = result.criterion.label
    return f"{label}, USD" if result.criterion.unit is Unit.USD else label


def remark(result: CriterionResult, unknown_because: Mapping[str, str]) -> str:
    """Format the remark beside the value: the margin, and what is missing."""
    if result.outcome is Outcome.MET:
        return figures.percent(result.margin)
    if result.value is None:
        return unknown_because.get(result.criterion.key, "metrics not loaded")
    missing = missing_words(result)
    return f"{figures.percent(result.margin)} · {missing}" if result.margin is not None else missing


def value_words(result: CriterionResult) -> str:
    """Format the value and its minimum: ``31.2 M of 20 M``, ``12 of 15``, ``900 of > 5,000``."""
    more = "> " if result.criterion.comparison is Comparison.MORE_THAN else ""
    value = "–" if result.value is None else _cut(result.value, result)
    return f"{value} of {more}{_stated(result.minimum, result)}"


def minimum_words(result: CriterionResult) -> str:
    """Format the minimum: ``at least 20 M USD``."""
    word = "more than" if result.criterion.comparison is Comparison.MORE_THAN else "at least"
    return f"{word} {_stated(result.minimum, result)} {UNIT_WORDS[result.criterion.unit]}"


def missing_words(result: CriterionResult) -> str:
    """Describe what is missing to meet the criterion."""
    shortfall = result.shortfall or 0
    if result.criterion.unit is Unit.USD:
        # In short form a few cents would read as 0, as if nothing were missing.
        money = Decimal(shortfall)
        words = figures.usd_exact(money) if money < 1000 else f"{figures.usd(money)} USD"
        return f"{words} short"
    unit = UNIT_WORDS[result.criterion.unit]
    return f"{shortfall:,} {unit.removesuffix('s') if shortfall == 1 else unit} short"


def _cut(value: Decimal | int, result: CriterionResult) -> str:
    """Format a value beside its minimum, rounded down so that it does not seem to reach it."""
    if result.criterion.unit is Unit.USD:
        return figures.usd_cut(Decimal(value))
    return figures.count(int(value))


def _stated(minimum: Decimal | int, result: CriterionResult) -> str:
    if result.criterion.unit is Unit.USD:
        return wording.stated_usd(Decimal(minimum))
    return figures.count(int(minimum))

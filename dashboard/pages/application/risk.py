"""The risk signals: what the figures ask about, and what could not be checked."""

from collections.abc import Sequence

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application import risk_behind, risk_dismissal
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import badges, figures, risk_words, state
from data_access.review.opening import Opened
from data_access.risk.reading import AccountRisk
from program.risk.judging import FLAGGED, ORDER, Result
from program.risk.signals import CANNOT_BE_CHECKED, DAYS, Severity

NOT_MEASURED = (
    "Signals are measured after a refresh, for accounts with an open application and for approved "
    "affiliates. This account has no measures yet, which is not the same as clear."
)


def draw(shown: Opened) -> None:
    """Draw the headline, the flagged signals, and the others below."""
    found = shown.risk
    with st.container(border=True, gap="small", key="risk"):
        if found is None:
            st.markdown(f"**Risk** · {_badge(Severity.NOT_ENOUGH_DATA)}")
            st.caption(NOT_MEASURED)
            return
        st.markdown(_heading(found))
        submit.draw(risk_dismissal.name(shown.id_))
        opened = state.kept(_opened(shown.id_))
        for result in _listed(found):
            _draw_line(shown, found, result)
            if result.signal.id == opened:
                _draw_opened(shown, found, result)
        _draw_others(found.risk.results)


def _heading(found: AccountRisk) -> str:
    """Return level, how many could be checked, and on which data, as Markdown."""
    results = found.risk.results
    known = sum(result.severity is not Severity.NOT_ENOUGH_DATA for result in results)
    score = f" · {found.risk.score} points" if found.risk.score else ""
    return (
        f"**Risk** {_badge(found.risk.level)}{score} · {known} of {len(results)} could be checked "
        f"\n\n:gray[:small[{DAYS} days up to {figures.day(found.data_through)}, UTC. Signals ask; "
        "you decide.]]"
    )


def _badge(level: Severity) -> str:
    badge = badges.RISKS[level]
    return f":{badge.color}-badge[{badge.icon} {badge.word}]"


def _listed(found: AccountRisk) -> list[Result]:
    """Return the flagged results: high ones first, dismissed ones last."""
    flagged = [result for result in found.risk.results if result.severity in FLAGGED]
    return sorted(flagged, key=lambda r: (r.dismissed, -ORDER.index(r.severity)))


def _draw_line(shown: Opened, found: AccountRisk, result: Result) -> None:
    signal, badge = result.signal, badges.RISKS[result.severity]
    figure = risk_words.value(signal, result.measured.value)
    if (dismissal := found.dismissed(signal.id)) is not None:
        until = figures.day(dismissal.until)
        mark = f":gray[:material/do_not_disturb_on: dismissed until {until}]"
    else:
        mark = f":{badge.color}[{badge.icon} {badge.word}]"
    st.button(
        f"{mark} **{signal.name}** {figure} · {signal.question}",
        key=f"risk-open-{signal.id}-{shown.id_}",
        type="tertiary",
        wrap=True,
        on_click=_open,
        args=[shown.id_, signal.id],
    )


def _draw_opened(shown: Opened, found: AccountRisk, result: Result) -> None:
    """Draw a signal with its rows, and the form that sets it aside."""
    signal = result.signal
    with st.container(border=True, gap="small", key="risk-opened"):
        figure = risk_words.value(signal, result.measured.value)
        of = risk_words.sample(result)
        st.markdown(
            f"**{figure}** {f'over {of} ' if of else ''}· {risk_words.thresholds(result)}"
            f"\n\n{signal.formula}.\n\n:gray[:small[Why: {signal.why}]]"
        )
        risk_behind.draw(shown, found, signal)
        risk_dismissal.draw(shown, found, result)


def _draw_others(results: Sequence[Result]) -> None:
    """Draw what is clear, what lacks data, and what nobody can check here, each collapsed."""
    clear = [r for r in results if r.severity is Severity.CLEAR]
    lacking = [r for r in results if r.severity is Severity.NOT_ENOUGH_DATA]
    with st.expander(
        f"{len(clear)} clear · {len(lacking)} without enough data · "
        f"{len(CANNOT_BE_CHECKED)} that cannot be checked"
    ):
        st.markdown("\n\n".join(_others(clear, lacking)))


def _others(clear: Sequence[Result], lacking: Sequence[Result]) -> list[str]:
    """Return the parts as Markdown, all in the product's own words."""
    parts = []
    if clear:
        rows = [
            f"| {r.signal.name} | {risk_words.value(r.signal, r.measured.value)} "
            f"| {risk_words.threshold(r)} |"
            for r in clear
        ]
        parts.append("\n".join(["| clear | value | threshold |", "|:--|--:|:--|", *rows]))
    if lacking:
        rows = [f"| {r.signal.name} | {risk_words.lacks(r)} |" for r in lacking]
        parts.append("\n".join(["| not enough data | |", "|:--|:--|", *rows]))
    rows = [f"| {one.name} | would take {one.takes} |" for one in CANNOT_BE_CHECKED]
    parts.append("\n".join(["| cannot be checked here | |", "|:--|:--|", *rows]))
    return parts


def _open(id_: int, signal: str) -> None:
    """Open or close a signal."""
    state.hold(decision_name(id_))
    place = _opened(id_)
    state.keep(place, None if state.kept(place) == signal else signal)


def _opened(id_: int) -> str:
    return f"risk-{id_}"

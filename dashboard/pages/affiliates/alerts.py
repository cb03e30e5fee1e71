"""Alerts: breaks of approved affiliates since the previous measuring, one digest a day."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from dashboard.pages.affiliates import frame
from dashboard.ui import badges, figures, grid, state, states
from data_access.db import database
from data_access.eligibility import freshness
from data_access.people.staff import Person
from data_access.risk import alert_list
from data_access.risk.alert_list import Day
from program import wording
from program.affiliates.filters import BoardFilters
from program.risk import values
from program.risk.alerts import Alert
from program.risk.signals import BREAKS, BY_ID, Severity

ALERTS = "alerts"
OPEN = "alerts-open"
CHOSEN = "alerts-day"
DAYS_OFFERED = 30
MOST = 500
ROWS_SHOWN = 15
COLORS = {badges.RISK_TEXTS[one]: badges.RISKS[one].color for one in (Severity.HIGH, Severity.WARN)}


def draw(filters: BoardFilters, _person: Person) -> None:
    """Draw the digest of the day in the address, or of the newest day with alerts."""
    with database.reading(database.reader()) as connection:
        fresh = freshness.newest(connection)
        days = alert_list.days(connection, most=DAYS_OFFERED)
        shown = next((one for one in days if one.day == filters.day), days[0] if days else None)
        found = alert_list.of_day(connection, shown.day, most=MOST) if shown else []
    frame.draw_head("Alerts")
    draw_about(fresh.data_through if fresh else None)
    if shown is None:
        states.empty("No approved affiliate has broken its pattern. Each refresh checks again.")
        return
    choose_day(filters, days, shown)
    draw_digest(shown, found)


def draw_about(through: date | None) -> None:
    """Say what an alert is."""
    names = wording.listed([wording.inline(BY_ID[id_].name) for id_ in BREAKS], last="or")
    measured = f" · data through {figures.day(through, year=True)}, UTC" if through else ""
    st.caption(
        f"Check these approved affiliates: {names} is flagged now and was not before. "
        f"Moves of the whole market are left out{measured}."
    )
    st.caption(
        "Open the application to see the numbers. Dismiss the signal there once its question is "
        "answered."
    )


def choose_day(filters: BoardFilters, days: Sequence[Day], shown: Day) -> None:
    """Draw the choice of the day; each is one digest."""
    words = {one.day: f"{figures.day(one.day, year=True)} · {_number(one)}" for one in days}
    state.show(CHOSEN, shown.day)
    st.selectbox(
        "Data through",
        list(words),
        format_func=words.__getitem__,
        key=CHOSEN,
        width=320,
        on_change=_show_day,
        args=[filters],
    )


def _show_day(filters: BoardFilters) -> None:
    frame.apply_filters(filters.on_day(state.typed(CHOSEN)))


def draw_digest(shown: Day, found: Sequence[Alert]) -> None:
    """Draw the alerts of a day, high ones first."""
    state.keep_rows(ALERTS, [one.application_id for one in found])
    grid.draw(
        {
            "open": grid.opens(
                ["Open"] * len(found), key=OPEN, on_open=partial(frame.open_clicked, ALERTS, OPEN)
            ),
            "account": grid.text("Affiliate", [one.username for one in found], width=150),
            "severity": grid.badges(
                "Severity", [badges.RISK_TEXTS[one.severity] for one in found], COLORS, width=90
            ),
            "signal": grid.text(
                "What broke", [f"{one.signal.id} {one.signal.name}" for one in found], width=190
            ),
            "value": grid.figure_text(
                "Value", [values.short(one.signal, one.value) for one in found], width=90
            ),
            "threshold": grid.text(
                "Threshold", [_threshold(one) for one in found], width=110, help="As it was then."
            ),
            "since": grid.day("Since", [one.since for one in found]),
            "question": grid.text("Question", [one.signal.question for one in found], width=310),
            "dismissed": grid.day(
                "Dismissed until", [one.dismissed_until for one in found], width=120
            ),
        },
        key=f"alerts-{shown.day}",
        alt="Alerts",
        placeholder=figures.DASH,
        most_high=ROWS_SHOWN,
    )
    if len(found) == MOST and shown.alerts > MOST:
        st.caption(f"The first {MOST:,} of {shown.alerts:,}.")


def _threshold(alert: Alert) -> str:
    limit = values.exact(alert.signal, alert.threshold)
    return f"at most {limit}" if alert.signal.lower_is_worse else f"at least {limit}"


def _number(day: Day) -> str:
    signals = f"{day.alerts:,} signal{'' if day.alerts == 1 else 's'}"
    return f"{signals} of {day.affiliates:,} affiliate{'' if day.affiliates == 1 else 's'}"

"""Staff: who may use the dashboard, who is away, what was changed, and who did what lately."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.pages.staff import person_forms
from dashboard.shell import sign_in
from dashboard.ui import address, figures, grid, lookups, state, states
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.people import leave, roster, staff_changes
from data_access.people.leave import Leave
from data_access.people.roster import Done, Member
from data_access.people.staff import Person
from data_access.people.staff_changes import StaffEvent
from program.periods import utc_day
from program.reports.datasets import LOG
from program.review.done import DONE
from program.review.permissions import ALLOWED, Act, Role
from program.review.sign_in import DEMO_ISSUER

OPEN, TABLE = "staff-open", "staff"
STATES = {"active": "green", "on leave": "blue", "disabled": "gray"}
ROWS_SHOWN = 12
CHANGE_WORDS = {
    "added": "added",
    "role_changed": "changed the role of",
    "disabled": "disabled",
    "enabled": "enabled",
    "bound": "bound the sign-in of",
    "unbound": "released the sign-in of",
    "leave_added": "set a leave of",
    "leave_removed": "removed a leave of",
}


def main() -> None:
    """Load, then draw: people on the left, the chosen one on the right, records below."""
    viewer = sign_in.require(Act.MANAGE_STAFF)
    now = datetime.now(UTC)
    chosen = address.read(("person",)).get("person")
    with database.reading(database.reader()) as connection:
        members = roster.listed(connection, now=now)
        member = next((one for one in members if one.email == chosen), None)
        email = member and member.email
        away = leave.listed(connection, email=email or "", since=utc_day(now))
        changes = staff_changes.events(connection, email=email)
        acts = roster.acts(connection, email=email)
    st.subheader("Staff", anchor=False)
    with st.container(key="staff-desk"):
        # Narrow windows have the columns below each other: see style.css.
        left, right = st.columns([1.9, 1], gap="large")
    with left:
        draw_people(members)
        draw_acts(acts, member)
        draw_changes(changes)
        draw_roles()
    with right:
        draw_chosen(member, away, viewer)


def draw_people(members: Sequence[Member]) -> None:
    """Draw everybody, active people first."""
    counted = [(sum(one.state == name for one in members), name) for name in STATES]
    st.caption(" · ".join(f"{count:,} {name}" for count, name in counted if count))
    state.keep(TABLE, [one.email for one in members])
    state.keep_rows(TABLE, [number for number, _ in enumerate(members)])
    grid.draw(
        {
            "open": grid.opens(["Open"] * len(members), key=OPEN, on_open=_open),
            "name": grid.text("Name", [one.display_name for one in members], width=130),
            "email": grid.text("Address", [one.email for one in members], width=190),
            "role": grid.text("Role", [one.role for one in members], width=80),
            "state": grid.badges("State", [one.state for one in members], STATES, width=84),
            "seen": grid.moment("Last seen", [one.last_seen_at for one in members]),
            "acted": grid.moment("Last act", [one.last_act_at for one in members]),
        },
        key="staff-people",
        placeholder="never",
        alt="Staff",
        most_high=ROWS_SHOWN,
    )


def draw_chosen(member: Member | None, away: Sequence[Leave], viewer: Person) -> None:
    """Draw the chosen person with what can be changed, or the form for a new one."""
    if member is None:
        person_forms.draw_new(viewer)
        return
    with st.container(border=True, key="staff-chosen"):
        st.text(member.display_name)
        st.text(f"{member.email} · {member.role} · {member.state}")
        st.caption(sign_in_words(member))
        if member.away_until is not None:
            st.caption(f"On leave through {figures.day(member.away_until, year=True)}.")
        st.button("Close", key="staff-close", on_click=_close, type="tertiary")
    person_forms.draw(member, away, viewer)


def sign_in_words(member: Member) -> str:
    """Say with which account of the identity provider a person signs in."""
    if member.issuer is None:
        return "Their first sign-in with this address binds it to that account."
    if member.issuer == DEMO_ISSUER:
        return "A person of the demo: signs in on this computer only."
    return f"Signs in at {escape(member.issuer)} as {escape(member.subject or '')}."


def draw_acts(acts: Sequence[Done], member: Member | None) -> None:
    """Draw the newest acts, of the chosen person or of everybody."""
    st.markdown("**Recent activity**")
    if not acts:
        states.empty("Nothing was done yet." if member is None else "They have done nothing yet.")
    else:
        grid.draw(
            {
                "when": grid.moment("When", [act.at for act in acts]),
                "who": grid.text("Who", [lookups.named(act.actor) for act in acts], width=190),
                "what": grid.text(
                    "What", [DONE.get(act.command, act.command) for act in acts], width=220
                ),
                "application": grid.applications([act.application_id for act in acts]),
            },
            key="staff-acts",
            alt="Recent activity",
            row_height=grid.LOW_ROW_HEIGHT,
            most_high=ROWS_SHOWN,
        )
    whose = {} if member is None else {"actor": member.email}
    st.page_link(
        "dashboard/pages/explore/page.py",
        label="Activity log",
        icon=":material/history:",
        query_params={"dataset": LOG.key, **whose},
        help="Everything that was done, to filter and export.",
    )


def draw_changes(changes: Sequence[StaffEvent]) -> None:
    """Draw the recorded changes, newest first."""
    if changes:
        with st.expander(f"Changes, the last {len(changes):,}"):
            for change in changes:
                st.text(change_words(change))


def change_words(change: StaffEvent) -> str:
    """Format a change: when, who, what, whom, from what to what, and why."""
    sides = [", ".join(map(str, side.values())) for side in (change.old, change.new) if side]
    detail = "" if change.kind in ("disabled", "enabled") else f" ({' → '.join(sides)})"
    why = f": {change.reason}" if change.reason else ""
    what = CHANGE_WORDS[change.kind]
    who, whom = lookups.named(change.actor), lookups.named(change.email)
    return f"{figures.moment(change.at)} · {who} {what} {whom}{detail}{why}"


def draw_roles() -> None:
    """Draw which role may do what."""
    with st.expander("What each role may do"):
        grid.draw(
            {
                "act": grid.text("Act", [act.value for act in ALLOWED], width=270),
                **{
                    role: grid.text(
                        role.capitalize(),
                        ["✓" if role in roles else "" for roles in ALLOWED.values()],
                        width=80,
                    )
                    for role in Role
                },
            },
            key="staff-roles",
            alt="What each role may do",
            row_height=grid.LOW_ROW_HEIGHT,
        )


def _open() -> None:
    row = state.clicked_row(TABLE, state.typed(OPEN))
    if row is not None:
        st.query_params["person"] = state.kept(TABLE)[row]


def _close() -> None:
    st.query_params.clear()


main()

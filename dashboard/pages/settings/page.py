"""Settings: the holidays of the review clock, and the policy's rules."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import streamlit as st

from dashboard.pages.settings import holidays as setting_holidays
from dashboard.shell import sign_in
from dashboard.ui import address, figures, lookups, states
from data_access.db import database
from data_access.eligibility import holidays, policies
from data_access.eligibility.holidays import Holiday
from data_access.people.staff import Person
from data_access.policy import holiday_changes
from data_access.policy.holiday_changes import Change
from program import wording
from program.policy import checklist
from program.policy.policy import Policy
from program.review import business_time
from program.review.permissions import Act

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def main() -> None:
    """Load, then draw: holidays on the left, the policy on the right."""
    person = sign_in.require(Act.KEEP_HOLIDAYS)
    address.read(())
    now = datetime.now(UTC)
    with database.reading(database.reader()) as connection:
        listed = holidays.listed(connection)
        changes = holiday_changes.record(connection)
        policy = policies.in_force(connection, now=now)
    if person.may(Act.MANAGE_STAFF):
        st.page_link(
            "dashboard/pages/staff/page.py", label="Staff and roles", icon=":material/badge:"
        )
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        draw_holidays(listed, changes, person, now.date())
    with right:
        draw_policy(policy)


def draw_holidays(
    listed: Sequence[Holiday], changes: Sequence[Change], person: Person, today: date
) -> None:
    """Draw the form, coming holidays, and past ones in an expander."""
    st.subheader("Holidays", anchor=False)
    st.caption("The review clock stops on weekends and on these UTC days.")
    setting_holidays.draw(person)
    coming = [holiday for holiday in listed if holiday.day >= today]
    past = [holiday for holiday in reversed(listed) if holiday.day < today]
    if not coming:
        states.empty("There are no upcoming holidays. Only weekends stop the review clock.")
    for holiday in coming:
        draw_holiday(holiday, person)
    if past:
        with st.expander(f"Past holidays, {len(past):,}"):
            for holiday in past:
                draw_holiday(holiday, person)
    if changes:
        with st.expander(f"Changes, the last {len(changes):,}"):
            for change in changes:
                st.text(change_words(change))


def change_words(change: Change) -> str:
    """Format a change of the holidays: when, who, what and why."""
    named = {
        "added": f"added “{change.new_name}”",
        "renamed": f"renamed “{change.old_name}” to “{change.new_name}”",
        "removed": f"removed “{change.old_name}”",
    }[change.kind]
    day = figures.day(change.day, year=True)
    who = lookups.named(change.actor)
    return f"{figures.moment(change.at)} · {who} {named}, {day}: {change.reason}"


def draw_holiday(holiday: Holiday, person: Person) -> None:
    """Draw one day with its name, and the buttons to change it."""
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        wrap=False,
        key=f"holiday-{holiday.day.isoformat()}",
    ):
        weekday = WEEKDAYS[holiday.day.weekday()]
        st.text(f"{weekday} {figures.day(holiday.day, year=True)}", width=130)
        with st.container(gap=None, width="stretch"):
            st.text(holiday.name)
            if not business_time.is_business_day(holiday.day):
                st.caption("falls on a weekend")
        setting_holidays.change_buttons(holiday, person)


def draw_policy(policy: Policy) -> None:
    """Draw the policy's rules for the desk; they are changed on the policy page."""
    st.subheader(f"Policy, version {policy.version}", anchor=False)
    st.caption(
        f"In effect since {figures.day(policy.effective_from.date(), year=True)}. Read only."
    )
    with st.container(border=True):
        for label, value in policy_facts(policy):
            with st.container(horizontal=True, gap="small", wrap=False):
                st.caption(label, width=190)
                st.text(value, width="stretch")
    st.markdown("**Checklist**")
    with st.container(border=True, gap=None):
        for key in dict.fromkeys((*policy.required_checks, *policy.checklist)):
            required = " · before an approval" if key in policy.required_checks else ""
            st.text(f"{checklist.item(key).label}{required}")


def policy_facts(policy: Policy) -> list[tuple[str, str]]:
    """Return the desk's rules as (label, value)."""
    limit = policy.second_approval_monthly_extra_usd
    extra = "never for cost" if limit is None else f"from {wording.full_usd(limit)} USD"
    days = policy.review_sla_business_days
    standard = figures.rate(policy.standard_rebate_rate)
    return [
        ("Review within", f"{days} business day{'' if days == 1 else 's'}"),
        ("A claim expires after", f"{policy.claim_idle_minutes} min without activity"),
        (
            "Second approval",
            "for decisions against the computed eligibility"
            if policy.second_approval_for_overrides
            else "not for decisions against the computed eligibility",
        ),
        ("Second approval, monthly cost", extra),
        (
            "Rebate",
            f"{standard} is standard, at most {figures.rate(policy.max_rebate_rate)}",
        ),
        ("Evidence is valid for", f"{policy.evidence_valid_days} days"),
    ]


main()

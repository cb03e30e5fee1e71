"""The facts of an application: applicant, eligibility, and referral trend."""

from collections.abc import Sequence

import streamlit as st

from dashboard.pages.application import (
    applicant,
    conflict,
    evidence,
    referred_users,
    scorecard,
    trend,
)
from dashboard.pages.application.applicant import Contact
from dashboard.pages.application.context import Shown
from dashboard.ui import figures, states
from data_access.people.staff import Person
from data_access.review.trends import Point, ReferredUser


def draw_who(shown: Shown, colleagues: Sequence[Person]) -> None:
    """Draw the applicant, the contacts, and the conflict declaration."""
    application = shown.application
    contacts = [Contact(application.social_platform, application.social_handle, social=True)]
    if application.contact_handle:
        named = application.contact_platform or "contact"
        contacts.append(Contact(named, application.contact_handle))
    if application.email and application.email != application.contact_handle:
        contacts.append(Contact("email", application.email))
    with st.container(border=True, gap="small", key="who"):
        applicant.draw(
            account_id=application.account_id,
            country=application.country_code,
            kyc=application.kyc_status,
            since=application.account_created_at.date(),
            contacts=contacts,
        )
        conflict.draw(shown, colleagues)


def draw_scorecard(shown: Shown) -> None:
    """Draw the eligibility, criterion by criterion."""
    fresh = shown.standing.freshness
    states.stale(fresh.data_through if fresh else None, today=shown.now.date())
    with st.container(border=True, gap="small"):
        scorecard.draw(
            shown.standing.assessment,
            window=fresh.window if fresh else None,
            provisional=shown.is_provisional,
            unknown_because=evidence.unknown_because(shown),
        )


def draw_trend(shown: Shown, days: Sequence[Point], months: Sequence[Point]) -> None:
    """Draw the referral trend."""
    standing = shown.standing
    fresh = standing.freshness
    trend.draw(
        days,
        months,
        policy=standing.policy,
        window=fresh.window if fresh else None,
        through=fresh.data_through if fresh else None,
        known=standing.facts.volume_usd is not None,
    )


def draw_users(shown: Shown, users: Sequence[ReferredUser]) -> None:
    """Draw the referred users with the most volume in the window."""
    standing = shown.standing
    fresh, total = standing.freshness, standing.facts.volume_usd
    with st.container(border=True, gap="small"):
        st.markdown("**Top referred users of the window**")
        if fresh is None or total is None:
            st.caption(trend.NOT_LOADED)
            return
        if not users:
            st.caption("No referred user of this account traded in the window.")
            return
        st.caption(
            f"{figures.day_range(fresh.window.start, fresh.window.last_day)}, UTC · "
            f"{len(users)} of {figures.count(standing.facts.active_users)} active"
        )
        referred_users.draw(
            [
                referred_users.UserRow(
                    account_id=user.referred_account_id,
                    volume_usd=user.volume_usd,
                    share=user.volume_usd / total if total else None,
                    fees_usd=user.fees_usd,
                    trading_days=user.trading_days,
                    referred_at=user.referred_at,
                )
                for user in users
            ],
            key=f"users-{shown.id_}",
        )

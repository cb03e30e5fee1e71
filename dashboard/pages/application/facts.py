"""The facts of an application: applicant and eligibility."""

import streamlit as st

from dashboard.pages.application import (
    applicant,
    conflict,
    contact_readers,
    evidence,
    scorecard,
)
from dashboard.pages.application.applicant import Contact
from dashboard.ui import states
from data_access.review.opening import Opened


def draw_who(shown: Opened) -> None:
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
        contact_readers.draw(shown)
        conflict.draw(shown)


def draw_scorecard(shown: Opened) -> None:
    """Draw the eligibility, criterion by criterion."""
    fresh = shown.standing.freshness
    states.stale(fresh.data_through if fresh else None, today=shown.now.date())
    with st.container(border=True, gap="small", key="scorecard"):
        scorecard.draw(
            shown.standing.assessment,
            window=fresh.window if fresh else None,
            provisional=shown.is_provisional,
            unknown_because=evidence.unknown_because(shown),
            robust=shown.risk.robust if shown.risk else None,
        )

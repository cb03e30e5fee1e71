"""The applicant and the contacts; typed text only where it can be copied, not rendered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

from dashboard.ui import copying, figures
from dashboard.ui.safe_text import escape
from program.text.handles import profile_url


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact; only a social profile has a link, and only if it is safe."""

    platform: str
    handle: str
    social: bool = False


def draw(
    *, account_id: int, country: str | None, kyc: str, since: date, contacts: Sequence[Contact]
) -> None:
    """Draw the account's line and each contact."""
    st.caption(
        f"Account {account_id} · {escape(country or 'country unknown')} · KYC {kyc} · "
        f"since {figures.day(since, year=True)}"
    )
    # The style sheet puts each contact on one line.
    with st.container(key="contacts", gap="xsmall"):
        for contact in contacts:
            url = profile_url(contact.platform, contact.handle) if contact.social else None
            st.text(contact.platform)
            st.text(contact.handle)
            copying.button()
            if url is not None:
                st.link_button("", url, icon=":material/open_in_new:", type="tertiary", help=url)

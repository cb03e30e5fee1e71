"""The tabs say what waits behind them."""

from typing import Any

import pytest
import streamlit as st
from sqlalchemy import insert

from dashboard.shell.screens import OUTBOX, POLICY, QUEUE
from data_access.db import tables
from program.review.permissions import Role
from tests.dashboard.pages.screen import PEOPLE, Desk, texts


@pytest.mark.parametrize(("role", "title"), [(Role.MANAGER, "Policy 1"), (Role.ANALYST, "Policy")])
def test_a_tab_says_that_a_proposal_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, role: Role, title: str
) -> None:
    seen: dict[str, str] = {}
    navigation = st.navigation

    def watched(pages: Any, **given: Any) -> Any:
        seen.update({page.url_path: page.title for page in pages})
        return navigation(pages, **given)

    monkeypatch.setattr(st, "navigation", watched)
    with desk.engine.begin() as conn:
        values = {"base_version": 1, "settings": {}, "note": "n", "saved_at": desk.now}
        conn.execute(
            insert(tables.policy_drafts).values(
                author="ben@example.com", proposed_at=desk.now, **values
            )
        )
    desk.who = PEOPLE[role]

    texts(desk.open(QUEUE))

    assert (seen[POLICY.path], seen[OUTBOX.path]) == (title, OUTBOX.title)

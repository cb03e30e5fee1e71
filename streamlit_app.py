"""The frame of every page: sign-in, navigation, and the header."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.forms import signing_out, submit, taking_next, undo
from dashboard.shell import failures, help_panel, metrics, sign_in
from dashboard.shell.freshness import freshness_line
from dashboard.shell.screens import OUTBOX, POLICY, SCREENS, Screen, at
from dashboard.ui import keyboard, shortcuts, state
from dashboard.ui.safe_text import escape
from data_access.db.errors import DatabaseUnavailable
from data_access.eligibility.freshness import Freshness
from data_access.people.staff import Person

ROOT = Path(__file__).parent


def main() -> None:
    st.set_page_config(
        page_title="Affiliate Review",
        page_icon=str(ROOT / "static" / "mark.svg"),
        layout="wide",
    )
    try:
        arrival = sign_in.arrive()
    except DatabaseUnavailable as error:
        draw = partial(failures.is_unavailable, error)
        pages = [hidden_page(screen, draw) for screen in SCREENS]
        st.navigation(pages, position="hidden").run()
        return
    if arrival is None:
        # Pages are not even registered before somebody has signed in.
        pages = [hidden_page(screen, sign_in.screen) for screen in SCREENS]
        st.navigation(pages, position="hidden").run()
        return
    person = arrival.person
    submit.draw_flash()
    st.logo(sign_in.logo(), size="medium")
    waiting = {POLICY: arrival.proposals, OUTBOX: arrival.undeliverable}
    pages = [page_for(screen, person, waiting.get(screen, 0)) for screen in SCREENS]
    page = st.navigation(pages, position="top")
    header(person, arrival.newest, at(page.url_path))
    with failures.unavailable_is_shown(), metrics.timed(page.url_path or "queue"):
        page.run()
        taking_next.finish_page()


def page_for(screen: Screen, person: Person, waiting: int) -> st.Page:
    """Return the screen's page; its tab says how much waits there for this person."""
    if not person.may(screen.act):
        return hidden_page(screen, partial(sign_in.refusal, person, screen.act))
    return st.Page(
        screen.file,
        title=f"{screen.title} {waiting}" if waiting else screen.title,
        icon=screen.icon,
        url_path=screen.path or None,
        default=not screen.path,
        visibility="hidden" if screen.hidden else "visible",
    )


def hidden_page(screen: Screen, draw: Callable[[], object]) -> st.Page:
    """Return a page at the screen's address that draws something else, without a tab."""
    return st.Page(
        draw,
        title=screen.title,
        url_path=screen.path or "queue",
        default=not screen.path,
        visibility="hidden",
    )


def header(person: Person, newest: Freshness | None, screen: Screen) -> None:
    """Draw freshness, the person and the sign-out, at the right of the navigation bar."""
    with st.container(
        key="header",
        horizontal=True,
        wrap=False,
        horizontal_alignment="right",
        vertical_alignment="center",
    ):
        keyboard.bring(person.email, state.sent_forms(), widgets=shortcuts.widgets())
        sign_in.banner()
        freshness_line(newest, today=datetime.now(UTC).date())
        help_panel.draw(screen, person, newest)
        label = f"{escape(person.display_name)} · {person.role}"
        with st.popover(label, icon=":material/account_circle:", type="tertiary"):
            st.text(f"{person.email}\n{sign_in.ROLE_WORDS[person.role]}")
            sign_in.sign_out_button()
            signing_out.draw(person.email)
        # At the end of the header, so that it moves nothing when it appears and disappears.
        undo.draw(person.email)


main()

"""Sign-in: the current person, and the screen for people who are not signed in.

If ``.streamlit/secrets.toml`` has ``[auth]``, people sign in through OpenID Connect; if a proxy's
header is trusted, by that. Otherwise there is the local sign-in, on this computer only. All leave a
session's secret in a cookie; whose session that is, and whether it still counts, is read at every
run.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.shell import local_sign_in, openid, proxied
from dashboard.ui import address, states
from dashboard.ui.safe_text import escape, escape_html
from data_access.db import database
from data_access.eligibility import arrival as data_arrival
from data_access.eligibility.arrival import Arrival
from data_access.people import sessions, staff
from data_access.people.staff import Person
from program.review import people
from program.review import sign_in as rules
from program.review.permissions import Act, Role

STATIC = Path(__file__).parent.parent.parent / "static"
PROXY_SIGN_IN = "proxy-sign-in"
SHARED_SETTINGS = ("redirect_uri", "cookie_secret")
PROVIDER_SETTINGS = ("client_id", "client_secret", "server_metadata_url")
PURPOSE = "Review affiliate applications: the facts, the evidence, and one place to decide."
ROLE_WORDS: dict[Role, str] = {
    Role.REVIEWER: "Works the queue, records evidence and notes, decides.",
    Role.MANAGER: "Reviews and decides, and sees the program's figures.",
    Role.ANALYST: "Reads everything and exports tables; does not decide.",
    Role.ADMIN: "Manages staff and settings; does not decide.",
}
EXAMPLE_SECRETS = f"""\
[auth]
redirect_uri = "https://review.example.com/oauth2callback"
cookie_secret = "output of: {rules.HOW_TO_MAKE_ONE}"
client_id = "affiliate-review"
client_secret = "from your identity provider"
server_metadata_url = "https://id.example.com/.well-known/openid-configuration"
"""
SESSION_OVER = (
    "Your session has ended: after an hour without activity, 12 hours after you signed in, because "
    "you signed out, or because your role changed."
)

# The person for whom the frame runs a page, until the page takes it: only in the same run.
_arrived: ContextVar[Person | None] = ContextVar("arrived", default=None)


def current_person() -> Person | None:
    """Return the signed-in member of staff, read now; ``None`` if there is none."""
    key = session_key()
    if key is None:
        return None
    with database.reading(database.reader()) as connection:
        return sessions.find(connection, key)


def arrive() -> Arrival | None:
    """Return who opens a page, read now; ``None`` if nobody is signed in.

    The page that the frame runs next is shown to this person without asking again.
    """
    _arrived.set(None)
    key = session_key()
    if key is None:
        return None
    with database.reading(database.reader()) as connection:
        arrival = data_arrival.read(connection, key=key)
    _arrived.set(arrival and arrival.person)
    return arrival


def require(act: Act) -> Person:
    """Return the person if they may ``act``; every page calls it first.

    Otherwise it draws the sign-in screen or a refusal and stops the script.
    """
    person = _arrived.get() or current_person()
    _arrived.set(None)
    if person is None:
        screen()
        st.stop()
    if not person.may(act):
        refusal(person, act)
        st.stop()
    return person


def refusal(person: Person, act: Act) -> None:
    """Show that this role may not, with a link to the queue."""
    states.refused(
        f"Your role, {person.role}, may not {act}. Ask a manager if you need it.",
        states.WayOn(label="Back to the queue", page="dashboard/pages/queue/page.py"),
    )


def session_key() -> str | None:
    """Return the key of the browser's session, which may have ended."""
    if uses_openid():
        return openid.session_key(st.user)
    if proxied.trusted():
        return proxied.session_key(st.context.headers, st.context.cookies)
    if local_obstacle() is not None:
        return None
    return local_sign_in.session_key(st.context.cookies.get(local_sign_in.COOKIE))


def is_here(email: str) -> bool:
    """Whether this member of staff is signed in here now."""
    person = current_person()
    return person is not None and people.same(person.email, email)


def stay(email: str) -> None:
    """Rerun the page, and so the sign-in, unless this person is still signed in.

    Fragments call it first: `require` runs only with the whole page.
    """
    if in_fragment() and not is_here(email):
        st.rerun()


def require_same(person: Person) -> None:
    """Rerun the page, and so the sign-in, unless this person is signed in and may do the same.

    In the run of the whole page they were read just now; fragments that rerun by themselves ask.
    """
    if in_fragment() and current_person() != person:
        st.rerun()


def in_fragment() -> bool:
    """Whether only a fragment runs, not the whole page."""
    run = get_script_run_ctx()
    return run is not None and bool(run.fragment_ids_this_run)


def uses_openid() -> bool:
    """Whether ``[auth]`` is configured, which disables the local sign-in."""
    return bool(openid.settings())


def is_local() -> bool:
    """Whether people choose who they are, because nothing else is configured."""
    return not uses_openid() and proxied.trusted() is None


def local_obstacle() -> str | None:
    """Return why the local sign-in is refused here; ``None`` if it is allowed."""
    return local_sign_in.obstacle(
        server_address=st.get_option("server.address"), headers=st.context.headers
    )


def banner() -> None:
    """Show on every page that the local sign-in proves nothing, if it is used."""
    if is_local():
        with st.container(key="local-banner", width="content"):
            st.badge(
                "Local sign-in: for trials on this computer only",
                icon=":material/science:",
                color="orange",
            )


def sign_out_button() -> None:
    """Draw the sign-out button for the kind of sign-in."""
    if uses_openid():
        st.button(
            "Sign out",
            key="sign-out",
            icon=":material/logout:",
            on_click=st.logout,
            type="tertiary",
        )
    else:
        way = "local-sign-out" if is_local() else "proxy-sign-out"
        st.html(f'<a class="sign-out" href="{way}">Sign out</a>')


def screen() -> None:
    """Draw the sign-in screen of this installation."""
    with st.container(key="sign-in", gap="small"):
        st.image(logo(), width=220, alt="Affiliate Review")
        st.text(PURPOSE)
        if uses_openid():
            _openid_choices()
        elif proxied.trusted():
            _proxied_choice()
        elif (sentence := local_obstacle()) is not None:
            _not_set_up(sentence)
        else:
            _local_choices()


def _local_choices() -> None:
    with database.reading(database.reader()) as connection:
        people = staff.everyone(connection)
    if not people:
        st.text("There are no people yet. Create the demo people:")
        st.code("python -m data_access demo", language=None)
        st.text(f"Or start with your own. {staff.NOBODY_YET}")
        st.code(staff.ADD_FIRST, language=None)
        return
    st.subheader("Choose a person", anchor=False)
    order = list(Role)
    people.sort(key=lambda person: (order.index(person.role), person.email))
    cards = "".join(
        _card(person, local_sign_in.mint_link(person.email, back_to=_here())) for person in people
    )
    st.html(f'<div class="people">{cards}</div>')
    banner()


def _proxied_choice() -> None:
    named = proxied.email(st.context.headers)
    if named is None:
        st.text(
            "Your proxy does not say who you are. Open the dashboard at its public address, where "
            "people sign in first, or ask an administrator."
        )
        return
    with database.reading(database.reader()) as connection:
        sentence = sessions.obstacle(connection, proxied.identity(named))
        person = staff.find(connection, named)
    if sentence or person is None:
        st.text(sentence)
        return
    if st.context.cookies.get(proxied.COOKIE):
        st.text(SESSION_OVER)
    link = f"{PROXY_SIGN_IN}?{urlencode({'to': _here()})}"
    st.html(f'<div class="people">{_card(person, link)}</div>')


def _card(person: Person, link: str) -> str:
    name = escape_html(person.display_name)
    initials = "".join(word[0] for word in person.display_name.split()[:2]).upper()
    return (
        f'<a class="person" href="{escape_html(link)}" title="{escape_html(person.email)}">'
        f'<span class="initials" aria-hidden="true">{escape_html(initials)}</span>'
        f'<span class="who"><span class="name">{name}</span>'
        f'<span class="role">{escape_html(person.role)}</span>'
        f'<span class="does">{escape_html(ROLE_WORDS[person.role])}</span></span></a>'
    )


def _not_set_up(sentence: str) -> None:
    st.subheader("Sign-in is not set up", anchor=False)
    st.text(sentence)
    st.text(
        "For everyday use, let people sign in through your identity provider. "
        "Write this into .streamlit/secrets.toml and restart:"
    )
    st.code(EXAMPLE_SECRETS, language="toml")


def _openid_choices() -> None:
    missing = missing_settings(openid.settings())
    if missing:
        st.text("Sign-in is not set up. In .streamlit/secrets.toml, [auth] lacks:")
        st.code("\n".join(missing), language=None)
        return
    with database.reading(database.reader()) as connection:
        nobody_yet = staff.nobody_yet(connection)
    if nobody_yet:
        st.text(staff.NOBODY_YET)
        st.code(staff.ADD_FIRST, language=None)
    if st.user.get("is_logged_in"):
        sentence = _why_not_let_in(st.user)
        if sentence:
            st.text(sentence)
            st.button(
                "Sign out",
                key="sign-out",
                icon=":material/logout:",
                on_click=st.logout,
                type="primary",
            )
            return
        st.text(SESSION_OVER)
    for provider in _providers(openid.settings()):
        label = f"Sign in with {escape(provider)}" if provider else "Sign in"
        st.button(label, on_click=st.login, args=[provider], type="primary", key=f"in-{provider}")


def _why_not_let_in(claims: Mapping[str, Any]) -> str:
    """Return why the person at the provider is not let in; empty if only their session ended."""
    sentence = openid.fault(claims)
    if sentence:
        return sentence
    with database.reading(database.reader()) as connection:
        return sessions.obstacle(connection, rules.identity(claims))


def missing_settings(settings: Mapping[str, Any]) -> list[str]:
    """Return the names missing from ``[auth]``, those of a named provider as ``provider.name``."""
    missing = [name for name in SHARED_SETTINGS if not settings.get(name)]
    for provider in _providers(settings):
        given = settings[provider] if provider else settings
        prefix = f"{provider}." if provider else ""
        missing += [f"{prefix}{name}" for name in PROVIDER_SETTINGS if not given.get(name)]
    return missing


def _providers(settings: Mapping[str, Any]) -> list[str | None]:
    """Return the providers to choose from; one without a name if none is named."""
    named = [
        name
        for name, value in settings.items()
        if isinstance(value, Mapping) and name != "client_kwargs"
    ]
    return [*named] or [None]


def _here() -> str:
    path = address.within(urlsplit(st.context.url or "/").path) or "/"
    query = urlencode(st.query_params.to_dict())
    return f"{path}?{query}" if query else path


def logo() -> str:
    """Return the logo for the current theme."""
    shade = "dark" if st.context.theme.type == "dark" else "light"
    return str(STATIC / f"logo-{shade}.svg")

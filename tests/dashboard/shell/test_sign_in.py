"""Only people with permission see a page."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.shell import local_sign_in, sessions, sign_in
from dashboard.shell.screens import APPLICATION, PROGRAM, QUEUE, SCREENS, Screen, way_back
from data_access.db import database
from data_access.people import staff
from data_access.people.sessions import key_of
from program.review.permissions import Role, may
from program.review.sign_in import Identity
from tests.builders import session

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PEOPLE = {
    Role.REVIEWER: "ana@example.com",
    Role.MANAGER: "mira@example.com",
    Role.ANALYST: "noor@example.com",
    Role.ADMIN: "ada@example.com",
}
AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "rOcB2nXw7sT4vK9qYf1LmZ8pHd3JgUeA",
    "client_id": "affiliate-review",
    "client_secret": "a secret",
    "server_metadata_url": "https://id.example.com/.well-known/openid-configuration",
}
WAY_IN = "Choose a person"


@pytest.fixture
def staffed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with one person of each role, used by every page."""
    with engine.begin() as connection:
        for role, email in PEOPLE.items():
            connection.execute(
                text("insert into review.staff values (:email, :name, :role, true)"),
                {"email": email, "name": email.split("@")[0].title(), "role": role},
            )
    for purpose in ("reader", "writer", "reporter"):
        monkeypatch.setattr(database, purpose, lambda: engine)
    monkeypatch.setattr(sign_in, "local_obstacle", lambda: None)
    return engine


def signed_in(monkeypatch: pytest.MonkeyPatch, email: str | None) -> None:
    monkeypatch.setattr(sign_in, "session_key", lambda: session(database.writer(), email))


def open_screen(screen: Screen, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=15)
    app._page_hash = calc_hash(screen.path)
    app.query_params = dict(query)
    app.context = {"url": f"http://localhost:8501/{screen.path}"}
    return app.run()


def texts(app: AppTest) -> list[str]:
    kinds = (app.subheader, app.text, app.markdown, app.caption)
    return [str(element.value) for kind in kinds for element in kind]


def cards(app: AppTest) -> str:
    return "".join(
        element.proto.body
        for element in app.get("html")
        if '<a class="person"' in element.proto.body
    )


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.title)
def test_every_page_shows_the_sign_in_to_strangers(
    screen: Screen, staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, None)

    app = open_screen(screen)

    assert not app.exception
    assert WAY_IN in texts(app)
    assert all(f'title="{email}"' in cards(app) for email in PEOPLE.values())


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.title)
def test_every_page_file_checks_the_person_itself(
    screen: Screen, staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file alone, without the shell around it."""
    signed_in(monkeypatch, None)

    app = AppTest.from_file(str(ROOT / screen.file), default_timeout=15).run()

    assert not app.exception
    assert WAY_IN in texts(app)
    assert not app.button
    assert not app.dataframe


@pytest.mark.parametrize("role", Role)
def test_a_role_sees_exactly_its_pages(
    role: Role, staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, PEOPLE[role])
    for screen in SCREENS:
        said = texts(open_screen(screen))

        refusals = [words for words in said if words.startswith(f"Your role, {role}, may not")]
        assert (refusals == []) is may(role, screen.act), screen.title
        assert WAY_IN not in said, screen.title


def test_a_person_put_off_the_staff_list_is_out_at_the_next_run(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, PEOPLE[Role.MANAGER])
    app = open_screen(PROGRAM)
    assert WAY_IN not in texts(app)
    with staffed.begin() as connection:
        connection.execute(text("update review.staff set active = false"))

    app.run()

    assert WAY_IN not in texts(app)
    assert "There are no people yet. Create the demo people:" in texts(app)


def test_a_changed_role_ends_the_session_at_the_next_run(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, PEOPLE[Role.MANAGER])
    app = open_screen(PROGRAM)
    with staffed.begin() as connection:
        connection.execute(text("update review.staff set role = 'reviewer'"))

    app.run()

    assert WAY_IN in texts(app)


def test_the_sign_in_remembers_the_requested_page(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, None)

    app = open_screen(APPLICATION, id="5")

    token = re.findall(r"token=([^\"&]+)", cards(app))[0]
    link = local_sign_in.read_link(token)
    assert link is not None
    assert (link.email, link.back_to) == (PEOPLE[Role.REVIEWER], "/application?id=5")


def test_names_of_people_cannot_become_markup(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, None)
    with staffed.begin() as connection:
        connection.execute(
            text("update review.staff set display_name = :name"),
            {"name": '<img src=x onerror=alert(1)> "Ana"'},
        )

    drawn = cards(open_screen(QUEUE))

    assert "<img" not in drawn
    assert "&lt;img src=x" in drawn


def test_the_local_sign_in_is_marked_on_every_page(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for email in (None, PEOPLE[Role.MANAGER]):
        signed_in(monkeypatch, email)
        for screen in SCREENS:
            drawn = " ".join(texts(open_screen(screen)))
            assert "Local sign-in: for trials on this computer only" in drawn


def test_a_refused_local_sign_in_names_what_to_set(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "local_obstacle", lambda: "DATABASE_URL is set.")

    app = open_screen(QUEUE)

    assert cards(app) == ""
    assert "DATABASE_URL is set." in texts(app)
    assert "server_metadata_url" in app.code[0].value


@pytest.mark.parametrize(
    ("address", "host", "url", "extra", "part"),
    [
        ("127.0.0.1", "localhost:8501", "", {}, None),
        ("localhost", "127.0.0.1:8501", "", {}, None),
        ("::1", "[::1]:8501", "", {}, None),
        (None, "localhost", "", {}, "every address"),
        ("0.0.0.0", "localhost", "", {}, "listens on 0.0.0.0"),
        ("127.0.0.1", "review.example.com", "", {}, "loopback name"),
        ("127.0.0.1", "localhost.example.com", "", {}, "loopback name"),
        ("127.0.0.1", "localhost@evil.example", "", {}, "loopback name"),
        ("127.0.0.1", "", "", {}, "loopback name"),
        ("127.0.0.1", "localhost", "", {"X-Forwarded-For": "203.0.113.9"}, "proxy"),
        ("127.0.0.1", "localhost", "", {"Forwarded": "for=203.0.113.9"}, "proxy"),
        ("127.0.0.1", "localhost", "postgresql://db/x", {}, "DATABASE_URL"),
    ],
)
def test_the_local_sign_in_is_for_this_computer(
    address: str | None,
    host: str,
    url: str,
    extra: dict[str, str],
    part: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    sentence = local_sign_in.obstacle(server_address=address, headers={"Host": host, **extra})

    assert (sentence is None) if part is None else (part in (sentence or ""))


def test_whatever_a_proxy_adds_shows_it() -> None:
    local = {"server_address": "127.0.0.1"}
    unseen = [
        header
        for header in (
            *("X-Forwarded-For", "X-Forwarded-Proto", "x-forwarded-host", "X-Forwarded-Port"),
            *("Forwarded", "Via", "CF-Connecting-IP", "CF-Ray", "CDN-Loop", "True-Client-IP"),
            *("X-Real-IP", "X-Client-IP", "X-Original-URL", "Fastly-Client-IP", "Fly-Client-IP"),
            *("X-Envoy-External-Address", "X-Auth-Request-User", "X-ARR-ClientCert"),
        )
        if "proxy"
        not in (local_sign_in.obstacle(**local, headers={"Host": "localhost", header: "1"}) or "")
    ]
    assert unseen == []
    ordinary = {"Host": "localhost", "X-Requested-With": "x", "Accept": "*/*", "DNT": "1"}
    assert local_sign_in.obstacle(**local, headers=ordinary) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/", "/"),
        ("/application?id=5", "/application?id=5"),
        ("/program", "/program"),
        ("/?eligibility=met&page=2", "/?eligibility=met&page=2"),
        ("/unknown", "/"),
        ("https://evil.example/application", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/application?id=5\r\nSet-Cookie: a=b", "/"),
        ("http://[", "/"),
        ("", "/"),
        ("/application?id=<script>#x", "/application?id=%3Cscript%3E"),
    ],
)
def test_a_way_back_is_a_page_of_ours(address: str, expected: str) -> None:
    assert expected == way_back(address)


def test_a_forged_or_altered_session_is_nobody() -> None:
    link = local_sign_in.mint_link("ana@example.com", back_to="/").split("token=")[1]
    read = local_sign_in.read_link(link)
    assert read is not None
    value = local_sign_in.mint_cookie(read.secret)

    assert local_sign_in.session_key(value) == key_of(read.secret)
    assert local_sign_in.session_key(value[:-2] + "xx") is None
    assert local_sign_in.session_key("X" + value[1:]) is None
    assert local_sign_in.session_key(link) is None, "a link is no session"
    assert local_sign_in.read_link(value) is None, "a session is no link"
    assert local_sign_in.session_key(read.secret) is None, "what a link holds is no session"
    assert local_sign_in.session_key("") is None
    assert local_sign_in.session_key(None) is None


def test_links_age(monkeypatch: pytest.MonkeyPatch) -> None:
    link = local_sign_in.mint_link("ana@example.com", back_to="/").split("token=")[1]
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + local_sign_in.LINK_SECONDS + 2)

    assert local_sign_in.read_link(link) is None


def test_the_secret_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "made" / "secret"

    first = local_sign_in.secret_in(path)

    assert len(first) >= 32
    assert first == local_sign_in.secret_in(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(path.parent.iterdir())


def openid_app(**claims: Any) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=15)
    app.secrets = {"auth": AUTH}
    app.user = claims
    return app.run()


HOUR = 3600
CLAIMS = {
    "is_logged_in": True,
    "provider": "default",
    "iss": "https://id.example.com",
    "sub": "1",
    "email": "ana@example.com",
    "email_verified": True,
}


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"email": "ghost@example.com"}, "as ghost@example.com but not on the staff list"),
        ({"iat": -13 * HOUR}, "more than 12 hours ago"),
        ({"iat": 13 * HOUR}, "later than now"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "true"}, "not verified"),
        ({"email": ""}, "no email address"),
        ({"iss": "https://evil.example"}, "speaks for another issuer"),
        ({"provider": "other"}, "speaks for another issuer"),
    ],
)
def test_insufficient_openid_claims_are_refused(
    changed: dict[str, Any], part: str, staffed: Engine
) -> None:
    claims = {**CLAIMS, **changed}

    app = openid_app(**{**claims, "iat": time.time() + changed.get("iat", 0)})

    assert part in " ".join(texts(app))
    assert [button.label for button in app.button] == ["Sign out"]


def test_a_cookie_without_a_session_signs_nobody_in(staffed: Engine) -> None:
    """As somebody would make one who knows the cookie secret."""
    for secret in ({}, {"session": "forged"}, {"session": ""}, {"session": ["x"]}):
        app = openid_app(**CLAIMS, **secret, iat=time.time())

        assert sign_in.SESSION_OVER in texts(app)
        assert [button.label for button in app.button] == ["Sign in"]


def test_openid_lets_in_whose_session_it_is(staffed: Engine) -> None:
    identity = Identity(issuer="https://id.example.com", subject="1", email="mira@example.com")
    assert sessions.begin(identity, secret="the cookie's secret")

    app = openid_app(**{**CLAIMS, "session": "the cookie's secret", "email": "m@example.com"})

    drawn = " ".join(texts(app))
    assert "mira@example.com" in drawn
    assert "Local sign-in" not in drawn


def test_signing_out_everywhere_ends_the_session_at_once(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, PEOPLE[Role.ANALYST])
    app = open_screen(QUEUE)

    app.button(key="sign-out-everywhere").click().run()

    assert WAY_IN in texts(app)
    with staffed.connect() as connection:
        ended = connection.execute(
            text("select email from review.staff where signed_in_after is not null")
        )
        assert ended.scalars().all() == [PEOPLE[Role.ANALYST]]


def test_openid_offers_its_own_way_in_only(staffed: Engine) -> None:
    app = openid_app(is_logged_in=False)

    assert [button.label for button in app.button] == ["Sign in"]
    assert cards(app) == ""
    assert staff.ADD_FIRST not in [code.value for code in app.code]


def test_while_nobody_is_on_the_staff_list_the_sign_in_says_how_the_first_one_comes(
    staffed: Engine,
) -> None:
    with staffed.begin() as connection:
        connection.execute(text("delete from review.staff"))

    app = openid_app(is_logged_in=False)

    assert staff.NOBODY_YET in [words.value for words in app.text]
    assert staff.ADD_FIRST in [code.value for code in app.code]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (AUTH, []),
        ({**AUTH, "client_secret": ""}, ["client_secret"]),
        ({**AUTH, "client_kwargs": {"prompt": "login"}}, []),
        ({"redirect_uri": "x"}, ["cookie_secret", *sign_in.PROVIDER_SETTINGS]),
        (
            {"redirect_uri": "x", "cookie_secret": "y", "okta": {"client_id": "z"}},
            ["okta.client_secret", "okta.server_metadata_url"],
        ),
    ],
)
def test_missing_openid_settings_are_named(settings: dict[str, Any], missing: list[str]) -> None:
    assert missing == sign_in.missing_settings(settings)

"""The database and the program find the same person behind a handle, in any text."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from data_access.db import migrate
from program.text import handles, links
from program.text.folding import ZERO_WIDTH
from program.text.handles import LOOK_ALIKES, SPACES, ZEROS, identity_key
from program.text.links import SITES
from program.text.platforms import BY_KEY, WORDS
from tests.cases import examples
from tests.data_access.characters import SAMPLE_OR_ALL
from tests.data_access.hostile_text import HOSTILE_TEXT

# Python and Postgres may know different Unicode versions; what both know never changes.
ASSIGNED = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\0")
HOSTS = [host for site in SITES for host in site.hosts]
PATHS = (
    *("intent/follow?region=a&screen_name=", "intent/user?user_id=", "i/user/", "#!/", "s/", "+"),
    *("share/url?url=", "joinchat/", "k/#@", "a/#", "#?tgaddr=tg%3A%2F%2Fresolve%3Fdomain%3D"),
    *(
        "resolve?domain=",
        "user?id=",
        "watch?v=",
        "channel/UC",
        "c/",
        "user/",
        "u/",
        "users/",
        "in/",
    ),
    *(
        "company/",
        "profile.php?v=a&id=",
        "people/a/",
        "pages/b/",
        "groups/",
        "p/",
        "stories/",
        "t/",
    ),
    *("send?phone=", "send/?text=a&phone=%2B", "message/", "c/+", "#p/+", "#p/%2B", "#eu/", "add/"),
    *("R/ti/p/~", "ti/p/", "chat?number=%2B", "profile/", "home", "search?q=", "messages/t/", "id"),
    *("dl/chat?", "u/1/", "user/profile/", "status/1", "//", "@", "%40", "", "catalog/"),
)
PIECES = st.sampled_from(
    [
        *(*HOSTS, *PATHS, *WORDS),
        *("https://", "HTTP://", "//", "www.", "m.", "Mobile.", "de-DE.", "uk.", "vm.", "meadow."),
        *(
            "/",
            "@",
            ".",
            "?",
            "#",
            "&",
            "=",
            ":",
            ": ",
            "<",
            ">",
            "(",
            ")",
            "'",
            '"',
            ",",
            ";",
            "%",
        ),
        *("%41", "%c3%bc", "%E5%B0%8F", "%c3", "%ff", "%00", "%2525", "%f0%9f%a6%94", "%ed%a0%80"),
        *("a", "Meadow", "I", "l", "1", "0", " ", "\n", "İ", "ı", "ß", "ﬁ", "Å", "A\u030a", "🦔"),
        *("+1 (555) 010-0199", "0044 7700 900123", "+44 (0)7700\u2011900123", "15550100199", "00"),
        *("١٥٥٥٠١٠٠١٩٩", "#0", "#0000", "#1234", "UC" + "a" * 22, "123456789012345678", "a@b.co"),
        *("https:/", "http;//", "https//", "mailto://", "%40", "\u3002", "x.com./", "x,com/"),
        *("None", "N/A", "Нет", "YOK", "没有"),
        *("mailto:", "tel:", "TG: ", "Line: ", "Name <", ":8443", "x@"),
        *SPACES,
        *("\u200b", "\u00ad", "\ufe0f", "\U000e0041", "\u3164", "\ufdfa", *ZEROS),
        *"".join(LOOK_ALIKES.values()),
    ]
)
HANDLES = st.lists(PIECES | ASSIGNED, max_size=8).map("".join) | st.text(ASSIGNED, max_size=60)
ADDRESSES = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "https://", "HTTP://www.", "https://m.", "http://uk.", "//", "("]),
    st.sampled_from(HOSTS),
    st.sampled_from(["/", "//", "", "?", "/#"]),
    st.sampled_from(PATHS),
    st.sampled_from(["Meadow_1", "@me.adow", "%40meadow", "+15550100199", "123456", "m%C3%BCller"]),
    st.sampled_from(["", "/", "?s=20&t=1", "#a", "/status/1", ".", ")", "&x=1", "-12345678"]),
)
PLATFORMS = st.sampled_from([*BY_KEY, "", "Twitter", "My Place", "小红书", "phone number"])


def unequal(conn: Connection, typed: list[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    statement = (
        "select review.identity_key(p, h) from unnest(cast(:p as text[]), cast(:h as text[])) "
        "with ordinality x(p, h, n) order by n"
    )
    given_ = {"p": [platform for platform, _ in typed], "h": [handle for _, handle in typed]}
    keys = conn.execute(text(statement), given_).scalars()
    return [
        (platform, handle, key, identity_key(platform, handle))
        for (platform, handle), key in zip(typed, keys, strict=True)
        if key != identity_key(platform, handle)
    ]


@settings(
    max_examples=examples(60, of=200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(PLATFORMS, HANDLES | ADDRESSES), min_size=1, max_size=20))
@example([("x", text) for text in ("x.com/x.com/meadow", "x.com/@%40@meadow", "", "@", "x.com/u/")])
def test_the_database_finds_the_same_person_in_any_text(
    conn: Connection, typed: list[tuple[str, str]]
) -> None:
    assert unequal(conn, typed) == []


@SAMPLE_OR_ALL
def test_the_database_agrees_for_every_character_and_address(
    conn: Connection, known: list[str]
) -> None:
    addresses = [
        f"{scheme}{host}/{path}Meadow?y=a"
        for scheme in ("", "https://www.")
        for host in HOSTS
        for path in PATHS
    ]

    assert unequal(conn, [("x", f"a{sign}b") for sign in known]) == []
    assert unequal(conn, [("", address) for address in addresses]) == []


def test_the_database_agrees_for_hostile_and_long_text(conn: Connection) -> None:
    kept = [
        handle
        for handle in HOSTILE_TEXT
        if "\0" not in handle and not any("\ud800" <= sign <= "\udfff" for sign in handle)
    ]
    units = (
        "a",
        "@",
        "/",
        " ",
        "\ufdfa",
        "e\u0301\u0323",
        "🦔",
        "x.com/",
        "https://",
        "\u200b",
        "%41",
    )
    long = [(unit * 2_001)[:length] + "z" for unit in units for length in (199, 200, 1_999, 2_000)]

    assert unequal(conn, [(p, h) for p in ("x", "telegram", "") for h in (*kept, *long)]) == []


def test_without_a_handle_there_is_no_key(conn: Connection) -> None:
    query = "select review.identity_key('x', null), review.identity_key(null, 'meadow')"

    assert tuple(conn.execute(text(query)).one()) == (None, ":meadow")


def test_the_schemas_patterns_are_the_programs() -> None:
    """The schema's functions were generated from the program's tables, and are frozen there."""
    schema = (migrate.MIGRATIONS / "schema" / "01_text.sql").read_text(encoding="utf-8")
    names = "ADDRESS APP PORT SUBDOMAIN LABELED PHONE TRUNK_ZERO NO_NUMBER ESCAPED WEB BARE"
    names += " MAIL_LINK TWO_NAMES"
    patterns = [getattr(handles, name) for name in names.split()]
    places = [place.pattern for site in SITES for place in site.places]
    hosts = [host for site in SITES for host in site.hosts]
    letters = [f"\\{ord(sign):04x}" for signs in LOOK_ALIKES.values() for sign in signs]
    kept = [
        *(*patterns, *places, *links.ID_SHAPES.values(), links.HOST_PREFIXES, ZERO_WIDTH),
        *(*hosts, *links.PHONED, *BY_KEY, *handles.NOBODY),
        *(letter for letter in letters if letter > r"\007f"),
    ]

    assert [text for text in kept if text.replace("'", "''") not in schema] == []


@pytest.mark.parametrize("function", ["identity_key", "identity_at", "unescaped", "phone_digits"])
def test_the_functions_are_immutable_and_parallel_safe(conn: Connection, function: str) -> None:
    query = "select provolatile, proparallel from pg_proc where proname = :f"

    assert tuple(conn.execute(text(query), {"f": function}).one()) == ("i", "s")

"""The database compares names as the program does, for any text."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from program.policy.exchanges import ADDITIONS, ENDINGS, exchange_key
from program.text.folding import LOWER, folded, name_key, word
from program.text.platforms import ABOUT, PLATFORMS, WORDS, platform_key
from tests.cases import examples
from tests.data_access.characters import SAMPLE_OR_ALL

# Python and Postgres may know different Unicode versions; what both know never changes.
ASSIGNED = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\0")
PIECES = st.sampled_from(
    [
        *(WORDS | dict.fromkeys((*ENDINGS, *ADDITIONS, *ABOUT))),
        *(name for platform in PLATFORMS for name in platform.called),
        *(
            " ",
            "  ",
            ".",
            "-",
            "/",
            "(",
            ")",
            "\n",
            "\t",
            "\u00a0",
            "\u1680",
            "\u3000",
            "\u2011",
            "www.",
            "https://",
            "OKX",
            "?",
        ),
        *("İ", "i\u0307", "ı", "ß", "ẞ", "ς", "Σ", "ﬁ", "A\u030a", "🦔", "\u200b", "Ｘ", "=", "'"),
    ]
)
NAMES = st.lists(PIECES | ASSIGNED, max_size=8).map("".join) | st.text(ASSIGNED, max_size=60)
FUNCTIONS = {
    "review.folded(t)": folded,
    "review.name_key(t)": name_key,
    "review.word(t)": word,
    "review.platform_key(t)": platform_key,
    "review.exchange_key(t, false)": exchange_key,
    "review.exchange_key(t, true)": lambda name: exchange_key(name, told_apart=True),
}


def unequal(conn: Connection, names: list[str]) -> list[tuple[str, ...]]:
    statement = (
        f"select {', '.join(FUNCTIONS)} from unnest(cast(:names as text[])) "
        "with ordinality x(t, n) order by n"
    )
    rows = conn.execute(text(statement), {"names": names}).all()
    return [
        (function, name, found, program(name))
        for name, row in zip(names, rows, strict=True)
        for (function, program), found in zip(FUNCTIONS.items(), row, strict=True)
        if found != program(name)
    ]


@settings(
    max_examples=examples(50, of=150),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(NAMES, min_size=1, max_size=20))
def test_any_name_has_the_same_keys_in_the_database(conn: Connection, names: list[str]) -> None:
    assert unequal(conn, names) == []


@SAMPLE_OR_ALL
def test_the_database_agrees_for_every_character_and_known_word(
    conn: Connection, known: list[str]
) -> None:
    words = [name for platform in PLATFORMS for name in (platform.label, *platform.called)]

    assert unequal(conn, [f"a{sign}b" for sign in known]) == []
    assert (
        unequal(conn, [*words, *(f"OKX.{e}" for e in ENDINGS), *(f"OKX{a}" for a in ADDITIONS)])
        == []
    )
    assert unequal(conn, [*map(chr, LOWER), "a" * 2_100, "é" * 2_100, "x " * 1_100]) == []


@pytest.mark.parametrize("function", [f"{name.partition('(')[0]}" for name in list(FUNCTIONS)[:5]])
def test_the_functions_are_immutable_and_parallel_safe(conn: Connection, function: str) -> None:
    query = "select provolatile, proparallel from pg_proc where oid = cast(:f as regproc)"

    assert tuple(conn.execute(text(query), {"f": function}).one()) == ("i", "s")

"""Typed text stays text; the browser tests check what a browser makes of it."""

import re

import pytest

from dashboard.ui.safe_text import (
    WORD_JOINER,
    escape,
    escape_chart,
    escape_html,
    visible,
)
from tests.dashboard.ui.hostile import EVERY, HOSTILE, LONG

SPECIAL = set("\\`*_{}[]()#+-.!|~<>:$&/=^\"'")


def test_there_are_forty_payloads_and_a_long_one() -> None:
    assert len(set(HOSTILE)) == 40
    assert len(LONG) == 5_000


@pytest.mark.parametrize("text", EVERY)
def test_every_sign_that_means_something_is_escaped(text: str) -> None:
    bare = re.sub(r"\\.", "", escape(text))

    assert not SPECIAL & set(bare)


@pytest.mark.parametrize("text", EVERY)
def test_nothing_is_lost(text: str) -> None:
    escaped = escape(text).replace(WORD_JOINER, "")

    assert visible(text) == re.sub(r"\\(.)", r"\1", escaped)


@pytest.mark.parametrize("text", EVERY)
def test_no_address_arrow_or_icon_name_is_left_in_one_piece(text: str) -> None:
    read = re.sub(r"\\(.)", r"\1", escape(text))

    assert not re.search(r"(?i)(https?|ftp|mailto):\w|:/|www\.|@\w|:\w+:|->|<-|--", read)


@pytest.mark.parametrize("text", EVERY)
def test_escaped_text_stays_on_one_printable_line(text: str) -> None:
    assert escape(text).replace(WORD_JOINER, "").isprintable()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("abc\u202egnp.exe", "abc[U+202E]gnp.exe"),
        ("a\u200bb", "a[U+200B]b"),
        ("a\ufeff", "a[U+FEFF]"),
        ("nul\x00", "nul[U+0000]"),
        ("a\u2066b\u2069", "a[U+2066]b[U+2069]"),
        ("\u3164", "[U+3164]"),
        ("one\r\n\ttwo", "one two"),
        ("Žofie 李明 مريم 😀", "Žofie 李明 مريم 😀"),
    ],
)
def test_hidden_characters_are_made_visible(typed: str, shown: str) -> None:
    assert shown == visible(typed)


def test_html_and_chart_text_hold_no_tag_or_quote() -> None:
    for text in EVERY:
        assert not {"<", ">", '"', "'"} & set(escape_html(text))
        assert not {"<", ">"} & set(escape_chart(text))

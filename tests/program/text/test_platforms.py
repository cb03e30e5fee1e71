"""One key for every spelling of a platform."""

import pytest

from program.text.folding import LOWER, word
from program.text.platforms import ABOUT, PLATFORMS, WORDS, platform_key, platform_name


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        (
            "email",
            ["email", "Email", "E-mail", "EMAIL ", "e mail", "Ｅ－ｍａｉｌ", "E\u2011Mail", "邮箱"],
        ),
        ("telegram", ["Telegram", "TG", "tele gram", "t.me", "Телеграм", "Telegram username"]),
        ("whatsapp", ["WhatsApp", "whats app", "WHATSAPP\u200b", "WhatsApp Business", "wa.me"]),
        (
            "x",
            ["x", "X", "Twitter", "X (Twitter)", "twitter/x", "x / twitter", "推特", "X account"],
        ),
        ("wechat", ["WeChat", "we chat", "微信", "Weixin"]),
        ("line", ["Line", "LINE", "line.me"]),
        ("discord", ["Discord", "DISCORD ", "discord server"]),
        ("youtube", ["YouTube Channel", "You Tube", "youtube.com"]),
        ("xiaohongshu", ["小红书", "RedNote", "xiaohongshu"]),
        # An unknown platform is its own, in one spelling.
        ("myplace", ["My Place", "my-place", "MY PLACE "]),
        ("мояплощадка", ["Моя площадка", "МОЯ  ПЛОЩАДКА"]),
        ("müller", ["Müller", "Mu\u0308ller", "MÜLLER"]),
        ("istanbul", ["İstanbul", "ISTANBUL", "ıstanbul"]),
        ("strasse", ["STRASSE", "Straße", "STRAẞE"]),
        ("", ["", "  ", "\u200b"]),
    ],
)
def test_every_way_to_write_a_platform_has_one_key(key: str, spellings: list[str]) -> None:
    assert {text: platform_key(text) for text in spellings} == dict.fromkeys(spellings, key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("x", "xx"), ("line", "linkedin"), ("tiktok", "douyin"), ("telegram", "telegraph")],
        *[("phone", "email"), ("小红书", "微博"), ("--", ""), ("id", "account"), ("c", "c++1")],
    ],
)
def test_different_platforms_stay_different(one: str, other: str) -> None:
    assert platform_key(one) != platform_key(other)


def test_no_word_means_two_platforms() -> None:
    meant: dict[str, set[str]] = {}
    for platform in PLATFORMS:
        for name in (platform.key, platform.label, *platform.called):
            meant.setdefault(word(name), set()).add(platform.key)

    assert {name: keys for name, keys in meant.items() if len(keys) > 1} == {}
    assert [platform.key for platform in PLATFORMS if WORDS.get(platform.key) != platform.key] == []
    # A word that goes with any platform is none itself.
    assert [about for about in ABOUT if about in WORDS] == []


def test_an_unknown_platform_keeps_its_typed_name() -> None:
    assert [platform_name(t) for t in (" TG ", " My Place ", "")] == ["telegram", "My Place", ""]


def test_small_letters_are_unicodes_but_for_three() -> None:
    differing = {chr(code) for code, lower in LOWER.items() if chr(code).lower() != lower}

    assert differing == {"\u03c2", "\u0130", "\u0131"}

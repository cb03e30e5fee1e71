"""A handle or a link names one person, the same in any spelling, or nobody.

A profile URL is built from the name or number in it, and from nothing else.
"""

import re
import string
import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.text.folding import ZERO_WIDTH
from program.text.handles import LOOK_ALIKES, PROFILES, identity, identity_key, profile_url
from program.text.links import SITES
from tests.dashboard.ui.hostile import HOSTILE

HOSTS = {urlsplit(address).netloc for address, _ in PROFILES.values()}
CHANNEL = "UC" + "aB3-_" * 4 + "zZ"


@pytest.mark.parametrize(
    ("platform", "handle", "address"),
    [
        ("x", "meadow", "https://x.com/meadow"),
        ("x", "@meadow", "https://x.com/meadow"),
        ("x", "  @meadow ", "https://x.com/meadow"),
        (" X ", "Meadow_1", "https://x.com/Meadow_1"),
        ("Twitter", "meadow", "https://x.com/meadow"),
        ("x", "a" * 15, "https://x.com/" + "a" * 15),
        ("youtube", "@some.channel-1", "https://www.youtube.com/@some.channel-1"),
        ("telegram", "meadow", "https://t.me/meadow"),
        ("tiktok", "me.adow", "https://www.tiktok.com/@me.adow"),
        ("instagram", "me.adow", "https://www.instagram.com/me.adow"),
        # A pasted link leads to the profile it names, without its other parts.
        ("x", "https://x.com/Meadow?s=20", "https://x.com/Meadow"),
        ("x", "http://mobile.twitter.com/meadow/status/1#a", "https://x.com/meadow"),
        ("x", "https://x.com/intent/follow?region=a&screen_name=meadow", "https://x.com/meadow"),
        ("x", "https://x.com/intent/user?user_id=42", "https://x.com/i/user/42"),
        ("x", "javascript:alert(1)//x.com/meadow", None),
        ("telegram", "https://web.telegram.org/k/#@meadow", "https://t.me/meadow"),
        (
            "youtube",
            f"https://m.youtube.com/channel/{CHANNEL}/videos",
            f"https://www.youtube.com/channel/{CHANNEL}",
        ),
        (
            "facebook",
            "https://m.facebook.com/profile.php?v=a&id=123456",
            "https://www.facebook.com/123456",
        ),
        (
            "discord",
            "https://discordapp.com/users/123456789012345678",
            "https://discord.com/users/123456789012345678",
        ),
        (
            "linkedin",
            "https://uk.linkedin.com/in/meadow-1/?x=y",
            "https://www.linkedin.com/in/meadow-1",
        ),
        (
            "tiktok",
            "https://www.tiktok.com/@me.adow/video/1?lang=en",
            "https://www.tiktok.com/@me.adow",
        ),
        # On any platform.
        ("x", "t.me/meadow", "https://t.me/meadow"),
    ],
)
def test_a_handle_or_link_has_a_profile(platform: str, handle: str, address: str | None) -> None:
    assert profile_url(platform, handle) == address


@pytest.mark.parametrize(
    ("platform", "handle"),
    [
        ("x", ""),
        ("x", "@"),
        ("x", "a" * 16),
        ("x", "me.adow"),
        ("x", "me adow"),
        ("x", "../evil"),
        ("x", "meadow#x"),
        ("x", "meadow%2f"),
        ("x", "https://evil.example/meadow"),
        ("x", "https://x.com@evil.example/meadow"),
        ("x", "https://x.com.evil.example/meadow"),
        ("x", "https://evil.example/x.com/meadow"),
        ("x", "https://\u0445.com/meadow"),  # a Cyrillic letter
        ("x", "https://x.com/me%2fadow"),
        ("x", "https://x.com/me%0aadow"),
        ("x", "https://x.com/home"),
        ("x", "javascript:alert(1)"),
        ("x", "meadow\nevil"),
        ("x", "mеadow"),  # a Cyrillic letter
        ("telegram", "abc"),
        ("telegram", "+3akj"),
        ("telegram", "https://t.me/+15550100199"),
        ("youtube", "ab"),
        ("youtube", "https://www.youtube.com/watch?v=aaaaaaaaaaa"),
        ("instagram", ".."),
        ("instagram", ".meadow"),
        ("discord", "meadow"),
        ("x", "n/a"),
        ("x", "none"),
        ("", "meadow"),
        ("my place", "meadow"),
    ],
)
def test_without_a_safe_address_there_is_no_profile_url(platform: str, handle: str) -> None:
    assert profile_url(platform, handle) is None


def leads_only_there(platform: str, handle: str) -> bool:
    address = profile_url(platform, handle)
    if address is None:
        return True
    parts = urlsplit(address)
    plain = re.fullmatch(r"(?:/@?[A-Za-z0-9_-][A-Za-z0-9_.-]*)+/?|/@[A-Za-z0-9_.-]+", parts.path)
    return (parts.scheme, parts.query, parts.fragment, parts.port, bool(plain)) == (
        *("https", "", "", None),
        True,
    ) and parts.netloc in HOSTS


@pytest.mark.parametrize("platform", sorted({platform for platform, _ in PROFILES}))
def test_hostile_text_never_decides_where_a_link_leads(platform: str) -> None:
    assert [handle for handle in HOSTILE if not leads_only_there(platform, handle)] == []
    assert sum(profile_url(platform, handle) is not None for handle in HOSTILE) <= 4


PLATFORMS = st.sampled_from(sorted({platform for platform, _ in PROFILES}))
STARTS = st.sampled_from(["", *(f"https://{host}/" for site in SITES for host in site.hosts)])


@given(PLATFORMS | st.text(max_size=20), STARTS, st.text(max_size=40))
def test_no_text_leads_elsewhere(platform: str, start: str, handle: str) -> None:
    assert leads_only_there(platform, start + handle)


@given(PLATFORMS, STARTS, st.text(string.ascii_letters + string.digits + "_./?#@:=&%", max_size=20))
def test_text_that_looks_like_a_handle_leads_nowhere_else(
    platform: str, start: str, handle: str
) -> None:
    assert leads_only_there(platform, start + handle)


SAME = [
    # A name in any spelling.
    (
        "x",
        "x:meadow",
        [
            "meadow",
            "@Meadow",
            "@@meadow",
            " @ meadow\t",
            "\u3000meadow\u2028",
            "ｍｅａｄｏｗ",
            "𝓜𝓮𝓪𝓭𝓸𝔀",
            "\u200b@mead\u200dow\ufeff",
            "@meadow/",
            "@meadow/status/1",
            "@meadow?s=20",
            "meadow,",
            "(@meadow).",
            "x.com/meadow",
            "https://x.com/meadow",
            "http://twitter.com/meadow",
            "HTTPS://WWW.X.COM/Meadow/",
            "https://mobile.twitter.com/@meadow",
            "@https://x.com/meadow",
            "https://x.com//meadow//",
            "//x.com/meadow",
            "https://x.com:443/meadow",
            "https://x.com./meadow",
            "https://x.com/meadow/status/1",
            "https://x.com/meadow?s=20&t=a",
            "https://x.com/meadow#about",
            "https://twitter.com/#!/meadow",
            "https://x.com/intent/user?screen_name=meadow",
            "https://x.com/%6Deadow",
            "<https://x.com/meadow>",
            "https://twitter.com/intent/follow?original_referer=https%3A%2F%2Fexample.org%2F&region=follow_link&screen_name=Meadow",
            "twitter://user?screen_name=meadow",
            "X: @meadow",
            "Twitter: https://x.com/meadow",
            "“@meadow”",
        ],
    ),
    (
        "telegram",
        "telegram:meadow",
        [
            "t.me/s/meadow",
            "https//t.me/meadow",
            "http;//t.me/meadow",
            "https:/t.me/meadow",
            "://t.me/meadow",
            "t.me./meadow",
            "t\u3002me/meadow",
            "https://t.me/Meadow/123",
            "https://telegram.me/meadow?start=1",
            "meadow.t.me",
            "https://meadow.t.me/",
            "https://web.telegram.org/k/#@meadow",
            "https://web.telegram.org/a/#@meadow?x",
            "https://web.telegram.org/#/im?p=@meadow",
            "tg://resolve?domain=meadow",
            "tg:resolve?domain=meadow&start=1",
            "https://web.telegram.org/k/#?tgaddr=tg%3A%2F%2Fresolve%3Fdomain%3Dmeadow",
            "TG: @meadow",
            "telegram.dog/meadow",
        ],
    ),
    (
        "youtube",
        "youtube:me.adow",
        [
            "@me.adow",
            "m.youtube.com/@me.adow/videos",
            "youtube.com/c/me.adow",
            "https://youtube.com/user/me.adow",
            "https://www.youtube.com/%40me.adow",
            "https://www.youtube.com/me.adow?sub_confirmation=1",
            "c/me.adow",
        ],
    ),
    (
        "youtube",
        f"youtube#{CHANNEL}",
        [CHANNEL, f"https://www.youtube.com/channel/{CHANNEL}/about", f"channel/{CHANNEL}"],
    ),
    (
        "tiktok",
        "tiktok:meadow",
        ["tiktok.com/%40meadow", "https://www.tiktok.com/@meadow/video/1", "@meadow"],
    ),
    (
        "instagram",
        "instagram:meadow",
        [
            "https://instagram.com/meadow/?igsh=a",
            "instagr.am/meadow",
            "https://www.instagram.com/stories/meadow/1",
            "https://instagram.com/_u/meadow",
            "instagram://user?username=meadow",
            "https://ig.me/m/meadow",
            "IG: meadow",
        ],
    ),
    (
        "facebook",
        "facebook:meadow",
        ["https://fb.com/meadow", "https://de-de.facebook.com/meadow/posts/1", "m.me/meadow"],
    ),
    (
        "facebook",
        "facebook#123456",
        [
            "https://www.facebook.com/profile.php?id=123456",
            "https://m.facebook.com/profile.php?v=a&id=123456&x=1",
            "https://facebook.com/people/A-B/123456/",
            "https://www.facebook.com/123456",
            "123456",
            "profile.php?id=123456",
        ],
    ),
    (
        "linkedin",
        "linkedin:meadow",
        ["https://uk.linkedin.com/in/meadow/", "linkedin.com/in/meadow?x=1", "in/meadow", "meadow"],
    ),
    ("discord", "discord:meadow", ["meadow", "Meadow#0", "meadow#0000", "@meadow"]),
    (
        "discord",
        "discord#123456789012345678",
        [
            "https://discord.com/users/123456789012345678",
            "discordapp.com/users/123456789012345678",
            "<@123456789012345678>",
        ],
    ),
    (
        "reddit",
        "reddit:meadow",
        [
            "u/meadow",
            "/u/meadow",
            "https://old.reddit.com/user/meadow/",
            "https://www.reddit.com/u/meadow",
        ],
    ),
    (
        "line",
        "line:meadow",
        [
            "https://line.me/ti/p/~meadow",
            "https://line.me/R/ti/p/@meadow",
            "Line: meadow",
            "line://ti/p/~meadow",
        ],
    ),
    ("skype", "skype:meadow", ["skype:meadow?chat", "Skype: meadow", "meadow"]),
    ("vk", "vk#42", ["https://vk.com/id42", "id42", "https://vk.com/im?sel=42"]),
    # A phone is the same in every spelling, on every platform that uses phones.
    (
        "whatsapp",
        "+15550100199",
        [
            "+1 (555) 010-0199",
            "15550100199",
            "001 555 010 0199",
            "+1\u2011555\u2011010\u20110199",
            "+1.555.010.0199",
            "+١٥٥٥٠١٠٠١٩٩",
            "+１ ５５５ ０１００１９９",
            "\u202a+1 555 0100199\u202c",
            "https://wa.me/15550100199?text=hi",
            "wa.me/+15550100199",
            "https://wa.me/c/15550100199",
            "whatsapp://send?phone=15550100199",
            "tel:+1-555-010-0199",
            "https://api.whatsapp.com/send?phone=15550100199",
            "https://api.whatsapp.com/send/?text=a&phone=%2B1%20555%20010%200199",
            "https://web.whatsapp.com/send?phone=15550100199",
            "WhatsApp: +1 555 010 0199",
            "https://t.me/+15550100199",
            "https://signal.me/#p/+15550100199",
            "https://signal.me/#p/%2B15550100199",
            "viber://chat?number=%2B15550100199",
        ],
    ),
    (
        "signal",
        "+447700900123",
        [
            "+44 (0)7700 900123",
            "0044 7700 900123",
            "447700900123",
            "sgnl://signal.me/#p/+447700900123",
        ],
    ),
    ("signal", "signal#AbC-_1", ["https://signal.me/#eu/AbC-_1"]),
    # So is an email address.
    (
        "email",
        "email:meadow@example.org",
        [
            "meadow@example.org",
            "Meadow@Example.ORG",
            "mailto:meadow@example.org?subject=hi",
            "MAILTO:meadow@example.org",
            "mailto:meadow%40example.org",
            "mailto://meadow@example.org",
            "<meadow@example.org>",
            "A B <meadow@example.org>",
            "E-mail: meadow@example.org",
            "meadow@example.org.",
        ],
    ),
    ("telegram", "email:meadow@example.org", ["meadow@example.org"]),
    ("my place", "myplace:meadow", ["@Meadow", "meadow"]),
]


@pytest.mark.parametrize(("platform", "key", "spellings"), SAME, ids=[key for _, key, _ in SAME])
def test_one_person_has_one_key_however_it_is_written(
    platform: str, key: str, spellings: list[str]
) -> None:
    # Without look-alikes, which have their own test.
    found = {typed: exactly(platform, typed) for typed in spellings}

    assert found == dict.fromkeys(spellings, key)
    assert len({identity_key(platform, typed) for typed in spellings}) == 1


def exactly(platform: str, handle: str) -> str:
    """Return the key without merging look-alike letters."""
    found = identity(platform, handle)
    if found is None:
        return ""
    return {"id": f"{found.platform}#", "phone": "+"}.get(
        found.kind, f"{found.platform}:"
    ) + found.text


@pytest.mark.parametrize(
    "handle",
    [
        *(
            "",
            " @/ ",
            "https://x.com/",
            "https://x.com/?s=20",
            "x.com",
            "https://x.com",
            "n/a",
            "ab",
            "None",
            "@none",
            "N/A.",
            "Not applicable",
            "Нет",
            "没有",
            "No account",
        ),
        # Pages of the networks themselves, and posts.
        *(
            "https://x.com/home",
            "https://x.com/i/flow/login",
            "https://x.com/search?q=from%3Ameadow",
        ),
        *(
            "https://x.com/intent/tweet?text=meadow",
            "https://x.com/share?via=meadow",
            "https://x.com/hashtag/a",
        ),
        *(
            "https://www.youtube.com/watch?v=aaaaaaaaaaa",
            "https://youtu.be/aaaaaaaaaaa",
            "youtube.com/shorts/aaa",
        ),
        *(
            "https://www.youtube.com/playlist?list=a",
            "https://www.instagram.com/p/abc/",
            "instagram.com/reel/abc",
        ),
        *(
            "https://www.facebook.com/groups/123456",
            "https://www.facebook.com/watch?v=1",
            "fb.watch/abc",
        ),
        *(
            "https://www.tiktok.com/t/abc/",
            "https://www.reddit.com/r/meadow/",
            "https://www.facebook.com/share/abc",
        ),
        # Invitations, groups and short links do not name their sender.
        *(
            "https://t.me/+AbCdEfGh",
            "t.me/joinchat/AbCd",
            "https://t.me/c/1234567/8",
            "tg://join?invite=abc",
        ),
        *(
            "https://t.me/share/url?url=https://x.com/meadow",
            "https://t.me/addstickers/meadow",
            "+AbCdEfGh",
        ),
        *(
            "https://chat.whatsapp.com/AbCd",
            "https://wa.me/message/ABC",
            "https://wa.me/qr/ABC",
            "wa.me/123",
        ),
        *(
            "https://discord.gg/meadow",
            "https://discord.com/invite/meadow",
            "https://discord.com/channels/1/2",
        ),
        *(
            "https://signal.group/#CjQK",
            "https://vm.tiktok.com/ZM123/",
            "https://lin.ee/abc",
            "https://fb.me/meadow",
        ),
        *(
            "https://bit.ly/meadow",
            "https://linktr.ee/meadow",
            "https://blog.example/you",
            "blog.example/you",
        ),
        *(
            "https://x.com@evil.example/meadow",
            "https://x.com.evil.example/meadow",
            "https://\u0445.com/meadow",
        ),
        *(
            "ftp://x.com/meadow",
            "javascript:alert(1)//x.com/meadow",
            "https:///meadow",
            "https://user:pw@x/a",
            "x,com/meadow",
            "meadow, x.com/meadow",
        ),
    ],
)
def test_text_that_names_nobody_has_no_key(handle: str) -> None:
    assert {platform: identity_key(platform, handle) for platform in ("x", "telegram")} == {
        "x": "",
        "telegram": "",
    }


@pytest.mark.parametrize(
    ("platform", "one", "other"),
    [
        ("x", "meadow", "meadows"),
        (
            "whatsapp",
            "https://api.whatsapp.com/send?phone=15550100199",
            "https://api.whatsapp.com/send?phone=447700900123",
        ),
        (
            "telegram",
            "https://web.telegram.org/k/#@eastwindc",
            "https://web.telegram.org/k/#@westwindd",
        ),
        ("signal", "https://signal.me/#p/+15550100111", "https://signal.me/#p/+447700900222"),
        ("signal", "https://signal.me/#eu/AbC", "https://signal.me/#eu/aBc"),
        ("x", "https://x.com/intent/user?user_id=421", "https://x.com/intent/user?user_id=422"),
        (
            "youtube",
            "https://www.youtube.com/channel/UCabcDEF",
            "https://www.youtube.com/channel/UCabcdef",
        ),
        ("facebook", "facebook.com/profile.php?id=123456", "facebook.com/profile.php?id=123457"),
        ("linkedin", "linkedin.com/in/meadow", "linkedin.com/company/meadow"),
        ("line", "https://line.me/ti/p/AbCdEf", "https://line.me/ti/p/abcdef"),
        ("discord", "meadow#1234", "meadow#4321"),
        ("discord", "meadow#1234", "meadow"),
        ("x", "0071234567", "71234567"),  # digits are no phone there
        ("x", "me.adow", "meadow"),
        ("x", "x.com/meadow", "t.me/meadow"),
        ("", "meadow", "https://x.com/meadow"),
    ],
)
def test_different_people_stay_apart(platform: str, one: str, other: str) -> None:
    assert identity_key(platform, one) != identity_key(platform, other)
    assert "" not in (identity_key(platform, one), identity_key(platform, other))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("meadow", "@MEADOW", True),
        ("meadow", "mead\u043ew", True),  # a Cyrillic o
        ("meadow", "https://x.com/me\u03b1dow", True),  # a Greek alpha
        ("meadow", "mead0w", True),
        ("MEADOW", "\u041c\u0415\u0410D\u041eW", True),  # Cyrillic capitals
        ("meadow", "\u1d0d\u1d07\u1d00\u1d05\u1d0f\u1d21", True),  # small capitals
        ("elonmusk", "eIonmusk", True),
        ("elonmusk", "e1onmusk", True),
        ("meadow", "mea\u200bdow", True),
        ("paypal", "\u0440\u0430\u0443\u0440\u0430l", True),
        ("meadow", "meadow1", False),
        ("meadow", "meadows", False),
        ("meadow", "mea_dow", False),
        ("meadow", "meadôw", False),
        ("meadow", "田中", False),
    ],
)
def test_look_alike_letters_are_one(one: str, other: str, alike: bool) -> None:
    assert (identity_key("x", one) == identity_key("x", other)) is alike


def test_a_key_has_room_for_200_characters_of_the_first_2000() -> None:
    key = "x:" + "a" * 198
    assert {identity_key("x", "a" * length) for length in (198, 199, 10_000)} == {key}
    assert identity_key("x", "a" * 197) == "x:" + "a" * 197
    assert identity_key("x", " " * 1_997 + "abcd") == "x:abc"
    assert identity_key("x", " " * 2_000 + "abc") == ""


def test_the_table_of_look_alikes_holds_each_sign_once_as_nfkc_leaves_it() -> None:
    signs = "".join(LOOK_ALIKES.values())

    assert len(set(signs)) == len(signs)
    # No result of a replacement is replaced itself, or the order would matter.
    assert not set(signs) & set(LOOK_ALIKES)
    assert [sign for sign in signs if unicodedata.normalize("NFKC", sign) != sign] == []
    assert [sign for sign in signs if sign in string.ascii_uppercase] == []
    assert not re.search(ZERO_WIDTH, signs)

"""A profile link follows from a plain handle on a known platform, and from nothing else.

Two handles are the same, or look the same, however they are typed.
"""

import re
import string
import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.handles import (
    FAMILIES,
    LOOK_ALIKES,
    PROFILES,
    ZERO_WIDTH,
    normalised,
    platform_family,
    profile_url,
    skeleton,
)
from tests.components.hostile import HOSTILE

HOSTS = {"x.com", "www.youtube.com", "t.me", "www.tiktok.com", "www.instagram.com"}


@pytest.mark.parametrize(
    ("platform", "handle", "address"),
    [
        ("x", "meadow", "https://x.com/meadow"),
        ("x", "@meadow", "https://x.com/meadow"),
        ("x", "  @meadow ", "https://x.com/meadow"),
        (" X ", "Meadow_1", "https://x.com/Meadow_1"),
        ("x", "a" * 15, "https://x.com/" + "a" * 15),
        ("youtube", "@some.channel-1", "https://www.youtube.com/@some.channel-1"),
        ("telegram", "meadow", "https://t.me/meadow"),
        ("tiktok", "me.adow", "https://www.tiktok.com/@me.adow"),
        ("instagram", "me.adow", "https://www.instagram.com/me.adow"),
    ],
)
def test_a_plain_handle_has_a_profile(platform: str, handle: str, address: str) -> None:
    assert profile_url(platform, handle) == address


@pytest.mark.parametrize(
    ("platform", "handle"),
    [
        ("x", ""),
        ("x", "@"),
        ("x", "@@meadow"),
        ("x", "a" * 16),
        ("x", "me.adow"),
        ("x", "me adow"),
        ("x", "meadow/status/1"),
        ("x", "../evil"),
        ("x", "meadow?x=1"),
        ("x", "meadow#x"),
        ("x", "meadow%2f"),
        ("x", "https://x.com/meadow"),
        ("x", "javascript:alert(1)"),
        ("x", "meadow\nevil"),
        ("x", "mеadow"),  # a Cyrillic letter
        ("x", "meadow１"),  # a full-width digit
        ("telegram", "abc"),
        ("telegram", "+3akj"),
        ("youtube", "ab"),
        ("instagram", ".."),
        ("instagram", ".meadow"),
        ("discord", "meadow"),
        ("", "meadow"),
        ("x.com", "meadow"),
    ],
)
def test_where_no_safe_address_follows_there_is_none(platform: str, handle: str) -> None:
    assert profile_url(platform, handle) is None


def leads_only_there(platform: str, handle: str) -> bool:
    address = profile_url(platform, handle)
    if address is None:
        return True
    parts = urlsplit(address)
    plain = re.fullmatch(r"/@?[A-Za-z0-9_-][A-Za-z0-9_.-]*|/@[A-Za-z0-9_.-]+", parts.path)
    return (parts.scheme, parts.query, parts.fragment, parts.port, bool(plain)) == (
        *("https", "", "", None),
        True,
    ) and parts.netloc in HOSTS


@pytest.mark.parametrize("platform", PROFILES)
def test_hostile_text_never_decides_where_a_link_leads(platform: str) -> None:
    assert [handle for handle in HOSTILE if not leads_only_there(platform, handle)] == []
    assert sum(profile_url(platform, handle) is not None for handle in HOSTILE) <= 2


@given(st.sampled_from(sorted(PROFILES)) | st.text(max_size=20), st.text(max_size=40))
def test_no_text_ever_does(platform: str, handle: str) -> None:
    assert leads_only_there(platform, handle)


@given(
    st.sampled_from(sorted(PROFILES)),
    st.text(string.ascii_letters + string.digits + "_./?#@:", max_size=12),
)
def test_not_even_text_that_looks_like_a_handle(platform: str, handle: str) -> None:
    assert leads_only_there(platform, handle)


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("meadow", "meadow"),
        ("Meadow_1", "meadow_1"),
        ("@meadow", "meadow"),
        ("@@meadow", "meadow"),
        (" @ meadow\t", "meadow"),
        ("\u3000meadow\u2028", "meadow"),
        ("x.com/meadow", "meadow"),
        ("https://x.com/meadow", "meadow"),
        ("http://twitter.com/meadow", "meadow"),
        ("HTTPS://WWW.X.COM/Meadow/", "meadow"),
        ("https://mobile.twitter.com/@meadow", "meadow"),
        ("@https://x.com/meadow", "meadow"),
        ("https://x.com//meadow//", "meadow"),
        ("https://x.com/meadow/status/1", "meadow"),
        ("https://x.com/meadow?s=20&t=a", "meadow"),
        ("https://x.com/meadow#about", "meadow"),
        ("https://x.com/intent/user?screen_name=meadow", "meadow"),
        ("m.youtube.com/@me.adow/videos", "me.adow"),
        ("https://www.youtube.com/channel/UCmeadow", "ucmeadow"),
        ("youtube.com/c/meadow", "meadow"),
        ("tiktok.com/%40meadow", "meadow"),
        ("t.me/s/meadow", "meadow"),
        ("facebook.com/profile.php?id=123&x=1", "123"),
        ("https://x.com/", ""),
        ("https://x.com/?s=20", ""),
        ("x.com", ""),
        ("@meadow/", "meadow"),
        ("@meadow/status/1", "meadow"),
        ("@meadow?s=20", "meadow"),
        ("\u200b@mead\u200dow\ufeff", "meadow"),
        ("ｍｅａｄｏｗ", "meadow"),
        ("𝓜𝓮𝓪𝓭𝓸𝔀", "meadow"),
        ("", ""),
        (" @/ ", ""),
        # What only resembles an address stays as it is.
        ("me.adow", "me.adow"),
        ("m.adow", "m.adow"),
        ("www.adow", "www.adow"),
        ("xx.com/meadow", "xx.com/meadow"),
        ("x.community/meadow", "x.community/meadow"),
        ("xacom/meadow", "xacom"),
        ("meadow#1234", "meadow#1234"),
        ("telegram / @meadow", "telegram / @meadow"),
        ("Meadow@Example.com", "meadow@example.com"),
        ("https://www.blog.example/me/?a=1#b", "blog.example/me"),
        ("https://blog.example/you", "blog.example/you"),
        ("ÅNGSTRÖM", "ÅngstrÖm"),  # only ASCII has one lower case everywhere
    ],
)
def test_the_name_alone_in_lower_case(handle: str, name: str) -> None:
    assert normalised(handle) == name


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
    assert (skeleton(one) == skeleton(other)) is alike


def test_a_skeleton_has_room_for_200_characters_of_the_first_2000() -> None:
    assert skeleton("a" * 200) == skeleton("a" * 201) == skeleton("a" * 10_000) == "a" * 200
    assert skeleton("a" * 199) == "a" * 199
    assert (normalised(" " * 1_999 + "ab"), normalised(" " * 2_000 + "a")) == ("a", "")


def test_the_table_of_look_alikes_holds_each_sign_once_as_nfkc_leaves_it() -> None:
    signs = "".join(LOOK_ALIKES.values())

    assert len(set(signs)) == len(signs)
    # None of them is a letter that others are brought to, or the order would matter.
    assert not set(signs) & set(LOOK_ALIKES)
    assert [sign for sign in signs if unicodedata.normalize("NFKC", sign) != sign] == []
    assert [sign for sign in signs if sign in string.ascii_uppercase] == []
    assert not re.search(ZERO_WIDTH, signs)


@given(st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=15))
def test_a_plain_handle_is_the_same_however_it_is_typed(handle: str) -> None:
    typed = [
        f"@{handle}",
        f"  {handle}\n",
        handle.swapcase(),
        f"\u200b{handle}\u2060",
        *(f"https://www.{host}/@{handle}/?a=b#c" for family in FAMILIES for host in family.hosts),
    ]

    assert {normalised(text) for text in typed} == {normalised(handle)} == {handle.lower()}
    assert {skeleton(text) for text in typed} == {skeleton(handle)}


@pytest.mark.parametrize(
    ("platform", "key"),
    [
        ("x", "x"),
        (" Twitter ", "x"),
        ("X (Twitter)", "x"),
        ("twitter.com", "x"),
        ("TG", "telegram"),
        ("you tube", "youtube"),
        ("My Place", "my place"),
        ("", ""),
        ("xx", "xx"),
    ],
)
def test_a_network_is_known_under_all_of_its_names(platform: str, key: str) -> None:
    assert platform_family(platform).key == key


def test_no_name_means_two_networks() -> None:
    names = [name for family in FAMILIES for name in family.called]

    assert len(set(names)) == len(names)
    assert [name for name in names if name != name.lower().strip()] == []

"""A profile link follows from a plain handle on a known platform, and from nothing else."""

import re
import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.handles import PROFILES, profile_url
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

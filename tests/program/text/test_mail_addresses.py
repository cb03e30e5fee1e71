"""Email addresses: typed, pasted or in another script, and as sent to a server."""

import pytest

from program.text.mail_addresses import bare, mail_address


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("ivan@xn--e1afmkfd.xn--p1ai", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("user@münchen.de", "user@xn--mnchen-3ya.de"),
        ("user@MÜNCHEN.de", "user@xn--mnchen-3ya.de"),
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("user@пример.рф", "user@xn--e1afmkfd.xn--p1ai"),
        ("u@例え。テスト", "u@xn--r8jz45g.xn--zckzah"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("josé@example.org", "josé@example.org"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("mailto:five@example.org", "five@example.org"),
        ("MailTo:a%2Bb@x.org?subject=Hi", "a+b@x.org"),
        (" mailto: a@b.io ", "a@b.io"),
        ("mailto://a@b.io", "a@b.io"),
        ("é" * 32 + "@b.io", "é" * 32 + "@b.io"),
    ],
)
def test_an_address_in_any_script_or_copied_form_is_sent_to(typed: str, sent: str) -> None:
    assert mail_address(typed) == sent


@pytest.mark.parametrize(
    "typed",
    [
        *("mailto:", "mailto:a@b.io,c@d.io", "mailto:a@b.io%0ABcc:x@y.io", "mailto:?to=a@b.io"),
        *("a@xn--.io", "a@münchen", "a@mün chen.de", "é" * 33 + "@b.io", "a\u200db@c.io"),
        *("a\ud800@b.io", "a@b\ud800.io", "mailto:a@b.io//"),
        *("\u202ejosé@b.io", "jos\u00e9 x@b.io", "é.@b.io", "a@" + "ü" * 64 + ".de"),
    ],
)
def test_text_that_is_not_one_address_is_none(typed: str) -> None:
    assert mail_address(typed) is None


def test_only_a_link_is_unpacked() -> None:
    assert (bare(" a%2Bb@x.org "), bare("mailto:a%2Bb@x.org")) == ("a%2Bb@x.org", "a+b@x.org")

"""Sent messages are harmless, whatever an applicant or a colleague typed."""

import pytest

from program.affiliates.requalification import Step
from program.messages import letters
from program.messages.delivery import MessageKind, Reason
from program.messages.letters import Template, Unsendable

ENGLISH = Template(
    kind=MessageKind.APPROVED,
    language="en",
    version=1,
    subject="Application {{application_id}} of {{username}}",
    body="Dear {{username}},\n\n{{message}}\n\n{{exchange}}",
)
VALUES = {"username": "meadow", "application_id": "7", "exchange": "the exchange"}
LONG = "x" * 300


@pytest.mark.parametrize(
    "typed",
    ["a@b.io", "first.last+tag@sub.example.co", "o'brien@example.com", f"{'a' * 64}@example.com"],
)
def test_a_mail_address_is_taken(typed: str) -> None:
    assert letters.address(f" {typed} ") == typed


@pytest.mark.parametrize(
    "typed",
    [
        *("nobody", "@example.com", "a@", "a@b", "a@@b.io", "a b@c.io", "a@b.io, c@d.io"),
        *("a@b.io\nBcc: x@y.io", "a@b.io\r\nBcc: x@y.io", "a\0@b.io", "<a@b.io>", "A <a@b.io>"),
        *("a@b.io>", '"a"@b.io', ".a@b.io", "a.@b.io", "a..b@c.io", "a@-b.io", "a@-ä.io"),
        *("a@b.io\u202e", "a@b.1o", f"{'a' * 65}@b.io", f"a@{LONG}.io", "a\u2028@b.io"),
    ],
)
def test_anything_else_is_no_mail_address(typed: str) -> None:
    with pytest.raises(Unsendable, match="is not an email address") as raised:
        letters.address(typed)
    assert raised.value.reason is Reason.BAD_CONTACT
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 800


@pytest.mark.parametrize("typed", [None, "", "  ", "\n"])
def test_a_missing_contact_is_distinguished_from_a_bad_one(typed: str | None) -> None:
    for read in (letters.address, letters.handle):
        with pytest.raises(Unsendable) as raised:
            read(typed)
        assert raised.value.reason is Reason.NO_CONTACT


@pytest.mark.parametrize("typed", ["@meadow", "meadow#1234", "Мария", "🌱", "<b>x</b>", "x" * 200])
def test_a_handle_is_any_one_line_that_hides_nothing(typed: str) -> None:
    assert letters.handle(typed) == typed


@pytest.mark.parametrize(
    "typed", ["a\nb", "a\r\nb", "a\x1b[31m", "a\u202eb", "a\u2066b", "x" * 201]
)
def test_a_handle_that_hides_something_is_refused(typed: str) -> None:
    with pytest.raises(Unsendable) as raised:
        letters.handle(typed)
    assert raised.value.reason is Reason.BAD_CONTACT


def test_the_message_is_in_the_letter_as_it_was_written() -> None:
    letter = letters.compose(ENGLISH, "You are in.\n\nWelcome, {meadow}.", VALUES)

    assert letter.subject == "Application 7 of meadow"
    assert letter.text == "Dear meadow,\n\nYou are in.\n\nWelcome, {meadow}.\n\nthe exchange"


def test_hostile_names_and_texts_become_harmless() -> None:
    values = {**VALUES, "username": "a\r\nBcc: x@y.io\u202e{{message}}"}

    letter = letters.compose(ENGLISH, "One\r\ntwo\u2028three\x1b[0m\u202e<b>", values)

    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "\u202e" not in letter.subject + letter.text
    assert letter.text.count("One\ntwo\nthree[0m<b>") == 1
    assert "<b>" not in letters.as_html(letter.text)
    assert "&lt;b&gt;" in letters.as_html(letter.text)


def test_a_very_long_subject_is_cut_and_a_very_long_text_refused() -> None:
    assert len(letters.compose(ENGLISH, "x", {**VALUES, "username": LONG}).subject) == 200
    with pytest.raises(Unsendable, match=r"12,\d+ characters; the limit is 12,000"):
        letters.compose(ENGLISH, "x" * 12_000, VALUES)
    with pytest.raises(Unsendable, match="empty"):
        letters.compose(ENGLISH, " \u202e\n", VALUES)


@pytest.mark.parametrize(
    ("subject", "body", "sentence"),
    [
        ("Hello", "{{message}}", None),
        ("{{application_id}} {{exchange}}", "{{username}}{{message}}{{social_handle}}", None),
        ("", "{{message}}", "one line"),
        ("a\nb", "{{message}}", "one line"),
        ("a\u202eb", "{{message}}", "one line"),
        ("\u200b\u2800", "{{message}}", "one line"),
        ("\u3164", "{{message}}", "one line"),
        ("x" * 201, "{{message}}", "one line"),
        ("Hello", "{{message}}" + "x" * 4_000, "4,011 characters; the limit is 4,000"),
        ("Hello", "{{message}} {{usrname}}", "There is no placeholder {{usrname}}"),
        ("Hello {{nobody", "{{message}}", "There is no placeholder"),
        ("Hello", "Dear {{username}}", "{{message}} must appear exactly once in the text"),
        ("Hello", "{{message}}{{message}}", "exactly once"),
        ("{{message}}", "{{message}}", "and not in the subject"),
    ],
)
def test_a_template_is_checked_before_it_is_saved(
    subject: str, body: str, sentence: str | None
) -> None:
    found = " ".join(letters.problems(subject, body))

    assert (found == "") is (sentence is None)
    assert (sentence or "") in found


@pytest.mark.parametrize(
    ("kind", "language", "expected"),
    [
        ("approved", "pt", ("approved", "pt", 2)),
        ("approved", "pt-BR", ("approved", "pt", 2)),
        ("approved", "de", ("approved", "en", 1)),
        ("rejected", "pt", ("other", "pt", 1)),
        ("unheard_of", "en", ("other", "en", 1)),
    ],
)
def test_the_nearest_template_serves(
    kind: str, language: str, expected: tuple[str, str, int]
) -> None:
    there = [("approved", "en", 1), ("approved", "pt", 1), ("approved", "pt", 2)]
    templates = [
        Template(kind=MessageKind(k), language=s, version=v, subject="s", body="{{message}}")
        for k, s, v in [*there, ("other", "en", 1), ("other", "pt", 1)]
    ]

    found = letters.choose(templates, kind, language)

    assert (str(found.kind), found.language, found.version) == expected


@pytest.mark.parametrize("step", Step)
def test_every_change_of_an_affiliates_standing_has_words_of_its_own(step: Step) -> None:
    found = letters.choose(letters.SHIPPED, step.event, "en")

    assert found.kind == step.event
    assert letters.problems(found.subject, found.body) == ()
    assert [one.subject for one in letters.SHIPPED].count(found.subject) == 1

"""The route of a message, whether it is sent, and the wait after a failure."""

from datetime import timedelta

import pytest

from program.messages.delivery import (
    REASON_WORDS,
    DeliverySettings,
    MessageKind,
    Patience,
    Reason,
    Route,
    language,
    route,
    withheld,
)


@pytest.mark.parametrize(
    ("platform", "email_instead", "expected"),
    [
        ("email", (), Route.EMAIL),
        ("telegram", (), Route.WEBHOOK),
        ("telegram", ("discord",), Route.WEBHOOK),
        ("telegram", ("telegram",), Route.EMAIL),
        ("anything at all", (), Route.WEBHOOK),
        # For every spelling of a platform, in the row and in the settings.
        *[
            (word, (), Route.EMAIL)
            for word in ("Email", "E-mail", "EMAIL ", "Ｅ－ＭＡＩＬ", "邮箱")
        ],
        *[(word, ("telegram",), Route.EMAIL) for word in ("Telegram", "TG", "tele gram", "t.me")],
        *[("whatsapp", (word,), Route.EMAIL) for word in ("WhatsApp", "whats app", "Whatsapp")],
        ("微信", ("WeChat",), Route.EMAIL),
        ("My Place", ("my-place",), Route.EMAIL),
        ("X (Twitter)", ("telegram",), Route.WEBHOOK),
    ],
)
def test_mail_goes_by_mail_and_all_else_to_the_exchanges_bot_unless_set_otherwise(
    platform: str, email_instead: tuple[str, ...], expected: Route
) -> None:
    assert route(platform, DeliverySettings(email_instead=email_instead)) is expected


@pytest.mark.parametrize(
    ("kind", "silent", "rejections", "expected"),
    [
        ("approved", False, True, None),
        ("rejected", False, True, None),
        ("rejected", False, False, "rejection messages are off"),
        ("approved", False, False, None),
        ("information_requested", False, False, None),
        ("approved", True, True, "silent mode is on"),
    ],
)
def test_withheld_messages_by_kind_and_settings(
    kind: str, silent: bool, rejections: bool, expected: str | None
) -> None:
    assert withheld(kind, DeliverySettings(silent=silent, send_rejections=rejections)) == expected


def test_the_language_follows_the_country_and_is_english_otherwise() -> None:
    settings = DeliverySettings(language_by_country={"BR": "pt"})

    assert [language(country, settings) for country in ("BR", "US", None)] == ["pt", "en", "en"]


@pytest.mark.parametrize(
    ("tries", "chance", "seconds"),
    [
        *[(1, 0.0, 15), (1, 0.5, 30), (2, 0.5, 60), (3, 0.5, 120), (7, 0.5, 1920)],
        *[(8, 0.5, 3600), (9, 0.0, 1800), (1_000, 0.5, 3600)],
    ],
)
def test_waits_double_up_to_an_hour_and_are_spread(tries: int, chance: float, seconds: int) -> None:
    assert Patience().wait(tries, chance) == timedelta(seconds=seconds)


def test_every_reason_has_its_words() -> None:
    assert set(REASON_WORDS) == set(Reason)


def test_an_unknown_kind_gets_the_general_template() -> None:
    assert MessageKind.of("requalification_missed") is MessageKind.OTHER
    assert MessageKind.of("rejected") is MessageKind.REJECTED

"""Which claims sign somebody in, and which cookie secrets are refused."""

import re
import secrets
from pathlib import Path
from typing import Any

import pytest

from program.review import sign_in
from program.review.sign_in import CLOCK_SKEW_S, LONGEST, Identity

ROOT = Path(__file__).resolve().parent.parent.parent.parent
NOW = 1_700_000_000
ISSUER = "https://id.example.com"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "248289761001",
    "email": "Mira@Example.com",
    "email_verified": True,
    "iat": NOW,
}
LEFT_OUT = object()
UNVERIFIED = "has not verified your email address"
NO_TIME = "does not say when you signed in"
LIMIT = int(LONGEST.total_seconds())


def fault(**changed: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not LEFT_OUT}
    return sign_in.fault(claims, now=NOW)


def test_complete_claims_name_a_person_by_issuer_and_subject() -> None:
    assert sign_in.fault(CLAIMS, now=NOW) == ""
    assert sign_in.identity(CLAIMS) == Identity(
        issuer=ISSUER, subject="248289761001", email="mira@example.com"
    )


@pytest.mark.parametrize(
    "verified", [False, None, 0, 1, 1.0, "", "true", "True", "false", "False", [True], LEFT_OUT]
)
def test_only_the_boolean_true_verifies_an_address(verified: object) -> None:
    assert UNVERIFIED in fault(email_verified=verified)


@pytest.mark.parametrize(
    ("verified", "issuer", "accepted"),
    [
        (LEFT_OUT, ISSUER, True),
        (True, ISSUER, True),
        (LEFT_OUT, f"{ISSUER}/other", False),
        (LEFT_OUT, ISSUER.upper(), False),
        (False, ISSUER, False),
        (None, ISSUER, False),
        ("true", ISSUER, False),
        (1, ISSUER, False),
    ],
)
def test_a_single_tenant_issuer_may_leave_the_claim_out_but_not_deny_it(
    verified: object, issuer: str, accepted: bool
) -> None:
    claims = {**CLAIMS, "iss": issuer, "email_verified": verified}
    if verified is LEFT_OUT:
        del claims["email_verified"]

    sentence = sign_in.fault(claims, now=NOW, single_tenant=[ISSUER])

    assert (sentence == "") is accepted, sentence


@pytest.mark.parametrize(
    ("issued", "part"),
    [
        (NOW + CLOCK_SKEW_S, ""),
        (NOW + CLOCK_SKEW_S + 1, "later than now"),
        (NOW + 10 * 365 * 86_400, "later than now"),
        (NOW - LIMIT, ""),
        (NOW - LIMIT - 1, "more than 12 hours ago"),
        (float(NOW), ""),
        (float("nan"), NO_TIME),
        (float("inf"), NO_TIME),
        (float("-inf"), NO_TIME),
        (True, NO_TIME),
        (str(NOW), NO_TIME),
        (None, NO_TIME),
        (LEFT_OUT, NO_TIME),
    ],
)
def test_a_token_counts_from_its_time_to_twelve_hours_later(issued: object, part: str) -> None:
    sentence = fault(iat=issued)

    assert part in sentence
    assert bool(part) is bool(sentence)


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"iss": LEFT_OUT}, "does not name itself"),
        ({"iss": ""}, "does not name itself"),
        ({"iss": "demo"}, "does not name itself"),
        ({"iss": [ISSUER]}, "does not name itself"),
        ({"iss": f"{ISSUER}\n"}, "does not name itself"),
        ({"sub": LEFT_OUT}, "does not say who you are"),
        ({"sub": ""}, "does not say who you are"),
        ({"sub": 7}, "does not say who you are"),
        ({"sub": "x" * 256}, "does not say who you are"),
        ({"sub": "x\x00"}, "does not say who you are"),
        ({"sub": "x" * 255}, ""),
        ({"email": LEFT_OUT}, "sent no email address"),
        ({"email": None}, "sent no email address"),
        ({"email": ["mira@example.com"]}, "sent no email address"),
        ({"email": "mira@example.com x"}, "contains a space"),
        ({"email": f"{'m' * 250}@example.com"}, "the limit is 254"),
    ],
)
def test_claims_that_name_nobody_are_refused(changed: dict[str, Any], part: str) -> None:
    sentence = fault(**changed)

    assert part in sentence
    assert bool(part) is bool(sentence)


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        (None, "shorter than 32"),
        ("xxx", "shorter than 32"),
        ("a1B2" * 7 + "xyz", "shorter than 32"),
        ("x" * 64, "repeats itself"),
        ("0123456789abcdef" * 2, "repeats itself"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "repeats itself"),
        ("at least 32 random characters, please", "example"),
    ],
)
def test_a_cookie_secret_that_could_be_guessed_is_refused(secret: object, part: str) -> None:
    assert part in (sign_in.secret_fault(secret) or "")


def test_made_secrets_are_accepted() -> None:
    for make in (secrets.token_urlsafe, secrets.token_hex):
        refused = [sign_in.secret_fault(make(32)) for _ in range(1_000)]
        assert set(refused) == {None}
    assert sign_in.secret_fault(secrets.token_hex(16)) is None


def test_every_example_of_a_cookie_secret_is_refused() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.*"), *(ROOT / "deploy").rglob("*.*")]
    files += [ROOT / "dashboard" / "shell" / "sign_in.py"]
    examples = [
        (path.name, example)
        for path in files
        if path.suffix in {".md", ".py", ".toml", ".yaml"}
        for example in re.findall(r'cookie_secret *= *"([^"]*)"', path.read_text())
    ]
    accepted = [found for found in examples if sign_in.secret_fault(found[1]) is None]

    assert len(examples) >= 2
    assert accepted == []

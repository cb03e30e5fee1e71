"""Rules of signing in: which claims of an identity provider are accepted, and how long they count.

Times are those of the identity provider's token, in seconds since 1970.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from program.review import people

# A session ends this long after it began, and this long after its person last did something.
LONGEST = timedelta(hours=12)
IDLE = timedelta(hours=1)
# How often a session's last activity is written.
NOTED_EVERY = timedelta(minutes=1)
# How far the clocks of the provider and this server may differ.
CLOCK_SKEW_S = 60
LONGEST_CLAIM = 255
# People of the demo are bound to this issuer, which no provider can be: it is not an address.
DEMO_ISSUER = "demo"
SECRET_LENGTH = 32
HOW_TO_MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person at an identity provider; the address only finds them at their first sign-in."""

    issuer: str
    subject: str
    email: str


def fault(claims: Mapping[str, Any], *, now: float, single_tenant: Collection[str] = ()) -> str:
    """Return why these claims sign nobody in, as a sentence; empty if they are accepted.

    ``single_tenant`` are the issuers whose addresses count as verified although they do not say so.
    """
    return (
        _fault_of_subject(claims)
        or _fault_of_address(claims, single_tenant)
        or _fault_of_time(claims.get("iat"), now)
    )


def identity(claims: Mapping[str, Any]) -> Identity:
    """Return the person in claims without a fault."""
    return Identity(
        issuer=claims["iss"], subject=claims["sub"], email=people.normal(claims["email"])
    )


def account_fault(issuer: str, subject: str) -> str:
    """Return why nobody can sign in with this account, as a sentence; empty if somebody can."""
    if not _is_issuer(issuer):
        return (
            "The issuer is not the address of an identity provider. Copy it from the provider's "
            f"settings, such as https://id.example.com, of at most {LONGEST_CLAIM} characters."
        )
    if not _is_short(subject) or subject != subject.strip():
        return (
            "The subject is not a person's id at the identity provider: text without a line "
            f"break and without outer blanks, of at most {LONGEST_CLAIM} characters."
        )
    return ""


def secret_fault(secret: object) -> str | None:
    """Return why this cookie secret could be guessed; ``None`` if it looks random."""
    if not isinstance(secret, str) or len(secret) < SECRET_LENGTH:
        return f"is shorter than {SECRET_LENGTH} characters"
    if any(sign.isspace() for sign in secret):
        # As all examples in documents and on screens are.
        return "is an example or a sentence"
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    repeats = (secret + secret).find(secret, 1) <= len(secret) // 2
    if repeats or len(steps) < SECRET_LENGTH // 4:
        return "repeats itself"
    return None


def _fault_of_subject(claims: Mapping[str, Any]) -> str:
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not _is_issuer(issuer):
        return "Your identity provider does not name itself. Ask an administrator."
    if not _is_short(subject):
        return "Your identity provider does not say who you are. Ask an administrator."
    return ""


def _is_issuer(claim: object) -> bool:
    return _is_short(claim) and str(claim).startswith(("https://", "http://"))


def _is_short(claim: object) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= LONGEST_CLAIM and claim.isprintable()


def _fault_of_address(claims: Mapping[str, Any], single_tenant: Collection[str]) -> str:
    email = claims.get("email")
    if not email or not isinstance(email, str):
        return "Your identity provider sent no email address. Ask an administrator."
    is_left_out = "email_verified" not in claims and claims["iss"] in single_tenant
    if claims.get("email_verified") is not True and not is_left_out:
        # Some providers send it as text, and the text "false" would count as true.
        return "Your identity provider has not verified your email address. Verify it there."
    wrong = people.fault(email)
    return "" if wrong is None else f"{wrong} Ask an administrator."


def _fault_of_time(issued: object, now: float) -> str:
    if not isinstance(issued, int | float) or isinstance(issued, bool) or not math.isfinite(issued):
        return "Your identity provider does not say when you signed in. Ask an administrator."
    if issued - now > CLOCK_SKEW_S:
        return (
            "Your identity provider says that you sign in later than now. Ask an administrator "
            "to compare its clock with this server's."
        )
    if now - issued > LONGEST.total_seconds():
        hours = int(LONGEST.total_seconds() // 3600)
        return f"You signed in more than {hours} hours ago. Sign out, and sign in again."
    return ""

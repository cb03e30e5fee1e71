"""Validation of typed text: not empty, bounded, and storable in Postgres."""

from data_access.db.errors import Invalid
from program.messages import canned_texts
from program.text import invisible

LONGEST_MESSAGE = 4_000


def require(text: str, *, what: str, longest: int) -> str:
    """Return the text without outer spaces; raises Invalid if empty, too long or with a NUL."""
    kept = text.strip()
    if invisible.shows_nothing(kept):
        raise Invalid(f"{what} is empty. Enter some text.")
    if len(kept) > longest:
        raise Invalid(f"{what} has {len(kept):,} characters; the limit is {longest:,}. Shorten it.")
    if "\0" in kept:
        raise Invalid(f"{what} contains a NUL character. Remove it.")
    if any("\ud800" <= sign <= "\udfff" for sign in kept):
        raise Invalid(f"{what} contains an invalid character. Type it again.")
    return kept


def allow(text: str, *, what: str, longest: int) -> str:
    """The same for optional text; ``""`` if it is empty."""
    return require(text, what=what, longest=longest) if not invisible.shows_nothing(text) else ""


def require_message(message: str) -> str:
    """Validate a message to the applicant: not empty, and no unfilled placeholder."""
    text = require(message, what="The message to the applicant", longest=LONGEST_MESSAGE)
    left = canned_texts.unfilled(text)
    if left:
        named = ", ".join("{{" + name + "}}" for name in left)
        raise Invalid(f"The message still has {named}. Fill it in, or remove it.")
    return text

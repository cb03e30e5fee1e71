"""Typed text, before it is kept: never empty, never endless, nothing Postgres cannot hold."""

from data_access.db.errors import Invalid
from program.messages import canned_texts
from program.text import invisible

LONGEST_MESSAGE = 4_000


def require(text: str, *, what: str, longest: int) -> str:
    """The text without outer spaces; raises Invalid when empty, too long or holding NUL."""
    kept = text.strip()
    if invisible.shows_nothing(kept):
        raise Invalid(f"{what} is empty. Enter some text.")
    if len(kept) > longest:
        raise Invalid(f"{what} has {len(kept):,} characters; {longest:,} fit. Shorten it.")
    if "\0" in kept:
        raise Invalid(f"{what} contains a NUL character. Remove it.")
    if any("\ud800" <= sign <= "\udfff" for sign in kept):
        raise Invalid(f"{what} contains an invalid character. Type it again.")
    return kept


def allow(text: str, *, what: str, longest: int) -> str:
    """The same for a text that may be left out; ``""`` where it is."""
    return require(text, what=what, longest=longest) if not invisible.shows_nothing(text) else ""


def require_message(message: str) -> str:
    """A message to the applicant: not empty, and without a placeholder that nothing filled."""
    text = require(message, what="The message to the applicant", longest=LONGEST_MESSAGE)
    left = canned_texts.unfilled(text)
    if left:
        named = ", ".join("{{" + name + "}}" for name in left)
        raise Invalid(f"The message still has {named}. Fill it in, or remove it.")
    return text

"""Compose a message with its template, without anything that could do harm.

The text was written or confirmed by a colleague; the names in it were chosen by the applicant.
Characters that hide, reorder or end text are removed; a contact that cannot be valid is refused.
"""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from program import wording
from program.messages import canned_texts
from program.messages.delivery import ENGLISH, MessageKind, Reason
from program.text import invisible, mail_addresses

LONGEST_SUBJECT = 200
LONGEST_BODY = 4_000
LONGEST_TEXT = 12_000
LONGEST_HANDLE = 200
LONGEST_PLATFORM = 100
MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A ``{{name}}`` that can be used in a template."""

    name: str
    meaning: str
    example: str


PLACEHOLDERS: tuple[Placeholder, ...] = (
    Placeholder(
        name=MESSAGE,
        meaning="What the colleague wrote, exactly; only in the text, and once",
        example="Welcome to the affiliate program.",
    ),
    Placeholder(name="username", meaning="The account's username", example="meadow_trader"),
    Placeholder(name="application_id", meaning="The application's number", example="1042"),
    Placeholder(
        name="social_handle",
        meaning="The social media account as the applicant gave it",
        example="@meadow",
    ),
    Placeholder(name="exchange", meaning="The exchange's name", example=canned_texts.EXCHANGE),
)
_NAMES = frozenset(placeholder.name for placeholder in PLACEHOLDERS)
# Direction controls, which can make a text read as another.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES = re.compile("\r\n?|\u2028|\u2029|\u0085|\v|\f")


class Unsendable(Exception):
    """The message cannot be sent as it is; the text says why."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The frame of messages of a kind in a language; the newest version counts."""

    kind: MessageKind
    language: str
    version: int
    subject: str
    body: str


def _shipped(kind: MessageKind, subject: str) -> Template:
    return Template(kind=kind, language=ENGLISH, version=0, subject=subject, body="{{message}}")


# Templates of kinds that the database does not contain at first; version 1 is the first saved.
SHIPPED: tuple[Template, ...] = (
    _shipped(MessageKind.PUT_ON_NOTICE, "A notice about your place in the affiliate program"),
    _shipped(MessageKind.SUSPENDED, "Your affiliate rebate is suspended"),
    _shipped(MessageKind.RESTORED, "Your place in the affiliate program is restored"),
    _shipped(MessageKind.TERMINATED, "Your membership in the affiliate program ends"),
    _shipped(MessageKind.REINSTATED, "You are back in the affiliate program"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Subject and text, filled and safe."""

    subject: str
    text: str


def problems(subject: str, body: str) -> tuple[str, ...]:
    """Return what blocks saving a template, a sentence each; empty if nothing does."""
    found = []
    hides = invisible.shows_nothing(subject) or harmless_line(subject) != subject
    if hides or len(subject) > LONGEST_SUBJECT:
        found.append(f"The subject must be one line of at most {LONGEST_SUBJECT} characters.")
    if len(body) > LONGEST_BODY:
        found.append(f"The text has {len(body):,} characters; the limit is {LONGEST_BODY:,}.")
    unknown = [name for name in canned_texts.unfilled(f"{subject}\n{body}") if name not in _NAMES]
    if unknown:
        named = ", ".join("{{" + name + "}}" for name in unknown)
        known = wording.listed(["{{" + placeholder.name + "}}" for placeholder in PLACEHOLDERS])
        found.append(f"There is no placeholder {named}. The placeholders are {known}.")
    if body.count("{{message}}") != 1 or "message" in canned_texts.unfilled(subject):
        found.append("{{message}} must appear exactly once in the text, and not in the subject.")
    return tuple(found)


def shipped(kind: MessageKind, language: str) -> Template | None:
    """Return the built-in template; ``None`` if there is none."""
    return next((t for t in SHIPPED if (t.kind, t.language) == (kind, language)), None)


def choose(templates: Sequence[Template], kind: str, language: str) -> Template:
    """Return the newest template for a kind and a language, or the closest one.

    Falls back to the main language, then to English; for an unknown kind, to OTHER.
    """
    meant = MessageKind.of(kind)
    languages = dict.fromkeys((language, language.partition("-")[0], ENGLISH))
    for wanted, spoken in [(k, s) for s in languages for k in (meant, MessageKind.OTHER)]:
        found = [t for t in templates if (t.kind, t.language) == (wanted, spoken)]
        if found:
            return max(found, key=lambda template: template.version)
    raise Unsendable(Reason.BAD_TEXT, f"There is no template for {meant}.")


def missing_kinds(templates: Sequence[Template], language: str) -> tuple[MessageKind, ...]:
    """Return the kinds for which `choose` would fall back to English."""
    spoken = {language, language.partition("-")[0]}
    there = {template.kind for template in templates if template.language in spoken}
    if MessageKind.OTHER in there or language == ENGLISH:
        return ()
    return tuple(kind for kind in MessageKind if kind not in there)


def compose(template: Template, message: str, values: Mapping[str, str]) -> Letter:
    """Fill the template. Raises Unsendable if the message is empty or too long."""
    text = harmless(message).strip()
    if not text:
        raise Unsendable(Reason.BAD_TEXT, "The message is empty.")
    around = {name: harmless_line(value) for name, value in values.items()}
    subject = harmless_line(canned_texts.fill(template.subject, around))[:LONGEST_SUBJECT].strip()
    body = canned_texts.fill(template.body, {**around, MESSAGE: text}).strip()
    if len(body) > LONGEST_TEXT:
        raise Unsendable(
            Reason.BAD_TEXT,
            f"The text has {len(body):,} characters; the limit is {LONGEST_TEXT:,}.",
        )
    return Letter(subject=subject or "Your affiliate application", text=body)


def address(typed: str | None) -> str:
    """Return the email address with its domain in ASCII. Raises Unsendable if it is invalid."""
    text = mail_addresses.bare(typed or "")
    if not text:
        raise Unsendable(Reason.NO_CONTACT, "The account has no email address.")
    found = mail_addresses.mail_address(text)
    if found is None:
        raise Unsendable(Reason.BAD_CONTACT, f"`{shown(text)}` is not an email address.")
    return found


def handle(typed: str | None) -> str:
    """Return a contact on a platform, on one line. Raises Unsendable if it hides anything."""
    text = (typed or "").strip()
    if not text:
        raise Unsendable(Reason.NO_CONTACT, "The applicant gave no contact.")
    if len(text) > LONGEST_HANDLE:
        raise Unsendable(
            Reason.BAD_CONTACT,
            f"The contact has {len(text):,} characters; the limit is {LONGEST_HANDLE}.",
        )
    if harmless_line(text) != text:
        raise Unsendable(
            Reason.BAD_CONTACT, f"`{shown(text)}` contains line breaks or hidden characters."
        )
    return text


def platform(typed: str) -> str:
    """Return a contact platform's name. Raises Unsendable if it hides anything."""
    text = typed.strip()
    if not text or len(text) > LONGEST_PLATFORM or harmless_line(text) != text:
        raise Unsendable(Reason.BAD_CONTACT, f"`{shown(text)}` is not a contact platform.")
    return text


def harmless(text: str) -> str:
    """Remove control characters and direction controls; line breaks stay."""
    lines = _LINES.sub("\n", text)
    return "".join(sign for sign in lines if sign in "\n\t" or not _harms(sign))


def harmless_line(text: str) -> str:
    """The same on one line."""
    return re.sub(r"[ \n\t]+", " ", harmless(text))


def shown(text: str) -> str:
    """Shorten typed text for a sentence about it; hidden characters are escaped."""
    spelled = "".join(s if s.isprintable() else f"[U+{ord(s):04X}]" for s in text[:60])
    return spelled + ("…" if len(text) > 60 else "")


def as_html(text: str) -> str:
    """Return the text as a plain web page, with every character escaped."""
    paragraphs = re.split(r"\n{2,}", html.escape(text, quote=True))
    inner = "\n".join(
        f'<p dir="auto">{paragraph}</p>'
        for paragraph in (one.replace("\n", "<br>\n") for one in paragraphs)
    )
    head = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>'
    return f"{head}\n{inner}\n</body></html>\n"


def _harms(sign: str) -> bool:
    return sign in _TURNS or unicodedata.category(sign) in ("Cc", "Cs")

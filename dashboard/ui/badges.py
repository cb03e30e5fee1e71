"""Badges for outcomes, statuses and roles: always icon, word and color together."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from program.policy.outcomes import Outcome
from program.review.workflow import Status

Colour = Literal["green", "orange", "gray", "blue", "red", "violet"]


@dataclass(frozen=True, slots=True)
class Look:
    """A word, icon and color; ``sign`` replaces the icon in plain text."""

    word: str
    icon: str
    colour: Colour
    sign: str


OUTCOMES: dict[Outcome, Look] = {
    Outcome.MET: Look("met", ":material/check:", "green", "✓"),
    # Falling short is normal here, not an alarm: amber, never red.
    Outcome.NOT_MET: Look("not met", ":material/remove:", "orange", "−"),
    Outcome.UNKNOWN: Look("unknown", ":material/question_mark:", "gray", "?"),
}
PROVISIONAL = Look("provisional", ":material/schedule:", "blue", "◷")
STATUSES: dict[Status, Look] = {
    Status.PENDING: Look("pending", ":material/hourglass_empty:", "violet", "○"),
    Status.MORE_INFO_NEEDED: Look(
        "waiting for the applicant", ":material/pause_circle:", "blue", "‖"
    ),
    Status.DEFERRED: Look("deferred", ":material/snooze:", "gray", "◷"),
    Status.AWAITING_SECOND_APPROVAL: Look(
        "waiting for a second approval", ":material/supervisor_account:", "violet", "2"
    ),
    Status.APPROVED: Look("approved", ":material/check_circle:", "green", "✓"),
    Status.REJECTED: Look("rejected", ":material/block:", "gray", "×"),
    Status.WITHDRAWN: Look("withdrawn", ":material/undo:", "gray", "–"),
}
OVERDUE = Look("overdue", ":material/alarm:", "red", "!")
TRACK_WORDS = {"on_exchange": "on-exchange", "external": "external", "both": "both tracks"}

OUTCOME_WORDS: dict[Outcome, str] = {
    outcome: f"{look.sign} {look.word}" for outcome, look in OUTCOMES.items()
}


def outcome_words(outcome: Outcome, *, track: str | None = None) -> str:
    """Format an outcome as plain text for table cells: ``✓ met · on-exchange``."""
    word = OUTCOME_WORDS[outcome]
    return word if track is None else f"{word} · {TRACK_WORDS[track]}"


def outcome_badge(outcome: Outcome, *, track: str | None = None, provisional: bool = False) -> None:
    """Draw an outcome, and whether it is provisional."""
    look = OUTCOMES[outcome]
    word = look.word if track is None else f"{look.word} · {TRACK_WORDS[track]}"
    st.badge(word, icon=look.icon, color=look.colour)
    if provisional:
        _draw(PROVISIONAL)


def status_badge(status: Status, *, detail: str = "") -> None:
    """Draw a status; ``detail`` follows the word: ``pending 4 d``."""
    _draw(STATUSES[status], detail)


def _draw(look: Look, detail: str = "") -> None:
    st.badge(f"{look.word} {detail}".strip(), icon=look.icon, color=look.colour)

"""Badges for outcomes, statuses and roles: always icon, word and color together."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from program.policy.outcomes import Outcome
from program.review.workflow import Status
from program.risk.signals import Severity

Color = Literal["green", "orange", "gray", "blue", "red", "violet"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A word, icon and color; ``sign`` replaces the icon in plain text."""

    word: str
    icon: str
    color: Color
    sign: str

    @property
    def text(self) -> str:
        """The sign and the word, as plain text for table cells."""
        return f"{self.sign} {self.word}"


OUTCOMES: dict[Outcome, Badge] = {
    Outcome.MET: Badge("met", ":material/check:", "green", "✓"),
    # Falling short is normal here, not an alarm: amber, never red.
    Outcome.NOT_MET: Badge("not met", ":material/remove:", "orange", "−"),
    Outcome.UNKNOWN: Badge("unknown", ":material/question_mark:", "gray", "?"),
}
PROVISIONAL = Badge("provisional", ":material/schedule:", "blue", "◷")
STATUSES: dict[Status, Badge] = {
    Status.PENDING: Badge("pending", ":material/hourglass_empty:", "violet", "○"),
    Status.MORE_INFO_NEEDED: Badge(
        "waiting for the applicant", ":material/pause_circle:", "blue", "‖"
    ),
    Status.DEFERRED: Badge("deferred", ":material/snooze:", "gray", "◷"),
    Status.AWAITING_SECOND_APPROVAL: Badge(
        "waiting for a second approval", ":material/supervisor_account:", "violet", "2"
    ),
    Status.APPROVED: Badge("approved", ":material/check_circle:", "green", "✓"),
    Status.REJECTED: Badge("rejected", ":material/block:", "gray", "×"),
    Status.WITHDRAWN: Badge("withdrawn", ":material/undo:", "gray", "–"),
}
OVERDUE = Badge("overdue", ":material/alarm:", "red", "!")
TRACK_WORDS = {"on_exchange": "on-exchange", "external": "external", "both": "both tracks"}

# A signal asks a question; red is for the few that should be answered before anything else.
RISKS: dict[Severity, Badge] = {
    Severity.HIGH: Badge("high", ":material/priority_high:", "red", "▲"),
    Severity.WARN: Badge("ask", ":material/contact_support:", "orange", "△"),
    Severity.CLEAR: Badge("clear", ":material/check:", "green", "✓"),
    Severity.NOT_ENOUGH_DATA: Badge("not enough data", ":material/hourglass_empty:", "gray", "…"),
}
RISK_WORDS: dict[Severity, str] = {severity: badge.text for severity, badge in RISKS.items()}

OUTCOME_WORDS: dict[Outcome, str] = {outcome: badge.text for outcome, badge in OUTCOMES.items()}


def outcome_words(outcome: Outcome, *, track: str | None = None) -> str:
    """Format an outcome as plain text for table cells: ``✓ met · on-exchange``."""
    word = OUTCOME_WORDS[outcome]
    return word if track is None else f"{word} · {TRACK_WORDS[track]}"


def outcome_badge(outcome: Outcome, *, track: str | None = None, provisional: bool = False) -> None:
    """Draw an outcome, and whether it is provisional."""
    badge = OUTCOMES[outcome]
    word = badge.word if track is None else f"{badge.word} · {TRACK_WORDS[track]}"
    st.badge(word, icon=badge.icon, color=badge.color)
    if provisional:
        _draw(PROVISIONAL)


def outcome_markdown(outcome: Outcome) -> str:
    """Format an outcome as the same badge within Markdown."""
    badge = OUTCOMES[outcome]
    return f":{badge.color}-badge[{badge.icon} {badge.word}]"


def risk_badge(level: Severity) -> None:
    """Draw the level of risk."""
    _draw(RISKS[level])


def status_badge(status: Status, *, detail: str = "") -> None:
    """Draw a status; ``detail`` follows the word: ``pending 4 d``."""
    _draw(STATUSES[status], detail)


def _draw(badge: Badge, detail: str = "") -> None:
    st.badge(f"{badge.word} {detail}".strip(), icon=badge.icon, color=badge.color)

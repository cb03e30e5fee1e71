"""Badges for outcomes, statuses and roles: always icon, word and color together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import streamlit as st

from program.policy.criteria import TRACK_WORDS
from program.policy.outcomes import OUTCOME_WORDS, Outcome
from program.review.workflow import STATUS_WORDS, Status
from program.risk.signals import SEVERITY_WORDS, Severity

Key = TypeVar("Key")
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


def _named(
    words: Mapping[Key, str], looks: Mapping[Key, tuple[str, Color, str]]
) -> dict[Key, Badge]:
    """Return a badge for each, under the word that it has everywhere."""
    return {key: Badge(words[key], *look) for key, look in looks.items()}


OUTCOMES = _named(
    OUTCOME_WORDS,
    {
        Outcome.MET: (":material/check:", "green", "✓"),
        # Falling short is normal here, not an alarm: amber, never red.
        Outcome.NOT_MET: (":material/remove:", "orange", "−"),
        Outcome.UNKNOWN: (":material/question_mark:", "gray", "?"),
    },
)
PROVISIONAL = Badge("provisional", ":material/schedule:", "blue", "◷")
STATUSES = _named(
    STATUS_WORDS,
    {
        Status.PENDING: (":material/hourglass_empty:", "violet", "○"),
        Status.MORE_INFO_NEEDED: (":material/pause_circle:", "blue", "‖"),
        Status.DEFERRED: (":material/snooze:", "gray", "◷"),
        Status.AWAITING_SECOND_APPROVAL: (":material/supervisor_account:", "violet", "2"),
        Status.APPROVED: (":material/check_circle:", "green", "✓"),
        Status.REJECTED: (":material/block:", "gray", "×"),
        Status.WITHDRAWN: (":material/undo:", "gray", "–"),
    },
)
OVERDUE = Badge("overdue", ":material/alarm:", "red", "!")

# A signal asks a question; red is for the few that should be answered before anything else.
RISKS = _named(
    SEVERITY_WORDS,
    {
        Severity.HIGH: (":material/warning:", "red", "▲"),
        Severity.WARN: (":material/contact_support:", "orange", "△"),
        Severity.CLEAR: (":material/check:", "green", "✓"),
        Severity.NOT_ENOUGH_DATA: (":material/hourglass_empty:", "gray", "…"),
    },
)
RISK_TEXTS: dict[Severity, str] = {severity: badge.text for severity, badge in RISKS.items()}
OUTCOME_TEXTS: dict[Outcome, str] = {outcome: badge.text for outcome, badge in OUTCOMES.items()}


def outcome_words(outcome: Outcome, *, track: str | None = None) -> str:
    """Format an outcome as plain text for table cells: ``✓ met · on-exchange``."""
    word = OUTCOME_TEXTS[outcome]
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

"""Lines of the checklist: question, answer, author and time."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.ui import figures
from dashboard.ui.badges import Look
from dashboard.ui.safe_text import escape
from program.policy.checklist import CheckOutcome

LOOKS: dict[CheckOutcome, Look] = {
    CheckOutcome.PASSED: Look("passed", ":material/check_circle:", "green", "✓"),
    CheckOutcome.FAILED: Look("failed", ":material/cancel:", "red", "×"),
    CheckOutcome.NOT_APPLICABLE: Look(
        "not applicable", ":material/do_not_disturb_on:", "gray", "–"
    ),
}
OPEN = Look("open", ":material/radio_button_unchecked:", "gray", "○")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item. Without ``outcome`` it is not answered; ``comment`` is typed text."""

    label: str
    required: bool
    outcome: CheckOutcome | None = None
    author: str = ""
    at: datetime | None = None
    comment: str = ""


def words(line: Line) -> str:
    """Format the line as one Markdown string, with typed text escaped."""
    look = LOOKS[line.outcome] if line.outcome else OPEN
    word = look.word if line.outcome else "required" if line.required else "open"
    colour = "orange" if line.required and not line.outcome else look.colour
    text = f":{colour}[{look.icon} {word}] {escape(line.label)}"
    if line.outcome is None or line.at is None:
        return text
    who = escape(line.author.split("@")[0])
    return f"{text} · {who}, {figures.day(line.at.date())}"


def progress(answered: int, total: int, left: int) -> str:
    """Format ``5 of 9, 1 required left``."""
    owed = f"{left} required left" if left else "nothing required is left"
    return f"{answered} of {total}, {owed}"

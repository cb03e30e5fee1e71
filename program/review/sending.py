"""How long content must have been on the screen before a press may send it."""

from datetime import datetime, timedelta

SEEN_FOR = timedelta(milliseconds=600)
LOOK_FIRST = "Review it first, then press again. Nothing was sent."


def was_seen(shown_at: datetime, pressed_at: datetime) -> bool:
    """Whether a person who pressed then had time to read what was shown."""
    return pressed_at - shown_at >= SEEN_FOR

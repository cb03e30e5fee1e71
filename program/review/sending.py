"""How long what is to be sent must have been on the screen before a press sends it."""

from datetime import datetime, timedelta

SEEN_FOR = timedelta(milliseconds=600)
LOOK_FIRST = "Review it first, then press again. Nothing was sent."


def was_seen(shown_at: datetime, pressed_at: datetime) -> bool:
    """Whether somebody who pressed then had the time to look at what was shown."""
    return pressed_at - shown_at >= SEEN_FOR

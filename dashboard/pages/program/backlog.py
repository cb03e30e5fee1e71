"""The line about messages to applicants on other pages."""

from datetime import datetime

from dashboard.ui import backlog as parts
from data_access.db import database
from data_access.messages import backlog


def draw(now: datetime) -> None:
    """Draw how many wait, since when, and undeliverable ones; prominent if none are delivered."""
    with database.reading(database.reader()) as connection:
        found = backlog.read(connection)
    parts.line(
        waiting=found.waiting,
        oldest=found.oldest,
        parked=found.parked,
        is_late=found.is_late(now),
        now=now,
    )

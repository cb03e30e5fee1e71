"""The table of messages. Recipients are typed text and are shown only in cells."""

from collections.abc import Sequence

from dashboard.ui import grid
from data_access.messages.backlog import Message
from program.messages.delivery import KIND_WORDS, MessageKind

ROWS_SHOWN = 20


def draw(messages: Sequence[Message], last: grid.GridColumn, *, key: str) -> None:
    """Draw the messages in the given order; ``last`` is the column of their states or times."""
    grid.draw(
        {
            "application": grid.applications([one.application_id for one in messages]),
            "applicant": grid.text("Applicant", [one.username for one in messages], width=140),
            "what": grid.text(
                "Message", [KIND_WORDS[MessageKind.of(one.kind)] for one in messages], width=130
            ),
            "to": grid.text("To", [one.to for one in messages], width=200),
            "when": grid.moment("Written", [one.created_at for one in messages]),
            "state": last,
        },
        key=f"outbox-{key}",
        alt="Messages to applicants",
        row_height=grid.LOW_ROW_HEIGHT,
        most_high=ROWS_SHOWN,
    )

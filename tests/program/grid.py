"""Status by status by role, written out by hand: who may move an application.

Rows are the current status, columns the new one. A cell lists the roles that may: reviewer,
manager, analyst (n), admin (d), or a point for nobody. Reviewers move an application out of
approved and rejected only by undoing what they just sent.
"""

from program.review.permissions import Role
from program.review.workflow import Status

GRID = """
from \\ to                 pending  more_info  deferred  awaiting  approved  rejected  withdrawn
pending                   .        rm         rm        rm        rm        rm        .
more_info_needed          rm       .          .         .         .         .         .
deferred                  rm       .          .         .         .         .         .
awaiting_second_approval  rm       .          .         .         m         m         .
approved                  rm       .          .         .         .         .         .
rejected                  rm       .          .         .         .         .         .
withdrawn                 .        .          .         .         .         .         .
"""
COLUMNS = (
    Status.PENDING,
    Status.MORE_INFO_NEEDED,
    Status.DEFERRED,
    Status.AWAITING_SECOND_APPROVAL,
    Status.APPROVED,
    Status.REJECTED,
    Status.WITHDRAWN,
)
LETTERS = {"r": Role.REVIEWER, "m": Role.MANAGER, "n": Role.ANALYST, "d": Role.ADMIN}


def _read() -> dict[tuple[Status, Status], frozenset[Role]]:
    rows = [line.split() for line in GRID.strip().splitlines()[1:]]
    return {
        (Status(row[0]), new): frozenset(LETTERS[sign] for sign in cell.strip("."))
        for row in rows
        for new, cell in zip(COLUMNS, row[1:], strict=True)
    }


WHO = _read()
CELLS = [(old, new, role) for old, new in WHO for role in Role]

"""The affiliates page at scale: the board, outcomes of approvals, and near misses."""

from sqlalchemy import Engine

from bench.facts import moment
from bench.figures import forget_connections
from bench.measurements import Measurement
from data_access.affiliates import board, cohort_outcomes, near_misses
from data_access.eligibility import freshness, judging
from program.affiliates.filters import BoardFilters

MOST_S = 0.15
FALLEN_LISTED = 20


def board_counts(engine: Engine) -> None:
    """Read the counts of the whole board."""
    with engine.connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        board.counts(connection, context.policy)


def board_page(engine: Engine) -> None:
    """Read the first page of the board, most urgent first."""
    with engine.connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        board.page(connection, BoardFilters(), context.policy)


def outcomes(engine: Engine) -> None:
    """Read the outcomes of each month's approvals, and the largest falls."""
    with engine.connect() as connection:
        fresh = freshness.newest(connection)
        assert fresh is not None
        through = fresh.data_through
        cohort_outcomes.outcomes(connection, data_through=through)
        cohort_outcomes.fallen(connection, data_through=through, most=FALLEN_LISTED)


def invited(engine: Engine) -> None:
    """Read the first page of near misses."""
    with engine.connect() as connection:
        near_misses.page(connection, judging.read_context(connection, now=moment(engine)))


MEASUREMENTS: tuple[Measurement, ...] = tuple(
    Measurement(
        name=f"affiliates: {name}", ours=work, prepare=forget_connections, bar_s=MOST_S, turns=7
    )
    for name, work in (
        ("board counts", board_counts),
        ("board, first page", board_page),
        ("outcomes", outcomes),
        ("near misses", invited),
    )
)

"""Requalification in the demo: managers' steps on the board, made by calling the verbs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Engine, exists, select

from data_access.affiliates import board, standing_changes
from data_access.affiliates.standing_changes import Change, MoveAffiliate
from data_access.db import database, tables
from data_access.demo import names
from data_access.eligibility import freshness, policies
from program.affiliates.filters import BoardFilters
from program.affiliates.requalification import Standing, Step
from program.periods import day_start, month_start, months_later
from program.policy.outcomes import Outcome

# When in a month the managers work through the board.
REVIEWED_AFTER = timedelta(days=2, hours=10)
REASONS = {
    Step.PUT_ON_NOTICE: ("minimums_missed", "Below the minimums; written to on Telegram."),
    Step.SUSPEND: ("minimums_missed", "Three months below the minimums, no answer so far."),
    Step.RESTORE: ("minimums_met", "Back above the minimums with two new campaigns."),
    Step.TERMINATE: ("activity_not_genuine", "Sign-ups came from one office, none of them trades."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A number of affiliates that match a filter, and the steps taken: months ago, step."""

    wanted: BoardFilters
    number: int
    steps: tuple[tuple[int, Step], ...]


STORIES: tuple[Story, ...] = (
    Story(
        wanted=BoardFilters(suggested=Step.SUSPEND),
        number=3,
        steps=((1, Step.PUT_ON_NOTICE), (0, Step.SUSPEND)),
    ),
    Story(wanted=BoardFilters(suggested=Step.SUSPEND), number=2, steps=((1, Step.PUT_ON_NOTICE),)),
    Story(
        wanted=BoardFilters(suggested=Step.PUT_ON_NOTICE),
        number=4,
        steps=((0, Step.PUT_ON_NOTICE),),
    ),
    # The newest month was met since, so the board suggests a restoration.
    Story(
        wanted=BoardFilters(month=Outcome.MET, standing=Standing.ACTIVE),
        number=2,
        steps=((1, Step.PUT_ON_NOTICE),),
    ),
    Story(
        wanted=BoardFilters(month=Outcome.MET, standing=Standing.ACTIVE),
        number=1,
        steps=((2, Step.PUT_ON_NOTICE), (0, Step.RESTORE)),
    ),
    Story(
        wanted=BoardFilters(month=Outcome.UNKNOWN, standing=Standing.ACTIVE),
        number=2,
        steps=((0, Step.TERMINATE),),
    ),
)


def move_affiliates(engine: Engine, *, now: datetime) -> None:
    """Take the steps of the last months; does nothing if any were taken or nothing was tested."""
    with database.acting(engine) as connection:
        fresh = freshness.newest(connection)
        moved = connection.execute(select(exists().select_from(tables.affiliate_events)))
        if fresh is None or moved.scalar_one():
            return
    month = month_start(fresh.data_through)
    for story in STORIES:
        for application_id in _matching(engine, story, month, now):
            for ago, step in story.steps:
                _take(engine, application_id, step, _moment(month, ago, now))


def _moment(month: date, ago: int, now: datetime) -> datetime:
    return min(day_start(months_later(month, -ago)) + REVIEWED_AFTER, now)


def _matching(engine: Engine, story: Story, month: date, now: datetime) -> Iterator[int]:
    """Yield matching affiliates that were approved well before the first step and are unchanged."""
    before = _moment(month, story.steps[0][0] + 1, now)
    with database.acting(engine) as connection:
        policy = policies.in_force(connection, now=now)
        found = board.page(connection, story.wanted, policy)
    ripe = [one for one in found if one.approved_at < before and one.since is None]
    yield from [one.application_id for one in ripe[: story.number]]


def _take(engine: Engine, application_id: int, step: Step, at: datetime) -> None:
    with database.acting(engine) as connection:
        policy = policies.in_force(connection, now=at)
        affiliate = board.of_application(connection, application_id, policy)
    assert affiliate is not None
    reason_code, reason = REASONS[step]
    command = MoveAffiliate(
        application_id=application_id,
        change=Change(step=step, reason_code=reason_code, reason=reason),
        shown=affiliate.standing,
        actor=names.MANAGERS[application_id % len(names.MANAGERS)],
        at=at,
        request_id=uuid5(NAMESPACE_URL, f"demo:{application_id}:{step}"),
    )
    standing_changes.move(engine, command)

"""The minimum requirements as data: criteria, and the tracks that combine them.

Python judges with these records, SQL is built from them, screens and documents name
them. A new criterion is a new row here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a value is compared with its minimum."""

    AT_LEAST = "at least"
    MORE_THAN = "more than"


class Unit(StrEnum):
    """What a criterion's value counts."""

    USD = "USD"
    USERS = "users"
    FOLLOWERS = "followers"


class Requires(StrEnum):
    """How a track combines its criteria."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One minimum requirement.

    ``key`` names the measured value wherever it travels (record, column, export);
    ``minimum`` names the policy setting it is compared with.
    """

    key: str
    minimum: str
    comparison: Comparison
    unit: Unit
    label: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A route to eligibility."""

    key: str
    label: str
    requires: Requires
    criteria: tuple[Criterion, ...]


VOLUME = Criterion(
    key="volume_usd",
    minimum="min_volume_usd",
    comparison=Comparison.AT_LEAST,
    unit=Unit.USD,
    label="Referral volume",
    explanation="Trading volume of all referred users in the window.",
)
ACTIVE_USERS = Criterion(
    key="active_users",
    minimum="min_active_users",
    comparison=Comparison.AT_LEAST,
    unit=Unit.USERS,
    label="Active users",
    explanation="Distinct referred users with trading volume in the window.",
)
NEW_USERS = Criterion(
    key="new_users",
    minimum="min_new_users",
    comparison=Comparison.AT_LEAST,
    unit=Unit.USERS,
    label="New users",
    explanation="Users referred on a day of the window.",
)
X_FOLLOWERS = Criterion(
    key="x_followers",
    minimum="min_x_followers",
    comparison=Comparison.MORE_THAN,
    unit=Unit.FOLLOWERS,
    label="Followers on X",
    explanation="The newest current observation recorded by staff.",
)
EXTERNAL_VOLUME = Criterion(
    key="external_volume_usd",
    minimum="min_external_volume_usd",
    comparison=Comparison.AT_LEAST,
    unit=Unit.USD,
    label="Volume on other exchanges",
    explanation="The newest current observation per exchange, added up: USD in 30 days.",
)

ON_EXCHANGE = Track(
    key="on_exchange",
    label="on-exchange",
    requires=Requires.ALL,
    criteria=(VOLUME, ACTIVE_USERS, NEW_USERS),
)
EXTERNAL = Track(
    key="external",
    label="external",
    requires=Requires.ANY,
    criteria=(X_FOLLOWERS, EXTERNAL_VOLUME),
)

# Eligible when any one of the tracks is met.
TRACKS: tuple[Track, ...] = (ON_EXCHANGE, EXTERNAL)
CRITERIA: tuple[Criterion, ...] = tuple(c for track in TRACKS for c in track.criteria)
# What an application's track says when more than one track is met.
BOTH_TRACKS = "both"
# What it is called wherever people read it; files and addresses have the values themselves.
TRACK_WORDS: Mapping[str, str] = {
    **{track.key: track.label for track in TRACKS},
    BOTH_TRACKS: "both tracks",
}

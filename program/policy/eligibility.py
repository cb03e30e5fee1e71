"""Assess one application's facts against a policy, criterion by criterion."""

from dataclasses import dataclass
from decimal import Decimal

from program.policy.criteria import (
    BOTH_TRACKS,
    TRACKS,
    Comparison,
    Criterion,
    Requires,
    Track,
    Unit,
)
from program.policy.outcomes import Outcome, all_of, any_of
from program.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The established facts about one application; ``None`` is unknown.

    Field names are criterion keys. Money is in USD over the policy's window.
    """

    volume_usd: Decimal | None = None
    active_users: int | None = None
    new_users: int | None = None
    x_followers: int | None = None
    external_volume_usd: Decimal | None = None

    def value(self, criterion: Criterion) -> Decimal | int | None:
        """Return the established value for ``criterion``, or ``None``."""
        value: Decimal | int | None = getattr(self, criterion.key)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """The result of one criterion: value, minimum and outcome."""

    criterion: Criterion
    value: Decimal | int | None
    minimum: Decimal | int
    outcome: Outcome

    @property
    def margin(self) -> Decimal | None:
        """``value / minimum - 1``; ``None`` without a value or with a minimum of zero."""
        if self.value is None or not self.minimum:
            return None
        return Decimal(self.value) / Decimal(self.minimum) - 1

    @property
    def shortfall(self) -> Decimal | int | None:
        """How much is missing to the minimum; ``None`` unless the criterion is not met."""
        if self.outcome is not Outcome.NOT_MET or self.value is None:
            return None
        missing = self.minimum - self.value
        if self.criterion.comparison is Comparison.AT_LEAST:
            return missing
        return missing + (Decimal("0.01") if self.criterion.unit is Unit.USD else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackResult:
    """The result of one track, with its criteria."""

    track: Track
    outcome: Outcome
    criteria: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The result of an application: the overall outcome, with every track and criterion."""

    outcome: Outcome
    tracks: tuple[TrackResult, ...]

    @property
    def track(self) -> str | None:
        """The track that is met: its key, ``both``, or ``None``."""
        met = [result.track.key for result in self.tracks if result.outcome is Outcome.MET]
        if len(met) > 1:
            return BOTH_TRACKS
        return met[0] if met else None

    @property
    def criteria(self) -> tuple[CriterionResult, ...]:
        """All criteria of all tracks, in the program's order."""
        return tuple(c for track in self.tracks for c in track.criteria)


def judge_criterion(criterion: Criterion, facts: Facts, policy: Policy) -> CriterionResult:
    """Compare one value with its minimum."""
    value = facts.value(criterion)
    minimum: Decimal | int = getattr(policy, criterion.minimum)
    return CriterionResult(
        criterion=criterion,
        value=value,
        minimum=minimum,
        outcome=Outcome.of(None if value is None else _reaches(criterion, value, minimum)),
    )


def judge_track(track: Track, facts: Facts, policy: Policy) -> TrackResult:
    """Judge a track's criteria and combine them as the track requires."""
    results = tuple(judge_criterion(criterion, facts, policy) for criterion in track.criteria)
    combine = all_of if track.requires is Requires.ALL else any_of
    outcome = combine(result.outcome for result in results)
    return TrackResult(track=track, outcome=outcome, criteria=results)


def assess(facts: Facts, policy: Policy) -> Assessment:
    """Assess an application: met if any track is met."""
    tracks = tuple(judge_track(track, facts, policy) for track in TRACKS)
    return Assessment(outcome=any_of(result.outcome for result in tracks), tracks=tracks)


def _reaches(criterion: Criterion, value: Decimal | int, minimum: Decimal | int) -> bool:
    if criterion.comparison is Comparison.MORE_THAN:
        return value > minimum
    return value >= minimum

"""Which version of the policy is in force when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data_access.eligibility.judging import JudgingContext
from data_access.eligibility.policies import Published
from data_access.policy.drafts import Kept
from program.policy.policy import Policy, ruling_at


def scheduled(versions: Sequence[Published], now: datetime) -> list[Published]:
    """Return the scheduled versions, the next one first."""
    coming = [one for one in not_withdrawn(versions) if one.policy.effective_from > now]
    return sorted(coming, key=lambda one: (one.policy.effective_from, one.policy.version))


def not_withdrawn(versions: Sequence[Published]) -> list[Published]:
    """The versions that nobody withdrew."""
    return [one for one in versions if one.withdrawn_by is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Which version is in force when. ``open_bases`` are in force or scheduled."""

    versions: dict[int, Policy]
    ruling: list[Policy]
    open_bases: list[Policy]
    now: datetime

    @classmethod
    def of(cls, versions: Sequence[Published], context: JudgingContext) -> "Schedule":
        """Return the current schedule."""
        return cls(
            versions={one.policy.version: one.policy for one in versions},
            ruling=[one.policy for one in not_withdrawn(versions)],
            open_bases=[context.policy, *(p.policy for p in scheduled(versions, context.now))],
            now=context.now,
        )

    @property
    def next_number(self) -> int:
        """The number of the next published version."""
        return max(self.versions) + 1

    def version(self, number: int) -> Policy:
        """Return the version with this number."""
        return self.versions[number]

    def base_of(self, kept: Kept) -> Policy:
        """Return the version in force when a draft starts."""
        return ruling_at(self.ruling, max(kept.draft.effective_from or self.now, self.now))

    def is_current(self, kept: Kept) -> bool:
        """Whether a draft builds on a version that is in force or scheduled when it starts."""
        base = kept.draft.base_version
        begins_later = self.versions[base].effective_from > self.now and any(
            one.version == base for one in self.open_bases
        )
        # A draft based on a scheduled version can still get a later day.
        return begins_later or self.base_of(kept).version == base

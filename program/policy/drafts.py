"""A draft of the next policy, and the checks before publishing it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from program import wording
from program.periods import utc_day
from program.policy import settings
from program.policy.criteria import ACTIVE_USERS, NEW_USERS, VOLUME
from program.policy.policy import Policy
from program.policy.settings import Change
from program.text import invisible

LONGEST_NOTE = 2_000
# How far ahead a version may be planned.
HORIZON_DAYS = 365
# A refresh computes these with the policy in force at that time.
METRICS = frozenset({VOLUME.key, ACTIVE_USERS.key, NEW_USERS.key})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft of the next version, based on version ``base_version``.

    Only the settings of ``policy`` count. ``effective_from`` is when it takes effect; ``None``
    means when it is confirmed.
    """

    policy: Policy
    note: str
    base_version: int
    effective_from: datetime | None = None


def contradictions(draft: Draft, *, base: Policy, now: datetime) -> tuple[str, ...]:
    """Return what blocks publishing the draft, a sentence each; empty if nothing does.

    ``base`` is the version that the draft is based on.
    """
    found = [*settings.faults(draft.policy)]
    if not settings.changes(base, draft.policy):
        found.append(f"No setting differs from version {base.version}. Change one first.")
    if invisible.shows_nothing(draft.note):
        found.append("The note is empty. Write why the policy changes.")
    found += _when(draft, base, now)
    return tuple(found)


def changed(base: Policy, draft: Draft) -> tuple[Change, ...]:
    """Return the draft's changes, in the order of the table of settings."""
    return settings.changes(base, draft.policy)


def needs_refresh(old: Policy, new: Policy) -> bool:
    """Return whether on-exchange eligibility under ``new`` is unknown until a refresh."""
    return bool(settings.recounted(old, new) & METRICS)


def carried_over(draft: Draft, *, old: Policy, new: Policy) -> Draft:
    """Return the draft with its changes against ``old`` rebased on ``new``."""
    moved = {change.setting.name: change.new for change in changed(old, draft)}
    policy = settings.with_values(new, moved)
    return replace(draft, policy=policy, base_version=new.version)


def too_late(starts: datetime | None, now: datetime) -> str | None:
    """Return the error for a start that is too far ahead; ``None`` if it is not."""
    last = utc_day(now) + timedelta(days=HORIZON_DAYS)
    if starts is None or utc_day(starts) <= last:
        return None
    return (
        f"The chosen day, {wording.day(utc_day(starts))}, is more than {HORIZON_DAYS} days away. "
        f"Choose a day up to {wording.day(last)}, or leave it empty."
    )


def _when(draft: Draft, base: Policy, now: datetime) -> list[str]:
    starts = draft.effective_from
    if starts is not None and starts < now:
        past = wording.day(utc_day(starts))
        return [f"The chosen day, {past}, is past. Choose a later one, or leave it empty."]
    late = too_late(starts, now)
    if late is not None:
        return [late]
    if (starts or now) < base.effective_from:
        scheduled = wording.day(utc_day(base.effective_from))
        later = f"Version {base.version} takes effect on {scheduled}, and this one builds on it."
        return [
            f"{later} Choose that day or a later one, or carry it over to the version in force."
        ]
    return []

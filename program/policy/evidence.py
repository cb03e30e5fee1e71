"""External evidence: what staff can record, and which observations count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from program.periods import evidence_cutoff, utc_day
from program.policy.exchanges import exchange_key
from program.policy.policy import Policy
from program.text.folding import word


class EvidenceKind(StrEnum):
    """What was observed."""

    X_FOLLOWERS = "x_followers"
    EXTERNAL_VOLUME = "external_volume"


class EvidenceMethod(StrEnum):
    """How it was observed."""

    PROFILE_PAGE = "profile_page"
    SCREENSHOT = "screenshot"
    STATEMENT = "statement"
    API = "api"
    OTHER = "other"


KIND_LABELS = {
    EvidenceKind.X_FOLLOWERS: "Followers on X",
    EvidenceKind.EXTERNAL_VOLUME: "Volume on another exchange",
}
METHOD_LABELS = {
    EvidenceMethod.PROFILE_PAGE: "Profile page",
    EvidenceMethod.SCREENSHOT: "Screenshot",
    EvidenceMethod.STATEMENT: "Statement",
    EvidenceMethod.API: "API",
    EvidenceMethod.OTHER: "Other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One dated piece of evidence. ``value`` is followers, or USD in a 30-day period.

    ``told_apart`` means that its exchange is none of those with a similar name.
    """

    evidence_id: int
    kind: EvidenceKind
    value: Decimal
    observed_at: datetime
    exchange_name: str | None = None
    told_apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Established:
    """The values that the current observations establish, and the ids of those observations."""

    x_followers: int | None = None
    external_volume_usd: Decimal | None = None
    evidence_ids: tuple[int, ...] = ()


def is_current(
    observed_at: datetime, *, data_through: date | None, now: datetime, policy: Policy
) -> bool:
    """Whether an observation still counts: not too old at T, and not after ``now``.

    Without a data-through day nothing has been loaded yet, and the age is measured from ``now``.
    """
    day = data_through or utc_day(now)
    return evidence_cutoff(day, policy.evidence_valid_days) <= observed_at <= now


def current_kinds(
    observations: Iterable[Observation],
    *,
    data_through: date | None,
    now: datetime,
    policy: Policy,
) -> frozenset[EvidenceKind]:
    """Return the kinds of evidence with a current observation."""
    return frozenset(
        seen.kind
        for seen in observations
        if is_current(seen.observed_at, data_through=data_through, now=now, policy=policy)
    )


def days_left(
    observed_at: datetime, *, data_through: date | None, now: datetime, policy: Policy
) -> int:
    """Return for how many data-through days an observation counts, the current one included.

    0 means that it stopped counting on the current day, -3 three days before.
    """
    last = utc_day(observed_at) + timedelta(days=policy.evidence_valid_days)
    return (last - (data_through or utc_day(now))).days + 1


def establish(
    observations: Iterable[Observation],
    *,
    data_through: date | None,
    now: datetime,
    policy: Policy,
) -> Established:
    """Reduce observations to values: the newest current one per kind and exchange counts.

    Volumes on several exchanges add up, each exchange once however its name is spelled. Of two
    observations at the same time, the one recorded later (the higher id) counts.
    """
    newest: dict[tuple[EvidenceKind, str], Observation] = {}
    for seen in sorted(observations, key=lambda o: (o.observed_at, o.evidence_id)):
        if is_current(seen.observed_at, data_through=data_through, now=now, policy=policy):
            newest[seen.kind, taken_together_by(seen)] = seen
    followers = [o for o in newest.values() if o.kind is EvidenceKind.X_FOLLOWERS]
    volumes = [o for o in newest.values() if o.kind is EvidenceKind.EXTERNAL_VOLUME]
    return Established(
        x_followers=int(followers[0].value) if followers else None,
        external_volume_usd=sum((o.value for o in volumes), Decimal(0)) if volumes else None,
        evidence_ids=tuple(sorted(o.evidence_id for o in newest.values())),
    )


def taken_together_by(seen: Observation) -> str:
    """Return the key within a kind under which only the newest counts: the exchange, or ""."""
    if seen.kind is EvidenceKind.X_FOLLOWERS:
        return ""
    return exchange_key(seen.exchange_name or "", told_apart=seen.told_apart)


def doubtful(counted: Iterable[Observation]) -> list[tuple[str, ...]]:
    """Return the groups of spellings that count as one exchange and may be several."""
    names: dict[str, dict[str, str]] = {}
    for seen in counted:
        if seen.kind is EvidenceKind.EXTERNAL_VOLUME and not seen.told_apart:
            name = seen.exchange_name or ""
            names.setdefault(taken_together_by(seen), {}).setdefault(word(name), name)
    return [tuple(spelled.values()) for spelled in names.values() if len(spelled) > 1]

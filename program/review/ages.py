"""Age groups of open applications: days since submission, in four groups."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeGroup:
    """Whole days of 24 hours since submission, from ``first`` to ``last``; open-ended if None."""

    key: str
    label: str
    first: int
    last: int | None


AGE_GROUPS = (
    AgeGroup(key="0-2", label="0–2 days", first=0, last=2),
    AgeGroup(key="3-10", label="3–10 days", first=3, last=10),
    AgeGroup(key="11-30", label="11–30 days", first=11, last=30),
    AgeGroup(key="31+", label="31 days and more", first=31, last=None),
)
AGE_GROUPS_BY_KEY = {group.key: group for group in AGE_GROUPS}

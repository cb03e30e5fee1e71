"""Three-valued outcomes: met, not met, unknown.

The logic is Kleene's, which is also SQL's for AND, OR and NULL; ``None`` is unknown. An unknown
must never read, sort or count as a failure.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """The result of a criterion, a track or a whole application."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, truth: bool | None) -> "Outcome":
        """Return the outcome for a truth value; ``None`` is unknown."""
        if truth is None:
            return cls.UNKNOWN
        return cls.MET if truth else cls.NOT_MET

    @property
    def truth(self) -> bool | None:
        """The truth value of this outcome; ``None`` if it is unknown."""
        return None if self is Outcome.UNKNOWN else self is Outcome.MET


# What each is called wherever people read it; files and addresses have the values themselves.
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.MET: "met",
    Outcome.NOT_MET: "not met",
    Outcome.UNKNOWN: "unknown",
}


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Kleene AND: any failure is a failure, else any unknown is unknown."""
    seen = set(outcomes)
    if Outcome.NOT_MET in seen:
        return Outcome.NOT_MET
    return Outcome.UNKNOWN if Outcome.UNKNOWN in seen else Outcome.MET


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Kleene OR: any success is a success, else any unknown is unknown."""
    seen = set(outcomes)
    if Outcome.MET in seen:
        return Outcome.MET
    return Outcome.UNKNOWN if Outcome.UNKNOWN in seen else Outcome.NOT_MET

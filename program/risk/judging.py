"""Judge measured signals: severity of each, the headline, and the score.

``review.judged_risk`` is the same in SQL; a property test compares the two.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from program import wording
from program.risk.signals import (
    BY_ID,
    FAMILY_CAPS,
    SIGNALS,
    THRESHOLDS,
    Family,
    Severity,
    Signal,
)

POINTS = {Severity.WARN: 10, Severity.HIGH: 20}
INFORMATION_POINTS = 3
HIGHEST_SCORE = 100
ORDER = tuple(Severity)
FLAGGED = (Severity.WARN, Severity.HIGH)
NAMES_IN_SENTENCES = {signal.id: wording.inline(signal.name) for signal in SIGNALS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """Level, score and the ids of the flagged signals, high ones first."""

    level: Severity = Severity.NOT_ENOUGH_DATA
    score: int = 0
    signals: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the flagged signals, for the middle of a sentence."""
        return tuple(NAMES_IN_SENTENCES[id_] for id_ in self.signals if id_ in NAMES_IN_SENTENCES)


NOT_MEASURED = Headline()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A signal's measured value and sample; ``None``: it could not be measured."""

    value: Decimal | None
    sample: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a signal says; ``dismissed`` if somebody looked into it and set it aside."""

    signal: Signal
    measured: Measured
    severity: Severity
    limits: Mapping[Severity, Decimal]
    dismissed: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is flagged and not dismissed."""
        return self.severity in FLAGGED and not self.dismissed


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The results of all signals, in their order."""

    results: tuple[Result, ...]

    @property
    def level(self) -> Severity:
        """The highest severity that counts; clear if at least one signal could be measured."""
        counting = [result.severity for result in self.results if result.counts]
        if counting:
            return max(counting, key=ORDER.index)
        measured = any(r.severity is not Severity.NOT_ENOUGH_DATA for r in self.results)
        return Severity.CLEAR if measured else Severity.NOT_ENOUGH_DATA

    @property
    def flagged(self) -> tuple[Result, ...]:
        """The results that count, high ones first."""
        counting = [result for result in self.results if result.counts]
        return tuple(sorted(counting, key=lambda result: -ORDER.index(result.severity)))

    def of(self, id_: str) -> Result | None:
        """Return the result of a signal."""
        return next((result for result in self.results if result.signal.id == id_), None)

    @property
    def headline(self) -> Headline:
        """What lists show."""
        ids = tuple(result.signal.id for result in self.flagged)
        return Headline(level=self.level, score=self.score, signals=ids)

    @property
    def families(self) -> dict[Family, int]:
        """The capped points of each family that has any."""
        counting = {result.signal.id for result in self.results if result.counts}
        points = dict.fromkeys(Family, 0)
        for result in self.results:
            if result.counts and result.signal.scored_with not in counting:
                points[result.signal.family] += points_of(result)
        return {f: min(FAMILY_CAPS[f], given) for f, given in points.items() if given}

    @property
    def score(self) -> int:
        """The points of all families, at most 100."""
        return min(HIGHEST_SCORE, sum(self.families.values()))


def points_of(result: Result) -> int:
    """Return the points of one flagged result, before the family's cap."""
    return INFORMATION_POINTS if result.signal.information else POINTS[result.severity]


def judge(
    measured: Mapping[str, Measured],
    thresholds: Mapping[str, Decimal],
    dismissed: Collection[str] = (),
) -> Risk:
    """Judge every signal; ``thresholds`` by key, those left out at their default."""
    limits = {one.key: thresholds.get(one.key, one.default) for one in THRESHOLDS}
    alone = {
        signal.id: _severity(signal, measured.get(signal.id, Measured(value=None)), limits)
        for signal in SIGNALS
    }
    return Risk(
        results=tuple(
            Result(
                signal=BY_ID[id_],
                measured=measured.get(id_, Measured(value=None)),
                severity=_together(BY_ID[id_], alone),
                limits=_limits(BY_ID[id_], measured.get(id_, Measured(value=None)), limits),
                dismissed=id_ in dismissed,
            )
            for id_ in alone
        )
    )


def _severity(signal: Signal, measured: Measured, limits: Mapping[str, Decimal]) -> Severity:
    if measured.value is None or (measured.sample or 0) < signal.least_sample:
        return Severity.NOT_ENOUGH_DATA
    reached = _limits(signal, measured, limits)
    for severity in (Severity.HIGH, Severity.WARN):
        if severity in reached and _reaches(signal, measured.value, reached[severity]):
            return severity
    return Severity.CLEAR


def _together(signal: Signal, alone: Mapping[str, Severity]) -> Severity:
    """Return the severity, lowered to warn if the signal it goes with is not flagged."""
    severity = alone[signal.id]
    lone = signal.high_with and alone[signal.high_with] not in FLAGGED
    return Severity.WARN if severity is Severity.HIGH and lone else severity


def _limits(
    signal: Signal, measured: Measured, limits: Mapping[str, Decimal]
) -> dict[Severity, Decimal]:
    """Return the thresholds for this sample; none for a severity whose steps start later."""
    sample = measured.sample or 0
    return {
        one.severity: limits[one.key]
        for one in THRESHOLDS
        if one.signal is signal and sample >= one.sample
    }


def _reaches(signal: Signal, value: Decimal, limit: Decimal) -> bool:
    return value <= limit if signal.lower_is_worse else value >= limit

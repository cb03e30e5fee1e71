"""Write the judging of risk signals as SQL, from the tables of rules.

The text is kept in the schema's ``08_standing_risk.sql``: `review.judged_risk` judges as
`program.risk.judging` does, with severities as numbers.
"""

from collections.abc import Callable, Iterator

from data_access.risk import columns
from program.policy import robust
from program.policy.criteria import Comparison, Criterion
from program.risk import judging
from program.risk.signals import (
    FAMILY_CAPS,
    SIGNALS,
    THRESHOLDS,
    Family,
    Severity,
    Signal,
    Threshold,
)

# How a statement writes a threshold.
Limit = Callable[[Threshold], str]

NUMBERS = {severity: number for number, severity in enumerate(Severity)}
CLEAR, WARN, HIGH = (NUMBERS[s] for s in (Severity.CLEAR, Severity.WARN, Severity.HIGH))
NONE = NUMBERS[Severity.NOT_ENOUGH_DATA]


def limits() -> Iterator[str]:
    """Return each threshold: the policy's, or else its default."""
    for one in THRESHOLDS:
        default = f"(given.thresholds ->> '{one.key}')::numeric, {one.default}"
        yield f"coalesce({default}) as {_limit(one.key)}"
    yield from (f"given.{criterion.minimum}" for criterion in robust.CRITERIA)


def minimums() -> Iterator[str]:
    """Return the minimums of the criteria that `robust` judges."""
    yield from (f"policy.{criterion.minimum}" for criterion in robust.CRITERIA)


def met() -> Iterator[str]:
    """Return whether each criterion is met, by all activity and by each part."""
    for criterion in robust.CRITERIA:
        whole = f"coalesce(affiliate.{criterion.key}, 0)"
        yield f"{_reached(whole, criterion)} as met_{criterion.key}"
    for variant in robust.VARIANTS:
        for criterion in robust.CRITERIA:
            part = f"{variant.key}_{criterion.key}"
            yield f"{_reached(f'measure.{part}', criterion)} as {part}_met"


def counts() -> Iterator[str]:
    """Return how many criteria are met by each, and the most that a part loses."""
    whole = [f"met_{criterion.key}" for criterion in robust.CRITERIA]
    yield f"{_sum(whole)} as met"
    lost = []
    for variant in robust.VARIANTS:
        part = [f"{variant.key}_{criterion.key}_met" for criterion in robust.CRITERIA]
        yield f"{_sum(part)} as {variant.key}"
        pairs = zip(whole, part, strict=True)
        lost.append(_sum([f"({one} and not {other})" for one, other in pairs]))
    yield f"greatest({', '.join(lost)}) as lost"


def severities() -> Iterator[str]:
    """Return the severity of each signal by itself, by the columns of measures and limits."""
    for signal in SIGNALS:
        derived = signal.id == columns.DERIVED
        value = "whole.lost" if derived else f"measure.{signal.column}"
        sample = "whole.met" if derived else f"measure.{signal.column}_sample"
        severity = alone(signal, value, sample, lambda one: f"limits.{_limit(one.key)}")
        yield f"{severity} as {signal.column}"


def alone(signal: Signal, value: str, sample: str, limit: Limit) -> str:
    """Return the severity, as a number, of a value and its sample."""
    lacking = f"{value} is null"
    if signal.least_sample:
        lacking += f" or coalesce({sample}, 0) < {signal.least_sample}"
    sign = "<=" if signal.lower_is_worse else ">="
    steps = [(severity, threshold(signal, severity, sample, limit)) for severity in (HIGH, WARN)]
    reached = " ".join(f"when {value} {sign} {step} then {n}" for n, step in steps if step)
    return f"case when {lacking} then {NONE} {reached} else {CLEAR} end"


def threshold(signal: Signal, severity: int, sample: str, limit: Limit) -> str | None:
    """Return the threshold for a sample; ``None`` if the signal has none of that severity."""
    own = [o for o in THRESHOLDS if o.signal is signal and NUMBERS[o.severity] == severity]
    if not own:
        return None
    if [one.sample for one in own] == [0]:
        return limit(own[0])
    largest_first = sorted(own, key=lambda one: -one.sample)
    steps = " ".join(
        f"when coalesce({sample}, 0) >= {one.sample} then {limit(one)}" for one in largest_first
    )
    return f"case {steps} end"


def counting() -> Iterator[str]:
    """Return each severity together with the others, a dismissed one as clear."""
    for signal in SIGNALS:
        own = f"alone.{signal.column}"
        dismissed = f"when {own} >= {WARN} and '{signal.id}' = any(dismissed) then {CLEAR}"
        together = ""
        if signal.high_with:
            other = f"alone.{signal.high_with.lower()}"
            together = f" when {own} = {HIGH} and {other} < {WARN} then {WARN}"
        yield f"case {dismissed}{together} else {own} end as {signal.column}"


def level() -> str:
    """Return the headline."""
    words = " ".join(f"when {number} then '{severity}'" for severity, number in NUMBERS.items())
    return f"case {_highest()} {words} end"


def score() -> str:
    """Return the points of all families, each capped."""
    families = [
        f"least({FAMILY_CAPS[family]}, "
        + " + ".join(_points(signal) for signal in SIGNALS if signal.family is family)
        + ")"
        for family in Family
    ]
    total = f"least({judging.HIGHEST_SCORE}, {' + '.join(families)})"
    return f"case when {_highest()} >= {WARN} then {total} else 0 end"


def flagged() -> str:
    """Return the ids of the flagged signals, high ones first."""
    listed = [
        f"case when {signal.column} = {number} then '{signal.id}' end"
        for number in (HIGH, WARN)
        for signal in SIGNALS
    ]
    some = f"array_remove(array[{', '.join(listed)}], null)"
    return f"case when {_highest()} >= {WARN} then {some} else '{{}}' end"


def _highest() -> str:
    return f"greatest({', '.join(signal.column for signal in SIGNALS)})"


def _points(signal: Signal) -> str:
    column = signal.column
    if signal.information:
        points = f"case when {column} >= {WARN} then {judging.INFORMATION_POINTS} else 0 end"
    else:
        given = " ".join(f"when {NUMBERS[s]} then {p}" for s, p in judging.POINTS.items())
        points = f"case {column} {given} else 0 end"
    if not signal.scored_with:
        return points
    return f"case when {signal.scored_with.lower()} >= {WARN} then 0 else {points} end"


def _limit(key: str) -> str:
    return key.lower().replace(".", "_")


def _reached(value: str, criterion: Criterion) -> str:
    sign = ">" if criterion.comparison is Comparison.MORE_THAN else ">="
    return f"{value} {sign} limits.{criterion.minimum}"


def _sum(truths: list[str]) -> str:
    return " + ".join(f"{truth}::integer" for truth in truths)

"""The thresholds of risk signals as settings of the policy, and the rules between them.

`Policy.risk_thresholds` holds those that a version was published with; one that is left out has
the default of `program.risk.signals`.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from program.policy.policy import Policy
from program.policy.setting import Group, Rule, Setting, SettingKind
from program.risk import values
from program.risk.signals import (
    SEVERITY_WORDS,
    SIGNALS,
    THRESHOLDS,
    Severity,
    Signal,
    Threshold,
    Unit,
)

# The highest threshold, of a share and of any other value. Out of reach is how to switch one off.
HIGHEST_SHARE = Decimal(10)
HIGHEST_NUMBER = Decimal(1_000)
PLACES = 6
UNITS = {Unit.SHARE: "%", Unit.TIMES: "×"}


def value(policy: Policy, threshold: Threshold) -> Decimal:
    """Return the threshold that the policy sets, or the default."""
    return policy.risk_thresholds.get(threshold.key, threshold.default)


def complete(policy: Policy) -> Policy:
    """Return the policy with every threshold written out, as a version is published."""
    return replace(policy, risk_thresholds={one.key: value(policy, one) for one in THRESHOLDS})


def rows() -> Iterator[Setting]:
    """Yield the setting of each threshold."""
    for one in THRESHOLDS:
        signal, is_share = one.signal, one.signal.unit is Unit.SHARE
        beyond = "below" if signal.lower_is_worse else "above"
        yield Setting(
            name=one.key,
            label=f"{signal.id} {signal.name}, {place(one)}",
            group=Group.RISK,
            kind=SettingKind.RATE if is_share else SettingKind.NUMBER,
            unit=UNITS.get(signal.unit, ""),
            least=Decimal(0),
            most=HIGHEST_SHARE if is_share else HIGHEST_NUMBER,
            places=0 if signal.unit is Unit.COUNT else PLACES,
            explanation=f"{signal.formula}. Counts at this value and {beyond}.",
            threshold=one,
        )


def place(threshold: Threshold) -> str:
    """Name a threshold within its signal: ``high from 15 active users``."""
    start = f" from {threshold.sample} {threshold.signal.sample}" if threshold.sample else ""
    return f"{SEVERITY_WORDS[threshold.severity]}{start}"


def rules() -> Iterator[Rule]:
    """Yield the rules: warn comes before high, and steps go one way."""
    for signal in SIGNALS:
        warn, high = (_steps(signal, one) for one in (Severity.WARN, Severity.HIGH))
        for sample in sorted({one.sample for one in (*warn, *high)}):
            pair = [_last(steps, sample) for steps in (warn, high)]
            if pair[0] is not None and pair[1] is not None:
                yield _before(pair[0], pair[1])
        for steps in (warn, high):
            yield from (_step(first, then) for first, then in pairwise(steps))


def _steps(signal: Signal, severity: Severity) -> list[Threshold]:
    return [one for one in THRESHOLDS if one.signal is signal and one.severity is severity]


def _last(steps: list[Threshold], sample: int) -> Threshold | None:
    return next((one for one in reversed(steps) if one.sample <= sample), None)


def _before(warn: Threshold, high: Threshold) -> Rule:
    """A value that is high must have been worth a warning before."""
    return Rule(
        settings=(warn.key, high.key),
        holds=lambda policy: not _is_worse(warn, value(policy, warn), value(policy, high)),
        sentence=lambda policy: (
            f"{warn.signal.id} {warn.signal.name}: {_at(policy, warn)} is beyond "
            f"{_at(policy, high)}, so it would never warn. Set warn before high."
        ),
    )


def _step(first: Threshold, then: Threshold) -> Rule:
    """With a larger sample chance explains less, so that the threshold is no looser."""
    return Rule(
        settings=(first.key, then.key),
        holds=lambda policy: not _is_worse(then, value(policy, then), value(policy, first)),
        sentence=lambda policy: (
            f"{first.signal.id} {first.signal.name}: {_at(policy, then)} is looser than "
            f"{_at(policy, first)}. With more {first.signal.sample} it must not be."
        ),
    )


def _is_worse(of: Threshold, one: Decimal, other: Decimal) -> bool:
    return one < other if of.signal.lower_is_worse else one > other


def _at(policy: Policy, threshold: Threshold) -> str:
    return f"{place(threshold)} at {values.exact(threshold.signal, value(policy, threshold))}"

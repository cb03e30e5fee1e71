"""Tables of the risk signals for the cog blocks in docs/*.md; `make docs` writes them."""

from collections.abc import Iterator

from docs.generated import table
from program import wording
from program.policy import thresholds
from program.risk import judging, values
from program.risk.signals import (
    CANNOT_BE_CHECKED,
    FAMILY_CAPS,
    SEVERITY_WORDS,
    SIGNALS,
    THRESHOLDS,
    Severity,
    Signal,
)

UNIT_WORDS = {"share": "share", "times": "ratio", "count": "count", "number": "number"}


def signals() -> str:
    """Return every signal by family: question, formula, sample, thresholds, and their reason."""
    return "\n\n".join(
        f"### {family}\n\n" + "\n\n".join(_signal(one) for one in SIGNALS if one.family is family)
        for family in FAMILY_CAPS
    )


def families() -> str:
    """Return the families with their signals, and the most points each can add."""
    rows = [
        (family, ", ".join(one.id for one in SIGNALS if one.family is family), str(cap))
        for family, cap in FAMILY_CAPS.items()
    ]
    return table(("family", "signals", "at most, points"), rows)


def points() -> str:
    """Return the points of a flagged signal."""
    rows = [(f"`{severity}`", str(number)) for severity, number in judging.POINTS.items()]
    return table(
        ("severity", "points"), [*rows, ("for information only", str(judging.INFORMATION_POINTS))]
    )


def limits() -> str:
    """Return every threshold with its key and default, and its lowest and highest value."""
    rows = [
        (
            f"`{one.key}`",
            f"{one.signal.name}, {thresholds.place(one)}",
            values.exact(one.signal, one.default),
        )
        for one in THRESHOLDS
    ]
    return table(("key", "threshold", "version 1"), rows)


def cannot_be_checked() -> str:
    """Return what nobody can check here, and the data it would take."""
    return table(
        ("question", "it would take"), [(one.name, one.takes) for one in CANNOT_BE_CHECKED]
    )


def _signal(signal: Signal) -> str:
    return "\n".join([f"#### {signal.id} {signal.name}\n\n{signal.question}\n", *_facts(signal)])


def _facts(signal: Signal) -> Iterator[str]:
    beyond = "at most" if signal.lower_is_worse else "at least"
    flags = ", ".join(
        f"{SEVERITY_WORDS[severity]} {words}"
        for severity in (Severity.WARN, Severity.HIGH)
        if (words := _limits(signal, severity))
    )
    yield f"- Measures ({UNIT_WORDS[signal.unit]}): {wording.inline(signal.formula)}."
    yield f"- Flags a value of {beyond}: {flags}. {signal.why}"
    needs = [f"{signal.least_sample:,} {signal.sample}"] if signal.sample else []
    needs += [signal.needs] if signal.needs else []
    if needs:
        yield f"- Needs {' and '.join(needs)}; else there is not enough data."
    if signal.high_with:
        yield f"- High only together with {signal.high_with}; alone it warns."
    if signal.scored_with:
        yield f"- Adds points only if {signal.scored_with} adds none."
    if signal.information:
        yield "- For information only."


def _limits(signal: Signal, severity: Severity) -> str:
    steps = [one for one in THRESHOLDS if one.signal is signal and one.severity is severity]
    words = [values.exact(signal, one.default) for one in steps]
    if [one.sample for one in steps] == [0] or not steps:
        return "".join(words)
    return " / ".join(words) + " from " + " / ".join(str(one.sample) for one in steps)

"""Risk signals in words. Pure; a signal asks, and never accuses."""

from decimal import Decimal

from dashboard.ui import badges, figures
from program import wording
from program.policy.robust import Robust
from program.risk.judging import Result
from program.risk.signals import BY_ID, Severity, Signal, Unit

PLACES = {Unit.SHARE: 1, Unit.TIMES: 2, Unit.COUNT: 0, Unit.NUMBER: 3}


def value(signal: Signal, number: Decimal | None) -> str:
    """Format a signal's value or threshold: ``84.3 %``, ``3.2 times``, ``14``, ``0.28``."""
    if number is None:
        return figures.DASH
    if signal.unit is Unit.SHARE:
        shown = f"{_short(number * 100, PLACES[Unit.SHARE])} %"
        return "under 0.1 %" if shown == "0 %" and number > 0 else shown
    text = _short(number, PLACES[signal.unit])
    return f"{text} times" if signal.unit is Unit.TIMES else text


def _short(number: Decimal, places: int) -> str:
    return wording.trimmed(f"{wording.rounded(number, places):,f}")


def threshold(result: Result) -> str:
    """Format the threshold that was reached, or the first one: ``asks from 80 %``."""
    severity = result.severity if result.severity in result.limits else Severity.WARN
    limit = result.limits.get(severity)
    if limit is None:
        return ""
    word = badges.RISKS[severity].word
    return f"{word} {_from(result.signal)} {value(result.signal, limit)}"


def thresholds(result: Result) -> str:
    """Format both thresholds for the sample."""
    parts = [
        f"{badges.RISKS[severity].word} {_from(result.signal)} {value(result.signal, limit)}"
        for severity, limit in result.limits.items()
    ]
    return ", ".join(parts) or "no threshold for so small a sample"


def _from(signal: Signal) -> str:
    return "at or below" if signal.lower_is_worse else "from"


def sample(result: Result) -> str:
    """Format the sample: ``44 active users``; empty without one."""
    signal, number = result.signal, result.measured.sample
    if not signal.sample or number is None:
        return ""
    return f"{_short(number, 0)} {signal.sample}"


def lacks(result: Result) -> str:
    """Say what it would take to check a signal."""
    signal, found = result.signal, sample(result)
    parts = []
    if signal.least_sample:
        so_far = f" ({found} so far)" if found else ""
        parts.append(f"at least {signal.least_sample:,} {signal.sample}{so_far}")
    if signal.needs:
        parts.append(signal.needs)
    return f"needs {' and '.join(parts)}" if parts else "needs activity"


def robust(found: Robust | None) -> str | None:
    """Format for a table's cell: ``3 of 3``, or ``3 → 1 of 3``; ``None`` if it is unknown."""
    if found is None:
        return None
    fewest = f" → {found.weaker[0][1]}" if found.weaker else ""
    return f"{found.met}{fewest} of {found.of}"


def names(ids: tuple[str, ...]) -> str:
    """Format the names of signals."""
    return ", ".join(BY_ID[id_].name for id_ in ids if id_ in BY_ID)

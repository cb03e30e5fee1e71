"""The columns of ``review.risk_measures``, from the table of signals."""

from collections.abc import Iterator

from program.policy import robust
from program.policy.criteria import ON_EXCHANGE, Unit
from program.risk.signals import SIGNALS, Signal

# What is left out of the on-exchange criteria for R03, which is derived from these columns.
VARIANTS: dict[str, str] = {variant.key: variant.words for variant in robust.VARIANTS}
DERIVED = robust.FRAGILE
MEASURED = tuple(signal for signal in SIGNALS if signal.id != DERIVED)


def of(signal: Signal) -> tuple[str, ...]:
    """Return the columns of a signal: its value and, if it has one, its sample."""
    return (signal.column, *([f"{signal.column}_sample"] if signal.sample else []))


def names() -> list[str]:
    """Return the columns in their order, without those that every row has."""
    return [name for name, _, _ in _columns()]


def definitions() -> list[str]:
    """Return the lines that define the columns."""
    return [f"{name} {kind}," for name, kind, _ in _columns()]


def comments() -> list[str]:
    """Return the statements that describe the columns."""
    column = "comment on column review.risk_measures"
    return [
        f"{column}.{name} is '{text.replace(chr(39), chr(39) * 2)}';"
        for name, _, text in _columns()
    ]


def _columns() -> Iterator[tuple[str, str, str]]:
    for signal in MEASURED:
        needs = f"; null without {signal.needs}" if signal.needs else ""
        yield signal.column, "numeric(24,6)", f"{signal.id} {signal.name}{needs}"
        if signal.sample:
            yield f"{signal.column}_sample", "numeric(24,6)", f"{signal.id}: {signal.sample}"
    for variant, words in VARIANTS.items():
        for criterion in ON_EXCHANGE.criteria:
            kind = "numeric(24,2)" if criterion.unit is Unit.USD else "integer"
            yield f"{variant}_{criterion.key}", kind, f"{criterion.label} {words}"

"""The measured numbers behind a risk signal, in words. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from dashboard.ui import figures
from program import wording
from program.risk import inputs
from program.risk.inputs import Kind

TEXTS = MappingProxyType(
    {
        "address": "similar addresses",
        "domain": "a domain of their own",
        "x_followers": "X followers",
        "external_volume": "volume elsewhere",
    }
)
Write = Callable[[Any], str]


def words(signal: str, kept: Mapping[str, Any]) -> str:
    """Format what is kept with a signal's value: ``top user u-31 · its volume 12.4 M USD``."""
    parts = []
    for name in inputs.ordered(kept):
        known, value = inputs.find(signal, name), kept[name]
        if known is not None and value is not None and value != []:
            parts.append(f"{known.words} {WRITTEN[known.kind](value)}")
    return " · ".join(parts)


def _usd(value: Any) -> str:  # noqa: ANN401 - a number of JSON
    return f"{figures.usd(Decimal(str(value)))} USD"


def _number(value: Any) -> str:  # noqa: ANN401
    number = Decimal(str(value))
    return wording.trimmed(f"{wording.rounded(number, 0 if abs(number) >= 1_000 else 4):,f}")


def _share(value: Any) -> str:  # noqa: ANN401
    percent = Decimal(str(value)) * 100
    return "under 0.0001 %" if 0 < percent < Decimal("0.0001") else f"{_number(percent)} %"


def _day(value: Any) -> str:  # noqa: ANN401
    return figures.day(date.fromisoformat(value))


def _hour(value: Any) -> str:  # noqa: ANN401
    hour = datetime.fromisoformat(value)
    return f"{figures.day(hour.date())}, {hour:%H}:00"


def _text(value: Any) -> str:  # noqa: ANN401
    return TEXTS.get(str(value), str(value))


def _user(value: Any) -> str:  # noqa: ANN401
    return f"u-{value}"


def _windows(value: Any) -> str:  # noqa: ANN401
    return wording.listed(
        [
            f"{_day(one['first_day'])} ({_usd(one['volume_usd'])}, "
            f"{one['active_users']:,} active, {one['new_users']:,} new)"
            for one in value
        ]
    )


def _each(write: Write) -> Write:
    return lambda values: wording.listed([write(value) for value in values])


WRITTEN: Mapping[Kind, Write] = MappingProxyType(
    {
        Kind.USD: _usd,
        Kind.COUNT: lambda value: f"{value:,}",
        Kind.SHARE: _share,
        Kind.NUMBER: _number,
        Kind.DAY: _day,
        Kind.HOUR: _hour,
        Kind.TEXT: _text,
        Kind.USER: _user,
        Kind.USERS: _each(_user),
        Kind.ACCOUNT: str,
        Kind.DAYS: _each(_day),
        Kind.WINDOWS: _windows,
        Kind.YES: lambda value: "yes" if value else "no",
    }
)

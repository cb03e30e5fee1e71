"""What a policy setting is: its kind, group and limits; and a rule between settings.

The settings themselves are the table `program.policy.settings.SETTINGS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from program.policy.policy import Policy
from program.risk.signals import Threshold

Value = Decimal | int | bool | str | tuple[str, ...] | None


class SettingKind(StrEnum):
    """The type of a setting, which decides how it is shown and entered."""

    MONEY = "money"
    COUNT = "count"
    RATE = "rate"
    NUMBER = "number"
    DAYS = "days"
    CHOICE = "choice"
    YES_NO = "yes or no"
    CHECKS = "checklist items"


WHOLES = (SettingKind.COUNT, SettingKind.DAYS)
TYPED = (SettingKind.MONEY, SettingKind.RATE, SettingKind.NUMBER, *WHOLES)


class Group(StrEnum):
    """Groups of settings on screens and in the document, in display order."""

    MINIMUMS = "Minimum requirements"
    COUNTING = "What is counted"
    REBATE = "Rebate"
    DESK = "Review desk"
    SECOND = "Second person"
    AFFILIATES = "Affiliates after their approval"
    CHECKLIST = "Checklist"
    RISK = "Risk signals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. Limits are inclusive; an ``optional`` one may be empty, shown as ``none``.

    ``recounts`` names the criteria whose measured values change with it, not only the limits.
    ``unreplayed`` says what a what-if leaves out if it does not replay the setting. ``places`` is
    the number of decimals; for a rate, of the fraction. One with a ``threshold`` is part of
    `Policy.risk_thresholds`, not a field.
    """

    name: str
    label: str
    group: Group
    kind: SettingKind
    explanation: str
    unit: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    places: int = 0
    choices: tuple[str, ...] = ()
    optional: bool = False
    none: str = ""
    recounts: tuple[str, ...] = ()
    unreplayed: str = ""
    threshold: Threshold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition between settings; ``sentence`` is the error if it does not hold."""

    settings: tuple[str, ...]
    holds: Callable[[Policy], bool]
    sentence: Callable[[Policy], str]
